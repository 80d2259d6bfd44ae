"""Petitions from filing to an answer, the page on which everyone follows one, and the units that answer."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from functools import partial
from io import BytesIO
from typing import Any

from services.gateway import schemas as s
from services.gateway.download import saved_as
from services.gateway.errors import Unauthenticated
from services.gateway.http import ANY_SCOPE, BASE, Answer, Call, Download, Ports, Table, localise
from services.gateway.pages import tracking as pages
from services.gateway.rate import Rate
from services.gateway.schemas import petitions as p
from services.gateway.schemas.writing import PaperQuery
from services.kernel.errors import ImeceError, NotFound
from services.kernel.text import Label, Sentence

TABLE = Table()
TAG = "Petitions"

_AN_HOUR, _A_MINUTE = 3600, 60
_SUBMISSIONS = Rate(lambda settings: settings.petitions_per_hour, _AN_HOUR)
_TRACKING = Rate(lambda settings: settings.tracking_per_minute, _A_MINUTE)
_PAPERS = Rate(lambda settings: settings.tracking_per_minute, _A_MINUTE)
_PDF = "application/pdf"
_FOR_A_MOMENT = {"Cache-Control": "private, max-age=30"}
_BY_KEY = "By the offices of the municipality that handle it, or by the petitioner: signed in for the organisation, or \
with Imece-Petition-Key."


@TABLE.route(
    "POST",
    "/petitions",
    tag=TAG,
    summary="Submit a petition",
    description="Without a sign-in, for an organisation by its representative, or by the registry for what came on "
    "paper. Nothing is turned away for what is missing: it is listed, and can be supplied.",
    body=p.NewPetitionSchema,
    answer=p.SubmittedSchema,
    status=201,
    etag=True,
    access="anyone",
    rate=_SUBMISSIONS,
    command=ANY_SCOPE,
)
def submit_petition(call: Call) -> Answer:
    """What it is known by; an identity number is neither asked nor taken."""
    made = call.ports.petitions.submit_petition(actor=call.anyone, petition=dict(call.body), key=call.key)
    return Answer(made, version=made["version"], location=f"{BASE}/petitions/{made['id']}")


@TABLE.route(
    "GET",
    "/petitions",
    tag=TAG,
    summary="List petitions",
    description="Those that the caller's office may see; for an account without an office those that it submitted.",
    query=p.PetitionsQuery,
    answer=p.PetitionPageSchema,
    access="anyone",
)
def list_petitions(call: Call) -> Answer:
    """The newest first, without their texts."""
    if call.signed is None:
        raise Unauthenticated(Sentence("Sign in to see your petitions; with a petition's key ask for that petition."))
    query = call.query
    found = call.ports.petitions.list_petitions(
        actor=call.anyone,
        stage=query.get("stage"),
        municipality=query.get("municipality"),
        kind=query.get("kind"),
        unit=query.get("unit"),
        activity=query.get("activity"),
        number=query.get("query"),
        overdue=query.get("overdue"),
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/petitions/{id}",
    tag=TAG,
    summary="One petition",
    description=_BY_KEY,
    answer=p.PetitionSchema,
    etag=True,
    access="anyone",
)
def get_petition(call: Call) -> Answer:
    """Its text, where it stands, its clocks, its answer, and what the caller may do now."""
    found = call.ports.petitions.get_petition(
        actor=call.anyone, petition_id=call.params["id"], petition_key=call.petition_key
    )
    return Answer(_with_protocol_label(call.ports, found), version=found["version"])


@TABLE.route(
    "POST",
    "/petitions/{id}/moves/{move}",
    tag=TAG,
    summary="Make a move of a petition",
    body=p.PetitionMoveSchema,
    body_optional=True,
    answer=p.PetitionSchema,
    etag=True,
    if_match="needed",
    access="anyone",
    command=ANY_SCOPE,
    description="Which moves are possible and which fields they need, `options` of the petition says. "
    "A move that a rule forbids is 409 with every reason and its article. " + _BY_KEY,
)
def move_petition(call: Call) -> Answer:
    """The petition after the move."""
    moved = call.ports.petitions.move_petition(
        actor=call.anyone,
        petition_id=call.params["id"],
        move=call.params["move"],
        fields=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
        petition_key=call.petition_key,
    )
    return Answer(_with_protocol_label(call.ports, moved), version=moved["version"])


@TABLE.route(
    "GET",
    "/petitions/{id}/timeline",
    tag=TAG,
    summary="The history of a petition",
    description="With the steps of the protocol that came of it: you said, we did. The petitioner sees what was done, "
    "not what an office noted for itself. " + _BY_KEY,
    query=s.PageQuery,
    answer=s.TimelineSchema,
    access="anyone",
)
def petition_timeline(call: Call) -> Answer:
    """Every act with its office, date and fields, the oldest first."""
    found = call.ports.petitions.timeline(
        actor=call.anyone,
        petition_id=call.params["id"],
        petition_key=call.petition_key,
        page=call.query["page"],
        size=call.query["size"],
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/petitions/{id}/clocks/{clock_id}/explanation",
    tag=TAG,
    summary="A time limit of a petition explained day by day",
    description=_BY_KEY,
    answer=s.ExplanationSchema,
    access="anyone",
)
def explain_petition_clock(call: Call) -> Answer:
    """Why it is due on its day."""
    return Answer(
        call.ports.petitions.explain_clock(
            actor=call.anyone,
            petition_id=call.params["id"],
            clock_id=call.params["clock_id"],
            petition_key=call.petition_key,
        )
    )


@TABLE.route(
    "GET",
    "/tracking/{tracking_code}",
    tag=TAG,
    summary="Where a petition stands, for everyone who has its code",
    description="No sign-in and nothing personal.",
    answer=p.TrackingSchema,
    etag=True,
    access="public",
    rate=_TRACKING,
)
def tracking(call: Call) -> Answer:
    """Its stage, whose turn it is, since when, what is due and why, and the outcome."""
    found = _tracked(call)
    return Answer(found, version=found["version"], headers=_FOR_A_MOMENT)


@TABLE.route(
    "GET",
    "/tracking/{tracking_code}",
    tag=TAG,
    summary="The same as a page for people",
    access="public",
    base="",
    content_type="text/html",
    rate=_TRACKING,
)
def tracking_page(call: Call) -> Answer:
    """Says so where there is no such code."""
    headers = {**_FOR_A_MOMENT, "Content-Security-Policy": pages.POLICY}
    try:
        found = _tracked(call)
    except NotFound as error:
        return Answer(pages.said(error.message, call.language), status=404, headers=headers)
    return Answer(pages.page(localise(found, call.language), call.language), headers=headers)


@TABLE.route(
    "GET",
    "/petitions/{id}/receipt",
    tag=TAG,
    summary="The receipt of a petition, to be printed",
    description="One page with number, date, tracking code and a picture that leads to its tracking page. " + _BY_KEY,
    content_type=_PDF,
    access="anyone",
    rate=_PAPERS,
)
def petition_receipt(call: Call) -> Answer:
    """As a PDF that is tagged for screen readers."""
    made = call.ports.petitions.receipt_of(
        actor=call.anyone, petition_id=call.params["id"], petition_key=call.petition_key
    )
    return _file(made)


@TABLE.route(
    "GET",
    "/petitions/{id}/paper",
    tag=TAG,
    summary="A submitted petition as PDF or DOCX",
    description=_BY_KEY,
    query=PaperQuery,
    content_type="*/*",
    access="anyone",
    rate=_PAPERS,
)
def paper_of_petition(call: Call) -> Answer:
    """As it stands now, with its number."""
    made = call.ports.petitions.paper_of(
        actor=call.anyone,
        petition_id=call.params["id"],
        petition_key=call.petition_key,
        form=call.query["format"],
    )
    return _file(made)


@TABLE.route(
    "GET", "/municipalities/{code}/units", tag=TAG, summary="The units of a municipality", answer=p.UnitsSchema
)
def list_units(call: Call) -> Answer:
    """By name."""
    return Answer(call.ports.petitions.list_units(municipality=call.params["code"]))


@TABLE.route(
    "POST",
    "/municipalities/{code}/units",
    tag=TAG,
    summary="Add a unit",
    body=p.NewUnitSchema,
    answer=p.UnitSchema,
    status=201,
    etag=True,
    roles=("registry_clerk",),
)
def add_unit(call: Call) -> Answer:
    """With the words in petitions that speak for it."""
    made = call.ports.petitions.add_unit(
        actor=call.who, municipality=call.params["code"], unit=dict(call.body), key=call.key
    )
    return Answer(made, version=made["version"], location=f"{BASE}/municipalities/{call.params['code']}/units")


@TABLE.route(
    "PATCH",
    "/municipalities/{code}/units/{unit_id}",
    tag=TAG,
    summary="Change a unit",
    body=p.UnitChangeSchema,
    answer=p.UnitSchema,
    etag=True,
    if_match="needed",
    roles=("registry_clerk",),
)
def change_unit(call: Call) -> Answer:
    """Its name, its topics, or whether it takes petitions."""
    changed = call.ports.petitions.change_unit(
        actor=call.who,
        municipality=call.params["code"],
        unit_id=call.params["unit_id"],
        changes=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(changed, version=changed["version"])


def _tracked(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = call.ports.petitions.tracking(code=call.params["tracking_code"])
    protocol = found["protocol"]
    if protocol is None:
        return found
    return {**found, "protocol": {**protocol, "stage_label": protocol_stage(call.ports, protocol["stage"])}}


def _file(made: dict[str, Any]) -> Answer:
    content = b64decode(made["content"])
    digest = hashlib.sha256(content).hexdigest()
    file = Download(partial(BytesIO, content), digest, len(content), media_type=made["media_type"])
    return Answer(file, headers=saved_as(made["file_name"]))


def _with_protocol_label(ports: Ports, petition: dict[str, Any]) -> dict[str, Any]:
    protocol = petition["links"]["protocol"]
    if protocol is None:
        return petition
    labelled = {**protocol, "stage_label": protocol_stage(ports, protocol["stage"])}
    return {**petition, "links": {**petition["links"], "protocol": labelled}}


_STAGES: dict[str, Any] = {}
_UNDER_WAY = Label("Sürüyor", "Under way").to_plain()


def protocol_stage(ports: Ports, stage: str | None) -> Any:
    """What people call a stage of a protocol; asked of protocols once, and no more than that it is under way till then."""
    if not _STAGES:
        try:
            table = ports.protocols.procedure(name="protocol")
        except ImeceError:
            return _UNDER_WAY
        _STAGES.update({each["name"]: each["label"] for each in table["stages"]})
    return _STAGES.get(stage or "", _UNDER_WAY)
