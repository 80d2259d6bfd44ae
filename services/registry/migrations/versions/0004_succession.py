"""Corrections, succession, audits and the watch over statuses."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op
from dateutil.relativedelta import relativedelta

from services.runtime.database import Id, Json, Moment

revision = "0004"
down_revision = "0003"

_AUDIT_EVERY_YEARS = 2


def upgrade() -> None:
    _extend_organisations()
    _create_corrections()
    _create_successions()
    _create_audits()
    _watch_what_is_there()


def _extend_organisations() -> None:
    op.add_column("organisations", sa.Column("former", Json, nullable=False, server_default="[]"))
    op.add_column("organisations", sa.Column("successors", Json, nullable=False, server_default="[]"))
    for name in ("last_audit_on", "audit_due_on", "status_ends_on"):
        op.add_column("organisations", sa.Column(name, sa.Date))
    for name in ("audit_due_on", "status_ends_on"):
        known = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"organisations_by_{name}", "organisations", [name, "id"], postgresql_where=known, sqlite_where=known
        )
    op.create_table(
        "organisation_numbers",
        sa.Column("form", sa.String(30), primary_key=True),
        sa.Column("number_key", sa.String(8), primary_key=True),
        sa.Column("organisation_id", Id, nullable=False),
    )
    op.create_index("organisation_numbers_by_organisation", "organisation_numbers", ["organisation_id"])


def _create_corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", Id, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("proposed_at", Moment, nullable=False),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("proposals", Json, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
    )
    op.create_index("corrections_by_age", "corrections", ["proposed_at", "id"])
    op.create_index("corrections_by_state", "corrections", ["state", "proposed_at", "id"])
    op.create_index("corrections_by_organisation", "corrections", ["organisation_id", "proposed_at", "id"])


def _create_successions() -> None:
    op.create_table(
        "successions",
        sa.Column("id", Id, primary_key=True),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("effective_on", sa.Date, nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
        sa.Column("protocols_to", Id),
        sa.Column("continues", sa.Boolean, nullable=False),
        sa.Column("former_name", sa.String(300), nullable=False),
        sa.Column("former_registry_no", sa.String(50)),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
    )
    op.create_index("successions_by_organisation", "successions", ["organisation_id", "recorded_at"])
    op.create_table(
        "succession_heirs",
        sa.Column("succession_id", Id, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("organisation_id", Id, nullable=False),
    )
    op.create_index("succession_heirs_by_organisation", "succession_heirs", ["organisation_id"])


def _create_audits() -> None:
    op.create_table(
        "organisation_audits",
        sa.Column("id", Id, primary_key=True),
        sa.Column("organisation_id", Id, nullable=False),
        sa.Column("audited_on", sa.Date, nullable=False),
        sa.Column("report_no", sa.String(100)),
        sa.Column("outcome", sa.String(30), nullable=False),
        sa.Column("source", sa.String(300)),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("recorded_by", sa.String(200), nullable=False),
    )
    op.create_index(
        "organisation_audits_by_organisation", "organisation_audits", ["organisation_id", "audited_on", "id"]
    )
    op.create_table(
        "watch_claims",
        sa.Column("organisation_id", Id, primary_key=True),
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("due_on", sa.Date, primary_key=True),
        sa.Column("rung", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("claimed_at", Moment, nullable=False),
    )


def _watch_what_is_there() -> None:
    """Due dates of the statuses that hold today; a few hundred in the whole country.

    What begins later gets its dates when the day of its organisation turns.
    """
    today = sa.func.current_date()
    statuses = sa.table(
        "organisation_statuses",
        sa.column("organisation_id", Id),
        sa.column("kind"),
        sa.column("valid_from", sa.Date),
        sa.column("valid_to", sa.Date),
        sa.column("revoked_on", sa.Date),
        sa.column("superseded_at"),
    )
    organisations = sa.table(
        "organisations",
        sa.column("id", Id),
        sa.column("state"),
        sa.column("audit_due_on", sa.Date),
        sa.column("status_ends_on", sa.Date),
    )
    held = (
        sa.select(statuses)
        .join(organisations, organisations.c.id == statuses.c.organisation_id)
        .where(
            statuses.c.superseded_at.is_(None),
            statuses.c.revoked_on.is_(None),
            statuses.c.valid_from <= today,
            sa.or_(statuses.c.valid_to.is_(None), statuses.c.valid_to >= today),
            organisations.c.state != "dissolved",
        )
        .order_by(statuses.c.organisation_id, statuses.c.valid_from)
    )
    connection = op.get_bind()
    due: dict[str, dict[str, date | None]] = {}
    for row in connection.execute(held).all():
        values = due.setdefault(row.organisation_id, {"audit_due_on": None, "status_ends_on": None})
        values["status_ends_on"] = row.valid_to
        if row.kind == "public_benefit":
            values["audit_due_on"] = row.valid_from + relativedelta(years=_AUDIT_EVERY_YEARS)
    for organisation_id, values in due.items():
        connection.execute(sa.update(organisations).where(organisations.c.id == organisation_id).values(values))
