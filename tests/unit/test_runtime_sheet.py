"""Tables that people send: every encoding and sign met in Türkiye is read alike, what cannot be read is said."""

from __future__ import annotations

import csv
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.errors import Invalid
from services.runtime.language import say
from services.runtime.sheet import Broken, open_sheet
from services.runtime.sheet import text as as_text
from services.runtime.sheet import workbook as as_workbook

PIECE = as_text._PIECE  # noqa: SLF001 - letters are cut there
TURKISH = "Çağrı Öğüt Şişli Iğdır İçel ç ğ ı ö ş ü Â"


def read(data: bytes, keep: list[int] | None = None) -> list[tuple[int, Any]]:
    with open_sheet(io.BytesIO(data)) as sheet:
        columns = list(range(len(sheet.header))) if keep is None else keep
        return [(number, "broken" if isinstance(cells, Broken) else cells) for number, cells in sheet.rows(columns)]


def why(data: bytes) -> str:
    """The refusal of a whole file, when it is opened or while it is read."""
    with pytest.raises(Invalid) as refused:
        read(data)
    (error,) = refused.value.details["errors"]
    assert "file" == error["field"]
    return say(error["message"], "en")


def reasons(data: bytes) -> list[tuple[int, str]]:
    with open_sheet(io.BytesIO(data)) as sheet:
        rows = sheet.rows(range(len(sheet.header)))
        return [(number, str(cells.reason)) for number, cells in rows if isinstance(cells, Broken)]


def xlsx(*rows: list[Any], **more: Any) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name, of_sheet in more.items():
        made = book.create_sheet(name)
        for row in of_sheet:
            made.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1254"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_delimiter_gives_the_same_rows(encoding: str, delimiter: str, end: str) -> None:
    lines = [delimiter.join(cells) for cells in (["ad", "il"], [TURKISH, "34"], [" boşluklu ", ""])]
    data = (end.join(lines) + end).encode(encoding)
    with open_sheet(io.BytesIO(data)) as sheet:
        assert ("csv", encoding, delimiter, ["ad", "il"]) == (
            sheet.format, sheet.encoding, sheet.delimiter, sheet.header,
        )  # fmt: skip
        assert [(2, [TURKISH, "34"]), (3, ["boşluklu", ""])] == list(sheet.rows([0, 1]))


def test_text_without_turkish_letters_is_utf_8() -> None:
    assert "utf-8" == open_sheet(io.BytesIO(b"a,b\n1,2\n")).encoding


def test_only_the_columns_asked_for_come_in_the_order_asked_for() -> None:
    assert [(2, ["3", "1"])] == read(b"a,b,c\n1,2,3\n", [2, 0])


def test_rows_may_be_read_again() -> None:
    with open_sheet(io.BytesIO(b"a,b\n1,2\n")) as sheet:
        assert list(sheet.rows([0])) == list(sheet.rows([0])) == [(2, ["1"])]


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks() -> None:
    data = b'a,b\n"x, ""y""","1\n2"\nz,3\n'
    assert [(2, ['x, "y"', "1\n2"]), (3, ["z", "3"])] == read(data)


def test_blank_rows_are_left_out_and_counted() -> None:
    assert [(3, ["1", "2"]), (6, ["3", "4"])] == read(b"a,b\n\n1,2\n , \n\n3,4\n")


def test_a_title_and_a_line_that_names_the_delimiter_may_stand_above_the_header() -> None:
    data = b"sep=;\nDernek Listesi\n\nad;il\nx;34\n"
    with open_sheet(io.BytesIO(data)) as sheet:
        assert (";", ["ad", "il"], [(5, ["x", "34"])]) == (sheet.delimiter, sheet.header, list(sheet.rows([0, 1])))


def test_a_table_of_one_column_is_a_table() -> None:
    assert [(2, ["x"]), (3, ["y"])] == read(b"name\nx\ny\n")


def test_short_rows_are_filled_and_rows_with_more_cells_than_the_header_are_broken() -> None:
    assert [(2, ["1", ""]), (3, "broken"), (4, ["1", "2"])] == read(b"a,b\n1\n1,2,3\n1,2,,\n")
    assert [(3, "The row has 3 cells and the header 2; perhaps quotation marks are missing.")] == reasons(
        b"a,b\n1\n1,2,3\n1,2,,\n"
    )


