"""The route table, the OpenAPI document and the error table say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.gateway import openapi
from services.gateway.errors import STATUS, TITLE, status_of
from services.gateway.http import Route
from services.gateway.pages import home, reference
from services.gateway.table import TABLE
from services.kernel.actor import ROLES
from services.kernel.errors import ImeceError
from services.runtime.settings import Settings

DEMO = Settings(demo_clock=True)
DOCUMENT = openapi.document(TABLE, DEMO)
OPERATIONS = [
    pytest.param(path, method, operation, id=operation["operationId"])
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
ROUTES = [pytest.param(route, id=route.name) for route in TABLE.routes]


def kinds(root: type[ImeceError] = ImeceError) -> Iterator[type[ImeceError]]:
    for kind in root.__subclasses__():
        if kind.__module__.startswith("services."):
            yield kind
            yield from kinds(kind)


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
def test_every_refusal_has_a_status_and_a_title(kind: type[ImeceError]) -> None:
    assert any(each in STATUS for each in kind.__mro__)
    assert all(status in TITLE for status in STATUS.values())


def test_a_refusal_that_nobody_mapped_is_a_bug() -> None:
    assert status_of(ImeceError("?")) is None


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_documented(route: Route) -> None:
    operation = DOCUMENT["paths"][route.path][route.method.lower()]
    assert route.name == operation["operationId"]
    assert operation["summary"]


@pytest.mark.parametrize("route", ROUTES)
def test_every_role_in_the_table_exists(route: Route) -> None:
    assert set(route.roles) <= set(ROLES)


@pytest.mark.parametrize("route", ROUTES)
def test_changes_of_existing_things_need_their_version(route: Route) -> None:
    exempt = {"move_demo_clock"}
    if route.method in ("PATCH", "PUT") and route.name not in exempt:
        assert route.if_match == "needed"


def test_only_these_are_open_to_everyone() -> None:
    expected = {
        "sign_in",
        "deadline",
        "open_data_csv",
        "open_data_json",
        "open_data_package",
        "get_plan",
        "get_plan_table",
        "get_plan_activity",
        "list_supported",
        "get_supported",
        "confirm_support",
        "withdraw_support",
        "support_page",
        "tracking",
        "tracking_page",
        "confirm_on_page",
        "withdraw_on_page",
        "subscription",
        "unsubscribe",
        "unsubscribe_page",
        "unsubscribe_on_page",
        "healthz",
        "readyz",
        "openapi_document",
        "docs",
        "first_page",
    }
    assert expected == {route.name for route in TABLE.routes if route.access == "public"}


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_refusal_of_an_operation_is_a_problem(path: str, method: str, operation: dict[str, Any]) -> None:
    for status, response in operation["responses"].items():
        if status >= "400":
            assert "application/problem+json" in response["content"], f"{method} {path} {status}"


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_path_parameter_is_described(path: str, method: str, operation: dict[str, Any]) -> None:
    described = {each["name"] for each in operation["parameters"] if each.get("in") == "path"}
    assert set(re.findall(r"\{(\w+)\}", path)) == described, method


def test_every_reference_leads_somewhere() -> None:
    for reference_ in set(re.findall(r'"\$ref": "(#[^"]+)"', json.dumps(DOCUMENT))):
        found: Any = DOCUMENT
        for part in reference_.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_money_is_described_as_text() -> None:
    amount = DOCUMENT["components"]["schemas"]["Contribution"]["properties"]["amount"]
    assert ["string", "null"] == amount["type"]
    assert amount["pattern"]


def test_unknown_fields_are_refused_by_the_description_too() -> None:
    bodies = {
        content["schema"]["$ref"].rpartition("/")[2]
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
        for content in operation["requestBody"]["content"].values()
    }
    assert bodies
    assert all(DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False for name in bodies)


def test_the_demo_clock_is_there_only_where_it_is_allowed() -> None:
    assert "/api/v1/demo/clock" in DOCUMENT["paths"]
    assert "/api/v1/demo/clock" not in openapi.document(TABLE, Settings())["paths"]


@pytest.mark.parametrize("language", ["tr", "en"])
def test_the_pages_need_nothing_from_elsewhere(language: str) -> None:
    pages = [home.page(language), reference.page(openapi.document(TABLE, DEMO, language), language)]
    for page in pages:
        assert f'<html lang="{language}">' in page
        assert not re.search(r"<script|<link|<img|<iframe|@import|url\(", page)
        assert not re.search(r'href="https?:', page)


def test_the_reference_shows_every_operation_and_every_object() -> None:
    page = reference.page(DOCUMENT, "en")
    for route in TABLE.routes:
        assert f'<h3 id="{route.name}">' in page
    for name in DOCUMENT["components"]["schemas"]:
        assert f'<h3 id="schema-{name}">' in page
    anchors = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= anchors
