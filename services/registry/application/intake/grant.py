"""Statuses as rows state them, and as the domain records them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from services.kernel.events import Event
from services.registry.domain.intake.judgement import KnownStatus, Row
from services.registry.domain.organisation import Grant, Organisation
from services.registry.domain.status import Decision, Status
from services.registry.domain.vocabulary import StatusKind


def grant_row(organisation: Organisation, row: Row, *, today: date, now: datetime, by: str) -> Event:
    """Record the status that the row states. Raises Invalid, Refused."""
    new = {change.field: change.new for change in row.changes}
    before = organisation.history.current(row.status_id or "")
    record = {**(status_record(before) if before else {}), **new}
    grant = _grant_of(record, corrects=before.id if before else None)
    return organisation.grant(grant, row.status_id or "", today=today, now=now, by=by)


def _grant_of(record: Mapping[str, Any], corrects: str | None) -> Grant:
    return Grant(
        kind=StatusKind(record["kind"]),
        valid_from=day_of(record.get("valid_from")),
        valid_to=day_of(record.get("valid_to")),
        decision=act_of(record),
        source=record.get("source"),
        corrects=corrects,
    )


def act_of(record: Mapping[str, Any]) -> Decision:
    """The decision that a record states."""
    return Decision(
        record.get("decision_no"), day_of(record.get("decision_on")), record.get("gazette_no"),
        day_of(record.get("gazette_on")),
    )  # fmt: skip


def known_status(status: Status) -> KnownStatus:
    """A status as rows are compared with it."""
    return KnownStatus(status.id, status_record(status), status.revoked_on is not None)


def status_record(status: Status) -> dict[str, Any]:
    """A status as JSON-able values, without what is not recorded."""
    record = {
        "kind": str(status.kind),
        "decision_no": status.decision.decision_no,
        "decision_on": _iso(status.decision.decision_on),
        "gazette_no": status.decision.gazette_no,
        "gazette_on": _iso(status.decision.gazette_on),
        "valid_from": status.valid_from.isoformat(),
        "valid_to": _iso(status.valid_to),
        "source": status.source,
    }
    return {name: value for name, value in record.items() if value is not None}


def day_of(given: str | None) -> date | None:
    """The day of a record's value."""
    return date.fromisoformat(given) if given else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
