"""What a legal clock promises."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.kernel.calendar import AddedDay, Calendar, Rules, Unit
from services.kernel.clock import (
    Clock,
    Pause,
    cancel,
    days_left,
    expire,
    explain,
    extend,
    is_past,
    meet,
    pause,
    recount,
    resume,
    start,
    start_until,
)
from services.kernel.errors import Invalid, Refused

DAY = timedelta(days=1)
STATUTORY = Calendar(version="1")
MONDAY = date(2026, 6, 1)
DUE = date(2026, 6, 8)
AFTER = date(2026, 6, 9)


def commission(**changes: Any) -> Clock:
    """Five working days of the commission from Monday 1 June 2026, due on Monday 8 June."""
    given_fields: dict[str, Any] = {
        "id": "c1",
        "kind": "COMMISSION_REPORT",
        "article": "5393/24",
        "whose": "commission_rapporteur",
        "started_on": MONDAY,
        "length": 5,
        "unit": "working_day",
        "effect": "onto_the_agenda",
        "on_expiry": "lapse_commission",
        "stages": ("commission_review",),
    }
    return start(STATUTORY, **(given_fields | changes))


def holiday(on: date) -> AddedDay:
    """An added holiday."""
    return AddedDay(on, "holiday", "Tatil", "Karar 1")


def test_a_new_clock_runs_towards_its_due_day() -> None:
    clock = commission()
    assert ("running", DUE, "1", ()) == (clock.state, clock.due_on, clock.calendar_version, clock.pauses)


def test_a_clock_that_cannot_be_counted_does_not_start() -> None:
    with pytest.raises(Invalid):
        commission(length=0)


def test_a_clock_with_a_fixed_day_is_due_on_it_whatever_day_that_is() -> None:
    sunday = date(2026, 11, 1)
    clock = start_until(
        sunday, STATUTORY, id="t", kind="TERM", article="", whose="unit_officer", started_on=date(2026, 1, 1)
    )
    assert (sunday, 304, "calendar_day") == (clock.due_on, clock.length, clock.unit)
    assert clock is recount(clock, Calendar(added=[holiday(sunday)], version="2"))


def test_a_clock_cannot_be_due_before_it_starts() -> None:
    with pytest.raises(Invalid):
        start_until(MONDAY, STATUTORY, id="t", kind="TERM", article="", whose="unit_officer", started_on=MONDAY)


def test_a_clock_may_be_met_on_its_due_day() -> None:
    met = meet(commission(), DUE)
    assert ("met", DUE, DUE) == (met.state, met.met_on, met.due_on)


def test_a_clock_is_past_only_on_the_day_after_its_due_day() -> None:
    assert not is_past(commission(), DUE)
    assert is_past(commission(), AFTER)


@pytest.mark.parametrize("end", [lambda clock: meet(clock, DUE), cancel, expire])
def test_a_clock_that_has_ended_is_never_past(end: Callable[[Clock], Clock]) -> None:
    assert not is_past(end(commission()), AFTER)


def test_a_standing_clock_has_no_due_day_and_is_never_past() -> None:
    standing = pause(commission(), date(2026, 6, 3), "belge istendi", STATUTORY)
    assert ("paused", None) == (standing.state, standing.due_on)
    assert (Pause(date(2026, 6, 3), None, "belge istendi"),) == standing.pauses
    assert not is_past(standing, date(2030, 1, 1))


def test_a_resumed_clock_has_the_days_it_had_left() -> None:
    standing = pause(commission(), date(2026, 6, 3), "belge istendi", STATUTORY)
    running = resume(standing, date(2026, 6, 15), STATUTORY)
    assert ("running", date(2026, 6, 18)) == (running.state, running.due_on)
    assert (Pause(date(2026, 6, 3), date(2026, 6, 15), "belge istendi"),) == running.pauses


def test_a_clock_paused_on_its_due_day_is_due_on_the_day_it_runs_again() -> None:
    standing = pause(commission(), DUE, "belge istendi", STATUTORY)
    assert date(2026, 6, 22) == resume(standing, date(2026, 6, 22), STATUTORY).due_on


def test_a_pause_of_no_days_changes_no_due_day() -> None:
    standing = pause(commission(), date(2026, 6, 3), "yanlışlıkla", STATUTORY)
    assert DUE == resume(standing, date(2026, 6, 3), STATUTORY).due_on


def test_a_standing_clock_may_be_met() -> None:
    standing = pause(commission(), date(2026, 6, 3), "belge istendi", STATUTORY)
    met = meet(standing, date(2026, 7, 1))
    assert ("met", date(2026, 7, 1)) == (met.state, met.met_on)


def test_a_second_pause_begins_at_the_end_of_the_first_or_later() -> None:
    first = resume(pause(commission(), date(2026, 6, 3), "bir", STATUTORY), date(2026, 6, 5), STATUTORY)
    with pytest.raises(Refused):
        pause(first, date(2026, 6, 4), "iki", STATUTORY)
    assert ["bir", "iki"] == [entry.reason for entry in pause(first, date(2026, 6, 5), "iki", STATUTORY).pauses]


def test_days_outside_the_run_of_a_clock_are_refused() -> None:
    clock = commission()
    standing = pause(clock, date(2026, 6, 3), "belge istendi", STATUTORY)
    refusals: tuple[Callable[[], Clock], ...] = (
        lambda: pause(clock, MONDAY - DAY, "erken", STATUTORY),
        lambda: pause(clock, AFTER, "geç", STATUTORY),
        lambda: meet(clock, MONDAY - DAY),
        lambda: meet(clock, AFTER),
        lambda: resume(standing, date(2026, 6, 2), STATUTORY),
    )
    for refused in refusals:
        with pytest.raises(Refused):
            refused()


@pytest.mark.parametrize("end", [lambda clock: meet(clock, DUE), cancel, expire])
def test_a_clock_that_has_ended_stays_ended(end: Callable[[Clock], Clock]) -> None:
    ended = end(commission())
    refusals: tuple[Callable[[], Clock], ...] = (
        lambda: pause(ended, MONDAY, "x", STATUTORY),
        lambda: resume(ended, MONDAY, STATUTORY),
        lambda: meet(ended, MONDAY),
    )
    for refused in refusals:
        with pytest.raises(Refused):
            refused()
    for bug in (expire, cancel):
        with pytest.raises(ValueError, match=f"c1 is {ended.state}"):
            bug(ended)


def test_a_running_clock_is_not_resumed_and_a_standing_one_neither_paused_nor_expired() -> None:
    clock = commission()
    standing = pause(clock, date(2026, 6, 3), "belge istendi", STATUTORY)
    with pytest.raises(Refused):
        resume(clock, DUE, STATUTORY)
    with pytest.raises(Refused):
        pause(standing, date(2026, 6, 4), "yine", STATUTORY)
    with pytest.raises(ValueError, match="c1 is paused"):
        expire(standing)
    assert cancel(standing).state == "cancelled"


def test_a_new_holiday_moves_the_due_day_of_an_open_clock() -> None:
    changed = Calendar(added=[holiday(date(2026, 6, 4))], version="2")
    moved = recount(commission(), changed)
    assert (AFTER, "2") == (moved.due_on, moved.calendar_version)


def test_a_change_elsewhere_in_the_calendar_leaves_the_very_same_clock() -> None:
    clock = commission()
    assert clock is recount(clock, Calendar(added=[holiday(date(2026, 7, 1))], version="2"))


def test_an_ended_clock_keeps_its_due_day() -> None:
    changed = Calendar(added=[holiday(date(2026, 6, 4))], version="2")
    for ended in (meet(commission(), DUE), expire(commission()), cancel(commission())):
        assert ended is recount(ended, changed)


def test_a_clock_explains_its_due_day_with_its_pauses() -> None:
    clock = resume(pause(commission(), date(2026, 6, 3), "belge", STATUTORY), date(2026, 6, 5), STATUTORY)
    period = explain(clock, STATUTORY)
    assert clock.due_on == period.due_on
    assert [date(2026, 6, 3), date(2026, 6, 4)] == [
        day.date for day in period.days if str(day.reason) == "The clock stands still."
    ]


@pytest.mark.parametrize(
    ("today", "working", "calendar_days"),
    [(MONDAY, 5, 7), (date(2026, 6, 5), 1, 3), (date(2026, 6, 7), 1, 1), (DUE, 0, 0), (date(2026, 6, 10), -2, -2)],
)
def test_days_left_are_of_the_clocks_unit(today: date, working: int, calendar_days: int) -> None:
    assert working == days_left(commission(), today, STATUTORY)
    assert calendar_days == days_left(commission(unit="calendar_day", length=7), today, STATUTORY)


def test_only_a_running_clock_has_days_left() -> None:
    standing = pause(commission(), date(2026, 6, 3), "belge istendi", STATUTORY)
    for clock in (standing, cancel(standing), meet(commission(), DUE), expire(commission())):
        assert days_left(clock, MONDAY, STATUTORY) is None


def test_the_recess_rule_of_a_clock_outlives_storing_it() -> None:
    suit = commission(kind="SUIT", length=60, unit="calendar_day", judicial_recess=True)
    assert date(2026, 9, 7) == suit.due_on
    assert date(2026, 9, 7) == explain(Clock.from_plain(suit.to_plain()), STATUTORY).due_on


def test_fields_that_have_a_default_may_be_missing_in_the_plain_form() -> None:
    plain = commission(effect="", on_expiry=None, stages=()).to_plain()
    for name in ("effect", "on_expiry", "pauses", "met_on", "roll_over", "judicial_recess", "stages"):
        del plain[name]
    assert commission(effect="", on_expiry=None, stages=()) == Clock.from_plain(plain)


@given(st.integers(0, 6), st.integers(0, 30), st.sampled_from(["running", "paused", "met", "cancelled"]))
def test_a_clock_comes_back_from_its_plain_form(after: int, days: int, state: str) -> None:
    standing = pause(commission(), MONDAY + after * DAY, "belge istendi", STATUTORY)
    running = resume(standing, MONDAY + (after + days) * DAY, STATUTORY)
    assert running.due_on is not None
    clock = {
        "running": running,
        "paused": standing,
        "met": meet(running, running.due_on),
        "cancelled": cancel(standing),
    }[state]
    assert clock == Clock.from_plain(json.loads(json.dumps(clock.to_plain())))


class ClockAgainstDayByDayCount(RuleBasedStateMachine):
    """One clock lives from day to day; beside it stands a count that knows only days on which it stood still."""

    @initialize(
        started_on=st.dates(date(2025, 1, 1), date(2029, 1, 1)),
        length=st.integers(1, 40),
        unit=st.sampled_from(["working_day", "calendar_day"]),
        roll_over=st.booleans(),
        half_day_is_working_day=st.booleans(),
    )
    def begin(
        self, started_on: date, length: int, unit: Unit, *, roll_over: bool, half_day_is_working_day: bool
    ) -> None:
        self.counting = Rules(half_day_is_working_day=half_day_is_working_day)
        self.added: list[AddedDay] = []
        self.calendar = Calendar(self.counting, (), "0")
        self.today = started_on
        self.stood: set[date] = set()
        self.state = "running"
        self.clock = start(
            self.calendar,
            id="c",
            kind="K",
            article="",
            whose="mayor",
            started_on=started_on,
            length=length,
            unit=unit,
            roll_over=roll_over,
        )
        self.born = self.clock

    def counted_due_on(self) -> date:
        """The due day by hand; only right while the clock runs."""
        on, left, works = self.born.started_on, self.born.length, self.born.unit == "working_day"
        while left:
            on += DAY
            if on not in self.stood and (not works or self.calendar.day(on).counts_as_working):
                left -= 1
        while self.born.roll_over and (on in self.stood or not self.calendar.day(on).counts_as_working):
            on += DAY
        return on

    @property
    def is_open(self) -> bool:
        return self.state in ("running", "paused")

    @rule(days=st.integers(1, 12))
    def a_day_passes(self, days: int) -> None:
        for _ in range(days):
            if self.state == "paused":
                self.stood.add(self.today)
            self.today += DAY
            past = self.state == "running" and self.counted_due_on() < self.today
            assert past == is_past(self.clock, self.today)
            if past:
                self.clock, self.state = expire(self.clock), "expired"

    @rule()
    def it_is_paused(self) -> None:
        if self.state == "running":
            self.clock, self.state = pause(self.clock, self.today, "belge", self.calendar), "paused"
        else:
            with pytest.raises(Refused):
                pause(self.clock, self.today, "belge", self.calendar)

    @rule()
    def it_is_resumed(self) -> None:
        if self.state == "paused":
            self.clock, self.state = resume(self.clock, self.today, self.calendar), "running"
        else:
            with pytest.raises(Refused):
                resume(self.clock, self.today, self.calendar)

    @rule(in_days=st.integers(0, 40))
    def a_holiday_is_added(self, in_days: int) -> None:
        before = self.clock
        self.added.append(holiday(self.today + in_days * DAY))
        self.calendar = Calendar(self.counting, self.added, str(len(self.added)))
        self.clock = recount(before, self.calendar)
        assert (before is self.clock) == (before.due_on == self.clock.due_on)

    @precondition(lambda self: self.today > self.born.started_on + 5 * DAY)
    @rule()
    def it_is_met(self) -> None:
        if self.is_open:
            self.clock, self.state = meet(self.clock, self.today), "met"
        else:
            with pytest.raises(Refused):
                meet(self.clock, self.today)

    @precondition(lambda self: self.is_open and self.today > self.born.started_on + 10 * DAY)
    @rule()
    def it_is_cancelled(self) -> None:
        self.clock, self.state = cancel(self.clock), "cancelled"

    @invariant()
    def the_two_agree(self) -> None:
        assert self.state == self.clock.state
        if self.state == "running":
            assert self.counted_due_on() == self.clock.due_on
            assert self.clock.due_on >= self.today
            left = days_left(self.clock, self.today, self.calendar)
            assert left is not None
            assert left >= 0
        if self.state == "paused":
            assert self.clock.due_on is None
        if self.is_open:
            assert self.clock.due_on == explain(self.clock, self.calendar).due_on

    @invariant()
    def the_ledger_is_in_order_and_only_the_last_entry_may_be_open(self) -> None:
        days = [on for entry in self.clock.pauses for on in (entry.from_on, entry.to_on)]
        closed = [on for on in days if on is not None]
        assert sorted(closed) == closed
        assert None not in days[:-1]
        if self.is_open:
            assert (self.state == "paused") == (None in days)

    @invariant()
    def what_the_law_gave_never_changes(self) -> None:
        changing: dict[str, Any] = {
            "state": self.clock.state,
            "due_on": self.clock.due_on,
            "pauses": self.clock.pauses,
            "met_on": self.clock.met_on,
            "calendar_version": self.clock.calendar_version,
        }
        assert replace(self.born, **changing) == self.clock

    @invariant()
    def it_survives_storing(self) -> None:
        assert self.clock == Clock.from_plain(json.loads(json.dumps(self.clock.to_plain())))


TestClockAgainstDayByDayCount = ClockAgainstDayByDayCount.TestCase


def test_an_extended_clock_has_its_new_budget_from_the_same_start() -> None:
    longer = extend(commission(), 10, STATUTORY)
    assert (10, commission().started_on) == (longer.length, longer.started_on)
    assert STATUTORY.deadline(longer.started_on, 10, "working_day").due_on == longer.due_on


def test_a_clock_that_has_ended_is_not_extended() -> None:
    with pytest.raises(Refused):
        extend(cancel(commission()), 10, STATUTORY)
