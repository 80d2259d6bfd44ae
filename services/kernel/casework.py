"""A case on its way through a procedure: its stage, its facts, its clocks and its history change together.

What every kind of case has in common. A kind adds its own fields, says how it appears in
events (`clock_event`), and what else a move changes (`take_in`, `begin_anew`).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from services.kernel import clock as clocks
from services.kernel import reminder
from services.kernel.actor import AUTHORITY_ROLES, MUNICIPAL_ROLES, ORGANISATION_ROLES, Actor
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.chain import link
from services.kernel.clock import Clock
from services.kernel.events import Event
from services.kernel.reminder import Ladder, Rung
from services.kernel.workflow import SYSTEM_ROLE, Act, Move, Procedure, Term

EXPIRE_CLOCK, RECOUNT = "expire_clock", "recount"
"""Acts of every history that are not moves of the table."""

STARTED, MET, EXPIRED, CANCELLED, MOVED, REMINDER_DUE = (
    "started", "met", "expired", "cancelled", "moved", "reminder_due",
)  # fmt: skip
"""What can happen to a clock, as events tell it."""


def plain(value: Any) -> Any:
    """A JSON-able form of a field's value."""
    if isinstance(value, (dt.date, dt.datetime)):
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
    done_on: dt.date
    recorded_at: dt.datetime
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


@dataclass(kw_only=True)
class Case:
    """What changes together, with one version per act.

    `facts`: move → the fields and date of its newest act in this round, as JSON-able data.
    `earlier_clocks`: how many of the clocks belong to rounds before this one.
    """

    unkept: ClassVar[tuple[str, ...]] = ()
    """Fields of acts that are kept elsewhere and not among the facts."""

    id: str
    reference: str
    stage: str
    since: dt.datetime
    last_on: dt.date
    version: int
    head_hash: str
    procedure_version: int
    created_at: dt.datetime
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    clocks: list[Clock] = field(default_factory=list)
    earlier_clocks: int = 0
    # what this command adds, to be stored
    new_acts: list[ActRecord] = field(default_factory=list)

    @property
    def conditions(self) -> frozenset[str]:
        """Names of what is special about the case, as terms ask for them."""
        return frozenset()

    # what a kind of case says of itself

    def clock_event(self, what: str, clock: Clock, **more: Any) -> Event:
        """The event that tells of a clock; `what` is one of the words above."""
        raise NotImplementedError

    def take_in(self, act: Act) -> Act:
        """What else a permitted act changes; returns the act as the history keeps it."""
        return act

    def begin_anew(self) -> None:
        """A new round: nothing decided in the old one counts any more."""
        self.facts = {}
        self.earlier_clocks = len(self.clocks)

    def is_over(self, procedure: Procedure[Any]) -> bool:
        """Whether nothing is to be done here any more."""
        return self.stage in procedure.ends

    def reminded(self, clock: Clock, procedure: Procedure[Any]) -> str:
        """The role that is reminded of a clock: its owner, or the office of the same house whose turn it is.

        The latter while the owner can do nothing about it at this stage.
        """
        term, turn = procedure.terms[clock.kind], procedure.stages[self.stage].turn_of(self)
        rows = [row for move in term.met_by for row in procedure.rows(move, self.stage)]
        if not term.met_by or any(clock.whose in row.by for row in rows):
            return clock.whose
        return turn if turn is not None and _same_house(turn, clock.whose) else clock.whose

    # questions

    def done(self, move: str) -> bool:
        """Whether the move was made in this round."""
        return move in self.facts

    def date_of(self, move: str) -> dt.date | None:
        """The date that the newest such act of this round bears."""
        fact = self.facts.get(move)
        return dt.date.fromisoformat(fact["done_on"]) if fact else None

    def open_clock(self, kind: str) -> Clock | None:
        """The running or paused clock of a kind."""
        return next((each for each in self.clocks if each.kind == kind and each.is_open), None)

    def newest_clock(self, kind: str) -> Clock | None:
        """The clock of a kind that was started last in this round."""
        return next((each for each in reversed(self.clocks[self.earlier_clocks :]) if each.kind == kind), None)

    @property
    def due_on(self) -> dt.date | None:
        """The nearest date on which a running clock is due."""
        return min((each.due_on for each in self.clocks if each.state == "running" and each.due_on), default=None)

    def duties(self, procedure: Procedure[Any]) -> dict[str, dt.date]:
        """Role → the nearest date by which it must do something here, late ones included.

        Only clocks that the role can still meet by a move at this stage; the turn's other dates are its own business.
        """
        found: dict[str, dt.date] = {}
        for term in procedure.terms.values():
            clock = self.newest_clock(term.kind)
            if clock is None or clock.due_on is None or clock.state not in ("running", "expired"):
                continue
            rows = [row for move in term.met_by for row in procedure.rows(move, self.stage)]
            if any(term.whose in row.by and not self.done(row.name) for row in rows):
                found[term.whose] = min(found.get(term.whose, clock.due_on), clock.due_on)
        return found

    def overdue_since(self, procedure: Procedure[Any]) -> dt.date | None:
        """The date since which something should have been done here and was not."""
        if self.is_over(procedure):
            return None
        newest = (self.newest_clock(kind) for kind in procedure.terms)
        return min(
            (clock.due_on for clock in newest if clock and clock.due_on and self._is_missed(clock, procedure)),
            default=None,
        )

    def _is_missed(self, clock: Clock, procedure: Procedure[Any]) -> bool:
        """Whether the clock ran out and what it waited for is still to be done here."""
        met_by = procedure.terms[clock.kind].met_by
        return (
            clock.state == "expired"
            and not self.is_over(procedure)
            and bool(met_by)
            and not any(self.done(move) for move in met_by)
            and (not clock.stages or self.stage in clock.stages)
        )

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

    def put(self, clock: Clock) -> None:
        """The clock as it is now, in its place."""
        self.clocks = [clock if each.id == clock.id else each for each in self.clocks]


