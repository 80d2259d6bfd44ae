"""How Turkish names are folded, sorted, ranked, and found past typing errors."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.turkish import collation_key, fold, words
from services.registry.adapters.search import (
    MOST_MEANINGS,
    Candidate,
    folded_name,
    likely,
    query_words,
    ranking,
    typing_errors,
    vocabulary,
)

TURKISH = "abcçdefgğhıijklmnoöpqrsştuüvwxyzâîûABCÇDEFGĞHIİJKLMNOÖPQRSŞTUÜVWXYZÂÎÛ 0123456789.-'+"
turkish = st.text(alphabet=TURKISH, max_size=40)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("İSTANBUL", "istanbul"),
        ("Iğdır", "igdir"),
        ("IĞDIR", "igdir"),
        ("ığdır", "igdir"),
        ("i\u0307stanbul", "istanbul"),
        ("ŞİŞLİ", "sisli"),
        ("Çağdaş Yaşamı", "cagdas yasami"),
        ("S\u0327is\u0327li", "sisli"),
        ("hâlâ kâğıt", "hala kagit"),
        ("ÖĞÜT", "ogut"),
    ],
)
def test_the_folded_key_knows_neither_case_nor_turkish_marks(written: str, key: str) -> None:
    assert key == fold(written)


@given(turkish)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(text) == fold(fold(text))


@given(turkish)
def test_the_key_is_the_same_for_composed_and_decomposed_letters(text: str) -> None:
    assert fold(text) == fold(unicodedata.normalize("NFD", text))
    assert collation_key(text) == collation_key(unicodedata.normalize("NFD", text))


@given(turkish)
def test_turkish_text_folds_to_plain_small_letters(text: str) -> None:
    assert fold(text).isascii()
    assert fold(text) == fold(text).lower()


def test_names_are_sorted_by_the_turkish_alphabet() -> None:
    expected = [
        "65+ Yaşlı Hakları",
        "Âlem",
        "Cem",
        "Çınar",
        "Deniz",
        "Gül",
        "Ğ",
        "Hrant",
        "Irmak",
        "Iğdır",
        "İstanbul",
        "izmir",
        "Onur",
        "Öykü",
        "Sivil",
        "Şişli",
        "Ufuk",
        "Ülkü",
        "Zeytin",
    ]
    expected[8:10] = ["Iğdır", "Irmak"]
    shuffled = expected[::2] + expected[1::2]
    assert expected == sorted(shuffled, key=collation_key)


def test_a_shorter_name_comes_before_its_longer_sister() -> None:
    assert collation_key("Kadın Derneği") < collation_key("Kadınlar Derneği")


def test_signs_between_words_do_not_sort() -> None:
    assert collation_key('"Kadın" Derneği') == collation_key("kadın   derneği")


def test_a_number_written_with_signs_is_one_word() -> None:
    assert ["06157157"] == query_words("06.157-157")
    assert ["65"] == query_words("65+")


def test_a_query_is_cut_to_what_can_be_looked_up() -> None:
    assert 8 == len(query_words("bir " * 50))
    assert 40 == len(query_words("a" * 300)[0])


@pytest.mark.parametrize(
    ("word", "other", "errors"),
    [
        ("cizenler", "cizenler", 0),
        ("cizneler", "cizenler", 1),
        ("cizenlr", "cizenler", 1),
        ("cizzenler", "cizenler", 1),
        ("dizenler", "cizenler", 1),
        ("dernek", "dernegi", 2),
        ("vakif", "vakfi", 1),
        ("kizilay", "baro", None),
    ],
)
def test_an_error_is_a_letter_mistyped_left_out_added_or_swapped(word: str, other: str, errors: int | None) -> None:
    assert errors == typing_errors(word, other, 2)


@given(st.text(alphabet="abc", max_size=7), st.text(alphabet="abc", max_size=7), st.integers(min_value=0, max_value=3))
def test_counting_errors_does_not_depend_on_which_word_comes_first(word: str, other: str, limit: int) -> None:
    assert typing_errors(word, other, limit) == typing_errors(other, word, limit)


@given(st.text(alphabet="abcde", min_size=4, max_size=8), st.lists(st.text(alphabet="abcde", min_size=3, max_size=9)))
def test_the_quick_look_at_letters_loses_no_likely_word(word: str, named: list[str]) -> None:
    limit = 1 if len(word) < 6 else 2
    expected = sorted(
        (typing_errors(word, other, limit) or 0, other)
        for other in named
        if other != word and typing_errors(word, other, limit) is not None
    )
    assert [other for _, other in expected][:MOST_MEANINGS] == likely(word, named)


def test_short_words_and_numbers_are_taken_as_written() -> None:
    assert [] == likely("yer", ["ter", "yar"])
    assert [] == likely("1234", ["1235"])


def test_the_better_fit_comes_first() -> None:
    names = [
        "Kadın Emeğini Değerlendirme Vakfı",
        "Emekli Kadınlar Derneği",
        "Kadınlar Derneği",
        "Kadın Derneği",
        "Derin Kadın",
    ]
    candidates = [Candidate(str(n), folded_name(name), collation_key(name)) for n, name in enumerate(names)]
    found = ranking(words("kadın dernegi"), candidates)
    assert ["Kadın Derneği", "Kadınlar Derneği", "Emekli Kadınlar Derneği"] == [names[int(c.key)] for c in found[:3]]


def test_only_words_of_letters_are_learnt() -> None:
    assert {"yasli", "haklari", "dernegi"} == vocabulary(folded_name("65+ Yaşlı Hakları Derneği", "06157157"))
