"""The installation itself: health, documentation, the first page, the demo clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from services.gateway import openapi
from services.gateway import schemas as s
from services.gateway.http import Answer, Call, Table
from services.gateway.pages import home, reference
from services.gateway.pages.frame import POLICY
from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.runtime.settings import Settings

TABLE = Table()
TAG = "System"
_FURTHEST = timedelta(days=3660)
_PAGE = {"Content-Security-Policy": POLICY}


@TABLE.route(
    "GET", "/healthz", tag=TAG, summary="The process is alive", answer=s.HealthSchema, access="public", base=""
)
def healthz(_call: Call) -> Answer:
    """Says nothing about databases and brokers."""
    return Answer({"status": "ok"})


@TABLE.route(
    "GET",
    "/readyz",
    tag=TAG,
    summary="Database, broker and migrations are ready",
    answer=s.ReadinessSchema,
    access="public",
    base="",
    also={503: s.ReadinessSchema},
)
def readyz(call: Call) -> Answer:
    """503 as long as one of them is not."""
    found = call.ports.readiness()
    ready = all(found.values())
    return Answer({"status": "ready" if ready else "not ready", **found}, status=200 if ready else 503)


@TABLE.route(
    "GET",
    "/openapi.json",
    tag=TAG,
    summary="This interface as OpenAPI 3.1",
    access="public",
)
def openapi_document(call: Call) -> Answer:
    """Complete, made from the table that answers."""
    return Answer(openapi.document(call.table, call.ports.settings))


@TABLE.route(
    "GET",
    "/api/docs",
    tag=TAG,
    summary="This interface for people",
    access="public",
    base="",
    content_type="text/html",
)
def docs(call: Call) -> Answer:
    """One page without scripts, made from the OpenAPI document."""
    return Answer(_reference(call.table, call.ports.settings, call.language), headers=_PAGE)


@cache
def _reference(table: Table, settings: Settings, language: str) -> str:
    return reference.page(openapi.document(table, settings, language), language)


@TABLE.route(
    "GET",
    "/",
    tag=TAG,
    summary="What this is",
    access="public",
    base="",
    content_type="text/html",
)
def first_page(call: Call) -> Answer:
    """Where to go from here."""
    return Answer(home.page(call.language), headers=_PAGE)


@TABLE.route(
    "GET",
    "/demo/clock",
    tag="Demo clock",
    summary="The time of the system",
    description="Only with IMECE_DEMO_CLOCK=1.",
    answer=s.DemoTimeSchema,
    access="user",
    when=lambda settings: settings.demo_clock,
)
def demo_clock(call: Call) -> Answer:
    """The moment that it now is."""
    return Answer({"now": call.ports.time.now()})


@TABLE.route(
    "PUT",
    "/demo/clock",
    tag="Demo clock",
    summary="Move the time of the whole system forward",
    description="Only with IMECE_DEMO_CLOCK=1. Clocks that fall due act before it answers.",
    body=s.DemoClockSchema,
    answer=s.DemoTimeSchema,
    access="user",
    when=lambda settings: settings.demo_clock,
)
def move_demo_clock(call: Call) -> Answer:
    """Never back."""
    wanted = datetime.fromisoformat(call.body["now"]).astimezone(UTC)
    now = call.ports.time.now()
    if wanted < now:
        raise Invalid.field("now", Sentence("The demo clock only moves forward."))
    if wanted - now > _FURTHEST:
        raise Invalid.field("now", Sentence("The demo clock moves at most ten years at a time."))
    call.ports.move_demo_clock(wanted)
    return Answer({"now": call.ports.time.now()})
