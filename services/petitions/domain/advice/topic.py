"""What a petition is about: several matters in one, matters for courts, for grants, for another kind of application."""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.kernel.text import Label, Sentence
from services.petitions.domain.advice import reason
from services.petitions.domain.advice.folded import Folded, Part
from services.petitions.domain.advice.suggestion import BODY, Suggestion
from services.petitions.domain.advice.voice import Rank, Voice

PETITION, INFORMATION_REQUEST = "petition", "information_request"
PARTNERSHIP_PROPOSAL, OPINION = "partnership_proposal", "opinion"
KINDS = (PETITION, INFORMATION_REQUEST, PARTNERSHIP_PROPOSAL, OPINION)


def _begins(*stems: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{'|'.join(stems)})")


AREAS: tuple[tuple[Label, re.Pattern[str]], ...] = (
    (
        Label("park ve yeşil alan", "parks and green spaces"),
        _begins(
            "park(?:imiz|in|ta|taki|ina|inda|indaki|lar|larin)(?![^\\W_])",
            "parki(?![^\\W_])",
            "cocuk park",
            "oyun (?:alan|park|grub)",
            "yesil alan",
            "agac",
            "budan",
            "bank(?:lar|in)",
        ),
    ),
    (
        Label("yol ve kaldırım", "roads and pavements"),
        _begins(
            "asfalt",
            "kaldirim",
            "cukur",
            "tretuvar",
            "parke tas",
            "rampa",
            "yol(?:un|umuz\\w{0,4}|lar\\w{0,6}) (?:onar|bakim|yapil|asfalt)",
        ),
    ),
    (
        Label("temizlik ve atık", "cleaning and waste"),
        _begins("cop(?!luk)", "konteyner", "ilaclama", "hasere", "sivrisinek", "moloz", "geri donusum"),
    ),
    (Label("aydınlatma", "street lighting"), _begins("aydinlatma", "sokak lamba", "lamba", "elektrik direg")),
    (
        Label("imar ve yapı", "building and zoning"),
        _begins("imar", "kacak (?:yapi|kat|insaat)", "yapi ruhsat", "insaat"),
    ),
    (
        Label("iş yeri ruhsatı", "business licences"),
        _begins("is ?yeri acma", "ruhsat", "isgaliye", "pazar yeri", "tezgah"),
    ),
    (
        Label("vergi ve harç", "taxes and fees"),
        _begins("emlak vergi", "cevre temizlik vergi", "vergi borc", "taksitlendir", "harc(?:i|in|lar)"),
    ),
    (
        Label("trafik ve otopark", "traffic and parking"),
        _begins("otopark", "park eden", "hatali park", "trafik", "hiz kesici", "kasis", "otobus", "durag"),
    ),
    (Label("sokak hayvanları", "stray animals"), _begins("basibos", "sokak hayvan", "sokak kope", "kopek", "kedi")),
    (
        Label("sosyal yardım", "social assistance"),
        _begins("sosyal yardim", "asevi", "evde bakim", "gida yardim", "yakacak"),
    ),
    (Label("gürültü ve zabıta", "noise and municipal police"), _begins("gurultu", "zabita", "seyyar")),
    (
        Label("kültür ve spor", "culture and sports"),
        _begins("kutuphane", "tiyatro", "spor salon", "hali saha", "yuzme", "kurs"),
    ),
    (
        Label("su ve kanalizasyon", "water and sewerage"),
        _begins("kanalizasyon", "su kesinti", "su fatura", "rogar", "logar", "yagmur suyu"),
    ),
)
"""Duty areas of different units, and the beginnings of words that tell them."""

_ASKED = re.compile(r"m[ae](?:si|leri)ni(?![^\W_])|m[ae]si (?:icin|hususu|konusu)")
_ASKS = re.compile(
    r"m[ae](?:si|leri)n[ia]|m[ae]si (?:icin|hususu|konusu|yonunde)|istiyoru|isteri[mz]|talep|talebi|rica|arz|"
    r"lutfen|beklemekteyi|bekliyoru"
)
_CONNECTOR = re.compile(
    r"\s{0,3}(?:ayrica|bir diger|diger bir|bir baska|baska bir|ikinci|ucuncu|bunun yaninda|bunun disinda|"
    r"bundan baska|ote yandan|son olarak|bu arada)(?![^\W_])"
)
_NUMBERED = re.compile(r"[ \t]{0,8}(?:\(?[0-9]{1,2}[ ]?[.)!-]|[a-z]\)|[-•*–])[ \t]")


