"""What organisations offer to municipalities, and the documents that show it."""

from __future__ import annotations

from services.gateway.download import saved_as
from services.gateway.http import BASE, Answer, Call, Download, Table
from services.gateway.schemas import PageQuery
from services.gateway.schemas import expertise as s
from services.runtime.blob import Space, store_of

TABLE = Table()
OWNERS = ("registrar", "organisation_representative")
BINARY = "application/octet-stream"
LARGEST = 10 * 1024 * 1024
_FORM_AROUND = 64 * 1024
"""Bytes of a form besides its file."""


@TABLE.route(
    "GET",
    "/expertise-tags",
    tag="Expertise",
    summary="The list of fields of expertise",
    answer=s.ExpertiseTagsSchema,
)
def expertise_tags(call: Call) -> Answer:
    """By area."""
    return Answer(call.ports.registry.expertise_tags())


@TABLE.route(
    "GET",
    "/expertise",
    tag="Expertise",
    summary="Find organisations by what they offer",
    query=s.ExpertiseQuery,
    answer=s.ExpertisePageSchema,
)
def find_expertise(call: Call) -> Answer:
    """What is offered today, by the name of the organisation."""
    query = call.query
    found = call.ports.registry.find_expertise(
        actor=call.who,
        tag=query.get("tag"),
        query=query.get("query") or None,
        province=query.get("province") or None,
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/organisations/{id}/expertise",
    tag="Expertise",
    summary="What an organisation offers",
    answer=s.ExpertiseSchema,
    etag=True,
)
def get_expertise(call: Call) -> Answer:
    """With the version that a change needs; it is 0 where nothing was said yet."""
    found = call.ports.registry.get_expertise(organisation_id=call.params["id"])
    return Answer(found, version=found["version"])


@TABLE.route(
    "PUT",
    "/organisations/{id}/expertise",
    tag="Expertise",
    summary="Say what an organisation offers",
    description="By its own representative or the registrar. The version is that of the offer, 0 for a first one.",
    body=s.NewExpertiseSchema,
    answer=s.ExpertiseSchema,
    etag=True,
    if_match="needed",
    roles=OWNERS,
)
def change_expertise(call: Call) -> Answer:
    """The offer as it is recorded now."""
    changed = call.ports.registry.change_expertise(
        actor=call.who,
        organisation_id=call.params["id"],
        offer=dict(call.body),
        expected_version=call.expected_version,
        key=call.key,
    )
    return Answer(changed, version=changed["version"])


@TABLE.route(
    "GET",
    "/organisations/{id}/documents",
    tag="Expertise",
    summary="The documents of an organisation",
    query=PageQuery,
    answer=s.DocumentPageSchema,
)
def list_documents(call: Call) -> Answer:
    """The newest first."""
    query = call.query
    found = call.ports.registry.list_documents(
        organisation_id=call.params["id"], page=query["page"], size=query["size"]
    )
    return Answer(found)


@TABLE.route(
    "POST",
    "/organisations/{id}/documents",
    tag="Expertise",
    summary="Add a document to what an organisation offers",
    description="By its own representative or the registrar. Every office may read it.",
    body=s.DocumentForm,
    upload=lambda _: LARGEST + _FORM_AROUND,
    answer=s.DocumentSchema,
    status=201,
    roles=OWNERS,
)
def add_document(call: Call) -> Answer:
    """The document as it is kept."""
    file = call.body["file"]
    kept = store_of(call.ports.settings, Space.DOCUMENTS).put(file.stream, LARGEST)
    made = call.ports.registry.add_document(
        actor=call.who,
        organisation_id=call.params["id"],
        document={
            "title": call.body["title"],
            "file_name": file.name,
            "size": kept.size,
            "sha256": kept.sha256,
        },
        key=call.key,
    )
    return Answer(made, location=f"{BASE}/organisations/{call.params['id']}/documents/{made['id']}")


@TABLE.route(
    "GET",
    "/organisations/{id}/documents/{document_id}",
    tag="Expertise",
    summary="Download a document",
    content_type=BINARY,
    etag=True,
)
def get_document(call: Call) -> Answer:
    """As a file to be saved, never to be shown by the browser."""
    found = call.ports.registry.get_document(organisation_id=call.params["id"], document_id=call.params["document_id"])
    store = store_of(call.ports.settings, Space.DOCUMENTS)
    return Answer(
        Download(lambda: store.open(found["sha256"]), found["sha256"], found["size"]),
        headers=saved_as(found["file_name"]),
    )


@TABLE.route(
    "DELETE",
    "/organisations/{id}/documents/{document_id}",
    tag="Expertise",
    summary="Remove a document",
    status=204,
    roles=OWNERS,
)
def remove_document(call: Call) -> Answer:
    """Its content is thrown away; that it was there, and which office removed it, stays on record."""
    call.ports.registry.remove_document(
        actor=call.who,
        organisation_id=call.params["id"],
        document_id=call.params["document_id"],
        key=call.key,
    )
    return Answer()
