"""Data about persons that a petition does not need (6698/4, 6)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban
from stdnum.tr import tckimlik

from services.kernel.text import Sentence
from services.petitions.domain.advice import reason
from services.petitions.domain.advice.folded import Folded
from services.petitions.domain.advice.suggestion import MOST_OF_A_CODE, Suggestion

_IDENTITY = re.compile(r"(?<![0-9])[1-9][0-9]{10}(?![0-9])")
_ACCOUNT = re.compile(r"(?<![^\W_])tr ?[0-9]{2}(?: ?[0-9]{4}){5} ?[0-9]{2}(?![0-9])")
_MOBILE = re.compile(r"(?<![0-9])(?:\+?90[ -]?)?\(?0?5[0-9]{2}\)?[ -]?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}(?![0-9])")
_OWN = re.compile(
    r"(?<![^\W_])(?:tel|telefon|telefonum\w{0,8}|telefonumuz\w{0,8}|gsm|irtibat\w{0,8}|iletisim\w{0,8}|cep|"
    r"numaram\w{0,8}|numaramiz\w{0,8}|bana|bize|tarafima|dernegimiz\w{0,6})(?![^\W_])"
)
_OTHER = (
    r"(?:komsum|komsumuz|kiracim|kiraciniz|ev sahibim|kayinvalidem|(?:alt|ust|yan) (?:komsu|kat|daire)|"
    r"muhtarimiz|yoneticimiz|"
    r"(?:oglu|kizi|esi|babasi|annesi|kardesi)(?:n[iu]n)?(?![^\W_])|dukkan sahibi|isletmeci)"
)  # fmt: skip
_SOMEBODY = re.compile(rf"(?<![^\W_]){_OTHER}(?!l[ae]r)")
_HEALTH = re.compile(
    r"(?<![^\W_])(?:sizofren|psikolojik (?:sorun|rahatsiz|tedavi)|psikiyatri|akil hasta|ruh hasta|kanser|"
    r"alkolik|bagimli|uyusturucu|hiv|aids|depresyon|"
    r"epilepsi|sara hasta|demans|alzheimer|bipolar|engelli rapor|hasta oldu|hastalig|hastadir)\w{0,8}"
)  # fmt: skip
_AROUND = 60


def found(text: Folded, part: str) -> Iterator[Suggestion]:
    """Identity and account numbers that are ones, numbers of others, and the health of others."""
    yield from _numbers(text, part)
    told = 0
    for sentence in text.sentences():
        hit = _HEALTH.search(sentence.key)
        if hit is None or not _SOMEBODY.search(sentence.key):
            continue
        told += 1
        if told > MOST_OF_A_CODE:
            return
        instead = Sentence("Say what happens, and leave out what somebody suffers from.")
        span = (sentence.start + hit.start(), sentence.start + hit.end())
        yield _of(text, part, "health_of_others", span, instead, reason.OTHERS_HEALTH)


def _numbers(text: Folded, part: str) -> Iterator[Suggestion]:
    leave = Sentence("Leave the number out.")
    ways = (
        ("identity_number", _IDENTITY, lambda said, _: tckimlik.is_valid(said), reason.IDENTITY_NUMBER),
        ("account_number", _ACCOUNT, lambda said, _: iban.is_valid(said), reason.ACCOUNT_NUMBER),
        ("phone_of_others", _MOBILE, lambda _, at: _is_others(text, at), reason.OTHERS_PHONE),
    )
    for code, pattern, holds, why in ways:
        told = 0
        for hit in pattern.finditer(text.key):
            if told < MOST_OF_A_CODE and holds(hit[0], hit.start()):
                told += 1
                yield _of(text, part, code, hit.span(), leave, why)


def _is_others(text: Folded, at: int) -> bool:
    """Whether somebody else is named just before the number, and the writer's own contact is not."""
    before = text.key[max(0, at - _AROUND) : at]
    return _SOMEBODY.search(before) is not None and _OWN.search(before.rpartition("\n")[2]) is None


def _of(text: Folded, part: str, code: str, span: tuple[int, int], instead: Sentence, why: Sentence) -> Suggestion:
    start, end = text.span(*span)
    return Suggestion(code, part, start, end, text.text[start:end], instead, why)