K = TypeVar("K", bound=Case)
Perform = Callable[[K, str, Act, Procedure[K], Calendar], list[Event]]
"""How a kind of case makes a move: what `make_move` does, and its own event of it."""


def begin(case: K, act: Act, procedure: Procedure[K], calendar: Calendar) -> list[Event]:
    """Start the clocks of the first stage; the caller has recorded the act that made the case."""
    found: list[Event] = []
    for term in procedure.terms.values():
        if procedure.initial in term.starts_in and _applies(term, case):
            found += _start(case, term, act, calendar)
    return found


def make_move(
    case: K, name: str, act: Act, procedure: Procedure[K], calendar: Calendar
) -> tuple[Move[K], str, list[Event]]:
    """Make a move: stage, facts, clocks and history change together.

    Returns the row that applied, the stage before, and what happened to clocks. Raises what
    `Procedure.advance` raises; then nothing has changed.
    """
    before = case.stage
    row = procedure.advance(case, name, act)
    act = case.take_in(act)
    if case.stage != before:
        case.since = act.now
    if case.stage == procedure.initial and before != case.stage:
        case.begin_anew()
    else:
        fact = {each: value for each, value in plain(act.fields).items() if each not in case.unkept}
        case.facts[name] = {**fact, "done_on": act.done_on.isoformat()}
    case.record(name, before, act, calendar, advances=_advances(row, act, before, case.stage))
    return row, before, list(_run_clocks(case, row, before, act, procedure, calendar))


def _advances(row: Move[K], act: Act, before: str, after: str) -> bool:
    """Whether later acts may bear no earlier date than this one."""
    # A noted silence is no act of anyone: an answer may bear an earlier date and arrive after it.
    return not row.parallel and (act.actor.role != SYSTEM_ROLE or before != after)


