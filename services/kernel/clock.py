"""A legal clock: the budget of days a law gives, what has stopped it, and the day that follows from both.

    running ⇄ paused        pause, resume
    running | paused → met          in time, at the latest on the due day
    running          → expired      from the day after the due day
    running | paused → cancelled    the case went another way

Every function returns a new clock. The ledger of pauses only grows: an entry is added
by `pause`, and the day of `resume` is written into it once. `due_on` is derived from
start, length, ledger and calendar, and stored so that it can be searched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from services.kernel.calendar import Calendar, Deadline, Unit
from services.kernel.errors import Refused
from services.kernel.text import Sentence

State = Literal["running", "paused", "met", "expired", "cancelled"]
OPEN_STATES: tuple[State, ...] = ("running", "paused")

_DATES = ("started_on", "due_on", "met_on")


@dataclass(frozen=True, slots=True)
class Pause:
    """The clock stands still from `from_on` and runs again on `to_on`; None while it still stands."""

    from_on: dt.date
    to_on: dt.date | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock of a case.

    `kind`: its id in the clock catalogue. `article`: the law it comes from. `whose`: the
    role it runs against. `effect`: what its expiry means. `on_expiry`: the move made when
    it expires, if any. `stages`: where in the procedure it belongs.
    `due_on` is None exactly while an open pause keeps the period from ending.
    `calendar_version`: the calendar under which `due_on` was last found to change.
    """

    id: str
    kind: str
    article: str
    whose: str
    started_on: dt.date
    length: int
    unit: Unit
    due_on: dt.date | None
    calendar_version: str
    state: State = "running"
    effect: str = ""
    on_expiry: str | None = None
    pauses: tuple[Pause, ...] = ()
    met_on: dt.date | None = None
    roll_over: bool = True
    judicial_recess: bool = False
    stages: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the clock can still be met."""
        return self.state in OPEN_STATES

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form; `from_plain` reads it back unchanged."""
        plain = asdict(self)
        for name in _DATES:
            plain[name] = _iso(plain[name])
        plain["pauses"] = [
            {"from_on": pause.from_on.isoformat(), "to_on": _iso(pause.to_on), "reason": pause.reason}
            for pause in self.pauses
        ]
        plain["stages"] = list(self.stages)
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The clock that `to_plain` wrote; fields that had no value then may be missing."""
        known = dict(plain)
        for name in _DATES:
            known[name] = _date(known.get(name))
        known["pauses"] = tuple(
            Pause(dt.date.fromisoformat(pause["from_on"]), _date(pause["to_on"]), pause["reason"])
            for pause in known.get("pauses", ())
        )
        known["stages"] = tuple(known.get("stages", ()))
        return cls(**known)


def start(
    calendar: Calendar,
    *,
    id: str,  # noqa: A002 - the field's name
    kind: str,
    article: str,
    whose: str,
    started_on: dt.date,
    length: int,
    unit: Unit,
    effect: str = "",
    on_expiry: str | None = None,
    roll_over: bool = True,
    judicial_recess: bool = False,
    stages: tuple[str, ...] = (),
) -> Clock:
    """A running clock. `length` is in days of `unit`; `started_on` itself is not counted.

    Raises Invalid for a period that cannot be counted (`Calendar.deadline`).
    """
    period = calendar.deadline(started_on, length, unit, roll_over=roll_over, judicial_recess=judicial_recess)
    return Clock(
        id=id,
        kind=kind,
        article=article,
        whose=whose,
        started_on=started_on,
        length=length,
        unit=unit,
        due_on=period.due_on,
        calendar_version=calendar.version,
        effect=effect,
        on_expiry=on_expiry,
        roll_over=roll_over,
        judicial_recess=judicial_recess,
        stages=stages,
    )


def start_until(
    due_on: dt.date,
    calendar: Calendar,
    *,
    id: str,  # noqa: A002 - the field's name
    kind: str,
    article: str,
    whose: str,
    started_on: dt.date,
    effect: str = "",
    on_expiry: str | None = None,
    stages: tuple[str, ...] = (),
) -> Clock:
    """A running clock that is due on a fixed day, such as the last day of a protocol's term.

    The day stays fixed whatever the calendar says. Raises Invalid when `due_on` is not after `started_on`.
    """
    return start(
        calendar,
        id=id,
        kind=kind,
        article=article,
        whose=whose,
        started_on=started_on,
        length=(due_on - started_on).days,
        unit="calendar_day",
        effect=effect,
        on_expiry=on_expiry,
        roll_over=False,
        stages=stages,
    )


def pause(clock: Clock, on: dt.date, reason: str, calendar: Calendar) -> Clock:
    """The clock stands still from `on`, which no longer counts, until it is resumed.

    Raises Refused when it is not running, or for a day outside its run or inside an earlier pause.
    """
    if clock.state == "paused":
        raise Refused(Sentence("The clock stands still already."))
    _refuse_ended(clock)
    _refuse_before_start(clock, on)
    _refuse_late(clock, on)
    if clock.pauses and (ended_on := clock.pauses[-1].to_on) is not None and on < ended_on:
        raise Refused(Sentence("The clock ran again only from {on}; give that day or a later one.", on=ended_on))
    standing = replace(clock, state="paused", pauses=(*clock.pauses, Pause(on, None, reason)))
    return _derive(standing, calendar)


def resume(clock: Clock, on: dt.date, calendar: Calendar) -> Clock:
    """The clock runs again; `on` counts.

    Raises Refused when it does not stand still, or for a day before the pause.
    """
    _refuse_ended(clock)
    if clock.state != "paused":
        raise Refused(Sentence("The clock is running; it cannot be resumed."))
    *earlier, last = clock.pauses
    if on < last.from_on:
        raise Refused(Sentence("The clock stands still since {on}; give that day or a later one.", on=last.from_on))
    running = replace(clock, state="running", pauses=(*earlier, replace(last, to_on=on)))
    return _derive(running, calendar)


def extend(clock: Clock, length: int, calendar: Calendar) -> Clock:
    """The clock with a longer budget, counted from the same start. Raises Refused when it has ended."""
    _refuse_ended(clock)
    return _derive(replace(clock, length=length), calendar)


def meet(clock: Clock, on: dt.date) -> Clock:
    """What the clock waited for was done on `on`; a clock may be met until the end of its due day.

    A standing clock may be met too. Raises Refused when the clock has ended, before its start and after its due day.
    """
    _refuse_ended(clock)
    _refuse_before_start(clock, on)
    _refuse_late(clock, on)
    return replace(clock, state="met", met_on=on)


def expire(clock: Clock) -> Clock:
    """The due day went by. The caller has asked `is_past`. Raises ValueError when the clock is not running."""
    _expect(clock, "running")
    return replace(clock, state="expired")


def cancel(clock: Clock) -> Clock:
    """The case went another way. Raises ValueError when the clock has ended."""
    _expect(clock, *OPEN_STATES)
    return replace(clock, state="cancelled")


def recount(clock: Clock, calendar: Calendar) -> Clock:
    """The clock under a changed calendar; the same object when its due day did not move.

    An ended clock keeps the day under which it ended.
    """
    if not clock.is_open or explain(clock, calendar).due_on == clock.due_on:
        return clock
    return _derive(clock, calendar)


def is_past(clock: Clock, today: dt.date) -> bool:
    """Whether a running clock's due day is over. A clock due today is not past."""
    return clock.state == "running" and clock.due_on is not None and today > clock.due_on


