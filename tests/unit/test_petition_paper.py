"""Petitions and receipts on paper: what is printed can be read by people, screen readers and programs."""

from __future__ import annotations

import csv
import re
from datetime import date
from importlib import resources
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from docx import Document
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from services.petitions.adapters.paper import LARGEST, Paper, Receipt
from services.petitions.adapters.paper.docx import petition_docx
from services.petitions.adapters.paper.pdf import petition_pdf, qr_svg, receipt_pdf
from services.petitions.domain.advice import LONGEST_BODY, advise
from services.petitions.domain.advice.drafting import heading

LETTERS = "Iğdır’da İpek ağacı; öğün, şölen, çığ, üçgen: ÇĞİÖŞÜ çğıöşü â î û ₺ “tırnak” – uzun"
PAPER = Paper(
    municipality="Iğdır",
    subject="Sokak lambası",
    body=f"{LETTERS}\n\nLambanın onarılmasını arz ederim.",
    petitioner_type="organisation",
    name="Yer Çizenler Derneği",
    address="Örnek Sokak No: 3",
    authorised_person="Yönetim Kurulu Başkanı",
    dated_on=date(2026, 5, 22),
    attachments=["Fotoğraf #x $y$ *z*", "Tutanak"],
)
RECEIPT = Receipt(
    number="34-35/2026/D7",
    filed_on=date(2026, 5, 22),
    municipality="Şişli",
    tracking_code="ABCD-EFGH-JKMN-PQRS-TVWX-YZ",
    link="https://imece.example.org/tracking/ABCD",
    due_on=date(2026, 6, 22),
)


def read(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf))


def words(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in read(pdf).pages).split())


def docx_words(made: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in Document(BytesIO(made)).paragraphs)


@pytest.mark.parametrize("made", [petition_pdf(PAPER), receipt_pdf(RECEIPT)], ids=["petition", "receipt"])
def test_a_pdf_is_tagged_and_says_its_title_and_language(made: bytes) -> None:
    root: Any = read(made).trailer["/Root"]
    assert (True, "tr", True) == (root["/MarkInfo"]["/Marked"], root["/Lang"], "/StructTreeRoot" in root)
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    metadata = read(made).metadata
    assert metadata is not None
    assert metadata.title


def test_a_pdf_is_a4_and_its_fonts_are_inside() -> None:
    page = read(petition_pdf(PAPER)).pages[0]
    assert [595, 842] == [round(float(side)) for side in page.mediabox[2:]]
    fonts: Any = page["/Resources"]["/Font"]  # type: ignore[index]
    for font in fonts.values():
        described = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described)


def test_the_words_of_a_petition_can_be_taken_out_of_its_pdf() -> None:
    said = words(petition_pdf(PAPER))
    for expected in (
        "22.05.2026", "IĞDIR BELEDİYE BAŞKANLIĞINA", "Konu: Sokak lambası", LETTERS, "Lambanın onarılmasını arz ederim.",
        "Yer Çizenler Derneği", "Yönetim Kurulu Başkanı", "Adres: Örnek Sokak No: 3",
        "1. Fotoğraf #x $y$ *z*", "2. Tutanak", "1 / 1",
    ):  # fmt: skip
        assert expected in said


def test_the_docx_says_the_same_and_is_marked_as_turkish() -> None:
    said = docx_words(petition_docx(PAPER))
    for expected in ("22.05.2026", "IĞDIR BELEDİYE BAŞKANLIĞINA", LETTERS, "Yer Çizenler Derneği", "Tutanak"):
        assert expected in said
    with ZipFile(BytesIO(petition_docx(PAPER))) as archive:
        assert b'w:lang w:val="tr-TR"' in archive.read("word/styles.xml")
        assert b'w:instr="PAGE"' in b"".join(archive.read(n) for n in archive.namelist() if "footer" in n)
    assert Document(BytesIO(petition_docx(PAPER))).core_properties.title == "Dilekçe: Sokak lambası"


