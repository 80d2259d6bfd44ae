"""Working days, holidays and deadlines."""

from __future__ import annotations

from services.gateway import schemas as s
from services.gateway.http import Answer, Call, Table

TABLE = Table()
TAG = "Calendar"


@TABLE.route(
    "GET",
    "/calendar/deadline",
    tag=TAG,
    summary="When a period ends, day by day",
    query=s.DeadlineQuery,
    answer=s.DeadlineSchema,
    access="public",
)
def deadline(call: Call) -> Answer:
    """Open to everyone."""
    query = call.query
    return Answer(call.ports.registry.deadline(start=query["start"], length=query["length"], unit=query["unit"]))


@TABLE.route(
    "GET",
    "/calendar/days",
    tag=TAG,
    summary="Holidays, half days and leave days of a year",
    query=s.CalendarQuery,
    answer=s.CalendarSchema,
)
def calendar_days(call: Call) -> Answer:
    """The statutory ones and those added."""
    year = call.query.get("year") or call.ports.time.today().year
    return Answer({**call.ports.registry.calendar_days(year=year), "year": year})


@TABLE.route(
    "POST",
    "/calendar/days",
    tag=TAG,
    summary="Add a day to the calendar",
    body=s.NewCalendarDaySchema,
    answer=s.CalendarDaySchema,
    status=201,
    roles=("administrator",),
    description="Open clocks are recomputed, and each one that moves is announced.",
)
def add_calendar_day(call: Call) -> Answer:
    """For everyone."""
    return Answer(call.ports.registry.add_calendar_day(actor=call.who, day=dict(call.body), key=call.key))
