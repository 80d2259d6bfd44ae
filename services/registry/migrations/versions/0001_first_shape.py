"""Organisations and their statuses, municipalities, the calendar's added days, and the runtime's own tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from services.runtime.database import Id, Json, Moment, Serial
from services.runtime.shape import create_first

revision = "0001"
down_revision = None


def _plain(length: int) -> TypeEngine[str]:
    return sa.String(length, collation="C").with_variant(sa.String(length, collation="BINARY"), "sqlite")


def upgrade() -> None:
    """Create everything."""
    create_first(op)
    _create_organisations()
    _create_records_and_statuses()
    _create_municipalities_and_days()
    _create_search()


def _create_organisations() -> None:
    op.create_table(
        "organisations",
        sa.Column("row_no", Serial, primary_key=True, autoincrement=True),
        sa.Column("id", Id, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("form", sa.String(30), nullable=False),
        sa.Column("registry_no", sa.String(50)),
        sa.Column("province_code", sa.String(2)),
        sa.Column("district", sa.String(100)),
        sa.Column("founded_on", sa.Date),
        sa.Column("field", sa.String(200)),
        sa.Column("tax_no", sa.String(10)),
        sa.Column("email", sa.String(254)),
        sa.Column("phone", sa.String(40)),
        sa.Column("website", sa.String(300)),
        sa.Column("address", sa.String(500)),
        sa.Column("expertise", Json, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("number_key", sa.String(8)),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("name_key", _plain(700), nullable=False),
        sa.Column("standing_permission", sa.String(20), nullable=False),
        sa.Column("standing_until", sa.Date),
    )
    op.create_index(
        "organisations_by_number",
        "organisations",
        ["form", "number_key"],
        unique=True,
        postgresql_where=sa.text("number_key IS NOT NULL"),
        sqlite_where=sa.text("number_key IS NOT NULL"),
    )
    op.create_index("organisations_by_name", "organisations", ["name_key", "id"])
    op.create_index("organisations_by_province", "organisations", ["province_code", "name_key", "id"])
    op.create_index("organisations_by_form", "organisations", ["form", "name_key", "id"])
    op.create_index("organisations_by_standing", "organisations", ["standing_permission", "name_key", "id"])
    op.create_index(
        "organisations_by_until",
        "organisations",
        ["standing_until"],
        postgresql_where=sa.text("standing_until IS NOT NULL"),
        sqlite_where=sa.text("standing_until IS NOT NULL"),
    )


def _create_records_and_statuses() -> None:
    op.create_table(
        "organisation_records",
        sa.Column("organisation_id", Id, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.Column("facts", Json, nullable=False),
    )
    op.create_table(
        "organisation_statuses",
        sa.Column("id", Id, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("revoked_on", sa.Date),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("superseded_at", Moment),
        sa.Column("decision_no", sa.String(60)),
        sa.Column("decision_on", sa.Date),
        sa.Column("gazette_no", sa.String(60)),
        sa.Column("gazette_on", sa.Date),
        sa.Column("revocation_no", sa.String(60)),
        sa.Column("revocation_decided_on", sa.Date),
        sa.Column("revocation_gazette_no", sa.String(60)),
        sa.Column("revocation_gazette_on", sa.Date),
        sa.Column("reason", sa.String(500)),
        sa.Column("source", sa.String(300)),
        sa.Column("recorded_by", sa.String(200)),
    )
    op.create_index(
        "organisation_statuses_by_organisation", "organisation_statuses", ["organisation_id", "recorded_at"]
    )


def _create_municipalities_and_days() -> None:
    op.create_table(
        "municipalities",
        sa.Column("code", sa.String(10), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("province_code", sa.String(2), nullable=False),
        sa.Column("province", sa.String(50), nullable=False),
        sa.Column("district", sa.String(100)),
        sa.Column("authority_code", sa.String(10), nullable=False),
        sa.Column("authority_kind", sa.String(20), nullable=False),
        sa.Column("authority_name", sa.String(200), nullable=False),
        sa.Column("full_membership", sa.Integer),
        sa.Column("sittings", Json, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("name_key", _plain(500), nullable=False),
    )
    op.create_index("municipalities_by_name", "municipalities", ["name_key", "code"])
    op.create_index("municipalities_by_province", "municipalities", ["province_code", "name_key", "code"])
    op.create_table(
        "calendar_days",
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day_on", sa.Date, nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("source", sa.String(500), nullable=False),
        sa.Column("added_at", Moment, nullable=False),
        sa.Column("added_by", sa.String(200), nullable=False),
        sa.UniqueConstraint("day_on", "version", name="calendar_days_by_day"),
    )


def _create_search() -> None:
    op.create_table(
        "organisation_words",
        sa.Column("word", _plain(40), primary_key=True),
        sa.Column("reversed", _plain(40), nullable=False),
    )
    op.create_index("organisation_words_by_end", "organisation_words", ["reversed"])
    if op.get_bind().dialect.name == "postgresql":
        # A trusted extension: the owner of the database may create it.
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute("CREATE INDEX organisations_by_trigram ON organisations USING gin (folded gin_trgm_ops)")
        return
    op.execute(
        "CREATE VIRTUAL TABLE organisation_search"
        " USING fts5(folded, content='organisations', content_rowid='row_no', tokenize='trigram')"
    )
    added = "INSERT INTO organisation_search (rowid, folded) VALUES (new.row_no, new.folded);"
    removed = (
        "INSERT INTO organisation_search (organisation_search, rowid, folded)"
        " VALUES ('delete', old.row_no, old.folded);"
    )
    for name, when, body in (
        ("added", "AFTER INSERT ON organisations", added),
        ("removed", "AFTER DELETE ON organisations", removed),
        ("renamed", "AFTER UPDATE OF folded ON organisations", removed + added),
    ):
        op.execute(f"CREATE TRIGGER organisation_search_{name} {when} BEGIN {body} END")
