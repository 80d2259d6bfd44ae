"""What organisations offer, their documents, and the nightly open data."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json, Moment

revision = "0005"
down_revision = "0004"

_TO_CLEAR = sa.text("removed_at IS NOT NULL AND cleared_at IS NULL")


def upgrade() -> None:
    """Create their tables."""
    _create_expertise()
    _create_documents()
    op.create_table(
        "open_data_snapshots",
        sa.Column("made_on", sa.Date, primary_key=True),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("files", Json, nullable=False),
        sa.Column("holder", sa.String(36)),
        sa.Column("lease_until", Moment),
    )


def _create_expertise() -> None:
    op.create_table(
        "organisation_expertise",
        sa.Column("organisation_id", Id, primary_key=True),
        sa.Column("id", Id, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("provinces", Json, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sa.Column("changed_by", sa.String(200), nullable=False),
    )
    op.create_table(
        "organisation_expertise_marks",
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("value", sa.String(40), primary_key=True),
        sa.Column("organisation_id", Id, primary_key=True),
    )
    op.create_index("organisation_expertise_marks_by_organisation", "organisation_expertise_marks", ["organisation_id"])
    op.create_table(
        "organisation_expertise_records",
        sa.Column("organisation_id", Id, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
        sa.Column("offer", Json, nullable=False),
    )


def _create_documents() -> None:
    op.create_table(
        "organisation_documents",
        sa.Column("id", Id, primary_key=True),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("added_at", Moment, nullable=False),
        sa.Column("added_by", sa.String(200), nullable=False),
        sa.Column("removed_at", Moment),
        sa.Column("removed_by", sa.String(200)),
        sa.Column("cleared_at", Moment),
    )
    op.create_index("organisation_documents_by_organisation", "organisation_documents", ["organisation_id", "added_at"])
    op.create_index("organisation_documents_by_content", "organisation_documents", ["sha256"])
    op.create_index(
        "organisation_documents_to_clear",
        "organisation_documents",
        ["removed_at"],
        postgresql_where=_TO_CLEAR,
        sqlite_where=_TO_CLEAR,
    )
