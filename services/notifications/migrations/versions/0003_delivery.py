"""People's notices, preferences, digests, deliveries and suppressed addresses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json, Moment

revision = "0003"
down_revision = "0002"


def _partly(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, postgresql_where=condition, sqlite_where=condition)


def upgrade() -> None:
    """Whatever offices were told until now is not sent to people afterwards: the cursor stands behind it."""
    op.add_column("notifications", sa.Column("topic", sa.String(120), nullable=False, server_default=""))
    op.add_column("notifications", sa.Column("position", sa.BigInteger))
    op.execute("UPDATE notifications SET topic = event")
    op.execute(
        "UPDATE notifications SET position = placed.rank FROM "
        "(SELECT id, row_number() OVER (ORDER BY created_at, id) AS rank FROM notifications) AS placed "
        "WHERE placed.id = notifications.id"
    )
    op.execute(
        "INSERT INTO cursors (consumer, position) "
        "SELECT 'notifications.notices', coalesce(max(position), 0) FROM notifications"
    )
    op.create_index("notifications_by_position", "notifications", ["position"], unique=True)
    _partly("notifications_unplaced", "notifications", ["created_at"], "position IS NULL")
    op.create_table(
        "notices",
        sa.Column("id", Id, primary_key=True),
        sa.Column("recipient", sa.String(100), nullable=False),
        sa.Column("event_id", Id, nullable=False),
        sa.Column("notification_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("stream", sa.String(10), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.UniqueConstraint("recipient", "event_id", name="notices_once_per_recipient_and_event"),
    )
    op.create_index("notices_by_stream", "notices", ["recipient", "stream", "position"])
    op.create_table(
        "digests",
        sa.Column("recipient", sa.String(100), nullable=False),
        sa.Column("stream", sa.String(10), nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("oldest_at", Moment),
        sa.PrimaryKeyConstraint("recipient", "stream"),
    )
    _partly("digests_waiting", "digests", ["stream", "oldest_at"], "oldest_at IS NOT NULL")
    op.create_table(
        "preferences",
        sa.Column("recipient", sa.String(100), primary_key=True),
        sa.Column("language", sa.String(2)),
        sa.Column("mail", sa.Boolean, nullable=False),
        sa.Column("elsewhere", sa.String(200)),
        sa.Column("streams", Json, nullable=False),
        sa.Column("token", Id, nullable=False, unique=True),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", Id, primary_key=True),
        sa.Column("recipient", sa.String(100), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("occasion", sa.String(10), nullable=False),
        sa.Column("notices", Json, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", Moment),
        sa.Column("cause", sa.String(50)),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("sent_at", Moment),
        sa.Column("message_id", sa.String(300)),
        sa.Column("address_hash", sa.String(64)),
        sa.Column("holder", sa.String(40)),
    )
    _partly("deliveries_due", "deliveries", ["channel", "next_at"], "next_at IS NOT NULL")
    _partly("deliveries_failed", "deliveries", ["created_at"], "state = 'failed'")
    op.create_index("deliveries_by_recipient", "deliveries", ["recipient", sa.text("created_at DESC"), "id"])
    op.create_index("deliveries_newest", "deliveries", [sa.text("created_at DESC"), "id"])
    op.create_index("deliveries_by_message", "deliveries", ["message_id"])
    op.create_table(
        "suppressions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("masked", sa.String(300), nullable=False),
        sa.Column("recipient", sa.String(100), nullable=False),
        sa.Column("cause", sa.String(50), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.UniqueConstraint("address_hash", "cause", name="suppressions_once_per_address_and_cause"),
    )
    op.create_index("suppressions_newest", "suppressions", [sa.text("since DESC"), "id"])
    op.create_table(
        "address_secrets",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