def days_left(clock: Clock, today: dt.date, calendar: Calendar) -> int | None:
    """Days of the clock's unit after `today` up to its due day: 0 on that day, negative after it.

    None for a clock that stands still or has ended.
    """
    if clock.state != "running" or clock.due_on is None:
        return None
    if clock.unit == "working_day":
        return calendar.working_days_between(today, clock.due_on)
    return (clock.due_on - today).days


def explain(clock: Clock, calendar: Calendar) -> Deadline:
    """How the due day follows, day by day.

    For an ended clock give the calendar of that time, else the day may differ from the stored one.
    """
    return calendar.deadline(
        clock.started_on,
        clock.length,
        clock.unit,
        pauses=[(entry.from_on, entry.to_on) for entry in clock.pauses],
        roll_over=clock.roll_over,
        judicial_recess=clock.judicial_recess,
    )


def _derive(clock: Clock, calendar: Calendar) -> Clock:
    return replace(clock, due_on=explain(clock, calendar).due_on, calendar_version=calendar.version)


def _refuse_ended(clock: Clock) -> None:
    if clock.state == "met":
        raise Refused(Sentence("The clock has been met."))
    if clock.state == "expired":
        raise Refused(Sentence("The clock has run out."))
    if clock.state == "cancelled":
        raise Refused(Sentence("The clock has been cancelled."))


def _refuse_before_start(clock: Clock, on: dt.date) -> None:
    if on < clock.started_on:
        raise Refused(Sentence("The clock started on {on}; give that day or a later one.", on=clock.started_on))


def _refuse_late(clock: Clock, on: dt.date) -> None:
    if clock.due_on is not None and on > clock.due_on:
        raise Refused(Sentence("The clock ran out at the end of {on}.", on=clock.due_on))


def _expect(clock: Clock, *states: State) -> None:
    if clock.state not in states:
        message = f"clock {clock.id} is {clock.state}, not {' or '.join(states)}"
        raise ValueError(message)


def _iso(on: dt.date | None) -> str | None:
    return on.isoformat() if on else None


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
