"""Each event has its effect once, however often it is delivered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql, sqlite

from services.runtime.database import runtime_tables

INBOX = runtime_tables(MetaData()).inbox

# RETURNING, since psycopg's rowcount after DO NOTHING is -1, which is true.
_DIALECTS: dict[str, Any] = {"postgresql": postgresql, "sqlite": sqlite}
_TAKE = {
    name: dialect.insert(INBOX).on_conflict_do_nothing().returning(INBOX.c.event_id)
    for name, dialect in _DIALECTS.items()
}


def first_time(connection: Connection, consumer: str, event_id: str) -> bool:
    """True when this consumer has not had this event; noted in the same transaction as the effect."""
    taken = connection.execute(_TAKE[connection.dialect.name], {"consumer": consumer, "event_id": event_id})
    return taken.one_or_none() is not None


def first_times(connection: Connection, consumer: str, event_ids: Sequence[str]) -> set[str]:
    """Those of the events that this consumer has not had; noted in the same transaction as their effects."""
    if not event_ids:
        return set()
    dialect = _DIALECTS[connection.dialect.name]
    # In one order everywhere, so that two processes with the same events wait for each other and do not lock up.
    rows = [{"consumer": consumer, "event_id": event_id} for event_id in sorted(set(event_ids))]
    taken = dialect.insert(INBOX).values(rows).on_conflict_do_nothing().returning(INBOX.c.event_id)
    return set(connection.execute(taken).scalars())
