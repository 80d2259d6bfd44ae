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
from sqlalchemy import event, insert, select, text, update

from services.contracts.petitions import EVENTS
from services.kernel.actor import PETITIONER, ROLES, Actor
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused, error_from_plain
from services.kernel.text import Sentence
from services.petitions.adapters.access import admitted
from services.petitions.adapters.audit import verify
from services.petitions.adapters.repository import Stores
from services.petitions.adapters.tables import ATTACHMENTS, CASE, METADATA, PETITIONS, RUNTIME
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


def twice(desk: Desk, **fields: Any) -> tuple[str, str]:
    """A petition at a unit, and the same sent again twelve days later."""
    first = desk.submit(**fields)
    desk.move(first["id"], "register")
    again = desk.at(FILED + timedelta(days=12)).submit(**fields)
    return str(first["id"]), str(again["id"])


def answer_clock(desk: Desk, petition_id: str) -> tuple[Any, ...]:
    """The clock of the answer that counts, without its own name."""
    kinds = ("PETITION_ANSWER", "INFO_ACCESS", "NON_FINAL_WAIT")
    newest = [each for each in desk.get(petition_id)["clocks"] if each["kind"] in kinds][-1]
    return tuple(newest[name] for name in ("kind", "started_on", "due_on", "length", "state", "pauses", "met_on"))


FIRSTS: dict[str, tuple[str, list[tuple[str, Any, dict[str, Any]]]]] = {
    "paused": ("petition", [("return_for_completion", CLERK, {"missing": ["address"]})]),
    "resumed": (
        "petition",
        [("return_for_completion", CLERK, {"missing": ["address"]}), ("examine_anyway", CLERK, {})],
    ),
    "interim": ("petition", [("interim_reply", UNIT, {"text": "İnceleme sürüyor."})]),
    "extended": ("information_request", [("extend", UNIT, {"reason": "other_body", "notified_on": "2026-09-19"})]),
    "fee": ("information_request", [("notify_fee", UNIT, {"amount": "12.50"})]),
    "paid": ("information_request", [("notify_fee", UNIT, {"amount": "12.50"}), ("record_payment", CLERK, {})]),
}


@pytest.mark.parametrize("happens", ["before", "after"])
@pytest.mark.parametrize("what", FIRSTS)
def test_what_lawfully_happens_to_the_first_happens_to_what_was_sent_again(desk: Desk, what: str, happens: str) -> None:
    kind, moves = FIRSTS[what]
    first = str(desk.submit(kind=kind)["id"])
    desk.move(first, "register")
    desk.at(FILED + timedelta(days=12))
    if happens == "after":
        again = str(desk.submit(kind=kind)["id"])
    for move, actor, fields in moves:
        desk.move(first, move, actor, **fields)
    if happens == "before":
        again = str(desk.submit(kind=kind)["id"])
    assert first == desk.get(again)["links"]["repeats"]["id"]
    assert answer_clock(desk, first) == answer_clock(desk, again)
    desk.told(again)
    assert [] == list(verify(desk.database))


def test_what_was_sent_again_is_closed_with_the_first_answer_and_shows_it(desk: Desk) -> None:
    first, again = twice(desk)
    remedy = {"remedy": "İdare mahkemesi", "remedy_days": 60}
    desk.move(first, "reply", UNIT, outcome="refused", reason="Plan dışı", **remedy)
    found = desk.get(again)
    assert ("answered", "refused", "Plan dışı", "İdare mahkemesi") == (
        found["stage"], found["outcome"], found["answer"]["reason"], found["answer"]["remedy"],
    )  # fmt: skip
    suits = [next(c for c in desk.get(each)["clocks"] if c["kind"] == "SUIT") for each in (first, again)]
    assert 1 == len({(each["started_on"], each["due_on"]) for each in suits})
    assert "close_with_first" == timeline(desk, again)[-1]["move"]
    assert {} == {
        each["kind"]: each for each in found["clocks"] if each["state"] == "running" and each["kind"] != "SUIT"
    }


