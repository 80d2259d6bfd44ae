"""A protocol on its way: its text, its facts, its clocks, its history."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.kernel import clock as clocks
from services.kernel.actor import Actor
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.clock import Clock
from services.kernel.errors import Refused
from services.kernel.events import Event, Scope
from services.kernel.text import Sentence
from services.kernel.workflow import SYSTEM_ROLE, Act, Move, Procedure, Term
from services.protocols.domain.chain import GENESIS, link
from services.protocols.domain.events import (
    ClockExpiredV1,
    ClockMetV1,
    ClockMovedV1,
    ClockStartedV1,
    ProtocolDraftedV1,
    ProtocolEnteredIntoForceV1,
    ProtocolMovedV1,
)

DRAFT, REPLACE_TEXT, EXPIRE_CLOCK, RECOUNT = "draft", "replace_text", "expire_clock", "recount"
"""Acts of the history that are not moves of the table."""


def sha256_of(text: str) -> str:
    """The hash by which a text is known: SHA-256 of its UTF-8 bytes, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """A JSON-able form of a field's value."""
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


@dataclass(frozen=True)
class ActRecord:
    """One row of the history, chained to the one before."""

    number: int
    move: str
    from_stage: str
    to_stage: str
    actor: dict[str, Any]
    fields: dict[str, Any]
    known: dict[str, Any]
    done_on: date
    recorded_at: datetime
    procedure_version: int
    calendar_version: str
    previous_hash: str
    hash: str

    def content(self) -> dict[str, Any]:
        """What the hash covers."""
        return {
            "number": self.number,
            "move": self.move,
            "from": self.from_stage,
            "to": self.to_stage,
            "actor": self.actor,
            "fields": self.fields,
            "known": self.known,
            "done_on": self.done_on.isoformat(),
            "recorded_at": self.recorded_at.isoformat(),
            "procedure_version": self.procedure_version,
            "calendar_version": self.calendar_version,
        }


@dataclass(frozen=True)
class Party:
    """An institution as a case names it."""

    id: str
    name: str


