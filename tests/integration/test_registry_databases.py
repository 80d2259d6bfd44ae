"""The registry's promises on real databases: what is written is found again, the same way in both."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import eventlet
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, event, func, select, text
from sqlalchemy.engine import make_url

from services.contracts.registry import MunicipalityAnswer, OrganisationAnswer, StandingAnswer
from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused, error_from_plain
from services.kernel.turkish import collation_key
from services.registry.adapters.reference import reference_municipalities, seed
from services.registry.adapters.tables import METADATA, MUNICIPALITIES, ORGANISATIONS, RECORDS, STATUSES
from services.registry.service import RegistryService
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.migration import ensure_database, is_current, upgrade
from services.runtime.settings import Settings

POSTGRES = os.environ.get("IMECE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REGISTRAR = Actor(role="registrar", user_id="r").to_plain()
ADMINISTRATOR = Actor(role="administrator", user_id="a").to_plain()
SISLI_CLERK = Actor(role="registry_clerk", user_id="c", municipality="34-35").to_plain()
CEKMEKOY_CLERK = Actor(role="registry_clerk", user_id="f", municipality="34-16").to_plain()
NOBODY = str(uuid.UUID(int=7))
NAMES = (
    ("Yer Çizenler Herkes İçin Haritalama Derneği", "association", "34"),
    ("65+ Yaşlı Hakları Derneği", "association", "34"),
    ("Sivil Toplum Geliştirme Merkezi Derneği", "association", "06"),
    ("Kadın Emeğini Değerlendirme Vakfı", "foundation", "34"),
    ("Türkiye Üçüncü Sektör Vakfı", "foundation", "34"),
    ("Hrant Dink Vakfı", "foundation", "34"),
    ("Türkiye Kızılay Derneği", "association", "06"),
    ("İstanbul Barosu", "professional_body", "34"),
    ("Kamu Harcamalarını İzleme Platformu", "platform", "06"),
    ("Iğdır Kültür Derneği", "association", "76"),
    ("Çınar Dayanışma Derneği", "association", "21"),
    ("Cumhuriyet Kitaplığı Derneği", "association", "35"),
)


class Clock(Time):
    """A clock that stands where the test puts it."""

    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Caller:
    """Asks the service as another service does: keyword arguments and answers as JSON, refusals raised again."""

    def __init__(self, database: Database, *moment: int) -> None:
        self.service = RegistryService()
        self.service.database, self.service.settings = database, Settings()
        self.be_at(*moment)

    def be_at(self, *moment: int) -> None:
        self.service.time = Clock(datetime(*moment, tzinfo=UTC))

    def __getattr__(self, method: str) -> Any:
        def ask(**arguments: Any) -> Any:
            reply = json.loads(json.dumps(getattr(self.service, method)(**json.loads(json.dumps(arguments)))))
            if "error" in reply:
                raise error_from_plain(reply["error"])
            return reply["result"]

        return ask


class Counter:
    """How many statements reached the database."""

    def __init__(self, database: Database) -> None:
        self.n = 0
        event.listen(database.engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        self.n += 1


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of the newest shape with the reference data, made for this run and dropped after it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('registry') / 'registry.sqlite'}"
    else:
        server = make_url(POSTGRES).set(drivername="postgresql+psycopg")
        name = f"imece_test_{uuid.uuid4().hex}"
        url = server.set(database=name).render_as_string(hide_password=False)
        ensure_database(url)
    made = Database(url)
    upgrade(made, "registry")
    yield made
    made.close()
    if request.param == "postgresql":
        admin = create_engine(server, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
        admin.dispose()


@pytest.fixture
def registry(database: Database) -> Caller:
    """The service over the test's database, on 2 March 2026."""
    return Caller(database, 2026, 3, 2, 9)


@pytest.fixture(scope="module")
def known(database: Database) -> dict[str, str]:
    """The ids of the organisations of NAMES, registered once."""
    registry = Caller(database, 2026, 3, 1, 9)
    return {name: register(registry, form, name=name, province_code=province)["id"] for name, form, province in NAMES}


def new_key() -> str:
    return str(uuid.uuid4())


def register(registry: Caller, form: str = "association", **fields: Any) -> dict[str, Any]:
    organisation = {"name": f"Deneme {uuid.uuid4().hex}", "form": form, **fields}
    made: dict[str, Any] = registry.register_organisation(actor=REGISTRAR, organisation=organisation, key=new_key())
    return made