def test_what_was_sent_again_is_declined_with_the_first(desk: Desk) -> None:
    first, again = twice(desk)
    desk.move(first, "decline_to_examine", letter="b", reason="Dava", remedy="İdare mahkemesi", remedy_days=60)
    assert ("declined", "not_examined") == tuple(desk.get(again)[name] for name in ("stage", "outcome"))


def test_a_late_answer_to_the_first_closes_what_was_sent_again_after_its_own_silence(desk: Desk) -> None:
    first, again = twice(desk)
    desk.at(FILED + timedelta(days=40)).ask("run_due_clocks")
    assert ["note_silence"] == [each["move"] for each in timeline(desk, again)][-1:]
    desk.move(first, "reply", UNIT, outcome="informed", reason="Bilginize.")
    assert "answered" == desk.get(again)["stage"]


@pytest.mark.parametrize("paused", [False, True])
def test_when_the_first_is_withdrawn_what_was_sent_again_goes_on_from_the_first_filing(
    desk: Desk, *, paused: bool
) -> None:
    first, again = twice(desk)
    if paused:
        desk.move(first, "return_for_completion", missing=["address"])
        desk.at(FILED + timedelta(days=17))
    desk.move(first, "withdraw", reason="Başvuran geldi.")
    found = desk.get(again)
    kind, started_on, due_on, _, state, pauses, _ = answer_clock(desk, again)
    assert ("received", "PETITION_ANSWER", FILED.isoformat(), "running") == (found["stage"], kind, started_on, state)
    assert ("2026-10-12" if paused else "2026-10-07", int(paused)) == (due_on, len(pauses))
    assert "stand_alone" == timeline(desk, again)[-1]["move"]
    desk.move(again, "register")
    assert "awaiting_completion" == desk.move(again, "return_for_completion", missing=["address"])["stage"]


def test_when_an_accepted_first_is_withdrawn_the_answer_to_what_was_sent_again_is_owed(desk: Desk) -> None:
    proposal = {"kind": "partnership_proposal", "petitioner": {"type": "organisation"}}
    first, again = (str(desk.submit(OWN, **proposal)["id"]) for _ in range(2))
    desk.move(first, "register")
    accept = {"title": "Mahalle haritası", "municipal_duty": "5393/14", "starts_on": "2026-12-01", "term_months": 12}
    desk.move(first, "accept_proposal", UNIT, **accept)
    assert "met" == answer_clock(desk, again)[4]
    desk.move(first, "withdraw", OWN)
    assert ("PETITION_ANSWER", FILED.isoformat(), "2026-10-07", 30, "running") == answer_clock(desk, again)[:5]
    assert [] == list(verify(desk.database))


def test_a_first_that_becomes_a_protocol_answers_what_was_sent_again(desk: Desk) -> None:
    proposal = {"kind": "partnership_proposal", "petitioner": {"type": "organisation"}}
    first, again = (str(desk.submit(OWN, **proposal)["id"]) for _ in range(2))
    desk.move(first, "register")
    name, data, version, event_id = NEWS[0]
    desk.hear(name, data(first), version, event_id)
    assert ("answered", "accepted") == tuple(desk.get(again)[each] for each in ("stage", "outcome"))
    assert [] == list(verify(desk.database))


def test_a_new_holiday_moves_what_was_sent_again_once_and_says_why(desk: Desk) -> None:
    first, again = twice(desk, kind="information_request")
    desk.hear("calendar.day_added.v1",
              {"on": "2026-09-24", "kind": "holiday", "name": "Yas günü", "source": "RG", "version": 1}, 1)  # fmt: skip
    assert answer_clock(desk, first) == answer_clock(desk, again)
    with desk.database.read() as connection:
        moved = RUNTIME.outbox.select().where(RUNTIME.outbox.c.name == "petition.clock_moved.v1")
        rows = connection.execute(moved).all()
    assert [("calendar", 1), ("calendar", 1)] == [
        (row.data["why"], sum(each.subject_id == row.subject_id for each in rows)) for row in rows
    ]
    assert [] == list(verify(desk.database))


