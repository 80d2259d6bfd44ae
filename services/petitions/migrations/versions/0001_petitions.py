"""Petitions with their acts, clocks and units, and the runtime's own tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json, Moment, Serial
from services.runtime.shape import add_bulk_lane, create_first

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    create_first(op)
    add_bulk_lane(op)
    op.create_table(
        "anchors",
        sa.Column("id", Serial, autoincrement=True, nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("heads", Json, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "calendar_days",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("on"),
    )
    op.create_table(
        "clock_claims",
        sa.Column("clock_id", Id, nullable=False),
        sa.Column("rung", sa.String(length=40), nullable=False),
        sa.Column("claimed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("clock_id", "rung"),
    )
    op.create_table(
        "petitions",
        sa.Column("id", Id, nullable=False),
        sa.Column("number", sa.String(length=30), nullable=False),
        sa.Column("tracking_code", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("municipality", sa.String(length=10), nullable=False),
        sa.Column("municipality_name", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("petitioner_type", sa.String(length=30), nullable=False),
        sa.Column("petitioner_name", sa.String(length=300), nullable=True),
        sa.Column("petitioner_address", sa.String(length=500), nullable=True),
        sa.Column("petitioner_email", sa.String(length=254), nullable=True),
        sa.Column("authorised_person", sa.String(length=200), nullable=True),
        sa.Column("mandate", sa.String(length=200), nullable=True),
        sa.Column("signature", sa.String(length=20), nullable=True),
        sa.Column("signature_seen", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("organisation_id", Id, nullable=True),
        sa.Column("organisation_name", sa.String(length=300), nullable=True),
        sa.Column("vouched", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("activity_id", Id, nullable=True),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("filed_on", sa.Date(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("counts_from", sa.Date(), nullable=False),
        sa.Column("registry_no", sa.String(length=100), nullable=True),
        sa.Column("unit_id", Id, nullable=True),
        sa.Column("unit_name", sa.String(length=200), nullable=True),
        sa.Column("key_sha256", sa.String(length=64), nullable=True),
        sa.Column("key_salt", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("awaits", sa.String(length=20), nullable=True),
        sa.Column("addressee", sa.String(length=200), nullable=True),
        sa.Column("repeats", Id, nullable=True),
        sa.Column("forwarded_from", Id, nullable=True),
        sa.Column("forwarded_to", Id, nullable=True),
        sa.Column("protocol_id", Id, nullable=True),
        sa.Column("protocol_reference", sa.String(length=30), nullable=True),
        sa.Column("protocol_stage", sa.String(length=40), nullable=True),
        sa.Column("protocol_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("draft_problem", Json, nullable=False),
        sa.Column("submitted_by", sa.String(length=64), nullable=True),
        sa.Column("public_title", sa.String(length=200), nullable=True),
        sa.Column("public_text", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("procedure_version", sa.Integer(), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("earlier_clocks", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("anchored_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("turn", sa.String(length=40), nullable=True),
        sa.Column("work_on", sa.Date(), nullable=True),
        sa.Column("duty", sa.String(length=40), nullable=True),
        sa.Column("duty_on", sa.Date(), nullable=True),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("due_kind", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("tracking_code"),
    )
    op.create_index("petitions_by_activity", "petitions", ["activity_id", "kind"], unique=False)
    op.create_index("petitions_by_age", "petitions", ["created_at", "id"], unique=False)
    for name, column, kept in (
        ("petitions_public", "municipality", "public_title"),
        ("petitions_of_account", "submitted_by", "submitted_by"),
    ):
        where = sa.text(f"{kept} IS NOT NULL")
        op.create_index(name, "petitions", [column, "created_at", "id"], postgresql_where=where, sqlite_where=where)
    op.create_index("petitions_by_protocol", "petitions", ["protocol_id"], unique=False)
    op.create_index("petitions_duty_of_municipality", "petitions", ["municipality", "duty", "duty_on"], unique=False)
    op.create_index(
        "petitions_not_anchored",
        "petitions",
        ["id"],
        unique=False,
        postgresql_where=sa.text("anchored_version < version"),
        sqlite_where=sa.text("anchored_version < version"),
    )
    op.create_index("petitions_of_municipality", "petitions", ["municipality", "created_at", "id"], unique=False)
    op.create_index(
        "petitions_of_municipality_at_stage", "petitions", ["municipality", "stage", "created_at", "id"], unique=False
    )
    op.create_index(
        "petitions_of_municipality_by_kind", "petitions", ["municipality", "kind", "created_at", "id"], unique=False
    )
    op.create_index("petitions_of_municipality_by_text", "petitions", ["municipality", "text_sha256"], unique=False)
    op.create_index(
        "petitions_of_municipality_by_unit", "petitions", ["municipality", "unit_id", "created_at", "id"], unique=False
    )
    op.create_index("petitions_of_organisation", "petitions", ["organisation_id", "created_at", "id"], unique=False)
    op.create_index(
        "petitions_overdue",
        "petitions",
        ["municipality", "overdue_since", "id"],
        unique=False,
        postgresql_where=sa.text("overdue_since IS NOT NULL"),
        sqlite_where=sa.text("overdue_since IS NOT NULL"),
    )
    op.create_index(
        "petitions_work_of_municipality", "petitions", ["municipality", "turn", "work_on", "id"], unique=False
    )
    op.create_index(
        "petitions_work_of_organisation", "petitions", ["organisation_id", "turn", "work_on", "id"], unique=False
    )
    op.create_table(
        "reference_counters",
        sa.Column("municipality", sa.String(length=10), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "year"),
    )
    op.create_table(
        "units",
        sa.Column("id", Id, nullable=False),
        sa.Column("municipality", sa.String(length=10), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("topics", Json, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("units_of_municipality", "units", ["municipality", "name_key"], unique=True)
    op.create_table(
        "acts",
        sa.Column("petition_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("move", sa.String(length=40), nullable=False),
        sa.Column("from_stage", sa.String(length=40), nullable=False),
        sa.Column("to_stage", sa.String(length=40), nullable=False),
        sa.Column("actor", Json, nullable=False),
        sa.Column("fields", Json, nullable=False),
        sa.Column("known", Json, nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("procedure_version", sa.Integer(), nullable=False),
        sa.Column("calendar_version", sa.String(length=80), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            ["petitions.id"],
        ),
        sa.PrimaryKeyConstraint("petition_id", "number"),
    )
    op.create_table(
        "clocks",
        sa.Column("id", Id, nullable=False),
        sa.Column("petition_id", Id, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("article", sa.String(length=60), nullable=False),
        sa.Column("whose", sa.String(length=40), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("effect", sa.String(length=300), nullable=False),
        sa.Column("on_expiry", sa.String(length=40), nullable=True),
        sa.Column("pauses", Json, nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("roll_over", sa.Boolean(), nullable=False),
        sa.Column("judicial_recess", sa.Boolean(), nullable=False),
        sa.Column("calendar_version", sa.String(length=80), nullable=False),
        sa.Column("stages", Json, nullable=False),
        sa.Column("remind_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["petition_id"],
            ["petitions.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("clocks_due", "clocks", ["state", "due_on", "id"], unique=False)
    op.create_index("clocks_of_petition", "clocks", ["petition_id", "place"], unique=False)
    op.create_index("clocks_to_remind", "clocks", ["remind_on", "id"], unique=False)
