"""Notifications, the cases known from events, organisations' news, and the runtime's own tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json, Moment
from services.runtime.shape import create_first

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create everything."""
    create_first(op)
    op.create_table(
        "notifications",
        sa.Column("id", Id, primary_key=True),
        sa.Column("office", sa.String(100), nullable=False),
        sa.Column("event_id", Id, nullable=False),
        sa.Column("event", sa.String(100), nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("template", sa.String(150), nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("read_at", Moment),
        sa.UniqueConstraint("office", "event_id", name="notifications_once_per_office_and_event"),
    )
    newest_first: list[str | sa.TextClause] = ["office", sa.text("created_at DESC"), "id"]
    op.create_index("notifications_newest", "notifications", newest_first)
    op.create_index(
        "notifications_unread",
        "notifications",
        newest_first,
        postgresql_where=sa.text("read_at IS NULL"),
        sqlite_where=sa.text("read_at IS NULL"),
    )
    op.create_table(
        "cases",
        sa.Column("protocol_id", Id, primary_key=True),
        sa.Column("reference", sa.String(50), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("municipality", sa.String(10), nullable=False),
        sa.Column("authority", sa.String(10)),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("organisation_name", sa.Text, nullable=False),
        sa.Column("stage", sa.String(50), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("first_at", Moment, nullable=False),
        sa.Column("last_at", Moment, nullable=False),
    )
    op.create_index("cases_by_organisation", "cases", ["organisation_id"])
    op.create_table(
        "organisation_news",
        sa.Column("event_id", Id, primary_key=True),
        sa.Column("event", sa.String(100), nullable=False),
        sa.Column("occurred_at", Moment, nullable=False),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("subject_version", sa.Integer, nullable=False),
        sa.Column("actor_office", sa.String(200)),
        sa.Column("data", Json, nullable=False),
    )
    op.create_index("organisation_news_by_time", "organisation_news", ["organisation_id", "occurred_at"])


def downgrade() -> None:
    """Drop what is ours; the runtime's tables stay, they may hold events on their way."""
    for table in ("organisation_news", "cases", "notifications"):
        op.drop_table(table)
