"""What a petition should hold and does not (3071/4; for organisations 4982/6 by analogy)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from services.kernel.text import Sentence
from services.petitions.domain.advice import reason, topic
from services.petitions.domain.advice.folded import Folded
from services.petitions.domain.advice.suggestion import BODY, Suggestion
from services.petitions.domain.advice.voice import Rank, Voice

_HEAD = 1_000
_FOOT = 2_000
_FEW_WORDS = 6
_WORD = re.compile(r"[^\W\d_]{2,}")
_OFFICES = (
    r"(?:(?:baskanligi|mudurlugu|makami|belediyesi|amirligi|valiligi|kaymakamligi|meclisi|baskani|encumeni|sefligi|"
    r"bakanligi|rektorlugu|sekreterligi|konseyi|birligi|dernegi|vakfi|muhtarligi|okulu)'?n[ae]|makama|yerlerine)"
)
_ADDRESSEE = re.compile(
    rf"(?:^|\n)(?P<line>[^\n]{{0,150}}{_OFFICES}(?=[ \t,:.]{{0,4}}(?:\n|\Z))[,:.]?|"
    r"[ \t]{0,8}sayin [^\n,.]{1,60}(?:,|(?=[ \t]{0,3}(?:\n|\Z))))|"
    rf"\A(?P<start>[ \t\n]{{0,8}}[^\n,.]{{0,80}}{_OFFICES}[,:])"
)
"""On a line of its own; at the very beginning the text may go on after it."""
_CLOSED = re.compile(
    r"arz\s{1,3}(?:ed|ve|ol)|saygi(?:lar|yla)|saygi(?:si)?\s{1,3}(?:ile|sun)|takdirlerinize|bilgilerinize|"
    r"bilgilerinizi|rica\s{1,3}(?:ed|et|ol)|rica(?:mdir|mizdir)|talep\s{1,3}ed|"
    r"istiyoru[mz]|diler[iu]m|dileri[mz]|iyi dileklerim|geregi(?:ni)?|tesekkur|sevgiler|selamlar"
)  # fmt: skip
SIGNED = re.compile(
    r"(?:^|\n)[ \t]{0,40}(?:tarih|ad(?:i)?,? ?(?:ve )?soyad(?:i)?|unvan(?:i)?|imza|yetkili|"
    r"adres(?:i)?)\s{0,3}(?::|\n|\Z)"
)
_NAMED = re.compile(r"ad(?:i)?,? ?(?:ve )?soyad|unvan")
_ADDRESSED = re.compile(r"(?<![^\W_])adres")
_MANDATED = re.compile(r"yetki belgesi|imza sirku|yonetim kurulu karar|karar ornegi|vekaletname|yetki yazisi")

Elements = Mapping[str, Any]
"""What is known of the petitioner besides the text: name, address, authorised_person, mandate,
signature, date, organisation_id, attachments. Name and address are looked for; the others only where their key is given."""


def addressee(text: Folded) -> tuple[int, int] | None:
    """Where in the key the line is that names the authority, or None."""
    hit = _ADDRESSEE.search(text.key, 0, _HEAD)
    if hit is None:
        return None
    return hit.span("line") if hit["line"] is not None else hit.span("start")


def missing(
    text: Folded, subject: Folded, kind: str | None, voice: Voice, petitioner: Elements | None, *, greeted: bool
) -> Iterator[Suggestion]:
    """What is missing; of the petitioner only where something is known of them."""
    if addressee(text) is None and not greeted:
        yield _at(text, "salutation_missing", 0, "… BELEDİYE BAŞKANLIĞINA", reason.SALUTATION, mends=True)
    if not _is_definite(text, subject, kind, voice):
        instead = Sentence("Say in one sentence what you ask for.")
        yield _at(text, "no_definite_subject", 0, instead, reason.NO_SUBJECT)
    end = len(text.text)
    if _CLOSED.search(text.key, max(0, len(text.key) - _FOOT)) is None:
        yield _at(text, "closing_missing", end, closing(kind, voice), reason.CLOSING, mends=True)
    if petitioner is not None and voice.rank is not Rank.UNKNOWN:
        yield from _of_petitioner(text, voice, petitioner)


def closing(kind: str | None, voice: Voice) -> str:
    """The sentence that a petition of this kind ends with."""
    verb = voice.closing()
    return {
        topic.OPINION: f"Görüşlerimi{'zi' if voice.plural else ''} bilgilerinize {verb}.",
        topic.INFORMATION_REQUEST: f"Bilgi ve belgelerin verilmesini {verb}.",
    }.get(kind or "", f"Gereğini {verb}.")


def _is_definite(text: Folded, subject: Folded, kind: str | None, voice: Voice) -> bool:
    said = len(_WORD.findall(text.key, 0, _HEAD)) + len(_WORD.findall(subject.key, 0, _HEAD))
    if said < _FEW_WORDS:
        return False
    if kind == topic.OPINION or voice.rank in (Rank.ABOVE, Rank.UNKNOWN):
        return True
    if kind == topic.INFORMATION_REQUEST and ("?" in text.key or "bilgi" in text.key):
        return True
    return topic.asks(text) or topic.asks(subject)


def _of_petitioner(text: Folded, voice: Voice, petitioner: Elements) -> Iterator[Suggestion]:
    end = len(text.text)
    known = bool(petitioner.get("organisation_id"))
    if not (petitioner.get("name") or known or _NAMED.search(text.key)):
        if voice.organisation:
            yield _at(text, "title_missing", end, "[kuruluşun unvanı]", reason.TITLE)
        else:
            yield _at(text, "name_missing", end, "[ad soyad]", reason.NAME)
    if not (petitioner.get("address") or known or _ADDRESSED.search(text.key)):
        yield _at(text, "address_missing", end, "[adres]", reason.ADDRESS)
    if "signature" in petitioner and not petitioner["signature"] and "imza" not in text.key:
        yield _at(text, "signature_missing", end, "[imza]", reason.SIGNATURE)
    if "date" in petitioner and not petitioner["date"] and "tarih" not in text.key:
        yield _at(text, "date_missing", end, "[gg.aa.yyyy]", reason.DATE)
    if not voice.organisation or voice.rank is not Rank.PRIVATE or known:
        return
    if "authorised_person" in petitioner and not petitioner["authorised_person"] and "yetkili" not in text.key:
        yield _at(text, "authorised_person_missing", end, "[yetkilinin görevi, ad soyad]", reason.REPRESENTATIVE)
    given = petitioner.get("mandate", True)
    if not given and not _MANDATED.search(text.key):
        instead = "Ek: Yetki belgesi (yönetim kurulu kararı veya imza sirküleri)"
        yield _at(text, "mandate_missing", end, instead, reason.AUTHORITY_DOCUMENT)


def _at(text: Folded, code: str, at: int, suggest: str | Sentence, why: Sentence, *, mends: bool = False) -> Suggestion:
    place = min(at, len(text.text))
    return Suggestion(code, BODY, place, place, "", suggest, why, mends)
