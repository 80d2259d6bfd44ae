"""Imports: what was sent in, what it would change, what it changed."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.get_bind()
