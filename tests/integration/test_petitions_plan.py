"""Strategic plans and the proposals to them on both databases."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import resources
from typing import Any

import pytest
from machine import new_postgres, together
from sqlalchemy import insert, select

from services.kernel.actor import Actor
from services.kernel.chain import GENESIS
from services.kernel.errors import Forbidden, Invalid, NotFound, error_from_plain
from services.petitions.adapters.plan import activity_facts
from services.petitions.adapters.tables import METADATA, PETITIONS, PLAN
from services.petitions.service.plan import PlanDesk
from services.petitions.service.support import SupportDesk
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.settings import Settings
from services.runtime.sheet import open_sheet

SAMPLE = resources.files("services.petitions").joinpath("data/sample_plan.csv").read_bytes()
SISLI, BESIKTAS = "34-35", "34-10"
CLERK = Actor("registry_clerk", "c", municipality=SISLI).to_plain()
UNIT = Actor("unit_officer", "u", municipality=SISLI).to_plain()
OTHERS = Actor("unit_officer", "u", municipality=BESIKTAS).to_plain()
AUDITOR = Actor("auditor", "a").to_plain()
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
YEARS = {"title": "Stratejik Plan", "first_year": 2025, "last_year": 2029}


class Stopped(Time):
    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Desks(PlanDesk, SupportDesk):
    name = "petitions"


class Caller:
    """Asks the service as another does: keyword arguments and answers as JSON, refusals raised again."""

    def __init__(self, database: Database) -> None:
        self.service = Desks()
        self.service.database, self.service.settings = database, Settings(public_url="https://imece.example")
        self.be_at(NOW)

    def be_at(self, moment: datetime) -> None:
        self.service.time = Stopped(moment)

    def __getattr__(self, method: str) -> Any:
        def ask(**arguments: Any) -> Any:
            reply = json.loads(json.dumps(getattr(self.service, method)(**json.loads(json.dumps(arguments)))))
            if "error" in reply:
                raise error_from_plain(reply["error"])
            return reply["result"]

        return ask


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def petitions_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """petitions' own database, migrated; once of each kind for a module."""
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
def database(petitions_database: Database) -> Database:
    """The same without rows."""
    with petitions_database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
    return petitions_database


@pytest.fixture
def petitions(database: Database) -> Caller:
    return Caller(database)


def send(
    petitions: Caller, data: str | bytes, actor: Any = CLERK, *, apply: bool = True, **form: Any
) -> dict[str, Any]:
    """A file on its way through the door."""
    with open_sheet(io.BytesIO(data.encode() if isinstance(data, str) else data)) as sheet:
        known = petitions.plan_columns(header=sheet.header)
        rows = [[number, cells] for number, cells in sheet.rows(known["keep"])]
        header = [sheet.header[place] for place in known["keep"]]
    plan = {**YEARS, **form, "header": header, "ignored": known["ignored"], "rows": rows, "apply": apply}
    return dict(petitions.import_plan(actor=actor, plan=plan, key=uuid.uuid4().hex))


def petition(database: Database, activity: str | None = None, **more: Any) -> str:
    """A petition that stands at a stage, without its way there."""
    made = str(uuid.uuid4())
    row = {
        "id": made,
        "number": f"{SISLI}/2026/D{uuid.uuid4().int % 10**8}",
        "tracking_code": uuid.uuid4().hex,
        "kind": "partnership_proposal",
        "municipality": SISLI,
        "municipality_name": "Şişli",
        "subject": "Öneri",
        "body": "Metin",
        "text_sha256": "0" * 64,
        "petitioner_type": "organisation",
        "petitioner_name": None,
        "organisation_name": "Yer Çizenler",
        "channel": "web",
        "activity_id": activity,
        "language": "tr",
        "filed_on": date(2026, 3, 2),
        "received_on": date(2026, 3, 2),
        "counts_from": date(2026, 3, 2),
        "draft_problem": [],
        "stage": "assigned",
        "since": NOW,
        "last_on": date(2026, 3, 2),
        "version": 1,
        "head_hash": GENESIS,
        "procedure_version": 1,
        "facts": {},
        "created_at": NOW,
        "changed_at": NOW,
    } | more
    with database.write() as connection:
        connection.execute(insert(PETITIONS).values(row))
    return made


def activities(plan: dict[str, Any]) -> dict[str, str]:
    """The ids of the activities by code."""
    return {
        activity["code"]: activity["id"]
        for goal in plan["goals"]
        for target in goal["targets"]
        for activity in target["activities"]
    }


def table(*rows: str) -> str:
    return "\n".join(["row;code;title;measure;responsible;2025;2026;year;value;spent", *rows])


