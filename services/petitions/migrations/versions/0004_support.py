"""Signatures under petitions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Moment

revision = "0004"
down_revision = "0003"

_WITH_ADDRESS = sa.text("email IS NOT NULL")


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "petition_supports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("petition_id", Id, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("mail_hash", sa.String(64)),
        sa.Column("account_hash", sa.String(64)),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("email", sa.String(254)),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("asks", sa.Integer, nullable=False),
        sa.Column("confirmed_at", Moment),
    )
    once = ("mail", "account")
    for by in once:
        op.create_index(
            f"petition_supports_once_by_{by}", "petition_supports", ["petition_id", f"{by}_hash"], unique=True
        )
    op.create_index("petition_supports_by_state", "petition_supports", ["petition_id", "state"])
    op.create_index(
        "petition_supports_to_clear",
        "petition_supports",
        ["asked_at"],
        postgresql_where=_WITH_ADDRESS,
        sqlite_where=_WITH_ADDRESS,
    )
    op.create_table(
        "support_secrets",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("secret", sa.LargeBinary, nullable=False),
    )
