"""Writing help for petitions: it advises and explains, and never blocks (Official Correspondence Regulation 31/7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.petitions.domain.advice import capitals, drafting, element, person, reason, topic, wording
from services.petitions.domain.advice.folded import folded
from services.petitions.domain.advice.suggestion import BODY, SUBJECT, Suggestion
from services.petitions.domain.advice.topic import KINDS
from services.petitions.domain.advice.voice import PETITIONER_TYPES, voice_of

__all__ = ["KINDS", "LONGEST_BODY", "LONGEST_SUBJECT", "PETITIONER_TYPES", "Advice", "Suggestion", "advise"]

LONGEST_SUBJECT = 200
LONGEST_BODY = 20_000
"""Characters that the interface takes; `advise` itself takes any text, in time that grows with its length."""


@dataclass(frozen=True)
class Advice:
    """`suggestions` in the order of the text, the subject's first; `draft` is the petition in correct form."""

    suggestions: tuple[Suggestion, ...]
    draft: str

    @property
    def codes(self) -> frozenset[str]:
        """What kinds of suggestions there are."""
        return frozenset(each.code for each in self.suggestions)

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {"suggestions": [each.to_plain() for each in self.suggestions], "draft": self.draft}


def advise(
    subject: str,
    body: str,
    petitioner_type: str,
    kind: str | None = None,
    petitioner: Mapping[str, Any] | None = None,
    municipality: str = "",
) -> Advice:
    """What could be written better, and a draft that does.

    `petitioner`: what is known besides the text, see `element.Elements`; where it is None nothing is said
    about name and address, because they may stand in fields of their own. `municipality` is the name
    for the draft's first line, such as "Şişli". Raises KeyError for a `petitioner_type` that is none.
    """
    title, text = folded(subject), folded(body)
    place = element.addressee(text)
    name = str((petitioner or {}).get("name") or "")
    voice = voice_of(petitioner_type, name, text.key[: place[0]][-400:] if place else "")
    found = [
        *wording.found(title, SUBJECT, voice),
        *person.found(title, SUBJECT),
        *wording.found(text, BODY, voice),
        *capitals.shouted(text),
        *person.found(text, BODY),
        *topic.several_subjects(text, kind),
        *topic.court_matters(text, kind),
        *topic.grants(text, petitioner_type),
        *topic.kind_of_request(text, kind),
        *topic.place(text, kind, voice),
    ]
    greeted = any(each.code == "informal_greeting" for each in found)
    found += element.missing(text, title, kind, voice, petitioner, greeted=greeted)
    if kind == "information_request":
        found = [replace(each, why=reason.OF_REQUESTS.get(each.why.template, each.why)) for each in found]
    found.sort(key=lambda each: (each.part != SUBJECT, each.start, each.end, each.code))
    return Advice(tuple(found), drafting.draft(subject, body, found, kind, voice, petitioner or {}, municipality))
