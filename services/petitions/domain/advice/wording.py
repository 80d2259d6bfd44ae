"""Wording that a reader in an office may take amiss: a table of what to find, by who writes.

Patterns are matched on folded text (`turkish.fold`): no capitals, no Turkish marks, ı and i alike. Every
repetition in them is bounded, so that no text makes them slow. A group `f` narrows what is shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.kernel.text import Sentence
from services.petitions.domain.advice import reason
from services.petitions.domain.advice.folded import Folded
from services.petitions.domain.advice.suggestion import BODY, MOST_OF_A_CODE, Suggestion
from services.petitions.domain.advice.voice import Rank, Voice

ANYONE = frozenset(Rank)
PRIVATE = frozenset({Rank.PRIVATE})
PUBLIC = frozenset({Rank.EQUAL, Rank.BELOW})
NOT_ABOVE = PRIVATE | PUBLIC

Instead = Callable[[Voice, str, str], "str | Sentence"]
"""(voice, folded wording found, folded text before it) → wording to put there, or what to do."""


@dataclass(frozen=True)
class Wording:
    """One row: what is found (`pattern`), by whom it is better not written, what instead, and why.

    `mends`: the draft puts the suggestion there. `within` narrows where it counts: "all", "start" or "end"
    of the text; `wishing`: only in a sentence that asks for something.
    """

    code: str
    pattern: re.Pattern[str]
    instead: Instead
    why: Sentence
    writers: frozenset[Rank] = ANYONE
    mends: bool = False
    within: str = "all"
    wishing: bool = False
    body_only: bool = False


_END_OF_LETTER = 300


def _words(pattern: str) -> re.Pattern[str]:
    """The pattern as whole words."""
    return re.compile(rf"(?<![^\W_])(?:{pattern})(?![^\W_])")


def _say(words: str | Sentence) -> Instead:
    return lambda _voice, _found, _before: words


_ACCUSATIVE = re.compile(r"[iu]\s{0,3}\Z")
_ASKED_THING = re.compile(r"m[ae](?:si|leri)ni\s{0,3}\Z|gereg(?:i|ini)\s{0,3}\Z")
_BARE_NOUN = re.compile(r"[bcdfghjklmnprstvyz]\s{0,3}\Z")
_FROM_SOMEONE = re.compile(r"[dt][ae]n\s{0,3}\Z")
_MANY = re.compile(r"[iu]z\b|miz")


def _arz(voice: Voice, found: str, before: str) -> str:
    """The verb arz ederim or ederiz, in a form that fits the words before: an act, a thing, or nothing."""
    plural = bool(_MANY.search(found))
    closing = voice.closing(plural=plural)
    many = closing.endswith("z")
    if _BARE_NOUN.search(before) and not _FROM_SOMEONE.search(before):
        return f"{'talebimizi' if many else 'talebimi'} {closing}"
    return closing


def _arz_for_demand(voice: Voice, found: str, before: str) -> str:
    if _ASKED_THING.search(before) or not _ACCUSATIVE.search(before):
        return _arz(voice, found, before)
    closing = voice.closing(plural=bool(_MANY.search(found)))
    return f"talep ettiğimi{'zi' if closing.endswith('z') else ''} {closing}"


def _gereginin(voice: Voice, _found: str, _before: str) -> str:
    return f"gereğini {voice.closing()}"


def _regards(voice: Voice, _found: str, _before: str) -> str:
    return voice.regards


_PASSIVES = {
    "yap": "yapılmasını", "ed": "edilmesini", "ver": "verilmesini", "topla": "toplanmasını", "kaldir": "kaldırılmasını",
    "temizle": "temizlenmesini", "onar": "onarılmasını", "duzelt": "düzeltilmesini", "coz": "çözülmesini",
    "gonder": "gönderilmesini", "durdur": "durdurulmasını", "degistir": "değiştirilmesini", "ilacla": "ilaçlanmasını",
    "asfaltla": "asfaltlanmasını", "cezalandir": "cezalandırılmasını", "yiktir": "yıktırılmasını", "engelle": "engellenmesini",
}  # fmt: skip
"""Folded stem of an order → the polite form of the same."""

_ORDER = "|".join(sorted(_PASSIVES, key=len, reverse=True))


def _passive(voice: Voice, found: str, _before: str) -> str:
    stem = next(stem for stem in sorted(_PASSIVES, key=len, reverse=True) if found.startswith(stem))
    return f"{_PASSIVES[stem]} {voice.closing()}"


def _calm(_voice: Voice, found: str, _before: str) -> str:
    return "?" if "?" in found else "."


_WRITTEN_OUT = {
    "slm": "Merhaba", "mrb": "Merhaba", "tsk": "Teşekkür ederim", "tsklr": "Teşekkürler", "tmm": "tamam",
    "lutfn": "lütfen", "nbr": "…", "bi": "bir", "bisey": "bir şey", "biseyler": "bir şeyler", "napiyim": "ne yapayım",
}  # fmt: skip


def _written_out(_voice: Voice, found: str, _before: str) -> str:
    return _WRITTEN_OUT[found]


_FACTS = Sentence("Leave it out and say what happened, where and since when.")
_RIGHTS = Sentence("Leave it out; your rights stand without it.")
_REPORTED = r"(?!\s{1,3}(?:diye|dedi|demis|ifade|sekl|yaz|sozu|kelime))"
_S = r"\s{1,3}"
_YOU = r"(?:s[iu]n(?:[iu]z)?(?:lar)?|lar|ler)?"

WORDINGS: tuple[Wording, ...] = (
    Wording(
        "rica_instead_of_arz",
        _words(
            rf"(?<!arz ve )(?:rica{_S}(?:ederi[mz]|ediyoru[mz]|etmektey{{0,1}}i[mz]|edeceg[iu][mz]|olunur|edilir|"
            rf"edilmektedir|eyleri[mz]|eder(?=,)|eder(?=\s{{1,3}}saygi))|ricamdir|ricamizdir|"
            rf"ricada{_S}bulunuyoru[mz]){_REPORTED}"
        ),
        _arz, reason.RICA_PRIVATE, PRIVATE, mends=True,
    ),
    Wording(
        "rica_by_rank",
        _words(rf"(?<!arz ve )rica{_S}(?:ederi[mz]|ediyoru[mz]|olunur|edilir|edilmektedir){_REPORTED}"),
        _arz, reason.RICA_PUBLIC, PUBLIC, mends=True,
    ),
    Wording(
        "mixed_closing",
        _words(rf"arz ve rica{_S}(?:ederi[mz]|ediyoru[mz]|olunur)"),
        lambda voice, found, _: voice.closing(plural=bool(_MANY.search(found))),
        reason.MIXED, PRIVATE, mends=True,
    ),
    Wording(
        "demanding_closing",
        _words(rf"(?<!arz ve )(?<!ve saygiyla )talep{_S}(?:ederi[mz]|ediyoru[mz]|etmekteyi[mz]|eyleri[mz]){_REPORTED}"),
        _arz_for_demand, reason.DEMAND, NOT_ABOVE, mends=True,
    ),
    Wording(
        "demanding_closing",
        re.compile(rf"[lniu]m[ae]sini{_S}(?P<f>istiyoru[mz]|istemekteyi[mz])(?=\s{{0,3}}(?:[.!;\n]|\Z))"),
        _arz_for_demand, reason.DEMAND, NOT_ABOVE, mends=True,
    ),
    Wording(
        "order_wording",
        _words(
            rf"geregini(?:zi)?{_S}(?:derhal{_S}|hemen{_S}|acilen{_S}|artik{_S})?"
            rf"(?:yapin(?:iz)?|yerine getirin(?:iz)?|bekliyoru[mz]|bekleri[mz])|"
            rf"geregi{_S}(?:neyse{_S})?(?:derhal{_S}|hemen{_S}|acilen{_S})?(?:yapilsin|yapin(?:iz)?)"
        ),
        _gereginin, reason.ORDER, NOT_ABOVE, mends=True,
    ),
    Wording(
        "order_wording",
        _words(
            rf"(?<!geregini )(?<!derhal )(?<!neyse )(?!veriniz)(?:{_ORDER})y?[iu]n(?:[iu]z)?"
            rf"(?=\s{{0,3}}(?:[.!?,;\n]|\Z|artik(?![^\W_])|lutfen(?![^\W_])))"
        ),
        _passive, reason.ORDER, NOT_ABOVE,
    ),
    Wording(
        "order_wording",
        _words(rf"(?:yapmanizi|etmenizi|vermenizi|gelmenizi|cozmenizi|temizlemenizi){_S}(?:bekliyoru[mz]|istiyoru[mz]|emred\w{{1,6}})"),
        _gereginin, reason.ORDER, NOT_ABOVE,
    ),
    Wording("pressing", _words(r"derhal|hemen simdi|hic vakit kaybetmeden|saniye gecirmeden"),
            _say("en kısa sürede"), reason.PRESSING, NOT_ABOVE, wishing=True),
    Wording(
        "threat",
        _words(
            rf"dava{_S}(?:acaca(?:gim|giz|gimi|gimizi)|acari[mz])|mahkemeye{_S}(?:verecegi[mz]|veriri[mz]|"
            rf"gidecegi[mz])|"
            rf"suc duyurusunda{_S}bulunaca(?:gim|giz|gimi|gimizi)|sikayet{_S}edeceg(?:im|iz|imi|imizi)|"
            rf"sikayetci{_S}olaca(?:gim|giz|gimi|gimizi)|"
            rf"(?:yasal|hukuki|kanuni){_S}yol(?:lara|a){_S}(?:basvuraca(?:gim|giz|gimi|gimizi)|gidecegi[mz])|"
            rf"hesab(?:ini|inizi){_S}(?:soraca(?:gim|giz)|sorari[mz]|vereceksiniz|verirsiniz)|"
            rf"pisman{_S}(?:olacaksin(?:iz)?|olursunuz|edecegi[mz]|ederi[mz])|"
            rf"(?:basina|medyaya|gazeteye|gazetelere|televizyona|televizyonlara){_S}(?:verecegi[mz]|"
            rf"tasiyaca(?:gim|giz)|"
            rf"gidecegi[mz]|bildirecegi[mz]|cikaca(?:gim|giz))|sosyal medyada{_S}(?:paylasaca(?:gim|giz)|"
            rf"yayaca(?:gim|giz)|"
            rf"ifsa{_S}edecegi[mz])|oy(?:umu|umuzu)?{_S}vermeyece(?:gim|giz|gimi|gimizi)|oy{_S}alamazsiniz|"
            rf"ifsa{_S}edecegi[mz]|bedelini{_S}ode(?:rsiniz|yeceksiniz|tiri[mz])|"
            rf"sonuclarina{_S}katlan(?:irsiniz|acaksiniz)|"
            rf"mahkemede{_S}gorusuruz|koltuk(?:tan|larinizdan){_S}indirecegi[mz]|"
            rf"olacaklardan{_S}(?:biz{_S})?sorumlu{_S}degili[mz]"
        ),
        _say(_RIGHTS), reason.THREAT, NOT_ABOVE,
    ),
    Wording(
        "insult",
        _words(
            rf"(?:serefsiz|namussuz|ahlaksiz|terbiyesiz|utanmaz|aptal|salak|geri ?zekali|beyinsiz|soytari|dangalak|"
            rf"haysiyetsiz|beceriksiz|karaktersiz|vicdansiz){_YOU}|(?:sahtekar|yalanci|hirsiz|tembel|rusvetci){_S}"
            rf"(?:belediye|baskan|memur|mudur|personel|zabita|yonetim|herif|adam)[^\W_]{{0,8}}|"
            rf"(?:sahtekar|yalanci|hirsiz|tembel|rusvetci|cahil)s[iu]n[iu]z|ise yaramaz{_S}(?:belediye|memur|"
            rf"personel|"
            rf"adam|herif|baskan)[^\W_]{{0,8}}|it surusu|pislik(?:ler)?{_S}sizi"
        ),
        _say(_FACTS), reason.INSULT,
    ),
    Wording(
        "harsh_wording",
        _words(
            rf"rezalet(?:tir|in|e)?|rezillik(?:tir)?|kepazelik(?:tir)?|skandal(?:dir)?|utanin|utanmiyor musunuz|"
            rf"yaziklar olsun|bikt(?:im|ik)|biktik usandik|usandik|yeter artik|artik yeter|uyuyor musunuz|"
            rf"ne ise{_S}yar(?:iyor|ar)sunuz|ne ise yariyorsunuz|maasinizi{_S}(?:biz|ben){_S}[^\W_]{{1,12}}|"
            rf"gorevinizi{_S}yapin|is{_S}yapmiyorsunuz|hicbir ?sey{_S}yapmiyorsunuz|umurunuzda{_S}(?:bile{_S})?degil|"
            rf"kiniyoru[mz]|bos laf(?:lar)?|sacmalik(?:tir)?|tahammulumuz kalmadi|sabrimiz (?:tasti|kalmadi)|"
            rf"adam gibi|lutfedip|beyefendiler|keyif catiyor\w{{0,8}}|iki yuzlu\w{{0,4}}|gozunuz kor mu|"
            rf"kulaginiz sagir mi"
        ),
        _say(_FACTS), reason.HARSH, NOT_ABOVE,
    ),
    Wording(
        "informal_greeting",
        re.compile(
            r"\A\s{0,10}(?P<f>(?:merhaba(?:lar)?|selam(?:lar)?|selamun aleykum|slm|mrb|hey|alo|iyi (?:gunler|"
            r"aksamlar|calismalar)|"
            r"kolay gelsin|sevgili (?:baskan|belediye)[^\W_]{0,8}|baskanim)(?![^\W_])(?:[ ]{0,2}[,.!]{0,3}))"
        ),
        _say("… BELEDİYE BAŞKANLIĞINA"), reason.GREETING, NOT_ABOVE, mends=True, body_only=True,
    ),
    Wording(
        "informal_closing",
        _words(
            rf"(?:simdiden{_S})?tesekkurler|simdiden{_S}(?:cok{_S})?tesekkur(?:ler)?(?:{_S}(?:ederi[mz]|"
            rf"ediyoru[mz]))?|"
            rf"sevgiler(?:imle|imizle)?|selamlar(?:imla|imizla)?|gorusuruz|gorusmek uzere|hosca ?kalin|kolay gelsin|"
            rf"iyi calismalar|hayirli isler|opuyoru[mz]|kib|eyvallah|hadi bakalim|haydi gorusuruz"
        ),
        _regards, reason.FAREWELL, NOT_ABOVE, mends=True, within="end", body_only=True,
    ),
    Wording("chat_word", _words("|".join(sorted(_WRITTEN_OUT, key=len, reverse=True))), _written_out, reason.CHAT_WORD),
    Wording("exclamation", re.compile(r"[?!]{0,40}!"), _calm, reason.EXCLAMATION, mends=True),
)  # fmt: skip

_WISH = re.compile(
    r"m[ae](?:si|leri|niz)n?i|istiyoru|talep|rica|arz|[iu]ls[iu]n|yapin|edin|gerek|lutfen|verin|cozun|kaldirin"
)


def found(text: Folded, part: str, voice: Voice) -> Iterator[Suggestion]:
    """What the table finds, row by row."""
    counted: dict[str, int] = {}
    for row in WORDINGS:
        if voice.rank not in row.writers or (row.body_only and part != BODY):
            continue
        for start, end in _hits(text, row):
            counted[row.code] = counted.get(row.code, 0) + 1
            if counted[row.code] > MOST_OF_A_CODE:
                break
            at, to = text.span(start, end)
            instead = row.instead(voice, text.key[start:end], text.open[max(0, start - 40) : start])
            yield Suggestion(row.code, part, at, to, text.text[at:to], instead, row.why, row.mends)


def _hits(text: Folded, row: Wording) -> Iterator[tuple[int, int]]:
    if row.wishing:
        for sentence in text.sentences():
            if _WISH.search(sentence.key):
                yield from (
                    (sentence.start + hit.start(), sentence.start + hit.end())
                    for hit in row.pattern.finditer(sentence.key)
                )
        return
    first = max(0, len(text.open.rstrip()) - _END_OF_LETTER) if row.within == "end" else 0
    for hit in row.pattern.finditer(text.open, first):
        start, end = hit.span("f") if "f" in row.pattern.groupindex else hit.span()
        if row.code == "chat_word" and not _is_chat(text, start, end):
            continue
        if row.within != "end" or _closes(text, start, end):
            yield start, end


def _is_chat(text: Folded, start: int, end: int) -> bool:
    """Whether it is written small: TSK are the armed forces."""
    at, to = text.span(start, end)
    return text.text[at:to].islower() and text.open[max(0, start - 1) : start] != "'"


def _closes(text: Folded, start: int, end: int) -> bool:
    """Whether it begins a sentence and ends its line: a farewell, and no word within a sentence."""
    before, after = text.open[:start].rstrip(" \t")[-1:], text.open[end : end + 4].lstrip(" \t.,!;")
    return before in ("", "\n", ".", "!", "?", ",", ";") and after[:1] in ("", "\n")
