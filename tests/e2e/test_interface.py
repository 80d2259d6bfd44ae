"""The OpenAPI document keeps its promises: schemathesis asks every operation, rightly and wrongly."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from harness import PASSWORD, Client, System, embedded_system, today, until, votes
from hypothesis import HealthCheck, settings
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
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from services.gateway.http import Route
from services.gateway.table import GATEWAY, TABLE

DOCUMENT = GATEWAY.openapi()
ROUTES = {route.name: route for route in TABLE.routes}
ASIDE = ("sign_in", "sign_out", "move_demo_clock")
"""Asked in tests of their own: they would lock the others out, or move their time."""

OFFICE_OF = {"administrator": "admin", "registrar": "registrar", "unit_officer": "unit", "registry_clerk": "clerk"}
OTHERS = ("admin", "registrar", "unit", "clerk", "auditor")
TRUTH = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
STRICTNESS = [negative_data_rejection, unsupported_method, allow_header_conformance]
ONE_BY_ONE = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
VERSION = re.compile(r'"[0-9]{1,9}"', re.ASCII)
DAY = re.compile(r"\A\d{3}([0-6])(-(?!02-29)\d{2}-\d{2})", re.ASCII)
SHAPES = (UUID, re.compile(r"[0-9]{2}-[0-9]{2,3}", re.ASCII), re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII))
DRAFTING = ("move", "replace_text")


def fits(value: Any, known: str) -> bool:
    """Whether `value` is written as `known` is."""
    return any(shape.fullmatch(str(value)) and shape.fullmatch(known) for shape in SHAPES)


def route_of(case: Any) -> Route:
    return ROUTES[case.operation.definition.raw["operationId"]]


def api(*modes: GenerationMode, coverage: bool = False) -> Any:
    """All operations but those aside; the same questions at every run."""
    project = ProjectConfig(
        phases=PhasesConfig(coverage=CoveragePhaseConfig(enabled=coverage, unexpected_methods={"delete"})),
        generation=GenerationConfig(modes=list(modes), deterministic=True, database="none", allow_x00=False),
    )
    config = SchemathesisConfig(seed=5393, projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_dict(DOCUMENT, config=config).exclude(operation_id=list(ASIDE))


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
        self.draft()
        decided = system.client("unit").move(system.draft(organisation), "submit_to_mayor")
        decided = system.client("mayor").move(decided, "refer_to_council")
        decision = {"sitting_on": today().isoformat(), "decision_no": "1", "votes": votes()}
        decided = system.client("clerk").move(decided, "accept", **decision, without_commission_votes=votes())
        granted = registrar.post(f"/organisations/{organisation}/statuses", {"kind": "tax_exempt", "valid_from": "2020-01-01"})
        told = until(lambda: system.client("mayor").get("/notifications")["items"])
        self.known = {
            ("users", "id"): user["id"],
            ("memberships", "id"): held["id"],
            ("delegations", "id"): admin.post("/delegations", lent | {"basis": "sınama"})["id"],
            ("municipalities", "code"): "34-35",
            ("organisations", "id"): organisation,
            ("organisations", "status_id"): granted["statuses"][0]["id"],
            ("protocols", "id"): decided["id"],
            ("protocols", "clock_id"): decided["clocks"][0]["id"],
            ("protocols", "move"): "submit_to_mayor",
            ("procedures", "name"): "protocol",
            ("notifications", "id"): told[0]["id"],
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
            "draft_protocol.kind": "joint_service_project",
        }

    def draft(self) -> None:
        self.drafted = self.system.draft(self.system.organisation("Sınama Vakfı"))["id"]

    def client(self, office: str) -> Client:
        return self.system.client(office)

    def ask(self, case: Any, office: str, *checks: Any) -> None:
        client = self.client(office)
        self._ground(case, client)
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
            known = self.drafted if route.name in DRAFTING and name == "id" else self.known.get((collection, name))
            if known is not None and fits(value, known):
                given[name] = known
        if UUID.fullmatch(str(headers.get("Imece-Acting-As"))):
            del headers["Imece-Acting-As"]
        if VERSION.fullmatch(str(headers.get("If-Match"))):
            thing = client.ask("GET", f"/{collection}/{given.get('id') or given.get('code')}")
            if thing.status == 200:
                headers["If-Match"] = f'"{thing.body["version"]}"'
        if isinstance(case.body, dict):
            case.body = {name: self._grounded(route, name, value) for name, value in case.body.items()}

    def _grounded(self, route: Route, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        known = self.fields.get(name) or self.fields.get(f"{route.name}.{name}")
        return known if known is not None and fits(value, known) else DAY.sub(r"202\1\2", value)


reached: dict[str, set[int]] = {}
"""Operation → the statuses it was seen to answer."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A system of its own: nonsense adds calendar days, and those move everybody's dates."""
    folder = tmp_path_factory.mktemp("world")
    with embedded_system(folder, IMECE_DEMO_CLOCK="true", IMECE_LOG_LEVEL="ERROR") as system:
        yield World(system)


def own_office(route: Route) -> str:
    if route.path.startswith("/api/v1/notifications"):
        return "mayor"
    return OFFICE_OF[route.roles[0]] if route.roles else "unit"


def other_office(route: Route) -> str:
    """Another one for each operation, the same at every run."""
    return OTHERS[len(route.name) % len(OTHERS)]


@api(*GenerationMode, coverage=True).parametrize()
@settings(ONE_BY_ONE, max_examples=2)
def test_every_operation_answers_whatever_it_is_asked_as_described(case: Any, world: World) -> None:
    world.ask(case, own_office(route_of(case)), *STRICTNESS)


@api(GenerationMode.POSITIVE).parametrize()
@settings(ONE_BY_ONE, max_examples=10)
def test_every_operation_answers_sensible_questions_as_described(case: Any, world: World) -> None:
    world.ask(case, own_office(route_of(case)))


@api(*GenerationMode).parametrize()
@settings(ONE_BY_ONE, max_examples=4)
def test_every_operation_answers_another_office_as_described(case: Any, world: World) -> None:
    world.ask(case, other_office(route_of(case)))


def test_the_questions_reached_the_good_end_of_every_operation(world: World) -> None:
    assert {} == {
        name: seen for name, seen in reached.items() if not any(status < 300 for status in seen)
    }
    assert {name for name in ROUTES if name not in ASIDE} == set(reached)