def test_an_unpaired_quotation_mark_breaks_its_own_row_alone() -> None:
    data = b'a,b\n1,2\n"3,4\n5,6\n7,8\n"9",10\n'
    assert [(2, ["1", "2"]), (3, "broken"), (4, ["5", "6"]), (5, ["7", "8"]), (6, ["9", "10"])] == read(data)
    assert [(2, "broken"), (3, ["5", "6"])] == read(b'a,b\n"3,4\n5,6\n')


def test_an_over_long_cell_breaks_its_row_alone() -> None:
    for most in (40_000, 200_000, 3_000_000):
        long = b"x" * most
        assert [(2, "broken"), (3, ["1", "2"])] == read(b"a,b\n" + long + b",1\n1,2\n")
        assert [(2, "broken"), (3, ["1", "2"])] == read(b'a,b\n"' + long + b'",1\n1,2\n')
        assert [(2, "broken"), (3, "broken"), (4, ["1", "2"])] == read(b'a,b\n"1,\n' + long + b",1\n1,2\n")


def test_unpaired_quotation_marks_cannot_keep_us_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_text, "_MOST_READ_AGAIN", 100_000)
    assert "not in pairs" in why(b"a,b\n" + b'a","\n' * 200_000)


def test_a_byte_that_is_no_text_is_named_with_its_row() -> None:
    assert why(b'a,b\n"1\n2",3\nx\x00,y\n').startswith("Row 3 holds a byte that is no text.")


@pytest.mark.parametrize("padding", [0, PIECE - 8, PIECE - 7, PIECE - 6])
def test_bytes_in_neither_encoding_are_named_with_their_row(padding: int) -> None:
    head = b"a,b\n" + b"p" * padding + b"\n1,2\n"
    assert why(head + b"\xfe\x81,1\n").startswith("Row 4 is neither UTF-8 nor Windows-1254.")
    assert why(head + "ş".encode() + b",1\n\xfe,2\n").startswith("Row 5 is in another encoding")
    assert why(head + b"\xfe,1\n" + "ı".encode() + b",2\n").startswith("Row 5 is in another encoding")


