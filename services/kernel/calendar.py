"""Which days are worked in Türkiye, and how a period is counted to its last day.

Dates only: a working day is a step from one date to another, never 24 hours.

The statutory days are those of Law 2429: the fixed days, 28 October from 13:00 with
29 October, and the feasts of Ramazan (3½ days) and Kurban (4½ days), each from 13:00
on its eve. Law 2429 also makes the Saturday after a holiday that ends on a Friday a
holiday. Offices rest on Saturday and Sunday, so that rule changes nothing for them;
it is applied as soon as `Rules.weekend` leaves the Saturday out.

The dates of the feasts come from the `holidays` package; those after 2032 are
calculated, not announced, and their names say so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self, get_args
from zoneinfo import ZoneInfo

import holidays

from services.kernel.errors import Invalid
from services.kernel.text import Sentence, sentence

ISTANBUL = ZoneInfo("Europe/Istanbul")
FIRST_YEAR = 2010
LAST_YEAR = 2070
LONGEST = 3660
"""The longest period that is counted, in days of its unit."""

Kind = Literal["working", "weekend", "holiday", "half_day", "administrative_leave"]
AddedKind = Literal["holiday", "half_day", "administrative_leave"]
Unit = Literal["working_day", "calendar_day"]
PauseSpan = tuple[dt.date, dt.date | None]
"""From the first day on which the clock stands still to the day on which it runs again, or None."""

_ADDED_KINDS: tuple[str, ...] = get_args(AddedKind)
_DAYS_OF_THE_WEEK = range(7)
_FRIDAY, _SATURDAY = 4, 5
_ONE_DAY = dt.timedelta(days=1)
_RECESS_BEGINS, _RECESS_ENDS, _RECESS_EXTENDS_TO = (7, 20), (8, 31), (9, 7)
_LAW_OF_HOLIDAYS = "2429"

# Name in the package → what people read. The order is the order of names on a day that has two.
_NAMES = {
    "Yılbaşı": Sentence("New Year's Day"),
    "Ulusal Egemenlik ve Çocuk Bayramı": Sentence("National Sovereignty and Children's Day"),
    "Emek ve Dayanışma Günü": Sentence("Labour and Solidarity Day"),
    "Atatürk'ü Anma, Gençlik ve Spor Bayramı": Sentence("Commemoration of Atatürk, Youth and Sports Day"),
    "Demokrasi ve Millî Birlik Günü": Sentence("Democracy and National Unity Day"),
    "Zafer Bayramı": Sentence("Victory Day"),
    "Cumhuriyet Bayramı": Sentence("Republic Day"),
    "Cumhuriyet Bayramı (saat 13.00'ten)": Sentence("Eve of Republic Day, from 13:00"),
    "Ramazan Bayramı": Sentence("Feast of Ramazan"),
    "Ramazan Bayramı (tahmini)": Sentence("Feast of Ramazan (calculated date)"),
    "Ramazan Bayramı (saat 13.00'ten)": Sentence("Eve of the feast of Ramazan, from 13:00"),
    "Ramazan Bayramı (saat 13.00'ten) (tahmini)": Sentence("Eve of the feast of Ramazan, from 13:00 (calculated date)"),
    "Kurban Bayramı": Sentence("Feast of Kurban"),
    "Kurban Bayramı (tahmini)": Sentence("Feast of Kurban (calculated date)"),
    "Kurban Bayramı (saat 13.00'ten)": Sentence("Eve of the feast of Kurban, from 13:00"),
    "Kurban Bayramı (saat 13.00'ten) (tahmini)": Sentence("Eve of the feast of Kurban, from 13:00 (calculated date)"),
}
_RANK_OF_NAME = {name: rank for rank, name in enumerate(_NAMES)}
_RANK_OF_KIND = {kind: rank for rank, kind in enumerate(_ADDED_KINDS)}
_AFTER_FRIDAY = Sentence("Saturday after a holiday that ended on a Friday")

_START = Sentence("The day on which the period starts is not counted.")
_WEEKEND = Sentence("Weekend.")
_PAUSED = Sentence("The clock stands still.")
_IN_RECESS = Sentence("Judicial recess.")
_AFTER_RECESS = Sentence("One of the seven days added after the judicial recess.")
_END_AFTER_RECESS = Sentence("The seventh day after the judicial recess; the period ends with this day.")
_ROLLED = Sentence("The period runs on to the end of this working day.")
_ROLLED_INTO_RECESS = Sentence(
    "The period would run on to this working day, which falls into the judicial recess; seven days are added after it."
)
_HALF_DAY_OFF = Sentence("Half day; it is not counted as a working day.")
_LEAVE_OFF = Sentence("Administrative leave; it is treated as a holiday.")


@dataclass(frozen=True, slots=True)
class AddedDay:
    """A day that the administrator entered; `source` is the decision it rests on."""

    on: dt.date
    kind: AddedKind
    name: str
    source: str

    def __post_init__(self) -> None:
        """Raises ValueError for an unknown kind."""
        if self.kind not in _ADDED_KINDS:
            message = f"{self.kind!r} is none of {_ADDED_KINDS}"
            raise ValueError(message)

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {"on": self.on.isoformat(), "kind": self.kind, "name": self.name, "source": self.source}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The day that `to_plain` wrote; other keys are left aside."""
        return cls(dt.date.fromisoformat(plain["on"]), plain["kind"], plain["name"], plain["source"])


