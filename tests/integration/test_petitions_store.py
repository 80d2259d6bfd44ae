"""Petitions are found as they were left, by those who may see them, on both databases."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, permutations
from typing import Any

import pytest
from archive import StandingTime
from machine import new_postgres, together
from petition_builder import ACTORS, CITIZEN, CSO, FILED, Way
from protocol_builder import ORGANISATION
from sqlalchemy import select, text, update

from services.contracts.petitions import EVENTS
from services.kernel.actor import PETITIONER, ROLES, Actor
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused, error_from_plain
from services.kernel.text import Sentence
from services.petitions.adapters.access import admitted
from services.petitions.adapters.audit import verify
from services.petitions.adapters.repository import Stores
from services.petitions.adapters.tables import CASE, METADATA, PETITIONS, RUNTIME
from services.petitions.domain.case import PetitionCase
from services.petitions.domain.code import sha256_of
from services.petitions.service import PetitionsService
from services.runtime.database import Database
from services.runtime.envelope import Envelope
from services.runtime.migration import upgrade
from services.runtime.settings import Settings

CLERK = Actor("registry_clerk", "c", municipality="34-35").to_plain()
UNIT = Actor("unit_officer", "o", municipality="34-35").to_plain()
ANYONE = Actor(PETITIONER).to_plain()
OWN = Actor("organisation_representative", "r", organisation_id=ORGANISATION).to_plain()
NAMES = {"34-35": "Şişli", "34-10": "Beşiktaş"}
TENANTS = {"municipality": "34-35", "authority": "K34-35", "organisation_id": ORGANISATION}
PROTOCOL = "7c0e1a52-0000-4000-8000-000000000101"
_numbers = count(1)


class Registry:
    """What the registry answers; `calls` is how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def get_municipality(self, *, code: str) -> dict[str, Any]:
        self.calls += 1
        if code not in NAMES:
            raise NotFound(Sentence("There is no such municipality."))
        return {"code": code, "name": NAMES[code]}

    def get_organisation(self, *, organisation_id: str) -> dict[str, Any]:
        return {"id": organisation_id, "name": "Yer Çizenler", "address": "İstanbul", "state": "active"}


class Desk:
    """Asks petitions as the gateway does, by keyword arguments and answers in JSON."""

    def __init__(self, database: Database, on: date = FILED, **settings: Any) -> None:
        self.database = database
        self.service: Any = PetitionsService()
        self.service.database, self.service.settings = database, Settings(**settings)
        self.service.time, self.service.registry = StandingTime(on), Registry()

    def at(self, on: date) -> Desk:
        self.service.time = StandingTime(on)
        return self

    def ask(self, method: str, **arguments: Any) -> Any:
        reply = json.loads(json.dumps(getattr(self.service, method)(**json.loads(json.dumps(arguments)))))
        if "error" in reply:
            raise error_from_plain(reply["error"])
        return reply["result"]

    def submit(self, actor: Any = ANYONE, key: str | None = None, **fields: Any) -> dict[str, Any]:
        petition = {
            "kind": "petition",
            "municipality": "34-35",
            "subject": "Rampa",
            "body": "Parktaki rampa kırıktır.",
            "petitioner": {"type": "citizen", "name": "Başvuru Sahibi", "address": "Şişli", "email": "a@example.org"},
            **fields,
        }
        return dict(self.ask("submit_petition", actor=actor, petition=petition, key=key or str(uuid.uuid4())))

    def get(self, petition_id: str, actor: Any = CLERK, petition_key: str | None = None) -> dict[str, Any]:
        return dict(self.ask("get_petition", actor=actor, petition_id=petition_id, petition_key=petition_key))

    def move(
        self, petition_id: str, move: str, actor: Any = CLERK, version: int | None = None, key: str | None = None,
        petition_key: str | None = None, **fields: Any,
    ) -> dict[str, Any]:  # fmt: skip
        return dict(
            self.ask(
                "move_petition", actor=actor, petition_id=petition_id, move=move, fields=fields,
                expected_version=version, key=key or str(uuid.uuid4()), petition_key=petition_key,
            )
        )  # fmt: skip

    def hear(self, name: str, data: dict[str, Any], version: int, event_id: str | None = None) -> None:
        envelope = Envelope(
            id=event_id or str(uuid.uuid4()), name=name, occurred_at=self.service.time.now(), subject_id=PROTOCOL,
            subject_version=version, correlation_id=None, actor=None, data=data,
        )  # fmt: skip
        handlers = {
            "protocol.drafted.v1": self.service.link_protocol,
            "protocol.moved.v1": self.service.follow_protocol,
            "protocol.draft_failed.v1": self.service.report_draft_problem,
            "calendar.day_added.v1": self.service.learn_calendar_day,
        }
        handlers[name](envelope)

    def unit(self, name: str = "Park ve Bahçeler", *topics: str) -> str:
        made = self.ask(
            "add_unit", actor=CLERK, municipality="34-35", unit={"name": name, "topics": list(topics)},
            key=str(uuid.uuid4()),
        )  # fmt: skip
        return str(made["id"])

    def told(self, petition_id: str) -> list[str]:
        with self.database.read() as connection:
            rows = connection.execute(
                select(RUNTIME.outbox).where(RUNTIME.outbox.c.subject_id == petition_id).order_by(RUNTIME.outbox.c.id)
            ).all()
        for row in rows:
            assert {} == EVENTS[row.name]().validate(row.data)
        return [row.name for row in rows]

    def stored(self, petition_id: str) -> PetitionCase:
        with stores(self.database).read() as store:
            found = store.get(petition_id)
        assert found is not None
        return found


