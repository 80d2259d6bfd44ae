"""Tables as XLSX.

openpyxl tells what the package holds: sheets, date formats, the first day. The rows and the shared
texts are read here, because openpyxl keeps all texts and a trace of every row in memory.
"""

from __future__ import annotations

import errno
import re
import tempfile
import warnings
import zlib
from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

import eventlet
from openpyxl import DEFUSEDXML
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.datetime import from_excel

from services.kernel.errors import ImeceError
from services.kernel.text import Sentence
from services.runtime.sheet.page import (
    LONGEST_CELL,
    MOST_COLUMNS,
    YIELD_EVERY,
    Broken,
    Sheet,
    header_among,
    no_header,
    too_long,
    unreadable,
    without_trailing_blanks,
)

if not DEFUSEDXML:
    message = "openpyxl reads XML unguarded without the package defusedxml"
    raise ImportError(message)

_MOST_UNPACKED = 1024**3
"""Bytes of a sheet or its texts; the largest real list is a seventh of that."""
_MOST_OF_A_PART = 16 * 1024**2
"""Bytes of a part that is read whole, as the list of sheets."""
_MOST_ROWS = 1_048_576
_MOST_COLUMNS_THERE = 16_384
_PIECE = 64 * 1024

_COORDINATE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})\Z")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

Row = dict[int, str | Broken]
"""Column → what stands there; what is blank is left out."""


class Workbook(Sheet):
    """The first sheet of a workbook that has a header. Made by `opened`."""

    format = "xlsx"
    encoding = None
    delimiter = None

    def __init__(self, package: _Package, texts: _Texts, part: str, found: tuple[int, list[str]]) -> None:
        self._package, self._texts, self._part = package, texts, part
        self._header_row, self.header = found

    @classmethod
    def opened(cls, file: BinaryIO, folder: Path | None) -> Workbook:
        """The table in `file`; Invalid when it is no workbook or none of its sheets has a header.

        The texts lie without a name in `folder`, by default where the system has its temporary files.
        """
        with _as_invalid():
            package = _Package(file)
            texts = _Texts(folder)
            try:
                package.read_texts(texts)
                for part in package.sheets():
                    rows = ((number, _listed(row)) for number, row in package.rows(part, texts, None) if row)
                    if found := header_among(rows):
                        return cls(package, texts, part, (found[0], without_trailing_blanks(found[1])))
            except BaseException:
                texts.close()
                raise
            texts.close()
            raise no_header()

    def rows(self, keep: Sequence[int]) -> Iterator[tuple[int, list[str] | Broken]]:
        """See `Sheet`. Formulas count as the values they had when the file was saved."""
        wanted = frozenset(keep)
        with _as_invalid():
            for count, (number, row) in enumerate(self._package.rows(self._part, self._texts, wanted)):
                if count % YIELD_EVERY == 0:
                    eventlet.sleep(0)
                if number <= self._header_row or not row:
                    continue
                broken = next((cell for cell in row.values() if isinstance(cell, Broken)), None)
                yield number, broken or [row.get(each, "") for each in keep]  # type: ignore[misc]

    def close(self) -> None:
        """Give back the disk that the texts took."""
        self._texts.close()


def _listed(row: Row) -> list[str]:
    cells = [""] * (max(row) + 1)
    for column, cell in row.items():
        if isinstance(cell, Broken):
            raise unreadable(cell.reason)
        cells[column] = cell
    return cells


_BROKEN = (
    BadZipFile, zlib.error, expat.ExpatError, EOFError, LookupError, TypeError, ValueError, ArithmeticError,
    AttributeError, NotImplementedError,
)  # fmt: skip
"""What zip, XML and the workbook's reader raise for a file that is not as they expect."""


@contextmanager
def _as_invalid() -> Iterator[None]:
    """Whatever a damaged or made-up file breaks is said as a refusal of the file."""
    try:
        yield
    except (ImeceError, GeneratorExit):
        raise
    except RuntimeError as error:
        if "encrypted" not in str(error):
            raise unreadable(_damaged()) from error
        raise unreadable(
            Sentence("The workbook is locked with a password. Take the password off and send it again.")
        ) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise  # our disk and not the file
        raise unreadable(_damaged()) from error
    except _BROKEN as error:
        raise unreadable(_damaged()) from error


def _damaged() -> Sentence:
    return Sentence(
        "This is no XLSX workbook, or a damaged one. Open it in your spreadsheet program and save it as XLSX anew."
    )


class _Archive(ZipFile):
    """A package whose parts cannot unpack to more than is expected of them."""

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        """A part that is read whole."""
        if self.getinfo(name).file_size > _MOST_OF_A_PART:
            raise unreadable(Sentence("The workbook is larger inside than a table can be."))
        return super().read(name, pwd)

    def pieces(self, name: str) -> Iterator[bytes]:
        """A part piece by piece; zipfile never unpacks more than the directory says."""
        if self.getinfo(name).file_size > _MOST_UNPACKED:
            raise unreadable(Sentence("The workbook is larger inside than a table can be."))
        with self.open(name) as part:
            while piece := part.read(_PIECE):
                yield piece


