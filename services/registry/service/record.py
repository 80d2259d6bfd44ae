"""What is on record: municipalities, organisations, their standing, the calendar."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from services.contracts.registry import (
    DeadlineQuestion,
    MunicipalityChanges,
    MunicipalitySearch,
    NewCalendarDay,
    NewOrganisation,
    NewRevocation,
    NewStatus,
    OrganisationChanges,
    OrganisationSearch,
    StandingQuestion,
)
from services.kernel.actor import Actor
from services.kernel.calendar import AddedDay, Calendar, Rules
from services.registry.adapters.messages import (
    calendar_day_shown,
    grant_of,
    municipality_shown,
    organisation_shown,
    revocation_of,
    standing_shown,
)
from services.registry.adapters.repository import CalendarDayRows, MunicipalityRows, OrganisationRows
from services.registry.adapters.search import Filters, find_municipalities, find_organisations
from services.registry.application import record
from services.registry.application.record import Work
from services.registry.domain.calendar import standing_days
from services.registry.service.desk import Desk, Plain, page_of, province_of
from services.runtime import outbox
from services.runtime.entrypoints import every, rpc
from services.runtime.schema import load


class RecordDesk(Desk):
    """Questions and commands about what is on record."""

    # municipalities

    @rpc
    def list_municipalities(self, actor: Plain | None = None, **wanted: Any) -> Plain:  # noqa: ARG002 - open to all
        """A page of municipalities, sorted by name or by how well they fit the query."""
        asked = load(MunicipalitySearch(), wanted)
        page, size = asked["page"], asked["size"]
        with self.database.read() as connection:
            found = find_municipalities(connection, asked["query"], province_of(asked["province"]), page, size)
            items = MunicipalityRows(connection).many(found.keys)
        return page_of([municipality_shown(each) for each in items], page, size, found.total)

    @rpc
    def get_authority(self, code: str) -> Plain:
        """The civil authority with that code: {code, kind, name}; NotFound when no municipality has it."""
        with self.database.read() as connection:
            authority = MunicipalityRows(connection).authority(code)
        return {"code": authority.code, "kind": authority.kind, "name": authority.name}

    @rpc
    def get_municipality(self, code: str) -> Plain:
        """One municipality. Raises NotFound."""
        with self.database.read() as connection:
            return municipality_shown(MunicipalityRows(connection).get(code))

    @rpc
    def update_municipality(
        self, actor: Plain, code: str, changes: Plain, key: str, expected_version: int | None = None
    ) -> Plain:
        """Change its council (own clerk) or authority (administrator)."""
        loaded = load(MunicipalityChanges(), changes)
        request = {"code": code, "changes": changes, "expected_version": expected_version}

        def effect(work: Work, acting: Actor) -> Plain:
            changed = record.update_municipality(work, acting, code, loaded, expected_version)
            return municipality_shown(changed)

        return self.once(actor, key, "update_municipality", request, effect)

    # organisations

    @rpc
    def search_organisations(self, actor: Plain | None = None, **wanted: Any) -> Plain:  # noqa: ARG002 - open to all
        """A page of organisations, sorted by name or by how well they fit the query; standings are today's."""
        asked = load(OrganisationSearch(), wanted)
        page, size = asked["page"], asked["size"]
        filters = Filters(province_of(asked["province"]), asked["form"], asked["standing"])
        if filters.standing is not None:
            self.bring_standings_to_today()
        with self.database.read() as connection:
            found = find_organisations(connection, asked["query"], filters, page, size)
            items = OrganisationRows(connection).many(found.keys)
        today = self.time.today()
        return page_of([organisation_shown(each, today) for each in items], page, size, found.total)

    @rpc
    def get_organisation(self, organisation_id: str) -> Plain:
        """One organisation with every revision of its statuses. Raises NotFound."""
        with self.database.read() as connection:
            found = OrganisationRows(connection).get(organisation_id)
        return organisation_shown(found, self.time.today(), with_history=True)

    @rpc
    def register_organisation(self, actor: Plain, organisation: Plain, key: str) -> Plain:
        """Add an organisation (registrar)."""
        loaded = load(NewOrganisation(), organisation)

        def effect(work: Work, acting: Actor) -> Plain:
            return _told(work, record.register_organisation(work, acting, loaded))

        return self.once(actor, key, "register_organisation", {"organisation": organisation}, effect)

    @rpc
    def update_organisation(
        self, actor: Plain, organisation_id: str, changes: Plain, key: str, expected_version: int | None = None
    ) -> Plain:
        """Change what is recorded of an organisation (registrar)."""
        loaded = load(OrganisationChanges(), changes)
        request = {"organisation_id": organisation_id, "changes": changes, "expected_version": expected_version}

        def effect(work: Work, acting: Actor) -> Plain:
            changed = record.update_organisation(work, acting, organisation_id, loaded, expected_version)
            return _told(work, changed)

        return self.once(actor, key, "update_organisation", request, effect)

    @rpc
    def grant_status(
        self, actor: Plain, organisation_id: str, status: Plain, key: str, expected_version: int | None = None
    ) -> Plain:
        """Record a status, or correct the record of one (registrar); answers with the organisation."""
        grant = grant_of(load(NewStatus(), status))
        request = {"organisation_id": organisation_id, "status": status, "expected_version": expected_version}

        def effect(work: Work, acting: Actor) -> Plain:
            return _told(work, record.grant_status(work, acting, organisation_id, grant, expected_version))

        return self.once(actor, key, "grant_status", request, effect)

    @rpc
    def revoke_status(
        self,
        actor: Plain,
        *,
        organisation_id: str,
        status_id: str,
        revocation: Plain,
        key: str,
        expected_version: int | None = None,
    ) -> Plain:
        """Record the end of a status by decision (registrar); answers with the organisation."""
        ending = revocation_of(load(NewRevocation(), revocation))
        request = {
            "organisation_id": organisation_id,
            "status_id": status_id,
            "revocation": revocation,
            "expected_version": expected_version,
        }

        def effect(work: Work, acting: Actor) -> Plain:
            changed = record.revoke_status(
                work,
                acting,
                organisation_id,
                status_id=status_id.lower(),
                revocation=ending,
                expected_version=expected_version,
            )
            return _told(work, changed)

        return self.once(actor, key, "revoke_status", request, effect)

    # the law

    @rpc
    def standing(self, organisation_id: str, **wanted: Any) -> Plain:
        """Whether a protocol with the organisation needs permission, on which ground, and why."""
        asked = load(StandingQuestion(), wanted)
        with self.database.read() as connection:
            found = record.standing(self.work(connection), organisation_id, **asked)
        return standing_shown(found.standing, found.organisation.id, asked["municipality"], asked["known_at"])

    @rpc
    def decision_facts(self, organisation_id: str, municipality: str, on: str | None = None) -> Plain:
        """What a decision about a protocol relies on, all at once, in three queries."""
        asked = load(StandingQuestion(), {"on": on, "municipality": municipality})
        with self.database.read() as connection:
            found = record.standing(self.work(connection), organisation_id, **asked)
        return {
            "organisation": organisation_shown(found.organisation, self.time.today()),
            "standing": standing_shown(found.standing, found.organisation.id, municipality),
            "municipality": found.municipality and municipality_shown(found.municipality),
        }

    # the calendar

    @rpc
    def calendar_days(self, year: int) -> Plain:
        """The statutory and the added days of a year. Raises Invalid."""
        calendar = self._calendar()
        return {"items": [day.to_plain() for day in calendar.days(year)], "version": calendar.version}

    @rpc
    def added_calendar_days(self) -> Plain:
        """The added days that count, and the calendar's version."""
        with self.database.read() as connection:
            entries = CalendarDayRows(connection).entries()
        return {
            "version": max((entry.version for entry in entries), default=0),
            "items": [day.to_plain() for day in standing_days(entries)],
        }

    @rpc
    def add_calendar_day(self, actor: Plain, day: Plain, key: str) -> Plain:
        """Add a day (administrator)."""
        loaded = load(NewCalendarDay(), day)

        def effect(work: Work, acting: Actor) -> Plain:
            return calendar_day_shown(record.add_calendar_day(work, acting, **loaded))

        return self.once(actor, key, "add_calendar_day", {"day": day}, effect)

    @rpc
    def deadline(self, **wanted: Any) -> Plain:
        """The last day of a period, explained day by day. Raises Invalid."""
        asked = load(DeadlineQuestion(), wanted)
        return self._calendar().deadline(asked["start"], asked["length"], asked["unit"]).to_plain()

    # what happened

    @rpc
    def events(self, actor: Plain, after: int = 0, limit: int = 100) -> list[Plain]:
        """Events behind a position of the feed that the actor may see."""
        return outbox.read_feed(self.database, after, limit, Actor.from_plain(actor))

    @every("scheduler_interval")
    def turn_the_day(self) -> None:
        """Bring the stored standings to today."""
        self.bring_standings_to_today()

    def _calendar(self) -> Calendar:
        with self.database.read() as connection:
            entries = CalendarDayRows(connection).entries()
        version = max((entry.version for entry in entries), default=0)
        return _calendar(self.settings.rules, tuple(standing_days(entries)), str(version))


@lru_cache(maxsize=4)
def _calendar(rules: Rules, added: tuple[AddedDay, ...], version: str) -> Calendar:
    return Calendar(rules, added, version)


def _told(work: Work, organisation: Any) -> Plain:
    return organisation_shown(organisation, work.today, with_history=True)
