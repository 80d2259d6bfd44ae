"""Files that belong to a petition."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Moment

revision = "0003"
down_revision = "0002"

_TO_CLEAR = sa.text("removed_at IS NOT NULL AND cleared_at IS NULL")


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "petition_attachments",
        sa.Column("id", Id, primary_key=True),
        sa.Column("petition_id", Id, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
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
    op.create_index("petition_attachments_by_petition", "petition_attachments", ["petition_id", "added_at"])
    op.create_index("petition_attachments_by_content", "petition_attachments", ["sha256"])
    op.create_index(
        "petition_attachments_to_clear",
        "petition_attachments",
        ["removed_at"],
        postgresql_where=_TO_CLEAR,
        sqlite_where=_TO_CLEAR,
    )
