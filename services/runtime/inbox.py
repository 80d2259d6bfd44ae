"""Each event has its effect once, however often it is delivered."""

from __future__ import annotations

from sqlalchemy import Connection, MetaData
from sqlalchemy.dialects import postgresql, sqlite

from services.runtime.database import runtime_tables

INBOX = runtime_tables(MetaData()).inbox


def first_time(connection: Connection, consumer: str, event_id: str) -> bool:
    """True when this consumer has not had this event; noted in the same transaction as the effect."""
    # RETURNING, since psycopg's rowcount after DO NOTHING is -1, which is true.
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(INBOX).values(consumer=consumer, event_id=event_id).on_conflict_do_nothing()
    return connection.execute(statement.returning(INBOX.c.event_id)).one_or_none() is not None