def grant(registry: Caller, organisation: dict[str, Any], **status: Any) -> dict[str, Any]:
    given = {"kind": "public_benefit", "valid_from": "2020-01-01", **status}
    changed: dict[str, Any] = registry.grant_status(
        actor=REGISTRAR, organisation_id=organisation["id"], status=given, key=new_key()
    )
    return changed


def names(found: dict[str, Any]) -> list[str]:
    return [item["name"] for item in found["items"]]


def outbox(database: Database, subject_id: str) -> list[Any]:
    with database.read() as connection:
        return list(
            connection.execute(
                text("SELECT name, subject_version, data FROM outbox WHERE subject_id = :id ORDER BY id"),
                {"id": uuid.UUID(subject_id).hex if database.dialect == "sqlite" else subject_id},
            )
        )


# --- shape


def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    hidden = ("organisation_search", "organisations_by_words", "search_words")

    def ours(_object: Any, name: str | None, *_: Any) -> bool:
        return not (name or "").startswith(hidden)

    with database.write() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert [] == compare_metadata(context, METADATA)
        assert is_current(connection, "registry")


def test_the_package_brings_1003_municipalities_and_leaves_edits_alone(database: Database, registry: Caller) -> None:
    changed = registry.update_municipality(
        actor=SISLI_CLERK, code="34-35", changes={"council": {"full_membership": 37}}, key=new_key()
    )
    with database.write() as connection:
        seed(connection)
        count = connection.execute(select(func.count()).select_from(MUNICIPALITIES)).scalar_one()
    assert len(list(reference_municipalities())) == count == 1003
    assert changed == registry.get_municipality(code="34-35")


# --- organisations


def test_a_registered_organisation_is_read_back_as_given_and_announced_without_contacts(
    database: Database, registry: Caller
) -> None:
    given = {
        "name": "  Örnek   Derneği ",
        "form": "association",
        "registry_no": "34.123.456",
        "province_code": "34",
        "district": "Şişli",
        "founded_on": "2010-05-04",
        "field": "Eğitim",
        "tax_no": "4540536920",
        "email": "bilgi@ornek.org.tr",
        "phone": "+90 212 000 00 00",
        "website": "https://ornek.org.tr",
        "address": "Örnek Sokak 1",
        "expertise": ["harita", "erişilebilirlik"],
        "state": "active",
    }
    made = registry.register_organisation(actor=REGISTRAR, organisation=given, key=new_key())
    found = registry.get_organisation(organisation_id=made["id"])
    assert made == found
    assert {**given, "name": "Örnek Derneği"} == {name: found[name] for name in given}
    assert (1, [], []) == (found["version"], found["statuses"], found["warnings"])
    assert "required" == found["standing"]["permission"]
    assert {} == OrganisationAnswer().validate(found)
    [(name, version, data)] = outbox(database, made["id"])
    assert ("organisation.registered.v1", 1) == (name, version)
    for secret in ("ornek.org.tr", "+90 212 000 00 00", "Sokak", "4540536920"):
        assert secret not in json.dumps(data)


def test_a_repeated_command_answers_as_before_and_does_nothing_twice(database: Database, registry: Caller) -> None:
    organisation = {"name": f"Tekrar {uuid.uuid4().hex}", "form": "association"}
    first = registry.register_organisation(actor=REGISTRAR, organisation=organisation, key="again")
    second = registry.register_organisation(actor=REGISTRAR, organisation=organisation, key="again")
    assert first == second
    assert 1 == len(outbox(database, first["id"]))
    with pytest.raises(Invalid) as reused:
        registry.register_organisation(actor=REGISTRAR, organisation={**organisation, "form": "union"}, key="again")
    assert "idempotency_key_reused" == reused.value.stable_code


def test_a_change_of_a_version_that_is_not_current_is_a_conflict_that_names_the_current_one(
    registry: Caller,
) -> None:
    made = register(registry)
    arguments: dict[str, Any] = {"actor": REGISTRAR, "organisation_id": made["id"]}
    changed = registry.update_organisation(
        **arguments, changes={"district": "Kadıköy"}, expected_version=1, key=new_key()
    )
    assert (2, "Kadıköy") == (changed["version"], changed["district"])
    with pytest.raises(Conflict) as stale:
        registry.update_organisation(**arguments, changes={"district": "Moda"}, expected_version=1, key=new_key())
    assert {"version": 2} == stale.value.details


