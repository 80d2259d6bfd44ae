"""Ways to what is old: notices, deliveries by state or with an address; who confirmed a webhook."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("webhooks", sa.Column("confirmed_by", sa.String(64)))
    op.create_index("notices_by_age", "notices", ["created_at"])
    op.create_index("deliveries_by_state", "deliveries", ["state", sa.text("created_at DESC"), "id"])
    condition = sa.text("address_hash IS NOT NULL")
    op.create_index(
        "deliveries_with_address", "deliveries", ["created_at"], postgresql_where=condition, sqlite_where=condition
    )
