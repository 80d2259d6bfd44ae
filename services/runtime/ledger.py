"""The histories of cases as a ledger: anchored, so that a copy of where they end lies outside, and checked.

Each history is a chain (`kernel/chain.py`); anchors are a chain over the ends of all of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Table, func, insert, select, update

from services.kernel.casework import ActRecord
from services.kernel.chain import GENESIS, faults
from services.runtime.casebook import CaseTables, act_from
from services.runtime.database import Database

_ANCHOR_LOCK = 7_204_003
_HEADS_AT_ONCE = 5_000
_CASES_AT_ONCE = 200

More = Callable[[Connection, Any, list[ActRecord]], Iterator[str]]
"""What else may be wrong with a case of this kind: the connection, its row, its acts."""


@dataclass(frozen=True)
class Ledger:
    """Cases with their histories.

    `cases` has id, version, head_hash, stage, facts and anchored_version;
    `called` is the column with what people call a case.
    """

    cases: Table
    called: Column[Any]
    tables: CaseTables


def anchor(database: Database, ledger: Ledger, now: datetime) -> str | None:
    """Write down where up to 5,000 histories end that changed since they were last anchored; returns the anchor's hash.

    Anchors are chained too. Their hashes go to the log, so that a copy lies outside the database.
    None when nothing changed.
    """
    cases, anchors = ledger.cases, ledger.tables.anchors
    with database.write() as connection:
        if database.dialect == "postgresql":
            # Anchors are a chain: two replicas may not add to the same end.
            connection.execute(select(func.pg_advisory_xact_lock(_ANCHOR_LOCK)))
        # By version and not by time: what was recorded earlier may be committed later.
        fresh = (select(cases.c.id).where(cases.c.anchored_version < cases.c.version).order_by(cases.c.id)).limit(
            _HEADS_AT_ONCE
        )
        rows = connection.execute(
            update(cases)
            .where(cases.c.id.in_(fresh))
            .values(anchored_version=cases.c.version)
            .returning(cases.c.id, cases.c.version, cases.c.head_hash)
        ).all()
        if not rows:
            return None
        heads = [[row.id, row.version, row.head_hash] for row in sorted(rows, key=lambda row: str(row.id))]
        last = connection.execute(select(anchors.c.hash).order_by(anchors.c.id.desc()).limit(1)).scalar_one_or_none()
        previous = last or GENESIS
        digest = _digest(previous, heads)
        connection.execute(insert(anchors).values(previous_hash=previous, heads=heads, hash=digest, made_at=now))
    return digest


def _digest(previous: str, heads: list[list[Any]]) -> str:
    text = json.dumps(heads, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def verify(database: Database, ledger: Ledger, more: More, known_anchor: str | None = None) -> Iterator[str]:
    """Everything that is wrong, one line each, naming the file and the row.

    `known_anchor`: a hash kept outside the database; it must still be there.
    """
    with database.snapshot() as connection:
        yield from _chains(connection, ledger, more)
        yield from _anchors(connection, ledger, known_anchor)


def _chains(connection: Connection, ledger: Ledger, more: More) -> Iterator[str]:
    cases, acts, key = ledger.cases, ledger.tables.acts, ledger.tables.key
    after = ""
    while True:
        found = connection.execute(
            select(cases)
            .where(cases.c.id > after if after else cases.c.id.is_not(None))
            .order_by(cases.c.id)
            .limit(_CASES_AT_ONCE)
        ).all()
        if not found:
            return
        histories: dict[str, list[ActRecord]] = {case.id: [] for case in found}
        for row in connection.execute(
            select(acts).where(acts.c[key].in_(list(histories))).order_by(acts.c[key], acts.c.number)
        ):
            histories[getattr(row, key)].append(act_from(row))
        for case in found:
            own, name = histories[case.id], getattr(case, ledger.called.name)
            yield from (f"{name}: {fault}" for fault in _history(case, own))
            yield from (f"{name}: {fault}" for fault in more(connection, case, own))
        after = found[-1].id


def _history(case: Any, acts: list[ActRecord]) -> Iterator[str]:
    yield from faults((act.number, act.previous_hash, act.hash, act.content()) for act in acts)
    last = acts[-1].number if acts else 0
    if last < case.version:
        yield f"cut off: rows {last + 1} to {case.version} are missing"
    elif acts and acts[-1].hash != case.head_hash:
        yield f"row {last} is not the row that the file ends with"
    if acts and case.stage != acts[-1].to_stage:
        yield f"the file stands at {case.stage}, its history ends at {acts[-1].to_stage}"


def _anchors(connection: Connection, ledger: Ledger, known_anchor: str | None) -> Iterator[str]:
    anchors = ledger.tables.anchors
    previous, found = GENESIS, False
    for row in connection.execute(select(anchors).order_by(anchors.c.id)):
        if row.previous_hash != previous:
            yield f"anchor {row.id} does not follow the one before: an anchor was changed or removed"
        if _digest(row.previous_hash, row.heads) != row.hash:
            yield f"anchor {row.id} was changed"
        yield from _heads(connection, ledger, row.id, row.heads)
        previous = row.hash
        found = found or row.hash == known_anchor
    if known_anchor is not None and not found:
        yield f"the known anchor {known_anchor[:12]}… is not in the database: anchors were removed or changed"


def _heads(connection: Connection, ledger: Ledger, anchor_id: int, heads: list[list[Any]]) -> Iterator[str]:
    """Anchored rows that are gone or another now."""
    cases, acts, key = ledger.cases, ledger.tables.acts, ledger.tables.key
    for start in range(0, len(heads), _CASES_AT_ONCE):
        part = heads[start : start + _CASES_AT_ONCE]
        ids = [head[0] for head in part]
        names = {
            row[0]: row[1] for row in connection.execute(select(cases.c.id, ledger.called).where(cases.c.id.in_(ids)))
        }
        kept = {
            (row[0], row[1]): row[2]
            for row in connection.execute(select(acts.c[key], acts.c.number, acts.c.hash).where(acts.c[key].in_(ids)))
        }
        for case_id, version, digest in part:
            name = names.get(case_id)
            if name is None:
                yield f"{case_id}: the whole file is missing; anchor {anchor_id} knows it"
            elif (case_id, version) not in kept:
                yield f"{name}: cut off: row {version} is missing; anchor {anchor_id} knows it"
            elif kept[case_id, version] != digest:
                yield f"{name}: row {version} is not the row that anchor {anchor_id} knows"