def stores(database: Database) -> Stores:
    settings = Settings()
    return Stores(database, settings.rules, settings.ladder)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """petitions' own database, migrated; once of each kind for this module."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('petitions') / 'petitions.sqlite'}")
        upgrade(made, "petitions")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "petitions")
        yield made
        made.close()


@pytest.fixture
def database(own_database: Database) -> Database:
    """The same without rows."""
    with own_database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
    return own_database


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def kept(database: Database, way: Way) -> PetitionCase:
    """The petition written as new and, in a second transaction, as it is now."""
    way.case.reference = f"34-35/2026/D{next(_numbers)}"
    with stores(database).write() as store:
        store.add(way.case, [], ACTORS["system"], way.procedure)
    return way.case


# as it was left


@pytest.mark.parametrize(
    "stage", ["received", "awaiting_completion", "awaiting_payment", "answered", "proposal_accepted"]
)
def test_a_petition_is_found_as_it_was_left(database: Database, stage: str) -> None:
    kind = {"awaiting_payment": "information_request", "proposal_accepted": "partnership_proposal"}.get(
        stage, "petition"
    )
    way = Way(kind, petitioner=CSO if stage == "proposal_accepted" else CITIZEN, key_sha256=sha256_of("x"))
    steps: dict[str, tuple[str, ...]] = {
        "awaiting_completion": ("return_for_completion",),
        "awaiting_payment": ("register", "assign", "notify_fee"),
        "answered": ("register", "assign", "interim_reply", "reply"),
        "proposal_accepted": ("register", "assign", "accept_proposal", "link_protocol"),
    }
    for step in steps.get(stage, ()):
        way.do(step)
    assert kept(database, way) == Desk(database).stored(way.case.id)
    assert [] == list(verify(database))


def test_what_a_later_act_changes_is_kept_too(desk: Desk) -> None:
    made = desk.submit()
    unit = desk.unit()
    desk.move(made["id"], "register", registry_no="E-7")
    desk.move(made["id"], "assign", unit=unit)
    desk.move(
        made["id"], "reply", UNIT, outcome="refused", reason="Plan dışı", remedy="İdare mahkemesi", remedy_days=60
    )
    found = desk.get(made["id"])
    assert ("answered", "E-7", unit) == (found["stage"], found["registry_no"], found["unit"]["id"])
    assert ("refused", "İdare mahkemesi", 60) == tuple(found["answer"][n] for n in ("outcome", "remedy", "remedy_days"))
    assert ["PETITION_ANSWER", "SUIT"] == [clock["kind"] for clock in found["clocks"]]
    assert [] == list(verify(desk.database))


def test_a_changed_row_of_the_history_is_found(desk: Desk) -> None:
    made = desk.submit()
    with desk.database.write() as connection:
        connection.execute(update(CASE.acts).values(done_on=FILED - timedelta(days=1)))
    assert [f"{made['number']}: row 1 was changed"] == list(verify(desk.database))


def test_numbers_have_no_gaps_and_no_twins_under_load(desk: Desk) -> None:
    made = together(*[lambda number=number: desk.submit(subject=f"Konu {number}") for number in range(8)])
    assert sorted(f"34-35/2026/D{number}" for number in range(1, 9)) == sorted(each["number"] for each in made)
    assert 8 == len({each["tracking_code"] for each in made})


# sent again


def test_a_repeated_request_gets_its_key_again_which_is_stored_nowhere(desk: Desk) -> None:
    first, again = desk.submit(key="k1"), desk.submit(key="k1")
    assert first == again
    assert 1 == desk.service.registry.calls
    secret = str(first["petition_key"])
    for table in METADATA.sorted_tables:
        with desk.database.read() as connection:
            cells = str(connection.execute(table.select()).all())
        assert secret not in cells
        assert secret.replace("-", "") not in cells
    assert "Başvuru Sahibi" == desk.get(first["id"], ANYONE, secret)["petitioner"]["name"]


def test_two_who_send_other_texts_under_one_key_do_not_meet(desk: Desk) -> None:
    one, two = desk.submit(key="1", subject="Bir"), desk.submit(key="1", subject="İki")
    assert one["id"] != two["id"]
    assert one["petition_key"] != two["petition_key"]
    with pytest.raises(NotFound):
        desk.get(one["id"], ANYONE, two["petition_key"])


def test_one_who_signed_in_uses_a_key_for_one_request(desk: Desk) -> None:
    person = Actor(PETITIONER, "u1").to_plain()
    assert desk.submit(person, key="1") == desk.submit(person, key="1")
    with pytest.raises(Invalid) as reused:
        desk.submit(person, key="1", subject="Başka")
    assert "idempotency_key_reused" == reused.value.stable_code


def test_the_same_petition_sent_again_while_open_is_linked_and_counts_from_the_first(desk: Desk) -> None:
    first = desk.submit()
    again = desk.at(FILED + timedelta(days=12)).submit(body="PARKTAKİ rampa, kırıktır!")
    assert (first["id"], first["due_on"], FILED.isoformat()) == (again["repeats"], again["due_on"], again["filed_on"])
    other = desk.submit(petitioner={"type": "citizen", "name": "Başkası", "address": "Şişli"})
    assert (None, "2026-10-19") == (other["repeats"], other["due_on"])


def test_one_text_that_many_send_is_many_petitions_and_each_may_be_sent_again(desk: Desk) -> None:
    who = [{"type": "citizen", "name": f"Kişi {number}", "address": "Şişli"} for number in range(60)]
    made = [desk.submit(petitioner=each) for each in who]
    assert {None} == {each["repeats"] for each in made}
    assert made[-1]["id"] == desk.submit(petitioner=who[-1])["repeats"]


def test_after_the_answer_the_same_words_are_a_new_petition(desk: Desk) -> None:
    first = desk.submit()
    desk.move(first["id"], "register")
    desk.move(first["id"], "reply", UNIT, outcome="informed", reason="Bilginize.")
    assert None is desk.submit()["repeats"]


# at the counter


def test_the_counter_registers_in_one_call(desk: Desk) -> None:
    received = (FILED - timedelta(days=3)).isoformat()
    made = desk.submit(CLERK, channel="counter", received_on=received, registry_no="E-12")
    assert ("registered", received, None) == (made["stage"], made["filed_on"], made["petition_key"])
    assert ["submit", "register"] == [act["move"] for act in timeline(desk, made["id"])]
    assert "2026-10-05" == made["due_on"]


def timeline(desk: Desk, petition_id: str, actor: Any = CLERK, key: str | None = None) -> list[dict[str, Any]]:
    return list(desk.ask("timeline", actor=actor, petition_id=petition_id, petition_key=key)["items"])


@pytest.mark.parametrize(
    ("actor", "fields", "wrong"),
    [
        (ANYONE, {"channel": "counter"}, "channel"),
        (ANYONE, {"received_on": "2026-09-01"}, "received_on"),
        (ANYONE, {"registry_no": "E-1"}, "registry_no"),
        (CLERK, {"channel": "web"}, "channel"),
        (CLERK, {"channel": "post", "municipality": "34-10"}, "municipality"),
        (CLERK, {"channel": "post", "received_on": "2026-09-08"}, "received_on"),
        (ANYONE, {"petitioner": {"type": "organisation", "organisation_id": ORGANISATION}}, "petitioner.organisation_id"),
        (OWN, {"petitioner": {"type": "organisation", "organisation_id": str(uuid.uuid4())}}, "petitioner.organisation_id"),
        (OWN, {"petitioner": {"type": "citizen"}}, "petitioner.type"),
        (ANYONE, {"signature": {"kind": "account"}}, "signature.kind"),
        (ANYONE, {"petitioner": {"type": "citizen", "tckn": "10000000146"}}, "petitioner.tckn"),
    ],
)  # fmt: skip
def test_nobody_says_what_is_not_theirs_to_say(desk: Desk, actor: Any, fields: dict[str, Any], wrong: str) -> None:
    with pytest.raises(Invalid) as invalid:
        desk.submit(actor, **fields)
    assert [wrong] == [each["field"] for each in invalid.value.details["errors"]]


@pytest.mark.parametrize("role", ["unit_officer", "mayor", "auditor", "registrar", "administrator", "authority_head"])
def test_other_offices_submit_no_petitions(desk: Desk, role: str) -> None:
    with pytest.raises(Forbidden):
        desk.submit(ACTORS[role].to_plain())


def test_an_organisations_name_and_seat_come_from_the_registry(desk: Desk) -> None:
    made = desk.submit(OWN, petitioner={"type": "organisation"})
    found = desk.get(made["id"], OWN)
    assert ([], None) == (made["missing"], made["petition_key"])
    assert ("Yer Çizenler", "İstanbul", "account") == (
        found["petitioner"]["name"], found["petitioner"]["address"], found["signature"]["kind"],
    )  # fmt: skip


# who sees


def test_those_who_handle_a_petition_and_its_writer_see_it_and_nobody_else(desk: Desk) -> None:
    made = desk.submit(OWN, petitioner={"type": "organisation"})
    for role in ROLES:
        for where in ("own", "other"):
            tenant = {n: v for n, v in TENANTS.items() if getattr(ACTORS[role], n)}
            if where == "other":
                tenant = {n: {"municipality": "34-10", "authority": "K34-10"}.get(n, str(uuid.uuid4())) for n in tenant}
            actor = Actor(role, "someone", **tenant)
            sees = role == "auditor" or (
                where == "own" and role in ("registry_clerk", "unit_officer", "mayor", "organisation_representative")
            )
            assert sees == _is_seen(desk, made["id"], actor), (role, where)
    assert not _is_seen(desk, made["id"], Actor(PETITIONER))


def _is_seen(desk: Desk, petition_id: str, actor: Actor, key: str | None = None) -> bool:
    looks = [
        lambda: desk.get(petition_id, actor.to_plain(), key),
        lambda: timeline(desk, petition_id, actor.to_plain(), key),
        lambda: desk.move(petition_id, "withdraw", actor.to_plain(), 99, petition_key=key),
        lambda: _admitted(desk, petition_id, actor, key),
        lambda: desk.ask("receipt_of", actor=actor.to_plain(), petition_id=petition_id, petition_key=key),
        lambda: desk.ask("paper_of", actor=actor.to_plain(), petition_id=petition_id, petition_key=key, form="docx"),
    ]
    answers = set()
    for look in looks:
        try:
            look()
            answers.add(True)
        except NotFound:
            answers.add(False)
        except (Forbidden, Conflict, Refused):
            answers.add(True)
    assert 1 == len(answers), (actor, answers)
    if key is None:
        listed = desk.ask("list_petitions", actor=actor.to_plain())["items"]
        assert answers == {petition_id in [each["id"] for each in listed]}
    return answers.pop()


def _admitted(desk: Desk, petition_id: str, actor: Actor, key: str | None) -> None:
    with desk.database.read() as connection:
        admitted(connection, actor, petition_id, key)


def test_the_key_makes_anyone_the_petitioner_of_that_petition_alone(desk: Desk) -> None:
    made, other = desk.submit(), desk.submit(subject="Başka")
    key = made["petition_key"]
    assert _is_seen(desk, made["id"], Actor(PETITIONER), key)
    assert _is_seen(desk, made["id"], Actor(PETITIONER), key.lower().replace("-", ""))
    assert not _is_seen(desk, other["id"], Actor(PETITIONER), key)
    assert not _is_seen(desk, made["id"], Actor(PETITIONER), "0" * 26)
    stranger = Actor("unit_officer", "x", municipality="34-10")
    assert {"withdraw"} == {each["move"] for each in desk.get(made["id"], stranger.to_plain(), key)["options"]}
    assert "withdrawn" == desk.move(made["id"], "withdraw", ANYONE, petition_key=key)["stage"]


def test_the_petitioner_reads_what_was_done_and_not_what_was_noted(desk: Desk) -> None:
    made, unit = desk.submit(), desk.unit()
    desk.move(made["id"], "register", note="Önce Fen İşlerine soruldu.")
    desk.move(made["id"], "assign", unit=unit, reason="Yoğun birim")
    seen = timeline(desk, made["id"], ANYONE, made["petition_key"])
    assert ["submit", "register", "assign"] == [each["move"] for each in seen]
    assert {"unit": "Park ve Bahçeler"} == seen[-1]["fields"]
    assert "Önce Fen İşlerine" not in json.dumps(seen, ensure_ascii=False)
    assert "Önce Fen İşlerine" in json.dumps(timeline(desk, made["id"]), ensure_ascii=False)
    assert {"c", "o"} & {each["actor"].get("user_id") for each in seen} == set()


def test_lists_and_work_hold_neither_text_nor_writer(desk: Desk) -> None:
    made = desk.submit(body="Gizli metin")
    for told in (desk.ask("list_petitions", actor=CLERK), desk.ask("work", actor=CLERK)):
        assert 1 == told["total"]
        for secret in ("Gizli metin", "Başvuru Sahibi", "a@example.org", made["tracking_code"]):
            assert secret not in json.dumps(told, ensure_ascii=False)
    assert "Rampa" not in json.dumps(desk.ask("work", actor=CLERK), ensure_ascii=False)


def test_lists_are_filtered(desk: Desk) -> None:
    one = desk.submit()
    two = desk.submit(subject="Bilgi", kind="information_request")
    unit = desk.unit()
    desk.move(one["id"], "register")
    desk.move(one["id"], "assign", unit=unit)
    desk.at(FILED + timedelta(days=31)).ask("run_due_clocks")

    def found(**wanted: Any) -> list[str]:
        return [each["id"] for each in desk.ask("list_petitions", actor=CLERK, **wanted)["items"]]

    assert [one["id"]] == found(stage="assigned") == found(kind="petition") == found(unit=unit)
    assert [two["id"]] == found(number=two["number"].lower())
    assert {one["id"], two["id"]} == set(found(overdue=True))
    assert [] == found(overdue=False) == found(municipality="34-10") == found(activity=str(uuid.uuid4()))


def test_every_list_and_the_tracking_page_look_into_an_index(desk: Desk) -> None:
    own = "municipality = '34-35'"
    one = f"'{uuid.uuid4()}'"
    asked = [
        "WHERE tracking_code = 'x'", "WHERE number = 'x'", f"WHERE {own} ORDER BY created_at DESC, id",
        f"WHERE {own} AND stage = 'assigned' ORDER BY created_at", f"WHERE {own} AND kind = 'opinion' ORDER BY created_at",
        f"WHERE {own} AND unit_id = {one} ORDER BY created_at", f"WHERE {own} AND overdue_since IS NOT NULL",
        f"WHERE {own} AND text_sha256 = 'x'", f"WHERE {own} AND (turn = 'mayor' OR duty = 'mayor')",
        f"WHERE organisation_id = {one} ORDER BY created_at", f"WHERE activity_id = {one}", f"WHERE protocol_id = {one}",
        "ORDER BY created_at",
    ]  # fmt: skip
    for where in asked:
        plan = plan_of(desk.database, f"SELECT id FROM petitions {where}")
        assert "Index" in plan or "INDEX" in plan, (where, plan)
        assert "Seq Scan" not in plan, (where, plan)


def plan_of(database: Database, query: str) -> str:
    """How the database would find it, were there many rows."""
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            return "\n".join(connection.execute(text(f"EXPLAIN {query}")).scalars())
        return "\n".join(row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))


# tracking


def test_the_tracking_page_says_where_it_stands_and_nothing_personal(desk: Desk) -> None:
    made = desk.submit(body="Gizli metin")
    page = desk.ask("tracking", code=made["tracking_code"].lower().replace("-", " ").replace(" ", ""))
    assert ("received", "2026-10-07", "3071/7") == (page["stage"], page["due_on"], page["due"]["article"])
    for secret in ("Gizli metin", "Rampa", "Başvuru Sahibi", "a@example.org", made["petition_key"], made["id"]):
        assert secret not in json.dumps(page, ensure_ascii=False)
    for wrong in ("0" * 26, "kısa", ""):
        with pytest.raises(NotFound):
            desk.ask("tracking", code=wrong)


# units


def test_the_clerk_is_shown_the_unit_that_the_words_speak_for(desk: Desk) -> None:
    parks = desk.unit("Park ve Bahçeler", "park", "ağaç")
    desk.unit("Fen İşleri", "asfalt", "kaldırım")
    made = desk.submit(body="Parkımızdaki ağaçların budanması gerekir; asfalt da bozuktur.")
    assert parks == desk.get(made["id"])["suggested_unit"]["id"]
    assert None is desk.get(made["id"], UNIT)["suggested_unit"]


def test_units_are_kept_by_their_own_registry(desk: Desk) -> None:
    unit = desk.unit()
    for actor, error in ((UNIT, Forbidden), (ACTORS["administrator"].to_plain(), NotFound)):
        with pytest.raises(error):
            desk.ask("add_unit", actor=actor, municipality="34-35", unit={"name": "Zabıta"}, key="k")
    with pytest.raises(Invalid):
        desk.unit("PARK VE BAHÇELER")
    change = {"actor": CLERK, "municipality": "34-35", "unit_id": unit, "key": "k2"}
    changed = desk.ask("change_unit", **change, changes={"active": False}, expected_version=1)
    assert (False, 2) == (changed["active"], changed["version"])
    with pytest.raises(Conflict):
        desk.ask("change_unit", **change | {"key": "k3"}, changes={"active": True}, expected_version=1)
    made = desk.submit()
    desk.move(made["id"], "register")
    with pytest.raises(Invalid):
        desk.move(made["id"], "assign", unit=unit)


# forwarding


@pytest.mark.parametrize(("reading", "due_on"), [("filing", "2026-10-07"), ("receipt", "2026-10-17")])
def test_a_petition_forwarded_to_a_municipality_here_arrives_there_with_its_first_filing_date(
    database: Database, reading: str, due_on: str
) -> None:
    desk = Desk(database, forwarded_counts_from=reading)
    made = desk.submit()
    desk.at(FILED + timedelta(days=10))
    sent = desk.move(made["id"], "forward", municipality="34-10", reason="Park Beşiktaş'ta")
    assert ("forwarded", "Beşiktaş") == (sent["stage"], sent["addressee"])
    arrived = sent["links"]["forwarded_to"]
    clerk = Actor("registry_clerk", "b", municipality="34-10").to_plain()
    there = desk.get(arrived["id"], clerk)
    assert ("received", "forwarded", "2026-09-07", "2026-09-17") == tuple(
        there[name] for name in ("stage", "channel", "filed_on", "received_on")
    )
    assert (
        date.fromisoformat(due_on) <= date.fromisoformat(there["due_on"]) <= date.fromisoformat(due_on) + timedelta(2)
    )
    assert made["number"] == there["links"]["forwarded_from"]["number"]
    page = desk.ask("tracking", code=made["tracking_code"])
    assert ("Beşiktaş", arrived["tracking_code"]) == (page["addressee"], page["forwarded_to"])
    assert arrived["id"] == desk.get(arrived["id"], ANYONE, made["petition_key"])["id"]
    assert "petition.moved.v1" in desk.told(made["id"])
    assert "petition.submitted.v1" in desk.told(arrived["id"])
    with pytest.raises(NotFound):
        desk.get(arrived["id"])


def test_a_petition_is_not_forwarded_to_a_municipality_that_is_none(desk: Desk) -> None:
    made = desk.submit()
    with pytest.raises(NotFound):
        desk.move(made["id"], "forward", municipality="99-99")
    assert "received" == desk.get(made["id"])["stage"]


# moves


def test_a_repeated_move_answers_as_before_and_a_stale_one_is_told(desk: Desk) -> None:
    made = desk.submit()
    first = desk.move(made["id"], "register", version=1, key="m")
    assert first == desk.move(made["id"], "register", version=1, key="m")
    with pytest.raises(Conflict):
        desk.move(made["id"], "register", version=1)


def test_who_moves_after_a_period_ran_out_is_asked_to_look_again(desk: Desk) -> None:
    made = desk.submit()
    desk.at(FILED + timedelta(days=40))
    with pytest.raises(Conflict) as stale:
        desk.move(made["id"], "register", version=1)
    assert 2 == stale.value.details["version"]
    assert "note_silence" == timeline(desk, made["id"])[-1]["move"]
    assert "registered" == desk.move(made["id"], "register", version=2)["stage"]


def test_two_schedulers_note_a_silence_once(desk: Desk) -> None:
    made = desk.submit()
    other = Desk(desk.database).at(FILED + timedelta(days=31))
    desk.at(FILED + timedelta(days=31))
    together(*[lambda each=each: each.ask("run_due_clocks") for each in (desk, other, desk, other)])
    assert ["submit", "note_silence"] == [each["move"] for each in timeline(desk, made["id"])]
    assert 1 == desk.told(made["id"]).count("petition.clock_expired.v1")


def test_a_new_holiday_moves_the_clocks_and_says_so(desk: Desk) -> None:
    made = desk.submit(kind="information_request")
    day = {"on": "2026-09-10", "kind": "holiday", "name": "Yas günü", "source": "RG", "version": 1}
    for _ in range(2):
        desk.hear("calendar.day_added.v1", day, 1, "11111111-2222-4333-8444-555555555555")
    assert "2026-09-29" == desk.get(made["id"])["due_on"]
    assert 1 == desk.told(made["id"]).count("petition.clock_moved.v1")


def test_the_owner_of_a_clock_is_reminded_once_for_each_rung(desk: Desk) -> None:
    made = desk.submit()
    for days in (20, 20, 25, 28, 30):
        desk.at(FILED + timedelta(days=days)).ask("run_due_clocks")
    assert 4 == desk.told(made["id"]).count("petition.reminder_due.v1")


def test_nothing_is_reminded_of_while_a_clock_stands(desk: Desk) -> None:
    made = desk.submit()
    desk.move(made["id"], "return_for_completion", missing=["signature"])
    desk.at(FILED + timedelta(days=20)).ask("run_due_clocks")
    with desk.database.read() as connection:
        rows = connection.execute(select(RUNTIME.outbox).where(RUNTIME.outbox.c.name == "petition.reminder_due.v1"))
        assert ["COMPLETION"] == [row.data["clock"] for row in rows]
    assert made["id"]


# the address


def test_an_address_is_found_when_a_message_leaves_and_nowhere_else(desk: Desk) -> None:
    made = desk.submit(language="en")
    contact = desk.ask("contact_of", recipient=f"petitioner@{made['id']}")
    assert ("a@example.org", "en", made["tracking_code"]) == (
        contact["email"], contact["language"], contact["values"]["tracking_code"],
    )  # fmt: skip
    for nobody in (f"petitioner@{uuid.uuid4()}", "petitioner@x", "mayor@34-35", f"supporter@{uuid.uuid4()}", ""):
        assert None is desk.ask("contact_of", recipient=nobody)
    with desk.database.read() as connection:
        outbox = str(connection.execute(RUNTIME.outbox.select()).all())
    assert "example.org" not in outbox
    assert "Başvuru Sahibi" not in outbox


# proposal and protocol


def accepted(desk: Desk) -> str:
    made = desk.submit(OWN, kind="partnership_proposal", petitioner={"type": "organisation"})
    desk.move(made["id"], "register")
    desk.move(
        made["id"], "accept_proposal", UNIT, title="Mahalle haritası", municipal_duty="5393/14", starts_on="2026-12-01",
        term_months=12,
    )  # fmt: skip
    return str(made["id"])


def step(petition_id: str, move: str, before: str, after: str) -> dict[str, Any]:
    return protocol(petition_id) | {
        "move": move, "from": before, "to": after, "turn": "mayor", "due_on": None, "done_on": "2026-09-07", "article": "",
    }  # fmt: skip


def protocol(petition_id: str) -> dict[str, Any]:
    return {"petition_id": petition_id, "protocol_id": PROTOCOL, "reference": "34-35/2026/17"}


NEWS = (
    ("protocol.drafted.v1", lambda p: protocol(p) | {"stage": "drafting"}, 1, str(uuid.uuid4())),
    ("protocol.moved.v1", lambda p: step(p, "submit_to_mayor", "drafting", "mayor_review"), 2, str(uuid.uuid4())),
    ("protocol.moved.v1", lambda p: step(p, "refer_to_council", "mayor_review", "council_agenda"), 3, str(uuid.uuid4())),
)  # fmt: skip


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_happens_to_the_protocol_appears_once_in_whatever_order_it_is_told(desk: Desk, order: Any) -> None:
    petition_id = accepted(desk)
    for number in (*order, *order):
        name, data, version, event_id = NEWS[number]
        desk.hear(name, data(petition_id), version, event_id)
    found = desk.get(petition_id)
    assert ("34-35/2026/17", "council_agenda") == (
        found["links"]["protocol"]["reference"], found["links"]["protocol"]["stage"],
    )  # fmt: skip
    moves = [each["move"] for each in timeline(desk, petition_id)]
    assert (1, 2) == (moves.count("link_protocol"), moves.count("follow_protocol"))
    assert 1 == desk.told(petition_id).count("petition.protocol_linked.v1")
    page = desk.ask("tracking", code=found["tracking_code"])
    assert {"reference": "34-35/2026/17", "stage": "council_agenda"} == page["protocol"]
    assert None is found["whose_turn"]
    assert [] == list(verify(desk.database))


def test_a_protocol_that_cannot_be_drafted_returns_the_proposal_with_its_reasons(desk: Desk) -> None:
    petition_id = accepted(desk)
    said = {"code": "x", "article": "5393/75", "message": Sentence("This organisation cannot be a party.").to_plain()}
    data = {"petition_id": petition_id, "municipality": "34-35", "organisation_id": ORGANISATION, "reasons": [said]}
    desk.hear("protocol.draft_failed.v1", data, 1)
    found = desk.get(petition_id)
    assert ("assigned", [said], "unit_officer") == (
        found["stage"], found["draft_problem"], found["whose_turn"]["role"],
    )  # fmt: skip
    assert "accept_proposal" in [each["move"] for each in desk.get(petition_id, UNIT)["options"] if each["enabled"]]


def test_a_draft_that_comes_after_its_day_takes_the_proposal_back_from_the_unit(desk: Desk) -> None:
    petition_id = accepted(desk)
    desk.at(FILED + timedelta(days=5)).ask("run_due_clocks")
    assert "assigned" == desk.get(petition_id)["stage"]
    name, data, version, event_id = NEWS[0]
    desk.hear(name, data(petition_id), version, event_id)
    assert "proposal_accepted" == desk.get(petition_id)["stage"]


def test_the_reason_of_a_failed_draft_that_comes_after_its_day_is_shown_too(desk: Desk) -> None:
    petition_id = accepted(desk)
    desk.at(FILED + timedelta(days=5)).ask("run_due_clocks")
    said = {"code": "x", "article": "5393/75", "message": Sentence("This organisation cannot be a party.").to_plain()}
    data = {"petition_id": petition_id, "municipality": "34-35", "organisation_id": ORGANISATION, "reasons": [said]}
    desk.hear("protocol.draft_failed.v1", data, 1)
    assert [said] == desk.get(petition_id)["draft_problem"]


def test_a_protocol_of_a_petition_that_went_another_way_is_noted_and_changes_no_stage(desk: Desk) -> None:
    petition_id = accepted(desk)
    desk.move(petition_id, "withdraw", OWN)
    name, data, version, event_id = NEWS[0]
    desk.hear(name, data(petition_id), version, event_id)
    found = desk.get(petition_id)
    assert ("withdrawn", "34-35/2026/17") == (found["stage"], found["links"]["protocol"]["reference"])
    assert "note_protocol" == timeline(desk, petition_id)[-1]["move"]


def test_other_protocols_leave_petitions_alone(desk: Desk) -> None:
    petition_id = accepted(desk)
    before = desk.stored(petition_id)
    desk.hear("protocol.drafted.v1", protocol(petition_id) | {"petition_id": None}, 1)
    desk.hear("protocol.drafted.v1", protocol(str(uuid.uuid4())), 1)
    assert before == desk.stored(petition_id)
    with desk.database.read() as connection:
        assert 1 == len(connection.execute(PETITIONS.select()).all())