@dataclass
class ProtocolCase:
    """The aggregate: what changes together, with one version per act.

    `facts`: move → the fields and date of its newest act in this round, as JSON-able data.
    `shared`: the civil authority sees the file, since it was sent there in this round.
    `earlier_clocks`: how many of the clocks belong to rounds before this one.
    `standing`: the newest known answer of art. 75 for the partner, with its evidence.
    `party_version`: the version of the partner's record under which it became the partner here.
    `review`: the newest legal review, empty while there was none; see `domain/partner.py`.
    """

    id: str
    reference: str
    kind: str
    municipality: Party
    authority: Party
    organisation: Party
    municipality_kind: str
    title: str
    subject: str
    municipal_duty: str
    starts_on: date
    term_months: int
    funder_deadline: date | None
    zoning: bool
    text_sha256: str
    text_version: int
    contributions: list[dict[str, Any]]
    stage: str
    since: datetime
    last_on: date
    version: int
    head_hash: str
    procedure_version: int
    created_at: datetime
    approved_sha256: str | None = None
    standing: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    clocks: list[Clock] = field(default_factory=list)
    shared: bool = False
    earlier_clocks: int = 0
    party_version: int = 0
    review: dict[str, Any] = field(default_factory=dict)
    original_id: str | None = None
    original_link: str | None = None
    successors: list[dict[str, str]] = field(default_factory=list)
    # what this command adds, to be stored
    new_acts: list[ActRecord] = field(default_factory=list)
    new_text: str | None = None

    @property
    def conditions(self) -> frozenset[str]:
        """`zoning`, `metropolitan` where they hold."""
        found = {"zoning"} if self.zoning else set()
        return frozenset(found | ({"metropolitan"} if self.municipality_kind == "metropolitan" else set()))

    @property
    def scope(self) -> Scope:
        """The tenants that may see the case; the civil authority once the file was sent there."""
        return Scope(self.municipality.id, self.authority.id if self.shared else None, self.organisation.id)

    @property
    def permission(self) -> str:
        """What art. 75 says of the partner, as last known."""
        return str(self.standing.get("permission", "required"))

    def done(self, move: str) -> bool:
        """Whether the move was made in this round."""
        return move in self.facts

    def date_of(self, move: str) -> date | None:
        """The date that the newest such act of this round bears."""
        fact = self.facts.get(move)
        return date.fromisoformat(fact["done_on"]) if fact else None

    def open_clock(self, kind: str) -> Clock | None:
        """The running or paused clock of a kind."""
        return next((each for each in self.clocks if each.kind == kind and each.is_open), None)

    def newest_clock(self, kind: str) -> Clock | None:
        """The clock of a kind that was started last in this round."""
        return next((each for each in reversed(self.clocks[self.earlier_clocks :]) if each.kind == kind), None)

    @property
    def due_on(self) -> date | None:
        """The nearest date on which a running clock is due."""
        return min((each.due_on for each in self.clocks if each.state == "running" and each.due_on), default=None)

    def duties(self, procedure: Procedure[ProtocolCase]) -> dict[str, date]:
        """Role → the nearest date by which it must do something here, late ones included.

        Only clocks that the role can still meet by a move at this stage; the turn's other dates are its own business.
        """
        found: dict[str, date] = {}
        for term in procedure.terms.values():
            clock = self.newest_clock(term.kind)
            if clock is None or clock.due_on is None or clock.state not in ("running", "expired"):
                continue
            rows = [row for move in term.met_by for row in procedure.rows(move, self.stage)]
            if any(term.whose in row.by and not self.done(row.name) for row in rows):
                found[term.whose] = min(found.get(term.whose, clock.due_on), clock.due_on)
        return found

    def overdue_since(self, procedure: Procedure[ProtocolCase]) -> date | None:
        """The date since which something should have been done here and was not."""
        if self.stage in procedure.ends:
            return None
        late = [
            clock.due_on
            for clock in (self.newest_clock(kind) for kind in procedure.terms)
            if clock is not None
            and clock.due_on is not None
            and clock.state == "expired"
            and not any(self.done(move) for move in procedure.terms[clock.kind].met_by)
            and (not clock.stages or self.stage in clock.stages)
            and procedure.terms[clock.kind].met_by
        ]
        return min(late, default=None)

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor's office may see this case."""
        return (
            actor.role in ("auditor", "system")
            or (actor.municipality is not None and actor.municipality == self.municipality.id)
            or (self.shared and actor.authority is not None and actor.authority == self.authority.id)
            or (actor.organisation_id is not None and actor.organisation_id == self.organisation.id)
        )

    # events

    def shown(self) -> dict[str, Any]:
        """What every event says of the case."""
        return {
            "subject_id": self.id,
            "subject_version": self.version,
            "protocol_id": self.id,
            "reference": self.reference,
            "title": self.title,
            "municipality": self.municipality.id,
            "municipality_name": self.municipality.name,
            "authority": self.authority.id,
            "authority_name": self.authority.name,
            "organisation_id": self.organisation.id,
            "organisation_name": self.organisation.name,
        }

    def clock_shown(self, clock: Clock) -> dict[str, Any]:
        """What every event of a clock says."""
        return self.shown() | {
            "clock_id": clock.id,
            "kind": clock.kind,
            "article": clock.article,
            "whose": clock.whose,
            "started_on": clock.started_on,
            "due_on": clock.due_on,
            "state": clock.state,
        }

    # history

    def record(self, move: str, from_stage: str, act: Act, calendar: Calendar, *, advances: bool = True) -> None:
        """Add one row to the history; the version is its number.

        `advances`: later acts may not bear an earlier date than this one.
        """
        self.version += 1
        row = ActRecord(
            number=self.version,
            move=move,
            from_stage=from_stage,
            to_stage=self.stage,
            actor=act.actor.to_plain(),
            fields=plain(act.fields),
            known=plain(act.known),
            done_on=act.done_on,
            recorded_at=act.now,
            procedure_version=self.procedure_version,
            calendar_version=calendar.version,
            previous_hash=self.head_hash,
            hash="",
        )
        row = replace(row, hash=link(self.head_hash, row.content()))
        self.head_hash = row.hash
        if advances:
            self.last_on = max(self.last_on, act.done_on)
        self.new_acts.append(row)


