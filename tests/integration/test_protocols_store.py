"""Cases are found as they were left, by one writer at a time, with every act, clock, text and event."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import eventlet
import pytest
from archive import UNIT, KeptWalk, StandingTime, events_of, service_at, stored, stores
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import together
from protocol_builder import AUTHORITY, CALENDAR, MUNICIPALITY, OFFICES, ORGANISATION, ROUTE, moment
from sqlalchemy import func, select, update

from services.contracts.protocols import EVENTS
from services.kernel.actor import SYSTEM
from services.kernel.chain import faults
from services.kernel.workflow import Act
from services.protocols.adapters.audit import verify
from services.protocols.adapters.tables import ACTS, CLAIMS, CLOCKS, PROTOCOLS, TEXTS
from services.protocols.domain import case as cases
from services.runtime.casebook import act_from
from services.runtime.database import Database

STAGES = [stage for stage, _ in ROUTE] + ["in_force"]
PEOPLE = sorted(set(OFFICES) - {"system"})
LATER = date(2027, 6, 1)


def told(database: Database) -> list[str]:
    return [row.name for row in events_of(database)]


def count(database: Database, table: Any) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def history(database: Database, protocol_id: str) -> list[Any]:
    with database.read() as connection:
        rows = connection.execute(select(ACTS).where(ACTS.c.protocol_id == protocol_id).order_by(ACTS.c.number))
        return [act_from(row) for row in rows]


@pytest.mark.parametrize("stage", dict.fromkeys(STAGES))
def test_a_case_at_any_stage_is_found_as_it_was_left(files: Database, stage: str) -> None:
    walk = KeptWalk(files)
    walk.to(stage)
    assert walk.case == stored(files, walk.case.id)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), zoning=st.booleans(), kind=st.sampled_from(["metropolitan", "district"]))
def test_a_case_is_found_as_it_was_left_whatever_happened_to_it(
    files: Database, data: st.DataObject, *, zoning: bool, kind: str
) -> None:
    walk = KeptWalk(files, zoning=zoning, kind=kind)
    walk.to(data.draw(st.sampled_from(STAGES[:-1]), label="stage"))
    for _ in range(data.draw(st.integers(1, 6), label="steps")):
        open_to = [
            (role, option.move)
            for role in PEOPLE
            for option in walk.procedure.options(walk.case, Act(OFFICES[role], {}, walk.on, moment(walk.on), walk.on))
            if option.enabled and option.move not in ("renew", "propose_amendment")
        ]
        if not open_to or data.draw(st.integers(0, 3), label="what") == 0:
            walk.pass_days(data.draw(st.integers(1, 40), label="days"))
        else:
            role, move = data.draw(st.sampled_from(open_to), label="move")
            walk.do(move, role)
        walk.keep()
        assert walk.case == stored(files, walk.case.id)
    acts = history(files, walk.case.id)
    assert [] == faults((act.number, act.previous_hash, act.hash, act.content()) for act in acts)
    assert (walk.case.version, []) == (len(acts), list(verify(files)))


def test_every_act_has_its_row_and_every_event_its_place_in_the_outbox(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("council_agenda")
    assert (3, ["protocol.drafted.v1", "protocol.moved.v1", "protocol.moved.v1"]) == (count(files, ACTS), told(files))


def test_events_say_who_may_see_them(files: Database) -> None:
    KeptWalk(files).to("permission_request")
    scopes = [(row.municipality, row.authority, row.organisation_id) for row in events_of(files)]
    assert (MUNICIPALITY, None, ORGANISATION) == scopes[0]
    assert (MUNICIPALITY, AUTHORITY, ORGANISATION) == scopes[-1]


@pytest.mark.parametrize("name", sorted(set(EVENTS) - {"clock.reminder_due.v1", "protocol.draft_failed.v1"}))
def test_what_lies_in_the_outbox_is_what_the_contract_says(files: Database, name: str) -> None:
    walk = KeptWalk(files)
    walk.to("authority_review")
    walk.do("request_documents")
    walk.do("supply_documents")
    walk.do("grant")
    walk.do("sign")
    walk.keep()
    walk.change_partner()
    walk.keep()
    walk.let_run_out("TERM")
    walk.keep()
    other = KeptWalk(files)
    other.to("commission_review")
    other.do("withdraw")
    other.keep()
    found = [row.data for row in events_of(files) if row.name == name]
    assert found
    for each in found:
        assert {} == EVENTS[name]().validate(each)


def test_every_text_of_a_draft_is_kept(files: Database) -> None:
    walk = KeptWalk(files)
    for text in ("ikinci metin", "üçüncü metin"):
        act = Act(UNIT, {}, walk.on, moment(walk.on), walk.on)
        cases.replace_text(walk.case, text, act, CALENDAR, allowed_stage=walk.procedure.initial)
        walk.keep()
    with stores(files).read() as store:
        assert ["metin", "ikinci metin", "üçüncü metin"] == [store.text_of(walk.case.id, n) for n in (1, 2, 3)]
    assert 3 == count(files, TEXTS)


def test_a_case_that_changed_since_it_was_looked_at_cannot_be_saved(files: Database) -> None:
    walk = KeptWalk(files)
    stale = stored(files, walk.case.id)
    walk.to("mayor_review")
    events = cases.perform(stale, "submit_to_mayor", walk_act(walk), walk.procedure, CALENDAR)
    with pytest.raises(RuntimeError, match="without being locked"), stores(files).write() as store:
        store.save(stale, events, UNIT, walk.procedure)
    assert walk.case == stored(files, walk.case.id)


def walk_act(walk: KeptWalk) -> Act:
    return Act(UNIT, {}, walk.on, moment(walk.on), walk.on)


def test_a_locked_case_waits_for_the_one_who_holds_it(files: Database) -> None:
    walk = KeptWalk(files)
    other = Database(files.url) if files.dialect == "postgresql" else files
    order: list[str] = []

    def hold() -> None:
        with stores(files).write() as store:
            store.locked(walk.case.id)
            eventlet.sleep(0.1)
            order.append("first")

    def want() -> None:
        eventlet.sleep(0.02)
        with stores(other).write() as store:
            store.locked(walk.case.id)
            order.append("second")

    assert [None, None] == together(hold, want)
    assert ["first", "second"] == order


def test_a_case_that_is_not_there_is_none(files: Database) -> None:
    with stores(files).write() as store:
        assert (None, None) == (store.get(ORGANISATION), store.locked(ORGANISATION))


def test_references_are_given_once_and_without_gaps_however_many_ask_and_fail(files: Database) -> None:
    other = Database(files.url) if files.dialect == "postgresql" else files

    def draft(number: int) -> str:
        with stores((files, other)[number % 2]).write() as store:
            given_one = store.next_reference("34-35", 2026)
            eventlet.sleep(0.001)
            if number % 5 == 0:
                raise LookupError
            return given_one

    outcomes = together(*(lambda n=n: draft(n) for n in range(25)))
    kept = [each for each in outcomes if isinstance(each, str)]
    assert {f"34-35/2026/{n}" for n in range(1, 21)} == set(kept)


def test_each_municipality_and_year_counts_for_itself(files: Database) -> None:
    with stores(files).write() as store:
        asked = [("34-35", 2026), ("34-09", 2026), ("34-35", 2027), ("34-35", 2026)]
        assert ["34-35/2026/1", "34-09/2026/1", "34-35/2027/1", "34-35/2026/2"] == [
            store.next_reference(*each) for each in asked
        ]


# clocks


def expiries(database: Database) -> list[str]:
    return sorted(row.data["kind"] for row in events_of(database) if row.name == "clock.expired.v1")


def test_replicas_that_look_for_due_clocks_at_once_let_each_expire_once(files: Database) -> None:
    walks = [KeptWalk(files) for _ in range(6)]
    for walk in walks:
        walk.to("commission_review")
    other = Database(files.url) if files.dialect == "postgresql" else files
    on = walks[0].on + timedelta(days=15)
    found = together(*(service_at(each, on).run_due_clocks for each in (files, other, files, other)))
    assert 6 == sum(each["result"]["changed"] for each in found)
    assert ["COMMISSION_REPORT"] * 6 == expiries(files)
    assert 6 == count(files, CLAIMS)
    for walk in walks:
        case = stored(files, walk.case.id)
        assert (walk.case.version + 1, "expired") == (case.version, case.clocks[-1].state)


def test_looking_again_changes_nothing(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("commission_review")
    service = service_at(files, walk.on + timedelta(days=15))
    assert [1, 0] == [service.run_due_clocks()["result"]["changed"] for _ in range(2)]


def test_days_of_downtime_change_nothing_but_when_it_is_noticed(files: Database) -> None:
    walks = [KeptWalk(files), KeptWalk(files)]
    for walk in walks:
        walk.to("commission_review")
    service_at(files, walks[0].on + timedelta(days=15)).run_due_clocks()
    acts = [history(files, walk.case.id)[-1] for walk in walks]
    due = stored(files, walks[0].case.id).clocks[-1].due_on
    assert due is not None
    assert [due + timedelta(days=1)] * 2 == [act.done_on for act in acts]


def test_a_clock_due_today_is_not_past(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("commission_review")
    due = walk.case.clocks[-1].due_on
    assert due is not None
    assert [0, 1] == [
        service_at(files, due + timedelta(days=days)).run_due_clocks()["result"]["changed"] for days in (0, 1)
    ]


def test_a_case_whose_clock_cannot_expire_holds_up_no_other(files: Database) -> None:
    broken, whole = KeptWalk(files), KeptWalk(files)
    for walk in (broken, whole):
        walk.to("commission_review")
    with files.write() as connection:
        connection.execute(update(CLOCKS).where(CLOCKS.c.protocol_id == broken.case.id).values(kind="NO_SUCH_CLOCK"))
        connection.execute(
            update(CLOCKS)
            .where(CLOCKS.c.protocol_id == broken.case.id)
            .values(due_on=broken.on, on_expiry="no_such_move")
        )
        connection.execute(update(PROTOCOLS).where(PROTOCOLS.c.id == broken.case.id).values(stage="no_such_stage"))
    service = service_at(files, whole.on + timedelta(days=15))
    assert 1 == service.run_due_clocks()["result"]["changed"]
    assert "expired" == stored(files, whole.case.id).clocks[-1].state
    assert "running" == stored(files, broken.case.id).clocks[-1].state


def test_an_expiry_is_claimed_for_ever_even_if_its_clock_is_set_back(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("transmittal")
    service = service_at(files, walk.on + timedelta(days=30))
    assert 1 == service.run_due_clocks()["result"]["changed"]
    before = expiries(files)
    with files.write() as connection:
        connection.execute(update(CLOCKS).where(CLOCKS.c.kind == "SEND_TO_AUTHORITY").values(state="running"))
    assert 0 == service.run_due_clocks()["result"]["changed"]
    assert before == expiries(files)


def test_a_new_holiday_moves_the_open_clocks_and_tells_it_once(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("commission_review")
    before = walk.case.clocks[-1].due_on
    assert before is not None
    service = service_at(files, walk.on)
    day = {"on": before.isoformat(), "kind": "holiday", "name": "Yas günü", "source": "RG", "version": 1}
    for _ in range(2):
        service.learn_calendar_day(envelope("calendar.day_added.v1", day))
    clock = stored(files, walk.case.id).clocks[-1]
    assert clock.due_on is not None
    assert (True, 1) == (clock.due_on > before, told(files).count("clock.moved.v1"))


def envelope(name: str, data: dict[str, Any]) -> Any:
    from machine import event

    from services.runtime.envelope import Envelope

    made = event(name, data=data)
    return Envelope(made.id, name, made.occurred_at, made.subject_id, data["version"], None, None, data)


def test_the_system_acts_for_the_clocks(files: Database) -> None:
    walk = KeptWalk(files)
    walk.to("commission_review")
    service_at(files, walk.on + timedelta(days=15)).run_due_clocks()
    assert SYSTEM.to_plain() == history(files, walk.case.id)[-1].actor
    assert "system@-" == events_of(files)[-1].actor["office"]


def test_the_time_of_the_tests_stands() -> None:
    assert StandingTime(LATER).now() == StandingTime(LATER).now()
    assert LATER == StandingTime(LATER).today()


def test_nothing_is_left_of_a_case_whose_transaction_failed(files: Database) -> None:
    walk = KeptWalk(files)
    before = stored(files, walk.case.id)
    walk.do("submit_to_mayor")

    def fail() -> None:
        with stores(files).write() as store:
            store.locked(walk.case.id)
            store.save(walk.case, walk.events, UNIT, walk.procedure)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert (before, 1, 1) == (stored(files, walk.case.id), count(files, ACTS), len(events_of(files)))
