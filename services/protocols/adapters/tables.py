"""Protocols' tables."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from services.runtime.casebook import case_tables
from services.runtime.database import Id, Json, Moment, runtime_tables

METADATA = MetaData()
RUNTIME = runtime_tables(METADATA)

PROTOCOLS = Table(
    "protocols",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("reference", String(30), nullable=False, unique=True),
    Column("kind", String(30), nullable=False),
    Column("municipality", String(10), nullable=False),
    Column("municipality_name", String(200), nullable=False),
    Column("municipality_kind", String(30), nullable=False),
    Column("authority", String(10), nullable=False),
    Column("authority_name", String(200), nullable=False),
    Column("organisation_id", Id, nullable=False),
    Column("organisation_name", String(300), nullable=False),
    Column("title", String(200), nullable=False),
    Column("subject", Text, nullable=False),
    Column("municipal_duty", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("term_months", Integer, nullable=False),
    Column("funder_deadline", Date),
    Column("zoning", Boolean, nullable=False),
    Column("contributions", Json, nullable=False),
    Column("text_version", Integer, nullable=False),
    Column("text_sha256", String(64), nullable=False),
    Column("approved_sha256", String(64)),
    Column("stage", String(40), nullable=False),
    Column("since", Moment, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("version", Integer, nullable=False),
    Column("head_hash", String(64), nullable=False),
    Column("procedure_version", Integer, nullable=False),
    Column("standing", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("successors", Json, nullable=False),
    Column("original_id", Id),
    Column("original_link", String(20)),
    # the petition that proposed it
    Column("petition_id", Id),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    # the newest version whose hash is in an anchor
    Column("anchored_version", Integer, nullable=False, server_default="0"),
    # the civil authority's own code once the file was sent there: drafts are none of its business
    Column("shared_authority", String(10)),
    # derived, so that lists and the work queue are one indexed query
    Column("turn", String(40)),
    Column("overdue_since", Date),
    Column("work_on", Date),
    Column("duty", String(40)),
    Column("duty_on", Date),
    Column("earlier_clocks", Integer, nullable=False, server_default="0"),
    Column("party_version", Integer, nullable=False, server_default="0"),
    Column("review", Json, nullable=False, server_default="{}"),
    # derived from it, for lists and the work queue
    Column("review_state", String(10)),
    Column("review_on", Date),
)
Index(
    "protocols_review_of_municipality",
    PROTOCOLS.c.municipality,
    PROTOCOLS.c.review_state,
    PROTOCOLS.c.created_at,
    PROTOCOLS.c.id,
)
Index("protocols_by_review", PROTOCOLS.c.review_state, PROTOCOLS.c.created_at, PROTOCOLS.c.id)
for _tenant in ("municipality", "shared_authority", "organisation_id"):
    Index(f"protocols_of_{_tenant}", PROTOCOLS.c[_tenant], PROTOCOLS.c.created_at, PROTOCOLS.c.id)
    Index(f"protocols_of_{_tenant}_at_stage", PROTOCOLS.c[_tenant], PROTOCOLS.c.stage, PROTOCOLS.c.created_at)
    Index(f"protocols_duty_of_{_tenant}", PROTOCOLS.c[_tenant], PROTOCOLS.c.duty, PROTOCOLS.c.duty_on)
    Index(f"protocols_work_of_{_tenant}", PROTOCOLS.c[_tenant], PROTOCOLS.c.turn, PROTOCOLS.c.work_on, PROTOCOLS.c.id)
Index(
    "protocols_of_petition",
    PROTOCOLS.c.petition_id,
    unique=True,
    postgresql_where=text("petition_id IS NOT NULL AND original_id IS NULL"),
    sqlite_where=text("petition_id IS NOT NULL AND original_id IS NULL"),
)
Index("protocols_by_age", PROTOCOLS.c.created_at, PROTOCOLS.c.id)
Index(
    "protocols_not_anchored",
    PROTOCOLS.c.id,
    postgresql_where=text("anchored_version < version"),
    sqlite_where=text("anchored_version < version"),
)
Index(
    "protocols_overdue",
    PROTOCOLS.c.overdue_since,
    postgresql_where=text("overdue_since IS NOT NULL"),
    sqlite_where=text("overdue_since IS NOT NULL"),
)

TEXTS = Table(
    "protocol_texts",
    METADATA,
    Column("protocol_id", Id, ForeignKey("protocols.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("written_at", Moment, nullable=False),
    PrimaryKeyConstraint("protocol_id", "version"),
)

CASE = case_tables(METADATA, "protocols", "protocol_id")
ACTS, CLOCKS, CLAIMS, COUNTERS, DAYS = CASE.acts, CASE.clocks, CASE.claims, CASE.counters, CASE.days
ANCHORS = CASE.anchors

PARTNERS = Table(
    "partners",
    METADATA,
    Column("organisation_id", Id, primary_key=True),
    Column("name", String(300), nullable=False),
    Column("form", String(40), nullable=False),
    Column("state", String(20), nullable=False),
    Column("standing", Json, nullable=False),
    Column("statuses", Json, nullable=False),
    Column("version", Integer, nullable=False),
)
"""The registry's organisations as told by its events."""

SUCCESSIONS = Table(
    "partner_successions",
    METADATA,
    Column("organisation_id", Id, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),
    Column("effective_on", Date, nullable=False),
    Column("heir_id", Id, nullable=False),
    Column("heir_name", String(300), nullable=False),
    Column("heir_version", Integer, nullable=False),
    Column("standing", Json, nullable=False),
)
"""Who gets an organisation's open protocols, by each succession that the registry told of it."""
