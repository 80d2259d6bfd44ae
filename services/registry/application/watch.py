"""The watch over statuses: audits that are recorded, and what falls due, told once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from services.kernel.actor import SYSTEM, Actor
from services.kernel.errors import Forbidden
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.registry.application.correction import SEES_ALL, named
from services.registry.application.record import Work, registrar_only
from services.registry.domain import watch as rules
from services.registry.domain.events import OrganisationAuditDueV1, OrganisationStatusEndingV1
from services.registry.domain.organisation import Organisation
from services.registry.domain.watch import Audit, Watched, WatchKind

TOLD_AT_ONCE = 200


class Audits(Protocol):
    """Where audits are kept."""

    def add(self, audit: Audit) -> None:
        """Keep a new one."""


class Watchlist(Protocol):
    """Where what falls due is found, and what was told of it."""

    def untold(self, kind: WatchKind, today: date, rungs: Sequence[int], limit: int) -> Sequence[tuple[str, date]]:
        """(organisation, due date) of what has reached a rung that was not told yet, the nearest first."""

    def claim(self, organisation_id: str, kind: WatchKind, due_on: date, rung: int, now: datetime) -> bool:
        """Whether this is the first to tell it."""


class Recorded(NamedTuple):
    """An audit with the organisation as it is after it."""

    audit: Audit
    organisation: Organisation


def record_audit(
    work: Work,
    shelf: Audits,
    actor: Actor,
    organisation_id: str,
    given: Mapping[str, Any],
    expected_version: int | None,
) -> Recorded:
    """Record an audit of a public-benefit association. Raises Forbidden, NotFound, Conflict, Invalid, Refused."""
    registrar_only(actor)
    organisation = work.organisations.get(organisation_id, to_change=True)
    organisation.check_version(expected_version)
    audit = rules.audit_of(str(uuid.uuid4()), organisation, **given, today=work.today, now=work.now, by=actor.office)
    organisation.note_audit(audit.audited_on)
    work.organisations.save(organisation, today=work.today, now=work.now, by=actor.office)
    shelf.add(audit)
    return Recorded(audit, organisation)


def may_watch(actor: Actor) -> None:
    """Raises Forbidden for all but the registrar and the auditor."""
    if actor.role not in SEES_ALL:
        raise Forbidden(Sentence("Only the registrar and the auditor see what falls due in the registry."))


def tell_what_falls_due(work: Work, watchlist: Watchlist, kind: WatchKind, rungs: Sequence[int]) -> int:
    """Tell of every due date the newest rung that it has reached, each rung once for ever.

    After days of downtime one event tells the present state; the rungs that were passed are claimed in silence.
    Returns how many due dates were looked at, at most TOLD_AT_ONCE.
    """
    found = watchlist.untold(kind, work.today, rungs, TOLD_AT_ONCE)
    organisations = {each.id: each for each in work.organisations.many([key for key, _ in found])}
    for organisation_id, due_on in found:
        newest, *passed = rules.reached(due_on, work.today, rungs)
        first = watchlist.claim(organisation_id, kind, due_on, newest, work.now)
        for rung in passed:
            watchlist.claim(organisation_id, kind, due_on, rung, work.now)
        organisation = organisations[organisation_id]
        watched = rules.watched(organisation, kind, work.today)
        if first and watched is not None:
            work.announce(_told(organisation, watched, newest, work.today), actor=SYSTEM, now=work.now)
    return len(found)


def _told(organisation: Organisation, watched: Watched, rung: int, today: date) -> Event:
    if watched.kind is WatchKind.AUDIT_DUE:
        return OrganisationAuditDueV1(
            subject_id=organisation.id,
            subject_version=organisation.version,
            organisation=named(organisation),
            province_code=organisation.facts.province_code,
            due_on=watched.due_on,
            days_before=rung,
            urgency=rules.urgency(watched.due_on, today),
            last_audit_on=organisation.last_audit_on,
            status_id=watched.status.id,
            article=watched.article,
        )
    return OrganisationStatusEndingV1(
        subject_id=organisation.id,
        subject_version=organisation.version,
        organisation=named(organisation),
        province_code=organisation.facts.province_code,
        kind=watched.status.kind,
        ends_on=watched.due_on,
        days_before=rung,
        status_id=watched.status.id,
        article=watched.article,
    )
