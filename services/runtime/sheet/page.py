"""What a table is to those who read it, whatever file it stands in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, Self

from services.kernel.errors import Invalid
from services.kernel.text import Sentence

MOST_COLUMNS = 200
LONGEST_CELL = 32_767
"""Characters; more than spreadsheet programs hold."""
HEADER_WITHIN = 20
"""A title may stand above the header, within so many rows that are not blank."""
YIELD_EVERY = 256
"""Rows after which the others in the process get their turn."""

_CELLS_OF_A_HEADER = 2


@dataclass(frozen=True)
class Broken:
    """A row that cannot be read, and why."""

    reason: Sentence


class Sheet(ABC):
    """A table with a header. `header` holds the names of the columns as they are written, `""` where one has none."""

    format: Literal["csv", "xlsx"]
    encoding: str | None
    """Of CSV: `utf-8`, `utf-8-sig` or `cp1254`."""
    delimiter: str | None
    """Of CSV."""
    header: list[str]

    @abstractmethod
    def rows(self, keep: Sequence[int]) -> Iterator[tuple[int, list[str] | Broken]]:
        """Every row below the header that is not blank: its number as a spreadsheet program shows it, and its cells.

        Only the columns in `keep`, in that order; text without blanks around it, `""` for empty; a date is
        `YYYY-MM-DD`, a number has no needless `.0`. May be called again. Raises Invalid when the file
        breaks off.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back what was needed for reading; the file itself stays open."""

    def __enter__(self) -> Self:
        """The sheet itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


def unreadable(reason: Sentence) -> Invalid:
    """The refusal of the whole file."""
    return Invalid.field("file", reason)


def no_header() -> Invalid:
    """The refusal of a table without a header."""
    return unreadable(Sentence("The file has no header: its first row must name the columns."))


def too_long() -> Sentence:
    """Why a row cannot be read."""
    return Sentence("A cell is longer than {most} characters; perhaps a quotation mark is missing.", most=LONGEST_CELL)


def header_among(rows: Iterator[tuple[int, list[str]]]) -> tuple[int, list[str]] | None:
    """The first row with at least two cells, or else the first with any; with its number.

    Raises Invalid when it has too many columns.
    """
    found: tuple[int, list[str]] | None = None
    for number, cells in islice(rows, HEADER_WITHIN):
        if sum(map(bool, cells)) >= _CELLS_OF_A_HEADER:
            found = number, cells
            break
        found = found or (number, cells)
    if found is not None and len(without_trailing_blanks(found[1])) > MOST_COLUMNS:
        raise unreadable(Sentence("The table has more than {most} columns.", most=MOST_COLUMNS))
    return found


def without_trailing_blanks(cells: list[str]) -> list[str]:
    """The cells up to the last that holds something."""
    end = len(cells)
    while end and not cells[end - 1]:
        end -= 1
    return cells[:end]
