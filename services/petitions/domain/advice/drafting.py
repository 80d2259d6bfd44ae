"""The petition in its correct form; the petitioner's own words stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.petitions.domain.advice import element
from services.petitions.domain.advice.folded import folded
from services.petitions.domain.advice.suggestion import BODY, SUBJECT, Suggestion
from services.petitions.domain.advice.voice import Rank, Voice

_UPPER = str.maketrans({"i": "İ", "ı": "I"})


def capital(text: str) -> str:
    """The text in Turkish capitals."""
    return text.translate(_UPPER).upper()


def draft(
    subject: str,
    body: str,
    suggestions: Iterable[Suggestion],
    kind: str | None,
    voice: Voice,
    petitioner: Mapping[str, Any],
    municipality: str,
) -> str:
    """Addressee, subject, body with its closings mended, and the block for date, name, address and signature.

    What the body holds already is not put there again. What nobody gave stands in square brackets.
    """
    found = list(suggestions)
    said = " ".join(mended(subject, SUBJECT, found).split())
    text = mended(body, BODY, found).strip()
    if any(each.code == "informal_greeting" for each in found):
        text = capital(text[:1]) + text[1:]
    letter = parts_of(text)
    parts = [letter.head or heading(municipality)]
    if said and not letter.titled:
        parts.append(f"Konu: {said}")
    parts.append(letter.text)
    if any(each.code == "closing_missing" for each in found):
        parts.append(element.closing(kind, voice))
    parts.append(letter.foot or _block(voice, petitioner))
    return "\n\n".join(part for part in parts if part.strip())


def mended(text: str, part: str, suggestions: Iterable[Suggestion]) -> str:
    """The text with the wording that a draft replaces, first come first served where two overlap."""
    pieces, done = [], 0
    for each in sorted(
        (s for s in suggestions if s.mends and s.part == part and s.found), key=lambda s: (s.start, -s.end)
    ):
        if each.start < done:
            continue
        new = "" if each.code == "informal_greeting" else str(each.suggest)
        pieces += [text[done : each.start], capital(new[:1]) + new[1:] if _begins(each.found) else new]
        done = each.end
    return "".join([*pieces, text[done:]])


def _begins(found: str) -> bool:
    return found[:1].isupper()


def _labels(text: str) -> set[str]:
    return {line.key.partition(":")[0].strip() for line in folded(text[:1_000]).lines_of_key() if ":" in line.key}


_OF_A_NAME = (" BELEDİYE BAŞKANLIĞINA", " BELEDİYE BAŞKANLIĞI", " BELEDİYESİ")


def heading(municipality: str) -> str:
    """The line that names the authority, of "Şişli" and of "Şişli Belediyesi", as the registry calls it, alike."""
    name = capital(" ".join(municipality.split()))
    for ending in _OF_A_NAME:
        name = name.removesuffix(ending)
    return f"{name or '…'} BELEDİYE BAŞKANLIĞINA"


@dataclass(frozen=True)
class Letter:
    """A text taken apart: the lines down to the addressee, the text itself, the block of its signature.

    Head and foot are empty where the text has none; `titled`: it has a subject line of its own.
    """

    head: str
    text: str
    foot: str
    titled: bool


def parts_of(body: str) -> Letter:
    """The parts of a petition's text."""
    known = folded(body)
    place = element.addressee(known)
    end = known.span(*place)[1] if place else 0
    text, foot = _cut_block(body[end:].strip())
    return Letter(body[:end].strip(), text, foot, "konu" in _labels(body[:end]) | _labels(text))


def _cut_block(text: str) -> tuple[str, str]:
    """The text without the block of its signature, and the block, empty where there is none."""
    known = folded(text)
    hit = element.SIGNED.search(known.key, max(0, len(known.key) - 1_000))
    if hit is None:
        return text.strip(), ""
    at = known.place(hit.start())
    return text[:at].strip(), text[at:].strip()


def _block(voice: Voice, petitioner: Mapping[str, Any]) -> str:
    def given(name: str, otherwise: str) -> str:
        return " ".join(str(petitioner.get(name) or otherwise).split())

    lines = [f"Tarih: {given('date', '[gg.aa.yyyy]')}"]
    if voice.organisation:
        lines.append(f"Unvan: {given('name', '[kuruluşun unvanı]')}")
    else:
        lines.append(f"Ad soyad: {given('name', '[ad soyad]')}")
    lines.append(f"Adres: {given('address', '[adres]')}")
    if voice.organisation:
        lines.append(f"Yetkili: {given('authorised_person', '[görevi, ad soyad]')}")
    lines.append("İmza:")
    annexes = [" ".join(str(each).split()) for each in petitioner.get("attachments") or ()]
    if voice.organisation and voice.rank is Rank.PRIVATE:
        annexes.append("Yetki belgesi (yönetim kurulu kararı veya imza sirküleri)")
    if annexes:
        lines += ["", "Ekler:", *(f"{number}. {each}" for number, each in enumerate(annexes, 1))]
    return "\n".join(lines)
