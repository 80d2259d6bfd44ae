"""A lane in the outbox for the events of a big import."""

from __future__ import annotations

from alembic import op

from services.runtime.shape import add_bulk_lane

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    add_bulk_lane(op)
