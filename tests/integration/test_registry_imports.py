"""Imports on real databases: what is compared, applied and undone, and what never reaches the registry."""

from __future__ import annotations

import hashlib
import json
import uuid
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import eventlet
import pytest
from machine import new_postgres
from sqlalchemy import func, select

from services.contracts.intake import ImportAnswer, ImportRowAnswer
from services.contracts.registry import OrganisationAnswer
from services.kernel.actor import Actor
from services.kernel.errors import Forbidden, Invalid, NotFound, Refused, error_from_plain
from services.registry.adapters.intake import ImportStore
from services.registry.adapters.tables import (
    IMPORT_PARTS,
    IMPORT_ROWS,
    IMPORTS,
    METADATA,
    MUNICIPALITIES,
    ORGANISATIONS,
    STATUSES,
)
from services.registry.application.intake import comparison as steps
from services.registry.application.intake.port import Lost
from services.registry.service import RegistryService
from services.registry.service.intake import Intake
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.outbox import OUTBOX
from services.runtime.settings import Settings

REGISTRAR = Actor(role="registrar", user_id="r").to_plain()
AUDITOR = Actor(role="auditor", user_id="u").to_plain()
OWN = ("registry_no", "name", "form", "province", "district", "email", "phone")
NATIONAL = [
    "Ad", "Sayi", "Oran", "Plaka", "AnaNevisi", "telNo", "Mail", "WebSitesi", "FkSisKodPkNevi", "FKSisTeskilatPk",
    "SisKod", "KurumAd", "KurumAdres", "Sira", "BaskanAdSoyad", "FkSisCityInfoPk", "AltNevisString", "IsActive",
    "DtOlusturma", "DtDegistirme", "Olusturan", "Degistiren",
]  # fmt: skip
PERSON = "Adile Gizlikişi"
SECONDS = 20

Cells = Mapping[str, str]


