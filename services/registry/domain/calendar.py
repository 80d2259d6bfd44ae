"""The days that the administrator adds to the calendar, and the calendar's version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.kernel.calendar import FIRST_YEAR, LAST_YEAR, AddedDay, AddedKind
from services.kernel.errors import Invalid, Refused
from services.kernel.text import Sentence
from services.registry.domain.events import CalendarDayAddedV1
from services.registry.domain.field import WrongField, text
from services.registry.domain.municipality import subject_id


@dataclass(frozen=True)
class CalendarDay:
    """One added day; `version` is that of the calendar since it was added.

    Days are never taken away. A later entry for the same date takes the place of an earlier one.
    """

    day: AddedDay
    version: int
    added_at: datetime
    added_by: str


def standing_days(entries: Sequence[CalendarDay]) -> list[AddedDay]:
    """The added days that count: for each date the newest entry, in order of date."""
    newest: dict[date, CalendarDay] = {}
    for entry in sorted(entries, key=lambda entry: entry.version):
        newest[entry.day.on] = entry
    return [newest[on].day for on in sorted(newest)]


def add_day(
    entries: Sequence[CalendarDay], on: date, kind: AddedKind, name: str, source: str, *, now: datetime, by: str
) -> tuple[CalendarDay, CalendarDayAddedV1]:
    """The new entry and its event. Raises Invalid, and Refused for a day that is there already."""
    wrong: list[tuple[str, Sentence]] = []
    read: dict[str, str] = {}
    for field, given, longest in (("name", name, 200), ("source", source, 500)):
        try:
            line = text(longest)(given)
        except WrongField as error:
            wrong.append((field, error.sentence))
            continue
        if line is None:
            wrong.append((field, _MISSING[field]))
        else:
            read[field] = line
    if not FIRST_YEAR <= on.year <= LAST_YEAR:
        wrong.append(
            ("on", Sentence("The calendar reaches from {first} to {last}.", first=str(FIRST_YEAR), last=str(LAST_YEAR)))
        )
    if wrong:
        raise Invalid.fields(wrong)
    day = AddedDay(on, kind, read["name"], read["source"])
    if day in standing_days(entries):
        raise Refused(Sentence("{day} is already in the calendar like this.", day=on))
    version = max((entry.version for entry in entries), default=0) + 1
    event = CalendarDayAddedV1(
        subject_id=subject_id("calendar-day", on.isoformat()),
        subject_version=version,
        on=on,
        kind=kind,
        day_name=day.name,
        source=day.source,
        version=version,
    )
    return CalendarDay(day, version, now, by), event


_MISSING = {
    "name": Sentence("Give the name of the day."),
    "source": Sentence("Name the decision or announcement that this day rests on."),
}
