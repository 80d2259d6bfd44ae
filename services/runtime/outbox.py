"""What happened, written in the same transaction as the change, and read in an order that skips nothing."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, MetaData, Row, and_, func, insert, or_, select, true, update

from services.kernel.actor import Actor
from services.kernel.errors import Unavailable
from services.kernel.events import Scope
from services.runtime import log
from services.runtime.bulk import insert_rows
from services.runtime.database import POSTED, Database, runtime_tables
from services.runtime.envelope import Envelope

OUTBOX = runtime_tables(MetaData()).outbox

_ADD = insert(OUTBOX)

SEES_ALL = ("auditor", "system")
_SEQUENCER_LOCK = 7_204_001  # any constant; one per database, taken by whoever gives positions
_PLACED_AT_ONCE = 1_000
_PLACING_ROUNDS = 20
_PLACING_SECONDS = 2.0


@dataclass(frozen=True)
class Message:
    """One event on its way out; `data` is JSON-able and names no person."""

    name: str
    subject_id: str
    subject_version: int
    data: dict[str, Any]
    occurred_at: datetime
    actor: Actor | None = None
    scope: Scope = field(default_factory=Scope)
    correlation_id: str | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


def post(connection: Connection, messages: Sequence[Message], *, bulk: bool = False) -> None:
    """Add the messages to this service's outbox, in the caller's transaction.

    `bulk`: events of a big import; all others pass them on the way out.

    The commit wakes the relay of this process; the relays of other replicas look every second.
    """
    if not messages:
        return
    rows = [
        {
            "event_id": message.id,
            "name": message.name,
            "occurred_at": message.occurred_at,
            "subject_id": message.subject_id,
            "subject_version": message.subject_version,
            "correlation_id": message.correlation_id or log.correlation_id(),
            "actor": _office_only(message.actor),
            "data": message.data,
            "municipality": message.scope.municipality,
            "authority": message.scope.authority,
            "organisation_id": message.scope.organisation_id,
            "bulk": bulk,
        }
        for message in messages
    ]
    if bulk:
        insert_rows(connection, OUTBOX, list(rows[0]), [tuple(row.values()) for row in rows])
    else:
        connection.execute(_ADD, rows)
    connection.info[POSTED] = True


def _office_only(actor: Actor | None) -> dict[str, str] | None:
    """Events say which office acted, never which person."""
    return None if actor is None else {"office": actor.office, "role": actor.role}


def place(database: Database, patience: float = _PLACING_SECONDS) -> int:
    """Give committed rows their place in the feed; returns how many, 0 also while another process does it.

    Positions follow commits: they are given after the commit, by one process at a time,
    so that no row ever appears behind a place that a reader has passed. Readers of the
    feed call this first, so that writers pay nothing for it. Raises Unavailable when the
    database is not free within `patience` seconds.
    """
    with database.write(patience) as connection:
        if connection.dialect.name == "postgresql":
            mine = connection.execute(select(func.pg_try_advisory_xact_lock(_SEQUENCER_LOCK))).scalar_one()
            if not mine:
                return 0
        waiting = (
            select(OUTBOX.c.id, func.row_number().over(order_by=OUTBOX.c.id).label("rank"))
            .where(OUTBOX.c.position.is_(None))
            .order_by(OUTBOX.c.id)
            .limit(_PLACED_AT_ONCE)
            .subquery()
        )
        last = select(func.coalesce(func.max(OUTBOX.c.position), 0)).scalar_subquery()
        placed = connection.execute(
            update(OUTBOX).where(OUTBOX.c.id == waiting.c.id).values(position=last + waiting.c.rank)
        )
        return placed.rowcount


def feed(connection: Connection, after: int, limit: int, actor: Actor) -> list[dict[str, Any]]:
    """Events behind position `after` that the actor's office may see, oldest first, at most `limit`."""
    rows = connection.execute(
        select(OUTBOX).where(OUTBOX.c.position > after, _visible_to(actor)).order_by(OUTBOX.c.position).limit(limit)
    )
    return [{"position": row.position, **envelope_of(row).to_plain()} for row in rows]


def read_feed(database: Database, after: int, limit: int, actor: Actor) -> list[dict[str, Any]]:
    """A service's answer to the feed: what was committed until now is given its place first."""
    _place_all(database)
    with database.read() as connection:
        return feed(connection, after, limit, actor)


def head(database: Database) -> int:
    """The last place in the feed, after what was committed until now was given its own; 0 when nothing happened yet.

    Whatever a reader was not shown before this place, asked for after this was known, is not for it to see.
    """
    with database.read() as connection:
        unplaced = connection.execute(select(OUTBOX.c.id).where(OUTBOX.c.position.is_(None)).limit(1)).one_or_none()
    if unplaced is not None:
        _place_all(database)
    with database.read() as connection:
        return int(connection.execute(select(func.coalesce(func.max(OUTBOX.c.position), 0))).scalar_one())


def _place_all(database: Database) -> None:
    with suppress(Unavailable):  # behind a long write, such as an import: what has its place is shown meanwhile
        for _ in range(_PLACING_ROUNDS):
            if place(database) < _PLACED_AT_ONCE:
                break


def _visible_to(actor: Actor) -> ColumnElement[bool]:
    if actor.role in SEES_ALL:
        return true()
    open_to_all = and_(
        OUTBOX.c.municipality.is_(None), OUTBOX.c.authority.is_(None), OUTBOX.c.organisation_id.is_(None)
    )
    for own, column in (
        (actor.municipality, OUTBOX.c.municipality),
        (actor.authority, OUTBOX.c.authority),
        (actor.organisation_id, OUTBOX.c.organisation_id),
    ):
        if own is not None:
            return or_(column == own, open_to_all)
    return open_to_all


def envelope_of(row: Row[Any]) -> Envelope:
    """The envelope of an outbox row."""
    return Envelope(
        id=row.event_id,
        name=row.name,
        occurred_at=row.occurred_at,
        subject_id=row.subject_id,
        subject_version=row.subject_version,
        correlation_id=row.correlation_id,
        actor=row.actor,
        data=row.data,
    )