def test_a_mark_of_utf_8_rules_windows_1254_out() -> None:
    assert why(b"\xef\xbb\xbfa,b\n1,\xfe\n").startswith("Row 2 is in another encoding")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "The file is empty."),
        (b" \r\n\r\n", "The file is empty."),
        (b" " * 5000 + b"\n", "The file has no header"),
        (b",,\n,,\n", "The file has no header"),
        (b"%PDF-1.7 ...", "This is a PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "workbook of the old kind (XLS)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 1024**2 + "EncryptedPackage".encode("utf-16-le"),
            "locked with a password",
        ),
        ("ad,il\n".encode("utf-16"), "UTF-16"),
        (b"<html><table><tr><td>ad</td></tr></table></html>", "This is a web page or XML"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?>", "This is a web page or XML"),
        (b"PK\x03\x04 and then nothing", "no XLSX workbook, or a damaged one"),
        (",".join("c" * 201).encode() + b"\n", "more than 200 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(data: bytes, said: str) -> None:
    assert said in why(data)


CELL = st.text(st.characters(codec="cp1254", exclude_categories=("Cc", "Cs")), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CELL, CELL, CELL), max_size=8),
    st.sampled_from(["utf-8", "utf-8-sig", "cp1254"]),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_a_csv_writer_writes_is_read_back(rows: list[tuple[str, ...]], encoding: str, delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    # The letters of the header make the encoding plain, as those of a real list do.
    writer.writerows([("Adı", "İlçesi", "x"), *rows])
    expected = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(rows, start=2)
        if any(cell.strip() for cell in row)
    ]
    data = out.getvalue().encode(encoding)
    if encoding == "cp1254" and as_text._UTF_8_INSIDE.search(data):  # noqa: SLF001 - what Turkish letters are in UTF-8
        assert "another encoding" in why(data)  # by chance; refused and not guessed at
    else:
        assert expected == read(data)


def test_a_long_file_takes_little_memory(tmp_path: Path) -> None:
    long = tmp_path / "long.csv"
    with long.open("wb") as file:
        file.writelines(("Çıtrakağılı Güzelleştirme Derneği," * 8 + "34\n").encode() for _ in range(30_000))
    assert long.stat().st_size > 7_000_000
    tracemalloc.start()
    with long.open("rb") as file, open_sheet(file) as sheet:
        assert 29_999 == sum(1 for _ in sheet.rows([0, 8]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


# workbooks


def test_a_workbook_gives_the_rows_that_its_csv_gives() -> None:
    rows = [["Ad", "İl", "Not"], [TURKISH, "34", ""], ["x", "", "y, z\nw"]]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    with open_sheet(io.BytesIO(xlsx(*rows))) as sheet:
        assert ("xlsx", None, None, ["Ad", "İl", "Not"]) == (
            sheet.format, sheet.encoding, sheet.delimiter, sheet.header,
        )  # fmt: skip
        assert read(out.getvalue().encode()) == list(sheet.rows([0, 1, 2])) == list(sheet.rows([0, 1, 2]))


def test_dates_numbers_and_truths_become_plain_text() -> None:
    row = [
        date(2020, 1, 2), datetime(2020, 1, 2), datetime(2020, 1, 2, 3, 4, 5), time(9, 30), 34, 34.0, 1.5,  # noqa: DTZ001 - as in a sheet
        5321234567, 12345678901234567890, True, False, " a ",
    ]  # fmt: skip
    expected = [
        "2020-01-02", "2020-01-02", "2020-01-02T03:04:05", "09:30:00", "34", "34", "1.5",
        "5321234567", "12345678901234567000", "1", "0", "a",
    ]  # fmt: skip
    ((number, cells),) = read(xlsx([f"c{n}" for n in range(len(row))], row))
    expected[8] = cells[8]  # beyond what a sheet keeps exactly
    assert (2, expected) == (number, cells)
    assert "." not in cells[8]


def test_dates_count_from_1904_where_the_workbook_says_so() -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["a", "b"])
    book.active.append([date(2020, 1, 2), 1])
    assert [(2, ["2020-01-02", "1"])] == read(saved(book))


def test_blank_rows_and_far_cells_of_a_sheet_keep_their_numbers() -> None:
    book = openpyxl.Workbook()
    for place, value in {"A1": "Liste", "A3": "a", "C3": "c", "C6": "x", "XFD6": "far", "A9": " "}.items():
        book.active[place] = value
    assert [(6, ["", "", "x"])] == read(saved(book))
    assert [(6, [""])] == read(saved(book), [0])


def test_the_first_sheet_with_a_header_is_read_and_hidden_ones_come_last() -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx([], gizli=[["h", "i"], [1, 2]], dolu=[["a", "b"], [3, 4]])))
    book["gizli"].sheet_state = "hidden"
    assert [(2, ["3", "4"])] == read(saved(book))


def test_formulas_count_as_their_last_values_and_errors_break_their_row() -> None:
    made = xlsx(["a", "b"], ["=1+1", "x"], ["#DIV/0!", "y"])
    source = zipfile.ZipFile(io.BytesIO(made))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for name in source.namelist():
            part = source.read(name)
            if name.endswith("sheet1.xml"):
                part = part.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>").replace(b"<v></v>", b"<v>2</v>")
            changed.writestr(name, part)
    assert [(2, ["2", "x"]), (3, "broken")] == read(out.getvalue())
    assert [(3, "The cell in column A holds an error: #DIV/0!.")] == reasons(out.getvalue())
    assert [(2, ["x"]), (3, ["y"])] == read(out.getvalue(), [1])


SHARED = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"


def package(sheet: str, strings: str = "", **more: bytes) -> bytes:
    """A workbook whose XML is written by hand, as Excel writes it: texts stand in a part of their own."""
    source = zipfile.ZipFile(io.BytesIO(xlsx(["ad"])))
    out = io.BytesIO()
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    parts = {name: source.read(name) for name in source.namelist()}
    whole = sheet if "<!" in sheet else f"{head}<sheetData>{sheet}</sheetData></worksheet>"
    parts["xl/worksheets/sheet1.xml"] = whole.encode()
    if strings:
        parts["xl/sharedStrings.xml"] = strings.encode()
        override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{SHARED}"/></Types>'
        parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(b"</Types>", override.encode())
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in (parts | more).items():
            made.writestr(name, data)
    return out.getvalue()


def inline(*cells: str) -> str:
    return "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)