def several_subjects(text: Folded, kind: str | None) -> Iterator[Suggestion]:
    """The first matter that belongs to another unit than those before it; for what asks or wants to know."""
    if kind not in (None, PETITION, INFORMATION_REQUEST):
        return
    matters: list[frozenset[int]] = []
    for clause, separate in _clauses(text):
        areas = frozenset(n for n, (_, pattern) in enumerate(AREAS) if pattern.search(clause.key))
        if not areas or any(areas & other for other in matters):
            continue
        matters.append(areas)
        if (separate and len(matters) > 1) or len(matters) > 2:  # noqa: PLR2004 - two may belong together, three do not
            start, end = text.span(*_trimmed(clause))
            label = AREAS[min(areas)][0].to_plain()
            instead = Sentence("Write a petition of its own about this ({area}).", area=label)
            yield Suggestion("several_subjects", BODY, start, end, text.text[start:end], instead, reason.SEVERAL)
            return


def _clauses(text: Folded) -> Iterator[tuple[Part, bool]]:
    """What is asked for, one by one, and whether the writer sets it apart from what was before."""
    for sentence in text.sentences():
        numbered = _is_numbered(text, sentence)
        if not numbered and not _ASKS.search(sentence.key):
            continue
        separate = numbered or bool(_CONNECTOR.match(sentence.key))
        start = 0
        for asked in _ASKED.finditer(sentence.key):
            yield _cut(sentence, start, asked.end()), separate
            start, separate = asked.end(), numbered
        yield _cut(sentence, start, len(sentence.key)), separate


def _cut(part: Part, start: int, end: int) -> Part:
    return Part(part.start + start, part.start + end, part.key[start:end])


def _is_numbered(text: Folded, sentence: Part) -> bool:
    line = text.open.rfind("\n", 0, sentence.start) + 1
    mark = _NUMBERED.match(text.open, line)
    return mark is not None and mark.end() >= sentence.start


def _trimmed(part: Part) -> tuple[int, int]:
    left = len(part.key) - len(part.key.lstrip(" \t,;\n\r"))
    return part.start + left, part.start + len(part.key.rstrip())


_COURT = re.compile(
    r"mahkeme\w{0,8} karar\w{0,6} (?:bozul|kaldiril|iptal|degistiril)\w{0,12}|"
    r"dava(?:m|mi|min|miz|mizin|nin)? (?:lehim\w{0,6}|sonuclandiril\w{0,10}|hizlandiril\w{0,10}|kazan\w{0,10})|"
    r"bosanma (?:isle|dava)\w{0,10}|bosanmami\w{0,4}|nafaka\w{0,6} (?:baglan|odenme|artir|kaldir)\w{0,10}|"
    r"miras\w{0,8} (?:paylas|bolus|taksim)\w{0,10}|veraset ilam\w{0,4} (?:veril|duzenlen|cikaril)\w{0,10}|"
    r"kiraci\w{0,6} (?:tahliye|cikaril)\w{0,12}|tutuklan\w{0,12}|hapis ceza\w{0,10}|hapse\w{0,4}|"
    r"velayet\w{0,8} (?:veril|degis|alin)\w{0,10}|tapu\w{0,4} iptal\w{0,6}|sinir (?:ihtilaf|anlasmazlig)\w{0,8}"
)
_MENTIONED = re.compile(
    r"uyarinca|geregince|dogrultusunda|gore|sunulmak uzere|ibraz|bilinmektedir|egitim|seminer|destek hatti|danisma"
)


def court_matters(text: Folded, kind: str | None) -> Iterator[Suggestion]:
    """What is asked but only a court can give (3071/6-b)."""
    if kind not in (None, PETITION):
        return
    for sentence in text.sentences():
        hit = _COURT.search(sentence.key)
        if hit is None or not _ASKS.search(sentence.key) or _MENTIONED.search(sentence.key):
            continue
        start, end = text.span(sentence.start + hit.start(), sentence.start + hit.end())
        instead = Sentence(
            "Ask the bar's legal aid office or the court; ask the municipality for what it decides itself."
        )
        yield Suggestion("court_matter", BODY, start, end, text.text[start:end], instead, reason.COURT)
        return


