"""When the owner of a clock is reminded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel import clock as clocks
from services.kernel.calendar import Calendar, Unit
from services.kernel.clock import Clock
from services.kernel.reminder import Ladder, Rung, following, newest, rungs

CALENDAR = Calendar()
LADDER = Ladder()
START = date(2026, 9, 7)


def clock(length: int = 30, unit: Unit = "calendar_day", on: date = START) -> Clock:
    return clocks.start(
        CALENDAR, id="c", kind="K", article="", whose="mayor", started_on=on, length=length, unit=unit
    )  # fmt: skip


def told(each: Clock, head: int | None = 5) -> list[tuple[str, int]]:
    return [(rung.kind, rung.days_left) for rung in rungs(each, LADDER.before, head, CALENDAR)]


def test_the_owner_is_reminded_ten_five_and_two_days_before_and_on_the_day() -> None:
    assert [("before", 10), ("before", 5), ("before", 2), ("due", 0), ("head", -5)] == told(clock())


def test_a_short_clock_has_only_the_reminders_that_fit_into_it() -> None:
    assert [("before", 2), ("due", 0), ("head", -5)] == told(clock(4))


@pytest.mark.parametrize("state", ["paused", "met", "cancelled"])
def test_nothing_is_sent_about_a_clock_that_does_not_run(state: clocks.State) -> None:
    assert [] == told(replace(clock(), state=state))


def test_a_clock_that_ran_out_goes_to_the_head_of_the_office_only() -> None:
    assert [("head", -5)] == told(replace(clock(), state="expired"))


def test_where_nothing_is_owed_the_head_hears_nothing() -> None:
    assert [] == told(replace(clock(), state="expired"), head=None)


def test_working_days_are_counted_where_the_clock_counts_them() -> None:
    # 15 working days from Monday 7 September are due on Monday the 28th; two before is Thursday the 24th.
    ladder = rungs(clock(15, "working_day"), LADDER.before, None, CALENDAR)
    assert [date(2026, 9, 14), date(2026, 9, 21), date(2026, 9, 24), date(2026, 9, 28)] == [each.on for each in ladder]


def test_after_downtime_the_newest_reminder_counts() -> None:
    ladder = rungs(clock(), LADDER.before, 5, CALENDAR)
    due = clock().due_on
    assert due is not None
    assert Rung("due", 0, due, due) == newest(ladder, due + timedelta(days=1))


@given(
    st.integers(1, 60), st.sampled_from(["calendar_day", "working_day"]), st.dates(date(2025, 1, 2), date(2027, 6, 1))
)
def test_every_reminder_comes_on_its_day_and_the_next_one_after_it(length: int, unit: Unit, on: date) -> None:
    ladder = rungs(clock(length, unit, on), LADDER.before, 5, CALENDAR)
    assert sorted(each.on for each in ladder) == [each.on for each in ladder]
    assert len({each.name for each in ladder}) == len(ladder)
    day: date | None = on
    seen = []
    while (day := following(ladder, day)) is not None:
        found = newest(ladder, day)
        assert found is not None
        assert day == found.on
        seen.append(found)
    # Two reminders of the same day are told as the one that says more.
    assert {each.on for each in ladder} == {each.on for each in seen}


@given(st.integers(3, 60), st.dates(date(2025, 1, 2), date(2027, 6, 1)))
def test_days_left_are_the_clocks_own(length: int, on: date) -> None:
    counted = clock(length, "working_day", on)
    for rung in rungs(counted, LADDER.before, None, CALENDAR):
        assert rung.days_left == clocks.days_left(counted, rung.on, CALENDAR)