def test_rich_texts_escapes_and_cells_without_addresses_are_read() -> None:
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>Şiş</t></r><r><t>li</t></r>'
        "<rPh><t>okunuş</t></rPh></si><si><t>iki_x000A_satır</t></si></sst>"
    )
    sheet = (
        f"<row>{inline('a', 'b', 'c')}</row>"
        '<row><c t="s"><v>0</v></c><c t="s"><v>1</v></c><c t="str"><f>X()</f><v>değer</v></c></row>'
    )
    assert [(2, ["Şişli", "iki\nsatır", "değer"])] == read(package(sheet, strings))


def test_elements_may_have_a_prefix() -> None:
    sheet = (
        '<!-- --><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData><x:row>'
        '<x:c t="str"><x:v>a</x:v></x:c><x:c t="str"><x:v>b</x:v></x:c></x:row><x:row><x:c><x:v>1</x:v></x:c></x:row>'
        "</x:sheetData></x:worksheet>"
    )
    assert [(2, ["1", ""])] == read(package(sheet))


def test_over_long_cells_of_a_workbook_break_their_row() -> None:
    long = "x" * 32_768
    strings = f'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>{long}</t></si></sst>'
    sheet = f'<row>{inline("a", "b")}</row><row>{inline(long, "1")}</row><row><c t="s"><v>0</v></c></row><row>{inline("1")}</row>'
    assert [(2, "broken"), (3, "broken"), (4, ["1", ""])] == read(package(sheet, strings))


@pytest.mark.parametrize(
    "sheet",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaa">]><worksheet><sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd"><worksheet><sheetData/></worksheet>',
        f'<row>{inline("a", "b")}</row><row r="99999999">{inline("1")}</row>',
        f'<row r="5">{inline("a", "b")}</row><row r="4">{inline("1")}</row>',
        f'<row>{inline("a", "b")}</row><row><c t="s"><v>99</v></c></row>',
        f'<row>{inline("a", "b")}</row><row><c t="s"><v>-1</v></c></row>',
        f'<row>{inline("a", "b")}</row><row><c r="ZZZ9"><v>1</v></c></row>',
        f'<row>{inline("a", "b")}</row><row><c><v>many</v></c></row>',
        f'<row>{inline("a", "b")}</row><row><c',
    ],
)  # fmt: skip
def test_a_made_up_or_damaged_workbook_is_refused(sheet: str) -> None:
    assert "no XLSX workbook, or a damaged one" in why(package(sheet))


def test_other_kinds_of_packages_are_named() -> None:
    assert "XLSB or ODS" in why(package("", mimetype=b"application/vnd.oasis.opendocument.spreadsheet"))
    assert "XLSB or ODS" in why(package("", **{"xl/workbook.bin": b""}))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("readme.txt", "hello")
    assert "no XLSX workbook" in why(out.getvalue())


def test_a_workbook_cut_off_anywhere_is_refused_and_nothing_else_happens() -> None:
    whole = xlsx(["a", "b"], *([n, "x" * 50] for n in range(200)))
    for length in range(30, len(whole), 397):
        assert "XLSX" in why(whole[:length])


def test_a_workbook_that_unpacks_to_more_than_a_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_workbook, "_MOST_UNPACKED", 100_000)
    assert "larger inside" in why(xlsx(["a", "b"], *([n, n] for n in range(5_000))))
    monkeypatch.setattr(as_workbook, "_MOST_OF_A_PART", 100)
    assert "larger inside" in why(xlsx(["a", "b"]))


def sheet_of(rows: int) -> Iterator[bytes]:
    yield b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    yield f"<row>{inline('a', 'b')}</row>".encode()
    for number in range(rows):
        yield f'<row><c t="s"><v>{number % 1000}</v></c><c><v>{number}</v></c><c t="str"><v>{"z" * 40}</v></c></row>'.encode()
    yield b"</sheetData></worksheet>"


def test_a_long_workbook_takes_little_memory() -> None:
    strings = '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    strings += "".join(f"<si><t>Dernek {n}</t></si>" for n in range(20_000)) + "</sst>"
    data = io.BytesIO(package("", strings, **{"xl/worksheets/sheet1.xml": b"".join(sheet_of(12_000))}))
    del strings
    tracemalloc.start()
    with open_sheet(data) as sheet:
        assert 12_000 == sum(1 for _ in sheet.rows([0, 1]))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_500_000
