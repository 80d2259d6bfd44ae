"""Petitions on paper: what was submitted, and the receipt that the counter hands out."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from services.contracts.writing import FORMATS
from services.kernel.actor import Actor
from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.petitions.adapters.paper import MEDIA_TYPES, Paper, Receipt
from services.petitions.adapters.paper.docx import petition_docx
from services.petitions.adapters.paper.pdf import petition_pdf, receipt_pdf
from services.petitions.application.case import seen
from services.petitions.application.showing import KIND_LABELS
from services.petitions.domain.case import PetitionCase
from services.petitions.service.case import CaseDesk
from services.runtime.entrypoints import rpc

Plain = dict[str, Any]

_ANSWERS = ("PETITION_ANSWER", "INFO_ACCESS")


class PaperDesk(CaseDesk):
    """Files made of a petition, in base64, for those who may see it."""

    @rpc
    def receipt_of(self, actor: Plain, petition_id: str, petition_key: str | None = None) -> Plain:
        """Number, date, tracking code and where its way can be followed, on one page. Raises NotFound."""
        case = self._seen(actor, petition_id, petition_key)
        answer = next((clock for clock in case.clocks if clock.kind in _ANSWERS and clock.due_on), None)
        receipt = Receipt(
            number=case.reference,
            filed_on=case.received_on,
            municipality=case.municipality.name,
            tracking_code=case.tracking_code,
            link=f"{self.settings.public_url.rstrip('/')}/tracking/{case.tracking_code}",
            kind=KIND_LABELS[case.kind].tr,
            due_on=answer.due_on if answer else None,
        )
        return _file(receipt_pdf(receipt), "pdf", "alindi-belgesi", case)

    @rpc
    def paper_of(self, actor: Plain, petition_id: str, petition_key: str | None = None, form: str = "pdf") -> Plain:
        """The petition as it stands now. Raises NotFound, Invalid."""
        if form not in FORMATS:
            raise Invalid.field("format", Sentence("Choose one of: {choices}.", choices=", ".join(FORMATS)))
        case = self._seen(actor, petition_id, petition_key)
        who = case.petitioner
        paper = Paper(
            municipality=case.municipality.name,
            subject=case.subject,
            body=case.body,
            petitioner_type=who.type,
            name=who.name or "",
            address=who.address or "",
            authorised_person=who.authorised_person or "",
            number=case.reference,
            dated_on=case.filed_on,
        )
        return _file(petition_pdf(paper) if form == "pdf" else petition_docx(paper), form, "dilekce", case)

    def _seen(self, actor: Plain, petition_id: str, petition_key: str | None) -> PetitionCase:
        with self.case_context().read() as store:
            return seen(store, petition_id, Actor.from_plain(actor), petition_key)[0]


def _file(content: bytes, form: str, name: str, case: PetitionCase) -> Plain:
    called = f"{name}-{case.reference.replace('/', '-')}.{form}"
    return {"content": b64encode(content).decode(), "media_type": MEDIA_TYPES[form], "file_name": called}
