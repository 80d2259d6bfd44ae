"""An organisation: what is recorded of it, its statuses, and what may be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from services.kernel.errors import Conflict, Invalid, NotFound, Refused
from services.kernel.text import Sentence
from services.registry.domain import field as fields_of
from services.registry.domain.events import (
    OrganisationEvent,
    OrganisationRegisteredV1,
    OrganisationRemovedV1,
    OrganisationStatusGrantedV1,
    OrganisationStatusRevokedV1,
    OrganisationUpdatedV1,
    Snapshot,
)
from services.registry.domain.field import REGISTRY_NO, WrongField, past_date, plausible_date, text
from services.registry.domain.standing import Place, Standing, standing_of
from services.registry.domain.status import UNRECORDED, Decision, Status, StatusHistory
from services.registry.domain.vocabulary import Form, State, StatusKind

_NUMBERED_LIKE_ASSOCIATIONS = {Form.ASSOCIATION, Form.ASSOCIATION_BRANCH, Form.FEDERATION, Form.CONFEDERATION}
_MAY_HOLD = {
    StatusKind.PUBLIC_BENEFIT: {Form.ASSOCIATION, Form.FEDERATION, Form.CONFEDERATION},
    StatusKind.TAX_EXEMPT: {Form.FOUNDATION},
}


@dataclass(frozen=True)
class Facts:
    """What is recorded of an organisation, checked."""

    name: str
    form: Form
    registry_no: str | None = None
    province_code: str | None = None
    district: str | None = None
    founded_on: date | None = None
    field: str | None = None
    tax_no: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    address: str | None = None
    expertise: tuple[str, ...] = ()
    state: State = State.ACTIVE


@dataclass(frozen=True)
class Former:
    """A name and registry number that an organisation bore until the day before `until`."""

    name: str
    registry_no: str | None
    until: date


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "name": fields_of.organisation_name,
    "form": Form,
    "registry_no": text(50),
    "province_code": fields_of.province_code,
    "district": text(100),
    "field": text(200),
    "tax_no": fields_of.tax_no,
    "email": fields_of.email,
    "phone": fields_of.phone,
    "website": fields_of.website,
    "address": text(500),
    "expertise": fields_of.expertise,
    "state": State,
}
FACTS = tuple(each.name for each in fields(Facts))


def read_facts(given: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The given fields, tidied; Invalid names every field that cannot be right."""
    read: dict[str, Any] = {}
    wrong: list[tuple[str, Sentence]] = []
    for name, value in given.items():
        try:
            read[name] = past_date(value, today) if name == "founded_on" else _READERS[name](value)
        except WrongField as error:
            wrong.append((name, error.sentence))
    if wrong:
        raise Invalid.fields(wrong)
    return read


@dataclass(frozen=True)
class Grant:
    """A status as it is given in: a new one, or with `corrects` what the record of an old one should have been."""

    kind: StatusKind
    valid_from: date | None = None
    valid_to: date | None = None
    decision: Decision = UNRECORDED
    source: str | None = None
    corrects: str | None = None


@dataclass(frozen=True)
class Revocation:
    """The end of a status by decision; on `revoked_on` it no longer holds."""

    revoked_on: date | None = None
    decision: Decision = UNRECORDED
    reason: str | None = None
    source: str | None = None


