"""The tables of notifications."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from services.runtime.database import Id, Json, Moment, Serial, runtime_tables

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
    # What the holders of the office may choose a stream for.
    Column("topic", String(120), nullable=False, server_default=""),
    # The place in the order in which people are told, given after the commit.
    Column("position", BigInteger),
    UniqueConstraint("office", "event_id", name="notifications_once_per_office_and_event"),
)
Index("notifications_by_position", NOTIFICATIONS.c.position, unique=True)
Index(
    "notifications_unplaced",
    NOTIFICATIONS.c.created_at,
    postgresql_where=text("position IS NULL"),
    sqlite_where=text("position IS NULL"),
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

WEBHOOKS = Table(
    "webhooks",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("office", String(100), nullable=False),
    # The office as an actor, without a person: it decides which events are sent.
    Column("owner", Json, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Json, nullable=False),
    # In the clear, since every delivery is signed with it.
    Column("secret", String(100), nullable=False),
    Column("state", String(20), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("last_success_at", Moment),
    Column("failing_since", Moment),
    Column("switched_off_at", Moment),
    Column("switched_off_because", Json),
    # A fingerprint of whoever set it up or last switched it on.
    Column("confirmed_by", String(64)),
    # A process works on it alone, as `holder`, until this moment; by the machine's own clock.
    Column("free_at", Moment, nullable=False),
    Column("holder", String(40)),
)
Index("webhooks_by_office", WEBHOOKS.c.office, WEBHOOKS.c.created_at, WEBHOOKS.c.id)
Index("webhooks_by_turn", WEBHOOKS.c.state, WEBHOOKS.c.free_at)

WEBHOOK_CURSORS = Table(
    "webhook_cursors",
    METADATA,
    Column("webhook_id", Id, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("producer", String(50), nullable=False),
    Column("position", BigInteger, nullable=False),
    PrimaryKeyConstraint("webhook_id", "producer"),
)

WEBHOOK_DELIVERIES = Table(
    "webhook_deliveries",
    METADATA,
    Column("sequence", Serial, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("webhook_id", Id, ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event_id", Id, nullable=False),
    Column("event", String(100), nullable=False),
    Column("subject_id", Id, nullable=False),
    # As it is sent, to the letter; thrown away once it has arrived.
    Column("body", Text),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("status", Integer),
    Column("cause", Json),
    Column("created_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("next_at", Moment),
    sqlite_autoincrement=True,
)
Index("webhook_deliveries_log", WEBHOOK_DELIVERIES.c.webhook_id, WEBHOOK_DELIVERIES.c.sequence)
Index(
    "webhook_deliveries_undone",
    WEBHOOK_DELIVERIES.c.webhook_id,
    WEBHOOK_DELIVERIES.c.subject_id,
    WEBHOOK_DELIVERIES.c.sequence,
    postgresql_where=text("state IN ('waiting', 'given_up')"),
    sqlite_where=text("state IN ('waiting', 'given_up')"),
)
Index(
    "webhook_deliveries_due",
    WEBHOOK_DELIVERIES.c.webhook_id,
    WEBHOOK_DELIVERIES.c.next_at,
    postgresql_where=text("state = 'waiting'"),
    sqlite_where=text("state = 'waiting'"),
)
Index("webhook_deliveries_by_age", WEBHOOK_DELIVERIES.c.state, WEBHOOK_DELIVERIES.c.created_at)

# What people are sent

NOTICES = Table(
    "notices",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("recipient", String(100), nullable=False),
    Column("event_id", Id, nullable=False),
    Column("notification_id", Id, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("stream", String(10), nullable=False),
    Column("created_at", Moment, nullable=False),
    # Who holds two offices that hear of an event is told once.
    UniqueConstraint("recipient", "event_id", name="notices_once_per_recipient_and_event"),
)
Index("notices_by_stream", NOTICES.c.recipient, NOTICES.c.stream, NOTICES.c.position)
Index("notices_by_age", NOTICES.c.created_at)

DIGESTS = Table(
    "digests",
    METADATA,
    Column("recipient", String(100), nullable=False),
    Column("stream", String(10), nullable=False),
    # The cursor: notices up to here went into a digest.
    Column("position", BigInteger, nullable=False),
    # When the first notice behind the cursor came; none means that nothing is behind it.
    Column("oldest_at", Moment),
    PrimaryKeyConstraint("recipient", "stream"),
)
Index(
    "digests_waiting",
    DIGESTS.c.stream,
    DIGESTS.c.oldest_at,
    postgresql_where=text("oldest_at IS NOT NULL"),
    sqlite_where=text("oldest_at IS NOT NULL"),
)

PREFERENCES = Table(
    "preferences",
    METADATA,
    Column("recipient", String(100), primary_key=True),
    Column("language", String(2)),
    Column("mail", Boolean, nullable=False),
    Column("elsewhere", String(200)),
    Column("streams", Json, nullable=False),
    Column("token", Id, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("recipient", String(100), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("occasion", String(10), nullable=False),
    Column("notices", Json, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment),
    Column("cause", String(50)),
    Column("created_at", Moment, nullable=False),
    Column("sent_at", Moment),
    Column("message_id", String(300)),
    # Keyed with the secret below.
    Column("address_hash", String(64)),
    # Whoever sends it, from claiming to settling.
    Column("holder", String(40)),
)
Index(
    "deliveries_due",
    DELIVERIES.c.channel,
    DELIVERIES.c.next_at,
    postgresql_where=text("next_at IS NOT NULL"),
    sqlite_where=text("next_at IS NOT NULL"),
)
Index(
    "deliveries_failed",
    DELIVERIES.c.created_at,
    postgresql_where=text("state = 'failed'"),
    sqlite_where=text("state = 'failed'"),
)
Index("deliveries_by_recipient", DELIVERIES.c.recipient, DELIVERIES.c.created_at.desc(), DELIVERIES.c.id)
Index("deliveries_newest", DELIVERIES.c.created_at.desc(), DELIVERIES.c.id)
Index("deliveries_by_state", DELIVERIES.c.state, DELIVERIES.c.created_at.desc(), DELIVERIES.c.id)
Index(
    "deliveries_with_address",
    DELIVERIES.c.created_at,
    postgresql_where=text("address_hash IS NOT NULL"),
    sqlite_where=text("address_hash IS NOT NULL"),
)
Index("deliveries_by_message", DELIVERIES.c.message_id)

SUPPRESSIONS = Table(
    "suppressions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("address_hash", String(64), nullable=False),
    Column("masked", String(300), nullable=False),
    Column("recipient", String(100), nullable=False),
    Column("cause", String(50), nullable=False),
    Column("since", Moment, nullable=False),
    # An address may bounce and be unsubscribed; taking one back leaves the other.
    UniqueConstraint("address_hash", "cause", name="suppressions_once_per_address_and_cause"),
)
Index("suppressions_newest", SUPPRESSIONS.c.since.desc(), SUPPRESSIONS.c.id)

ADDRESS_SECRETS = Table(
    "address_secrets",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("secret", LargeBinary, nullable=False),
)