def test_a_change_that_changes_nothing_is_no_new_version_and_no_event(database: Database, registry: Caller) -> None:
    made = register(registry, district="Şişli")
    same = registry.update_organisation(
        actor=REGISTRAR, organisation_id=made["id"], changes={"district": " Şişli "}, key=new_key()
    )
    assert made == same
    assert 1 == len(outbox(database, made["id"]))


def test_one_registry_number_belongs_to_one_organisation_however_it_is_written(registry: Caller) -> None:
    register(registry, registry_no="06.157.157")
    with pytest.raises(Refused):
        register(registry, registry_no="06-157-157")


def test_one_registry_number_registered_by_two_at_the_same_time_is_kept_once(registry: Caller) -> None:
    def attempt() -> str:
        try:
            register(registry, registry_no="35.111.222")
        except Refused:
            return "refused"
        return "registered"

    threads = [eventlet.spawn(attempt) for _ in range(4)]
    assert ["refused"] * 3 + ["registered"] == sorted(thread.wait() for thread in threads)


@pytest.mark.parametrize("identifier", [NOBODY, "not-an-id", "'; --", ""])
def test_an_organisation_that_is_not_there_is_not_found(registry: Caller, identifier: str) -> None:
    with pytest.raises(NotFound):
        registry.get_organisation(organisation_id=identifier)
    with pytest.raises(NotFound):
        registry.standing(organisation_id=identifier)


@pytest.mark.parametrize("role", ["administrator", "auditor", "unit_officer", "organisation_representative"])
def test_only_the_registrar_changes_the_registry(registry: Caller, role: str) -> None:
    made = register(registry)
    actor = Actor(role=role).to_plain()
    arguments: dict[str, Any] = {"actor": actor, "key": new_key()}
    with pytest.raises(Forbidden):
        registry.register_organisation(**arguments, organisation={"name": "Deneme", "form": "union"})
    with pytest.raises(Forbidden):
        registry.update_organisation(**arguments, organisation_id=made["id"], changes={"district": "X"})
    with pytest.raises(Forbidden):
        registry.grant_status(
            **arguments,
            organisation_id=made["id"],
            status={"kind": "public_benefit", "valid_from": "2020-01-01"},
        )
    with pytest.raises(Forbidden):
        registry.revoke_status(**arguments, organisation_id=made["id"], status_id=NOBODY, revocation={})


def test_unknown_fields_are_refused_by_name(registry: Caller) -> None:
    with pytest.raises(Invalid) as refusal:
        register(registry, president="someone")
    assert ["president"] == [error["field"] for error in refusal.value.details["errors"]]


# --- statuses and standing


def test_a_status_makes_an_association_exempt_for_its_days_and_is_the_evidence(
    database: Database, registry: Caller
) -> None:
    made = register(registry)
    granted = grant(
        registry, made, decision_no="2020/1", decision_on="2019-12-20", valid_to="2026-06-30", source="Resmî Gazete"
    )
    [status] = granted["statuses"]
    inside = registry.standing(organisation_id=made["id"], on="2026-06-30", municipality="34-35")
    after = registry.standing(organisation_id=made["id"], on="2026-07-01")
    before = registry.standing(organisation_id=made["id"], on="2019-12-31")
    assert ("exempt", "public_benefit_association", "5393/75-c") == (
        inside["permission"],
        inside["ground"],
        inside["article"],
    )
    assert status == inside["evidence"]
    assert "2026-06-30" == inside["until"]
    assert ["required", "required"] == [after["permission"], before["permission"]]
    assert [None, None] == [after["evidence"], before["evidence"]]
    assert {} == StandingAnswer().validate(inside)
    assert [1, 2] == [version for _, version, _ in outbox(database, made["id"])]


