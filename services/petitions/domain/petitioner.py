"""Who petitions, and what the law wants to know of them (3071/4; for bodies by analogy with 4982/6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from services.kernel.text import Label, Sentence
from services.kernel.turkish import words

TYPES = (
    "citizen", "organisation", "public_body", "local_government", "mukhtar", "school", "company",
    "neighbourhood_assembly", "citizen_assembly", "other",
)  # fmt: skip
"""Kinds of stakeholders."""

PERSONS = ("citizen",)
MANDATED = ("organisation", "company")
"""Bodies of private law, whose signatory shows a document of authority."""

ACCOUNT = "account"
SIGNATURES = ("handwritten", "e_signature", ACCOUNT)

HANDWRITTEN = SIGNATURES[0]

NAME, TITLE, ADDRESS, SIGNATURE = "name", "title", "address", "signature"
AUTHORISED_PERSON, MANDATE = "authorised_person", "mandate"
_CLAIMED = Sentence(
    "A signature is stated but not yet verified: attach the signed paper or file, show it at the counter, or sign in. "
    "Until then your petition is dealt with all the same."
)
ELEMENTS = (NAME, TITLE, ADDRESS, SIGNATURE, AUTHORISED_PERSON, MANDATE, "subject", "other")
"""What may be missing; `subject` and `other` only a clerk can say."""

ELEMENT_LABELS = {
    NAME: Label("ad soyad", "name and surname"),
    TITLE: Label("unvan", "title"),
    ADDRESS: Label("adres", "address"),
    SIGNATURE: Label("imza", "signature"),
    AUTHORISED_PERSON: Label("yetkili", "authorised person"),
    MANDATE: Label("yetki belgesi", "document of authority"),
}

_MESSAGES = {
    NAME: (Sentence("Your name and surname are missing."), "3071/4"),
    TITLE: (Sentence("The name of your organisation is missing."), "4982/6"),
    ADDRESS: (Sentence("A home or work address is missing."), "3071/4"),
    SIGNATURE: (Sentence("A signature is missing: sign by hand, by e-signature, or sign in."), "3071/4"),
    AUTHORISED_PERSON: (Sentence("Say who is authorised to sign for your organisation."), "4982/6"),
    MANDATE: (Sentence("Name the document that authorises the signatory."), "4982/6"),
}


@dataclass(frozen=True)
class Petitioner:
    """The petitioner; persons' data that go into no event and no list.

    `signature`: how it is signed, None where it is not. `signature_seen`: somebody has seen it, since it came on
    paper or in a file, or the registry confirmed it; until then a signature other than by account is only stated.
    `vouched`: sent by the organisation's signed-in
    representative, whose authority was shown when the account was opened. Erasure empties all but `type` and the organisation.
    """

    type: str
    name: str | None = None
    address: str | None = None
    email: str | None = None
    authorised_person: str | None = None
    mandate: str | None = None
    signature: str | None = None
    signature_seen: bool = False
    organisation_id: str | None = None
    organisation_name: str | None = None
    vouched: bool = False

    @property
    def is_person(self) -> bool:
        """A natural person, not a body."""
        return self.type in PERSONS

    def missing(self) -> list[dict[str, Any]]:
        """The elements the law asks for that are not there, each with a sentence and its article."""
        return [
            {"element": element, "message": self._message(element).to_plain(), "article": _MESSAGES[element][1]}
            for element in self._wanted()
            if not self._has(element)
        ]

    def _message(self, element: str) -> Sentence:
        return _CLAIMED if element == SIGNATURE and self.signature else _MESSAGES[element][0]

    def _wanted(self) -> tuple[str, ...]:
        if self.is_person:
            return NAME, ADDRESS, SIGNATURE
        if self.vouched:
            return TITLE, ADDRESS, SIGNATURE
        more = (AUTHORISED_PERSON, MANDATE) if self.type in MANDATED else (AUTHORISED_PERSON,)
        return TITLE, ADDRESS, SIGNATURE, *more

    def _has(self, element: str) -> bool:
        if element == TITLE:
            return bool(self.name or self.organisation_name)
        if element == SIGNATURE:
            return self.signature == ACCOUNT or (bool(self.signature) and (self.signature_seen or self.vouched))
        return bool(getattr(self, element))

    def with_signature_seen(self) -> Petitioner:
        """The petitioner whose signature somebody has seen."""
        return replace(self, signature=self.signature or HANDWRITTEN, signature_seen=True)

    def with_more(self, supplied: Mapping[str, Any]) -> Petitioner:
        """The petitioner with what was supplied later; other names are passed over."""
        fixed = {"type", "organisation_id", "organisation_name", "vouched", "signature_seen"}
        known = {each.name for each in fields(self)} - fixed
        seen = self.signature_seen and not supplied.get(SIGNATURE)
        more = {name: value for name, value in supplied.items() if name in known and value}
        return replace(self, **more, signature_seen=seen)

    def is_same_as(self, other: Petitioner) -> bool:
        """Whether both are surely the same: one organisation, or one name with one e-mail or address.

        Letters' case, Turkish marks and signs do not matter. Nothing is guessed where there is only a name.
        """
        if self.organisation_id or other.organisation_id:
            return self.organisation_id == other.organisation_id
        if not _alike(self.name, other.name):
            return False
        return _alike(self.email, other.email) or _alike(self.address, other.address)


def _alike(one: str | None, two: str | None) -> bool:
    return bool(one and two) and words(one or "") == words(two or "")
