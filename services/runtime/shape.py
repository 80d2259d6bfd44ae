"""The runtime's own tables as each revision of a service's database left them; never edited once released."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, PrimaryKeyConstraint, String, Table, text

from services.runtime.database import Id, Json, Moment, Serial


def create_first(operations: Any) -> None:
    """Outbox, inbox, replies, cursors and parked events, as of revision 0001."""
    metadata = MetaData()
    outbox = Table(
        "outbox",
        metadata,
        Column("id", Serial, primary_key=True, autoincrement=True),
        Column("position", BigInteger),
        Column("event_id", Id, nullable=False, unique=True),
        Column("name", String(100), nullable=False),
        Column("occurred_at", Moment, nullable=False),
        Column("subject_id", Id, nullable=False),
        Column("subject_version", Integer, nullable=False),
        Column("correlation_id", String(100)),
        Column("actor", Json),
        Column("data", Json, nullable=False),
        Column("municipality", String(10)),
        Column("authority", String(10)),
        Column("organisation_id", Id),
        Column("published_at", Moment),
        sqlite_autoincrement=True,
    )
    Index(
        "outbox_unpublished",
        outbox.c.id,
        postgresql_where=text("published_at IS NULL"),
        sqlite_where=text("published_at IS NULL"),
    )
    Index(
        "outbox_unplaced", outbox.c.id, postgresql_where=text("position IS NULL"), sqlite_where=text("position IS NULL")
    )
    Index("outbox_by_position", outbox.c.position, unique=True)
    Index("outbox_by_municipality", outbox.c.municipality, outbox.c.position)
    Index("outbox_by_authority", outbox.c.authority, outbox.c.position)
    Index("outbox_by_organisation", outbox.c.organisation_id, outbox.c.position)
    Table(
        "inbox",
        metadata,
        Column("consumer", String(150), nullable=False),
        Column("event_id", Id, nullable=False),
        PrimaryKeyConstraint("consumer", "event_id"),
    )
    replies = Table(
        "replies",
        metadata,
        Column("office", String(200), nullable=False),
        Column("key", String(200), nullable=False),
        Column("request_sha256", String(64), nullable=False),
        Column("answer", Json, nullable=False),
        Column("created_at", Moment, nullable=False),
        PrimaryKeyConstraint("office", "key"),
    )
    Index("replies_by_age", replies.c.created_at)
    Table(
        "cursors",
        metadata,
        Column("consumer", String(150), primary_key=True),
        Column("position", BigInteger, nullable=False),
    )
    parked = Table(
        "parked_events",
        metadata,
        Column("id", Serial, primary_key=True, autoincrement=True),
        Column("consumer", String(150), nullable=False),
        Column("event_id", Id, nullable=False),
        Column("envelope", Json, nullable=False),
        Column("cause", String(500), nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("retry_at", Moment),
        Column("parked_at", Moment, nullable=False),
    )
    Index("parked_events_once", parked.c.consumer, parked.c.event_id, unique=True)
    Index("parked_events_by_retry", parked.c.retry_at)
    metadata.create_all(operations.get_bind(), checkfirst=False)


def add_bulk_lane(operations: Any) -> None:
    """The outbox's second lane, as of revision 0002: events of a big import, which let others pass."""
    operations.add_column("outbox", sa.Column("bulk", sa.Boolean, nullable=False, server_default=sa.false()))
    operations.drop_index("outbox_unpublished", "outbox")
    waiting = sa.text("published_at IS NULL")
    operations.create_index(
        "outbox_unpublished", "outbox", ["bulk", "id"], postgresql_where=waiting, sqlite_where=waiting
    )
    operations.create_index("outbox_by_lane", "outbox", ["bulk", "id"])