class _Package(ExcelReader):
    """What openpyxl finds out about a workbook, without its rows and texts."""

    def __init__(self, file: BinaryIO) -> None:
        self.archive = _Archive(file)
        self.valid_files = self.archive.namelist()
        self.read_only = self.data_only = True
        self.keep_vba = self.keep_links = self.rich_text = False
        self.shared_strings: list[str] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions that no table needs
            self._look()

    def _look(self) -> None:
        self.read_manifest()
        if "xl/workbook.bin" in self.valid_files or "mimetype" in self.valid_files:
            raise unreadable(
                Sentence(
                    "This is a table of another kind (XLSB or ODS). Save it as XLSX or as “CSV UTF-8” and send that."
                )
            )
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)

    def sheets(self) -> list[str]:
        """The parts of the sheets: those that are shown before those that are hidden."""
        found = [
            (sheet.state != "visible", rel.target)
            for sheet, rel in self.parser.find_sheets()
            if rel.target in self.valid_files and "chartsheet" not in rel.Type
        ]
        return [target for _, target in sorted(found, key=lambda each: each[0])]

    def read_texts(self, texts: _Texts) -> None:
        """Put the texts that the sheets share into `texts`."""
        part = self.package.find("application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml")
        if part is None:
            return
        reading = _TextParser(texts.add)
        for piece in self.archive.pieces(str(PurePosixPath(part.PartName).relative_to("/"))):
            reading.feed(piece)
            eventlet.sleep(0)
        reading.end()

    def rows(self, part: str, texts: _Texts, wanted: frozenset[int] | None) -> Iterator[tuple[int, Row]]:
        """The rows of a sheet with their numbers. Other columns than `wanted` only show whether a row is blank."""
        found: list[tuple[int, Row]] = []
        reading = _RowParser(lambda number, row: found.append((number, row)), texts, self._date, wanted)
        for piece in self.archive.pieces(part):
            reading.feed(piece)
            yield from found
            found.clear()
            if reading.is_done:
                return
        reading.end()

    def _date(self, style: int, serial: float) -> date | time | str | None:
        """The day or time that the number means in a cell of this style; None when it is just a number."""
        if style not in self.wb._date_formats:  # noqa: SLF001 - openpyxl's own reader takes it from there
            return None
        length = style in self.wb._timedelta_formats  # noqa: SLF001 - the same
        found: Any = from_excel(serial, self.wb.epoch, timedelta=length)
        return found if isinstance(found, date | time) else str(found)


class _Texts:
    """The texts that the sheets share, on the disk; only where each begins is in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()
        self._begins = array("Q", [0])

    def add(self, text: str | Broken) -> None:
        """The next text; one that is too long stands there as its reason."""
        data = b"\x00" if isinstance(text, Broken) else text.encode("utf-8", "replace")
        self._file.write(data)
        self._begins.append(self._begins[-1] + len(data))

    def __getitem__(self, number: int) -> str | Broken:
        if not 0 <= number < len(self._begins) - 1:
            raise IndexError(number)
        begin, end = self._begins[number], self._begins[number + 1]
        self._file.seek(begin)
        data = self._file.read(end - begin)
        return Broken(too_long()) if data == b"\x00" else data.decode("utf-8")

    def close(self) -> None:
        """Give back the disk."""
        self._file.close()


class _Parser(ABC):
    """Reads XML piece by piece, keeping nothing. Parts of a workbook have no DTD, so that one is refused."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self.start
        self._parser.EndElementHandler = self.stop
        self._parser.CharacterDataHandler = self.data
        self._text: list[str] = []
        self._size = 0
        self._listening = False

    def feed(self, piece: bytes) -> None:
        self._parser.Parse(piece, False)

    def end(self) -> None:
        self._parser.Parse(b"", True)

    def _refuse(self, *_: object) -> None:
        raise ValueError

    @abstractmethod
    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins; millions of times, so that nothing stands between expat and this."""

    @abstractmethod
    def stop(self, name: str) -> None:
        """An element ends."""

    def data(self, text: str) -> None:
        # One character more than is allowed is enough to know that it is too long.
        if self._listening and self._size <= LONGEST_CELL:
            self._text.append(text)
            self._size += len(text)

    def forget(self) -> None:
        self._text.clear()
        self._size = 0

    def said(self) -> str | Broken:
        """The text since `forget`."""
        if self._size > LONGEST_CELL:
            return Broken(too_long())
        text = "".join(self._text)
        return _ESCAPED.sub(_unescaped, text) if "_x" in text else text


def _local(name: str) -> str:
    """The name without the prefix that some programs put before every element."""
    return name.rpartition(":")[2]


def _unescaped(found: re.Match[str]) -> str:
    """The character of an escape of Excel's; what no database holds becomes a mark of replacement."""
    code = int(found[1], 16)
    return "\ufffd" if code == 0 or 0xD800 <= code <= 0xDFFF else chr(code)  # noqa: PLR2004 - halves of pairs


