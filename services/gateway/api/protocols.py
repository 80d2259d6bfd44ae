"""Protocols from draft to force, the procedure they follow, and the work that waits."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

from services.gateway import schemas as s
from services.gateway.http import ANY_SCOPE, BASE, Answer, Call, Table

TABLE = Table()
TAG = "Protocols"
_NEVER = "9999-12-31"


@TABLE.route(
    "POST",
    "/protocols",
    tag=TAG,
    summary="Draft a protocol",
    body=s.NewProtocolSchema,
    answer=s.ProtocolSchema,
    status=201,
    etag=True,
    roles=("unit_officer",),
)
def draft_protocol(call: Call) -> Answer:
    """By the unit that will carry it out."""
    made = call.ports.protocols.draft_protocol(actor=call.who, draft=dict(call.body), key=call.key)
    return Answer(made, version=made["version"], location=f"{BASE}/protocols/{made['id']}")


@TABLE.route(
    "GET", "/protocols", tag=TAG, summary="List protocols", query=s.ProtocolsQuery, answer=s.ProtocolPageSchema
)
def list_protocols(call: Call) -> Answer:
    """Those that the caller's office may see."""
    query = call.query
    found = call.ports.protocols.list_protocols(
        actor=call.who,
        stage=query.get("stage"),
        municipality=query.get("municipality"),
        authority=query.get("authority"),
        organisation=query.get("organisation"),
        overdue=query.get("overdue"),
        legal_review=query.get("legal_review"),
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route("GET", "/protocols/{id}", tag=TAG, summary="One protocol", answer=s.ProtocolSchema, etag=True)
def get_protocol(call: Call) -> Answer:
    """Where it stands, its clocks, and what the caller may do now."""
    found = call.ports.protocols.get_protocol(actor=call.who, protocol_id=call.params["id"])
    return Answer(found, version=found["version"])


@TABLE.route(
    "PUT",
    "/protocols/{id}/text",
    tag=TAG,
    summary="Write a new version of the draft's text",
    body=s.ProtocolTextSchema,
    answer=s.ProtocolSchema,
    etag=True,
    if_match="needed",
)
def replace_text(call: Call) -> Answer:
    """While drafting; the text's SHA-256 is kept."""
    changed = call.ports.protocols.replace_text(
        actor=call.who,
        protocol_id=call.params["id"],
        text=call.body["text"],
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(changed, version=changed["version"])


@TABLE.route(
    "POST",
    "/protocols/{id}/moves/{move}",
    tag=TAG,
    summary="Make a move",
    body=s.MoveSchema,
    body_optional=True,
    answer=s.ProtocolSchema,
    etag=True,
    if_match="needed",
    command=ANY_SCOPE,
    description="Which moves are possible and which fields they need, `options` of the protocol says. "
    "A move that a rule forbids is 409 with every reason and its article.",
)
def move(call: Call) -> Answer:
    """The protocol after the move."""
    moved = call.ports.protocols.move(
        actor=call.who,
        protocol_id=call.params["id"],
        move=call.params["move"],
        fields=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(moved, version=moved["version"])


@TABLE.route(
    "GET",
    "/protocols/{id}/timeline",
    tag=TAG,
    summary="The history of a protocol",
    query=s.PageQuery,
    answer=s.TimelineSchema,
)
def timeline(call: Call) -> Answer:
    """Every act with its office, date and fields, the oldest first."""
    found = call.ports.protocols.timeline(
        actor=call.who, protocol_id=call.params["id"], page=call.query["page"], size=call.query["size"]
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/protocols/{id}/clocks/{clock_id}/explanation",
    tag=TAG,
    summary="A time limit explained day by day",
    answer=s.ExplanationSchema,
)
def explain_clock(call: Call) -> Answer:
    """Why it is due on its day."""
    return Answer(
        call.ports.protocols.explain_clock(
            actor=call.who, protocol_id=call.params["id"], clock_id=call.params["clock_id"]
        )
    )


@TABLE.route(
    "GET",
    "/procedures/{name}",
    tag=TAG,
    summary="The procedure as a table",
    answer=s.ProcedureSchema,
    description="`protocol` or `petition`.",
)
def procedure(call: Call) -> Answer:
    """Stages, moves, roles, guards, clocks and articles."""
    table = _table(call)
    guards = {each["name"]: each for move in table["moves"] for each in move["guards"]}
    articles = {row["article"] for row in (*table["moves"], *table["clocks"], *guards.values()) if row["article"]}
    roles = {role for move in table["moves"] for role in move["roles"]}
    return Answer({**table, "guards": list(guards.values()), "articles": sorted(articles), "roles": sorted(roles)})


@TABLE.route(
    "GET",
    "/procedures/{name}/diagram",
    tag=TAG,
    summary="The procedure as a Mermaid diagram",
    content_type="text/plain",
)
def procedure_diagram(call: Call) -> Answer:
    """Drawn from the same table, in the caller's language."""
    diagram = _table(call)["diagram"]
    return Answer(diagram if isinstance(diagram, str) else diagram[call.language])


@TABLE.route(
    "GET", "/work", tag="Work queues", summary="What my office must do next", query=s.PageQuery, answer=s.WorkSchema
)
def work(call: Call) -> Answer:
    """By due date: protocols and petitions together."""
    page, size = call.query["page"], call.query["size"]
    # Each service's list is in order; the page asked for lies within the first `page * size` of either.
    found = [
        port.work(actor=call.who, page=1, size=page * size) for port in (call.ports.protocols, call.ports.petitions)
    ]
    today = call.ports.time.today().isoformat()
    merged = heapq.merge(*(each["items"] for each in found), key=lambda item: _when(item, today))
    total = sum(each["total"] for each in found)
    return Answer({"items": list(merged)[(page - 1) * size : page * size], "page": page, "size": size, "total": total})


def _when(item: Mapping[str, Any], today: str) -> str:
    """By when it is to be done; what is urgent without a date of the law is today's."""
    due_on: str | None = item["due_on"]
    if item["legal_review"]:
        return min(due_on or today, today)
    return due_on or _NEVER


def _table(call: Call) -> Mapping[str, Any]:
    """The procedure's table, from the service that runs it."""
    name = call.params["name"]
    port = call.ports.petitions if name == "petition" else call.ports.protocols
    found: Mapping[str, Any] = port.procedure(name=name)
    return found