@dataclass(frozen=True, slots=True)
class Rules:
    """What the law leaves open, as a municipality's counsel settled it."""

    half_day_is_working_day: bool = True
    """Unsettled whether the eve of a feast, free from 13:00, is a working day."""
    administrative_leave_is_holiday: bool = False
    """The President's leave is no holiday of Law 2429; courts differ on whether it extends a period."""
    weekend: tuple[int, ...] = (5, 6)
    """Days of the week without work, Monday is 0."""
    roll_over: bool = True
    """Law 5393 names no method for its days; by analogy with Law 2577 article 8 a last day without work moves on.

    Periods of Law 2577 itself (`judicial_recess=True`) always move on.
    """

    def __post_init__(self) -> None:
        """Raises ValueError for a weekend that is no part of a week, or all of it."""
        if not set(self.weekend) < set(_DAYS_OF_THE_WEEK):
            message = f"weekend {self.weekend} must name some, not all, of the days 0 to 6"
            raise ValueError(message)


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `kind` is what decides about the day; `also` names what else falls on it.

    A half day or a leave on a weekend keeps its kind, and does not count as working.
    """

    on: dt.date
    kind: Kind
    name: Sentence | None
    counts_as_working: bool
    also: tuple[Sentence, ...] = ()
    source: str = ""

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form; names are plain sentences."""
        return {
            "on": self.on.isoformat(),
            "kind": self.kind,
            "name": self.name.to_plain() if self.name else None,
            "counts_as_working": self.counts_as_working,
            "also": [name.to_plain() for name in self.also],
            "source": self.source,
        }


class CountedDay(NamedTuple):
    """One day on the way to the due date, and why it counts or not."""

    date: dt.date
    counts: bool
    reason: Sentence