class _TextParser(_Parser):
    """The shared texts, without how words are pronounced."""

    def __init__(self, take: Callable[[str | Broken], None]) -> None:
        super().__init__()
        self._take = take
        self._aside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002 - as in _Parser
        if ":" in name:
            name = _local(name)
        if name == "si":
            self.forget()
        elif name == "rPh":
            self._aside = True
        elif name == "t":
            self._listening = not self._aside

    def stop(self, name: str) -> None:
        if ":" in name:
            name = _local(name)
        if name == "t":
            self._listening = False
        elif name == "rPh":
            self._aside = False
        elif name == "si":
            self._take(self.said())


class _RowParser(_Parser):
    """The rows of a sheet."""

    def __init__(
        self,
        take: Callable[[int, Row], None],
        texts: _Texts,
        date_of: Callable[[int, float], date | time | str | None],
        wanted: frozenset[int] | None,
    ) -> None:
        super().__init__()
        self._take, self._texts, self._date_of, self._wanted = take, texts, date_of, wanted
        self._number = 0
        self._column = -1
        self._row: Row = {}
        self._kind, self._style = "n", 0
        self._aside = False
        self.is_done = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if ":" in name:
            name = _local(name)
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._listening = not self._aside
        elif name == "rPh":
            self._aside = True
        elif name == "row":
            given = attributes.get("r")
            number = int(given) if given else self._number + 1
            if not self._number < number <= _MOST_ROWS:
                raise ValueError(number)
            self._number, self._column, self._row = number, -1, {}

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._column += 1
        if given := attributes.get("r"):
            found = _COORDINATE.match(given)
            if found is None:
                raise ValueError(given)
            self._column = _column(found[1])
        if self._column >= _MOST_COLUMNS_THERE:
            raise ValueError(self._column)
        self._kind = attributes.get("t", "n")
        self._style = int(attributes.get("s", "0"))
        self.forget()

    def stop(self, name: str) -> None:
        if ":" in name:
            name = _local(name)
        if name in ("v", "t"):
            self._listening = False
        elif name == "rPh":
            self._aside = False
        elif name == "c":
            self._end_cell()
        elif name == "row":
            self._take(self._number, self._row)
        elif name == "sheetData":
            self.is_done = True

    def _end_cell(self) -> None:
        if not self._size:
            return
        if self._wanted is None:
            if self._column > MOST_COLUMNS:
                return  # far to the right of any header
        elif self._column not in self._wanted:
            self._row.setdefault(-1, "")  # the row is not blank
            return
        cell = self._value()
        if cell:
            self._row[self._column] = cell

    def _value(self) -> str | Broken:
        said = self.said()
        if isinstance(said, Broken):
            return said
        read = _KINDS.get(self._kind)
        return read(self, said.strip()) if read else said.strip()

    def _shared(self, said: str) -> str | Broken:
        text = self._texts[int(said)]
        return text.strip() if isinstance(text, str) else text

    def _truth(self, said: str) -> str:
        return "1" if int(said) else "0"

    def _error(self, said: str) -> Broken:
        return Broken(
            Sentence("The cell in column {column} holds an error: {error}.", column=_letters(self._column), error=said)
        )

    def _day(self, said: str) -> str:
        return _moment(datetime.fromisoformat(said))

    def _plain(self, said: str) -> str | Broken:
        number = float(said)
        if self._style:
            try:
                moment = self._date_of(self._style, number)
            except (OverflowError, ValueError):
                return Broken(
                    Sentence("The cell in column {column} holds no possible date.", column=_letters(self._column))
                )
            if moment is not None:
                return _moment(moment)
        if said.isdecimal() and said.isascii():
            return said  # also of more digits than a float keeps
        return str(int(number)) if number.is_integer() else repr(number)


_KINDS: dict[str, Callable[[_RowParser, str], str | Broken]] = {
    "n": _RowParser._plain,  # noqa: SLF001 - its own table
    "s": _RowParser._shared,  # noqa: SLF001 - the same
    "b": _RowParser._truth,  # noqa: SLF001 - the same
    "e": _RowParser._error,  # noqa: SLF001 - the same
    "d": _RowParser._day,  # noqa: SLF001 - the same
}
"""How the text of a cell of each kind is read; other kinds are text."""


def _moment(moment: date | time | str) -> str:
    """A day as `YYYY-MM-DD`, with the time only where one was meant."""
    if isinstance(moment, datetime):
        return moment.date().isoformat() if moment.time() == time() else moment.isoformat(timespec="seconds")
    return moment if isinstance(moment, str) else moment.isoformat()


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _letters(column: int) -> str:
    found = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found
