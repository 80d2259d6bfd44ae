"""Owners of clocks are reminded once a rung, whatever happens, and never of a clock that stands still."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from archive import KeptWalk, events_of, service_at, stored
from sqlalchemy import select

from services.contracts.protocols import EVENTS
from services.kernel import caseload
from services.protocols.adapters.tables import CASE, CLOCKS
from services.runtime.casebook import learn_day
from services.runtime.database import Database

NAME = "clock.reminder_due.v1"


def reminders(files: Database, kind: str) -> list[tuple[str, int]]:
    found = [row.data for row in events_of(files) if row.name == NAME and row.data["kind"] == kind]
    for each in found:
        assert {} == EVENTS[NAME]().validate(each)
    return [(each["rung"], each["days_left"]) for each in found]


def due_on(walk: KeptWalk, kind: str) -> date:
    clock = walk.case.newest_clock(kind)
    assert clock is not None
    assert clock.due_on is not None
    return clock.due_on


def look(files: Database, on: date) -> None:
    service = service_at(files, on)
    service.run_due_clocks()


def at_transmittal(files: Database) -> tuple[KeptWalk, date]:
    walk = KeptWalk(files)
    walk.to("transmittal")
    return walk, due_on(walk, "SEND_TO_AUTHORITY")


def test_the_owner_is_reminded_before_on_and_after_the_day_and_then_the_head_of_the_office(files: Database) -> None:
    _, due = at_transmittal(files)
    for day in range(-6, 12):
        look(files, due + timedelta(days=day))
    assert [("before", 5), ("before", 2), ("due", 0), ("head", -5)] == reminders(files, "SEND_TO_AUTHORITY")
    expired = [row for row in events_of(files) if row.name == "clock.expired.v1"]
    assert ["SEND_TO_AUTHORITY"] == [row.data["kind"] for row in expired if row.data["kind"] == "SEND_TO_AUTHORITY"]


def test_looking_again_reminds_nobody_again(files: Database) -> None:
    _, due = at_transmittal(files)
    for _ in range(3):
        look(files, due - timedelta(days=2))
    assert [("before", 2)] == reminders(files, "SEND_TO_AUTHORITY")


def test_after_days_of_downtime_only_the_newest_reminder_is_told(files: Database) -> None:
    _, due = at_transmittal(files)
    look(files, due)
    assert [("due", 0)] == reminders(files, "SEND_TO_AUTHORITY")


def test_what_was_done_reminds_nobody(files: Database) -> None:
    walk, due = at_transmittal(files)
    walk.do("transmit")
    walk.keep()
    for day in range(-6, 12):
        look(files, due + timedelta(days=day))
    assert [] == reminders(files, "SEND_TO_AUTHORITY")


def test_what_was_done_late_does_not_go_to_the_head_of_the_office(files: Database) -> None:
    walk, due = at_transmittal(files)
    look(files, due + timedelta(days=2))
    walk.case = stored(files, walk.case.id)
    walk.on = due + timedelta(days=3)
    walk.do("transmit")
    walk.keep()
    look(files, due + timedelta(days=9))
    assert [] == [each for each in reminders(files, "SEND_TO_AUTHORITY") if each[0] == "head"]


def test_a_clock_that_stands_still_reminds_nobody(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("authority_review")
    due = due_on(walk, "PERMISSION_SILENCE")
    walk.do("request_documents")
    walk.keep()
    for day in range(-12, 12):
        look(files, due + timedelta(days=day))
    assert [] == reminders(files, "PERMISSION_SILENCE")


def test_a_clock_that_runs_again_reminds_of_its_new_last_day(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("authority_review")
    due = due_on(walk, "PERMISSION_SILENCE")
    look(files, due - timedelta(days=5))
    walk.on = due - timedelta(days=3)
    walk.case = stored(files, walk.case.id)
    walk.do("request_documents")
    walk.keep()
    walk.on = due + timedelta(days=30)
    walk.do("supply_documents")
    walk.keep()
    later = due_on(walk, "PERMISSION_SILENCE")
    assert due < later
    for day in range(-10, 12):
        look(files, max(walk.on, later + timedelta(days=day)))
    told = [("before", 5), *((rung, days) for rung, days in (("before", 2), ("due", 0)))]
    assert told == reminders(files, "PERMISSION_SILENCE")


def test_a_recounted_clock_reminds_of_its_new_last_day(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("commission_review")
    due = due_on(walk, "COMMISSION_REPORT")
    look(files, due)
    service = service_at(files, due)
    with files.write() as connection:
        learn_day(connection, CASE, {"on": due, "kind": "holiday", "name": "Yas günü", "source": "RG", "version": 1})
    caseload.recount_clocks(service.case_context(), [walk.case.id], "Yas günü")
    later = stored(files, walk.case.id).open_clock("COMMISSION_REPORT")
    assert later is not None
    assert later.due_on is not None
    assert due < later.due_on
    for day in range((later.due_on - due).days + 1):
        look(files, due + timedelta(days=day))
    assert [("due", 0), ("due", 0)] == [each for each in reminders(files, "COMMISSION_REPORT") if each[0] == "due"]


def test_working_day_clocks_are_counted_in_working_days(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("commission_review")
    due = due_on(walk, "COMMISSION_REPORT")
    before = walk.calendar.working_days_between(walk.on, due)
    day = walk.on
    while day <= due:
        look(files, day)
        day += timedelta(days=1)
    told = reminders(files, "COMMISSION_REPORT")
    assert [("before", 2), ("due", 0)] == told
    assert 5 == before


def test_the_end_of_a_term_is_told_half_a_year_before(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("in_force")
    due = due_on(walk, "TERM")
    for days in (200, 181, 180, 121, 120, 90, 60, 30, 10, 2, 0):
        look(files, due - timedelta(days=days))
    assert [("before", days) for days in (180, 120, 90, 60, 30)] + [("due", 0)] == reminders(files, "TERM")


def test_a_reminder_is_no_act_of_the_history(files: Database) -> None:
    walk, due = at_transmittal(files)
    before = stored(files, walk.case.id)
    look(files, due)
    after = stored(files, walk.case.id)
    assert (before.version, before.head_hash) == (after.version, after.head_hash)


def test_only_clocks_with_a_reminder_to_come_are_looked_at(files: Database) -> None:
    walk, due = at_transmittal(files)
    look(files, due + timedelta(days=30))
    with files.read() as connection:
        left: list[Any] = [row.remind_on for row in connection.execute(select(CLOCKS)) if row.remind_on is not None]
    assert [] == left
    assert walk.case.stage == stored(files, walk.case.id).stage
