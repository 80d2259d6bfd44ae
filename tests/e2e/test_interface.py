"""The OpenAPI document keeps its promises: schemathesis asks every operation, rightly and wrongly."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from harness import PASSWORD, Client, System, embedded_system, today, until, votes
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from schemathesis.transport.serialization import Binary
from sqlalchemy import insert

from services.contracts.registry import CORRECTABLE
from services.contracts.subscriptions import queue_name
from services.gateway.http import Route
from services.gateway.table import GATEWAY, TABLE
from services.notifications.adapters.tables import PREFERENCES, SUPPRESSIONS
from services.runtime.clockwork import TIME
from services.runtime.dead import letter_id
from services.runtime.entrypoints import PARKED

DOCUMENT = GATEWAY.openapi()
ROUTES = {route.name: route for route in TABLE.routes}
ASIDE = ("sign_in", "sign_out", "move_demo_clock")
"""Asked in tests of their own: they would lock the others out, or move their time."""
NEEDED_TOGETHER = {
    "grant_status": {"valid_from": "2026-01-02"},
    "succeed": {"name": "Adı Değişen Dernek"},
    "preview_succession": {"name": "Adı Değişecek Dernek"},
    "import_plan": {"title": "Stratejik plan", "first_year": "2025", "last_year": "2029"},
}
"""Fields that a rule needs where the schema cannot say so."""
ANSWERED = {
    "petition": {"municipality": "Şişli", "what_happened": "Lamba yanmıyor.", "what_is_asked": "Onarılmasını"},
    "information_request": {"municipality": "Şişli", "what_is_asked": "Harcamalar"},
    "opinion": {"municipality": "Şişli", "about_what": "Plan taslağı", "opinion": "Yerinde"},
}
"""Answers that the guided form needs, by kind of petition; a proposal is asked as it comes."""
LONG_TEXTS = ("draft_protocol", "replace_text", "move", "submit_petition", "move_petition")
"""Their limits are asked at random: the longest text takes seconds to make, again and again."""

TABLE_OF_ALL_KINDS = b"registry_no,name,form,province,kind,valid_from,code\n,Listelenen Dernek,association,34,,,34-10\n"
"""A file that can be imported as any kind, in the place of nonsense that is none."""

NOBODY_THERE = "http://127.0.0.1:9/imece"
"""An address that webhooks may have here, and that nobody answers."""

A_DOCUMENT = b"%PDF-1.7 and no more"
A_PLAN = b"row,code,title,2026\ngoal,A1,Kent,\ntarget,H1.1,Herkes,\nactivity,F1.1.1,Harita,100\n"
FILES = {
    "begin_import": TABLE_OF_ALL_KINDS,
    "add_document": A_DOCUMENT,
    "add_attachment": A_DOCUMENT,
    "import_plan": A_PLAN,
}
"""What is sent in the place of nonsense, by operation."""

OFFICE_OF = {"administrator": "admin", "registrar": "registrar", "unit_officer": "unit", "registry_clerk": "clerk",
             "organisation_representative": "org.1"}  # fmt: skip
OWN_OFFICE = {"submit_petition": "org.1", "move_petition": "clerk"}
"""Of addresses that are open to anyone: the office whose questions can succeed."""
OTHERS = ("admin", "registrar", "unit", "clerk", "auditor")
TRUTH = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STRICTNESS = [negative_data_rejection, unsupported_method, allow_header_conformance]
QUIET = list(HealthCheck)

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
VERSION = re.compile(r'"[0-9]{1,9}"', re.ASCII)
YEAR = re.compile(r"\A\d{4}(?=-(?!02-29)\d{2}-\d{2})", re.ASCII)
SHAPES = (
    UUID,
    re.compile(r"[0-9]{2}-[0-9]{2,3}", re.ASCII),
    re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII),
    re.compile(r"[1-9][0-9]{0,8}", re.ASCII),
    re.compile(r"https?://[!-~]+", re.ASCII),
    re.compile(r"[a-z2-7]{26}", re.ASCII),
    re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{24,38}[0-9A-Za-z]", re.ASCII),
)
DRAFTING = ("move", "replace_text")


def fits(value: Any, known: str) -> bool:
    """Whether `value` is written as `known` is."""
    return any(shape.fullmatch(str(value)) and shape.fullmatch(known) for shape in SHAPES)


POSITIVE = list(CoverageScenario)[: list(CoverageScenario).index(CoverageScenario.DEFAULT_POSITIVE_TEST) + 1]
"""The scenarios that describe something right; schemathesis lists them first."""


def is_called_wrong_and_right(case: Any) -> bool:
    """Whether schemathesis contradicts itself: the body of every form with a file is wrong for it, whatever it says."""
    if case.media_type != "multipart/form-data" or not isinstance(case.meta.phase.data, CoveragePhaseData):
        return False
    about = case.meta.phase.data
    return about.scenario in POSITIVE or about.parameter_location is ParameterLocation.HEADER


def route_of(case: Any) -> Route:
    return ROUTES[case.operation.definition.raw["operationId"]]


def _schema() -> Any:
    """The document as schemathesis reads it; its questions are the same at every run."""
    project = ProjectConfig(
        phases=PhasesConfig(coverage=CoveragePhaseConfig(unexpected_methods={"delete"})),
        generation=GenerationConfig(deterministic=True, database="none", allow_x00=False),
    )
    config = SchemathesisConfig(seed=5393, projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_dict(DOCUMENT, config=config)


SCHEMA = _schema()
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (found.ok() for found in SCHEMA.get_all_operations())
}
NAMES = [name for name in OPERATIONS if name not in ASIDE]


class World:
    """A system with one thing of each kind, so that questions are about something that exists."""

    def __init__(self, system: System) -> None:
        self.system = system
        admin, registrar = system.client("admin"), system.client("registrar")
        user = admin.post("/users", {"username": "test.nobody", "password": PASSWORD, "full_name": "Hiç kimse"})
        auditor = self.client("auditor").get("/me")
        span = {"valid_from": "2020-01-01", "valid_to": "2030-01-01"}
        held = admin.post("/memberships", {"user_id": user["id"], "role": "auditor", **span})
        lent = {"from_membership_id": auditor["memberships"][0]["id"], "to_user_id": user["id"], "scope": "all", **span}
        organisation = system.organisation("Sınama Vakfı", "foundation")
        changing = system.organisation("Değişen Dernek", office=False)
        self.draft()
        decided = system.client("unit").move(system.draft(organisation), "submit_to_mayor")
        decided = system.client("mayor").move(decided, "refer_to_council")
        decision = {"sitting_on": today().isoformat(), "decision_no": "1", "votes": votes()}
        decided = system.client("clerk").move(decided, "accept", **decision, without_commission_votes=votes())
        granted = registrar.post(
            f"/organisations/{organisation}/statuses", {"kind": "tax_exempt", "valid_from": "2020-01-01"}
        )
        told = until(lambda: system.client("mayor").get("/notifications")["items"])
        self.known = {
            ("users", "id"): user["id"],
            ("memberships", "id"): held["id"],
            ("delegations", "id"): admin.post("/delegations", lent | {"basis": "sınama"})["id"],
            ("municipalities", "code"): "34-35",
            ("organisations", "id"): organisation,
            ("update_organisation", "id"): changing,
            ("organisations", "status_id"): granted["statuses"][0]["id"],
            ("protocols", "id"): decided["id"],
            ("protocols", "clock_id"): decided["clocks"][0]["id"],
            ("protocols", "move"): "submit_to_mayor",
            ("procedures", "name"): "protocol",
            ("notifications", "id"): told[0]["id"],
            **self._imports(registrar),
            **self._upkeep(registrar, organisation, changing),
            ("organisations", "document_id"): self._document(registrar, organisation),
            ("remove_document", "document_id"): self._document(registrar, organisation),
            **self._attachments(),
            **self._petitions(),
            **self._plan(),
            **self._signatures(),
            **self._webhooks(),
            **self._mail(),
        }
        self.fields = {
            "municipality": "34-35",
            "organisation_id": organisation,
            "user_id": user["id"],
            "to_user_id": user["id"],
            "from_membership_id": lent["from_membership_id"],
            "corrects": granted["statuses"][0]["id"],
            "scope": "all",
            "grant_status.kind": "tax_exempt",
            "create_webhook.url": NOBODY_THERE,
            "draft_protocol.kind": "joint_service_project",
            "succeed.kind": "rename",
            "preview_succession.kind": "rename",
        }

    def _imports(self, registrar: Client) -> dict[tuple[str, str], str]:
        """One whose row 2 is under review, one to be applied, one to be undone."""
        found = {}
        for route, name, apply in (
            ("imports", "Sınama Vakfı", "false"),
            ("apply_import", "Uygulanacak Dernek", "false"),
            ("undo_import", "Geri Alınacak Dernek", "true"),
        ):
            form = {"kind": "organisations", "source": route, "apply": apply}
            file = {"file": ("liste.csv", f"name,form,province\n{name},association,34\n".encode())}
            found[route, "id"] = registrar.session.post(f"{registrar.url}/imports", data=form, files=file).json()["id"]
        for import_id in found.values():
            until(lambda import_id=import_id: registrar.get(f"/imports/{import_id}")["state"] != "running")
        return {**found, ("imports", "row"): "2"}

    def _upkeep(self, registrar: Client, own: str, changing: str) -> dict[tuple[str, str], str]:
        """A correction to decide and one to withdraw, an association to audit, a file to review."""
        corrected = self.system.organisation("Düzeltilen Dernek")
        changes: dict[str, Any] = dict.fromkeys(CORRECTABLE, "Yeni")
        changes |= {
            "province_code": "06",
            "founded_on": "2001-02-03",
            "tax_no": "4540536920",
            "phone": "+90 212 000 00 00",
        }
        changes |= {"email": "bilgi@example.org", "website": "https://example.org"}
        client = self.client(f"org.{len(self.system.organisations)}")
        decided = client.post(f"/organisations/{corrected}/corrections", {"changes": changes})
        withdrawn = self.client("org.1").post(
            f"/organisations/{own}/corrections", {"changes": {"website": "https://a.org"}}
        )
        audited, losing = (self._exempt(registrar, name) for name in ("Denetlenen Dernek", "Statüsü Kalkan Dernek"))
        flagged = self.system.draft(losing["id"])["id"]
        registrar.post(
            f"/organisations/{losing['id']}/statuses/{losing['statuses'][0]['id']}/revocation", {}, status=200
        )
        until(lambda: self.client("unit").get(f"/protocols/{flagged}")["legal_review"]["state"] == "open")
        return {
            ("corrections", "id"): decided["id"],
            ("withdraw_correction", "id"): withdrawn["id"],
            ("record_audit", "id"): audited["id"],
            ("settle_legal_review", "id"): flagged,
            ("succeed", "id"): changing,
        }

    def _exempt(self, registrar: Client, name: str) -> dict[str, Any]:
        made = self.system.organisation(name, office=False)
        status = {"kind": "public_benefit", "valid_from": "2020-01-01"}
        return dict(registrar.post(f"/organisations/{made}/statuses", status))

    def _document(self, registrar: Client, organisation: str) -> str:
        url = f"{registrar.url}/organisations/{organisation}/documents"
        sent = registrar.session.post(url, data={"title": "Belge"}, files={"file": ("belge.pdf", A_DOCUMENT)})
        return str(sent.json()["id"])

    def _petitions(self) -> dict[tuple[str, str], str]:
        """A petition to look at, one to move, and a unit."""
        body = {"kind": "petition", "municipality": "34-35", "subject": "Bakılan", "body": "Gereğini arz ederim."}
        citizen = Client(self.system.url, None)
        seen, moved = (citizen.post("/petitions", body | {"petitioner": {"type": "citizen"}}) for _ in range(2))
        unit = self.client("clerk").post("/municipalities/34-35/units", {"name": "Sınama birimi"})
        looks = ("get_petition", "petition_timeline", "petition_receipt", "paper_of_petition", "explain_petition_clock")
        return {
            **{(route, "id"): seen["id"] for route in looks},
            ("explain_petition_clock", "clock_id"): seen["clocks"][0]["id"],
            ("move_petition", "id"): moved["id"],
            ("move_petition", "move"): "register",
            ("tracking", "tracking_code"): seen["tracking_code"],
            ("tracking_page", "tracking_code"): seen["tracking_code"],
            ("change_unit", "unit_id"): unit["id"],
        }

    def _mail(self) -> dict[tuple[str, str], str]:
        """The link of a mail, and an address that a mail server refused."""
        token, refused = str(uuid.uuid4()), str(uuid.uuid4())
        choice = {"recipient": "person@nobody", "mail": True, "streams": {}, "token": token, "version": 0}
        address = {"id": refused, "address_hash": "0" * 64, "masked": "b…@example.org", "since": TIME.now()}
        with self.system.database("notifications").write() as connection:
            connection.execute(insert(PREFERENCES).values(choice))
            connection.execute(
                insert(SUPPRESSIONS).values(**address, recipient="person@nobody", cause="address_refused")
            )
        routes = ("unsubscribe", "unsubscribe_page", "unsubscribe_on_page")
        return {**{(route, "token"): token for route in routes}, ("suppressions", "id"): refused}

    def _attachments(self) -> dict[tuple[str, str], str]:
        """A petition with a file to read and one to remove, both added by the office that asks."""
        writer = {"type": "citizen", "name": "Deneme Kişi", "address": "Şişli"}
        body = {"kind": "petition", "municipality": "34-35", "subject": "Ekli", "body": "Ekleri arz ederim."}
        made, unit = (
            Client(self.system.url, None).post("/petitions", {**body, "petitioner": writer}),
            self.client("unit"),
        )
        path = f"/petitions/{made['id']}/attachments"
        kept, leaving = (
            unit.session.post(unit.url + path, files={"file": ("ek.pdf", A_DOCUMENT + number)}).json()["id"]
            for number in (b"1", b"2")
        )
        routes = ("list_attachments", "add_attachment", "get_attachment", "remove_attachment")
        return {
            **{(route, "id"): made["id"] for route in routes},
            ("get_attachment", "attachment_id"): kept,
            ("remove_attachment", "attachment_id"): leaving,
        }

    def _plan(self) -> dict[tuple[str, str], str]:
        """A municipality's plan, its import and an activity of it."""
        unit = self.client("unit")
        form = {"title": "Plan", "first_year": "2025", "last_year": "2029", "apply": "true"}
        sent = unit.session.post(f"{unit.url}/plans/imports", data=form, files={"file": ("plan.csv", A_PLAN)}).json()
        activity = unit.get("/municipalities/34-35/plan")["goals"][0]["targets"][0]["activities"][0]["id"]
        return {("plans", "id"): sent["id"], ("get_plan_activity", "id"): activity}

    def _signatures(self) -> dict[tuple[str, str], str]:
        """A petition that can be signed, and signatures to confirm, to look at and to take back."""
        body = {"kind": "petition", "municipality": "34-35", "subject": "Rampa", "body": "Yapılmasını arz ederim."}
        opened = {"public_title": "Parka rampa", "public_text": "Park girişine rampa yapılsın."}
        made = Client(self.system.url, None).post(
            "/petitions", {**body, "petitioner": {"type": "citizen", "name": "Deneme Kişi"}, "support": opened}
        )
        clerk = self.client("clerk")
        clerk.post(f"/petitions/{made['id']}/moves/register", {}, version=made["version"], status=200)
        path = f"/petitions/{made['id']}/supports"
        signing = {
            "confirm_support": "unit",
            "support_page": "unit",
            "confirm_on_page": "unit",
            "withdraw_support": "clerk",
            "withdraw_on_page": "mayor",
        }
        tokens = {
            (route, "support_token"): self.client(office).post(path, {}, status=202)["token"]
            for route, office in signing.items()
        }
        closed = clerk.post(
            "/petitions",
            {**body, "channel": "counter", "petitioner": {"type": "citizen", "name": "Deneme"}, "support": opened},
        )
        tokens[("close_support", "id")] = closed["id"]
        return {("get_supported", "id"): made["id"], ("request_support", "id"): made["id"], **tokens}

    def _webhooks(self) -> dict[tuple[str, str], str]:
        """A webhook, one to remove, and an event that notifications gave up."""
        kept, leaving = (
            self.client("unit").post("/webhooks", {"url": NOBODY_THERE, "events": ["*"]})["id"] for _ in range(2)
        )
        queue, event_id = queue_name("notifications", "protocol.drafted.v1"), str(uuid.uuid4())
        happened = self.client("unit").get("/events?limit=500")["items"]
        event = next(each for each in happened if each["name"] == "protocol.drafted.v1") | {"id": event_id}
        envelope = {name: value for name, value in event.items() if name != "cursor"}
        with self.system.database("notifications").write() as connection:
            connection.execute(
                insert(PARKED).values(
                    consumer=queue, event_id=event_id, envelope=envelope, cause="x", attempts=6, parked_at=TIME.now()
                )
            )
        return {
            ("webhooks", "id"): kept,
            ("remove_webhook", "id"): leaving,
            ("dead-letters", "id"): letter_id(queue, event_id),
        }

    def draft(self) -> None:
        self.drafted = self.system.draft(self.system.organisation("Sınama Vakfı"))["id"]

    def client(self, office: str) -> Client:
        return self.system.client(office)

    def ask(self, case: Any, office: str, *checks: Any) -> None:
        client = self.client(office)
        self._ground(case, client)
        if is_called_wrong_and_right(case):
            checks = ()
        headers = {"Authorization": str(client.session.headers["Authorization"])}
        answer = case.call_and_validate(base_url=self.system.url, headers=headers, checks=[*TRUTH, *checks])
        name = route_of(case).name
        reached.setdefault(name, set()).add(answer.status_code)
        if name == "move" and answer.status_code == 200:
            self.draft()

    def _ground(self, case: Any, client: Client) -> None:
        """Replace well-formed ids and versions by existing ones; what is malformed stays as it is."""
        given, headers, route = case.path_parameters or {}, case.headers or {}, route_of(case)
        collection = route.path.split("/")[3] if route.path.count("/") > 2 else ""
        for name, value in given.items():
            known = self.known.get((collection, name))
            if name == "id":
                known = self.drafted if route.name in DRAFTING else self.known.get((route.name, name), known)
            known = self.known.get((route.name, name), known)
            if known is not None and fits(value, known):
                given[name] = known
        if UUID.fullmatch(str(headers.get("Imece-Acting-As"))):
            del headers["Imece-Acting-As"]
        if VERSION.fullmatch(str(headers.get("If-Match"))):
            part = "/expertise" if route.name == "change_expertise" else ""
            usual = f"/{collection}/{given.get('id') or given.get('code')}{part}"
            thing = client.ask("GET", {"choose_preferences": "/preferences"}.get(route.name, usual))
            if route.name == "change_unit":
                units = client.ask("GET", "/municipalities/34-35/units").body["items"]
                thing.body = next((each for each in units if each["id"] == given.get("unit_id")), thing.body)
            if thing.status == 200:
                headers["If-Match"] = f'"{thing.body["version"]}"'
        if isinstance(case.body, dict):
            case.body = {
                **NEEDED_TOGETHER.get(route.name, {}),
                **{name: self._grounded(route, name, value) for name, value in case.body.items()},
            }
            if route.name == "compose_petition" and isinstance(case.body.get("answers"), dict):
                case.body["answers"] = {**ANSWERED.get(str(case.body.get("kind")), {}), **case.body["answers"]}

    def _grounded(self, route: Route, name: str, value: Any) -> Any:
        if isinstance(value, Binary):
            right = FILES.get(route.name)
            return Binary(right) if value.data and right else value
        if not isinstance(value, str):
            return value
        known = self.fields.get(name) or self.fields.get(f"{route.name}.{name}")
        return known if known is not None and fits(value, known) else YEAR.sub(str(today().year), value)


