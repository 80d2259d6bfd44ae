"""The files of petitions, for the petitioner and the municipality."""

from __future__ import annotations

from services.gateway.download import saved_as
from services.gateway.http import BASE, Answer, Call, Download, Table
from services.gateway.rate import Rate
from services.gateway.schemas import attachments as s
from services.runtime.blob import Space, store_of

TABLE = Table()
_FORM_AROUND = 64 * 1024
"""Bytes of a form besides its file."""
_AN_HOUR = 3600
_UPLOADS = Rate(lambda settings: 2 * settings.attachments_each, _AN_HOUR)
_WHO = (
    "By the offices of the municipality that handle the petition, or by the petitioner: signed in for the organisation, \
or with Imece-Petition-Key."
)


@TABLE.route(
    "POST",
    "/petitions/{id}/attachments",
    tag="Petitions",
    summary="Add a file to a petition",
    description=_WHO,
    body=s.AttachmentForm,
    upload=lambda settings: settings.largest_attachment + _FORM_AROUND,
    answer=s.AttachmentSchema,
    status=201,
    access="anyone",
    rate=_UPLOADS,
)
def add_attachment(call: Call) -> Answer:
    """The file as it is kept; what the same office sends again is kept once."""
    petitions, petition_id, file = call.ports.petitions, call.params["id"], call.body["file"]
    come = {"actor": call.anyone, "petition_id": petition_id, "petition_key": call.petition_key}
    petitions.may_attach(**come, kind=call.body["kind"])
    kept = store_of(call.ports.settings, Space.PETITIONS).put(file.stream, call.ports.settings.largest_attachment)
    made = petitions.add_attachment(
        **come,
        attachment={
            "kind": call.body["kind"],
            "title": call.body.get("title"),
            "file_name": file.name,
            "size": kept.size,
            "sha256": kept.sha256,
        },
        key=call.key,
    )
    return Answer(made, location=f"{BASE}/petitions/{petition_id}/attachments/{made['id']}")


@TABLE.route(
    "GET",
    "/petitions/{id}/attachments",
    tag="Petitions",
    summary="The files of a petition",
    description=_WHO,
    answer=s.AttachmentsSchema,
    access="anyone",
)
def list_attachments(call: Call) -> Answer:
    """In the order in which they were added."""
    found = call.ports.petitions.list_attachments(
        actor=call.anyone, petition_id=call.params["id"], petition_key=call.petition_key
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/petitions/{id}/attachments/{attachment_id}",
    tag="Petitions",
    summary="Download a file of a petition",
    description=_WHO,
    content_type="*/*",
    access="anyone",
    etag=True,
)
def get_attachment(call: Call) -> Answer:
    """As a file to be saved, of the type that its content has, never to be shown by the browser."""
    found = call.ports.petitions.get_attachment(
        actor=call.anyone,
        petition_id=call.params["id"],
        attachment_id=call.params["attachment_id"],
        petition_key=call.petition_key,
    )
    store = store_of(call.ports.settings, Space.PETITIONS)
    file = Download(lambda: store.open(found["sha256"]), found["sha256"], found["size"], media_type=found["media_type"])
    return Answer(file, headers=saved_as(found["file_name"]))


@TABLE.route(
    "DELETE",
    "/petitions/{id}/attachments/{attachment_id}",
    tag="Petitions",
    summary="Remove a file of a petition",
    description="By whoever added it, while the petition is not registered.",
    status=204,
    access="anyone",
)
def remove_attachment(call: Call) -> Answer:
    """Its content is thrown away; that it was there, and which office removed it, stays on record."""
    call.ports.petitions.remove_attachment(
        actor=call.anyone,
        petition_id=call.params["id"],
        attachment_id=call.params["attachment_id"],
        petition_key=call.petition_key,
        key=call.key,
    )
    return Answer()
