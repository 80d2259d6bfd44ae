"""Corrections: an organisation proposes what its record should say, the registrar decides."""

from __future__ import annotations

from services.gateway.http import BASE, Answer, Call, Table
from services.gateway.schemas import corrections as s

TABLE = Table()
TAG = "Registry"
REPRESENTATIVE = ("organisation_representative",)
READERS = ("registrar", "auditor", "organisation_representative")


@TABLE.route(
    "POST",
    "/organisations/{id}/corrections",
    tag=TAG,
    summary="Propose a correction of one's own record",
    description="By the organisation's representative. A field waits for its decision before it is proposed again.",
    body=s.NewCorrectionSchema,
    answer=s.CorrectionSchema,
    status=201,
    etag=True,
    roles=REPRESENTATIVE,
)
def propose_correction(call: Call) -> Answer:
    """The new correction."""
    made = call.ports.registry.propose_correction(
        actor=call.who, organisation_id=call.params["id"], correction=dict(call.body), key=call.key
    )
    return Answer(made, version=made["version"], location=f"{BASE}/corrections/{made['id']}")


@TABLE.route(
    "GET",
    "/corrections",
    tag=TAG,
    summary="List corrections",
    description="All for registrar and auditor; a representative sees those of the own organisation.",
    query=s.CorrectionsQuery,
    answer=s.CorrectionPageSchema,
    roles=READERS,
)
def list_corrections(call: Call) -> Answer:
    """The newest first."""
    return Answer(call.ports.registry.list_corrections(actor=call.who, **call.query))


@TABLE.route(
    "GET", "/corrections/{id}", tag=TAG, summary="One correction", answer=s.CorrectionSchema, etag=True, roles=READERS
)
def get_correction(call: Call) -> Answer:
    """Field by field, with what is recorded now."""
    found = call.ports.registry.get_correction(actor=call.who, correction_id=call.params["id"])
    return Answer(found, version=found["version"])


@TABLE.route(
    "POST",
    "/corrections/{id}/decision",
    tag=TAG,
    summary="Accept or decline fields of a correction",
    description="What is accepted is recorded at once. A field that was recorded otherwise since it was proposed is "
    "refused with all three values; then nothing is decided.",
    body=s.CorrectionDecisionSchema,
    answer=s.CorrectionSchema,
    etag=True,
    if_match="needed",
    roles=("registrar",),
)
def decide_correction(call: Call) -> Answer:
    """The correction after the decision."""
    decided = call.ports.registry.decide_correction(
        actor=call.who,
        correction_id=call.params["id"],
        decision=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(decided, version=decided["version"])


@TABLE.route(
    "POST",
    "/corrections/{id}/withdrawal",
    tag=TAG,
    summary="Withdraw what is not decided yet",
    answer=s.CorrectionSchema,
    etag=True,
    if_match="needed",
    roles=REPRESENTATIVE,
)
def withdraw_correction(call: Call) -> Answer:
    """The correction after the withdrawal."""
    withdrawn = call.ports.registry.withdraw_correction(
        actor=call.who, correction_id=call.params["id"], expected_version=call.expected_version, key=call.key
    )
    return Answer(withdrawn, version=withdrawn["version"])
