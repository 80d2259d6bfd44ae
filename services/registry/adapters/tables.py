"""The tables of the registry."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, text
from sqlalchemy.types import TypeEngine

from services.runtime.database import Id, Json, Moment, Serial, runtime_tables

METADATA = MetaData()
RUNTIME = runtime_tables(METADATA)


def _plain(length: int) -> TypeEngine[str]:
    """Text compared byte by byte in both databases, so that keys sort alike and ranges use the index."""
    return String(length, collation="C").with_variant(String(length, collation="BINARY"), "sqlite")


ORGANISATIONS = Table(
    "organisations",
    METADATA,
    # Its own number, since SQLite's full-text index points at rows by number.
    Column("row_no", Serial, primary_key=True, autoincrement=True),
    Column("id", Id, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("name", String(300), nullable=False),
    Column("form", String(30), nullable=False),
    Column("registry_no", String(50)),
    Column("province_code", String(2)),
    Column("district", String(100)),
    Column("founded_on", Date),
    Column("field", String(200)),
    Column("tax_no", String(10)),
    Column("email", String(254)),
    Column("phone", String(40)),
    Column("website", String(300)),
    Column("address", String(500)),
    Column("expertise", Json, nullable=False),
    Column("state", String(20), nullable=False),
    # Derived: how it is found, sorted and filtered.
    Column("number_key", String(8)),
    Column("folded", Text, nullable=False),
    Column("name_key", _plain(700), nullable=False),
    Column("standing_permission", String(20), nullable=False),
    Column("standing_until", Date),
)
Index(
    "organisations_by_number",
    ORGANISATIONS.c.form,
    ORGANISATIONS.c.number_key,
    unique=True,
    postgresql_where=text("number_key IS NOT NULL"),
    sqlite_where=text("number_key IS NOT NULL"),
)
Index("organisations_by_name", ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index("organisations_by_province", ORGANISATIONS.c.province_code, ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index("organisations_by_form", ORGANISATIONS.c.form, ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index("organisations_by_standing", ORGANISATIONS.c.standing_permission, ORGANISATIONS.c.name_key, ORGANISATIONS.c.id)
Index(
    "organisations_by_until",
    ORGANISATIONS.c.standing_until,
    postgresql_where=text("standing_until IS NOT NULL"),
    sqlite_where=text("standing_until IS NOT NULL"),
)

# What was recorded of an organisation when; a row for each version that changed its facts, never changed itself.
RECORDS = Table(
    "organisation_records",
    METADATA,
    Column("organisation_id", Id, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(200), nullable=False),
    Column("facts", Json, nullable=False),
)

# Revisions of statuses: rows are added; of an old one only `superseded_at` is ever written.
STATUSES = Table(
    "organisation_statuses",
    METADATA,
    Column("id", Id, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("organisation_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("revoked_on", Date),
    Column("recorded_at", Moment, nullable=False),
    Column("superseded_at", Moment),
    Column("decision_no", String(60)),
    Column("decision_on", Date),
    Column("gazette_no", String(60)),
    Column("gazette_on", Date),
    Column("revocation_no", String(60)),
    Column("revocation_decided_on", Date),
    Column("revocation_gazette_no", String(60)),
    Column("revocation_gazette_on", Date),
    Column("reason", String(500)),
    Column("source", String(300)),
    Column("recorded_by", String(200)),
)
Index("organisation_statuses_by_organisation", STATUSES.c.organisation_id, STATUSES.c.recorded_at)

# Every folded word that a name holds: where a mistyped word finds what was meant.
WORDS = Table(
    "organisation_words",
    METADATA,
    Column("word", _plain(40), primary_key=True),
    Column("reversed", _plain(40), nullable=False),
)
Index("organisation_words_by_end", WORDS.c.reversed)

MUNICIPALITIES = Table(
    "municipalities",
    METADATA,
    Column("code", String(10), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("name", String(200), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("province_code", String(2), nullable=False),
    Column("province", String(50), nullable=False),
    Column("district", String(100)),
    Column("authority_code", String(10), nullable=False),
    Column("authority_kind", String(20), nullable=False),
    Column("authority_name", String(200), nullable=False),
    Column("full_membership", Integer),
    Column("sittings", Json, nullable=False),
    Column("folded", Text, nullable=False),
    Column("name_key", _plain(500), nullable=False),
)
Index("municipalities_by_name", MUNICIPALITIES.c.name_key, MUNICIPALITIES.c.code)
Index("municipalities_by_province", MUNICIPALITIES.c.province_code, MUNICIPALITIES.c.name_key, MUNICIPALITIES.c.code)

CALENDAR_DAYS = Table(
    "calendar_days",
    METADATA,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("day_on", Date, nullable=False),
    Column("kind", String(30), nullable=False),
    Column("name", String(200), nullable=False),
    Column("source", String(500), nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("added_by", String(200), nullable=False),
    UniqueConstraint("day_on", "version", name="calendar_days_by_day"),
)
