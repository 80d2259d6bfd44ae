"""Each event has its effect once, however often it is delivered."""

from __future__ import annotations

from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql, sqlite

from services.runtime.database import runtime_tables

INBOX = runtime_tables(MetaData()).inbox

# RETURNING, since psycopg's rowcount after DO NOTHING is -1, which is true.
_TAKE = {
    name: dialect.insert(INBOX).on_conflict_do_nothing().returning(INBOX.c.event_id)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


def first_time(connection: Connection, consumer: str, event_id: str) -> bool:
    """True when this consumer has not had this event; noted in the same transaction as the effect."""
    taken = connection.execute(_TAKE[connection.dialect.name], {"consumer": consumer, "event_id": event_id})
    return taken.one_or_none() is not None
