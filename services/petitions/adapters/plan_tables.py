"""The tables of strategic plans."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, PrimaryKeyConstraint, String, Table, text

from services.runtime.database import Id, Json, Moment

CURRENT = "current"


@dataclass(frozen=True)
class PlanTables:
    """Plans, their lines, what was reported of them, and the files that said so."""

    plans: Table
    items: Table
    figures: Table
    imports: Table


def plan_tables(metadata: MetaData) -> PlanTables:
    """The tables, added to the service's metadata."""
    plans = Table(
        "plans",
        metadata,
        Column("id", Id, primary_key=True),
        Column("municipality", String(10), nullable=False),
        Column("first_year", Integer, nullable=False),
        Column("last_year", Integer, nullable=False),
        Column("title", String(500), nullable=False),
        # Counts on through all plans of a municipality, so that it can be an ETag.
        Column("version", Integer, nullable=False),
        Column(CURRENT, Boolean, nullable=False),
        Column("applied_at", Moment, nullable=False),
        Column("applied_by", String(200), nullable=False),
        Column("import_id", Id, nullable=False),
    )
    Index("plans_by_years", plans.c.municipality, plans.c.first_year, plans.c.last_year, unique=True)
    Index(
        "plans_current",
        plans.c.municipality,
        unique=True,
        postgresql_where=text("current"),
        sqlite_where=text("current"),
    )
    items = Table(
        "plan_items",
        metadata,
        Column("id", Id, primary_key=True),
        Column("plan_id", Id, nullable=False),
        Column("level", String(10), nullable=False),
        Column("code", String(30), nullable=False),
        Column("parent", String(30)),
        Column("place", Integer, nullable=False),
        Column("title", String(500), nullable=False),
        Column("facts", Json, nullable=False),
        # Only activities are withdrawn: proposals point at them. Other lines go when they leave the plan.
        Column("withdrawn_at", Moment),
    )
    Index("plan_items_by_code", items.c.plan_id, items.c.level, items.c.code, unique=True)
    figures = Table(
        "plan_figures",
        metadata,
        Column("plan_id", Id, nullable=False),
        Column("kind", String(10), nullable=False),
        Column("code", String(30), nullable=False),
        Column("year", Integer, nullable=False),
        Column("value", String(40)),
        Column("spent", String(40)),
        Column("done", Boolean),
        Column("import_id", Id, nullable=False),
        PrimaryKeyConstraint("plan_id", "kind", "code", "year"),
    )
    imports = Table(
        "plan_imports",
        metadata,
        Column("id", Id, primary_key=True),
        Column("municipality", String(10), nullable=False),
        Column("state", String(10), nullable=False),
        Column("requested_at", Moment, nullable=False),
        Column("requested_by", String(200), nullable=False),
        # Everything else that the answer says; never read by a rule.
        Column("found", Json, nullable=False),
    )
    Index("plan_imports_by_age", imports.c.state, imports.c.requested_at)
    return PlanTables(plans, items, figures, imports)
