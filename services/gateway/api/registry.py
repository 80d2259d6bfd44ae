"""Municipalities, organisations and their standing."""

from __future__ import annotations

from services.gateway import schemas as s
from services.gateway.http import BASE, Answer, Call, Table

TABLE = Table()
REGISTRAR = ("registrar",)


@TABLE.route(
    "GET",
    "/municipalities",
    tag="Reference",
    summary="Find municipalities",
    query=s.MunicipalitiesQuery,
    answer=s.MunicipalityPageSchema,
)
def list_municipalities(call: Call) -> Answer:
    """Municipalities by name."""
    query = call.query
    found = call.ports.registry.list_municipalities(
        actor=call.who,
        query=query.get("query") or None,
        province=query.get("province") or None,
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route(
    "GET", "/municipalities/{code}", tag="Reference", summary="One municipality", answer=s.MunicipalitySchema, etag=True
)
def get_municipality(call: Call) -> Answer:
    """Its kind, civil authority, council and legal profile."""
    found = call.ports.registry.get_municipality(code=call.params["code"])
    return Answer(found, version=found["version"])


@TABLE.route(
    "PATCH",
    "/municipalities/{code}",
    tag="Reference",
    summary="Record the council or the civil authority",
    description="The council by the municipality's registry clerk, the civil authority by an administrator.",
    body=s.MunicipalityChangeSchema,
    answer=s.MunicipalitySchema,
    etag=True,
    if_match="needed",
    roles=("registry_clerk", "administrator"),
)
def update_municipality(call: Call) -> Answer:
    """Council membership, sitting dates, authority."""
    changed = call.ports.registry.update_municipality(
        actor=call.who,
        code=call.params["code"],
        changes=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(changed, version=changed["version"])


@TABLE.route(
    "GET",
    "/organisations",
    tag="Registry",
    summary="Find organisations",
    query=s.OrganisationsQuery,
    answer=s.OrganisationPageSchema,
)
def search_organisations(call: Call) -> Answer:
    """Organisations by name, province, form and standing."""
    query = call.query
    found = call.ports.registry.search_organisations(
        actor=call.who,
        query=query.get("query") or None,
        province=query.get("province") or None,
        form=query.get("form"),
        standing=query.get("standing"),
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route(
    "POST",
    "/organisations",
    tag="Registry",
    summary="Register an organisation",
    body=s.NewOrganisationSchema,
    answer=s.OrganisationSchema,
    status=201,
    etag=True,
    roles=REGISTRAR,
)
def register_organisation(call: Call) -> Answer:
    """A new organisation."""
    made = call.ports.registry.register_organisation(actor=call.who, organisation=dict(call.body), key=call.key)
    return Answer(made, version=made["version"], location=f"{BASE}/organisations/{made['id']}")


@TABLE.route(
    "GET", "/organisations/{id}", tag="Registry", summary="One organisation", answer=s.OrganisationSchema, etag=True
)
def get_organisation(call: Call) -> Answer:
    """An organisation with its statuses."""
    found = call.ports.registry.get_organisation(organisation_id=call.params["id"])
    return Answer(found, version=found["version"])


@TABLE.route(
    "PATCH",
    "/organisations/{id}",
    tag="Registry",
    summary="Change what is recorded of an organisation",
    body=s.OrganisationChangeSchema,
    answer=s.OrganisationSchema,
    etag=True,
    if_match="needed",
    roles=REGISTRAR,
)
def update_organisation(call: Call) -> Answer:
    """Only the given fields change."""
    changed = call.ports.registry.update_organisation(
        actor=call.who,
        organisation_id=call.params["id"],
        changes=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(changed, version=changed["version"])


@TABLE.route(
    "POST",
    "/organisations/{id}/statuses",
    tag="Registry",
    summary="Record a status",
    description="Public benefit (5253/27) or tax exemption (4962/20), or a correction of such a record.",
    body=s.NewStatusSchema,
    answer=s.OrganisationSchema,
    status=201,
    etag=True,
    if_match="honoured",
    roles=REGISTRAR,
)
def grant_status(call: Call) -> Answer:
    """The organisation with the new status."""
    changed = call.ports.registry.grant_status(
        actor=call.who,
        organisation_id=call.params["id"],
        status=dict(call.body),
        key=call.key,
        expected_version=call.expected_version,
    )
    return Answer(changed, version=changed["version"], location=f"{BASE}/organisations/{call.params['id']}")


@TABLE.route(
    "POST",
    "/organisations/{id}/statuses/{status_id}/revocation",
    tag="Registry",
    summary="Record the end of a status",
    body=s.RevocationSchema,
    body_optional=True,
    answer=s.OrganisationSchema,
    etag=True,
    if_match="honoured",
    roles=REGISTRAR,
)
def revoke_status(call: Call) -> Answer:
    """The organisation with the status ended."""
    changed = call.ports.registry.revoke_status(
        actor=call.who,
        organisation_id=call.params["id"],
        status_id=call.params["status_id"],
        revocation=dict(call.body),
        key=call.key,
        expected_version=call.expected_version,
    )
    return Answer(changed, version=changed["version"])


@TABLE.route(
    "GET",
    "/organisations/{id}/standing",
    tag="Registry",
    summary="Whether a protocol needs permission (5393/75)",
    query=s.StandingQuery,
    answer=s.StandingSchema,
)
def standing(call: Call) -> Answer:
    """With ground, article, evidence and an explanation for a letter."""
    return Answer(call.ports.registry.standing(organisation_id=call.params["id"], **call.query))