def expire_due(
    case: K, actor: Actor, now: dt.datetime, procedure: Procedure[K], calendar: Calendar, perform: Perform[K]
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
        clock = min(past, key=lambda each: (each.due_on or dt.date.max, each.kind))
        events += _expire(case, clock, actor, now, procedure, calendar, perform)


def _expire(
    case: K,
    clock: Clock,
    actor: Actor,
    now: dt.datetime,
    procedure: Procedure[K],
    calendar: Calendar,
    perform: Perform[K],
) -> Iterator[Event]:
    if clock.due_on is None:
        message = f"clock {clock.id} has no due date and cannot expire"
        raise ValueError(message)
    case.put(clocks.expire(clock))
    expired = next(each for each in case.clocks if each.id == clock.id)
    on = max(dt.date.fromordinal(clock.due_on.toordinal() + 1), case.last_on)
    act = Act(actor, {"clock": clock.kind, "due_on": clock.due_on}, today_in_istanbul(now), now, on)
    if clock.on_expiry is not None and procedure.rows(clock.on_expiry, case.stage):
        moved = perform(case, clock.on_expiry, replace(act, fields={}), procedure, calendar)
        yield case.clock_event(EXPIRED, expired)
        yield from moved
    else:
        case.record(EXPIRE_CLOCK, case.stage, act, calendar, advances=False)
        yield case.clock_event(EXPIRED, expired)


def recount(case: Case, actor: Actor, now: dt.datetime, calendar: Calendar, cause: str) -> list[Event]:
    """Let the open clocks follow a changed calendar; returns one event per clock that moved."""
    moved: list[tuple[Clock, Clock]] = []
    for each in case.clocks:
        counted = clocks.recount(each, calendar)
        if counted.due_on != each.due_on:
            moved.append((each, counted))
    if not moved:
        return []
    for _, counted in moved:
        case.put(counted)
    today = today_in_istanbul(now)
    fields = {
        "cause": cause,
        "clocks": [{"kind": new.kind, "from": old.due_on, "to": new.due_on} for old, new in moved],
    }
    case.record(RECOUNT, case.stage, Act(actor, fields, today, now, today), calendar, advances=False)
    return [_moved(case, old, new, "calendar") for old, new in moved]


# reminders


def ladder_of(case: Case, clock: Clock, procedure: Procedure[Any], ladder: Ladder, calendar: Calendar) -> list[Rung]:
    """The reminders that this clock may still give, oldest first."""
    term = procedure.terms[clock.kind]
    before = ladder.before if term.reminders is None else term.reminders
    if term.reminders is not None and not before:
        return []
    missed = case._is_missed(clock, procedure) or clock.state == "running"  # noqa: SLF001 - the case's own module
    # Whoever has nothing to do by a clock is not called to account for it.
    head = ladder.head if term.escalates and term.owed_after_expiry and missed else None
    return reminder.rungs(clock, before, head, calendar)


def reminder_on(
    case: Case, clock: Clock, procedure: Procedure[Any], ladder: Ladder, calendar: Calendar, today: dt.date
) -> dt.date | None:
    """The day after `today` on which the clock next reminds somebody; None when it does not."""
    if clock.state not in ("running", "expired") or case.is_over(procedure):
        return None
    return reminder.following(ladder_of(case, clock, procedure, ladder, calendar), today)


def reminder_due(
    case: Case, clock: Clock, procedure: Procedure[Any], ladder: Ladder, calendar: Calendar, today: dt.date
) -> Rung | None:
    """The reminder that is due today or was due last, and has not been overtaken."""
    if case.is_over(procedure):
        return None
    return reminder.newest(ladder_of(case, clock, procedure, ladder, calendar), today)


# clocks


def _run_clocks(
    case: K, row: Move[K], before: str, act: Act, procedure: Procedure[K], calendar: Calendar
) -> Iterator[Event]:
    """Meet, pause, resume, extend, cancel and start the clocks as the terms of the procedure say."""
    for clock in list(case.clocks):
        if not clock.is_open:
            continue
        term = procedure.terms[clock.kind]
        if row.name in term.met_by:
            met = clocks.meet(_running(clock, act, calendar), act.done_on)
            case.put(met)
            yield case.clock_event(MET, met)
        elif row.name in term.paused_by and clock.state == "running":
            paused = clocks.pause(clock, act.done_on, row.name, calendar)
            case.put(paused)
            yield _moved(case, clock, paused, "pause")
        elif row.name in term.resumed_by and clock.state == "paused":
            resumed = clocks.resume(clock, act.done_on, calendar)
            case.put(resumed)
            yield _moved(case, clock, resumed, "resume")
        elif row.name in term.extended_by and term.extended_to is not None:
            extended = clocks.extend(clock, term.extended_to, calendar)
            case.put(extended)
            yield _moved(case, clock, extended, "extension")
        elif _is_left_behind(case, term, row, before, procedure):
            cancelled = clocks.cancel(clock)
            case.put(cancelled)
            yield case.clock_event(CANCELLED, cancelled)
    entered = case.stage != before
    for term in procedure.terms.values():
        if (row.name in term.starts_with or (entered and case.stage in term.starts_in)) and _applies(term, case):
            yield from _start(case, term, act, calendar)


def _is_left_behind(case: K, term: Term[K], row: Move[K], before: str, procedure: Procedure[K]) -> bool:
    """Whether the case went another way, so that nothing is to be done by the clock any more."""
    if row.name in term.outlives:
        return False
    elsewhere = bool(term.lives_in) and case.stage not in term.lives_in
    return case.stage in procedure.ends or elsewhere or _begins_anew(case, before, procedure)


_HOUSES = (MUNICIPAL_ROLES, AUTHORITY_ROLES, ORGANISATION_ROLES)


def _same_house(one: str, other: str) -> bool:
    """Whether two roles belong to one institution of the case."""
    return any({one, other} <= set(roles) for roles in _HOUSES)


def _begins_anew(case: Case, before: str, procedure: Procedure[Any]) -> bool:
    return case.stage == procedure.initial and before != case.stage


def _applies(term: Term[Any], case: Case) -> bool:
    return term.applies_to is None or term.applies_to(case)


def _running(clock: Clock, act: Act, calendar: Calendar) -> Clock:
    return clocks.resume(clock, act.done_on, calendar) if clock.state == "paused" else clock


def _start(case: K, term: Term[K], act: Act, calendar: Calendar) -> Iterator[Event]:
    older = case.open_clock(term.kind)
    if older is not None:
        cancelled = clocks.cancel(older)
        case.put(cancelled)
        yield case.clock_event(CANCELLED, cancelled)
    started = clocks.start(
        calendar,
        id=str(uuid.uuid4()),
        kind=term.kind,
        article=term.article,
        whose=term.whose,
        started_on=term.counts_from(case, act),
        length=term.days_of(case, act) if term.days_of else term.length.of(case.conditions),
        unit=term.length.unit,
        effect=term.effect.tr,
        on_expiry=term.on_expiry,
        roll_over=term.roll_over,
        judicial_recess=term.judicial_recess,
        stages=term.lives_in,
    )
    case.clocks.append(started)
    yield case.clock_event(STARTED, started)


def _moved(case: Case, old: Clock, new: Clock, why: str) -> Event:
    return case.clock_event(MOVED, new, from_due_on=old.due_on, to_due_on=new.due_on, why=why)


# how urgent


def urgency(due_on: dt.date | None, today: dt.date, soon_days: int = 3) -> str:
    """`overdue`, `today`, `soon` (within `soon_days`), `later`, or `none` without a date."""
    if due_on is None:
        return "none"
    days = (due_on - today).days
    if days < 0:
        return "overdue"
    if days == 0:
        return "today"
    return "soon" if days <= soon_days else "later"
