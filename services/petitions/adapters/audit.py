"""The anchors of petitions' histories, and the search for what was tampered with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.kernel.casework import EXPIRE_CLOCK, RECOUNT, ActRecord
from services.petitions.adapters.tables import CASE, PETITIONS
from services.petitions.domain.case import (
    ADD_FILE,
    CLOSE_SUPPORT,
    FOLLOW_FIRST,
    FOLLOW_PROTOCOL,
    NOTE_PROBLEM,
    NOTE_PROTOCOL,
    REMOVE_FILE,
    SUBMIT,
    PetitionCase,
)
from services.petitions.domain.procedure import UNDOES
from services.runtime import ledger
from services.runtime.database import Database
from services.runtime.ledger import Ledger

NOT_MOVES = (
    SUBMIT, EXPIRE_CLOCK, RECOUNT, FOLLOW_PROTOCOL, NOTE_PROTOCOL, NOTE_PROBLEM, ADD_FILE, REMOVE_FILE, CLOSE_SUPPORT,
    FOLLOW_FIRST,
)  # fmt: skip
LEDGER = Ledger(PETITIONS, PETITIONS.c.number, CASE)


def anchor(database: Database, now: datetime) -> str | None:
    """Write down where changed histories end; see `ledger.anchor`."""
    return ledger.anchor(database, LEDGER, now)


def verify(database: Database, known_anchor: str | None = None) -> Iterator[str]:
    """Everything that is wrong with the histories and the petitions, one line each; see `ledger.verify`."""
    return ledger.verify(database, LEDGER, _more, known_anchor)


def _more(_connection: Connection, case: Any, acts: list[ActRecord]) -> Iterator[str]:
    """Where the petition says otherwise than its history; its own words may be completed and erased."""
    facts: dict[str, dict[str, Any]] = {}
    for act in acts:
        if act.move not in NOT_MOVES:
            kept = {name: value for name, value in act.fields.items() if name not in PetitionCase.unkept}
            facts[act.move] = {**kept, "done_on": act.done_on.isoformat()}
            for undone in UNDOES.get(act.move, ()):
                facts.pop(undone, None)
    if acts and case.facts != facts:
        yield "the petition's facts are not those of its history"