SMALL = table(
    "goal;A1;Amaç", "target;H1.1;Hedef", "indicator;PG1.1.1;Gösterge;annual;;4;5",
    "activity;F1.1.1;Harita;;Plan ve Proje;1000;2000", "activity;F1.1.2;Eğitim;;Kültür;500",
)  # fmt: skip


def test_a_trial_shows_everything_and_changes_nothing(petitions: Caller) -> None:
    tried = send(petitions, SAMPLE, apply=False)
    assert ("ready", 15, 4, 7, None) == (
        tried["state"], tried["added"], tried["warning_count"], tried["figures"], tried["plan_version"],
    )  # fmt: skip
    assert tried == petitions.get_plan_import(actor=AUDITOR, import_id=tried["id"])
    with pytest.raises(NotFound):
        petitions.get_plan(municipality=SISLI)
    with pytest.raises(NotFound):
        petitions.get_plan_import(actor=OTHERS, import_id=tried["id"])
    petitions.be_at(NOW + timedelta(days=31))
    petitions.service.clear_plan_trials()
    with pytest.raises(NotFound):
        petitions.get_plan_import(actor=CLERK, import_id=tried["id"])


def test_an_applied_plan_is_shown_as_it_was_sent(petitions: Caller) -> None:
    applied = send(petitions, SAMPLE, UNIT)
    assert ("applied", 1) == (applied["state"], applied["plan_version"])
    plan = petitions.get_plan(municipality=SISLI)
    assert (1, "Stratejik Plan", 2025, ["A1", "A2"]) == (
        plan["version"], plan["title"], plan["first_year"], [goal["code"] for goal in plan["goals"]],
    )  # fmt: skip
    target = plan["goals"][0]["targets"][0]
    assert ("9500000.00", ["cumulative", "annual"]) == (
        target["total"], [each["measure"] for each in target["indicators"]],
    )  # fmt: skip
    assert [{"year": 2025, "value": "7"}] == target["indicators"][0]["reported"]
    first = target["activities"][0]
    assert ("Plan ve Proje Müdürlüğü", [2025, 2026, 2027, 2028, 2029]) == (first["responsible"], first["years"])
    assert {"year": 2025, "amount": "500000.00"} == first["budget"][0]
    page = petitions.get_plan_activity(municipality=SISLI, activity_id=first["id"])
    assert ("A1", "H1.1", True) == (page["goal"]["code"], page["target"]["code"], page["open"])
    assert [{"year": 2025, "spent": "482350.50", "done": True}] == page["reported"]
    with pytest.raises(NotFound):
        petitions.get_plan_activity(municipality=BESIKTAS, activity_id=first["id"])


def test_the_plan_can_be_taken_out_and_sent_again(petitions: Caller) -> None:
    send(petitions, SAMPLE)
    taken = petitions.get_plan_table(municipality=SISLI)
    rows = "\n".join(";".join(row) for row in [taken["header"], *taken["rows"]])
    again = send(petitions, rows)
    assert ("applied", 0, 15, 0, 1) == (
        again["state"], again["changed"], again["unchanged"], again["figures"], again["plan_version"],
    )  # fmt: skip


def test_with_one_problem_nothing_is_taken(petitions: Caller) -> None:
    send(petitions, SMALL)
    refused = send(petitions, SMALL.replace("1000", "1.000") + "\ngoal;A2;Yeni")
    assert ("refused", [{"row": 5, "field": "2025"}]) == (
        refused["state"], [{name: each[name] for name in ("row", "field")} for each in refused["problems"]],
    )  # fmt: skip
    assert ["A1"] == [goal["code"] for goal in petitions.get_plan(municipality=SISLI)["goals"]]
    assert "refused" == send(petitions, "row;code;title\n")["state"]


def test_an_activity_keeps_its_id_and_one_with_proposals_is_withdrawn_not_lost(
    database: Database, petitions: Caller
) -> None:
    send(petitions, SMALL)
    before = activities(petitions.get_plan(municipality=SISLI))
    petition(database, before["F1.1.2"])
    changed = SMALL.replace("Harita", "Erişilebilirlik haritası").partition("activity;F1.1.2")[0]
    tried = send(petitions, changed, apply=False)
    assert [("changed", "F1.1.1"), ("withdrawn", "F1.1.2")] == [
        (each["outcome"], each["code"]) for each in tried["changes"]
    ]
    assert (1, 0) == (tried["withdrawn"], tried["removed"])
    assert 2 == send(petitions, changed)["plan_version"]
    plan = petitions.get_plan(municipality=SISLI)
    assert {"F1.1.1": before["F1.1.1"]} == activities(plan)
    gone = petitions.get_plan_activity(municipality=SISLI, activity_id=before["F1.1.2"])
    assert (False, 1) == (gone["open"], gone["proposals"]["institutions"]["total"])
    with database.read() as connection:
        assert {"municipality": SISLI, "code": "F1.1.2", "title": "Eğitim", "open": False} == activity_facts(
            connection, before["F1.1.2"]
        )
        assert {"municipality": SISLI, "code": "F1.1.1", "title": "Erişilebilirlik haritası", "open": True} == (
            activity_facts(connection, before["F1.1.1"])
        )
        assert activity_facts(connection, str(uuid.uuid4())) is None
    send(petitions, SMALL)
    assert before == activities(petitions.get_plan(municipality=SISLI))


