"""When the owner of a legal clock is reminded: some days before, on the day, and then the head of its office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.calendar import Calendar
from services.kernel.clock import Clock

BEFORE, DUE, HEAD = "before", "due", "head"
_A_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Ladder:
    """The rungs: `before` in days of the clock's own unit, `head` in the same after a day that was missed."""

    before: tuple[int, ...] = (10, 5, 2)
    head: int = 5


@dataclass(frozen=True)
class Rung:
    """One reminder; `days_left` counts the clock's own days up to its due day `due_on`, negative after it."""

    kind: str
    days_left: int
    on: dt.date
    due_on: dt.date

    @property
    def name(self) -> str:
        """What it is claimed under, once for ever: a clock that is due on another day reminds anew."""
        return f"{self.kind}{abs(self.days_left) or ''}@{self.due_on.isoformat()}"


def rungs(clock: Clock, before: Sequence[int], head: int | None, calendar: Calendar) -> list[Rung]:
    """The reminders of a clock, oldest first: none for one that stands still, was met or cancelled.

    A rung that would lie on the clock's first day or before it is left out. `head` None: nobody is told
    of a missed day, because nothing is owed any more.
    """
    due_on = clock.due_on
    if due_on is None or clock.state not in ("running", "expired"):
        return []
    found = [Rung(HEAD, -head, _days_from(clock, head, calendar), due_on)] if head is not None else []
    if clock.state == "running":
        found += [Rung(BEFORE, days, _days_from(clock, -days, calendar), due_on) for days in before]
        found.append(Rung(DUE, 0, due_on, due_on))
    return sorted((each for each in found if each.on > clock.started_on), key=lambda each: (each.on, -each.days_left))


def newest(ladder: Sequence[Rung], today: dt.date) -> Rung | None:
    """The rung that is due and not overtaken by a later one: after days of downtime only the last is told."""
    return next((each for each in reversed(ladder) if each.on <= today), None)


def following(ladder: Sequence[Rung], today: dt.date) -> dt.date | None:
    """The day of the next rung after today."""
    return next((each.on for each in ladder if each.on > today), None)


def _days_from(clock: Clock, days: int, calendar: Calendar) -> dt.date:
    """The day that lies so many of the clock's own days after its due day, or before it."""
    if clock.due_on is None:
        message = f"clock {clock.id} has no due date"
        raise ValueError(message)
    if clock.unit == "calendar_day":
        return clock.due_on + dt.timedelta(days=days)
    step = _A_DAY if days > 0 else -_A_DAY
    on, left = clock.due_on, abs(days)
    while left:
        on += step
        left -= calendar.is_working_day(on)
    return on