def test_a_revocation_ends_the_status_but_not_what_was_known_before(registry: Caller) -> None:
    made = register(registry)
    registry.be_at(2026, 3, 2, 10)
    [status] = grant(registry, made)["statuses"]
    registry.be_at(2026, 3, 5, 10)
    revoked = registry.revoke_status(
        actor=REGISTRAR,
        organisation_id=made["id"],
        status_id=status["id"],
        revocation={"revoked_on": "2026-03-01", "decision_no": "2026/9", "reason": "denetim"},
        key=new_key(),
    )
    now = registry.standing(organisation_id=made["id"], on="2026-03-04")
    then = registry.standing(organisation_id=made["id"], on="2026-03-04", known_at="2026-03-04T12:00:00+03:00")
    assert ["required", "exempt"] == [now["permission"], then["permission"]]
    assert (status["id"], 1) == (then["evidence"]["id"], then["evidence"]["revision"])
    assert [("2026-03-05T10:00:00+00:00", None), (None, "2026-03-01")] == [
        (revision["superseded_at"], revision["revoked_on"]) for revision in revoked["history"]
    ]
    with pytest.raises(Refused):
        registry.revoke_status(
            actor=REGISTRAR, organisation_id=made["id"], status_id=status["id"], revocation={}, key=new_key()
        )


def test_a_correction_restates_the_record_and_keeps_the_old_one(database: Database, registry: Caller) -> None:
    made = register(registry)
    [status] = grant(registry, made, valid_from="2021-01-01")["statuses"]
    registry.be_at(2026, 3, 3, 9)
    corrected = grant(registry, made, valid_from="2022-01-01", corrects=status["id"])
    assert [(status["id"], 2, "2022-01-01")] == [
        (known["id"], known["revision"], known["valid_from"]) for known in corrected["statuses"]
    ]
    assert "required" == registry.standing(organisation_id=made["id"], on="2021-06-01")["permission"]
    with database.read() as connection:
        rows = connection.execute(
            select(STATUSES.c.valid_from).where(STATUSES.c.id == status["id"]).order_by(STATUSES.c.revision)
        )
        assert [date(2021, 1, 1), date(2022, 1, 1)] == list(rows.scalars())


def test_the_standing_as_known_before_registration_is_not_found(registry: Caller) -> None:
    made = register(registry)
    with pytest.raises(NotFound):
        registry.standing(organisation_id=made["id"], known_at="2026-03-01T00:00:00Z")


def test_the_standing_as_known_at_a_moment_uses_the_form_and_state_recorded_then(registry: Caller) -> None:
    made = register(registry)
    registry.be_at(2026, 3, 9, 9)
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=made["id"], changes={"state": "dissolved"}, key=new_key()
    )
    now = registry.standing(organisation_id=made["id"])
    then = registry.standing(organisation_id=made["id"], known_at="2026-03-08T00:00:00Z")
    assert ["not_possible", "required"] == [now["permission"], then["permission"]]


def test_a_standing_that_ends_with_a_day_is_found_and_told_anew_when_the_day_has_passed(
    database: Database, registry: Caller
) -> None:
    made = register(registry, name=f"Gün Dönümü {uuid.uuid4().hex}")
    grant(registry, made, valid_to="2026-03-03")

    def found(standing: str) -> bool:
        return 1 == registry.search_organisations(actor=REGISTRAR, query=made["name"], standing=standing)["total"]

    assert (True, False) == (found("exempt"), found("required"))
    registry.be_at(2026, 3, 4, 0)
    assert (False, True) == (found("exempt"), found("required"))
    name, version, data = outbox(database, made["id"])[-1]
    told = data if isinstance(data, dict) else json.loads(data)
    assert ("organisation.updated.v1", 3, "required") == (name, version, told["standing"]["permission"])


def test_the_periodic_job_tells_each_passed_day_once(database: Database, registry: Caller) -> None:
    made = register(registry)
    grant(registry, made, valid_to="2026-03-02")
    registry.be_at(2026, 3, 2, 21)  # midnight in Istanbul
    registry.service.turn_the_day()
    registry.service.turn_the_day()
    assert ["organisation.registered.v1", "organisation.status_granted.v1", "organisation.updated.v1"] == [
        name for name, _, _ in outbox(database, made["id"])
    ]


def test_the_facts_of_a_decision_come_in_three_queries(database: Database, registry: Caller) -> None:
    made = register(registry)
    grant(registry, made)
    counter = Counter(database)
    facts = registry.decision_facts(organisation_id=made["id"], municipality="34-00", on="2026-03-02")
    assert 3 == counter.n
    assert (made["id"], "exempt", "5216") == (
        facts["organisation"]["id"],
        facts["standing"]["permission"],
        facts["municipality"]["legal_profile"]["law"],
    )