@pytest.mark.parametrize(
    ("called", "head"),
    [("Şişli", "ŞİŞLİ BELEDİYE BAŞKANLIĞINA"), ("Şişli Belediyesi", "ŞİŞLİ BELEDİYE BAŞKANLIĞINA"),
     ("İstanbul Büyükşehir Belediyesi", "İSTANBUL BÜYÜKŞEHİR BELEDİYE BAŞKANLIĞINA"),
     ("Iğdır Belediyesi", "IĞDIR BELEDİYE BAŞKANLIĞINA"), ("", "… BELEDİYE BAŞKANLIĞINA")],
)  # fmt: skip
def test_the_authority_is_named_once_whatever_the_registry_calls_it(called: str, head: str) -> None:
    paper = Paper(municipality=called, subject="Rampa", body="Rampa kırık.", petitioner_type="citizen")
    assert head == paper.to_plain()["head"]
    assert advise("Rampa", "Rampa kırık.", "citizen", municipality=called).draft.startswith(head)


def test_every_municipality_of_the_registry_is_headed_with_one_belediye() -> None:
    source = resources.files("services.registry").joinpath("data", "municipalities.csv").read_text("utf-8")
    names = [row["name"] for row in csv.DictReader(source.splitlines())]
    assert len(names) > 900
    wrong = [name for name in names if len(re.findall("BELED[İI]YE", heading(name))) != 1]
    assert [] == wrong


def test_a_receipt_holds_number_date_authority_code_and_link() -> None:
    said = words(receipt_pdf(RECEIPT))
    for expected in (
        "34-35/2026/D7",
        "22.05.2026",
        "ŞİŞLİ BELEDİYE BAŞKANLIĞI ",
        "ABCD-EFGH-JKMN-PQRS-TVWX-YZ",
        "22.06.2026",
        RECEIPT.link,
    ):
        assert expected in said
    assert 1 == len(read(receipt_pdf(RECEIPT)).pages)
    assert qr_svg(RECEIPT.link) != qr_svg(RECEIPT.link + "E")


def test_the_same_content_makes_the_same_bytes() -> None:
    assert petition_pdf(PAPER) == petition_pdf(PAPER)
    assert petition_docx(PAPER) == petition_docx(PAPER)
    assert receipt_pdf(RECEIPT) == receipt_pdf(RECEIPT)


def test_a_long_text_flows_over_numbered_pages() -> None:
    body = "\n\n".join(f"{number}. paragraf: kaldırımın onarılması gerekir." for number in range(390))[:LONGEST_BODY]
    made = petition_pdf(Paper("Şişli", "Uzun", body, "citizen"))
    pages = read(made).pages
    assert len(pages) > 5
    assert f"{len(pages)} / {len(pages)}" in pages[-1].extract_text()
    assert "389. paragraf" in words(made)
    assert max(len(made), len(petition_docx(Paper("Şişli", "Uzun", body, "citizen")))) < LARGEST


def test_one_word_of_full_length_makes_a_paper_too() -> None:
    paper = Paper("Şişli", "Uzun", "ğ" * LONGEST_BODY, "citizen")
    assert petition_pdf(paper).startswith(b"%PDF")
    assert LONGEST_BODY == docx_words(petition_docx(paper)).count("ğ")


def test_a_draft_is_printed_without_saying_anything_twice() -> None:
    draft = advise("Bank", "Parka bank konulmasını arz ederim.", "citizen", municipality="Şişli").draft
    said = words(petition_pdf(Paper("Kadıköy", "Bank", draft, "citizen", name="başka", dated_on=date(2026, 1, 2))))
    assert [1, 1, 1, 0] == [said.count(each) for each in ("BAŞKANLIĞINA", "Konu:", "Ad soyad:", "başka")]


def test_letters_that_the_fonts_lack_do_not_stop_a_paper() -> None:
    paper = Paper("Şişli", "Dil", "ئەم نامەیە 漢字 \U0001f600 \x07\x00 \ufffe", "citizen")
    assert petition_pdf(paper).startswith(b"%PDF")
    assert petition_docx(paper).startswith(b"PK")


@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=80), day=st.none() | st.dates())
def test_any_text_can_be_printed(text: str, day: date | None) -> None:
    paper = Paper(text, text, text, "organisation", text, text, text, text, day, [text])
    assert petition_pdf(paper).startswith(b"%PDF")
    assert petition_docx(paper).startswith(b"PK")
