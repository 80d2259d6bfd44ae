"""Renames, mergers and splits of organisations."""

from __future__ import annotations

from services.gateway import schemas
from services.gateway.http import BASE, Answer, Call, Table
from services.gateway.schemas import succession as s

TABLE = Table()
TAG = "Registry"
REGISTRAR = ("registrar",)


@TABLE.route(
    "GET",
    "/organisations/{id}/succession",
    tag=TAG,
    summary="Where an organisation came from and where it went",
    answer=s.SuccessionSchema,
)
def get_succession(call: Call) -> Answer:
    """Former names, predecessors, and the ends of every chain of successors."""
    return Answer(call.ports.registry.succession_of(organisation_id=call.params["id"]))


@TABLE.route(
    "POST",
    "/organisations/{id}/succession/preview",
    tag=TAG,
    summary="What a succession would change",
    description="Takes what recording it takes, refuses what it refuses, and changes nothing.",
    body=s.SuccessionOrderSchema,
    answer=s.SuccessionPreviewSchema,
    roles=REGISTRAR,
)
def preview_succession(call: Call) -> Answer:
    """Names, numbers, statuses that do not pass on, protocols that follow."""
    return Answer(
        call.ports.registry.preview_succession(actor=call.who, organisation_id=call.params["id"], order=dict(call.body))
    )


@TABLE.route(
    "POST",
    "/organisations/{id}/succession",
    tag=TAG,
    summary="Record a rename, merger or split",
    description="Old ids and numbers keep working and point onward; open protocols follow.",
    body=s.SuccessionOrderSchema,
    answer=schemas.OrganisationSchema,
    status=201,
    etag=True,
    if_match="needed",
    roles=REGISTRAR,
)
def succeed(call: Call) -> Answer:
    """The old organisation as it is recorded now."""
    changed = call.ports.registry.succeed(
        actor=call.who,
        organisation_id=call.params["id"],
        order=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(changed, version=changed["version"], location=f"{BASE}/organisations/{call.params['id']}/succession")