reached: dict[str, set[int]] = {}
"""Operation → the statuses it was seen to answer."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A system of its own: nonsense adds calendar days, and those move everybody's dates."""
    folder = tmp_path_factory.mktemp("world")
    with embedded_system(folder, IMECE_DEMO_CLOCK="true", IMECE_LOG_LEVEL="ERROR") as system:
        yield World(system)


def own_office(route: Route) -> str:
    if route.name in OWN_OFFICE:
        return OWN_OFFICE[route.name]
    if route.path.startswith("/api/v1/notifications"):
        return "mayor"
    return OFFICE_OF[route.roles[0]] if route.roles else "unit"


def fuzz(name: str, mode: GenerationMode, examples: int, ask: Callable[[Any], None]) -> None:
    """Ask so many made-up questions; wrong ones only where something can be wrong."""

    @settings(derandomize=True, database=None, deadline=None, max_examples=examples, suppress_health_check=QUIET)
    @given(case=OPERATIONS[name].as_strategy(generation_mode=mode))
    def asked(case: Any) -> None:
        ask(case)

    with contextlib.suppress(Unsatisfiable):
        asked()


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    SCHEMA.validate()


def test_the_command_line_and_the_door_show_the_same_document(world: World) -> None:
    printed = world.system.command("openapi")
    assert world.client("unit").get("/openapi.json") == json.loads(printed) == DOCUMENT