def test_every_change_of_the_facts_leaves_its_record(database: Database, registry: Caller) -> None:
    made = register(registry)
    grant(registry, made)
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=made["id"], changes={"district": "Fatih"}, key=new_key()
    )
    with database.read() as connection:
        records = connection.execute(
            select(RECORDS.c.version, RECORDS.c.recorded_by)
            .where(RECORDS.c.organisation_id == made["id"])
            .order_by(RECORDS.c.version)
        )
        assert [(1, "registrar@-"), (3, "registrar@-")] == [tuple(row) for row in records]


# --- search


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("yer çizenler", NAMES[0][0]),
        ("YER CIZENLER", NAMES[0][0]),
        ("haritalama çizenler", NAMES[0][0]),
        ("yer çizneler", NAMES[0][0]),
        ("haritlama", NAMES[0][0]),
        ("yasli haklari", NAMES[1][0]),
        ("65+", NAMES[1][0]),
        ("merkezi sivil", NAMES[2][0]),
        ("KADIN EMEĞİNİ", NAMES[3][0]),
        ("kadin emegi", NAMES[3][0]),
        ("ucuncu sektör vakıf", NAMES[4][0]),
        ("hrant dnik", NAMES[5][0]),
        ("kızılay dernek", NAMES[6][0]),
        ("KIZILAY", NAMES[6][0]),
        ("kizilai", NAMES[6][0]),
        ("istanbul barosu", NAMES[7][0]),
        ("barosu İSTANBUL", NAMES[7][0]),
        ("ıstanbul", NAMES[7][0]),
        ("harcamalrını", NAMES[8][0]),
        ("IĞDIR", NAMES[9][0]),
        ("igdır", NAMES[9][0]),
    ],
)
def test_a_search_finds_what_was_meant_first(
    registry: Caller, known: dict[str, str], query: str, expected: str
) -> None:
    found = registry.search_organisations(actor=REGISTRAR, query=query)
    assert expected == names(found)[0]
    assert known[expected] == found["items"][0]["id"]


@pytest.mark.parametrize("query", ["zzzqqq", "???", "%", "_", "'", '"', "\x00", "a" * 200])
def test_a_search_for_what_is_not_there_finds_nothing_and_breaks_nothing(
    registry: Caller, known: dict[str, str], query: str
) -> None:
    assert known
    assert [] == registry.search_organisations(actor=REGISTRAR, query=query)["items"]


def test_a_registry_number_is_found_however_it_is_written(registry: Caller) -> None:
    made = register(registry, registry_no="42.019.028")
    for query in ("42.019.028", "42-019-028", "42019028"):
        assert [made["name"]] == names(registry.search_organisations(actor=REGISTRAR, query=query))


def test_a_changed_name_is_found_by_the_new_and_not_by_the_old(registry: Caller) -> None:
    made = register(registry, name="Zümrütanka Araştırma Derneği")
    registry.update_organisation(
        actor=REGISTRAR, organisation_id=made["id"], changes={"name": "Kervansaray Okuma Derneği"}, key=new_key()
    )
    assert [] == names(registry.search_organisations(actor=REGISTRAR, query="zumrutanka"))
    assert ["Kervansaray Okuma Derneği"] == names(
        registry.search_organisations(actor=REGISTRAR, query="kervansarya okuma")
    )


def test_a_list_is_limited_by_province_form_and_standing(registry: Caller, known: dict[str, str]) -> None:
    assert known
    for province in ("76", "Iğdır", "ığdir"):
        assert [NAMES[9][0]] == names(registry.search_organisations(actor=REGISTRAR, province=province))
    assert [NAMES[7][0]] == names(registry.search_organisations(actor=REGISTRAR, form="professional_body"))
    assert NAMES[8][0] in names(registry.search_organisations(actor=REGISTRAR, standing="not_possible", size=200))
    with pytest.raises(Invalid):
        registry.search_organisations(actor=REGISTRAR, province="Atlantis")


