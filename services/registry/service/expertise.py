"""What organisations offer, and the documents that show it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from services.contracts.expertise import ExpertiseSearch, NewExpertise, SentDocument
from services.kernel.actor import Actor
from services.registry.adapters.expertise import DocumentFiles, Offering, OfferRows
from services.registry.adapters.repository import OrganisationRows
from services.registry.application import expertise
from services.registry.application.expertise import Sent
from services.registry.application.record import Work
from services.registry.domain.expertise import AREAS, TAGS, Document, Offer
from services.registry.service.desk import Desk, Plain, page_of, province_of
from services.runtime.blob import Space, Store, is_sum, store_of
from services.runtime.contents import clear_removed, clear_unknown
from services.runtime.entrypoints import every, rpc
from services.runtime.schema import load


class ExpertiseDesk(Desk):
    """Questions and commands about expertise."""

    @rpc
    def expertise_tags(self) -> Plain:
        """The list of tags, by area."""
        return {
            "items": [
                {
                    "code": tag.code,
                    "label": tag.label.to_plain(),
                    "area": str(tag.area),
                    "area_label": AREAS[tag.area].to_plain(),
                }
                for tag in TAGS.values()
            ]
        }

    @rpc
    def find_expertise(self, actor: Plain | None = None, **wanted: Any) -> Plain:  # noqa: ARG002 - open to all offices
        """A page of what is offered today, by the name of the organisation."""
        asked = load(ExpertiseSearch(), wanted)
        today, page, size = self.time.today(), asked["page"], asked["size"]
        with self.database.read() as connection:
            found, total = OfferRows(connection).find(
                tag=asked["tag"],
                query=asked["query"],
                province_code=province_of(asked["province"]),
                today=today,
                page=page,
                size=size,
            )
        return page_of([self._listed(each) for each in found], page, size, total)

    @rpc
    def get_expertise(self, organisation_id: str) -> Plain:
        """What an organisation offers. Raises NotFound."""
        with self.database.read() as connection:
            organisation = OrganisationRows(connection).get(organisation_id)
            return self._shown(expertise.offered(OfferRows(connection), organisation.id))

    @rpc
    def change_expertise(
        self, actor: Plain, organisation_id: str, offer: Plain, key: str, expected_version: int | None = None
    ) -> Plain:
        """See `expertise.change_expertise`."""
        given = load(NewExpertise(), offer)

        def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
            offers = OfferRows(connection)
            return self._shown(
                expertise.change_expertise(work, offers, acting, organisation_id, given, expected_version)
            )

        request = {"organisation_id": organisation_id, "offer": offer, "expected_version": expected_version}
        return self.once_within(actor, key, "change_expertise", request, effect)

    # documents

    @rpc
    def list_documents(self, organisation_id: str, page: int = 1, size: int = 50) -> Plain:
        """One page of an organisation's documents, the newest first. Raises NotFound."""
        with self.database.read() as connection:
            organisation = OrganisationRows(connection).get(organisation_id)
            found, total = OfferRows(connection).page_of_documents(organisation.id, page, size)
        return page_of([_document_shown(each) for each in found], page, size, total)

    @rpc
    def get_document(self, organisation_id: str, document_id: str) -> Plain:
        """One document without its content, which is in the store under `sha256`. Raises NotFound."""
        with self.database.read() as connection:
            return _document_shown(OfferRows(connection).document(organisation_id, document_id))

    @rpc
    def add_document(self, actor: Plain, organisation_id: str, document: Plain, key: str) -> Plain:
        """See `expertise.add_document`; its content was put into the store before, and goes again when it is refused."""
        store = self._store()
        try:
            sent = Sent(**load(SentDocument(), document))

            def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
                offers, files = OfferRows(connection), DocumentFiles(connection, store)
                return _document_shown(expertise.add_document(work, offers, files, acting, organisation_id, sent))

            request = {"organisation_id": organisation_id, "document": document}
            return self.once_within(actor, key, "add_document", request, effect)
        finally:
            if is_sum(document.get("sha256")):
                with self.database.write() as connection:
                    DocumentFiles(connection, store).let_go(document["sha256"])

    @rpc
    def remove_document(self, actor: Plain, organisation_id: str, document_id: str, key: str) -> Plain:
        """See `expertise.remove_document`; the answer is its id alone, since answers are remembered for days."""

        def effect(connection: Connection, work: Work, acting: Actor) -> Plain:
            removed = expertise.remove_document(work, OfferRows(connection), acting, organisation_id, document_id)
            return {"id": removed.id}

        request = {"organisation_id": organisation_id, "document_id": document_id}
        return self.once_within(actor, key, "remove_document", request, effect)

    @every("housekeeping_interval")
    def clear_removed_documents(self) -> None:
        """Throw away the contents of documents that were removed."""
        clear_removed(self.database, self._store(), DocumentFiles, self.time.now())

    @every("housekeeping_interval")
    def clear_unknown_documents(self) -> None:
        """Throw away contents that came in more than a day ago and that no document has: nobody registered them."""
        clear_unknown(self.database, self._store(), DocumentFiles, self.time.now())

    def _store(self) -> Store:
        return store_of(self.settings, Space.DOCUMENTS)

    def _shown(self, offer: Offer) -> Plain:
        return {
            "organisation_id": offer.organisation_id,
            "version": offer.version,
            "tags": list(offer.tags),
            "text": offer.text,
            "provinces": list(offer.provinces),
            "valid_until": offer.valid_until and offer.valid_until.isoformat(),
            "holds": offer.holds(self.time.today()),
            "changed_at": offer.changed_at and offer.changed_at.isoformat(),
            "changed_by": offer.changed_by,
        }

    def _listed(self, offering: Offering) -> Plain:
        organisation = {name: value for name, value in offering.organisation.items() if name != "id"}
        return {**self._shown(offering.offer), **organisation, "documents": offering.documents}


def _document_shown(document: Document) -> Plain:
    return {**vars(document), "added_at": document.added_at.isoformat()}