@pytest.mark.parametrize("route", TABLE.routes, ids=lambda route: route.name)
def test_every_route_is_described_with_its_refusals(route: Route) -> None:
    answers = DOCUMENT["paths"][route.path][route.method.lower()]["responses"]
    refusals = {int(status): answer for status, answer in answers.items() if int(status) >= 400}
    needed = {400, 413, 422, 500, 503}
    needed |= set() if route.access == "public" else {401, 403}
    needed |= {404} if "{" in route.path else set()
    needed |= {412, 428} if route.if_match == "needed" else set()
    assert set() == needed - set(refusals)
    assert [] == [status for status, answer in refusals.items() if "application/problem+json" not in answer["content"]]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LONG_TEXTS])
def test_every_limit_of_an_operation_is_where_the_description_says(name: str, world: World) -> None:
    config = SCHEMA.config.generation
    for case in SCHEMA.iter_coverage_cases(
        OPERATIONS[name], generation_modes=list(GenerationMode), generation_config=config
    ):
        world.ask(case, own_office(ROUTES[name]), *STRICTNESS)


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_answers_its_own_office_as_described(name: str, world: World) -> None:
    office = own_office(ROUTES[name])
    fuzz(name, GenerationMode.POSITIVE, 6, lambda case: world.ask(case, office))
    fuzz(name, GenerationMode.NEGATIVE, 3, lambda case: world.ask(case, office, *STRICTNESS))


