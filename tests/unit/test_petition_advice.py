"""Advice on petitions: a hundred texts with what should be said of each, and properties that hold for any text."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from petition_texts import CORRECT, TEXTS, WANTING, Text

from services.contracts.petitions import KINDS, TYPES
from services.contracts.writing import LONGEST_BODY, LONGEST_SUBJECT
from services.petitions.domain import advice
from services.petitions.domain.advice import Advice, advise
from services.petitions.domain.advice.suggestion import MOST_OF_A_CODE
from services.petitions.domain.advice.wording import WORDINGS

STEPS_FROM_ONE_PLACE = 300_000
"""The most ways in which any pattern can go on from one character: a constant, so the whole is linear in the text."""


def advised(text: Text, body: str | None = None) -> Advice:
    return advise(text.subject, text.body if body is None else body, text.who, text.kind, text.petitioner, "Şişli")


def named(texts: list[Text]) -> Any:
    return pytest.mark.parametrize("text", texts, ids=lambda text: text.name)


def test_there_are_a_hundred_texts_and_many_of_them_are_correct() -> None:
    assert len(TEXTS) >= 100
    assert len(CORRECT) >= 35
    assert len(TEXTS) == len({text.body + text.subject + text.who + str(text.petitioner) for text in TEXTS})


@named(CORRECT)
def test_a_correct_letter_gets_no_advice(text: Text) -> None:
    assert [] == [(each.code, each.found) for each in advised(text).suggestions]


@named(WANTING)
def test_each_text_gets_the_advice_it_should_and_no_other(text: Text) -> None:
    assert text.codes
    assert text.codes == advised(text).codes


@named(TEXTS)
def test_a_draft_needs_no_advice_that_it_brings_in_itself(text: Text) -> None:
    first = advised(text)
    again = advised(text, first.draft)
    assert set() == again.codes - first.codes
    assert first.draft == again.draft


@named(TEXTS)
def test_capitals_and_composition_of_letters_change_no_finding(text: Text) -> None:
    decomposed = advise(
        unicodedata.normalize("NFD", text.subject),
        unicodedata.normalize("NFD", text.body),
        text.who,
        text.kind,
        text.petitioner,
    )
    assert text.codes == decomposed.codes


def test_every_code_of_the_tables_is_expected_by_some_text() -> None:
    expected = set().union(*(text.codes for text in WANTING))
    assert {row.code for row in WORDINGS} <= expected
    assert len(expected) >= 30


def test_what_is_mended_in_the_draft_was_suggested() -> None:
    petition = "Lambanın onarılmasını rica ederim!"
    found = advise("Lamba", petition, "citizen")
    assert "Lambanın onarılmasını arz ederim." in found.draft
    assert "rica" not in found.draft


@pytest.mark.parametrize(
    ("who", "written", "mended"),
    [
        ("citizen", "Onarılmasını rica ederim.", "Onarılmasını arz ederim."),
        ("citizen", "Onarılmasını rica ediyoruz.", "Onarılmasını arz ederiz."),
        ("citizen", "Onarılmasını RİCA EDİYORUM.", "Onarılmasını Arz ederim."),
        ("organisation", "Onarılmasını rica ederim.", "Onarılmasını arz ederiz."),
        ("organisation", "Onarılması için destek rica ederiz.", "Onarılması için destek talebimizi arz ederiz."),
        ("citizen", "Onarılmasını talep ediyorum.", "Onarılmasını arz ederim."),
        ("citizen", "Yeni bir salon talep ediyorum.", "Yeni bir salon talebimi arz ederim."),
        ("citizen", "Belgenin bir örneğini talep ediyorum.", "Belgenin bir örneğini talep ettiğimi arz ederim."),
        ("citizen", "Onarılmasını arz ve talep ederim.", "Onarılmasını arz ve talep ederim."),
        ("citizen", "Onarılmasını istiyoruz.", "Onarılmasını arz ederiz."),
        ("citizen", "Yol bozuk. Gereğini yapın!", "Yol bozuk. Gereğini arz ederim."),
        ("mukhtar", "Onarılmasını rica ederim.", "Onarılmasını arz ederim."),
        ("public_body", "Onarılmasını rica ederim.", "Onarılmasını rica ederim."),
        ("citizen", "Onarılmasını arz ederim. Şimdiden teşekkürler", "Onarılmasını arz ederim. Saygılarımla"),
        ("citizen", "Komşumun ricası üzerine yazıyorum.", "Komşumun ricası üzerine yazıyorum."),
    ],
)
def test_a_closing_becomes_the_one_for_who_writes_to_whom(who: str, written: str, mended: str) -> None:
    assert mended in advise("Yol", f"Şişli Belediye Başkanlığına\n\n{written}", who).draft


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("İstanbul Valiliği", set()),
        ("Şişli Kaymakamlığı", set()),
        ("Kadıköy Belediyesi", {"rica_by_rank"}),
        ("[üniversite] Rektörlüğü", {"rica_by_rank"}),
        ("Bir Kurum", set()),
    ],
)
def test_rica_between_offices_depends_on_their_rank(name: str, codes: set[str]) -> None:
    body = "ŞİŞLİ BELEDİYE BAŞKANLIĞINA\n\nToplantıya bir temsilci gönderilmesini rica ederim."
    assert codes == advise("Toplantı", body, "public_body", None, {"name": name, "address": "[adres]"}).codes


def test_the_draft_has_addressee_subject_closing_and_a_place_to_sign() -> None:
    draft = advise("Bank", "Parka bank konulması iyi olur, öneriyorum.", "citizen", municipality="Iğdır").draft
    assert draft == (
        "IĞDIR BELEDİYE BAŞKANLIĞINA\n\nKonu: Bank\n\nParka bank konulması iyi olur, öneriyorum.\n\n"
        "Gereğini arz ederim.\n\nTarih: [gg.aa.yyyy]\nAd soyad: [ad soyad]\nAdres: [adres]\nİmza:"
    )


def test_an_organisations_draft_names_who_signs_and_the_annexes() -> None:
    known = {"name": "Yer Çizenler Derneği", "address": "Şişli", "attachments": ["Harita"]}
    draft = advise("Harita", "Haritanın asılmasını arz ederiz.", "organisation", petitioner=known).draft
    assert draft.endswith(
        "Unvan: Yer Çizenler Derneği\nAdres: Şişli\nYetkili: [görevi, ad soyad]\nİmza:\n\n"
        "Ekler:\n1. Harita\n2. Yetki belgesi (yönetim kurulu kararı veya imza sirküleri)"
    )


def test_a_number_is_an_identity_number_only_if_its_check_digits_are_right() -> None:
    body = "ŞİŞLİ BELEDİYE BAŞKANLIĞINA\n\n{} numaralı başvurumun sonuçlandırılmasını arz ederim."
    assert {"identity_number"} == advise("Başvuru", body.format("10000000146"), "citizen").codes
    assert set() == advise("Başvuru", body.format("10000000145"), "citizen").codes


def test_of_a_petitioner_nobody_described_nothing_is_missing() -> None:
    body = "ŞİŞLİ BELEDİYE BAŞKANLIĞINA\n\nNikâh salonunun ayrılmasını arz ederim."
    assert set() == advise("Nikâh", body, "citizen").codes
    assert {"name_missing", "address_missing"} == advise("Nikâh", body, "citizen", petitioner={}).codes


def test_the_types_and_kinds_are_those_of_the_contract() -> None:
    assert set(TYPES) == set(advice.PETITIONER_TYPES)
    assert set(KINDS) == set(advice.KINDS)
    assert (LONGEST_BODY, LONGEST_SUBJECT) == (advice.LONGEST_BODY, advice.LONGEST_SUBJECT)


# any text

_PIECES = [word for text in TEXTS for word in text.body.split(" ")]
_PIECES += [
    "!",
    "?!",
    "\n",
    "\n\n",
    "1. ",
    "- ",
    '"',
    "“",
    "”",
    "i\u0307",
    "\u0307",
    "I\u0307",
    "Konu: ",
    "Merhaba",
    "selam,",
    "kib",
]
_PIECES += [
    "rica ederim",
    "talep ediyorum",
    "Teşekkürler",
    "Adres:",
    "İmza",
    "Ek:",
    "Sayın Başkan",
    "\r\n",
    "\t",
    "\u00ad",
]
PIECE = st.sampled_from(_PIECES)
ANY_TEXT = st.one_of(
    st.text(max_size=60), st.lists(PIECE, max_size=25).map(" ".join), st.lists(PIECE, max_size=25).map("".join)
)
ANYBODY = st.sampled_from(TYPES)
ANY_KIND = st.sampled_from([None, *KINDS])


@settings(max_examples=250, deadline=None)
@given(subject=ANY_TEXT, body=ANY_TEXT, who=ANYBODY, kind=ANY_KIND)
def test_advice_points_at_what_it_found_in_any_text(subject: str, body: str, who: str, kind: str | None) -> None:
    found = advise(subject, body, who, kind, {"name": subject})
    for each in found.suggestions:
        text = subject if each.part == "subject" else body
        assert 0 <= each.start <= each.end <= len(text)
        assert each.found == text[each.start : each.end]
    assert MOST_OF_A_CODE >= max(Counter((each.part, each.code) for each in found.suggestions).values(), default=0)


@settings(max_examples=250, deadline=None)
@given(subject=ANY_TEXT, body=ANY_TEXT, who=ANYBODY, kind=ANY_KIND)
def test_a_draft_of_any_text_brings_in_nothing_to_advise_about(
    subject: str, body: str, who: str, kind: str | None
) -> None:
    first = advise(subject, body, who, kind)
    assert set() == advise(subject, first.draft, who, kind).codes - first.codes


# no text makes it slow


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every pattern in the modules of the package, in tables too."""
    for info in pkgutil.iter_modules(advice.__path__):
        module = importlib.import_module(f"{advice.__name__}.{info.name}")
        for name, value in vars(module).items():
            for number, pattern in enumerate(_patterns_in(value)):
                yield f"{info.name}.{name}[{number}]", pattern


