"""What organisations offer, their documents, and the nightly open data."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.get_bind()
