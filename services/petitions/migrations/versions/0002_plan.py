"""The strategic plan, its imports and reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.runtime.database import Id, Json, Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create their tables."""
    op.create_table(
        "plans",
        sa.Column("id", Id, primary_key=True),
        sa.Column("municipality", sa.String(10), nullable=False),
        sa.Column("first_year", sa.Integer, nullable=False),
        sa.Column("last_year", sa.Integer, nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("current", sa.Boolean, nullable=False),
        sa.Column("applied_at", Moment, nullable=False),
        sa.Column("applied_by", sa.String(200), nullable=False),
        sa.Column("import_id", Id, nullable=False),
    )
    op.create_index("plans_by_years", "plans", ["municipality", "first_year", "last_year"], unique=True)
    op.create_index(
        "plans_current",
        "plans",
        ["municipality"],
        unique=True,
        postgresql_where=sa.text("current"),
        sqlite_where=sa.text("current"),
    )
    op.create_table(
        "plan_items",
        sa.Column("id", Id, primary_key=True),
        sa.Column("plan_id", Id, nullable=False),
        sa.Column("level", sa.String(10), nullable=False),
        sa.Column("code", sa.String(30), nullable=False),
        sa.Column("parent", sa.String(30)),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("withdrawn_at", Moment),
    )
    op.create_index("plan_items_by_code", "plan_items", ["plan_id", "level", "code"], unique=True)
    op.create_table(
        "plan_figures",
        sa.Column("plan_id", Id, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("code", sa.String(30), nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("value", sa.String(40)),
        sa.Column("spent", sa.String(40)),
        sa.Column("done", sa.Boolean),
        sa.Column("import_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "kind", "code", "year"),
    )
    op.create_table(
        "plan_imports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("municipality", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("requested_at", Moment, nullable=False),
        sa.Column("requested_by", sa.String(200), nullable=False),
        sa.Column("found", Json, nullable=False),
    )
    op.create_index("plan_imports_by_age", "plan_imports", ["state", "requested_at"])
