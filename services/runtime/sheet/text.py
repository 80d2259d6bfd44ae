"""Tables as text: CSV with commas, semicolons or tabs, in UTF-8 or Windows-1254."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Literal, cast

import eventlet

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

Encoding = Literal["utf-8", "utf-8-sig", "cp1254"]

_DELIMITERS = (",", ";", "\t")
_PIECE = 256 * 1024
_LONGEST_LINE = 1024 * 1024
_LONGEST_RECORD = 2 * 1024 * 1024
_MOST_READ_AGAIN = 64 * 1024 * 1024
"""Characters read once more after unpaired quotation marks, so that a file made for it cannot keep us busy."""

# Turkish letters in UTF-8, as Windows-1254 would show them: Ä±, Ã¼ and so on. Nobody writes that on purpose.
_UTF_8_INSIDE = re.compile(rb"\xc4[\xb0\xb1\x9e\x9f]|\xc5[\x9e\x9f]|\xc3[\xbc\xb6\xa7\x9c\x96\x87]")
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t])"?\Z')
_QUOTED = re.compile(r'"[^"]*"')


def encoding_of(file: BinaryIO) -> Encoding:
    """In which of three encodings the text is; Invalid, naming the row, when it is in none of them or in two.

    One pass; UTF-8 when all of it can be read as that, else Windows-1254.
    """
    file.seek(0)
    with_mark = file.read(3) == codecs.BOM_UTF8
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    position, letters = 0, False
    while True:
        piece = file.read(_PIECE)
        if b"\x00" in piece:
            raise unreadable(
                Sentence(
                    "Row {row} holds a byte that is no text. Save the table as “CSV UTF-8” or as XLSX.",
                    row=_row_at(file, position + piece.index(b"\x00")),
                )
            )
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            # The decoder may still hold the first bytes of a letter from the piece before.
            at = position + len(piece) - len(error.object) + error.start
            letters = letters or _has_letters(error.object[: error.start].decode("utf-8"))
            if with_mark or letters:
                raise unreadable(_mixed(_row_at(file, at))) from None
            _demand_cp1254(file)
            return "cp1254"
        if not piece:
            return "utf-8-sig" if with_mark else "utf-8"
        letters = letters or _has_letters(text)
        position += len(piece)
        eventlet.sleep(0)


def _has_letters(text: str) -> bool:
    """Whether letters beyond ASCII were read, as they are in Turkish; by chance that does not happen."""
    return not text.isascii() and any("À" <= each <= "ɏ" for each in text)


def _demand_cp1254(file: BinaryIO) -> None:
    file.seek(0)
    position, before = 0, b""
    while piece := file.read(_PIECE):
        try:
            piece.decode("cp1254")
        except UnicodeDecodeError as error:
            raise unreadable(
                Sentence(
                    "Row {row} is neither UTF-8 nor Windows-1254. Save the table as “CSV UTF-8” or as XLSX.",
                    row=_row_at(file, position + error.start),
                )
            ) from None
        if found := _UTF_8_INSIDE.search(before + piece):
            raise unreadable(_mixed(_row_at(file, position - len(before) + found.start())))
        position += len(piece)
        before = piece[-1:]
        eventlet.sleep(0)


def _mixed(row: int) -> Sentence:
    return Sentence(
        "Row {row} is in another encoding than the rows before. Save the whole table as “CSV UTF-8” or as XLSX.",
        row=row,
    )


def _row_at(file: BinaryIO, position: int) -> int:
    """The number of the row in which the byte stands; line breaks inside quotation marks do not count."""
    file.seek(0)
    row, quoted, left = 1, False, position
    last = b""
    while left > 0 and (piece := file.read(min(_PIECE, left))):
        left -= len(piece)
        for part in re.split(rb'(")', piece):
            if part == b'"':
                quoted = not quoted
            elif not quoted:
                joined = part.replace(b"\r\n", b"\n")
                row += joined.count(b"\n") + joined.count(b"\r")
                if last == b"\r" and part.startswith(b"\n"):
                    row -= 1  # the two halves of one line break
            last = part[-1:] or last
    return row


class Text(Sheet):
    """CSV. Made by `opened`."""

    format = "csv"

    def __init__(self, file: BinaryIO, encoding: Encoding, delimiter: str) -> None:
        self._file = file
        self.encoding: str = encoding
        self.delimiter: str = delimiter
        found = header_among(self._readable())
        if found is None:
            raise no_header()
        self._header_row, cells = found
        self._width = len(cells)
        self.header = without_trailing_blanks(cells)

    @classmethod
    def opened(cls, file: BinaryIO, encoding: Encoding) -> Text:
        """The table in `file`; Invalid when it has no header."""
        return cls(file, encoding, _delimiter(file, encoding))

    def rows(self, keep: Sequence[int]) -> Iterator[tuple[int, list[str] | Broken]]:
        """See `Sheet`. A row with more cells than the header is Broken, a shorter one is filled with empty cells."""
        last = max(keep, default=-1)
        width = self._width
        for count, (number, cells) in enumerate(self._records()):
            if count % YIELD_EVERY == 0:
                eventlet.sleep(0)
            if number <= self._header_row:
                continue
            if isinstance(cells, Broken):
                yield number, cells
                continue
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            if any(stripped[width:]):
                yield (
                    number,
                    Broken(
                        Sentence(
                            "The row has {found} cells and the header {named}; perhaps quotation marks are missing.",
                            found=len(without_trailing_blanks(stripped)),
                            named=width,
                        )
                    ),
                )
                continue
            if len(stripped) <= last:
                stripped += [""] * (last + 1 - len(stripped))
            kept = [stripped[each] for each in keep]
            yield number, Broken(too_long()) if any(len(cell) > LONGEST_CELL for cell in kept) else kept

    def close(self) -> None:
        """Nothing was needed."""

    def _readable(self) -> Iterator[tuple[int, list[str]]]:
        """The rows from the top, for finding the header; a broken one there is the end of it."""
        for number, cells in self._records():
            if isinstance(cells, Broken):
                raise unreadable(Sentence("Row {row} cannot be read, and no header stands above it.", row=number))
            if number == 1 and cells and _SEPARATOR_LINE.match(self.delimiter.join(cells).strip()):
                continue
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield number, stripped

    def _records(self) -> Iterator[tuple[int, list[str] | Broken]]:
        """Every record with its number, blank ones too.

        A quotation mark that is not paired breaks its own row alone: reading goes on with the line below.
        """
        lines = _Lines(_opened(self._file, self.encoding))
        number = 0
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.begin()
            number += 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _LineTooLong:
                yield number, Broken(too_long())
            except (csv.Error, _RecordTooLong) as error:
                # csv has a limit of its own for a cell; and the record may have swallowed the rows after it.
                lines.give_back()
                yield number, Broken(_reason(error))
            else:
                yield number, cells
                continue
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)


def _reason(error: Exception) -> Sentence:
    if isinstance(error, _RecordTooLong) or "limit" in str(error):
        return too_long()
    return Sentence("The quotation marks of the row are not in pairs.")


class _LineTooLong(Exception):
    """A line that no table has."""


class _RecordTooLong(Exception):
    """A record that goes on and on over many lines."""


class _Lines:
    """The lines of a text, of which those of the present record can be given back but the first."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._taken: list[str] = []
        self._size = self._again = 0
        # None stands for a line that is too long.
        self._given_back: list[str | None] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def begin(self) -> None:
        """A record begins."""
        self._taken.clear()
        self._size = 0

    def give_back(self) -> None:
        """Read the record's lines once more, without its first."""
        again = self._taken[1:]
        self._again += sum(map(len, again))
        if self._again > _MOST_READ_AGAIN:
            raise unreadable(Sentence("Too many quotation marks of the file are not in pairs. Save the table as XLSX."))
        self._given_back += reversed(again)

    def __next__(self) -> str:
        line = self._given_back.pop() if self._given_back else self._read()
        if line is None:
            if not self._taken:
                raise _LineTooLong
            self._given_back.append(None)
            raise _RecordTooLong
        if not line:
            raise StopIteration
        self._taken.append(line)
        self._size += len(line)
        if self._size > _LONGEST_RECORD:
            raise _RecordTooLong
        return line

    def _read(self) -> str | None:
        line = rest = self._text.readline(_LONGEST_LINE)
        while len(rest) == _LONGEST_LINE and rest[-1] not in "\r\n":
            rest = self._text.readline(_LONGEST_LINE)
            eventlet.sleep(0)
        return line if rest is line else None


class _Shared(io.RawIOBase):
    """The sender's file for reading; it stays open when the text around it is closed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _opened(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    """The file as text from its beginning, line breaks as they are."""
    file.seek(0)
    return io.TextIOWrapper(
        io.BufferedReader(cast("io.RawIOBase", _Shared(file)), _PIECE), encoding=encoding, newline=""
    )


def _delimiter(file: BinaryIO, encoding: Encoding) -> str:
    """The sign that parts the columns in the first line that has one; a line `sep=;` above says it outright."""
    text = _opened(file, encoding)
    for number in range(MOST_COLUMNS):
        line = text.readline(_LONGEST_LINE)
        if not line:
            break
        if number == 0 and (said := _SEPARATOR_LINE.match(line.strip())):
            return said[1]
        bare = _QUOTED.sub("", line.strip("\r\n"))
        found = {each: bare.count(each) for each in _DELIMITERS}
        best = max(_DELIMITERS, key=lambda each: found[each])
        if found[best]:
            return best
    return _DELIMITERS[0]