def test_the_next_plan_closes_the_last_one_and_begins_with_new_activities(petitions: Caller) -> None:
    send(petitions, SMALL)
    old = activities(petitions.get_plan(municipality=SISLI))
    later = {"title": "Yeni plan", "first_year": 2030, "last_year": 2034}
    send(petitions, SMALL.replace("2025;2026", "2030;2031"), **later)
    plan = petitions.get_plan(municipality=SISLI)
    assert (2, "Yeni plan") == (plan["version"], plan["title"])
    assert not {*old.values()} & {*activities(plan).values()}
    assert not petitions.get_plan_activity(municipality=SISLI, activity_id=old["F1.1.1"])["open"]
    last_report = table("report;PG1.1.1;;;;;;2026;6")
    assert 3 == send(petitions, last_report)["plan_version"]  # of the plan for the years that are named
    assert "Yeni plan" == petitions.get_plan(municipality=SISLI)["title"]


def test_figures_alone_leave_the_plan_and_take_the_place_of_older_ones(petitions: Caller) -> None:
    none = {"title": None, "first_year": None, "last_year": None}
    nothing = send(petitions, table("report;PG1.1.1;;;;;;2025;3"), **none)
    assert ("refused", "file") == (nothing["state"], nothing["problems"][0]["field"])
    with pytest.raises(Invalid):
        send(petitions, SMALL, **none)
    send(petitions, SMALL)
    send(petitions, table("report;PG1.1.1;;;;;;2025;3", "report;F9.9.9;;;;;;2025;;50"), **none)
    corrected = send(petitions, table("report;PG1.1.1;;;;;;2025;4"), **none)
    assert ("applied", 3, 1, 0) == (
        corrected["state"], corrected["plan_version"], corrected["figures"], corrected["changed"],
    )  # fmt: skip
    indicator = petitions.get_plan(municipality=SISLI)["goals"][0]["targets"][0]["indicators"][0]
    assert [{"year": 2025, "value": "4"}] == indicator["reported"]
    said = petitions.plan_warnings(actor=UNIT, municipality=SISLI)
    assert [("unknown_code", "F9.9.9", 2025)] == [(each["rule"], each["code"], each["year"]) for each in said["items"]]
    assert 0 == petitions.plan_warnings(actor=AUDITOR, municipality=SISLI, rule="budget_sum")["total"]


def test_only_the_municipality_keeps_its_plan_and_sees_what_does_not_fit(petitions: Caller) -> None:
    commission = Actor("commission_rapporteur", "k", municipality=SISLI).to_plain()
    for actor in (OTHERS, commission, AUDITOR, Actor("mayor", "m", municipality=SISLI).to_plain()):
        with pytest.raises(Forbidden):
            send(petitions, SMALL, actor, municipality=SISLI)
    send(petitions, SMALL)
    for actor in (OTHERS, commission, Actor("administrator", "a").to_plain()):
        with pytest.raises(NotFound):
            petitions.plan_warnings(actor=actor, municipality=SISLI)
        with pytest.raises(NotFound):
            petitions.list_proposals(actor=actor, municipality=SISLI)
        with pytest.raises(NotFound):
            petitions.export_proposals(actor=actor, municipality=SISLI)


def test_two_imports_at_the_same_time_follow_each_other(database: Database, petitions: Caller) -> None:
    send(petitions, SMALL)
    before = activities(petitions.get_plan(municipality=SISLI))
    texts = [SMALL.replace("Harita", f"Harita {number}") for number in range(4)]
    made = together(*(lambda text=text: send(Caller(database), text) for text in texts))
    assert [2, 3, 4, 5] == sorted(each["plan_version"] for each in made)
    assert before == activities(petitions.get_plan(municipality=SISLI))
    with database.read() as connection:
        assert 5 == len(connection.execute(select(PLAN.items.c.id)).all())