def test_what_changes_the_period_is_done_in_the_first_alone(desk: Desk) -> None:
    _, again = twice(desk)
    with pytest.raises(Refused) as refused:
        desk.move(again, "return_for_completion", missing=["address"])
    assert ["is_not_sent_again"] == [each["code"] for each in refused.value.details["reasons"]]


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
    assert ("received", "web", "2026-09-07", "2026-09-17") == tuple(
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


def test_a_forwarded_petition_takes_its_files_along_and_their_contents_are_shared(desk: Desk) -> None:
    made = desk.submit()

    def row(kind: str, by: str) -> dict[str, Any]:
        told = {"title": kind, "file_name": f"{kind}.pdf", "media_type": "application/pdf", "size": 4}
        return {"id": str(uuid.uuid4()), "petition_id": made["id"], "kind": kind, "sha256": kind * 8, **told,
                "added_at": desk.service.time.now(), "added_by": by}  # fmt: skip

    with desk.database.write() as connection:
        connection.execute(
            insert(ATTACHMENTS),
            [row("scan", "registry_clerk@34-35"), row("annex", f"petitioner@{made['id']}"),
             row("reply", "unit_officer@34-35"), row("mandate", "unit_officer@34-35")],
        )  # fmt: skip
    sent = desk.move(made["id"], "forward", municipality="34-10")
    arrived = sent["links"]["forwarded_to"]["id"]
    clerk = Actor("registry_clerk", "b", municipality="34-10").to_plain()
    files = desk.ask("list_attachments", actor=clerk, petition_id=arrived)["items"]
    assert {"scan": ("scan" * 8, "registry_clerk@34-35"), "annex": ("annex" * 8, f"petitioner@{arrived}")} == {
        each["kind"]: (each["sha256"], each["added_by"]) for each in files
    }
    assert 4 == len(desk.ask("list_attachments", actor=CLERK, petition_id=made["id"])["items"])


def test_the_receiving_clerk_acts_for_the_petitioner_of_a_forwarded_paper(desk: Desk) -> None:
    paper = desk.submit(CLERK, channel="counter", petitioner={"type": "citizen", "name": "Başvuru Sahibi"})
    arrived = desk.move(paper["id"], "forward", municipality="34-10")["links"]["forwarded_to"]["id"]
    clerk = Actor("registry_clerk", "b", municipality="34-10").to_plain()
    assert ("counter", paper["number"]) == (
        (there := desk.get(arrived, clerk))["channel"], there["links"]["forwarded_from"]["number"],
    )  # fmt: skip
    desk.move(arrived, "return_for_completion", clerk, missing=["address"])
    completed = desk.move(arrived, "complete", clerk, address="Beşiktaş")
    assert ("registered", "Beşiktaş") == (completed["stage"], completed["petitioner"]["address"])


def test_a_signed_in_citizen_without_an_office_sees_and_finds_the_own_petition_without_its_key(desk: Desk) -> None:
    own, other = (Actor(PETITIONER, name).to_plain() for name in ("hesap-1", "hesap-2"))
    made, _ = desk.submit(own), desk.submit(body="Başka bir şey")
    assert made["id"] == desk.get(made["id"], own)["id"]
    assert "withdrawn" == desk.move(made["id"], "withdraw", own)["stage"]
    assert [made["id"]] == [each["id"] for each in desk.ask("list_petitions", actor=own)["items"]]
    for stranger in (other, ANYONE):
        assert 0 == desk.ask("list_petitions", actor=stranger)["total"]
        with pytest.raises(NotFound):
            desk.get(made["id"], stranger)
    paper = desk.submit(CLERK, channel="counter")
    with pytest.raises(NotFound):
        desk.get(paper["id"], Actor(PETITIONER, CLERK["user_id"]).to_plain())


def test_remembered_answers_hold_neither_text_nor_name(desk: Desk) -> None:
    made = desk.submit(key="k", body="Parktaki rampa derhal yapılsın, lan!")
    moved = desk.move(made["id"], "register", version=1, key="m")
    with desk.database.read() as connection:
        kept = [row.answer for row in connection.execute(select(RUNTIME.replies))]
    assert 2 == len(kept)
    assert all(each["id"] == made["id"] and set(each) <= {"id", "version", "key_salt"} for each in kept)
    assert moved == desk.move(made["id"], "register", version=1, key="m")
    again = desk.submit(key="k", body="Parktaki rampa derhal yapılsın, lan!")
    assert (made["petition_key"], made["number"], made["tracking_code"], made["advice"]) == (
        again["petition_key"], again["number"], again["tracking_code"], again["advice"],
    )  # fmt: skip


def test_lists_do_not_read_the_texts(desk: Desk) -> None:
    desk.submit()
    asked: list[str] = []
    event.listen(desk.database.engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    assert 1 == desk.ask("list_petitions", actor=CLERK)["total"]
    desk.ask("work", actor=CLERK)
    assert any("petitions.subject" in each for each in asked)
    assert [] == [each for each in asked if "petitions.body" in each]


def test_a_stated_signature_is_told_as_missing_until_the_clerk_confirms_it(desk: Desk) -> None:
    made = desk.submit(signature={"kind": "e_signature"})
    (missing,) = made["missing"]
    assert ("signature", "3071/4") == (missing["element"], missing["article"])
    registered = desk.move(made["id"], "register", signature_seen=True)
    assert [] == registered["missing"]
    assert [] == desk.get(made["id"])["missing"]
    assert [] == desk.submit(CLERK, channel="counter", signature={"kind": "handwritten"})["missing"]


def test_the_public_part_of_a_petition_is_closed_by_the_registry_with_a_reason(desk: Desk) -> None:
    opened = {"public_title": "Parka rampa", "public_text": "Bir kişi hakkında"}
    made = desk.submit(support=opened)
    arguments: dict[str, Any] = {"petition_id": made["id"], "reason": "Bir kişi hakkında yazılmış", "key": "c"}
    for stranger in (UNIT, Actor("mayor", "m", municipality="34-35").to_plain()):
        with pytest.raises(Forbidden):
            desk.ask("close_support", actor=stranger, **arguments)
    with pytest.raises(NotFound):
        desk.ask("close_support", actor=Actor("registry_clerk", "b", municipality="34-10").to_plain(), **arguments)
    with pytest.raises(NotFound):
        desk.ask("get_supported", petition_id=made["id"])
    desk.move(made["id"], "register")
    assert "Parka rampa" == desk.ask("get_supported", petition_id=made["id"])["title"]
    for _ in range(2):
        desk.ask("close_support", actor=CLERK, **arguments)
    with pytest.raises(NotFound):
        desk.ask("get_supported", petition_id=made["id"])
    with pytest.raises(Refused):
        desk.ask("close_support", actor=CLERK, **{**arguments, "key": "d"})
    told = desk.ask("timeline", actor=ANYONE, petition_id=made["id"], petition_key=made["petition_key"])["items"][-1]
    assert ("close_support", "Bir kişi hakkında yazılmış") == (told["move"], told["fields"]["reason"])
    assert [] == list(verify(desk.database))


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


def reminded(desk: Desk, first: date, last: date) -> list[tuple[str, int, str, str]]:
    """What was told in these days, one look a day: rung, days left, due day, office."""
    start = len(_reminders(desk))
    for day in range((last - first).days + 1):
        desk.at(first + timedelta(days=day)).ask("run_due_clocks")
    return [(each["rung"], each["days_left"], each["due_on"], each["turn"]) for each in _reminders(desk)[start:]]


def _reminders(desk: Desk) -> list[dict[str, Any]]:
    with desk.database.read() as connection:
        rows = connection.execute(select(RUNTIME.outbox).order_by(RUNTIME.outbox.c.id)).all()
    found = [row.data for row in rows if row.name == "petition.reminder_due.v1"]
    return [each for each in found if each["clock"] in ("PETITION_ANSWER", "INFO_ACCESS", "NON_FINAL_WAIT")]


CLOSING = [("before", 10), ("before", 5), ("before", 2), ("due", 0), ("head", -5)]


def test_an_extended_period_reminds_of_its_new_last_day_too(desk: Desk) -> None:
    made = desk.submit(kind="information_request")
    desk.move(made["id"], "register")
    desk.move(made["id"], "assign", unit=desk.unit())
    assert [("before", 10), ("before", 5), ("before", 2)] == [
        each[:2] for each in reminded(desk, FILED, date(2026, 9, 24))
    ]
    due_on = desk.move(made["id"], "extend", UNIT, reason="other_body", notified_on="2026-09-24")["due_on"]
    told = reminded(desk, date(2026, 9, 24), date(2026, 11, 2))
    assert [(*rung, due_on, "unit_officer") for rung in CLOSING] == told


def test_a_period_that_runs_again_reminds_of_its_new_last_day_too(desk: Desk) -> None:
    made = desk.submit()
    assert [("before", 10), ("before", 5)] == [each[:2] for each in reminded(desk, FILED, FILED + timedelta(days=26))]
    desk.move(made["id"], "return_for_completion", missing=["address"])
    assert [] == reminded(desk, FILED + timedelta(days=26), FILED + timedelta(days=40))
    due_on = desk.move(made["id"], "examine_anyway")["due_on"]
    told = reminded(desk, FILED + timedelta(days=40), FILED + timedelta(days=70))
    assert [(*rung, due_on, "registry_clerk") for rung in CLOSING if rung[1] < 5] == told


def test_a_period_that_was_recounted_reminds_of_its_new_last_day_too(desk: Desk) -> None:
    made = desk.submit(kind="information_request")
    assert [("before", 10), ("before", 5), ("before", 2), ("due", 0)] == [
        each[:2] for each in reminded(desk, FILED, date(2026, 9, 28))
    ]
    day = {"on": "2026-09-28", "kind": "holiday", "name": "Yas günü", "source": "RG", "version": 1}
    desk.hear("calendar.day_added.v1", day, 1)
    assert "2026-09-29" == desk.get(made["id"])["due_on"]
    told = reminded(desk, date(2026, 9, 28), date(2026, 10, 12))
    assert [("due", 0, "2026-09-29", "registry_clerk"), ("head", -5, "2026-09-29", "registry_clerk")] == told


def test_a_miss_that_is_noticed_weeks_late_still_reaches_the_head(desk: Desk) -> None:
    desk.submit()
    late = FILED + timedelta(days=60)
    assert [("head", -5)] == [each[:2] for each in reminded(desk, late, late + timedelta(days=1))]


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


def test_an_accepted_proposal_shows_no_time_to_sue(desk: Desk) -> None:
    petition_id = accepted(desk)
    name, data, version, event_id = NEWS[0]
    desk.hear(name, data(petition_id), version, event_id)
    desk.at(FILED + timedelta(days=200)).ask("run_due_clocks")
    page = desk.ask("tracking", code=desk.get(petition_id)["tracking_code"])
    assert ("proposal_accepted", True, None, None, None) == tuple(
        page[each] for each in ("stage", "stage_is_end", "due_on", "due", "overdue_since")
    )
    assert [] == _reminders(desk)


def test_a_failed_draft_leaves_the_answer_owed_as_before_the_acceptance(desk: Desk) -> None:
    petition_id = accepted(desk)
    desk.at(FILED + timedelta(days=5)).ask("run_due_clocks")
    desk.at(date(2027, 1, 12)).ask("run_due_clocks")
    found = desk.get(petition_id)
    assert ("assigned", "2027-01-07") == (found["stage"], found["overdue_since"])
    assert [("head", -5, "NON_FINAL_WAIT")] == [
        (each["rung"], each["days_left"], each["clock"]) for each in _reminders(desk)
    ]
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
    with desk.database.read() as connection:
        told = connection.execute(select(RUNTIME.outbox).where(RUNTIME.outbox.c.name == "petition.protocol_linked.v1"))
        assert ["withdrawn"] == [row.data["stage"] for row in told]


def test_other_protocols_leave_petitions_alone(desk: Desk) -> None:
    petition_id = accepted(desk)
    before = desk.stored(petition_id)
    desk.hear("protocol.drafted.v1", protocol(petition_id) | {"petition_id": None}, 1)
    desk.hear("protocol.drafted.v1", protocol(str(uuid.uuid4())), 1)
    assert before == desk.stored(petition_id)
    with desk.database.read() as connection:
        assert 1 == len(connection.execute(PETITIONS.select()).all())
