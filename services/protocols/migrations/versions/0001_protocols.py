"""Protocols, their texts, acts, clocks and anchors, and the runtime's own tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json, Moment, Serial
from services.runtime.shape import create_first

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    create_first(op)
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
        "partners",
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("form", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("standing", Json, nullable=False),
        sa.Column("statuses", Json, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id"),
    )
    op.create_table(
        "protocols",
        sa.Column("id", Id, nullable=False),
        sa.Column("reference", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("municipality", sa.String(length=10), nullable=False),
        sa.Column("municipality_name", sa.String(length=200), nullable=False),
        sa.Column("municipality_kind", sa.String(length=30), nullable=False),
        sa.Column("authority", sa.String(length=10), nullable=False),
        sa.Column("authority_name", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("organisation_name", sa.String(length=300), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("municipal_duty", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("term_months", sa.Integer(), nullable=False),
        sa.Column("funder_deadline", sa.Date(), nullable=True),
        sa.Column("zoning", sa.Boolean(), nullable=False),
        sa.Column("contributions", Json, nullable=False),
        sa.Column("text_version", sa.Integer(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("approved_sha256", sa.String(length=64), nullable=True),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.String(length=64), nullable=False),
        sa.Column("procedure_version", sa.Integer(), nullable=False),
        sa.Column("standing", Json, nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("successors", Json, nullable=False),
        sa.Column("original_id", Id, nullable=True),
        sa.Column("original_link", sa.String(length=20), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("anchored_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("shared_authority", sa.String(length=10), nullable=True),
        sa.Column("turn", sa.String(length=40), nullable=True),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("work_on", sa.Date(), nullable=True),
        sa.Column("duty", sa.String(length=40), nullable=True),
        sa.Column("duty_on", sa.Date(), nullable=True),
        sa.Column("earlier_clocks", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
    )
    op.create_index("protocols_by_age", "protocols", ["created_at", "id"], unique=False)
    op.create_index("protocols_duty_of_municipality", "protocols", ["municipality", "duty", "duty_on"], unique=False)
    op.create_index(
        "protocols_duty_of_organisation_id", "protocols", ["organisation_id", "duty", "duty_on"], unique=False
    )
    op.create_index(
        "protocols_duty_of_shared_authority", "protocols", ["shared_authority", "duty", "duty_on"], unique=False
    )
    op.create_index(
        "protocols_not_anchored",
        "protocols",
        ["id"],
        unique=False,
        postgresql_where=sa.text("anchored_version < version"),
        sqlite_where=sa.text("anchored_version < version"),
    )
    op.create_index("protocols_of_municipality", "protocols", ["municipality", "created_at", "id"], unique=False)
    op.create_index(
        "protocols_of_municipality_at_stage", "protocols", ["municipality", "stage", "created_at"], unique=False
    )
    op.create_index("protocols_of_organisation_id", "protocols", ["organisation_id", "created_at", "id"], unique=False)
    op.create_index(
        "protocols_of_organisation_id_at_stage", "protocols", ["organisation_id", "stage", "created_at"], unique=False
    )
    op.create_index(
        "protocols_of_shared_authority", "protocols", ["shared_authority", "created_at", "id"], unique=False
    )
    op.create_index(
        "protocols_of_shared_authority_at_stage", "protocols", ["shared_authority", "stage", "created_at"], unique=False
    )
    op.create_index(
        "protocols_overdue",
        "protocols",
        ["overdue_since"],
        unique=False,
        postgresql_where=sa.text("overdue_since IS NOT NULL"),
        sqlite_where=sa.text("overdue_since IS NOT NULL"),
    )
    op.create_index(
        "protocols_work_of_municipality", "protocols", ["municipality", "turn", "work_on", "id"], unique=False
    )
    op.create_index(
        "protocols_work_of_organisation_id", "protocols", ["organisation_id", "turn", "work_on", "id"], unique=False
    )
    op.create_index(
        "protocols_work_of_shared_authority", "protocols", ["shared_authority", "turn", "work_on", "id"], unique=False
    )
    op.create_table(
        "reference_counters",
        sa.Column("municipality", sa.String(length=10), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("municipality", "year"),
    )
    op.create_table(
        "acts",
        sa.Column("protocol_id", Id, nullable=False),
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
            ["protocol_id"],
            ["protocols.id"],
        ),
        sa.PrimaryKeyConstraint("protocol_id", "number"),
    )
    op.create_table(
        "clocks",
        sa.Column("id", Id, nullable=False),
        sa.Column("protocol_id", Id, nullable=False),
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
        sa.ForeignKeyConstraint(
            ["protocol_id"],
            ["protocols.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("clocks_due", "clocks", ["state", "due_on", "id"], unique=False)
    op.create_index("clocks_of_protocol", "clocks", ["protocol_id", "place"], unique=False)
    op.create_table(
        "protocol_texts",
        sa.Column("protocol_id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("written_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["protocol_id"],
            ["protocols.id"],
        ),
        sa.PrimaryKeyConstraint("protocol_id", "version"),
    )