def test_an_import_that_fails_halfway_changes_nothing(petitions: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    send(petitions, SMALL)
    before = petitions.get_plan(municipality=SISLI)

    def broken(*_: Any) -> None:
        message = "the power went"
        raise RuntimeError(message)

    monkeypatch.setattr("services.petitions.adapters.plan.PlanRows.put_figures", broken)
    with pytest.raises(RuntimeError):
        send(petitions, SMALL.partition("indicator")[0])
    assert before == petitions.get_plan(municipality=SISLI)


# proposals


def test_all_proposals_stand_in_one_list_by_activity_and_stakeholder(database: Database, petitions: Caller) -> None:
    send(petitions, SMALL)
    ids = activities(petitions.get_plan(municipality=SISLI))
    petition(database, ids["F1.1.1"])
    school = {
        "petitioner_type": "school",
        "organisation_name": None,
        "petitioner_name": "Bir İlkokul",
        "channel": "post",
    }
    petition(database, ids["F1.1.1"], **school, stage="answered", outcome="accepted")
    person = {"petitioner_type": "citizen", "organisation_name": None, "petitioner_name": "(KİŞİ ADI)"}
    opinion = petition(database, None, **person, kind="opinion")
    petition(database, ids["F1.1.1"], kind="petition")
    petition(database, None, municipality=BESIKTAS)
    found = petitions.list_proposals(actor=UNIT, municipality=SISLI)
    assert (3, 3) == (found["total"], len(found["items"]))
    assert "KİŞİ" not in json.dumps(found, ensure_ascii=False)
    assert {"Yer Çizenler", "Bir İlkokul", None} == {each["institution"] for each in found["items"]}
    counted = [
        (each["activity"] and each["activity"]["code"], each["total"], each["stages"])
        for each in found["groups"]["activities"]
    ]
    assert [
        ("F1.1.1", 2, [{"stage": "answered", "count": 1}, {"stage": "assigned", "count": 1}]),
        (None, 1, [{"stage": "assigned", "count": 1}]),
    ] == counted
    assert [("citizen", 1), ("organisation", 1), ("school", 1)] == [
        (each["petitioner_type"], each["total"]) for each in found["groups"]["stakeholders"]
    ]
    only = petitions.list_proposals(actor=AUDITOR, municipality=SISLI, stakeholder="citizen", stage="assigned")
    assert [opinion] == [each["id"] for each in only["items"]]
    assert 2 == petitions.list_proposals(actor=UNIT, municipality=SISLI, activity=ids["F1.1.1"], size=1)["total"]


def test_the_public_sees_institutions_in_numbers_and_few_persons_not_at_all(
    database: Database, petitions: Caller
) -> None:
    send(petitions, SMALL)
    activity = activities(petitions.get_plan(municipality=SISLI))["F1.1.1"]

    def shown() -> dict[str, Any]:
        return dict(petitions.get_plan_activity(municipality=SISLI, activity_id=activity)["proposals"])

    assert {"institutions": {"total": 0, "stages": []}, "persons": 0} == shown()
    petition(database, activity, stage="answered")
    for _ in range(4):
        petition(database, activity, petitioner_type="citizen")
    assert {"institutions": {"total": 1, "stages": [{"stage": "answered", "count": 1}]}, "persons": None} == shown()
    petition(database, activity, petitioner_type="mukhtar")
    assert 5 == shown()["persons"]


def test_who_only_says_to_be_a_body_is_not_named_and_counts_among_persons(
    database: Database, petitions: Caller
) -> None:
    send(petitions, SMALL)
    activity = activities(petitions.get_plan(municipality=SISLI))["F1.1.1"]
    so_called = {"petitioner_type": "company", "organisation_name": None, "petitioner_name": "(KİŞİ ADI)"}
    for _ in range(5):
        petition(database, activity, **so_called)
    petition(database, activity, **{**so_called, "petitioner_name": "Örnek A.Ş.", "channel": "counter"})
    found = petitions.list_proposals(actor=UNIT, municipality=SISLI)
    assert {None, "Örnek A.Ş."} == {each["institution"] for each in found["items"]}
    table = petitions.export_proposals(actor=UNIT, municipality=SISLI)
    assert "KİŞİ" not in json.dumps([found, table], ensure_ascii=False)
    public = petitions.get_plan_activity(municipality=SISLI, activity_id=activity)["proposals"]
    assert (1, 5) == (public["institutions"]["total"], public["persons"])


def test_the_export_holds_every_proposal_once_and_no_person(
    database: Database, petitions: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.petitions.service.plan._EXPORTED_AT_ONCE", 3)
    for number in range(7):
        person = {"petitioner_type": "citizen", "organisation_name": None, "petitioner_name": "(KİŞİ ADI)"}
        petition(database, subject="(KİŞİ ADI) ister", created_at=NOW + timedelta(minutes=number // 2), **person)
    rows: list[Any] = []
    after = None
    while True:
        part = petitions.export_proposals(actor=UNIT, municipality=SISLI, after=after)
        rows += part["rows"]
        after = part["after"]
        if after is None:
            break
    assert (7, 7) == (len(rows), len({row[0] for row in rows}))
    assert "KİŞİ" not in json.dumps(rows, ensure_ascii=False)
    assert {"tr": "Yurttaş", "en": "Citizen"} == rows[0][5]