def test_a_list_is_sorted_by_the_turkish_alphabet_and_pages_do_not_overlap(
    registry: Caller, known: dict[str, str]
) -> None:
    pages = [
        registry.search_organisations(actor=REGISTRAR, page=page, size=4)
        for page in range(1, 2 + registry.search_organisations(actor=REGISTRAR)["total"] // 4)
    ]
    listed = [name for page in pages for name in names(page)]
    assert sorted(listed, key=collation_key) == listed
    assert set(known) <= set(listed)
    assert len({item["id"] for page in pages for item in page["items"]}) == pages[0]["total"]
    ours = [name for name in listed if name in known]
    assert ["Cumhuriyet Kitaplığı Derneği", "Çınar Dayanışma Derneği"] == ours[1:3]
    assert ours.index("Iğdır Kültür Derneği") < ours.index("İstanbul Barosu")


def test_a_page_of_organisations_costs_the_same_number_of_queries_whatever_its_size(
    database: Database, registry: Caller, known: dict[str, str]
) -> None:
    assert known
    counter = Counter(database)
    registry.search_organisations(actor=REGISTRAR, size=1)
    one, counter.n = counter.n, 0
    registry.search_organisations(actor=REGISTRAR, size=200)
    assert one == counter.n == 4


def test_a_search_at_the_size_of_the_country_uses_the_index_of_words(database: Database) -> None:
    if database.dialect == "postgresql":
        explain = "EXPLAIN SELECT id FROM organisations WHERE search_words @@ CAST('cizenler:*' AS tsquery)"
        setting, index = "SET LOCAL enable_seqscan = off", "organisations_by_words"
    else:
        explain = (
            "EXPLAIN QUERY PLAN SELECT id FROM organisations WHERE row_no IN"
            " (SELECT rowid FROM organisation_search WHERE organisation_search MATCH '\"cizenler\" *')"
        )
        setting, index = "SELECT 1", "organisation_search VIRTUAL TABLE INDEX"
    with database.write() as connection:
        connection.execute(text(setting))
        plan = "\n".join(str(row) for row in connection.execute(text(explain)))
    assert index in plan


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sisli", "34-35"),
        ("ŞİŞLİ", "34-35"),
        ("şişil", "34-35"),
        ("belediyesi şişli", "34-35"),
        ("istanbul büyükşehir", "34-00"),
        ("IĞDIR", "76-03"),
        ("kadikoy", "34-23"),
    ],
)
def test_a_municipality_is_found_as_it_is_typed(registry: Caller, query: str, expected: str) -> None:
    found = registry.list_municipalities(actor=REGISTRAR, query=query)
    assert registry.get_municipality(code=expected)["name"] == names(found)[0]


def test_municipalities_are_listed_by_province_in_turkish_order(registry: Caller) -> None:
    found = registry.list_municipalities(actor=REGISTRAR, province="İstanbul", size=200)
    assert 40 == found["total"] == len(found["items"])
    assert sorted(names(found), key=collation_key) == names(found)
    assert {} == MunicipalityAnswer(many=True).validate(found["items"])
    assert 1003 == registry.list_municipalities(actor=REGISTRAR, size=1)["total"]


# --- municipalities


def test_the_clerk_changes_the_council_of_her_own_municipality_alone(database: Database, registry: Caller) -> None:
    changes = {"council": {"full_membership": 45, "sittings": ["2026-04-06", "2026-03-02", "2026-04-06"]}}
    changed = registry.update_municipality(actor=CEKMEKOY_CLERK, code="34-16", changes=changes, key=new_key())
    assert {"full_membership": 45, "sittings": ["2026-03-02", "2026-04-06"]} == changed["council"]
    assert changed == registry.get_municipality(code="34-16")
    for actor in (SISLI_CLERK, ADMINISTRATOR, REGISTRAR):
        with pytest.raises(Forbidden):
            registry.update_municipality(actor=actor, code="34-16", changes=changes, key=new_key())
    with pytest.raises(Conflict):
        registry.update_municipality(
            actor=CEKMEKOY_CLERK, code="34-16", changes={"council": {}}, expected_version=1, key=new_key()
        )
    with database.read() as connection:
        told = connection.execute(text("SELECT count(*) FROM outbox WHERE name = 'municipality.updated.v1'"))
        assert told.scalar_one() >= 1


