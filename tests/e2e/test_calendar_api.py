"""Deadlines for everyone, days that move them, and the demo clock that lets them pass, over HTTP.

The system here is the tests' own: they change its calendar and its time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from harness import Client, System, embedded_system, until, votes

from services.kernel.calendar import ISTANBUL

DAY = timedelta(days=1)
SOURCE = "Resmî Gazete"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with embedded_system(tmp_path_factory.mktemp("calendar"), IMECE_DEMO_CLOCK="true") as system:
        yield system


def now(system: System) -> datetime:
    return datetime.fromisoformat(system.client("admin").get("/demo/clock")["now"])


def today(system: System) -> date:
    return now(system).astimezone(ISTANBUL).date()


def let_it_be(system: System, day: date, hour: int, minute: int = 0) -> None:
    moment = datetime.combine(day, time(hour, minute), ISTANBUL)
    answer = system.client("admin").ask("PUT", "/demo/clock", {"now": moment.isoformat()})
    assert 200 == answer.status, answer.body
    assert timedelta() <= datetime.fromisoformat(answer.body["now"]) - moment < timedelta(minutes=1)


def deadline(system: System, start: date, length: int, unit: str) -> date:
    asked = f"/calendar/deadline?start={start}&length={length}&unit={unit}"
    return date.fromisoformat(Client(system.url, None).get(asked)["due_on"])


def decided(system: System) -> dict[str, Any]:
    """A decision of today, which the mayor may return for five days."""
    case = system.client("mayor").move(
        system.client("unit").move(system.draft(), "submit_to_mayor"), "refer_to_council"
    )
    fields = {"sitting_on": today(system).isoformat(), "decision_no": "1", "votes": votes()}
    return system.client("clerk").move(case, "accept", **fields, without_commission_votes=votes())


def clock(system: System, case: dict[str, Any]) -> dict[str, Any]:
    return dict(system.client("clerk").get(f"/protocols/{case['id']}")["clocks"][0])


def add_day(system: System, on: date, kind: str = "holiday", name: str = "Olağanüstü tatil") -> Any:
    return system.client("admin").post(
        "/calendar/days", {"on": on.isoformat(), "kind": kind, "name": name, "source": SOURCE}
    )


def told(system: System, name: str, case: dict[str, Any]) -> list[dict[str, Any]]:
    """What the feed tells of a case, from its beginning."""
    found, cursor = [], ""
    while (page := system.client("clerk").get(f"/events?limit=500{cursor}"))["items"]:
        found += [each for each in page["items"] if each["name"] == name and each["subject_id"] == case["id"]]
        cursor = f"&after={page['next']}"
    return found


# counting


@pytest.mark.parametrize(
    ("start", "length", "unit", "due_on"),
    [
        ("2026-05-22", 5, "working_day", "2026-06-03"),
        ("2026-10-27", 5, "calendar_day", "2026-11-02"),
        ("2026-02-20", 30, "calendar_day", "2026-03-23"),
    ],
)
def test_anyone_may_ask_when_a_period_ends_and_why(
    office: System, start: str, length: int, unit: str, due_on: str
) -> None:
    answer = Client(office.url, None).get(f"/calendar/deadline?start={start}&length={length}&unit={unit}")
    assert due_on == answer["due_on"] == answer["days"][-1]["date"]
    assert length <= sum(day["counts"] for day in answer["days"])
    assert all(day["reason"] for day in answer["days"])
    assert answer["rule"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=2026-02-30&length=5&unit=working_day", "start"),
        ("start=2026-02-20&length=0&unit=working_day", "length"),
        ("start=2026-02-20&length=3661&unit=working_day", "length"),
        ("start=2026-02-20&length=5&unit=week", "unit"),
        ("length=5&unit=working_day", "start"),
        ("start=2200-01-01&length=5&unit=working_day", "start"),
    ],
)
def test_a_period_that_cannot_be_counted_is_refused_by_its_field(office: System, query: str, field: str) -> None:
    answer = Client(office.url, None).ask("GET", f"/calendar/deadline?{query}")
    assert (422, [field]) == (answer.status, [each["field"] for each in answer.body["errors"]])


def test_the_days_of_a_year_are_those_of_the_law(office: System) -> None:
    days = {day["on"] for day in office.client("unit").get("/calendar/days?year=2026")["items"]}
    assert {"2026-01-01", "2026-04-23", "2026-10-28", "2026-10-29", "2026-03-20", "2026-05-27"} <= days
    assert 422 == office.client("unit").ask("GET", "/calendar/days?year=1999").status


# days added


def test_a_new_holiday_moves_the_clocks_that_run_and_every_move_is_announced(office: System) -> None:
    case = decided(office)
    before = clock(office, case)
    assert deadline(office, today(office), 5, "calendar_day").isoformat() == before["due_on"]
    added = add_day(office, date.fromisoformat(before["due_on"]))
    assert (before["due_on"], "holiday", SOURCE) == (added["on"], added["kind"], added["source"])
    (event,) = until(lambda: told(office, "clock.moved.v1", case))
    after = clock(office, case)
    assert before["due_on"] < after["due_on"]
    assert deadline(office, today(office), 5, "calendar_day").isoformat() == after["due_on"]
    assert (before["due_on"], after["due_on"], after["id"]) == (
        event["data"]["from_due_on"], event["data"]["to_due_on"], event["data"]["clock_id"],
    )  # fmt: skip
    assert "calendar" == event["data"]["why"]
    last = office.client("clerk").get(f"/protocols/{case['id']}/timeline")["items"][-1]
    assert ("recount", "system") == (last["move"], last["actor"]["role"])
    explained = office.client("clerk").get(f"/protocols/{case['id']}/clocks/{after['id']}/explanation")
    assert after["due_on"] == explained["due_on"] == explained["days"][-1]["date"]


def test_administrative_leave_moves_nothing(office: System) -> None:
    """It is no statutory holiday; a setting can make it one."""
    case = decided(office)
    before = clock(office, case)
    add_day(office, date.fromisoformat(before["due_on"]), "administrative_leave", "İdari izin")
    until(lambda: told_of_day(office, before["due_on"], "administrative_leave"))
    assert before["due_on"] == clock(office, case)["due_on"]
    assert before["due_on"] == deadline(office, today(office), 5, "calendar_day").isoformat()


def told_of_day(system: System, on: str, kind: str) -> bool:
    items = system.client("clerk").get("/events?limit=500")["items"]
    days = [each["data"] for each in items if each["name"] == "calendar.day_added.v1"]
    return (on, kind) in [(day["on"], day["kind"]) for day in days]


def test_a_later_word_on_a_day_takes_the_place_of_the_earlier_one(office: System) -> None:
    case = decided(office)
    before = clock(office, case)["due_on"]
    add_day(office, date.fromisoformat(before))
    until(lambda: before < clock(office, case)["due_on"])
    add_day(office, date.fromisoformat(before), "administrative_leave", "Tatil değil, idari izin")
    until(lambda: before == clock(office, case)["due_on"])
    assert before == deadline(office, today(office), 5, "calendar_day").isoformat()


def test_a_day_is_added_once_however_often_it_is_sent(office: System) -> None:
    body = {"on": "2031-02-03", "kind": "holiday", "name": "Bir tatil", "source": SOURCE}
    key, admin = str(uuid.uuid4()), office.client("admin")
    first, again = (admin.post("/calendar/days", body, Idempotency_Key=key) for _ in range(2))
    assert first == again
    assert 409 == admin.ask("POST", "/calendar/days", body).status
    assert 1 == [day["on"] for day in admin.get("/calendar/days?year=2031")["items"]].count("2031-02-03")


@pytest.mark.parametrize("name", ["unit", "clerk", "registrar", "auditor"])
def test_days_are_added_by_the_administrator_alone(office: System, name: str) -> None:
    body = {"on": "2031-02-04", "kind": "holiday", "name": "Bir tatil", "source": SOURCE}
    assert 403 == office.client(name).ask("POST", "/calendar/days", body).status


# the demo clock


def test_a_period_lasts_to_the_end_of_its_day_and_has_acted_when_the_clock_answers(office: System) -> None:
    case = decided(office)
    due_on = date.fromisoformat(clock(office, case)["due_on"])
    let_it_be(office, due_on, 23, 59)
    assert "mayor_check" == office.client("clerk").get(f"/protocols/{case['id']}")["stage"]
    let_it_be(office, due_on + DAY, 0, 1)
    after = office.client("clerk").get(f"/protocols/{case['id']}")
    assert "transmittal" == after["stage"]
    assert {"MAYOR_RETURN": "expired", "SEND_TO_AUTHORITY": "running", "PUBLISH_SUMMARY": "running"} == {
        each["kind"]: each["state"] for each in after["clocks"]
    }
    assert ["MAYOR_RETURN"] == [each["data"]["kind"] for each in told(office, "clock.expired.v1", case)]
    last = office.client("clerk").get(f"/protocols/{case['id']}/timeline")["items"][-1]
    assert ("finalise", "system") == (last["move"], last["actor"]["role"])


def test_a_date_that_has_come_by_the_demo_clock_is_not_in_the_future(office: System) -> None:
    case = office.client("mayor").move(
        office.client("unit").move(office.draft(), "submit_to_mayor"), "refer_to_council"
    )
    tomorrow = today(office) + DAY
    path = f"/protocols/{case['id']}/moves/postpone"
    early = office.client("clerk").ask("POST", path, {"sitting_on": tomorrow.isoformat()}, version=case["version"])
    assert (409, ["date_between_previous_act_and_today"]) == (
        early.status,
        [each["code"] for each in early.body["reasons"]],
    )
    let_it_be(office, tomorrow, 10)
    assert "council_agenda" == office.client("clerk").move(case, "postpone", sitting_on=tomorrow.isoformat())["stage"]


@pytest.mark.parametrize("shift", [-timedelta(minutes=1), -365 * DAY, 3661 * DAY])
def test_the_clock_moves_forward_only_and_not_beyond_all_measure(office: System, shift: timedelta) -> None:
    before = now(office)
    answer = office.client("admin").ask("PUT", "/demo/clock", {"now": (before + shift).isoformat()})
    assert (422, ["now"]) == (answer.status, [each["field"] for each in answer.body["errors"]])
    assert timedelta() <= now(office) - before < timedelta(minutes=1)


# settings


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with embedded_system(tmp_path_factory.mktemp("no-demo-clock"), IMECE_ROLL_OVER="false") as system:
        yield system


def test_without_its_setting_there_is_no_demo_clock(plain: System) -> None:
    moment = {"now": "2030-01-01T09:00:00+03:00"}
    assert [404] * 3 == [
        plain.client("admin").ask("PUT", "/demo/clock", moment).status,
        plain.client("admin").ask("GET", "/demo/clock").status,
        Client(plain.url, None).ask("PUT", "/demo/clock", moment).status,
    ]
    assert "/api/v1/demo/clock" not in plain.client("admin").get("/openapi.json")["paths"]


def test_a_reading_of_the_law_chosen_by_a_setting_is_everyones(plain: System) -> None:
    """Without roll-over a period may end on a Sunday; the door and the command line count alike."""
    assert date(2026, 11, 1) == deadline(plain, date(2026, 10, 27), 5, "calendar_day")
    assert "2026-11-01" == plain.command("deadline", "2026-10-27", "5", "calendar_day").splitlines()[-1]