def draft(
    *,
    reference: str,
    fields: Mapping[str, Any],
    municipality: Mapping[str, Any],
    organisation: Mapping[str, Any],
    standing: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    procedure: Procedure[ProtocolCase],
    calendar: Calendar,
    link_to: ProtocolCase | None = None,
    link_kind: str | None = None,
) -> tuple[ProtocolCase, list[Event]]:
    """A new case at the procedure's first stage.

    Raises Refused when the partner cannot be a party at all (no legal personality, dissolved).
    """
    if standing["permission"] == "not_possible":
        said = standing["explanation"][0] if standing.get("explanation") else None
        message = Sentence.from_plain(said) if said else Sentence("This organisation cannot be a party.")
        reason = {
            "code": "partner_cannot_be_a_party",
            "article": standing.get("article", ""),
            "message": message.to_plain(),
        }
        raise Refused(message, {"reasons": [reason]})
    today = today_in_istanbul(now)
    authority = municipality["civil_authority"]
    case = ProtocolCase(
        id=str(uuid.uuid4()),
        reference=reference,
        kind=fields["kind"],
        municipality=Party(municipality["code"], municipality["name"]),
        authority=Party(authority["code"], authority["name"]),
        organisation=Party(organisation["id"], organisation["name"]),
        municipality_kind=municipality["kind"],
        title=fields["title"],
        subject=fields["subject"],
        municipal_duty=fields["municipal_duty"],
        starts_on=fields["starts_on"],
        term_months=fields["term_months"],
        funder_deadline=fields.get("funder_deadline"),
        zoning=fields.get("zoning", False),
        text_sha256=sha256_of(fields["text"]),
        text_version=1,
        contributions=plain(fields.get("contributions", [])),
        stage=procedure.initial,
        since=now,
        last_on=today,
        version=0,
        head_hash=GENESIS,
        procedure_version=procedure.version,
        created_at=now,
        standing=dict(standing),
        party_version=organisation.get("version", 0),
        original_id=link_to.id if link_to else None,
        original_link=link_kind,
        new_text=fields["text"],
    )
    fields_kept = {"text_sha256": case.text_sha256, "kind": case.kind, "organisation_id": case.organisation.id}
    if link_to is not None:
        fields_kept |= {"original_id": link_to.id, "link": link_kind or ""}
    act = Act(actor, fields_kept, today, now, today, {"standing": dict(standing)})
    case.record(DRAFT, "", act, calendar)
    return case, [ProtocolDraftedV1(**case.shown(), stage=case.stage)]


def replace_text(case: ProtocolCase, text: str, act: Act, calendar: Calendar, *, allowed_stage: str) -> None:
    """A new draft version while drafting.

    Raises Refused at any other stage: what is signed must be what was approved.
    """
    if case.stage != allowed_stage:
        raise Refused(
            Sentence(
                "The text can be changed while drafting only. Ask for the file to be sent back, or propose an amendment."
            )
        )
    take_text(case, text)
    kept = Act(
        act.actor, {"text_version": case.text_version, "text_sha256": case.text_sha256}, act.today, act.now, act.done_on
    )
    case.record(REPLACE_TEXT, case.stage, kept, calendar)


def take_text(case: ProtocolCase, text: str) -> None:
    """Let `text` be the newest version; earlier ones are kept."""
    digest = sha256_of(text)
    if digest != case.text_sha256:
        case.text_sha256 = digest
        case.text_version += 1
        case.new_text = text


