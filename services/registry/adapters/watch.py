"""Audits, and what falls due, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from services.registry.adapters.tables import AUDITS, ORGANISATIONS, WATCH_CLAIMS
from services.registry.domain.watch import Audit, AuditOutcome, WatchKind

_DUE = {
    WatchKind.AUDIT_DUE: ORGANISATIONS.c.audit_due_on,
    WatchKind.STATUS_ENDING: ORGANISATIONS.c.status_ends_on,
}


class AuditRows:
    """Audits in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, audit: Audit) -> None:
        """Keep a new one."""
        self._connection.execute(insert(AUDITS).values(vars(audit)))

    def page(self, organisation_id: str, page: int, size: int) -> tuple[list[Audit], int]:
        """One page of an organisation's audits, the newest first, and how many there are."""
        own = AUDITS.c.organisation_id == organisation_id
        total = self._connection.execute(select(func.count()).select_from(AUDITS).where(own)).scalar_one()
        rows = self._connection.execute(
            select(AUDITS)
            .where(own)
            .order_by(AUDITS.c.audited_on.desc(), AUDITS.c.id)
            .limit(size)
            .offset((page - 1) * size)
        ).mappings()
        return [Audit(**{**row, "outcome": AuditOutcome(row["outcome"])}) for row in rows], total


class WatchRows:
    """What falls due, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self, kind: WatchKind, *, before: date, province_code: str | None, page: int, size: int
    ) -> tuple[list[str], int]:
        """The ids of the organisations with a due date up to and with `before`, the nearest first, and how many."""
        due = _DUE[kind]
        where: list[ColumnElement[bool]] = [due <= before]
        if province_code is not None:
            where.append(ORGANISATIONS.c.province_code == province_code)
        total = self._connection.execute(select(func.count()).select_from(ORGANISATIONS).where(*where)).scalar_one()
        found = self._connection.execute(
            select(ORGANISATIONS.c.id)
            .where(*where)
            .order_by(due, ORGANISATIONS.c.id)
            .limit(size)
            .offset((page - 1) * size)
        ).scalars()
        return list(found), total

    def untold(self, kind: WatchKind, today: date, rungs: Sequence[int], limit: int) -> list[tuple[str, date]]:
        """(organisation, due date) of what has reached a rung that was not told yet, the nearest first."""
        due = _DUE[kind]
        reached = or_(*(and_(due <= today + timedelta(days=rung), ~_claimed(kind, due, rung)) for rung in rungs))
        rows = self._connection.execute(
            select(ORGANISATIONS.c.id, due)
            .where(due <= today + timedelta(days=max(rungs)), reached)
            .order_by(due, ORGANISATIONS.c.id)
            .limit(limit)
        )
        return [(row[0], row[1]) for row in rows]

    def claim(self, organisation_id: str, kind: WatchKind, due_on: date, rung: int, now: datetime) -> bool:
        """Whether this is the first to tell it; others wait here until the first has committed."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        row = {
            "organisation_id": organisation_id, "kind": kind, "due_on": due_on, "rung": rung, "claimed_at": now,
        }  # fmt: skip
        taken = self._connection.execute(
            dialect.insert(WATCH_CLAIMS).on_conflict_do_nothing().returning(WATCH_CLAIMS.c.rung), row
        )
        return taken.one_or_none() is not None


def _claimed(kind: WatchKind, due: Any, rung: int) -> ColumnElement[bool]:
    return (
        select(WATCH_CLAIMS.c.rung)
        .where(
            WATCH_CLAIMS.c.organisation_id == ORGANISATIONS.c.id,
            WATCH_CLAIMS.c.kind == kind,
            WATCH_CLAIMS.c.due_on == due,
            WATCH_CLAIMS.c.rung == rung,
        )
        .exists()
    )
