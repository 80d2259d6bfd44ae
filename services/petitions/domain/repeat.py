"""A petition that was sent again goes the way of the first: its period stands, is met and ends with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.kernel import clock as clocks
from services.kernel.actor import SYSTEM
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.casework import CANCELLED, MET, MOVED, STARTED
from services.kernel.clock import Clock
from services.kernel.events import Event
from services.kernel.workflow import Act, Procedure
from services.petitions.domain import case as cases
from services.petitions.domain.case import FOLLOW_FIRST, STAND_ALONE, PetitionCase
from services.petitions.domain.procedure import ANSWERS

_GONE = ("withdrawn", "forwarded")
_ANSWER = ("outcome", "reason", "remedy", "remedy_days", "published_at", "letter", "letter_no")


def follow(
    copy: PetitionCase, first: PetitionCase, now: datetime, procedure: Procedure[PetitionCase], calendar: Calendar
) -> list[Event]:
    """What the first petition's new state means for its copy; returns what happened.

    While the first is open, what lawfully happens to its period happens to the copy's too. The copy is closed with
    the first's answer. When the first is withdrawn or sent on, the copy goes on alone: counted from the first filing,
    with the first's pauses behind it.
    """
    if not copy.follows_first or copy.is_over(procedure):
        return []
    if first.stage in _GONE:
        return _alone(copy, first, now, calendar)
    events = _mirrored(copy, first, now, calendar)
    if first.is_over(procedure):
        events += cases.expire_due(copy, SYSTEM, now, procedure, calendar)
        events += cases.perform(copy, "close_with_first", _closing(first, now), procedure, calendar)
    return events


def _closing(first: PetitionCase, now: datetime) -> Act:
    move = next((each for each in ("reply", "decline_to_examine") if first.done(each)), "link_protocol")
    told: dict[str, Any] = first.facts[move] | {"outcome": first.outcome}
    fields = {name: told[name] for name in _ANSWER if told.get(name) is not None} | {"number": first.reference}
    return Act(SYSTEM, fields, today_in_istanbul(now), now, date.fromisoformat(told["done_on"]))


def _mirrored(copy: PetitionCase, first: PetitionCase, now: datetime, calendar: Calendar) -> list[Event]:
    """The clocks of an answer as the first has them."""
    before = list(copy.clocks)
    happened: list[Event] = []
    for kind in ANSWERS:
        theirs = first.newest_clock(kind)
        if theirs is not None and theirs.state != "cancelled":
            happened += _set(copy, copy.newest_clock(kind), _unexpired(theirs))
    if copy.clocks == before:
        return []
    return _noted(copy, FOLLOW_FIRST, happened, first, now, calendar)


def _unexpired(clock: Clock) -> Clock:
    """A clock that ran out, as one that is about to: the copy's own silence is noted in its own history."""
    return replace(clock, state="running") if clock.state == "expired" else clock


def _set(copy: PetitionCase, own: Clock | None, theirs: Clock) -> Iterator[Event]:
    if own is not None and own.started_on == theirs.started_on:
        wanted = replace(theirs, id=own.id)
        if own.is_open and replace(wanted, calendar_version=own.calendar_version) != own:
            copy.put(wanted)
            yield _changed(copy, own, wanted)
        return
    if own is not None and own.is_open:
        copy.put(cancelled := clocks.cancel(own))
        yield copy.clock_event(CANCELLED, cancelled)
    started = replace(theirs, id=str(uuid.uuid4()))
    copy.clocks.append(started)
    yield copy.clock_event(STARTED, started)


def _changed(copy: PetitionCase, own: Clock, wanted: Clock) -> Event:
    if wanted.state == "met":
        return copy.clock_event(MET, wanted)
    return copy.clock_event(MOVED, wanted, from_due_on=own.due_on, to_due_on=wanted.due_on, why=_why(own, wanted))


def _why(own: Clock, wanted: Clock) -> str:
    if own.state != wanted.state:
        return "pause" if wanted.state == "paused" else "resume"
    return "extension" if own.length != wanted.length else "calendar"


def _alone(copy: PetitionCase, first: PetitionCase, now: datetime, calendar: Calendar) -> list[Event]:
    today = today_in_istanbul(now)
    happened: list[Event] = []
    for own in [each for each in copy.clocks if each.kind in ANSWERS and each.state == "paused"]:
        resumed = clocks.resume(own, today, calendar)
        copy.put(resumed)
        happened.append(_changed(copy, own, resumed))
    known = [clock for kind in ANSWERS if (clock := copy.newest_clock(kind)) is not None]
    if known and all(each.state == "met" for each in known):
        # The first was accepted and is gone: nobody has answered the copy.
        owed = replace(known[0], id=str(uuid.uuid4()), state="running", met_on=None)
        copy.clocks.append(owed)
        happened.append(copy.clock_event(STARTED, owed))
    copy.facts[STAND_ALONE] = {"number": first.reference, "done_on": today.isoformat()}
    return _noted(copy, STAND_ALONE, happened, first, now, calendar)


def _noted(
    copy: PetitionCase, what: str, happened: list[Event], first: PetitionCase, now: datetime, calendar: Calendar
) -> list[Event]:
    """The act in the copy's history, and what it brought about as of that act."""
    today = today_in_istanbul(now)
    copy.record(what, copy.stage, Act(SYSTEM, {"number": first.reference}, today, now, today), calendar, advances=False)
    return [replace(each, subject_version=copy.version) for each in happened]
