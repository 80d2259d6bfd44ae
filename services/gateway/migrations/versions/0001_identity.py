"""Users, memberships, delegations, sessions and failed sign-ins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Moment
from services.runtime.shape import create_first

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The first shape."""
    create_first(op)
    op.create_table(
        "users",
        sa.Column("id", Id, primary_key=True),
        sa.Column("username", sa.String(64), nullable=False, unique=True),
        sa.Column("full_name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(254)),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "memberships",
        sa.Column("id", Id, primary_key=True),
        sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("role", sa.String(50), nullable=False),
        sa.Column("municipality", sa.String(10)),
        sa.Column("authority", sa.String(10)),
        sa.Column("organisation_id", Id),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("memberships_by_user", "memberships", ["user_id"])
    op.create_table(
        "delegations",
        sa.Column("id", Id, primary_key=True),
        sa.Column("from_membership_id", Id, sa.ForeignKey("memberships.id"), nullable=False),
        sa.Column("to_user_id", Id, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_to", sa.Date, nullable=False),
        sa.Column("scope", sa.String(2000), nullable=False),
        sa.Column("basis", sa.String(1000), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("delegations_by_receiver", "delegations", ["to_user_id"])
    op.create_table(
        "sessions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("user_id", Id, sa.ForeignKey("users.id"), nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("key_sha256", sa.String(64)),
        sa.Column("salt", sa.LargeBinary),
        sa.UniqueConstraint("user_id", "key_sha256", name="sessions_by_key"),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_failed_at", Moment, nullable=False),
    )
    op.create_index("sign_in_attempts_by_time", "sign_in_attempts", ["last_failed_at"])


def downgrade() -> None:
    """Remove the gateway's own tables; the runtime's go with the database."""
    for table in ("sign_in_attempts", "sessions", "delegations", "memberships", "users"):
        op.drop_table(table)