def test_the_administrator_changes_the_authority_and_nobody_else(registry: Caller) -> None:
    changes = {"civil_authority": {"code": "V01", "kind": "governor", "name": "Adana Valiliği"}}
    changed = registry.update_municipality(actor=ADMINISTRATOR, code="01-01", changes=changes, key=new_key())
    assert changes["civil_authority"] == changed["civil_authority"]
    clerk = Actor(role="registry_clerk", municipality="01-01").to_plain()
    with pytest.raises(Forbidden):
        registry.update_municipality(actor=clerk, code="01-01", changes=changes, key=new_key())
    wrong = {"civil_authority": {"code": "K01-01", "kind": "governor"}}
    with pytest.raises(Invalid):
        registry.update_municipality(actor=ADMINISTRATOR, code="01-01", changes=wrong, key=new_key())


@pytest.mark.parametrize("code", ["99-99", "", "x" * 500])
def test_a_municipality_that_is_not_there_is_not_found(registry: Caller, code: str) -> None:
    with pytest.raises(NotFound):
        registry.get_municipality(code=code)


# --- calendar


def test_an_added_day_counts_from_then_on_and_has_a_version(database: Database, registry: Caller) -> None:
    before = registry.added_calendar_days()["version"]
    question = {"start": "2027-03-01", "length": 5, "unit": "working_day"}
    assert "2027-03-08" == registry.deadline(**question)["due_on"]
    day = {"on": "2027-03-03", "kind": "holiday", "name": "Deneme günü", "source": "Deneme"}
    added = registry.add_calendar_day(actor=ADMINISTRATOR, day=day, key=new_key())
    assert {**day, "version": before + 1} == added
    assert {"version": before + 1, "items": [day]} == registry.added_calendar_days()
    assert "2027-03-12" == registry.deadline(**question)["due_on"]  # 9 to 11 March is Ramazan
    assert "2027-03-03" in [item["on"] for item in registry.calendar_days(year=2027)["items"]]
    with pytest.raises(Refused):
        registry.add_calendar_day(actor=ADMINISTRATOR, day=day, key=new_key())
    with pytest.raises(Forbidden):
        registry.add_calendar_day(actor=REGISTRAR, day={**day, "on": "2027-03-04"}, key=new_key())
    with database.read() as connection:
        told = connection.execute(text("SELECT count(*) FROM outbox WHERE name = 'calendar.day_added.v1'"))
        assert 1 == told.scalar_one()


def test_the_newest_entry_for_a_date_takes_the_place_of_the_older(registry: Caller) -> None:
    day = {"on": "2028-07-03", "kind": "administrative_leave", "name": "İdari izin", "source": "Deneme"}
    registry.add_calendar_day(actor=ADMINISTRATOR, day=day, key=new_key())
    registry.add_calendar_day(actor=ADMINISTRATOR, day={**day, "kind": "half_day"}, key=new_key())
    kinds = [item["kind"] for item in registry.added_calendar_days()["items"] if item["on"] == day["on"]]
    assert ["half_day"] == kinds


def test_days_added_at_the_same_time_each_get_their_own_version(registry: Caller) -> None:
    def add(offset: int) -> int:
        on = (date(2030, 6, 3) + timedelta(days=offset)).isoformat()
        day = {"on": on, "kind": "holiday", "name": "Deneme", "source": "Deneme"}
        return int(registry.add_calendar_day(actor=ADMINISTRATOR, day=day, key=new_key())["version"])

    threads = [eventlet.spawn(add, offset) for offset in range(5)]
    versions = [thread.wait() for thread in threads]
    assert 5 == len(set(versions))


# --- feed


def test_the_feed_shows_everyone_what_happened_in_the_registry(registry: Caller) -> None:
    made = register(registry)
    citizen_office = Actor(role="unit_officer", municipality="06-01").to_plain()
    positions, seen = [0], []
    while page := registry.events(actor=citizen_office, after=positions[-1], limit=200):
        positions += [item["position"] for item in page]
        seen += [item["subject_id"] for item in page]
    assert sorted(set(positions)) == positions
    assert made["id"] in seen


def test_the_number_of_rows_found_is_the_number_of_rows_kept(
    database: Database, registry: Caller, known: dict[str, str]
) -> None:
    assert known
    with database.read() as connection:
        kept = connection.execute(select(func.count()).select_from(ORGANISATIONS)).scalar_one()
    assert kept == registry.search_organisations(actor=REGISTRAR, size=1)["total"]
