"""The histories' anchors, and the search for what was tampered with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from services.protocols.adapters.repository import act_from
from services.protocols.adapters.tables import ACTS, ANCHORS, PROTOCOLS
from services.protocols.domain.chain import GENESIS, faults
from services.runtime.database import Database

_HEADS_AT_ONCE = 5_000
_CASES_AT_ONCE = 200


def anchor(database: Database, now: datetime) -> str | None:
    """Write down where every history changed since the last anchor ends; returns the anchor's hash.

    Anchors are chained too. Their hashes go to the log, so that a copy lies outside the database.
    None when nothing changed.
    """
    with database.write() as connection:
        last = connection.execute(select(ANCHORS).order_by(ANCHORS.c.id.desc()).limit(1)).one_or_none()
        statement = select(PROTOCOLS.c.id, PROTOCOLS.c.version, PROTOCOLS.c.head_hash, PROTOCOLS.c.changed_at)
        if last is not None:
            statement = statement.where(PROTOCOLS.c.changed_at > last.until)
        rows = connection.execute(
            statement.order_by(PROTOCOLS.c.changed_at, PROTOCOLS.c.id).limit(_HEADS_AT_ONCE)
        ).all()
        if len(rows) == _HEADS_AT_ONCE:
            # Rows that share the last moment must not be split between two anchors.
            rows = [row for row in rows if row.changed_at < rows[-1].changed_at] or rows
        if not rows:
            return None
        heads = [[row.id, row.version, row.head_hash] for row in rows]
        previous = last.hash if last is not None else GENESIS
        digest = _digest(previous, heads)
        connection.execute(
            insert(ANCHORS).values(
                previous_hash=previous, heads=heads, hash=digest, until=rows[-1].changed_at, made_at=now
            )
        )
    return digest


def _digest(previous: str, heads: list[list[Any]]) -> str:
    text = json.dumps(heads, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def verify(database: Database, known_anchor: str | None = None) -> Iterator[str]:
    """Everything that is wrong, one line each, naming the file and the row.

    `known_anchor`: a hash kept outside the database; it must still be there.
    """
    with database.snapshot() as connection:
        yield from _chains(connection)
        yield from _anchors(connection, known_anchor)


def _chains(connection: Connection) -> Iterator[str]:
    after = ""
    while True:
        cases = connection.execute(
            select(PROTOCOLS.c.id, PROTOCOLS.c.reference, PROTOCOLS.c.version, PROTOCOLS.c.head_hash)
            .where(PROTOCOLS.c.id > after if after else PROTOCOLS.c.id.is_not(None))
            .order_by(PROTOCOLS.c.id)
            .limit(_CASES_AT_ONCE)
        ).all()
        if not cases:
            return
        acts: dict[str, list[Any]] = {case.id: [] for case in cases}
        for row in connection.execute(
            select(ACTS).where(ACTS.c.protocol_id.in_(list(acts))).order_by(ACTS.c.protocol_id, ACTS.c.number)
        ):
            acts[row.protocol_id].append(act_from(row))
        for case in cases:
            own = acts[case.id]
            for fault in faults((act.number, act.previous_hash, act.hash, act.content()) for act in own):
                yield f"{case.reference}: {fault}"
            last = own[-1].number if own else 0
            if last < case.version:
                yield f"{case.reference}: cut off: rows {last + 1} to {case.version} are missing"
            elif own and own[-1].hash != case.head_hash:
                yield f"{case.reference}: row {last} is not the row that the file ends with"
        after = cases[-1].id


def _anchors(connection: Connection, known_anchor: str | None) -> Iterator[str]:
    previous, found, expected = GENESIS, False, 1
    for row in connection.execute(select(ANCHORS).order_by(ANCHORS.c.id)):
        if row.previous_hash != previous:
            yield f"anchor {row.id} does not follow the one before: an anchor was changed or removed"
        if _digest(row.previous_hash, row.heads) != row.hash:
            yield f"anchor {row.id} was changed"
        yield from _heads(connection, row.id, row.heads)
        previous, expected = row.hash, expected + 1
        found = found or row.hash == known_anchor
    if known_anchor is not None and not found:
        yield f"the known anchor {known_anchor[:12]}… is not in the database: anchors were removed or changed"


def _heads(connection: Connection, anchor_id: int, heads: list[list[Any]]) -> Iterator[str]:
    """Anchored rows that are gone or another now."""
    for start in range(0, len(heads), _CASES_AT_ONCE):
        part = heads[start : start + _CASES_AT_ONCE]
        references = dict(
            connection.execute(
                select(PROTOCOLS.c.id, PROTOCOLS.c.reference).where(PROTOCOLS.c.id.in_([head[0] for head in part]))
            )
            .tuples()
            .all()
        )
        kept = {
            (row.protocol_id, row.number): row.hash
            for row in connection.execute(
                select(ACTS.c.protocol_id, ACTS.c.number, ACTS.c.hash).where(
                    ACTS.c.protocol_id.in_([head[0] for head in part])
                )
            )
        }
        for protocol_id, version, digest in part:
            name = references.get(protocol_id)
            if name is None:
                yield f"{protocol_id}: the whole file is missing; anchor {anchor_id} knows it"
            elif (protocol_id, version) not in kept:
                yield f"{name}: cut off: row {version} is missing; anchor {anchor_id} knows it"
            elif kept[protocol_id, version] != digest:
                yield f"{name}: row {version} is not the row that anchor {anchor_id} knows"