@dataclass(frozen=True, slots=True)
class Deadline:
    """A counted period. `days` runs from the start to `due_on`, without a gap.

    `due_on` is None while a pause is open that the period has not ended before;
    `days` then ends with the first day of that pause.
    """

    start: dt.date
    length: int
    unit: Unit
    due_on: dt.date | None
    days: tuple[CountedDay, ...]
    rule: Sentence

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form; reasons and rule are plain sentences."""
        return {
            "start": self.start.isoformat(),
            "length": self.length,
            "unit": self.unit,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "days": [
                {"date": day.date.isoformat(), "counts": day.counts, "reason": day.reason.to_plain()}
                for day in self.days
            ],
            "rule": self.rule.to_plain(),
        }


class _Fact(NamedTuple):
    kind: AddedKind
    name: Sentence
    source: str


@lru_cache(maxsize=LAST_YEAR - FIRST_YEAR + 2)
def _statutory_days(year: int) -> Mapping[dt.date, tuple[_Fact, ...]]:
    """The days of Law 2429 in `year`; a day may be two things at once (2027-05-19, 2029-04-23)."""
    found: dict[dt.date, tuple[_Fact, ...]] = {}
    kinds: tuple[tuple[AddedKind, str], ...] = (("holiday", "public"), ("half_day", "half_day"))
    for kind, category in kinds:
        of_year = holidays.country_holidays("TR", years=year, expand=False, language="tr", categories=category)
        for on in of_year:
            names = sorted(of_year.get_list(on), key=lambda name: _RANK_OF_NAME.get(name, len(_NAMES)))
            facts = (_Fact(kind, _NAMES.get(name) or sentence(name), _LAW_OF_HOLIDAYS) for name in names)
            found[on] = (*found.get(on, ()), *facts)
    return MappingProxyType(found)


def _saturdays_after_holidays(year: int) -> set[dt.date]:
    """Law 2429: the Saturdays of `year` that follow a holiday which ended on their Friday."""
    holidays_of_law = {
        on
        for statutory in (_statutory_days(year - 1), _statutory_days(year))
        for on, facts in statutory.items()
        if any(fact.kind == "holiday" for fact in facts)
    }
    fridays = (on for on in holidays_of_law if on.weekday() == _FRIDAY)
    return {friday + _ONE_DAY for friday in fridays if (friday + _ONE_DAY).year == year} - holidays_of_law


class Calendar:
    """The days of Türkiye under one set of rules. Immutable; `version` names the state of the added days."""

    __slots__ = ("_added", "_special", "_weekend", "rules", "version")

    def __init__(self, rules: Rules | None = None, added: Iterable[AddedDay] = (), version: str = "0") -> None:
        """Nothing is looked up before it is asked for; the default knows the statutory days only."""
        self.rules = rules or Rules()
        self.version = version
        self._weekend = frozenset(self.rules.weekend)
        self._added: dict[dt.date, list[AddedDay]] = {}
        for day in added:
            self._added.setdefault(day.on, []).append(day)
        self._special: dict[int, dict[dt.date, Day]] = {}

    def day(self, on: dt.date) -> Day:
        """What `on` is. Raises Invalid outside the years the calendar knows."""
        special = self._special_day(on)
        if special is not None:
            return special
        if on.weekday() in self._weekend:
            return Day(on, "weekend", None, counts_as_working=False)
        return Day(on, "working", None, counts_as_working=True)

    def days(self, year: int) -> list[Day]:
        """The statutory and the added days of `year`, in order; ordinary days and weekends are left out."""
        return list(self._special_days(year).values())

    def is_working_day(self, on: dt.date) -> bool:
        """Whether `on` counts as a working day."""
        special = self._special_day(on)
        return on.weekday() not in self._weekend if special is None else special.counts_as_working

    def next_working_day(self, on: dt.date) -> dt.date:
        """The first working day after `on`, never `on` itself."""
        return self.add_working_days(on, 1)

    def add_working_days(self, start: dt.date, n: int) -> dt.date:
        """The `n`-th working day after `start`; `start` itself for 0. Raises ValueError for a negative `n`."""
        if n < 0:
            message = f"{n} working days cannot be added"
            raise ValueError(message)
        on = start
        while n:
            on += _ONE_DAY
            n -= self.is_working_day(on)
        return on

    def working_days_between(self, after: dt.date, until: dt.date) -> int:
        """How many working days follow `after` up to and with `until`; negative when `until` lies before."""
        if until < after:
            return -self.working_days_between(until, after)
        n = 0
        on = after
        while on < until:
            on += _ONE_DAY
            n += self.is_working_day(on)
        return n

    def deadline(
        self,
        start: dt.date,
        length: int,
        unit: Unit,
        *,
        pauses: Sequence[PauseSpan] = (),
        roll_over: bool = True,
        judicial_recess: bool = False,
    ) -> Deadline:
        """The last day of a period of `length` days of `unit` that starts on `start`, explained day by day.

        The start is not counted (Law 2577 article 8, TBK article 92). Days inside a pause
        (its first day with, its last without) do not count, nor does a period end inside one.
        `working_day`: only working days count. `calendar_day`: every day counts; a last day
        that is not a working day moves to the end of the next one, if `roll_over` and
        `Rules.roll_over` say so. `judicial_recess`: a period of Law 2577, which moves on in
        any case; a last day, as counted or as moved, from 20 July to 31 August becomes
        7 September, and moves on from there if need be.

        Raises Invalid for a start, length or unit that cannot be counted, ValueError for
        a pause that ends before it begins and for options that contradict each other.
        """
        _check_period(start, length, unit)
        _check_options(unit, pauses, roll_over=roll_over, judicial_recess=judicial_recess)
        days = [CountedDay(start, counts=False, reason=_START)]
        rolls = unit == "calendar_day" and (judicial_recess or (roll_over and self.rules.roll_over))
        due_on = self._count(days, length, unit, pauses)
        if rolls and due_on is not None:
            due_on = self._move_on(days, length, pauses, judicial_recess=judicial_recess)
        rule = _rule(start, unit, rolls=rolls, judicial_recess=judicial_recess)
        return Deadline(start, length, unit, due_on, tuple(days), rule)

    def _count(self, days: list[CountedDay], length: int, unit: Unit, pauses: Sequence[PauseSpan]) -> dt.date | None:
        """Carries `days` from the start to the last counted day."""
        on, n = days[-1].date, 0
        while n < length:
            on += _ONE_DAY
            special = self._special_day(on)
            works = special.counts_as_working if special else on.weekday() not in self._weekend
            if pauses and (pause := _pause_on(on, pauses)):
                days.append(CountedDay(on, counts=False, reason=_PAUSED))
                if pause[1] is None:
                    return None
            elif unit == "calendar_day":
                n += 1
                days.append(CountedDay(on, counts=True, reason=_calendar_day(n, "worked" if works else "free")))
            elif works:
                n += 1
                days.append(CountedDay(on, counts=True, reason=_working_day(n, special.kind if special else "working")))
            else:
                days.append(CountedDay(on, counts=False, reason=self._why_not_worked(on, special)))
        return on

    def _move_on(
        self, days: list[CountedDay], length: int, pauses: Sequence[PauseSpan], *, judicial_recess: bool
    ) -> dt.date | None:
        """Carries `days` from the last counted day to the day on which the period ends."""
        on = days[-1].date
        if judicial_recess and _in_recess(on):
            days[-1] = CountedDay(on, counts=True, reason=_calendar_day(length, "last in recess"))
            on = self._pass_recess(days)
        elif not self.is_working_day(on):
            days[-1] = CountedDay(on, counts=True, reason=_calendar_day(length, "last free"))
        while True:
            works, pause = self.is_working_day(on), _pause_on(on, pauses)
            if works and pause is None:
                if not (judicial_recess and _in_recess(on)):
                    return on
                days[-1] = CountedDay(on, counts=False, reason=_ROLLED_INTO_RECESS)
                on = self._pass_recess(days)
                continue
            if pause is not None:
                days[-1] = CountedDay(on, counts=False, reason=_PAUSED)
                if pause[1] is None:
                    return None
            elif not days[-1].counts:
                days[-1] = CountedDay(on, counts=False, reason=self._why_not_worked(on, self._special_day(on)))
            on += _ONE_DAY
            days.append(CountedDay(on, counts=False, reason=_ROLLED))

    def _pass_recess(self, days: list[CountedDay]) -> dt.date:
        on = days[-1].date
        recess_ends, end = dt.date(on.year, *_RECESS_ENDS), dt.date(on.year, *_RECESS_EXTENDS_TO)
        while on < end:
            on += _ONE_DAY
            reason = _IN_RECESS if on <= recess_ends else _AFTER_RECESS if on < end else _END_AFTER_RECESS
            days.append(CountedDay(on, counts=False, reason=reason))
        return end

    def _why_not_worked(self, on: dt.date, special: Day | None) -> Sentence:
        if special is not None and special.kind == "holiday" and special.name is not None:
            return special.name
        if special is None or on.weekday() in self._weekend:
            return _WEEKEND
        return _HALF_DAY_OFF if special.kind == "half_day" else _LEAVE_OFF

    def _special_day(self, on: dt.date) -> Day | None:
        of_year = self._special.get(on.year)
        return (self._special_days(on.year) if of_year is None else of_year).get(on)

    def _special_days(self, year: int) -> dict[dt.date, Day]:
        known = self._special.get(year)
        if known is None:
            if not FIRST_YEAR <= year <= LAST_YEAR:
                raise Invalid(_out_of_range())
            known = self._special[year] = self._assemble(year)
        return known

    def _assemble(self, year: int) -> dict[dt.date, Day]:
        facts = {on: list(statutory) for on, statutory in _statutory_days(year).items()}
        if _SATURDAY not in self._weekend:
            for on in _saturdays_after_holidays(year):
                facts.setdefault(on, []).append(_Fact("holiday", _AFTER_FRIDAY, _LAW_OF_HOLIDAYS))
        for on, added in self._added.items():
            if on.year == year:
                facts.setdefault(on, []).extend(_Fact(day.kind, sentence(day.name), day.source) for day in added)
        return {on: self._judge(on, facts[on]) for on in sorted(facts)}

    def _judge(self, on: dt.date, facts: list[_Fact]) -> Day:
        """One day from all that falls on it: anything that stops work decides before anything that does not."""
        worked = {
            "holiday": False,
            "half_day": self.rules.half_day_is_working_day,
            "administrative_leave": not self.rules.administrative_leave_is_holiday,
        }
        first, *others = sorted(facts, key=lambda fact: (worked[fact.kind], _RANK_OF_KIND[fact.kind]))
        counts = worked[first.kind] and on.weekday() not in self._weekend
        return Day(on, first.kind, first.name, counts, tuple(fact.name for fact in others), first.source)


def today_in_istanbul(now: dt.datetime) -> dt.date:
    """The date in Türkiye at the moment `now`. Raises ValueError for a moment without a zone."""
    if now.utcoffset() is None:
        message = "the moment has no time zone"
        raise ValueError(message)
    return now.astimezone(ISTANBUL).date()


def _out_of_range() -> Sentence:
    # Years as text: a number would be written with a thousands separator.
    return Sentence("The calendar reaches from {first} to {last}.", first=str(FIRST_YEAR), last=str(LAST_YEAR))


def _check_period(start: dt.date, length: int, unit: str) -> None:
    if isinstance(start, dt.datetime):
        message = "a period starts on a date, not at a moment"
        raise TypeError(message)
    errors = []
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        errors.append(("start", _out_of_range()))
    if type(length) is not int or not 1 <= length <= LONGEST:
        errors.append(("length", Sentence("Give a whole number of days from 1 to {longest}.", longest=str(LONGEST))))
    if unit not in get_args(Unit):
        errors.append(("unit", Sentence("Give working_day or calendar_day.")))
    if errors:
        raise Invalid.fields(errors)


def _check_options(unit: str, pauses: Sequence[PauseSpan], *, roll_over: bool, judicial_recess: bool) -> None:
    if judicial_recess and (unit != "calendar_day" or not roll_over):
        message = "periods of Law 2577 are calendar days that roll over"
        raise ValueError(message)
    for from_on, to_on in pauses:
        if to_on is not None and to_on < from_on:
            message = f"a pause from {from_on} cannot end on {to_on}"
            raise ValueError(message)


def _pause_on(on: dt.date, pauses: Sequence[PauseSpan]) -> PauseSpan | None:
    """A pause that holds `on`; an open one before others."""
    found = None
    for pause in pauses:
        if pause[0] <= on and (pause[1] is None or on < pause[1]):
            if pause[1] is None:
                return pause
            found = pause
    return found


def _in_recess(on: dt.date) -> bool:
    return _RECESS_BEGINS <= (on.month, on.day) <= _RECESS_ENDS


@lru_cache(maxsize=4 * LONGEST)
def _working_day(n: int, kind: Kind) -> Sentence:
    if kind == "half_day":
        return Sentence("Working day {n}; a half day counts as a working day.", n=n)
    if kind == "administrative_leave":
        return Sentence("Working day {n}; administrative leave is not a statutory holiday.", n=n)
    return Sentence("Working day {n}.", n=n)


@lru_cache(maxsize=4 * LONGEST)
def _calendar_day(n: int, what: Literal["worked", "free", "last free", "last in recess"]) -> Sentence:
    if what == "worked":
        return Sentence("Day {n}.", n=n)
    if what == "free":
        return Sentence("Day {n}; days without work count too.", n=n)
    if what == "last free":
        return Sentence(
            "Day {n}, the last; it is not a working day, so the period runs on to the next working day.", n=n
        )
    return Sentence(
        "Day {n}, the last; it falls into the judicial recess, so seven days are added after the recess.", n=n
    )


def _rule(start: dt.date, unit: Unit, *, rolls: bool, judicial_recess: bool) -> Sentence:
    if unit == "working_day":
        return Sentence("Only working days count, from the day after the start ({start}).", start=start)
    if judicial_recess:
        return Sentence(
            "Every day counts, from the day after the start ({start}); if the last day is not a working day, the "
            "period ends with the next working day; if the end falls into the judicial recess (20 July to 31 August), "
            "seven days are added after the recess (Law 2577, article 8).",
            start=start,
        )
    if rolls:
        return Sentence(
            "Every day counts, from the day after the start ({start}); if the last day is not a working day, the "
            "period ends with the next working day (Law 2577, article 8).",
            start=start,
        )
    return Sentence(
        "Every day counts, from the day after the start ({start}); the period ends with its last day, "
        "whether or not that is a working day.",
        start=start,
    )