class Clock(Time):
    """A clock that stands where the test puts it."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Protocols:
    """Who has protocols, as the protocols service would say."""

    def __init__(self) -> None:
        self.partners: set[str] = set()
        self.places: set[str] = set()

    def partners_among(self, organisation_ids: list[str]) -> list[str]:
        return sorted(self.partners.intersection(organisation_ids))

    def municipalities_among(self, codes: list[str]) -> list[str]:
        return sorted(self.places.intersection(codes))


class Registry:
    """The service over one database, asked as another service asks: keywords, JSON, refusals raised again."""

    def __init__(self, database: Database) -> None:
        self.service = RegistryService()
        self.service.database, self.service.settings = database, Settings()
        self.clock = Clock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.service.time = self.clock
        self.protocols = Protocols()
        self.service.protocols = self.protocols
        self.database = database

    def __getattr__(self, method: str) -> Any:
        def ask(**arguments: Any) -> Any:
            reply = json.loads(json.dumps(getattr(self.service, method)(**json.loads(json.dumps(arguments)))))
            if "error" in reply:
                raise error_from_plain(reply["error"])
            return reply["result"]

        return ask

    def begin(self, rows: Sequence[Cells], source: str, **options: Any) -> str:
        """Send a file, all but its end; only the columns that the registry asks for."""
        header = list(options.pop("header", OWN))
        at_once = options.pop("at_once", 100)
        begun = self.begin_import(
            actor=REGISTRAR, header=header, source=source, key=new_key(),
            kind=options.pop("kind", "organisations"), **options,
        )  # fmt: skip
        kept = [header[place] for place in begun["keep"]]
        numbered = [[place, [row.get(name, "") for name in kept]] for place, row in enumerate(rows, start=2)]
        for number, start in enumerate(range(0, len(numbered), at_once)):
            self.add_import_rows(
                actor=REGISTRAR, import_id=begun["id"], number=number, rows=numbered[start : start + at_once]
            )
        return str(begun["id"])

    def send(self, rows: Sequence[Cells], source: str, **options: Any) -> dict[str, Any]:
        """Send a file and wait for the comparison, and with `apply` until it is applied."""
        at_once = options.get("at_once", 100)
        import_id = self.begin(rows, source, **options)
        self.finish_upload(actor=REGISTRAR, import_id=import_id, parts=-(-len(rows) // at_once))
        return self.rest(import_id)

    def apply(self, import_id: str) -> dict[str, Any]:
        self.apply_import(actor=REGISTRAR, import_id=import_id, key=new_key())
        return self.rest(import_id)

    def undo(self, import_id: str) -> dict[str, Any]:
        self.undo_import(actor=REGISTRAR, import_id=import_id, key=new_key())
        return self.rest(import_id)

    def rest(self, import_id: str) -> dict[str, Any]:
        """The import once nothing is done at it any more."""
        with eventlet.Timeout(SECONDS):
            while True:
                found: dict[str, Any] = self.get_import(actor=REGISTRAR, import_id=import_id)
                if found["state"] != "running":
                    return found
                eventlet.sleep(0.01)

    def rows(self, import_id: str, outcome: str | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.import_rows(actor=AUDITOR, import_id=import_id, outcome=outcome, size=200)[
            "items"
        ]
        assert {} == ImportRowAnswer(many=True).validate(found)
        return found

    def settle(self, import_id: str, row_no: int, decision: str, organisation_id: str | None = None) -> dict[str, Any]:
        settled: dict[str, Any] = self.settle_import_row(
            actor=REGISTRAR, import_id=import_id, row_no=row_no, key=new_key(),
            decision={"decision": decision, "organisation_id": organisation_id},
        )  # fmt: skip
        return settled

    def register(self, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.register_organisation(
            actor=REGISTRAR, organisation={"form": "association", **fields}, key=new_key()
        )
        return made

    def organisation(self, number: str) -> dict[str, Any]:
        """The organisation with that registry number."""
        with self.database.read() as connection:
            key = connection.execute(select(ORGANISATIONS.c.id).where(ORGANISATIONS.c.registry_no == number)).scalar()
        found: dict[str, Any] = self.get_organisation(organisation_id=str(key))
        return found

    def checksum(self) -> str:
        """Over the facts and the statuses known now of all organisations, and all municipalities; not versions."""
        facts = [column for column in ORGANISATIONS.c if column.name not in ("row_no", "version")]
        held = [
            column for column in STATUSES.c
            if column.name not in ("revision", "recorded_at", "superseded_at", "recorded_by")
        ]  # fmt: skip
        places = [column for column in MUNICIPALITIES.c if column.name != "version"]
        with self.database.read() as connection:
            rows = [
                list(map(str, row))
                for statement in (
                    select(*facts).order_by(ORGANISATIONS.c.id),
                    select(*held).where(STATUSES.c.superseded_at.is_(None)).order_by(STATUSES.c.id),
                    select(*places).order_by(MUNICIPALITIES.c.code),
                )
                for row in connection.execute(statement)
            ]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The registry's database, migrated once of each kind."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('imports') / 'registry.sqlite'}")
        upgrade(made, "registry")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "registry")
        yield made
        made.close()


@pytest.fixture
def registry(database: Database) -> Registry:
    """The service on 2 March 2026, without organisations and imports."""
    with database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            if table.name != "municipalities":
                connection.execute(table.delete())
    return Registry(database)


def new_key() -> str:
    return str(uuid.uuid4())


def row_of(number: int, **fields: str) -> dict[str, str]:
    return {
        "registry_no": f"34.{number // 1000:03}.{number % 1000:03}",
        "name": f"Örnek Dayanışma {number} Derneği",
        "form": "dernek",
        "province": "İstanbul",
        "district": "Şişli",
        "email": f"bilgi{number}@ornek.org.tr",
        **fields,
    }


def number_of(number: int) -> str:
    return row_of(number)["registry_no"]


def counts(found: Mapping[str, Any]) -> dict[str, int]:
    """What an import found, without the zeros."""
    names = ("added", "changed", "unchanged", "vanished", "rejected", "review", "kept")
    return {name: found[name] for name in names if found[name]}


def told(registry: Registry) -> dict[str, int]:
    with registry.database.read() as connection:
        rows = connection.execute(select(OUTBOX.c.name, func.count()).group_by(OUTBOX.c.name))
        return {name: count for name, count in rows}  # noqa: C416 - pairs of a row


def second_file(rows: Sequence[Cells]) -> list[Cells]:
    """Twenty rows changed, fifteen missing, eight broken, ten new."""
    changed = [{**row, "email": f"yeni{number}@ornek.org.tr"} for number, row in enumerate(rows[:20])]
    broken = [{**row, "email": "yanlış"} for row in rows[20:28]]
    return [*changed, *broken, *rows[43:], *(row_of(number) for number in range(900, 910))]


# --- comparing


def test_a_trial_changes_nothing_and_says_what_it_would(registry: Registry) -> None:
    before = registry.checksum()
    found = registry.send([row_of(number) for number in range(150)], "il listesi", at_once=40)
    assert {} == ImportAnswer().validate(found)
    assert ("ready", None, 150, {"added": 150}) == (found["state"], found["phase"], found["read"], counts(found))
    assert (before, {}) == (registry.checksum(), told(registry))


def test_a_file_with_changed_new_missing_and_broken_rows_gives_exactly_those_numbers(registry: Registry) -> None:
    rows = [row_of(number) for number in range(300)]
    assert {"added": 300} == counts(registry.send(rows, "il listesi", apply=True))
    found = registry.send(second_file(rows), "il listesi")
    assert {"changed": 20, "rejected": 8, "vanished": 15, "added": 10, "unchanged": 257} == counts(found)
    [first] = [row for row in registry.rows(found["id"], "changed") if row["registry_no"] == number_of(0)]
    assert [{"field": "email", "old": "bilgi0@ornek.org.tr", "new": "yeni0@ornek.org.tr"}] == first["changes"]
    broken = registry.rows(found["id"], "rejected")
    assert list(range(22, 30)) == [row["row"] for row in broken]
    assert {"email"} == {reason["field"] for row in broken for reason in row["reasons"]}
    assert {None} == {row["row"] for row in registry.rows(found["id"], "vanished")}


def test_a_second_import_of_the_same_file_finds_everything_unchanged_and_tells_nobody(registry: Registry) -> None:
    rows = [row_of(number) for number in range(120)]
    registry.send(rows, "il listesi", apply=True)
    before = told(registry)
    assert {"unchanged": 120} == counts(registry.send(rows, "il listesi", apply=True))
    assert before == told(registry)


def test_rows_that_the_last_import_left_as_they_are_cost_the_same_few_queries(registry: Registry) -> None:
    rows = [row_of(number) for number in range(100)]
    registry.send(rows, "il listesi", apply=True)
    import_id = registry.begin(rows, "il listesi")
    with registry.database.read() as connection:
        store = ImportStore(connection, registry.clock.today())
        imported = store.get(import_id)
        imported.base_id = store.newest_applied(imported.kind, imported.source)
        staged = steps.compare_rows(store, imported, store.part(import_id, 0), registry.clock.today())
    assert {"unchanged"} == {row.outcome for row in staged}
    assert {1} == {row.version_after for row in staged}


def test_of_a_part_that_came_before_only_what_changed_since_is_read_again(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row_of(number) for number in range(120)]
    rows[7] = {**rows[7], "email": "yanlış"}
    registry.send(rows, "il listesi", apply=True, at_once=50)
    registry.update_organisation(
        actor=REGISTRAR,
        organisation_id=registry.organisation(number_of(60))["id"],
        changes={"email": "baska@ornek.org.tr"},
        key=new_key(),
    )
    read: list[int] = []
    usual = steps.compare_rows

    def noting(store: Any, imported: Any, given: Sequence[Any], *more: Any) -> Any:
        read.extend(place for place, _ in given)
        return usual(store, imported, given, *more)

    monkeypatch.setattr(steps, "compare_rows", noting)
    found = registry.send(rows, "il listesi", at_once=50)
    assert [9, 62] == read
    assert {"changed": 1, "rejected": 1, "unchanged": 118} == counts(found)


def test_the_same_cells_under_another_heading_are_read_again(registry: Registry) -> None:
    rows = [{**row_of(number), "email": "", "phone": "0212 000 00 00"} for number in range(3)]
    registry.send(rows, "il listesi", apply=True)
    swapped = tuple({"email": "website", "phone": "address"}.get(name, name) for name in OWN)
    renamed = [{**row, "website": "", "address": row["phone"]} for row in rows]
    assert {"changed": 3} == counts(registry.send(renamed, "il listesi", header=swapped))


def test_an_empty_cell_makes_no_statement(registry: Registry) -> None:
    registry.send([row_of(1, phone="0212 555 00 01")], "il listesi", apply=True)
    found = registry.send([row_of(1, phone="", email="")], "il listesi")
    assert {"unchanged": 1} == counts(found)


def test_the_same_number_twice_in_a_file_goes_to_review(registry: Registry) -> None:
    found = registry.send([row_of(1), row_of(2), row_of(1, name="Başka Bir Dernek")], "il listesi", apply=True)
    assert {"added": 1, "review": 2} == counts(found)
    assert [2, 4] == [row["row"] for row in registry.rows(found["id"], "review")]


def test_without_a_number_name_province_and_district_identify_after_folding(registry: Registry) -> None:
    bare = {"registry_no": "", "name": "Iğdır Gönüllüleri Derneği", "form": "dernek", "province": "76"}
    registry.send([bare], "elle", apply=True)
    again = {**bare, "name": "IGDIR GÖNÜLLÜLERİ DERNEĞİ", "province": "ığdır"}
    found = registry.send([again], "elle")
    assert ({"changed": 1}, ["name"]) == (
        counts(found), [change["field"] for change in registry.rows(found["id"])[0]["changes"]],
    )  # fmt: skip


def test_a_numbered_row_and_a_namesake_without_a_number_go_to_review(registry: Registry) -> None:
    known = registry.register(name="Çınar Derneği", province_code="34")
    found = registry.send([row_of(1, name="ÇINAR DERNEĞİ", district="")], "il listesi", apply=True)
    [row] = registry.rows(found["id"], "review")
    assert [known["id"]] == [each["organisation_id"] for each in row["candidates"]]
    assert 1 == registry.search_organisations(query="çınar")["total"]


def test_an_organisation_that_others_succeeded_goes_to_review(registry: Registry) -> None:
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    old, heir = registry.organisation(number_of(1)), registry.organisation(number_of(2))
    with registry.database.write() as connection:
        connection.execute(
            ORGANISATIONS.update()
            .where(ORGANISATIONS.c.id == old["id"])
            .values(successors=[heir["id"]], version=ORGANISATIONS.c.version + 1)
        )
    assert {"review": 1, "unchanged": 1} == counts(registry.send([row_of(1), row_of(2)], "il listesi"))


def test_what_is_missing_is_to_be_verified_and_active_again_when_it_is_back(registry: Registry) -> None:
    rows = [row_of(number) for number in range(3)]
    registry.send(rows, "il listesi", apply=True)
    registry.send(rows[:2], "il listesi", apply=True)
    assert "to_verify" == registry.organisation(number_of(2))["state"]
    found = registry.send(rows, "il listesi", apply=True)
    assert {"changed": 1, "unchanged": 2} == counts(found)
    assert "active" == registry.organisation(number_of(2))["state"]


def test_what_another_source_lists_does_not_vanish_from_this_one(registry: Registry) -> None:
    registry.send([row_of(1)], "birinci", apply=True)
    found = registry.send([row_of(2)], "ikinci", apply=True)
    assert {"added": 1} == counts(found)
    assert "active" == registry.organisation(number_of(1))["state"]


def test_a_broken_row_of_a_known_organisation_does_not_make_it_vanish(registry: Registry) -> None:
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    found = registry.send([row_of(1), row_of(2, name="", phone="x")], "il listesi", apply=True)
    assert {"unchanged": 1, "rejected": 1} == counts(found)


def test_a_header_that_is_not_known_is_refused_with_what_is_missing(registry: Registry) -> None:
    with pytest.raises(Invalid) as refused:
        registry.begin_import(actor=REGISTRAR, kind="organisations", source="x", header=["Renk", "Boy"], key=new_key())
    [error] = refused.value.details["errors"]
    assert "header" == error["field"]
    assert "national_associations" in error["message"]["values"]["layouts"]


def test_rows_of_another_width_are_refused(registry: Registry) -> None:
    import_id = registry.begin([], "dar")
    with pytest.raises(Invalid):
        registry.add_import_rows(actor=REGISTRAR, import_id=import_id, number=0, rows=[[2, ["yalnız"]]])


def test_a_row_that_the_sender_could_not_read_is_rejected_with_its_reason(registry: Registry) -> None:
    import_id = registry.begin([row_of(1)], "okunamayan")
    why = {"template": "There is no such row.", "values": {}}
    registry.add_import_rows(actor=REGISTRAR, import_id=import_id, number=1, rows=[[3, None, why]])
    registry.finish_upload(actor=REGISTRAR, import_id=import_id, parts=2)
    assert {"added": 1, "rejected": 1} == counts(registry.rest(import_id))
    [row] = registry.rows(import_id, "rejected")
    assert (3, [{"field": None, "message": why}]) == (row["row"], row["reasons"])


def test_a_part_that_is_sent_twice_is_taken_once(registry: Registry) -> None:
    import_id = registry.begin([row_of(1)], "yinelenen")
    cells = [[3, [row_of(2).get(name, "") for name in OWN]]]
    for _ in range(2):
        answer = registry.add_import_rows(actor=REGISTRAR, import_id=import_id, number=1, rows=cells)
        assert 2 == answer["read"]


def test_an_upload_with_a_missing_part_does_not_begin_to_be_compared(registry: Registry) -> None:
    import_id = registry.begin([row_of(1)], "eksik")
    with pytest.raises(Invalid):
        registry.finish_upload(actor=REGISTRAR, import_id=import_id, parts=2)
    assert "receiving" == registry.get_import(actor=REGISTRAR, import_id=import_id)["phase"]


# --- the exports of the field


def national(number: int, **fields: str) -> dict[str, str]:
    return {
        "Plaka": "34",
        "SisKod": number_of(number),
        "KurumAd": f"Ulusal {number} Derneği",
        "KurumAdres": "Örnek Mahallesi",
        "telNo": "0212 555 00 00",
        "AltNevisString": "Dayanışma",
        "IsActive": "true",
        **dict.fromkeys(("BaskanAdSoyad", "Olusturan", "Degistiren"), PERSON),
        **fields,
    }


def test_the_national_export_gives_forms_fields_and_states(registry: Registry) -> None:
    rows = [
        national(1),
        national(2, KurumAd="Örnek Spor Kulüpleri Federasyonu"),
        national(3, KurumAd="Örnek Derneği Kadıköy Şubesi"),
        national(4, IsActive="false"),
    ]
    assert {"added": 4} == counts(registry.send(rows, "ulusal", header=NATIONAL, apply=True))
    found = [registry.organisation(number_of(number)) for number in (1, 2, 3, 4)]
    assert ["association", "federation", "association_branch", "association"] == [each["form"] for each in found]
    assert ["active", "active", "active", "to_verify"] == [each["state"] for each in found]
    assert ("Dayanışma", "Örnek Mahallesi", "34") == (
        found[0]["field"], found[0]["address"], found[0]["province_code"],
    )  # fmt: skip
    registry.send([*rows[:3], national(4)], "ulusal", header=NATIONAL, apply=True)
    assert "active" == registry.organisation(number_of(4))["state"]


def test_the_names_of_persons_are_nowhere_in_the_database(registry: Registry) -> None:
    begun = registry.begin_import(
        actor=REGISTRAR, kind="organisations", source="ulusal", header=NATIONAL, key=new_key()
    )
    assert not {"BaskanAdSoyad", "Olusturan", "Degistiren"} & {NATIONAL[place] for place in begun["keep"]}
    registry.abandon_upload(actor=REGISTRAR, import_id=begun["id"])
    registry.send([national(1), national(2, telNo="yok")], "ulusal", header=NATIONAL, apply=True)
    with registry.database.read() as connection:
        held = [str(row) for table in METADATA.sorted_tables for row in connection.execute(select(table))]
        parts = [zlib.decompress(body).decode() for body in connection.execute(select(IMPORT_PARTS.c.body)).scalars()]
    assert "Ulusal 1 Derneği" in "".join(held)
    assert "Ulusal 1 Derneği" in "".join(parts)
    assert [] == [text for text in (*held, *parts) if "Gizlikişi" in text]


def test_the_foundations_export_is_read_without_numbers(registry: Registry) -> None:
    header = ["Tel / Faks", "Ad", "Il / Ilce", "Adres"]
    row = {
        "Ad": "Örnek Eğitim Vakfı", "Adres": "Örnek Sokak 1", "Il / Ilce": "İstanbul / Beyoğlu",
        "Tel / Faks": "0212 555 00 01 / 0212 555 00 02",
    }  # fmt: skip
    assert {"added": 1} == counts(registry.send([row], "vakıflar", header=header, apply=True))
    [found] = registry.search_organisations(query="örnek eğitim vakfı")["items"]
    assert ("foundation", "34", "Beyoğlu", "0212 555 00 01") == (
        found["form"], found["province_code"], found["district"], found["phone"],
    )  # fmt: skip
    assert {"unchanged": 1} == counts(registry.send([row], "vakıflar", header=header))
    twice = [row, {**row, "Ad": "ÖRNEK EĞİTİM VAKFI"}]
    assert {"review": 2} == counts(registry.send(twice, "vakıflar", header=header))


# --- applying and undoing


def test_undo_leaves_everything_as_before_twice_over(registry: Registry) -> None:
    rows = [row_of(number) for number in range(60)]
    registry.send(rows, "il listesi", apply=True)
    before = registry.checksum()
    found = registry.send(second_file(rows), "il listesi", apply=True)
    after = registry.checksum()
    assert before != after
    for _ in range(2):
        assert "undone" == registry.undo(found["id"])["state"]
        assert before == registry.checksum()
        assert "applied" == registry.apply(found["id"])["state"]
        assert after == registry.checksum()


def test_each_organisation_that_changed_is_told_once_and_behind_what_is_urgent(registry: Registry) -> None:
    rows = [row_of(number) for number in range(60)]
    registry.send(rows, "il listesi", apply=True)
    found = registry.send(second_file(rows), "il listesi", apply=True)
    assert {"organisation.registered.v1": 70, "organisation.updated.v1": 35} == told(registry)
    registry.undo(found["id"])
    assert 10 == told(registry)["organisation.removed.v1"]
    assert 70 == told(registry)["organisation.updated.v1"]
    with registry.database.read() as connection:
        assert [True] == list(connection.execute(select(OUTBOX.c.bulk).distinct()).scalars())


def test_what_is_undone_keeps_its_id_counts_its_versions_on_and_leaves_a_trace(registry: Registry) -> None:
    found = registry.send([row_of(1)], "il listesi", apply=True)
    first = registry.organisation(number_of(1))
    registry.clock.moment += timedelta(days=1)
    registry.undo(found["id"])
    with pytest.raises(NotFound):
        registry.get_organisation(organisation_id=first["id"])
    registry.clock.moment += timedelta(days=1)
    registry.apply(found["id"])
    again = registry.organisation(number_of(1))
    assert (first["id"], 3) == (again["id"], again["version"])
    with pytest.raises(NotFound):  # in between it was not in the registry
        registry.standing(organisation_id=first["id"], known_at="2026-03-03T12:00:00+00:00")


def test_undo_keeps_what_was_changed_since_and_says_so(registry: Registry) -> None:
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    found = registry.send(
        [row_of(number, email=f"yeni{number}@ornek.org.tr", phone="0212 555 00 09") for number in (1, 2)],
        "il listesi",
        apply=True,
    )
    known = registry.organisation(number_of(1))
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=known["id"], changes={"email": "elle@ornek.org.tr"}, key=new_key()
    )
    undone = registry.undo(found["id"])
    assert {"kept": 1, "changed": 1} == counts(undone)
    [kept] = registry.rows(found["id"], "kept")
    assert ["email"] == [reason["field"] for reason in kept["reasons"]]
    changed = registry.organisation(number_of(1))
    assert ("elle@ornek.org.tr", None) == (changed["email"], changed["phone"])
    assert "bilgi2@ornek.org.tr" == registry.organisation(number_of(2))["email"]


def test_undo_keeps_added_organisations_that_something_hangs_on(registry: Registry) -> None:
    found = registry.send([row_of(number) for number in range(5)], "il listesi", apply=True)
    known = [registry.organisation(number_of(number)) for number in range(5)]
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=known[0]["id"], changes={"phone": "0212 555 00 00"}, key=new_key()
    )
    registry.grant_status(
        actor=REGISTRAR, organisation_id=known[1]["id"], key=new_key(),
        status={"kind": "public_benefit", "valid_from": "2020-01-01"},
    )  # fmt: skip
    registry.protocols.partners = {known[2]["id"]}
    with registry.database.write() as connection:
        table = METADATA.tables["organisation_numbers"]
        connection.execute(
            table.insert().values(form="association", number_key="34999999", organisation_id=known[3]["id"])
        )
    assert {"added": 1, "kept": 4} == counts(registry.undo(found["id"]))
    assert [2, 3, 4, 5] == [row["row"] for row in registry.rows(found["id"], "kept")]
    with pytest.raises(NotFound):
        registry.get_organisation(organisation_id=known[4]["id"])
    # What was kept is not added a second time.
    assert {"added": 1, "unchanged": 4} == counts(registry.apply(found["id"]))


def test_only_the_newest_applied_import_of_a_source_can_be_undone(registry: Registry) -> None:
    first = registry.send([row_of(1)], "il listesi", apply=True)
    second = registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    with pytest.raises(Refused):
        registry.undo(first["id"])
    registry.undo(second["id"])
    assert "undone" == registry.undo(first["id"])["state"]


def test_what_changed_since_the_trial_is_compared_again_before_it_is_applied(registry: Registry) -> None:
    registry.send([row_of(number) for number in range(4)], "il listesi", apply=True)
    rows = [row_of(number, phone="0212 555 00 07") for number in range(3)]
    trial = registry.send([*rows, row_of(8), row_of(9)], "il listesi")
    assert {"changed": 3, "added": 2, "vanished": 1} == counts(trial)
    same = registry.organisation(number_of(0))
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=same["id"], changes={"phone": "0212 555 00 07"}, key=new_key()
    )
    gone = registry.organisation(number_of(3))
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=gone["id"], changes={"state": "dissolved"}, key=new_key()
    )
    registry.register(name="Elle Kaydedilen Dernek", registry_no=number_of(8), province_code="34")
    applied = registry.apply(trial["id"])
    assert {"changed": 3, "unchanged": 1, "added": 1, "vanished": 1} == counts(applied)
    assert "dissolved" == registry.organisation(number_of(3))["state"]
    assert row_of(8)["name"] == registry.organisation(number_of(8))["name"]


def test_a_trial_is_compared_again_when_another_import_of_the_source_was_applied(registry: Registry) -> None:
    registry.send([row_of(1)], "il listesi", apply=True)
    trial = registry.send([row_of(1, phone="0212 555 00 07")], "il listesi")
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    assert {"changed": 1, "vanished": 1} == counts(registry.apply(trial["id"]))


# --- side by side, and after the end of a process


def test_a_second_import_of_a_source_is_refused_while_one_runs_and_told_which(registry: Registry) -> None:
    running = registry.begin([row_of(1)], "il listesi")
    with pytest.raises(Refused) as refused:
        registry.begin([row_of(2)], "il listesi")
    assert running == refused.value.details["import_id"]
    assert {"added": 1} == counts(registry.send([row_of(2)], "başka"))
    registry.abandon_upload(actor=REGISTRAR, import_id=running)
    assert {"added": 1} == counts(registry.send([row_of(1)], "il listesi"))


def test_two_sources_that_are_applied_at_once_are_both_applied(registry: Registry) -> None:
    trials = [registry.send([row_of(n) for n in range(start, start + 50)], f"kaynak {start}") for start in (0, 30)]
    for trial in trials:
        registry.apply_import(actor=REGISTRAR, import_id=trial["id"], key=new_key())
    assert ["applied", "applied"] == [registry.rest(trial["id"])["state"] for trial in trials]
    assert 80 == registry.search_organisations()["total"]


def test_an_import_waits_for_whoever_is_about_to_change_an_organisation(registry: Registry) -> None:
    registry.send([row_of(1)], "il listesi", apply=True)
    trial = registry.send([row_of(1, phone="0212 555 00 07")], "il listesi")
    same = ORGANISATIONS.c.id == registry.organisation(number_of(1))["id"]
    registry.apply_import(actor=REGISTRAR, import_id=trial["id"], key=new_key())
    with registry.database.write() as connection:
        connection.execute(select(ORGANISATIONS.c.id).where(same).with_for_update())
        eventlet.sleep(0.3)  # the import has come to where it locks the table
        connection.execute(ORGANISATIONS.update().where(same).values(version=ORGANISATIONS.c.version + 1))
    assert ("applied", {"changed": 1}) == (
        registry.rest(trial["id"])["state"], now(registry, trial["id"]),
    )  # fmt: skip
    assert 3 == registry.organisation(number_of(1))["version"]


def test_nobody_takes_over_from_a_process_that_is_at_one_long_step(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = registry.send([row_of(1)], "il listesi")
    lease = timedelta(seconds=0.2)
    registry.clock.now = lambda: datetime.now(UTC)  # type: ignore[method-assign] - leases run in real time here
    first, other = (Intake(registry.database, registry.clock.now, _nobody(registry), lease=lease) for _ in range(2))
    usual, taken = ImportStore.finish, list[Any]()

    def long(store: ImportStore, imported: Any) -> None:
        for _ in range(12):
            eventlet.sleep(0.05)
            if registry.database.dialect == "postgresql":  # with SQLite its open transaction keeps others off
                taken.append(other._take(None))  # noqa: SLF001 - what another process would do next
        usual(store, imported)

    monkeypatch.setattr(ImportStore, "finish", long)
    first.apply_import(Actor.from_plain(REGISTRAR), trial["id"])
    assert 1 == first.run(trial["id"])
    assert ([], "applied") == ([each for each in taken if each], registry.rest(trial["id"])["state"])


def test_another_process_goes_on_where_a_killed_comparison_ended(registry: Registry) -> None:
    import_id = registry.begin([row_of(number) for number in range(50)], "il listesi", at_once=10)
    first = Intake(registry.database, registry.clock.now, _nobody(registry), breathe=lambda: None)
    first.finish_upload(Actor.from_plain(REGISTRAR), import_id, 5)
    taken = first._take(import_id)  # noqa: SLF001 - what a process holds that is killed next
    assert taken is not None
    context = first._context(str(taken.holder))  # noqa: SLF001
    assert [True, True] == [steps.compare_next(context, import_id) for _ in range(2)]
    other = Intake(registry.database, registry.clock.now, _nobody(registry), breathe=lambda: None)
    assert 0 == other.run()  # the lease still holds
    registry.clock.moment += timedelta(minutes=1)
    with registry.database.read() as connection:
        assert 2 == connection.execute(select(IMPORTS.c.position)).scalar_one()
    assert 1 == other.run()
    assert {"added": 50} == counts(registry.rest(import_id))
    with pytest.raises(Lost):
        steps.compare_next(context, import_id)


def _nobody(registry: Registry) -> Any:
    class Nobody:
        def organisations(self, ids: Any) -> set[str]:
            return registry.protocols.partners.intersection(ids)

        def municipalities(self, codes: Any) -> set[str]:
            return registry.protocols.places.intersection(codes)

    return Nobody()


def test_a_failure_of_ours_ends_an_import_after_three_tries_and_changes_nothing(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = registry.send([row_of(1)], "il listesi")
    before = registry.checksum()

    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ImportStore, "announce", fail)
    assert "failed" == registry.apply(trial["id"])["state"]
    monkeypatch.undo()
    assert registry.get_import(actor=REGISTRAR, import_id=trial["id"])["problem"]
    assert before == registry.checksum()


def test_progress_is_seen_while_an_import_is_applied(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = registry.send([row_of(number) for number in range(60)], "il listesi")
    seen: set[tuple[str | None, int, int]] = set()
    breathe = eventlet.sleep

    def look(*_: Any) -> None:
        found = registry.get_import(actor=REGISTRAR, import_id=trial["id"])
        seen.add((found["phase"], found["done"], found["of"]))
        breathe(0)

    monkeypatch.setattr("services.registry.service.intake._SHOWN_EVERY", 0.0)
    alone = Intake(registry.database, registry.clock.now, _nobody(registry), breathe=look, at_once=20)
    alone.apply_import(Actor.from_plain(REGISTRAR), trial["id"])
    alone.run(trial["id"])
    assert {("applying", 20, 60), ("applying", 40, 60), ("applying", 60, 60)} <= seen


# --- review


def test_rows_under_review_are_settled_as_the_same_as_new_or_left_out(registry: Registry) -> None:
    known = [registry.register(name=f"Çınar {n} Derneği", province_code="34") for n in range(3)]
    rows = [row_of(n, name=f"ÇINAR {n} DERNEĞİ", district="") for n in range(3)]
    found = registry.send(rows, "il listesi")
    assert {"review": 3} == counts(found)
    same = registry.settle(found["id"], 2, "same", known[0]["id"])
    assert ("changed", known[0]["id"]) == (same["outcome"], same["organisation_id"])
    assert "added" == registry.settle(found["id"], 3, "new")["outcome"]
    assert "rejected" == registry.settle(found["id"], 4, "skip")["outcome"]
    with pytest.raises(Refused):
        registry.settle(found["id"], 4, "same", known[0]["id"])
    assert {"changed": 1, "added": 1, "rejected": 1} == counts(registry.apply(found["id"]))
    assert known[0]["id"] == registry.organisation(number_of(0))["id"]
    assert known[1]["id"] != registry.organisation(number_of(1))["id"]
    assert 4 == registry.search_organisations(query="çınar")["total"]
    with pytest.raises(Refused):  # it is applied
        registry.settle(found["id"], 4, "new")


def test_of_two_rows_with_one_number_only_one_can_be_new(registry: Registry) -> None:
    found = registry.send([row_of(1), row_of(1, name="Başka Bir Dernek")], "il listesi")
    assert "added" == registry.settle(found["id"], 2, "new")["outcome"]
    with pytest.raises(Refused):
        registry.settle(found["id"], 3, "new")
    registry.settle(found["id"], 3, "skip")
    assert {"added": 1, "rejected": 1} == counts(registry.apply(found["id"]))


def test_a_new_row_whose_number_was_registered_meanwhile_is_rejected(registry: Registry) -> None:
    registry.register(name="Çınar Derneği", province_code="34")
    found = registry.send([row_of(1, name="Çınar Derneği", district="")], "il listesi")
    registry.settle(found["id"], 2, "new")
    registry.register(name="Bu Arada Kaydedilen Dernek", registry_no=number_of(1), province_code="34")
    assert {"rejected": 1} == counts(registry.apply(found["id"]))


def test_what_a_row_is_settled_as_does_not_vanish(registry: Registry) -> None:
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    registry.register(name="Çınar Derneği", province_code="34")
    found = registry.send([row_of(1), row_of(3, name="Çınar Derneği", district="")], "il listesi")
    assert {"unchanged": 1, "review": 1, "vanished": 1} == counts(found)
    registry.settle(found["id"], 3, "same", registry.organisation(number_of(2))["id"])
    assert {"unchanged": 1, "changed": 1} == counts(registry.apply(found["id"]))
    assert ("active", "Çınar Derneği") == tuple(registry.organisation(number_of(3))[name] for name in ("state", "name"))


def test_a_row_that_is_not_under_review_cannot_be_settled(registry: Registry) -> None:
    found = registry.send([row_of(1)], "il listesi")
    for row_no, refusal in ((2, Refused), (99, NotFound)):
        with pytest.raises(refusal):
            registry.settle(found["id"], row_no, "skip")


def test_a_number_that_was_corrected_since_the_trial_does_not_vanish(registry: Registry) -> None:
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    trial = registry.send([row_of(1), row_of(3)], "il listesi")
    assert {"unchanged": 1, "added": 1, "vanished": 1} == counts(trial)
    known = registry.organisation(number_of(2))
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=known["id"], changes={"registry_no": number_of(3)}, key=new_key()
    )
    applied = registry.apply(trial["id"])
    assert ("applied", {"unchanged": 1, "changed": 1}) == (applied["state"], counts(applied))
    found = registry.organisation(number_of(3))
    assert (known["id"], "active") == (found["id"], found["state"])


def test_what_was_rejected_or_under_review_in_one_edition_vanishes_from_a_later_one(registry: Registry) -> None:
    rows = [row_of(number) for number in range(4)]
    registry.send(rows, "il listesi", apply=True)
    registry.register(name="Çınar Derneği", province_code="34")
    by_name = {**row_of(3), "registry_no": "", "form": "vakıf"}
    second = [rows[0], {**rows[1], "email": "yanlış"}, rows[2], {**rows[2], "phone": "0212 555 00 00"}, by_name]
    found = registry.send(second, "il listesi", apply=True)
    assert {"unchanged": 1, "rejected": 1, "review": 3} == counts(found)
    for _ in range(2):  # what is left open once more is not lost either
        assert {"unchanged": 1, "review": 1, "vanished": 2} == counts(registry.send([rows[0], by_name], "il listesi"))
    registry.send([rows[0], rows[1], rows[2], by_name], "il listesi", apply=True)
    last = registry.send(rows[:1], "il listesi", apply=True)
    assert {"unchanged": 1, "vanished": 3} == counts(last)
    assert {"to_verify"} == {registry.organisation(number_of(number))["state"] for number in (1, 2, 3)}
    assert {"unchanged": 1} == counts(registry.send(rows[:1], "il listesi"))


def test_rows_that_were_settled_as_new_are_unchanged_in_the_next_edition(registry: Registry) -> None:
    bare = {"registry_no": "", "name": "Iğdır Gönüllüleri Derneği", "form": "dernek", "province": "76"}
    rows = [bare, {**bare, "email": "ikinci@ornek.org.tr"}, row_of(1)]
    first = registry.send(rows, "elle")
    assert {"added": 1, "review": 2} == counts(first)
    assert ["added", "added"] == [registry.settle(first["id"], row_no, "new")["outcome"] for row_no in (2, 3)]
    registry.apply(first["id"])
    for edition in (rows, rows, rows[::-1]):
        assert {"unchanged": 3} == counts(registry.send(edition, "elle", apply=True))


def test_of_two_equal_rows_the_one_that_was_left_out_is_asked_about_again(registry: Registry) -> None:
    rows = [{"registry_no": "", "name": "Iğdır Gönüllüleri Derneği", "form": "dernek", "province": "76"}] * 2
    first = registry.send(rows, "elle")
    registry.settle(first["id"], 2, "new")
    registry.settle(first["id"], 3, "skip")
    registry.apply(first["id"])
    again = registry.send(rows, "elle")
    assert ({"unchanged": 1, "review": 1}, [3]) == (
        counts(again), [row["row"] for row in registry.rows(again["id"], "review")],
    )  # fmt: skip


def test_what_a_row_is_not_about_after_all_vanishes(registry: Registry) -> None:
    rows = [row_of(number) for number in range(3)]
    registry.send(rows, "il listesi", apply=True)
    by_name = {**row_of(2), "registry_no": "", "form": "vakıf"}
    found = registry.send([*rows[:2], by_name], "il listesi")
    assert {"unchanged": 2, "review": 1} == counts(found)
    registry.settle(found["id"], 4, "new")
    assert {"unchanged": 2, "added": 1, "vanished": 1} == now(registry, found["id"])
    registry.settle(found["id"], 4, "same", registry.organisation(number_of(2))["id"])
    assert {"unchanged": 2, "changed": 1} == now(registry, found["id"])
    registry.settle(found["id"], 4, "skip")
    assert {"unchanged": 2, "rejected": 1, "vanished": 1} == now(registry, found["id"])
    registry.apply(found["id"])
    assert "to_verify" == registry.organisation(number_of(2))["state"]


def now(registry: Registry, import_id: str) -> dict[str, int]:
    return counts(registry.get_import(actor=REGISTRAR, import_id=import_id))


# --- statuses and municipalities

STATUS = ("registry_no", "kind", "decision_no", "decision_on", "gazette_no", "gazette_on", "valid_from", "valid_to")


def status_of(number: int, **fields: str) -> dict[str, str]:
    return {
        "registry_no": number_of(number), "kind": "public_benefit", "decision_no": f"2019/{number}",
        "decision_on": "2019-05-02", "valid_from": "2019-05-03", **fields,
    }  # fmt: skip


def test_statuses_are_added_corrected_and_undone_and_the_past_stays_readable(registry: Registry) -> None:
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    before = registry.checksum()
    options: dict[str, Any] = {"kind": "statuses", "header": STATUS, "apply": True}
    first = registry.send([status_of(1), status_of(2), status_of(7)], "resmî gazete", **options)
    assert {"added": 2, "rejected": 1} == counts(first)
    middle = registry.checksum()
    second = registry.send([status_of(1), status_of(2)], "resmî gazete", **options)
    assert {"unchanged": 2} == counts(second)
    registry.clock.moment += timedelta(days=1)
    known_at = registry.clock.moment.isoformat()
    corrected = registry.send([status_of(1, gazette_no="30765", gazette_on="03.05.2019")], "resmî gazete", **options)
    assert {"changed": 1, "vanished": 1} == counts(corrected)
    known = registry.organisation(number_of(1))
    assert ["30765"] == [status["gazette_no"] for status in known["statuses"]]
    assert 1 == len(registry.organisation(number_of(2))["statuses"])
    registry.clock.moment += timedelta(days=1)
    registry.undo(corrected["id"])
    assert middle == registry.checksum()
    evidence = registry.standing(organisation_id=known["id"], known_at=known_at)["evidence"]
    assert "30765" == evidence["gazette_no"]
    registry.undo(second["id"])
    registry.undo(first["id"])
    assert before == registry.checksum()
    assert 3 <= len(registry.organisation(number_of(1))["history"])
    registry.apply(first["id"])
    assert middle == registry.checksum()


def test_a_status_that_the_law_does_not_allow_is_rejected_with_its_field(registry: Registry) -> None:
    registry.send([row_of(1)], "il listesi", apply=True)
    rows = [status_of(1, kind="tax_exempt"), status_of(1, kind="şeref üyesi"), status_of(1, valid_from="2018-01-01")]
    found = registry.send(rows, "resmî gazete", kind="statuses", header=STATUS)
    assert {"rejected": 3} == counts(found)
    assert ["kind", "kind", "valid_from"] == [row["reasons"][0]["field"] for row in registry.rows(found["id"])]


def test_a_revoked_status_is_not_brought_back_by_a_list(registry: Registry) -> None:
    registry.send([row_of(1)], "il listesi", apply=True)
    options: dict[str, Any] = {"kind": "statuses", "header": STATUS, "apply": True}
    first = registry.send([status_of(1)], "resmî gazete", **options)
    [status] = registry.organisation(number_of(1))["statuses"]
    registry.revoke_status(
        actor=REGISTRAR, organisation_id=registry.organisation(number_of(1))["id"], status_id=status["id"],
        revocation={"revoked_on": "2025-01-01"}, key=new_key(),
    )  # fmt: skip
    second = registry.send([status_of(1, gazette_no="1")], "resmî gazete", **options)
    assert {"review": 1} == counts(second)
    registry.undo(second["id"])
    assert {"kept": 1} == counts(registry.undo(first["id"]))


PLACES = (
    "code", "name", "kind", "province_code", "province", "district", "civil_authority_code", "civil_authority_kind",
    "civil_authority", "full_membership",
)  # fmt: skip
TOWN = {
    "code": "34-T01", "name": "Örnek Beldesi Belediyesi", "kind": "belde", "province": "İstanbul", "district": "Şile",
    "civil_authority_code": "K34-34", "civil_authority_kind": "kaymakam", "civil_authority": "Şile Kaymakamlığı",
    "full_membership": "9",
}  # fmt: skip


def test_towns_are_added_and_councils_changed_and_both_undone(registry: Registry) -> None:
    before = registry.checksum()
    rows = [TOWN, {"code": "34-35", "full_membership": "37"}, {"code": "34-99"}, {"code": "34-T02", "kind": "köy"}]
    found = registry.send(rows, "belediyeler", kind="municipalities", header=PLACES, apply=True)
    assert {"added": 1, "changed": 1, "rejected": 2} == counts(found)
    town = registry.get_municipality(code="34-T01")
    assert ("town", "İstanbul", 9, "5393") == (
        town["kind"], town["province"], town["council"]["full_membership"], town["legal_profile"]["law"],
    )  # fmt: skip
    assert 37 == registry.get_municipality(code="34-35")["council"]["full_membership"]
    assert {"municipality.updated.v1": 2} == told(registry)
    registry.undo(found["id"])
    assert before == registry.checksum()
    assert 1 == told(registry)["municipality.removed.v1"]
    registry.apply(found["id"])
    assert 3 == registry.get_municipality(code="34-T01")["version"]
    registry.protocols.places = {"34-T01"}
    assert {"kept": 1, "changed": 1, "rejected": 2} == counts(registry.undo(found["id"]))
    registry.protocols.places = set()
    with registry.database.write() as connection:
        connection.execute(MUNICIPALITIES.delete().where(MUNICIPALITIES.c.code == "34-T01"))


def test_a_status_that_is_left_out_is_not_in_the_file(registry: Registry) -> None:
    registry.send([row_of(1), row_of(2)], "il listesi", apply=True)
    options: dict[str, Any] = {"kind": "statuses", "header": STATUS}
    rows = [status_of(1), status_of(2)]
    registry.send(rows, "resmî gazete", apply=True, **options)
    found = registry.send([*rows, status_of(2)], "resmî gazete", **options)
    assert {"unchanged": 1, "review": 2} == counts(found)
    with pytest.raises(Refused):
        registry.settle(found["id"], 3, "new")
    registry.settle(found["id"], 3, "skip")
    assert {"unchanged": 1, "review": 1, "rejected": 1} == now(registry, found["id"])
    registry.settle(found["id"], 4, "skip")
    assert {"unchanged": 1, "rejected": 2, "vanished": 1} == now(registry, found["id"])


# --- who may, and how long it is kept


def test_a_file_name_that_cannot_be_is_blamed_on_the_file_name(registry: Registry) -> None:
    for name in ("source", "file_name"):
        asked = {"source": "x", name: "x\u0000y"}
        with pytest.raises(Invalid) as refused:
            registry.begin_import(actor=REGISTRAR, kind="organisations", header=list(OWN), key=new_key(), **asked)
        assert [name] == [each["field"] for each in refused.value.details["errors"]]


def test_a_source_is_the_same_however_its_name_is_written(registry: Registry) -> None:
    registry.send([row_of(1)], "İl Listesi", apply=True)
    found = registry.send([row_of(2)], "IL LİSTESİ")
    assert ("İl Listesi", {"added": 1, "vanished": 1}) == (found["source"], counts(found))


def test_the_registrar_imports_the_auditor_reads_and_nobody_else_sees_it(registry: Registry) -> None:
    import_id = registry.begin([row_of(1)], "il listesi")
    assert import_id == registry.get_import(actor=AUDITOR, import_id=import_id)["id"]
    for role in ("auditor", "administrator", "mayor", "organisation_representative"):
        actor = Actor(role=role, user_id="x").to_plain()
        with pytest.raises(Forbidden):
            registry.begin_import(actor=actor, kind="organisations", source="x", header=OWN, key=new_key())
        with pytest.raises(Forbidden):
            registry.abandon_upload(actor=actor, import_id=import_id)
        if role != "auditor":
            with pytest.raises(Forbidden):
                registry.import_rows(actor=actor, import_id=import_id)


def test_the_same_key_begins_one_import(registry: Registry) -> None:
    key = new_key()
    asked: dict[str, Any] = {"kind": "organisations", "source": "x", "header": list(OWN), "key": key}
    assert registry.begin_import(actor=REGISTRAR, **asked) == registry.begin_import(actor=REGISTRAR, **asked)


def test_an_upload_that_never_ends_is_given_up(registry: Registry) -> None:
    import_id = registry.begin([row_of(1)], "il listesi")
    registry.clock.moment += timedelta(hours=2)
    registry.service.clean_imports()
    found = registry.get_import(actor=REGISTRAR, import_id=import_id)
    assert ("failed", True) == (found["state"], bool(found["problem"]))
    assert 0 == rows_kept(registry, import_id)


def test_rows_of_the_last_three_applied_imports_are_kept_and_of_older_ones_the_counts(registry: Registry) -> None:
    applied = [
        registry.send([row_of(n) for n in range(size)], "il listesi", apply=True, file_name="liste.csv")["id"]
        for size in (2, 3, 4, 5)
    ]
    trial = registry.send([row_of(1)], "il listesi")["id"]
    registry.service.clean_imports()
    assert [0, 4, 5, 6, 6] == [rows_kept(registry, each) for each in (*applied, trial)]
    names = [registry.get_import(actor=AUDITOR, import_id=each)["file_name"] for each in applied]
    assert [None, "liste.csv", "liste.csv", "liste.csv"] == names
    registry.clock.moment += timedelta(days=31)
    registry.service.clean_imports()
    assert [0, 6] == [rows_kept(registry, each) for each in (trial, applied[3])]
    assert 2 == registry.get_import(actor=AUDITOR, import_id=applied[0])["added"]
    with pytest.raises(Refused):
        registry.apply(trial)


def test_an_import_is_not_undone_where_the_next_file_could_be_compared_with_nothing(registry: Registry) -> None:
    sizes = (2, 3, 4, 5)
    applied = [registry.send([row_of(n) for n in range(size)], "il listesi", apply=True)["id"] for size in sizes]
    registry.service.clean_imports()
    assert ["undone", "undone"] == [registry.undo(applied[place])["state"] for place in (3, 2)]
    with pytest.raises(Refused):
        registry.undo(applied[1])
    assert {"unchanged": 1, "vanished": 2} == counts(registry.send([row_of(0)], "il listesi"))


def test_what_is_applied_after_all_is_not_thrown_away(registry: Registry) -> None:
    trial = registry.send([row_of(1)], "il listesi")["id"]
    registry.clock.moment += timedelta(days=31)
    with registry.database.read() as connection:
        assert [trial] == ImportStore(connection, registry.clock.today()).outlived(registry.clock.now())
    registry.apply(trial)
    with registry.database.write() as connection:
        assert ImportStore(connection, registry.clock.today()).clean(trial, registry.clock.now())
    assert 2 == rows_kept(registry, trial)


def test_rows_are_thrown_away_to_the_end_and_not_applied_while_they_are(registry: Registry) -> None:
    trial = registry.send([row_of(1)], "il listesi")["id"]
    registry.clock.moment += timedelta(days=31)
    with registry.database.write() as connection:  # and then the process ends
        assert not ImportStore(connection, registry.clock.today()).clean(trial, registry.clock.now())
    assert 2 == rows_kept(registry, trial)
    with pytest.raises(Refused):
        registry.apply(trial)
    registry.service.clean_imports()
    assert 0 == rows_kept(registry, trial)


def rows_kept(registry: Registry, import_id: str) -> int:
    with registry.database.read() as connection:
        return sum(
            connection.execute(
                select(func.count()).select_from(table).where(table.c.import_id == import_id)
            ).scalar_one()
            for table in (IMPORT_ROWS, IMPORT_PARTS)
        )


def test_organisations_from_an_import_are_found_and_answered_as_all_others(registry: Registry) -> None:
    registry.send([row_of(1)], "il listesi", apply=True)
    [found] = registry.search_organisations(query="ornek dayanisma")["items"]
    assert {} == OrganisationAnswer().validate(registry.get_organisation(organisation_id=found["id"]))
    again = registry.register(name="Elle", registry_no="34.777.777", province_code="34")
    assert set(again) == set(registry.get_organisation(organisation_id=found["id"]))