def perform(
    case: ProtocolCase, name: str, act: Act, procedure: Procedure[ProtocolCase], calendar: Calendar
) -> list[Event]:
    """Make a move: stage, facts, clocks and history change together; returns what happened.

    Raises what `Procedure.advance` raises; then nothing has changed.
    """
    before = case.stage
    row = procedure.advance(case, name, act)
    if case.new_text is not None:
        # The text itself is kept with the texts; the history names it.
        kept = {each: value for each, value in act.fields.items() if each != "text"}
        act = replace(act, fields={**kept, "text_version": case.text_version, "text_sha256": case.text_sha256})
    if case.stage != before:
        case.since = act.now
    if act.known.get("standing"):
        case.standing = dict(act.known["standing"])
    if case.stage == procedure.initial and before != case.stage:
        # A new round: neither its decisions nor its permission may come from the old one.
        case.facts = {}
        case.approved_sha256 = None
        case.shared = False
        case.earlier_clocks = len(case.clocks)
    else:
        fact = {each: value for each, value in plain(act.fields).items() if each != "text"}
        case.facts[name] = {**fact, "done_on": act.done_on.isoformat()}
    case.record(name, before, act, calendar, advances=_advances(row, act, before, case.stage))
    happened = list(_run_clocks(case, row, before, act, procedure, calendar))
    moved = ProtocolMovedV1(
        **case.shown(),
        move=name,
        from_stage=before,
        to_stage=case.stage,
        turn=procedure.stages[case.stage].turn_of(case),
        due_on=case.due_on,
        done_on=act.done_on,
        article=row.article,
    )
    events: list[Event] = [moved, *happened]
    term = case.newest_clock("TERM")
    if term is not None and term.due_on is not None and name in procedure.terms["TERM"].starts_with:
        starts_on = max(case.starts_on, act.done_on)
        events.append(ProtocolEnteredIntoForceV1(**case.shown(), starts_on=starts_on, ends_on=term.due_on))
    return events


def _advances(row: Move[ProtocolCase], act: Act, before: str, after: str) -> bool:
    """Whether later acts may bear no earlier date than this one."""
    # A noted silence is no act of anyone: an answer may bear an earlier date and arrive after it.
    return not row.parallel and (act.actor.role != SYSTEM_ROLE or before != after)


def expire_due(
    case: ProtocolCase, actor: Actor, now: datetime, procedure: Procedure[ProtocolCase], calendar: Calendar
) -> list[Event]:
    """Let every clock that is past act, in the order of their dates; returns what happened.

    The act bears the day after the due date, however late it is noticed, so that downtime changes nothing.
    """
    today = today_in_istanbul(now)
    events: list[Event] = []
    while True:
        past = [each for each in case.clocks if each.state == "running" and clocks.is_past(each, today)]
        if not past:
            return events
        clock = min(past, key=lambda each: (each.due_on or date.max, each.kind))
        events += _expire(case, clock, actor, now, procedure, calendar)


def _expire(
    case: ProtocolCase,
    clock: Clock,
    actor: Actor,
    now: datetime,
    procedure: Procedure[ProtocolCase],
    calendar: Calendar,
) -> Iterator[Event]:
    if clock.due_on is None:
        message = f"clock {clock.id} has no due date and cannot expire"
        raise ValueError(message)
    _put(case, clocks.expire(clock))
    expired = case.newest_clock(clock.kind) or clock
    on = max(date.fromordinal(clock.due_on.toordinal() + 1), case.last_on)
    act = Act(actor, {"clock": clock.kind, "due_on": clock.due_on}, today_in_istanbul(now), now, on)
    if clock.on_expiry is not None and procedure.rows(clock.on_expiry, case.stage):
        moved = perform(case, clock.on_expiry, replace(act, fields={}), procedure, calendar)
        yield ClockExpiredV1(**case.clock_shown(expired))
        yield from moved
    else:
        case.record(EXPIRE_CLOCK, case.stage, act, calendar, advances=False)
        yield ClockExpiredV1(**case.clock_shown(expired))


