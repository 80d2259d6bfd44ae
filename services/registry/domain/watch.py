"""What must be watched of a status: the next audit of a public-benefit association, and the day a status ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from dateutil.relativedelta import relativedelta

from services.kernel.errors import Invalid, Refused
from services.kernel.text import Sentence
from services.registry.domain.field import WrongField, past_date, plausible_date, text
from services.registry.domain.organisation import Organisation
from services.registry.domain.status import Status
from services.registry.domain.vocabulary import State, StatusKind

AUDIT_EVERY_YEARS = 2
"""5253/27: public-benefit associations are audited at least every two years."""

AUDIT_RUNGS = (0, -1)
"""Besides the warnings of the settings: an audit is told of on its day, and once when it is overdue."""

SOON_DAYS = 30
_ONE_DAY = timedelta(days=1)


class WatchKind(StrEnum):
    """What is watched."""

    AUDIT_DUE = "audit_due"
    STATUS_ENDING = "status_ending"


class AuditOutcome(StrEnum):
    """What an audit found; a proposal to withdraw the status changes nothing until it is decided."""

    CONTINUES = "continues"
    SHORTCOMINGS = "shortcomings"
    WITHDRAWAL_PROPOSED = "withdrawal_proposed"


ARTICLE = {StatusKind.PUBLIC_BENEFIT: "5253/27", StatusKind.TAX_EXEMPT: "4962/20"}
"""Under which article a status is granted, audited and lost."""


@dataclass(frozen=True)
class Audit:
    """One recorded audit of an organisation."""

    id: str
    organisation_id: str
    audited_on: date
    report_no: str | None
    outcome: AuditOutcome
    source: str | None
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True)
class Watched:
    """One thing that falls due: which status, when, and under which article."""

    kind: WatchKind
    status: Status
    due_on: date

    @property
    def article(self) -> str:
        """The article that asks for it."""
        return ARTICLE[self.status.kind]


def audit_of(
    audit_id: str,
    organisation: Organisation,
    *,
    audited_on: date,
    outcome: AuditOutcome,
    report_no: str | None,
    source: str | None,
    today: date,
    now: datetime,
    by: str,
) -> Audit:
    """An audit to record. Raises Invalid, and Refused when no public-benefit status held on its day."""
    wrong: list[tuple[str, Sentence]] = []
    read: dict[str, str | None] = {}
    for name, given, longest in (("report_no", report_no, 100), ("source", source, 300)):
        try:
            read[name] = text(longest)(given)
        except WrongField as error:
            wrong.append((name, error.sentence))
    try:
        plausible_date(past_date(audited_on, today))
    except WrongField as error:
        wrong.append(("audited_on", error.sentence))
    if wrong:
        raise Invalid.fields(wrong)
    if organisation.history.holding(StatusKind.PUBLIC_BENEFIT, audited_on) is None:
        message = Sentence(
            "No public-benefit status of {name} is recorded for {on}; only such associations are audited so.",
            name=organisation.facts.name,
            on=audited_on,
        )
        raise Refused(
            message, {"reasons": [{"code": "no_such_status", "article": "5253/27", "message": message.to_plain()}]}
        )
    return Audit(
        audit_id, organisation.id, audited_on, read["report_no"], AuditOutcome(outcome), read["source"], now, by
    )


def audit_due(organisation: Organisation, today: date) -> Watched | None:
    """The next audit: two years after the last one or, where none is recorded since, after the status began."""
    if organisation.facts.state is State.DISSOLVED:
        return None
    status = organisation.history.holding(StatusKind.PUBLIC_BENEFIT, today)
    if status is None:
        return None
    since = max(status.valid_from, organisation.last_audit_on or status.valid_from)
    return Watched(WatchKind.AUDIT_DUE, status, since + relativedelta(years=AUDIT_EVERY_YEARS))


def status_ending(organisation: Organisation, today: date) -> Watched | None:
    """The last day of the status that holds today, where one is known and no other of its kind follows at once."""
    if organisation.facts.state is State.DISSOLVED:
        return None
    found = [
        Watched(WatchKind.STATUS_ENDING, status, status.ends_on)
        for kind in StatusKind
        if (status := _last_in_row(organisation, kind, today)) is not None and status.ends_on is not None
    ]
    return min(found, key=lambda each: each.due_on, default=None)


def watched(organisation: Organisation, kind: WatchKind, today: date) -> Watched | None:
    """What is watched of this kind."""
    return audit_due(organisation, today) if kind is WatchKind.AUDIT_DUE else status_ending(organisation, today)


def reached(due_on: date, today: date, rungs: Sequence[int]) -> list[int]:
    """The rungs, in days before the due date, that are reached; the newest first."""
    return sorted(rung for rung in rungs if today >= due_on - timedelta(days=rung))


def urgency(due_on: date, today: date) -> str:
    """`overdue`, `today`, `soon` (within 30 days) or `later`."""
    days = (due_on - today).days
    if days <= 0:
        return "overdue" if days else "today"
    return "soon" if days <= SOON_DAYS else "later"


def _last_in_row(organisation: Organisation, kind: StatusKind, today: date) -> Status | None:
    """The status that holds today, or the last of those that follow it without a gap."""
    status = organisation.history.holding(kind, today)
    while status is not None and status.ends_on is not None:
        following = organisation.history.holding(kind, status.ends_on + _ONE_DAY)
        if following is None:
            return status
        status = following
    return status
