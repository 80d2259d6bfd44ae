"""Help with writing petitions: advice, the guided form, papers. Nothing that is sent here is kept."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from functools import partial
from io import BytesIO

from services.gateway.download import saved_as
from services.gateway.http import Answer, Call, Download, Table
from services.gateway.rate import Rate
from services.gateway.schemas import writing as s

TABLE = Table()
BINARY = "application/octet-stream"
_A_MINUTE = 60
_LOOKS = Rate(lambda settings: settings.tracking_per_minute, _A_MINUTE)
_NOT_KEPT = "Nothing is kept. No sign-in is needed."


@TABLE.route(
    "POST",
    "/petitions/advice",
    tag="Petitions",
    summary="Advice on the wording and form of a petition",
    description="It advises and explains, and never blocks (Official Correspondence Regulation 31/7). " + _NOT_KEPT,
    body=s.AdviceRequestSchema,
    answer=s.AdviceSchema,
    access="anyone",
    rate=_LOOKS,
)
def advise_petition(call: Call) -> Answer:
    """Suggestions with their places and reasons, and a draft in correct form."""
    return Answer(call.ports.petitions.advise_petition(request=dict(call.body)))


@TABLE.route(
    "GET",
    "/petitions/guide",
    tag="Petitions",
    summary="The questions of the guided form",
    description="For people who never wrote a petition.",
    query=s.GuideQuery,
    answer=s.GuideSchema,
    access="anyone",
    rate=_LOOKS,
)
def petition_guide(call: Call) -> Answer:
    """In the order in which they are asked."""
    return Answer(call.ports.petitions.petition_guide(kind=call.query["kind"]))


@TABLE.route(
    "POST",
    "/petitions/guide",
    tag="Petitions",
    summary="Make a petition of the answers of the guided form",
    description="The petitioner can edit it before it is submitted. " + _NOT_KEPT,
    body=s.AnswersRequestSchema,
    answer=s.ComposedSchema,
    access="anyone",
    rate=_LOOKS,
)
def compose_petition(call: Call) -> Answer:
    """Subject, text and advice on them."""
    return Answer(call.ports.petitions.compose_petition(request=dict(call.body)))


@TABLE.route(
    "POST",
    "/petitions/paper",
    tag="Petitions",
    summary="A petition as PDF or DOCX, to be signed by hand",
    description="The PDF is tagged for screen readers (PDF/UA). " + _NOT_KEPT,
    query=s.PaperQuery,
    body=s.PaperRequestSchema,
    content_type=BINARY,
    access="anyone",
    rate=_LOOKS,
)
def petition_paper(call: Call) -> Answer:
    """As a file to be saved."""
    made = call.ports.petitions.petition_paper(request={**call.body, "format": call.query["format"]})
    content = b64decode(made["content"])
    return Answer(
        Download(partial(BytesIO, content), hashlib.sha256(content).hexdigest(), len(content)),
        headers=saved_as(made["file_name"]),
    )
