"""What the calendar promises about days and periods."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.kernel.calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    LONGEST,
    AddedDay,
    Calendar,
    PauseSpan,
    Rules,
    Unit,
    today_in_istanbul,
)
from services.kernel.errors import Invalid
from services.kernel.text import Sentence

DAY = timedelta(days=1)
STATUTORY = Calendar()

# domain.md §5, typed in by hand: the oracle for 2025 to 2030.
RAMAZAN = [
    date(2025, 3, 30),
    date(2026, 3, 20),
    date(2027, 3, 9),
    date(2028, 2, 26),
    date(2029, 2, 14),
    date(2030, 2, 4),
]
KURBAN = [
    date(2025, 6, 6),
    date(2026, 5, 27),
    date(2027, 5, 16),
    date(2028, 5, 5),
    date(2029, 4, 24),
    date(2030, 4, 13),
]
FIXED = [(1, 1), (4, 23), (5, 1), (5, 19), (7, 15), (8, 30), (10, 29)]
ORACLE_YEARS = range(2025, 2031)
HOLIDAYS = (
    {date(year, month, day) for year in ORACLE_YEARS for month, day in FIXED}
    | {first + n * DAY for first in RAMAZAN for n in range(3)}
    | {first + n * DAY for first in KURBAN for n in range(4)}
)
HALF_DAYS = ({first - DAY for first in RAMAZAN + KURBAN} | {date(year, 10, 28) for year in ORACLE_YEARS}) - HOLIDAYS

starts = st.dates(date(2011, 1, 1), date(2055, 12, 31))
oracle_starts = st.dates(date(2025, 1, 1), date(2029, 6, 30))
lengths = st.integers(1, 120)
units = st.sampled_from(["working_day", "calendar_day"])
rules = st.builds(
    Rules,
    half_day_is_working_day=st.booleans(),
    administrative_leave_is_holiday=st.booleans(),
    weekend=st.sampled_from([(5, 6), (6,), ()]),
    roll_over=st.booleans(),
)
added_kinds = st.sampled_from(["holiday", "half_day", "administrative_leave"])


def added_near(start: date) -> st.SearchStrategy[list[AddedDay]]:
    """Some added days in the half year after `start`."""
    days = st.integers(0, 180).map(lambda n: start + n * DAY)
    return st.lists(st.builds(AddedDay, days, added_kinds, st.just("Tatil"), st.just("Karar")), max_size=8)


def pauses_near(start: date) -> st.SearchStrategy[list[PauseSpan]]:
    """Some closed pauses, perhaps overlapping, in the months after `start`."""
    spans = st.tuples(st.integers(-5, 120), st.integers(0, 40))
    return st.lists(spans.map(lambda span: (start + span[0] * DAY, start + (span[0] + span[1]) * DAY)), max_size=4)


def added(on: date, kind: str = "holiday") -> AddedDay:
    """One added day."""
    return AddedDay(on, kind, "Mahallî kurtuluş günü", "Karar 1")  # type: ignore[arg-type]


# --- which days are worked ---------------------------------------------------------------------


@pytest.mark.parametrize("first", RAMAZAN)
def test_ramazan_is_three_days_after_a_half_day(first: date) -> None:
    kinds = [STATUTORY.day(first + n * DAY).kind for n in range(-1, 3)]
    assert ["half_day", "holiday", "holiday", "holiday"] == kinds
    assert Sentence("Feast of Ramazan") == STATUTORY.day(first).name
    assert STATUTORY.day(first + 3 * DAY).name is None


@pytest.mark.parametrize("first", KURBAN)
def test_kurban_is_four_days_after_an_eve(first: date) -> None:
    eve = STATUTORY.day(first - DAY)
    assert Sentence("Eve of the feast of Kurban, from 13:00") in (eve.name, *eve.also)
    for n in range(4):
        day = STATUTORY.day(first + n * DAY)
        assert day.kind == "holiday"
        assert Sentence("Feast of Kurban") in (day.name, *day.also)
    assert STATUTORY.day(first + 4 * DAY).name is None


def test_every_day_of_2025_to_2030_is_as_the_law_lists_it() -> None:
    on = date(2025, 1, 1)
    while on.year <= ORACLE_YEARS[-1]:
        weekend = on.weekday() in (5, 6)
        expected = (
            "holiday" if on in HOLIDAYS else "half_day" if on in HALF_DAYS else "weekend" if weekend else "working"
        )
        assert (on, expected) == (on, STATUTORY.day(on).kind)
        assert (on, on not in HOLIDAYS and not weekend) == (on, STATUTORY.is_working_day(on))
        on += DAY


def test_the_days_of_a_year_are_its_statutory_days_in_order() -> None:
    for year in ORACLE_YEARS:
        expected = sorted(on for on in HOLIDAYS | HALF_DAYS if on.year == year)
        assert expected == [day.on for day in STATUTORY.days(year)]
        assert {"2429"} == {day.source for day in STATUTORY.days(year)}


def test_republic_day_begins_on_28_october_at_13() -> None:
    day = STATUTORY.day(date(2026, 10, 28))
    assert ("half_day", Sentence("Eve of Republic Day, from 13:00"), True) == (
        day.kind,
        day.name,
        day.counts_as_working,
    )


def test_19_may_2027_is_also_the_fourth_day_of_kurban() -> None:
    day = STATUTORY.day(date(2027, 5, 19))
    assert Sentence("Commemoration of Atatürk, Youth and Sports Day") == day.name
    assert (Sentence("Feast of Kurban"),) == day.also
    assert not day.counts_as_working


def test_23_april_2029_is_a_full_holiday_although_also_an_eve() -> None:
    day = STATUTORY.day(date(2029, 4, 23))
    assert ("holiday", False) == (day.kind, day.counts_as_working)
    assert Sentence("National Sovereignty and Children's Day") == day.name
    assert (Sentence("Eve of the feast of Kurban, from 13:00"),) == day.also


def test_a_half_day_on_a_weekend_is_not_worked() -> None:
    day = STATUTORY.day(date(2028, 10, 28))
    assert ("half_day", False) == (day.kind, day.counts_as_working)


def test_feasts_after_the_announced_years_are_named_as_calculated() -> None:
    names = {str(day.name) for day in STATUTORY.days(2034)}
    assert "Feast of Ramazan (calculated date)" in names
    assert "Feast of Ramazan" not in names


def test_every_statutory_day_of_every_year_has_a_name_that_can_be_translated() -> None:
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        for day in STATUTORY.days(year):
            for name in (day.name, *day.also):
                assert name is not None
                assert "Bayram" not in name.template
                assert "Gün" not in name.template


def test_the_saturday_after_a_friday_holiday_matters_only_where_saturdays_are_worked() -> None:
    friday, saturday = date(2026, 5, 1), date(2026, 5, 2)
    six_days = Calendar(Rules(weekend=(6,)))
    assert STATUTORY.day(saturday).kind == "weekend"
    assert six_days.day(friday).kind == "holiday"
    assert six_days.day(saturday).kind == "holiday"
    assert Sentence("Saturday after a holiday that ended on a Friday") == six_days.day(saturday).name
    assert six_days.is_working_day(saturday + 7 * DAY)


def test_a_holiday_that_goes_on_past_friday_has_no_saturday_after_it() -> None:
    day = Calendar(Rules(weekend=(6,))).day(date(2026, 5, 30))
    assert (Sentence("Feast of Kurban"), ()) == (day.name, day.also)


def test_an_added_holiday_is_not_worked() -> None:
    calendar = Calendar(added=[added(date(2026, 9, 9))])
    day = calendar.day(date(2026, 9, 9))
    assert ("holiday", False, "Karar 1") == (day.kind, day.counts_as_working, day.source)
    assert "Mahallî kurtuluş günü" == str(day.name)
    assert day in calendar.days(2026)


def test_administrative_leave_is_worked_unless_the_rules_say_otherwise() -> None:
    on = date(2026, 5, 25)
    leave = [added(on, "administrative_leave")]
    assert Calendar(added=leave).day(on).counts_as_working
    assert not Calendar(Rules(administrative_leave_is_holiday=True), leave).day(on).counts_as_working


def test_anything_that_stops_work_decides_before_anything_that_does_not() -> None:
    on = date(2026, 5, 26)
    calendar = Calendar(Rules(administrative_leave_is_holiday=True), [added(on, "administrative_leave")])
    day = calendar.day(on)
    assert ("administrative_leave", False) == (day.kind, day.counts_as_working)
    assert (Sentence("Eve of the feast of Kurban, from 13:00"),) == day.also


def test_the_next_working_day_is_never_the_day_itself() -> None:
    assert date(2026, 6, 1) == STATUTORY.next_working_day(date(2026, 5, 26))
    assert date(2026, 6, 2) == STATUTORY.next_working_day(date(2026, 6, 1))


@given(rules=rules, data=st.data(), start=starts)
def test_a_day_is_worked_as_its_description_says(rules: Rules, data: st.DataObject, start: date) -> None:
    calendar = Calendar(rules, data.draw(added_near(start)))
    on = start + data.draw(st.integers(0, 200)) * DAY
    day = calendar.day(on)
    assert day.counts_as_working == calendar.is_working_day(on)
    assert (day.kind in ("working", "weekend")) == (day not in calendar.days(on.year))
    if day.kind in ("weekend", "holiday"):
        assert not day.counts_as_working


# --- working days ------------------------------------------------------------------------------


@given(starts, st.integers(0, 200))
def test_counting_back_finds_as_many_working_days_as_were_added(start: date, n: int) -> None:
    end = STATUTORY.add_working_days(start, n)
    assert n == STATUTORY.working_days_between(start, end)
    assert -n == STATUTORY.working_days_between(end, start)
    assert n == 0 or STATUTORY.is_working_day(end)


@given(starts, st.integers(0, 100), st.integers(0, 100))
def test_adding_working_days_in_two_steps_adds_up(start: date, first: int, second: int) -> None:
    stop = STATUTORY.add_working_days(start, first)
    assert STATUTORY.add_working_days(start, first + second) == STATUTORY.add_working_days(stop, second)


@given(starts, st.integers(0, 300), st.integers(0, 300))
def test_a_split_interval_has_the_working_days_of_its_parts(start: date, first: int, second: int) -> None:
    middle, end = start + first * DAY, start + (first + second) * DAY
    parts = STATUTORY.working_days_between(start, middle) + STATUTORY.working_days_between(middle, end)
    assert parts == STATUTORY.working_days_between(start, end)


@given(starts, lengths)
def test_a_period_of_working_days_ends_where_adding_them_ends(start: date, n: int) -> None:
    assert STATUTORY.add_working_days(start, n) == STATUTORY.deadline(start, n, "working_day").due_on


def test_working_days_are_not_added_backwards() -> None:
    with pytest.raises(ValueError, match="-1"):
        STATUTORY.add_working_days(date(2026, 1, 1), -1)


# --- periods -----------------------------------------------------------------------------------


def test_the_commission_has_until_3_june_from_22_may_2026() -> None:
    assert date(2026, 6, 3) == STATUTORY.deadline(date(2026, 5, 22), 5, "working_day").due_on


def test_the_mayor_has_until_2_november_from_27_october_2026() -> None:
    assert date(2026, 11, 2) == STATUTORY.deadline(date(2026, 10, 27), 5, "calendar_day").due_on


def test_a_petition_of_20_february_2026_is_answered_by_23_march() -> None:
    assert date(2026, 3, 23) == STATUTORY.deadline(date(2026, 2, 20), 30, "calendar_day").due_on


def test_an_eve_counts_as_a_working_day_unless_the_rules_say_otherwise() -> None:
    strict = Calendar(Rules(half_day_is_working_day=False))
    assert date(2026, 6, 4) == strict.deadline(date(2026, 5, 22), 5, "working_day").due_on
    assert date(2026, 10, 30) == strict.deadline(date(2026, 10, 27), 1, "calendar_day").due_on


def test_the_explanation_names_each_day_to_the_due_day() -> None:
    rows = [(day.date.isoformat(), day.counts, str(day.reason)) for day in
            STATUTORY.deadline(date(2026, 10, 27), 5, "calendar_day").days]  # fmt: skip
    assert [
        ("2026-10-27", False, "The day on which the period starts is not counted."),
        ("2026-10-28", True, "Day 1."),
        ("2026-10-29", True, "Day 2; days without work count too."),
        ("2026-10-30", True, "Day 3."),
        ("2026-10-31", True, "Day 4; days without work count too."),
        (
            "2026-11-01",
            True,
            "Day 5, the last; it is not a working day, so the period runs on to the next working day.",
        ),
        ("2026-11-02", False, "The period runs on to the end of this working day."),
    ] == rows


def test_the_explanation_of_working_days_names_holidays_weekends_and_half_days() -> None:
    days = STATUTORY.deadline(date(2026, 5, 22), 5, "working_day").days
    reasons = {day.date.day: str(day.reason) for day in days}
    assert reasons[23] == "Weekend."
    assert reasons[26] == "Working day 2; a half day counts as a working day."
    assert reasons[27] == "Feast of Kurban"
    assert reasons[1] == "Working day 3."


def test_a_term_fixed_by_agreement_ends_on_its_last_day_whatever_day_that_is() -> None:
    sunday = date(2026, 11, 1)
    fixed = STATUTORY.deadline(date(2026, 10, 27), 5, "calendar_day", roll_over=False)
    assert sunday == fixed.due_on
    assert sunday == Calendar(Rules(roll_over=False)).deadline(date(2026, 10, 27), 5, "calendar_day").due_on


def test_a_period_of_law_2577_rolls_over_even_where_the_analogy_is_not_followed() -> None:
    calendar = Calendar(Rules(roll_over=False))
    assert date(2026, 11, 2) == calendar.deadline(date(2026, 10, 27), 5, "calendar_day", judicial_recess=True).due_on


@pytest.mark.parametrize(
    ("last", "due_on"),
    [
        (date(2027, 7, 19), date(2027, 7, 19)),
        (date(2027, 7, 20), date(2027, 9, 7)),
        (date(2027, 8, 31), date(2027, 9, 7)),
        (date(2027, 9, 1), date(2027, 9, 1)),
        (date(2026, 7, 18), date(2026, 9, 7)),  # Saturday; the working day after it lies in the recess
        (date(2030, 8, 31), date(2030, 9, 9)),  # Saturday in the recess; 7 September is a Saturday too
    ],
)
def test_an_end_in_the_judicial_recess_becomes_7_september(last: date, due_on: date) -> None:
    period = STATUTORY.deadline(last - 60 * DAY, 60, "calendar_day", judicial_recess=True)
    assert due_on == period.due_on
    assert period.days[-1].date == due_on


def test_the_explanation_tells_the_recess_from_the_seven_days_after_it() -> None:
    period = STATUTORY.deadline(date(2027, 6, 20), 40, "calendar_day", judicial_recess=True)
    reasons = {(day.date.month, day.date.day): str(day.reason) for day in period.days}
    assert (
        "Day 40, the last; it falls into the judicial recess, so seven days are added after the recess."
        == (reasons[(7, 30)])
    )
    assert "Judicial recess." == reasons[(7, 31)] == reasons[(8, 31)]
    assert "One of the seven days added after the judicial recess." == reasons[(9, 1)] == reasons[(9, 6)]
    assert "The seventh day after the judicial recess; the period ends with this day." == reasons[(9, 7)]


def test_a_day_in_the_recess_is_left_alone_without_the_option() -> None:
    assert date(2027, 7, 20) == STATUTORY.deadline(date(2027, 7, 10), 10, "calendar_day").due_on


def test_a_period_does_not_end_inside_a_pause() -> None:
    friday = date(2026, 6, 5)
    sunday, thursday = date(2026, 6, 7), date(2026, 6, 11)
    ends_on_saturday = STATUTORY.deadline(friday, 1, "calendar_day", pauses=[(sunday, thursday)])
    assert thursday == ends_on_saturday.due_on


def test_an_open_pause_leaves_no_due_day() -> None:
    start = date(2026, 6, 1)
    period = STATUTORY.deadline(start, 5, "working_day", pauses=[(date(2026, 6, 3), None)])
    assert period.due_on is None
    assert (date(2026, 6, 3), False, Sentence("The clock stands still.")) == tuple(period.days[-1])


def test_an_open_pause_ends_the_explanation_even_inside_a_closed_one() -> None:
    pauses = [(date(2026, 6, 2), date(2026, 6, 20)), (date(2026, 6, 4), None)]
    period = STATUTORY.deadline(date(2026, 6, 1), 5, "working_day", pauses=pauses)
    assert date(2026, 6, 4) == period.days[-1].date


def test_an_open_pause_after_the_end_changes_nothing() -> None:
    start = date(2026, 6, 1)
    assert date(2026, 6, 8) == STATUTORY.deadline(start, 5, "working_day", pauses=[(date(2026, 6, 9), None)]).due_on
    assert STATUTORY.deadline(start, 5, "working_day", pauses=[(date(2026, 6, 8), None)]).due_on is None


@pytest.mark.parametrize(
    ("start", "length", "unit", "field"),
    [
        (date(FIRST_YEAR - 1, 12, 31), 5, "working_day", "start"),
        (date(LAST_YEAR + 1, 1, 1), 5, "working_day", "start"),
        (date(2026, 1, 1), 0, "working_day", "length"),
        (date(2026, 1, 1), LONGEST + 1, "calendar_day", "length"),
        (date(2026, 1, 1), True, "calendar_day", "length"),
        (date(2026, 1, 1), 5, "month", "unit"),
    ],
)
def test_a_period_that_cannot_be_counted_is_invalid(start: date, length: int, unit: Unit, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        STATUTORY.deadline(start, length, unit)
    assert [field] == [error["field"] for error in caught.value.details["errors"]]


@pytest.mark.parametrize("unit", ["working_day", "calendar_day"])
def test_a_period_that_runs_past_the_known_years_is_invalid(unit: Unit) -> None:
    with pytest.raises(Invalid):
        STATUTORY.deadline(date(LAST_YEAR, 12, 1), 60, unit)
    with pytest.raises(Invalid):
        STATUTORY.deadline(date(2026, 1, 1), 6, unit, pauses=[(date(2026, 1, 3), date(9999, 12, 31))])
    with pytest.raises(Invalid):
        STATUTORY.days(LAST_YEAR + 1)


def test_the_longest_period_is_counted() -> None:
    assert date(2036, 1, 8) == STATUTORY.deadline(date(2025, 12, 31), LONGEST, "calendar_day", roll_over=False).due_on
    assert LONGEST == sum(day.counts for day in STATUTORY.deadline(date(2025, 1, 1), LONGEST, "working_day").days)


def test_contradictions_in_a_call_are_bugs() -> None:
    start = date(2026, 1, 1)
    with pytest.raises(ValueError, match="2577"):
        STATUTORY.deadline(start, 5, "working_day", judicial_recess=True)
    with pytest.raises(ValueError, match="2577"):
        STATUTORY.deadline(start, 5, "calendar_day", roll_over=False, judicial_recess=True)
    with pytest.raises(ValueError, match="cannot end"):
        STATUTORY.deadline(start, 5, "calendar_day", pauses=[(start, start - DAY)])
    with pytest.raises(ValueError, match="weekend"):
        Rules(weekend=(0, 1, 2, 3, 4, 5, 6))
    with pytest.raises(ValueError, match="feast"):
        added(start, "feast")
    with pytest.raises(TypeError, match="moment"):
        STATUTORY.deadline(datetime(2026, 1, 1, tzinfo=UTC), 5, "calendar_day")


@given(oracle_starts, lengths, st.sets(st.integers(0, 150), max_size=20))
def test_working_days_agree_with_a_count_by_hand(start: date, length: int, leave: set[int]) -> None:
    calendar = Calendar(added=[added(start + n * DAY) for n in leave])
    free = HOLIDAYS | {start + n * DAY for n in leave}
    worked = [on for n in range(1, 500) if (on := start + n * DAY) not in free and on.weekday() < 5]
    assert worked[length - 1] == calendar.deadline(start, length, "working_day").due_on


@given(oracle_starts, lengths)
def test_calendar_days_agree_with_a_count_by_hand(start: date, length: int) -> None:
    last = start + length * DAY
    assert last == STATUTORY.deadline(start, length, "calendar_day", roll_over=False).due_on
    expected = next(on for n in range(30) if (on := last + n * DAY) not in HOLIDAYS and on.weekday() < 5)
    assert expected == STATUTORY.deadline(start, length, "calendar_day").due_on


@given(start=starts, length=lengths, unit=units, rules=rules, recess=st.booleans(), data=st.data())
def test_exactly_as_many_days_count_as_the_period_is_long(
    start: date, length: int, unit: Unit, rules: Rules, *, recess: bool, data: st.DataObject
) -> None:
    recess = recess and unit == "calendar_day"
    calendar = Calendar(rules, data.draw(added_near(start)))
    pauses = data.draw(pauses_near(start))
    period = calendar.deadline(start, length, unit, pauses=pauses, judicial_recess=recess)
    assert length == sum(day.counts for day in period.days)
    assert [start + n * DAY for n in range(len(period.days))] == [day.date for day in period.days]
    assert period.days[-1].date == period.due_on
    assert not any(
        day.counts and from_on <= day.date < to_on for day in period.days for from_on, to_on in pauses if to_on
    )
    if unit == "working_day" or rules.roll_over or recess:
        assert period.due_on is not None
        assert calendar.is_working_day(period.due_on)
    assert not (recess and (7, 20) <= (period.days[-1].date.month, period.days[-1].date.day) <= (8, 31))


@given(starts, lengths, units, rules, st.data())
def test_a_longer_period_never_ends_earlier(
    start: date, length: int, unit: Unit, rules: Rules, data: st.DataObject
) -> None:
    calendar, pauses = Calendar(rules, data.draw(added_near(start))), data.draw(pauses_near(start))
    shorter = calendar.deadline(start, length, unit, pauses=pauses).due_on
    longer = calendar.deadline(start, length + 1, unit, pauses=pauses).due_on
    assert shorter is not None
    assert longer is not None
    assert shorter <= longer
    assert unit == "calendar_day" or shorter < longer


@given(starts, lengths, units, rules, st.integers(1, 10), st.data())
def test_a_later_start_never_ends_earlier(
    start: date, length: int, unit: Unit, rules: Rules, delay: int, data: st.DataObject
) -> None:
    calendar, pauses = Calendar(rules, data.draw(added_near(start))), data.draw(pauses_near(start))
    sooner = calendar.deadline(start, length, unit, pauses=pauses).due_on
    later = calendar.deadline(start + delay * DAY, length, unit, pauses=pauses).due_on
    assert sooner is not None
    assert later is not None
    assert sooner <= later


@given(starts, lengths, units, rules, st.data())
def test_a_pause_never_brings_the_end_forward(
    start: date, length: int, unit: Unit, rules: Rules, data: st.DataObject
) -> None:
    calendar = Calendar(rules, data.draw(added_near(start)))
    first, second = data.draw(pauses_near(start)), data.draw(pauses_near(start))
    few = calendar.deadline(start, length, unit, pauses=first).due_on
    more = calendar.deadline(start, length, unit, pauses=first + second).due_on
    assert few is not None
    assert more is not None
    assert few <= more


@given(starts, lengths, units, st.data())
def test_only_the_days_of_the_pauses_matter_not_how_they_are_written(
    start: date, length: int, unit: Unit, data: st.DataObject
) -> None:
    pauses = data.draw(pauses_near(start))
    one_by_one = [
        (from_on + n * DAY, from_on + (n + 1) * DAY)
        for from_on, to_on in pauses
        if to_on is not None
        for n in range((to_on - from_on).days)
    ]
    shuffled = data.draw(st.permutations(one_by_one))
    expected = STATUTORY.deadline(start, length, unit, pauses=pauses)
    assert expected == STATUTORY.deadline(start, length, unit, pauses=shuffled)


@given(starts, lengths, st.integers(1, 120), st.integers(0, 60))
def test_a_pause_inside_a_fixed_term_lengthens_it_by_its_days(start: date, length: int, after: int, days: int) -> None:
    assume(after <= length)
    pause = (start + after * DAY, start + (after + days) * DAY)
    period = STATUTORY.deadline(start, length, "calendar_day", pauses=[pause], roll_over=False)
    assert start + (length + days) * DAY == period.due_on


@given(start=starts, length=lengths, unit=units, rules=rules, recess=st.booleans(), data=st.data())
def test_an_added_day_never_brings_the_end_forward(
    start: date, length: int, unit: Unit, rules: Rules, *, recess: bool, data: st.DataObject
) -> None:
    recess = recess and unit == "calendar_day"
    few = data.draw(added_near(start))
    more = few + data.draw(added_near(start))
    before = Calendar(rules, few).deadline(start, length, unit, judicial_recess=recess).due_on
    after = Calendar(rules, more).deadline(start, length, unit, judicial_recess=recess).due_on
    assert before is not None
    assert after is not None
    assert before <= after


def test_a_holiday_on_the_last_day_of_the_recess_does_not_lead_out_of_it() -> None:
    calendar = Calendar(added=[added(date(2026, 8, 31))])
    assert date(2026, 9, 7) == calendar.deadline(date(2026, 8, 1), 30, "calendar_day", judicial_recess=True).due_on


@given(starts, lengths, units)
def test_leaving_half_days_out_never_brings_the_end_forward(start: date, length: int, unit: Unit) -> None:
    counted = STATUTORY.deadline(start, length, unit).due_on
    left_out = Calendar(Rules(half_day_is_working_day=False)).deadline(start, length, unit).due_on
    assert counted is not None
    assert left_out is not None
    assert counted <= left_out


@given(starts, lengths, units, rules, st.data())
def test_two_calendars_of_the_same_days_agree_whatever_was_asked_before(
    start: date, length: int, unit: Unit, rules: Rules, data: st.DataObject
) -> None:
    days = data.draw(added_near(start))
    asked, fresh = Calendar(rules, days, "7"), Calendar(rules, reversed(days), "7")
    asked.days(2030)
    asked.deadline(date(2030, 1, 1), 40, unit)
    assert fresh.deadline(start, length, unit).due_on == asked.deadline(start, length, unit).due_on
    assert [day.counts for day in fresh.deadline(start, length, unit).days] == [
        day.counts for day in asked.deadline(start, length, unit).days
    ]


# --- plain forms and today ---------------------------------------------------------------------


def test_a_deadline_can_be_written_as_json() -> None:
    plain = json.loads(json.dumps(STATUTORY.deadline(date(2026, 10, 27), 5, "calendar_day").to_plain()))
    assert plain["due_on"] == "2026-11-02"
    assert {"date", "counts", "reason"} == set(plain["days"][0])
    assert date(2026, 10, 27) == Sentence.from_plain(plain["rule"]).values["start"]


def test_a_day_can_be_written_as_json() -> None:
    plain = json.loads(json.dumps(STATUTORY.day(date(2027, 5, 19)).to_plain()))
    assert ("2027-05-19", "holiday", "2429") == (plain["on"], plain["kind"], plain["source"])
    assert plain["also"] == [{"template": "Feast of Kurban", "values": {}}]


def test_an_added_day_comes_back_from_its_plain_form() -> None:
    day = added(date(2026, 9, 9), "half_day")
    assert day == AddedDay.from_plain(json.loads(json.dumps(day.to_plain())))


def test_today_is_the_date_in_istanbul() -> None:
    assert date(2026, 1, 1) == today_in_istanbul(datetime(2025, 12, 31, 21, 0, tzinfo=UTC))
    assert date(2025, 12, 31) == today_in_istanbul(datetime(2025, 12, 31, 20, 59, 59, tzinfo=UTC))


def test_a_moment_without_a_zone_has_no_date_in_istanbul() -> None:
    with pytest.raises(ValueError, match="zone"):
        today_in_istanbul(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused
