"""What a file is, by what is in it: one thing only, whole, and nothing that runs."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.content import DOCX, ENDINGS, JPEG, ODT, PDF, PNG, TEXT, TIFF, XLSX, agrees, media_type

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACRO_WORD = "application/vnd.ms-word.document.macroEnabled.main+xml"
MACRO_SHEET = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


def zipped(*names: str, first: dict[str, str | bytes] | None = None, packed: bool = True) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in (first or {}).items():
            archive.writestr(name, content)
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


def docx(*more: str, types: str = WORD, **parts: str | bytes) -> bytes:
    return zipped("word/document.xml", *more, first={"[Content_Types].xml": f'<Types>"{types}"</Types>', **parts})


def odt(*more: str, kind: str = ODT) -> bytes:
    return zipped("content.xml", *more, first={"mimetype": kind}, packed=False)


def xlsx() -> bytes:
    file, book = io.BytesIO(), openpyxl.Workbook()
    book.active.append(["Şişli", 1])
    book.save(file)
    return file.getvalue()


def png() -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + name + data + struct.pack(">L", zlib.crc32(name + data))

    head = struct.pack(">2L5B", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


RIGHT = {
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\nendobj\n%%EOF\n", PDF),
    "png": (png(), PNG),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9", JPEG),
    "little tiff": (b"II*\x00\x08\x00\x00\x00\x00\x00\x00\x00", TIFF),
    "big tiff": (b"MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00", TIFF),
    "docx": (docx(), DOCX),
    "xlsx": (xlsx(), XLSX),
    "odt": (odt("META-INF/manifest.xml", "styles.xml"), ODT),
    "text": ("Sayın Başkanlığa,\r\n\tarz ederiz.\f\n".encode(), TEXT),
    "text with a mark": ("\ufeffIğdır".encode(), TEXT),
}


@pytest.mark.parametrize(("content", "expected"), RIGHT.values(), ids=RIGHT)
def test_a_document_is_what_its_content_says(content: bytes, expected: str) -> None:
    assert expected == media_type(io.BytesIO(content))
    assert media_type(io.BytesIO(content), set(ENDINGS) - {expected}) is None


def bomb() -> bytes:
    """A document of 60 kB that fills 60 MB."""
    return docx(**{"word/media/x": bytes(60_000_000)})


def overlapping() -> bytes:
    """A list in which one part stands many times under different names, as the newest bombs have it."""
    whole = docx(**{"word/media/aaaa": bytes(range(256)) * 100})
    entry = whole.index(b"PK\x01\x02", whole.index(b"word/document.xml"))
    end = whole.index(b"PK\x05\x06")
    part = next(
        whole[start : start + 46 + len("word/media/aaaa")]
        for start in range(entry, end)
        if whole[start : start + 4] == b"PK\x01\x02" and b"word/media/aaaa" == whole[start + 46 : start + 61]
    )
    more = [part.replace(b"word/media/aaaa", b"word/media/%04d" % number) for number in range(100)]
    listed = whole[whole.index(b"PK\x01\x02") : end] + b"".join(more)
    start, count = whole.index(b"PK\x01\x02"), 3 + len(more)
    return whole[:start] + listed + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), start, 0)


def locked() -> bytes:
    """A document whose list says that its parts are encrypted."""
    content = bytearray(docx())
    for place in range(len(content)):
        if content[place : place + 4] == b"PK\x01\x02":
            content[place + 8] |= 1
    return bytes(content)


WRONG = {
    "nothing": b"",
    "a program": b"MZ\x90\x00\x03",
    "a script of bytes": b"#!/bin/sh\n\x00",
    "text in windows-1254": "Şişli Belediyesine".encode("cp1254"),
    "text in utf-16": "Şişli".encode("utf-16"),
    "text cut within a letter": "Şişli ğ".encode()[:-1],
    "text with an escape": b"\x1b[31mred",
    "a page that holds a pdf": b"<html>%PDF-1.7",
    "a picture that is a pdf too": RIGHT["jpeg"][0] + b"%PDF-1.7",
    "a pdf that is an archive too": RIGHT["pdf"][0] + docx(),
    "a picture that is an archive too": png() + zipped("a"),
    "text that is an archive too": b"text" + zipped("a", packed=False),
    "an archive with something before it": b"PK\x03\x04xx" + docx(),
    "an archive with something after it": docx() + b"%PDF-1.7",
    "an archive of anything": zipped("anything.txt"),
    "an archive that broke off": docx()[:-30],
    "an archive and no more": b"PK\x03\x04 and no more",
    "a document with macros": docx("word/vbaProject.bin"),
    "a document with macros elsewhere": docx("word/deeper/VBAPROJECT.BIN"),
    "a document of the kind with macros": docx(types=f'{MACRO_WORD}" "{WORD}'),
    "a workbook of the kind with macros": zipped("xl/workbook.xml", first={"[Content_Types].xml": MACRO_SHEET}),
    "a workbook with old macros": zipped("xl/workbook.xml", "xl/macrosheets/s.xml", first={"[Content_Types].xml": SHEET}),
    "a document with a control that runs": docx("word/activeX/activeX1.bin"),
    "a document that is a program too": docx("META-INF/MANIFEST.MF", "Main.class"),
    "an open document with macros": odt("Basic/script-lc.xml"),
    "an open sheet": odt(kind="application/vnd.oasis.opendocument.spreadsheet"),
    "a name twice": docx("word/documenu.xml").replace(b"documenu", b"document"),
    "a bomb": bomb(),
    "a bomb of overlapping parts": overlapping(),
    "a locked document": locked(),
    "a list that never ends": docx(types=WORD + " " * 2_000_000),
    "a picture without a header": b"\x89PNG\r\n\x1a\n........",
    "a scan without a page": b"II*\x00\xff\xff\xff\x7f",
    "a scan that broke off": b"MM\x00*\x00",
}  # fmt: skip


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_is_none_of_them_or_two_at_once_or_runs_or_bursts_is_nothing(content: bytes) -> None:
    assert media_type(io.BytesIO(content)) is None


@given(st.sampled_from(sorted(RIGHT)), st.data())
def test_a_document_in_which_bytes_were_changed_is_that_kind_or_nothing(name: str, data: st.DataObject) -> None:
    content, kind = bytearray(RIGHT[name][0]), RIGHT[name][1]
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert media_type(io.BytesIO(bytes(content))) in {kind, None, TEXT}


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"II*\x00", b"\xff\xd8\xff"]))
def test_any_bytes_have_an_answer(content: bytes, start: bytes) -> None:
    assert media_type(io.BytesIO(start + content)) in {None, *ENDINGS}


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1))
def test_text_is_text_wherever_it_is_cut_into_pieces(text: str) -> None:
    if not text.startswith("%PDF-"):
        assert TEXT == media_type(io.BytesIO((text * (300_000 // len(text.encode()) + 1)).encode()))


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        (PDF, "Dilekçe.PDF", True),
        (JPEG, "tarama.jpg", True),
        (JPEG, "tarama.jpeg", True),
        (TIFF, "tarama.tif", True),
        (PDF, "dilekce.docx", False),
        (PDF, "pdf", False),
        (PDF, "dilekce.pdf.exe", False),
        (DOCX, "rapor.docm", False),
        (TEXT, "", False),
    ],
)
def test_a_name_goes_with_a_kind_by_its_ending(kind: str, name: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert expected == agrees(kind, name)