def _patterns_in(value: Any) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for inner in value:
            yield from _patterns_in(inner)
    elif hasattr(value, "pattern") and not isinstance(value, type):
        yield from _patterns_in(value.pattern)


UNBOUNDED = int(_parser.MAXREPEAT)


def ways(parsed: Any) -> int:
    """An upper limit of the ways in which a matcher can try a pattern from one place.

    A repetition without limit counts as one way where it is possessive by nature, which the list below says.
    """
    total = 1
    for operation, argument in parsed:
        total *= _ways_of(str(operation), argument)
    return total


def _ways_of(operation: str, argument: Any) -> int:
    match operation:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = argument
            assert int(most) < UNBOUNDED, "a repetition without limit"
            each = ways(inner)
            return functools.reduce(lambda sum_, count: sum_ + each**count, range(least, most + 1), 0)
        case "SUBPATTERN":
            return ways(argument[3])
        case "BRANCH":
            return sum(ways(branch) for branch in argument[1])
        case "ASSERT" | "ASSERT_NOT":
            return ways(argument[1])
        case _:
            return 1


CUTTERS = {"folded._SENTENCE", "folded._LINE", "folded._HEADER", "capitals._WORD", "element._WORD"}
"""Patterns that cut a text into pieces: each is a run of characters with nothing after it, so it never goes back."""