def recount(case: ProtocolCase, actor: Actor, now: datetime, calendar: Calendar, cause: str) -> list[Event]:
    """Let the open clocks follow a changed calendar; returns one event per clock that moved."""
    events: list[Event] = []
    moved: list[tuple[Clock, Clock]] = []
    for each in case.clocks:
        if not each.is_open:
            continue
        counted = clocks.recount(each, calendar)
        if counted.due_on != each.due_on:
            moved.append((each, counted))
    if not moved:
        return events
    for _, counted in moved:
        _put(case, counted)
    today = today_in_istanbul(now)
    fields = {
        "cause": cause,
        "clocks": [{"kind": new.kind, "from": old.due_on, "to": new.due_on} for old, new in moved],
    }
    case.record(RECOUNT, case.stage, Act(actor, fields, today, now, today), calendar, advances=False)
    for old, new in moved:
        events.append(_moved(case, old, new, "calendar"))
    return events


def _run_clocks(
    case: ProtocolCase,
    row: Move[ProtocolCase],
    before: str,
    act: Act,
    procedure: Procedure[ProtocolCase],
    calendar: Calendar,
) -> Iterator[Event]:
    """Meet, pause, resume, cancel and start the clocks as the terms of the procedure say."""
    ended = case.stage in procedure.ends
    for clock in list(case.clocks):
        if not clock.is_open:
            continue
        term = procedure.terms[clock.kind]
        if row.name in term.met_by:
            met = clocks.meet(_running(clock, act, calendar), act.done_on)
            _put(case, met)
            yield ClockMetV1(**case.clock_shown(met))
        elif row.name in term.paused_by and clock.state == "running":
            paused = clocks.pause(clock, act.done_on, row.name, calendar)
            _put(case, paused)
            yield _moved(case, clock, paused, "pause")
        elif row.name in term.resumed_by and clock.state == "paused":
            resumed = clocks.resume(clock, act.done_on, calendar)
            _put(case, resumed)
            yield _moved(case, clock, resumed, "resume")
        elif ended or (term.lives_in and case.stage not in term.lives_in) or case.stage == procedure.initial:
            _put(case, clocks.cancel(clock))
    entered = case.stage != before
    for term in procedure.terms.values():
        if row.name in term.starts_with or (entered and case.stage in term.starts_in):
            yield from _start(case, term, act, calendar)


def _running(clock: Clock, act: Act, calendar: Calendar) -> Clock:
    return clocks.resume(clock, act.done_on, calendar) if clock.state == "paused" else clock


def _start(case: ProtocolCase, term: Term[ProtocolCase], act: Act, calendar: Calendar) -> Iterator[Event]:
    older = case.open_clock(term.kind)
    if older is not None:
        _put(case, clocks.cancel(older))
    started_on = term.counts_from(case, act)
    started = clocks.start(
        calendar,
        id=str(uuid.uuid4()),
        kind=term.kind,
        article=term.article,
        whose=term.whose,
        started_on=started_on,
        length=term.days_of(case, act) if term.days_of else term.length.of(case.conditions),
        unit=term.length.unit,
        effect=term.effect.tr,
        on_expiry=term.on_expiry,
        roll_over=term.roll_over,
        judicial_recess=term.judicial_recess,
        stages=term.lives_in,
    )
    case.clocks.append(started)
    yield ClockStartedV1(**case.clock_shown(started))


def _moved(case: ProtocolCase, old: Clock, new: Clock, why: str) -> ClockMovedV1:
    return ClockMovedV1(**case.clock_shown(new), from_due_on=old.due_on, to_due_on=new.due_on, why=why)


def _put(case: ProtocolCase, clock: Clock) -> None:
    case.clocks = [clock if each.id == clock.id else each for each in case.clocks]