@pytest.mark.parametrize("name", NAMES)
def test_an_operation_answers_another_office_as_described(name: str, world: World) -> None:
    office = OTHERS[NAMES.index(name) % len(OTHERS)]
    fuzz(name, GenerationMode.POSITIVE, 2, lambda case: world.ask(case, office))


def test_signing_in_answers_as_described_and_gives_nothing_away(world: World) -> None:
    """Few wrong names, so that the others can still sign in."""
    fuzz("sign_in", GenerationMode.NEGATIVE, 20, lambda case: world.ask(case, "unit", negative_data_rejection))
    fuzz("sign_in", GenerationMode.POSITIVE, 10, lambda case: world.ask(case, "unit"))
    assert {401, 422} <= reached.pop("sign_in") <= {400, 401, 415, 422, 429}


def test_signing_in_and_out_answers_as_described(world: World) -> None:
    schema = SCHEMA["/api/v1/sessions"]["POST"], SCHEMA["/api/v1/sessions/current"]["DELETE"]
    body = {"username": "test.unit", "password": PASSWORD}
    made = schema[0].Case(body=body, media_type="application/json").call_and_validate(base_url=world.system.url)
    bearer = {"Authorization": f"Bearer {made.json()['token']}"}
    assert [201, 204, 401] == [
        made.status_code,
        *(
            schema[1].Case().call_and_validate(base_url=world.system.url, headers=bearer, checks=TRUTH).status_code
            for _ in range(2)
        ),
    ]


def test_a_time_that_is_none_does_not_move_the_clock(world: World) -> None:
    before = world.client("admin").get("/demo/clock")["now"]
    fuzz("move_demo_clock", GenerationMode.NEGATIVE, 10, lambda case: world.ask(case, "admin", negative_data_rejection))
    assert not {200} & reached.pop("move_demo_clock")
    assert before[:13] == world.client("admin").get("/demo/clock")["now"][:13]


def test_the_questions_reached_the_good_end_of_every_operation(world: World) -> None:
    """Runs last; alone it has nothing to look at."""
    if set(reached) != set(NAMES):
        pytest.skip("the tests before it were not all run")
    assert {} == {name: seen for name, seen in reached.items() if min(seen) >= 300}
