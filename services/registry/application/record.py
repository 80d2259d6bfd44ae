"""What the registry does: one function for each command, one for each question about the law."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from services.kernel.actor import Actor
from services.kernel.calendar import AddedKind, today_in_istanbul
from services.kernel.errors import Forbidden, Refused
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.registry.domain.calendar import CalendarDay, add_day
from services.registry.domain.municipality import Municipality
from services.registry.domain.organisation import Grant, Organisation, Revocation, check_version
from services.registry.domain.standing import Standing
from services.registry.domain.vocabulary import Form

REFRESHED_AT_ONCE = 200


class Organisations(Protocol):
    """Where organisations are kept."""

    def get(self, organisation_id: str, *, to_change: bool = False, known_at: datetime | None = None) -> Organisation:
        """The organisation, held for the transaction if it is to be changed; as known at a moment. Raises NotFound."""

    def many(self, keys: Sequence[str]) -> Sequence[Organisation]:
        """The organisations in the order of their keys; unknown keys are left out."""

    def numbered(self, form: Form, number_key: str) -> str | None:
        """The id of the organisation of this form with this registry number, now or formerly."""

    def add(self, organisation: Organisation, *, today: date, now: datetime, by: str) -> None:
        """Keep a new organisation."""

    def save(self, organisation: Organisation, *, today: date, now: datetime, by: str) -> None:
        """Keep what changed."""

    def outdated(self, today: date, limit: int) -> Sequence[Organisation]:
        """Organisations, held for the transaction, whose standing was only known until before `today`."""


class Municipalities(Protocol):
    """Where municipalities are kept."""

    def get(self, code: str, *, to_change: bool = False) -> Municipality:
        """The municipality, held for the transaction if it is to be changed. Raises NotFound."""

    def save(self, municipality: Municipality) -> None:
        """Keep what changed."""


class CalendarDays(Protocol):
    """Where the added days are kept."""

    def entries(self, *, to_change: bool = False) -> Sequence[CalendarDay]:
        """All entries; if the calendar is to be changed nobody else changes it until the transaction ends."""

    def add(self, entry: CalendarDay) -> None:
        """Keep a new entry."""


class Announce(Protocol):
    """How others are told, in the same transaction."""

    def __call__(self, event: Event, *, actor: Actor, now: datetime) -> None:
        """Tell it."""


@dataclass(frozen=True)
class Work:
    """One transaction at one moment."""

    organisations: Organisations
    municipalities: Municipalities
    calendar: CalendarDays
    announce: Announce
    now: datetime

    @property
    def today(self) -> date:
        """The date in Türkiye."""
        return today_in_istanbul(self.now)


def register_organisation(work: Work, actor: Actor, given: Mapping[str, Any]) -> Organisation:
    """Add an organisation. Raises Invalid, Forbidden, and Refused for a registry number that is taken."""
    registrar_only(actor)
    organisation, event = Organisation.register(str(uuid.uuid4()), given, work.today)
    refuse_taken_number(work, organisation)
    work.organisations.add(organisation, today=work.today, now=work.now, by=actor.office)
    work.announce(event, actor=actor, now=work.now)
    return organisation


def update_organisation(
    work: Work, actor: Actor, organisation_id: str, changes: Mapping[str, Any], expected_version: int | None
) -> Organisation:
    """Change what is recorded. Raises Invalid, Forbidden, NotFound, Conflict, Refused."""
    registrar_only(actor)
    organisation = work.organisations.get(organisation_id, to_change=True)
    organisation.check_version(expected_version)
    event = organisation.update(changes, work.today)
    if event is not None:
        refuse_taken_number(work, organisation)
        save(work, actor, organisation, event)
    return organisation


def grant_status(
    work: Work, actor: Actor, organisation_id: str, grant: Grant, expected_version: int | None
) -> Organisation:
    """Record a status, or correct the record of one. Raises Invalid, Forbidden, NotFound, Conflict, Refused."""
    registrar_only(actor)
    organisation = work.organisations.get(organisation_id, to_change=True)
    organisation.check_version(expected_version)
    event = organisation.grant(grant, str(uuid.uuid4()), today=work.today, now=work.now, by=actor.office)
    save(work, actor, organisation, event)
    return organisation


def revoke_status(
    work: Work,
    actor: Actor,
    organisation_id: str,
    *,
    status_id: str,
    revocation: Revocation,
    expected_version: int | None,
) -> Organisation:
    """Record the end of a status by decision. Raises Invalid, Forbidden, NotFound, Conflict, Refused."""
    registrar_only(actor)
    organisation = work.organisations.get(organisation_id, to_change=True)
    organisation.check_version(expected_version)
    event = organisation.revoke(status_id, revocation, today=work.today, now=work.now, by=actor.office)
    save(work, actor, organisation, event)
    return organisation


def refresh_standings(work: Work, actor: Actor) -> int:
    """Tell everyone the standings that changed because a day passed; returns how many, at most REFRESHED_AT_ONCE."""
    outdated = work.organisations.outdated(work.today, REFRESHED_AT_ONCE)
    for organisation in outdated:
        save(work, actor, organisation, organisation.turn_day(work.today))
    return len(outdated)


def update_municipality(
    work: Work, actor: Actor, code: str, changes: Mapping[str, Any], expected_version: int | None
) -> Municipality:
    """Change the council (its own registry clerk) or the civil authority (administrator).

    Raises Invalid, Forbidden, NotFound, Conflict.
    """
    municipality = work.municipalities.get(code, to_change=True)
    if "council" in changes and not (actor.role == "registry_clerk" and actor.municipality == code):
        raise Forbidden(
            Sentence("Only the registry clerk of {name} may change its council and sittings.", name=municipality.name)
        )
    if "civil_authority" in changes and actor.role != "administrator":
        raise Forbidden(Sentence("Only an administrator may change the civil authority of a municipality."))
    if not changes and actor.role != "administrator" and actor.municipality != code:
        raise Forbidden(Sentence("Only the municipality itself and an administrator may change this."))
    whole_delegation(actor)
    check_version(municipality.version, expected_version)
    event = None
    if "council" in changes:
        event = municipality.update_council(changes["council"])
    elif "civil_authority" in changes:
        event = municipality.update_authority(changes["civil_authority"])
    if event is not None:
        work.municipalities.save(municipality)
        work.announce(event, actor=actor, now=work.now)
    return municipality


def add_calendar_day(work: Work, actor: Actor, *, on: date, kind: AddedKind, name: str, source: str) -> CalendarDay:
    """Add a day to the calendar, for everyone. Raises Invalid, Forbidden, Refused."""
    if actor.role != "administrator":
        raise Forbidden(Sentence("Only an administrator may add days to the calendar."))
    entries = work.calendar.entries(to_change=True)
    entry, event = add_day(entries, on, kind, name, source, now=work.now, by=actor.office)
    work.calendar.add(entry)
    work.announce(event, actor=actor, now=work.now)
    return entry


class Answer(NamedTuple):
    """A standing, with the organisation and the municipality it was asked for."""

    standing: Standing
    organisation: Organisation
    municipality: Municipality | None


def standing(
    work: Work,
    organisation_id: str,
    on: date | None = None,
    municipality: str | None = None,
    known_at: datetime | None = None,
) -> Answer:
    """Whether a protocol with the organisation needs permission on `on` (today), as known at `known_at` (now).

    Raises NotFound, also for an organisation that was not yet registered at `known_at`.
    """
    organisation = work.organisations.get(organisation_id, known_at=known_at)
    asked_for = None if municipality is None else work.municipalities.get(municipality)
    answer = organisation.standing(
        on or work.today,
        place=asked_for.place if asked_for else None,
        known_at=known_at,
        known_on=today_in_istanbul(known_at) if known_at else None,
    )
    return Answer(answer, organisation, asked_for)


def registrar_only(actor: Actor) -> None:
    """Raises Forbidden for anyone else."""
    if actor.role != "registrar":
        raise Forbidden(Sentence("Only the registrar keeps the registry of organisations."))
    whole_delegation(actor)


def whole_delegation(actor: Actor) -> None:
    """A delegation that is limited to moves of a procedure does not reach the registry."""
    if actor.scope:
        raise Forbidden(Sentence("Your delegation does not cover the registry."))


def refuse_taken_number(work: Work, organisation: Organisation) -> None:
    """Raises Refused when another organisation bears the registry number, or bore it once."""
    key = organisation.number_key
    if key is None:
        return
    other = work.organisations.numbered(organisation.facts.form, key)
    if other is not None and other != organisation.id:
        raise Refused(
            Sentence(
                "Registry number {number} is already registered; look for the organisation in the registry.",
                number=organisation.facts.registry_no,
            ),
            {"organisation_id": other},
        )


def save(work: Work, actor: Actor, organisation: Organisation, event: Event) -> None:
    """Keep the organisation and tell what happened."""
    work.organisations.save(organisation, today=work.today, now=work.now, by=actor.office)
    work.announce(event, actor=actor, now=work.now)