@dataclass
class Organisation:
    """One organisation with every status it was ever recorded to hold.

    `former`: what it was called before, oldest first. `successors`: who took its place, if anyone did.
    `last_audit_on`: when its activities were last audited (5253/27), as far as that is recorded.
    `tags`: what it offers, by the register of expertise; read here and changed there.
    """

    id: str
    facts: Facts
    version: int = 1
    history: StatusHistory = field(default_factory=StatusHistory)
    former: tuple[Former, ...] = ()
    successors: tuple[str, ...] = ()
    last_audit_on: date | None = None
    tags: tuple[str, ...] = ()

    @classmethod
    def register(
        cls, organisation_id: str, given: Mapping[str, Any], today: date, version: int = 1
    ) -> tuple[Organisation, OrganisationEvent]:
        """A new organisation, or with `version` one that was removed and comes back. Raises Invalid."""
        organisation = cls(organisation_id, Facts(**read_facts(given, today)), version)
        return organisation, organisation._event(OrganisationRegisteredV1, today)

    @classmethod
    def of_record(
        cls, organisation_id: str, record: Mapping[str, Any], today: date, version: int = 1
    ) -> tuple[Organisation, OrganisationEvent]:
        """A new organisation from a record (see `record_of`) that `read_facts` has gone over before."""
        organisation = cls(organisation_id, facts_of(record), version)
        return organisation, organisation._event(OrganisationRegisteredV1, today)

    def update(self, changes: Mapping[str, Any], today: date) -> OrganisationEvent | None:
        """Record what is different now; None when nothing is. Raises Invalid."""
        facts = replace(self.facts, **read_facts(changes, today))
        if facts == self.facts:
            return None
        self.facts = facts
        self.version += 1
        return self._event(OrganisationUpdatedV1, today)

    def grant(self, grant: Grant, status_id: str, *, today: date, now: datetime, by: str) -> OrganisationEvent:
        """Record a status under `status_id`, or correct the record that `grant.corrects` names.

        A correction restates the whole record and clears a revocation; what was known
        before stays readable. Without `valid_from` the status runs from its gazette day,
        else from its decision. Raises Invalid, NotFound, Refused.
        """
        status = self._checked(grant, status_id, today=today, now=now, by=by)
        if grant.corrects is not None:
            before = self._current(grant.corrects)
            status = replace(status, id=before.id)
        elif any(_same_record(known, status) for known in self.history.known()):
            raise Refused(
                Sentence("This status is already recorded. To change its record, name it in the field 'corrects'.")
            )
        self.history = self.history.append(status)
        self.version += 1
        return self._event(OrganisationStatusGrantedV1, today)

    def revoke(
        self, status_id: str, revocation: Revocation, *, today: date, now: datetime, by: str
    ) -> OrganisationEvent:
        """Record that a status was taken back. Without `revoked_on`: its gazette day, its decision, or today.

        Raises Invalid, NotFound, and Refused for a status that was revoked before.
        """
        before = self._current(status_id)
        if before.revoked_on is not None:
            raise Refused(Sentence("This status was already revoked on {day}.", day=before.revoked_on))
        revoked_on = revocation.revoked_on or revocation.decision.effective_on or today
        wrong = _wrong_decision(revocation.decision, today)
        wrong += _wrong("revoked_on", past_date, revoked_on, today)
        if revoked_on < before.valid_from:
            wrong.append(
                ("revoked_on", Sentence("The status began only on {day}; it cannot end before.", day=before.valid_from))
            )
        if before.valid_to is not None and revoked_on > before.valid_to:
            wrong.append(("revoked_on", Sentence("The status had already ended on {day}.", day=before.valid_to)))
        reason = _read("reason", text(500), revocation.reason, wrong)
        source = _read("source", text(300), revocation.source, wrong)
        if wrong:
            raise Invalid.fields(wrong)
        self.history = self.history.append(
            replace(
                before,
                revoked_on=revoked_on,
                revocation=_tidy(revocation.decision),
                reason=reason,
                source=source or before.source,
                recorded_at=now,
                recorded_by=by,
                superseded_at=None,
            )
        )
        self.version += 1
        return self._event(OrganisationStatusRevokedV1, today)

    def rename(self, changes: Mapping[str, Any], effective_on: date, today: date) -> OrganisationEvent | None:
        """Bear another name or number from `effective_on` on, and keep the old ones; None when nothing is new.

        Raises Invalid.
        """
        before = Former(self.facts.name, self.facts.registry_no, effective_on)
        event = self.update(changes, today)
        if event is not None:
            self.former = (*self.former, before)
        return event

    def give_way(self, successors: Sequence[str], today: date) -> OrganisationEvent:
        """Be dissolved and point to those who took its place. It may have been recorded as dissolved before."""
        self.facts = replace(self.facts, state=State.DISSOLVED)
        self.successors = tuple(successors)
        self.version += 1
        return self._event(OrganisationUpdatedV1, today)

    def part(self, today: date) -> OrganisationEvent:
        """Go on after a part of it became an organisation of its own; that makes it another version of the record."""
        self.version += 1
        return self._event(OrganisationUpdatedV1, today)

    def note_audit(self, on: date) -> None:
        """Its activities were audited on that day; an older audit recorded late changes no date."""
        self.last_audit_on = max(on, self.last_audit_on or on)
        self.version += 1

    def retract(self, status_id: str, *, today: date, now: datetime) -> OrganisationEvent:
        """Take back the record of a status, as if it had not been made; what was known before stays readable.

        Raises NotFound.
        """
        self._current(status_id)
        self.history = self.history.retract(status_id, now)
        self.version += 1
        return self._event(OrganisationUpdatedV1, today)

    def restore(self, status: Status, *, today: date, now: datetime, by: str) -> OrganisationEvent:
        """Record a status again as it was before it was corrected. Raises NotFound."""
        self._current(status.id)
        self.history = self.history.append(replace(status, recorded_at=now, recorded_by=by, superseded_at=None))
        self.version += 1
        return self._event(OrganisationUpdatedV1, today)

    def remove(self, today: date) -> OrganisationEvent:
        """Leave the registry with the import that added it."""
        self.version += 1
        return self._event(OrganisationRemovedV1, today)

    def offer(self, tags: tuple[str, ...], today: date) -> OrganisationEvent | None:
        """Show other tags of what it offers; None when they are the same."""
        if tags == self.tags:
            return None
        self.tags = tags
        self.version += 1
        return self._event(OrganisationUpdatedV1, today)

    def turn_day(self, today: date) -> OrganisationEvent:
        """Tell everyone a standing that changed because a day passed."""
        self.version += 1
        return self._event(OrganisationUpdatedV1, today)

    def standing(
        self,
        on: date,
        *,
        place: Place | None = None,
        known_at: datetime | None = None,
        known_on: date | None = None,
        explained: bool = True,
    ) -> Standing:
        """The answer of the rule table for `on`; without its explanation where nobody is shown it."""
        facts = self.facts
        return standing_of(
            facts.name,
            facts.form,
            facts.state,
            self.history,
            on,
            place=place,
            known_at=known_at,
            known_on=known_on,
            explained=explained,
        )

    def warnings(self) -> list[Sentence]:
        """What looks wrong but may be right."""
        number, form = self.facts.registry_no, self.facts.form
        if number is None or form not in _NUMBERED_LIKE_ASSOCIATIONS:
            return []
        shape = REGISTRY_NO.fullmatch(number)
        if shape is None:
            return [
                Sentence(
                    "The registry number {number} does not look like one of an association, such as 06.157.157. "
                    "Compare it with the registration document.",
                    number=number,
                )
            ]
        if self.facts.province_code not in (None, shape["province"]):
            return [
                Sentence(
                    "The registry number {number} begins with another province than {province}.",
                    number=number,
                    province=self.facts.province_code,
                )
            ]
        return []

    def record(self) -> dict[str, Any]:
        """The facts as JSON-able values, without what is not recorded."""
        return record_of(self.facts)

    @property
    def number_key(self) -> str | None:
        """The registry number without its signs where it has the shape of an association's; two cannot share it."""
        return number_key_of(self.facts.form, self.facts.registry_no)

    @property
    def former_number_keys(self) -> frozenset[str]:
        """The keys of the numbers it bore before and bears no more; nobody else gets them."""
        keys = {number_key_of(self.facts.form, each.registry_no) for each in self.former}
        return frozenset(key for key in keys if key is not None and key != self.number_key)

    @property
    def expertise(self) -> tuple[str, ...]:
        """The tags of what it offers, and after them what the registrar wrote in free words."""
        return (*self.tags, *(word for word in self.facts.expertise if word not in self.tags))

    def check_version(self, expected: int | None) -> None:
        """Raises Conflict when the caller saw another version."""
        check_version(self.version, expected)

    def _current(self, status_id: str) -> Status:
        status = self.history.current(status_id)
        if status is None:
            raise NotFound(Sentence("There is no such status."))
        return status

    def _checked(self, grant: Grant, status_id: str, *, today: date, now: datetime, by: str) -> Status:
        wrong = _wrong_decision(grant.decision, today)
        valid_from = grant.valid_from or grant.decision.effective_on
        wrong += _wrong("valid_from", plausible_date, grant.valid_from)
        wrong += _wrong("valid_to", plausible_date, grant.valid_to)
        if self.facts.form not in _MAY_HOLD[grant.kind]:
            wrong.append(("kind", _not_for_this_form(grant.kind)))
        if valid_from is None:
            wrong.append(
                ("valid_from", Sentence("Say from which day the status holds, or give the date of its decision."))
            )
        else:
            wrong += self._wrong_period(valid_from, grant)
        source = _read("source", text(300), grant.source, wrong)
        if wrong or valid_from is None:
            raise Invalid.fields(wrong)
        return Status(
            id=status_id,
            revision=1,
            kind=grant.kind,
            valid_from=valid_from,
            valid_to=grant.valid_to,
            decision=_tidy(grant.decision),
            source=source,
            recorded_at=now,
            recorded_by=by,
        )

    def _wrong_period(self, valid_from: date, grant: Grant) -> list[tuple[str, Sentence]]:
        wrong = []
        if grant.valid_to is not None and grant.valid_to < valid_from:
            wrong.append(("valid_to", Sentence("The status cannot end before it begins.")))
        if grant.decision.decision_on is not None and valid_from < grant.decision.decision_on:
            wrong.append(("valid_from", Sentence("The status cannot begin before it was decided.")))
        founded_on = self.facts.founded_on
        if founded_on is not None and valid_from < founded_on:
            wrong.append(("valid_from", Sentence("The organisation was founded only on {day}.", day=founded_on)))
        return wrong

    def _event(self, kind: type[OrganisationEvent], today: date) -> OrganisationEvent:
        snapshot = Snapshot(
            organisation_id=self.id,
            registry_no=self.facts.registry_no,
            name=self.facts.name,
            form=self.facts.form,
            province_code=self.facts.province_code,
            state=self.facts.state,
            statuses=self.history.known(),
            standing=self.standing(today, explained=False),
        )
        return kind(subject_id=self.id, subject_version=self.version, organisation=snapshot)


