"""A text beside its folded form, so that what is found there can be shown in the text as it was written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from services.kernel.turkish import fold

_SIGNS = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "\u00a0": " "}
)
_MOST_MARKS = 4
"""Marks on one letter; a tower of them is no letter, and sorting it would take its square in time."""
_QUOTED = re.compile(r'"[^"\n]{1,400}"')
_HEADER = re.compile(r"(?:^|(?<=\n))[ \t]{0,8}(?:konu|ilgi)[ \t]{0,3}:[^\n]*")
_SENTENCE = re.compile(r"(?:[^.!?\n]|\n(?![ \t]{0,8}(?:\n|[-•*–(]|[a-z0-9]{1,2}[.)])))+")
"""Up to a sign, an empty line or the next item of a list; a line that is merely wrapped goes on."""
_LINE = re.compile(r"[^\n]+")
HIDDEN = "\x01"
"""Stands in `Folded.open` for each character that is not the writer's own."""


@dataclass(frozen=True)
class Part:
    """A stretch of a folded text: where it is and what it says."""

    start: int
    end: int
    key: str


@dataclass(frozen=True)
class Folded:
    """`key` is the text folded as by `turkish.fold`, letter by letter, with every kind of quotation mark as one.

    `starts` and `ends` say for each character of the key where it came from, in characters (code points)
    of the text, whose own form (composed or decomposed) does not matter. `open` is the key with quotations
    and the lines of subject and reference hidden: what somebody else said is not the writer's tone.
    """

    text: str
    key: str
    open: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the key is in the text."""
        return (self.starts[start], self.ends[end - 1]) if start < end else (self.place(start),) * 2

    def place(self, at: int) -> int:
        """Where a place between two characters of the key is in the text."""
        return self.starts[at] if at < len(self.starts) else len(self.text)

    def sentences(self) -> Iterator[Part]:
        """The sentences, as far as signs tell them; abbreviations end one too."""
        return _parts(_SENTENCE, self.open)

    def lines(self) -> Iterator[Part]:
        """The lines that hold something."""
        return _parts(_LINE, self.open)

    def lines_of_key(self) -> Iterator[Part]:
        """The same with nothing hidden."""
        return _parts(_LINE, self.key)


def _parts(pattern: re.Pattern[str], key: str) -> Iterator[Part]:
    return (Part(found.start(), found.end(), found[0]) for found in pattern.finditer(key))


def folded(text: str) -> Folded:
    """`text` with its key; takes time in proportion to its length, whatever stands in it."""
    keys: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _letters(text):
        letter = fold(text[start:end].translate(_SIGNS))
        keys.append(letter)
        starts += [start] * len(letter)
        ends += [end] * len(letter)
    key = "".join(keys)
    hidden = _HEADER.sub(_hide, _QUOTED.sub(_hide, key))
    return Folded(text, key, hidden, tuple(starts), tuple(ends))


def _hide(found: re.Match[str]) -> str:
    return HIDDEN * len(found[0])


def _letters(text: str) -> Iterator[tuple[int, int]]:
    """Each character with the marks on it."""
    start, length = 0, len(text)
    while start < length:
        end = start + 1
        while (
            end < length and end - start <= _MOST_MARKS and not text[end].isascii() and unicodedata.combining(text[end])
        ):
            end += 1
        yield start, end
        start = end