def test_no_pattern_can_go_on_from_one_place_in_many_ways() -> None:
    seen = dict(patterns())
    bounded = {name: pattern for name, pattern in seen.items() if name.partition("[")[0] not in CUTTERS}
    assert len(bounded) > 40
    many = {name: ways(_parser.parse(pattern.pattern)) for name, pattern in bounded.items()}
    assert {} == {name: count for name, count in many.items() if count > STEPS_FROM_ONE_PLACE}
    assert set() == CUTTERS - {name.partition("[")[0] for name in seen}


HOSTILE = [
    "!", "?!", "rica ", "rica" + " " * 50, "a", "A ", '"', '"a', "e\u0301", "\u0301", "1 ", "tr12 3456 ", "yapılmasını ",
    "\n", "\n1. ", "(0532) 123 45 6 ", "sayın ", "merhaba\n", "hesabına x ", "Konu: ", "i\u0307", "komşum kanser ",
    "10000000146 ", "çöp parkın yapılmasını, ", "belediye başkanlığına ", "derneğimize a a a a ",
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE, ids=ascii)
def test_a_hostile_text_of_full_length_gets_an_answer_of_bounded_size(piece: str) -> None:
    """Were any of it more than linear, the time limit of the test run would tell."""
    text = (piece * LONGEST_BODY)[:LONGEST_BODY]
    found = advise(text[:LONGEST_SUBJECT], text, "organisation", "petition", {})
    assert len(found.suggestions) <= 2 * MOST_OF_A_CODE * len(WORDINGS)
    assert len(found.draft) <= LONGEST_BODY * 2


@pytest.mark.parametrize("body", ["Belge gönderiniz.", "Belgenin derhal gönderilmesini arz ederim."])
def test_a_request_for_information_is_told_its_own_period(body: str) -> None:
    told = {kind: " ".join(str(each.why) for each in advise("Belge", body, "citizen", kind).suggestions)
            for kind in ("petition", "information_request")}  # fmt: skip
    assert "30 days" in told["petition"]
    assert "(3071/7)" in told["petition"]
    assert "(3071/7)" not in told["information_request"]
    assert "15 working days" in told["information_request"]