def record_of(facts: Facts) -> dict[str, Any]:
    """The facts as JSON-able values, without what is not recorded."""
    record = {name: value for name in FACTS if (value := getattr(facts, name)) is not None}
    record["form"], record["state"] = str(facts.form), str(facts.state)
    record["expertise"] = list(facts.expertise)
    if facts.founded_on is not None:
        record["founded_on"] = facts.founded_on.isoformat()
    if not facts.expertise:
        del record["expertise"]
    return record


def facts_of(record: Mapping[str, Any]) -> Facts:
    """The facts of which `record_of` made the record."""
    founded_on = record.get("founded_on")
    return Facts(
        **{
            **record,
            "form": Form(record["form"]),
            "state": State(record["state"]),
            "founded_on": founded_on and date.fromisoformat(founded_on),
            "expertise": tuple(record.get("expertise", ())),
        }
    )


def given_of(changes: Iterable[tuple[str, Any, Any]]) -> dict[str, Any]:
    """The new values of changes of a record (field, old, new) as `Organisation.update` takes them."""
    given = {name: new for name, _, new in changes}
    if given.get("founded_on") is not None:
        given["founded_on"] = date.fromisoformat(given["founded_on"])
    return given


def number_key_of(form: Form, number: str | None) -> str | None:
    """The key of a registry number, None where its shape is not that of an association."""
    if number is None or form not in _NUMBERED_LIKE_ASSOCIATIONS or not REGISTRY_NO.fullmatch(number):
        return None
    return "".join(character for character in number if character.isdigit())


