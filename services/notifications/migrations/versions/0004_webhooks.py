"""Webhooks, how far each has read each producer's events, and what was sent to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json, Moment, Serial

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", Id, primary_key=True),
        sa.Column("office", sa.String(100), nullable=False),
        sa.Column("owner", Json, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("events", Json, nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("last_success_at", Moment),
        sa.Column("failing_since", Moment),
        sa.Column("switched_off_at", Moment),
        sa.Column("switched_off_because", Json),
        sa.Column("free_at", Moment, nullable=False),
        sa.Column("holder", sa.String(40)),
    )
    op.create_index("webhooks_by_office", "webhooks", ["office", "created_at", "id"])
    op.create_index("webhooks_by_turn", "webhooks", ["state", "free_at"])
    op.create_table(
        "webhook_cursors",
        sa.Column("webhook_id", Id, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("producer", sa.String(50), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", "producer"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("sequence", Serial, primary_key=True, autoincrement=True),
        sa.Column("id", Id, nullable=False, unique=True),
        sa.Column("webhook_id", Id, sa.ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
        sa.Column("event_id", Id, nullable=False),
        sa.Column("event", sa.String(100), nullable=False),
        sa.Column("subject_id", Id, nullable=False),
        sa.Column("body", sa.Text),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("cause", Json),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("tried_at", Moment),
        sa.Column("next_at", Moment),
        sqlite_autoincrement=True,
    )
    op.create_index("webhook_deliveries_log", "webhook_deliveries", ["webhook_id", "sequence"])
    undone = sa.text("state IN ('waiting', 'given_up')")
    op.create_index(
        "webhook_deliveries_undone",
        "webhook_deliveries",
        ["webhook_id", "subject_id", "sequence"],
        postgresql_where=undone,
        sqlite_where=undone,
    )
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "webhook_deliveries_due",
        "webhook_deliveries",
        ["webhook_id", "next_at"],
        postgresql_where=waiting,
        sqlite_where=waiting,
    )
    op.create_index("webhook_deliveries_by_age", "webhook_deliveries", ["state", "created_at"])


def downgrade() -> None:
    for table in ("webhook_deliveries", "webhook_cursors", "webhooks"):
        op.drop_table(table)
