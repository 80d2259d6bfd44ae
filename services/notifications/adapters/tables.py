"""The tables of notifications."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, text

from services.runtime.database import Id, Json, Moment, runtime_tables

METADATA = MetaData()
RUNTIME = runtime_tables(METADATA)

NOTIFICATIONS = Table(
    "notifications",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("office", String(100), nullable=False),
    Column("event_id", Id, nullable=False),
    Column("event", String(100), nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("reference", Text, nullable=False),
    # The words are found when it is read: key of the template, and the values it needs.
    Column("template", String(150), nullable=False),
    Column("params", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("read_at", Moment),
    UniqueConstraint("office", "event_id", name="notifications_once_per_office_and_event"),
)
Index("notifications_newest", NOTIFICATIONS.c.office, NOTIFICATIONS.c.created_at.desc(), NOTIFICATIONS.c.id)
Index(
    "notifications_unread",
    NOTIFICATIONS.c.office,
    NOTIFICATIONS.c.created_at.desc(),
    NOTIFICATIONS.c.id,
    postgresql_where=text("read_at IS NULL"),
    sqlite_where=text("read_at IS NULL"),
)

CASES = Table(
    "cases",
    METADATA,
    Column("protocol_id", Id, primary_key=True),
    Column("reference", String(50), nullable=False),
    Column("title", Text, nullable=False),
    Column("municipality", String(10), nullable=False),
    Column("authority", String(10)),
    Column("organisation_id", Id, nullable=False),
    Column("organisation_name", Text, nullable=False),
    Column("stage", String(50), nullable=False),
    Column("version", Integer, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
)
Index("cases_by_organisation", CASES.c.organisation_id)

NEWS = Table(
    "organisation_news",
    METADATA,
    Column("event_id", Id, primary_key=True),
    Column("event", String(100), nullable=False),
    Column("occurred_at", Moment, nullable=False),
    Column("organisation_id", Id, nullable=False),
    Column("subject_id", Id, nullable=False),
    Column("subject_version", Integer, nullable=False),
    Column("actor_office", String(200)),
    Column("data", Json, nullable=False),
)
Index("organisation_news_by_time", NEWS.c.organisation_id, NEWS.c.occurred_at)