def check_version(current: int, expected: int | None) -> None:
    """Raises Conflict when the caller saw another version than the current one; None means: whatever it is."""
    if expected is not None and expected != current:
        raise Conflict(
            Sentence("This was changed in the meantime. Look at the current state and try again."),
            {"version": current},
        )


def _same_record(known: Status, new: Status) -> bool:
    return known.revoked_on is None and (known.kind, known.valid_from, known.valid_to, known.decision) == (
        new.kind,
        new.valid_from,
        new.valid_to,
        new.decision,
    )


def _not_for_this_form(kind: StatusKind) -> Sentence:
    if kind is StatusKind.PUBLIC_BENEFIT:
        return Sentence("Only associations can work for public benefit (5253/27); a foundation may be tax-exempt.")
    return Sentence("Only foundations can be tax-exempt (4962/20); an association may work for public benefit.")


def _tidy(decision: Decision) -> Decision:
    return replace(decision, decision_no=text(60)(decision.decision_no), gazette_no=text(60)(decision.gazette_no))


def _wrong_decision(decision: Decision, today: date) -> list[tuple[str, Sentence]]:
    """What cannot be right about a decision: dates in the future, a gazette before the decision."""
    wrong = _wrong("decision_no", text(60), decision.decision_no) + _wrong("gazette_no", text(60), decision.gazette_no)
    for name, day in (("decision_on", decision.decision_on), ("gazette_on", decision.gazette_on)):
        wrong += _wrong(name, past_date, day, today) or _wrong(name, plausible_date, day)
    if decision.decision_on and decision.gazette_on and decision.gazette_on < decision.decision_on:
        wrong.append(("gazette_on", Sentence("The Official Gazette cannot be older than the decision it published.")))
    return wrong


def _wrong(name: str, check: Callable[..., Any], *given: Any) -> list[tuple[str, Sentence]]:
    try:
        check(*given)
    except WrongField as error:
        return [(name, error.sentence)]
    return []


def _read(name: str, reader: Callable[[Any], Any], given: Any, wrong: list[tuple[str, Sentence]]) -> Any:
    try:
        return reader(given)
    except WrongField as error:
        wrong.append((name, error.sentence))
        return None
