"""The gateway's own tables: people, offices, delegations and sign-ins."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from services.runtime.database import Id, Moment, runtime_tables

METADATA = MetaData()
RUNTIME = runtime_tables(METADATA)

USERS = Table(
    "users",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    Column("full_name", String(200), nullable=False),
    Column("email", String(254)),
    Column("password_hash", String(200), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("version", Integer, nullable=False),
)

MEMBERSHIPS = Table(
    "memberships",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("role", String(50), nullable=False),
    Column("municipality", String(10)),
    Column("authority", String(10)),
    Column("organisation_id", Id),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("version", Integer, nullable=False),
)
Index("memberships_by_user", MEMBERSHIPS.c.user_id)

DELEGATIONS = Table(
    "delegations",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("from_membership_id", Id, ForeignKey("memberships.id"), nullable=False),
    Column("to_user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=False),
    Column("scope", String(2000), nullable=False),
    Column("basis", String(1000), nullable=False),
    Column("version", Integer, nullable=False),
)
Index("delegations_by_receiver", DELEGATIONS.c.to_user_id)

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("user_id", Id, ForeignKey("users.id"), nullable=False),
    Column("token_sha256", String(64), nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ended_at", Moment),
    # Only for a sign-in that came with an Idempotency-Key; its token is derived with this salt.
    Column("key_sha256", String(64)),
    Column("salt", LargeBinary),
    UniqueConstraint("user_id", "key_sha256", name="sessions_by_key"),
)

ATTEMPTS = Table(
    "sign_in_attempts",
    METADATA,
    Column("subject", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_failed_at", Moment, nullable=False),
)
Index("sign_in_attempts_by_time", ATTEMPTS.c.last_failed_at)
