"""The register of expertise: organisations say what they offer, municipalities find it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.kernel.actor import Actor
from services.kernel.errors import Forbidden, Invalid, Refused, Unavailable
from services.kernel.text import Sentence
from services.registry.application.record import Work, save, whole_delegation
from services.registry.domain.expertise import LARGEST_DOCUMENT, MOST_DOCUMENTS, Document, Offer, document_title
from services.registry.domain.vocabulary import State


class Offers(Protocol):
    """Where offers and documents are kept."""

    def get(self, organisation_id: str, *, to_change: bool = False) -> Offer | None:
        """What the organisation offers, held for the transaction if it is to be changed."""

    def save(self, offer: Offer) -> None:
        """Keep a new version of it, and the old one in its history."""

    def document(self, organisation_id: str, document_id: str, *, to_change: bool = False) -> Document:
        """One document of the organisation, held if it is to be removed. Raises NotFound."""

    def documents(self, organisation_id: str) -> Sequence[Document]:
        """Its documents, the newest first."""

    def add_document(self, document: Document) -> None:
        """Keep it."""

    def remove_document(self, document: Document, *, now: datetime, by: str) -> None:
        """Take it away; who did it and when is kept, the document is not."""


class Files(Protocol):
    """The contents of documents."""

    def hold(self, sha256: str) -> bool:
        """Whether the content is kept; until the transaction ends nobody throws it away."""

    def kind(self, sha256: str) -> str | None:
        """The media type by what is in the file; None when it is none that we take."""


@dataclass(frozen=True)
class Sent:
    """A file as it arrived; its content is kept under its SHA-256 already."""

    title: str
    file_name: str
    size: int
    sha256: str


def change_expertise(
    work: Work, offers: Offers, actor: Actor, organisation_id: str, given: Mapping[str, Any], expected: int | None
) -> Offer:
    """Record what the organisation offers. Raises Forbidden, NotFound, Invalid, Conflict, Refused."""
    _own_or_registrar(actor, organisation_id)
    # Held, so that two first offers of one organisation cannot pass each other.
    organisation = work.organisations.get(organisation_id, to_change=True)
    if organisation.facts.state is State.DISSOLVED and (given["tags"] or given["text"]):
        raise Refused(Sentence("This organisation is dissolved; it can offer nothing any more."))
    offer = offers.get(organisation.id, to_change=True) or Offer(str(uuid.uuid4()), organisation.id)
    changed = offer.change(given, expected, today=work.today, now=work.now, by=actor.office)
    if changed is None:
        return offer
    offer, event = changed
    offers.save(offer)
    work.announce(event, actor=actor, now=work.now)
    shown = organisation.offer(offer.tags, work.today)
    if shown is not None:
        # The organisation's own answer shows the tags, so it is another version of that.
        save(work, actor, organisation, shown)
    return offer


def add_document(work: Work, offers: Offers, files: Files, actor: Actor, organisation_id: str, sent: Sent) -> Document:
    """Keep a document of the organisation. Raises Forbidden, NotFound, Invalid, Refused, Unavailable."""
    _own_or_registrar(actor, organisation_id)
    title = document_title(sent.title)
    if sent.size > LARGEST_DOCUMENT:
        raise Invalid.field("file", Sentence("The file is larger than {most} bytes.", most=LARGEST_DOCUMENT))
    organisation = work.organisations.get(organisation_id, to_change=True)
    if not files.hold(sent.sha256):
        raise Unavailable(Sentence("The file is not there any more. Send it again."))
    media_type = files.kind(sent.sha256)
    if media_type is None:
        raise Invalid.field(
            "file", Sentence("Send a PDF, DOCX or ODT document without macros, or a PNG or JPEG picture.")
        )
    if len(offers.documents(organisation.id)) >= MOST_DOCUMENTS:
        raise Refused(Sentence("At most {most} documents are kept; remove one first.", most=MOST_DOCUMENTS))
    document = Document(
        id=str(uuid.uuid4()),
        organisation_id=organisation.id,
        title=title,
        file_name=sent.file_name,
        media_type=media_type,
        size=sent.size,
        sha256=sent.sha256,
        added_at=work.now,
        added_by=actor.office,
    )
    offers.add_document(document)
    return document


def remove_document(work: Work, offers: Offers, actor: Actor, organisation_id: str, document_id: str) -> Document:
    """Take a document away. Raises Forbidden, NotFound."""
    _own_or_registrar(actor, organisation_id)
    document = offers.document(organisation_id, document_id, to_change=True)
    offers.remove_document(document, now=work.now, by=actor.office)
    return document


def offered(offers: Offers, organisation_id: str) -> Offer:
    """What the organisation offers; an empty offer of version 0 where it never said."""
    return offers.get(organisation_id) or Offer(organisation_id, organisation_id)


def _own_or_registrar(actor: Actor, organisation_id: str) -> None:
    own = actor.role == "organisation_representative" and actor.organisation_id == organisation_id
    if not own and actor.role != "registrar":
        raise Forbidden(Sentence("Only the organisation's own representative and the registrar may change this."))
    whole_delegation(actor)
