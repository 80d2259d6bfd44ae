"""The petition that proposed a protocol, and the days on which owners of clocks are reminded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id

revision = "0004"
down_revision = "0003"

_FIRST_OF_PETITION = sa.text("petition_id IS NOT NULL AND original_id IS NULL")


def upgrade() -> None:
    op.add_column("protocols", sa.Column("petition_id", Id))
    op.create_index(
        "protocols_of_petition",
        "protocols",
        ["petition_id"],
        unique=True,
        postgresql_where=_FIRST_OF_PETITION,
        sqlite_where=_FIRST_OF_PETITION,
    )
    op.add_column("clocks", sa.Column("remind_on", sa.Date))
    op.create_index("clocks_to_remind", "clocks", ["remind_on", "id"])
    # Clocks that run already are looked at on the next day, and then know their own.
    op.execute("UPDATE clocks SET remind_on = due_on WHERE state = 'running'")
