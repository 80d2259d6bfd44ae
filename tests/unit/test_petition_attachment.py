"""Names and titles of files that strangers send."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.download import saved_as
from services.kernel.errors import Invalid
from services.petitions.domain.attachment import LONGEST_NAME, clean_name, clean_title, named

ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
PARTS = st.lists(st.sampled_from(["..", "/", "\\", "C:", ".", " ", "belge", ".pdf", "\u202e", "\r\n", "ğ", "\x00"]))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("Dilekçe.pdf", "Dilekçe.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Belgeler\\Ek 1.docx", "Ek 1.docx"),
        ("rapor\u202efdp.exe", "raporfdp.exe"),
        ('a<b>:"|?*.pdf', "a_b______.pdf"),
        (" . gizli .pdf . ", "gizli.pdf"),
        ("ilan\r\n.pdf", "ilan.pdf"),
        ("x" * 300 + ".pdf", "x" * (LONGEST_NAME - 4) + ".pdf"),
        (".pdf", "pdf"),
        ("...", ""),
    ],
)
def test_a_name_is_made_fit_to_be_shown(given_: str, expected: str) -> None:
    assert unicodedata.normalize("NFC", expected) == clean_name(given_)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("rapor.PDF", "rapor.PDF"),
        ("rapor.exe", "rapor.exe"),
        ("rapor", "rapor.pdf"),
        ("1. Dilekçe", "1. Dilekçe.pdf"),
        ("", "dosya.pdf"),
        ("x" * LONGEST_NAME, "x" * (LONGEST_NAME - 4) + ".pdf"),
    ],
)
def test_a_name_without_an_ending_gets_that_of_its_kind(given_: str, expected: str) -> None:
    assert expected == named(given_, "pdf")


@given(ANY_TEXT | PARTS.map("".join))
def test_no_name_leads_elsewhere_hides_signs_or_breaks_a_header(text: str) -> None:
    name = clean_name(text)
    assert clean_name(name) == name
    assert len(name) <= LONGEST_NAME
    assert not set(name) & set('/\\<>:"|?*')
    assert name == name.strip(" .")
    assert all(unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in name)
    header = saved_as(name)["Content-Disposition"]
    assert header.isascii()
    assert header.isprintable()
    assert 4 == header.count('"') + header.count("''") * 2


@given(ANY_TEXT)
def test_a_title_stands_on_one_line(text: str) -> None:
    try:
        title = clean_title(text)
    except Invalid:
        assert len(text) > 200
        return
    assert title == clean_title(title) == " ".join(title.split())
    assert title.isprintable()
