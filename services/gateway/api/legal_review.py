"""The legal review of a protocol whose partner's standing changed on the way."""

from __future__ import annotations

from services.gateway import schemas
from services.gateway.http import Answer, Call, Table

TABLE = Table()


@TABLE.route(
    "POST",
    "/protocols/{id}/legal-review/settlement",
    tag="Protocols",
    summary="Settle a legal review",
    description="By the unit that owns the protocol, with the legal unit's opinion. The stage stays: what follows from "
    "the opinion is done by ordinary moves.",
    body=schemas.SettlementSchema,
    answer=schemas.ProtocolSchema,
    etag=True,
    if_match="needed",
    roles=("unit_officer",),
)
def settle_legal_review(call: Call) -> Answer:
    """The protocol with the settled review."""
    settled = call.ports.protocols.settle_legal_review(
        actor=call.who,
        protocol_id=call.params["id"],
        settlement=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(settled, version=settled["version"])