_GRANT = re.compile(
    r"(?:maddi|nakdi|parasal|finansal|ayni|mali|maddi manevi) (?:bir )?(?:destek|desteg\w{0,8}|yardim\w{0,8}|"
    r"katki\w{0,8})|"
    r"para yardim\w{0,6}|hibe (?:edil|veril|yapil|talep|destegi veril)\w{0,10}|bagis(?:ta bulunul\w{0,8}|inizi|"
    r"larinizi| yapilmasi\w{0,4}|"
    r" yapmaniz\w{0,4})|sponsor\w{0,10}|"
    r"kira(?:mizin|sinin|bedelinin| bedelinin| giderinin| giderlerinin)? (?:odenmesi|karsilanmasi)\w{0,4}|"
    r"fatura\w{0,10} (?:odenmesi|karsilanmasi)\w{0,4}|hesab(?:ina|imiza) [^.!?]{0,60}(?:aktarilmasi|"
    r"yatirilmasi|odenmesi)\w{0,4}|"
    r"(?:tl|lira|₺) (?:yardim\w{0,6}|destek\w{0,6}|odenek\w{0,6}|aktarilmasi\w{0,4}|verilmesi\w{0,4}|"
    r"odenmesi\w{0,4})|"
    r"odenek (?:verilmesi|ayrilmasi|aktarilmasi)\w{0,4}|(?:dernegimize|vakfimiza|"
    r"kulubumuze) [^.!?]{0,60}(?:hediye|bagisl|hibe)\w{0,10}"
)
_NOT_ASKED = re.compile(
    r"talep etm(?:iyor|emek)\w{0,8}|istem(?:iyor|emek)\w{0,8}|bulunmamakta|yoktur|olmaksizin|olmadan|"
    r"icermemekte|aktarilmayaca|"
    r"talebimiz yok|beklentimiz yok|beklenmemekte|beklemiyor|icermez|tarafimizca|dernegimizce|vakfimizca|"
    r"degildir|soz konusu degil|program|cagri|fonu|bakanlig|ajans|avrupa"
)
_PRIVATE_BODIES = frozenset({"organisation", "neighbourhood_assembly", "citizen_assembly", "other"})


def grants(text: Folded, petitioner_type: str) -> Iterator[Suggestion]:
    """A body of private law asks for money or goods (5393/75, 5018/29); for persons in need it is lawful."""
    if petitioner_type not in _PRIVATE_BODIES:
        return
    for sentence in text.sentences():
        hit = _GRANT.search(sentence.key)
        if hit is None or _NOT_ASKED.search(sentence.key) or not _ASKS.search(sentence.key):
            continue
        start, end = text.span(sentence.start + hit.start(), sentence.start + hit.end())
        if text.text[start : start + 4].lower() == "aynı":  # the same help, not help in kind
            continue
        instead = Sentence(
            "Propose a joint service project: which duty of the municipality it serves and what each side brings."
        )
        yield Suggestion("grant_request", BODY, start, end, text.text[start:end], instead, reason.GRANT)
        return


_TO_KNOW = re.compile(
    r"4982|bilgi edinme|bilgi ve belge\w{0,12}|(?:orneg|suret|kopya|"
    r"fotokopi)\w{0,8} [^.!?]{0,60}(?:verilmesi|gonderilmesi|iletilmesi)\w{0,4}|"
    r"bilgi(?:lerin|nin|ler)? (?:verilmesi\w{0,4}|paylasilmasi\w{0,4}|talep|istiyoru[mz])|kac (?:adet|tane|kisi|"
    r"lira|tl|yil|arac|agac)|ne kadar (?:harca|ode|butce|kaynak)\w{0,8}|"
    r"aciklanmasini"
)
_RESULT = re.compile(r"sonuc\w{0,8}|tarafima|tarafimiza|bana|bize|neticesi\w{0,4}")
_TO_ACT = re.compile(
    r"(?<![^\W_])(?:onar|yapil|yaptir|temizle|toplan|kaldir|budan|dikil|ilacla|duzenle|duzelt|yenile|kurul|"
    r"yerlestir|takil|gideril|denetle|"
    r"onlen|saglan|olustur|degistir|genislet|asfaltla|bosalt|cozul|alin|tahsis|konul|durdur|engelle|"
    r"acil)\w{0,10}m[ae]sin[ia](?![^\W_])"
)


def kind_of_request(text: Folded, kind: str | None) -> Iterator[Suggestion]:
    """An application that would be better off as the other kind (4982 and 3071)."""
    if kind not in (PETITION, INFORMATION_REQUEST):
        return
    asking = [sentence for sentence in text.sentences() if _ASKS.search(sentence.key)]
    act = _first(asking, _TO_ACT)
    know = _first(
        [s for s in asking if not (_RESULT.search(s.key) and "4982" not in s.key and not _DOCUMENTS.search(s.key))],
        _TO_KNOW,
    )
    if kind == PETITION and know and not act:
        start, end = text.span(*know)
        instead = Sentence("Send it as a request for information (law 4982).")
        yield Suggestion(
            "looks_like_information_request", BODY, start, end, text.text[start:end], instead, reason.ASKS_TO_KNOW
        )
    if kind == INFORMATION_REQUEST and act and not _first(list(text.sentences()), _TO_KNOW):
        start, end = text.span(*act)
        instead = Sentence("Send it as a petition (law 3071).")
        yield Suggestion("looks_like_petition", BODY, start, end, text.text[start:end], instead, reason.ASKS_TO_ACT)


_DOCUMENTS = re.compile(r"belge|ornek|orneg|suret|kopya|fotokopi|rapor|tutanak|kac |ne kadar")


def _first(parts: list[Part], pattern: re.Pattern[str]) -> tuple[int, int] | None:
    for part in parts:
        hit = pattern.search(part.key)
        if hit is not None:
            return part.start + hit.start(), part.start + hit.end()
    return None


_PLACED = _begins(
    "cop",
    "cukur",
    "kaldirim",
    "lamba",
    "aydinlatma",
    "agac",
    "gurultu",
    "kopek",
    "park",
    "konteyner",
    "asfalt",
    "rogar",
    "kasis",
    "otopark",
)
_PLACE = re.compile(
    r"mahallesi|(?<![^\W_])mah\b|sokak (?!lamba|hayvan|kope|aydinlat)|sokag|sokakta|(?<![^\W_])sok\b|"
    r"(?<![^\W_])sk\b|cadde|(?<![^\W_])cad\b|bulvar|meydan|site(?:si|miz)|mevki|"
    r"(?<![^\W_])no\b|numara|apartman|koyu|parki(?![^\W_])|parkinda|okul|durag|ada |parsel|cikmaz|pasaj|carsi|"
    r"sahil|iskele|kampus|butun|(?<![^\W_])tum(?![^\W_])|genelinde|ilcemiz|mahallelerde"
)
_FAULT = re.compile(
    r"onar|topla|tamir|bozuk|kirik|yanmi|gurultu|koku|tehlike|dokul|tas(?:iyor|mis)|sikayet|temizlen|kaldiril|"
    r"budan|bosalt"
)


def place(text: Folded, kind: str | None, voice: Voice) -> Iterator[Suggestion]:
    """A fault somewhere, and nothing says where."""
    if kind not in (None, PETITION) or voice.rank in (Rank.ABOVE, Rank.UNKNOWN):
        return
    if _PLACED.search(text.open) and _FAULT.search(text.open) and not _PLACE.search(text.key):
        at = len(text.text)
        instead = Sentence("Say where: neighbourhood, street and number, or a landmark.")
        yield Suggestion("place_missing", BODY, at, at, "", instead, reason.PLACE)


def asks(text: Folded) -> bool:
    """Whether anything in it asks, proposes or complains."""
    return _ANY_WISH.search(text.open) is not None


_ANY_WISH = re.compile(
    r"arz\s{1,3}(?:ed|ve|ol)|talep|talebi|rica|istiyoru|isteri[mz]|istem|diler[iu]m|dileri[mz]|lutfen|oneri|"
    r"onermek|gorus|basvuru|m[ae]sin[ia]|m[ae]lerini|"
    r"m[ae]si (?:icin|hususu|konusu|yonunde|gerek)|yapin|edin|verin|cozun|[iu]ls[iu]n|bekliyoru|beklemekteyi|"
    r"sikayet|bilgi edinme|izn|geregi|katki|toplayin|kaldirin|temizleyin"
)
