"""The histories' anchors, and the search for what was tampered with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from services.kernel.casework import EXPIRE_CLOCK, RECOUNT, ActRecord
from services.protocols.adapters.tables import CASE, PROTOCOLS, TEXTS
from services.protocols.domain.case import DRAFT, REPLACE_TEXT, sha256_of
from services.protocols.domain.partner import FLAG, FOLLOW, RETURN, SETTLE, partner_of, review_after
from services.runtime import ledger
from services.runtime.database import Database
from services.runtime.ledger import Ledger

NOT_MOVES = (DRAFT, REPLACE_TEXT, EXPIRE_CLOCK, RECOUNT, FOLLOW, FLAG, SETTLE, RETURN)
LEDGER = Ledger(PROTOCOLS, PROTOCOLS.c.reference, CASE)


def anchor(database: Database, now: datetime) -> str | None:
    """Write down where changed histories end; see `ledger.anchor`."""
    return ledger.anchor(database, LEDGER, now)


def verify(database: Database, known_anchor: str | None = None) -> Iterator[str]:
    """Everything that is wrong with the histories, the files and the texts, one line each; see `ledger.verify`."""
    return ledger.verify(database, LEDGER, _more, known_anchor)


def _more(connection: Connection, case: Any, acts: list[ActRecord]) -> Iterator[str]:
    yield from _drift(case, acts)
    yield from _texts(connection, case)


def _drift(case: Any, acts: list[ActRecord]) -> Iterator[str]:
    """Where the file says otherwise than its history: people act on the file."""
    if acts and case.facts != replay(acts):
        yield "the file's facts are not those of its history"
    if acts and case.review != replay_review(acts):
        yield "the file's legal review is not that of its history"
    partner, name = partner_of(acts)
    if acts and (partner != case.organisation_id or name not in (None, case.organisation_name)):
        yield "the file's partner is not that of its history"


def replay_review(acts: list[ActRecord]) -> dict[str, Any]:
    """The newest legal review, from the history alone."""
    review: dict[str, Any] = {}
    for act in acts:
        review = review_after(review, act)
    return review


def replay(acts: list[ActRecord]) -> dict[str, dict[str, Any]]:
    """The facts of the present round, from the history alone."""
    facts: dict[str, dict[str, Any]] = {}
    for act in acts:
        if act.to_stage == acts[0].to_stage and act.from_stage not in ("", act.to_stage):
            facts = {}
        elif act.move not in NOT_MOVES:
            told = {name: value for name, value in act.fields.items() if name != "text"}
            facts[act.move] = {**told, "done_on": act.done_on.isoformat()}
    return facts


def _texts(connection: Connection, case: Any) -> Iterator[str]:
    """Texts that are not what their hashes say."""
    last = None
    for row in connection.execute(select(TEXTS).where(TEXTS.c.protocol_id == case.id).order_by(TEXTS.c.version)):
        if sha256_of(row.text) != row.sha256:
            yield f"the text of version {row.version} was changed"
        last = row
    if last is None or (last.version, last.sha256) != (case.text_version, case.text_sha256):
        yield "the newest text is missing or another"
    signed = case.facts.get("sign", {}).get("text_sha256", case.approved_sha256)
    if case.approved_sha256 != signed:
        yield "the signed text is not the approved one"
