"""Flags for legal review, and partners that follow a succession."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("protocols", sa.Column("party_version", sa.Integer, nullable=False, server_default="0"))
    op.add_column("protocols", sa.Column("review", Json, nullable=False, server_default="{}"))
    op.add_column("protocols", sa.Column("review_state", sa.String(10)))
    op.add_column("protocols", sa.Column("review_on", sa.Date))
    newest = ["review_state", "created_at", "id"]
    op.create_index("protocols_review_of_municipality", "protocols", ["municipality", *newest])
    op.create_index("protocols_by_review", "protocols", newest)
    op.create_table(
        "partner_successions",
        sa.Column("organisation_id", Id, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("effective_on", sa.Date, nullable=False),
        sa.Column("heir_id", Id, nullable=False),
        sa.Column("heir_name", sa.String(300), nullable=False),
        sa.Column("heir_version", sa.Integer, nullable=False),
        sa.Column("standing", Json, nullable=False),
    )
