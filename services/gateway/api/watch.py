"""Audits of public-benefit associations, and what falls due in the registry."""

from __future__ import annotations

from services.gateway import schemas
from services.gateway.http import BASE, Answer, Call, Table
from services.gateway.schemas import watch as s

TABLE = Table()
TAG = "Registry"


@TABLE.route(
    "POST",
    "/organisations/{id}/audits",
    tag=TAG,
    summary="Record an audit of a public-benefit association",
    description="At least every two years (5253/27). A proposal to withdraw the status changes nothing by itself.",
    body=s.NewAuditSchema,
    answer=s.RecordedAuditSchema,
    status=201,
    if_match="honoured",
    roles=("registrar",),
)
def record_audit(call: Call) -> Answer:
    """The audit, and when the next one is due."""
    made = call.ports.registry.record_audit(
        actor=call.who,
        organisation_id=call.params["id"],
        audit=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(made, location=f"{BASE}/organisations/{call.params['id']}/audits")


@TABLE.route(
    "GET",
    "/organisations/{id}/audits",
    tag=TAG,
    summary="The audits of an organisation",
    query=schemas.PageQuery,
    answer=s.AuditPageSchema,
)
def list_audits(call: Call) -> Answer:
    """The newest first."""
    return Answer(call.ports.registry.list_audits(organisation_id=call.params["id"], **call.query))


@TABLE.route(
    "GET",
    "/status-watch",
    tag=TAG,
    summary="Audits that are due, statuses that end",
    query=s.StatusWatchQuery,
    answer=s.StatusWatchSchema,
    roles=("registrar", "auditor"),
)
def status_watch(call: Call) -> Answer:
    """The nearest first."""
    query = {**call.query, "before": call.query.get("before"), "province": call.query.get("province") or None}
    return Answer(call.ports.registry.status_watch(actor=call.who, **query))
