"""Single cells of a plan's file. What can be read in two ways is refused and never guessed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Generic, TypeVar

from services.kernel.text import Sentence, unguarded
from services.kernel.turkish import words
from services.petitions.domain.plan.model import (
    CODE,
    EARLIEST_YEAR,
    LATEST_YEAR,
    MOST_YEARS,
    Direction,
    Kind,
    Level,
    Measure,
)

T = TypeVar("T")

_SPACES = re.compile(r"[\s\u00a0\u202f]+")
_PLAIN = re.compile(r"-?\d{1,13}(?:[.,]\d{1,4})?\Z", re.ASCII)
_GROUPED = re.compile(
    r"-?\d{1,3}(?:(?P<group>[.,])\d{3})(?:(?P=group)\d{3})*(?:(?!(?P=group))[.,]\d{1,4})?\Z", re.ASCII
)
_TWO_WAYS = re.compile(r"-?[1-9]\d{0,2}[.,]\d{3}\Z", re.ASCII)
_MONEY_SIGNS = re.compile(r"^(?:₺|TL)|(?:₺|TL|TRY)$")
_YEAR = re.compile(r"\d{4}\Z", re.ASCII)
_SPAN = re.compile(r"(\d{4})\s*[-–—]\s*(\d{4})\Z", re.ASCII)
_CODED = re.compile(r"\s*([A-Za-zÇĞİÖŞÜçğıöşü]{1,4}\s?\d{1,3}(?:\.\d{1,3}){0,4})\.?(?:[\s:)–—-]+(.*))?\Z", re.DOTALL)
_UPPER = str.maketrans({"i": "İ", "ı": "I"})
_LARGEST = Decimal(10) ** 13
_NO_NUMBER = Sentence("This is not a number; it looks like 1250 or 1250,50. Leave signs such as % out.")


class Wrong(Exception):
    """A cell that cannot be right, and why."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        super().__init__(str(sentence))


def text_of(cell: str, longest: int) -> str:
    """Text on one line. Raises Wrong for too much of it."""
    said = on_one_line(unguarded(cell))
    if len(said) > longest:
        raise Wrong(Sentence("Write at most {most} characters.", most=longest))
    return said


def on_one_line(text: str) -> str:
    """The text with single blanks, composed as everybody else composes it."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def code_of(cell: str) -> str:
    """A code as it is compared: capitals without blanks, no point at its end. Raises Wrong."""
    code = _SPACES.sub("", unicodedata.normalize("NFC", cell)).translate(_UPPER).upper().rstrip(".")
    if CODE.match(code) is None:
        raise Wrong(Sentence("This is not a code; it looks like A1, H1.1, PG1.1.1 or F1.1.1."))
    return code


def coded(cell: str) -> tuple[str, str]:
    """Code and title of a cell that holds both, such as `A1. Katılımcı bir kent`. Raises Wrong."""
    found = _CODED.match(cell)
    if found is None:
        raise Wrong(Sentence("Begin with the code and then write the title, as in A1. Katılımcı bir kent."))
    return code_of(found[1]), (found[2] or "").strip()


def number_of(cell: str) -> Decimal:
    """A number, with a comma or a point before its decimals. Raises Wrong, also where it could mean two numbers."""
    digits = _SPACES.sub("", cell)
    if _TWO_WAYS.match(digits):
        raise Wrong(
            Sentence(
                "{written} can be read in two ways. Write {whole}, or {decimal} if decimals are meant.",
                written=digits,
                whole=re.sub(r"[.,]", "", digits),
                decimal=f"{digits}0",
            )
        )
    if _PLAIN.match(digits):
        return _exact(digits.replace(",", "."))
    grouped = _GROUPED.match(digits)
    if grouped is None:
        raise Wrong(_NO_NUMBER)
    return _exact(digits.replace(grouped["group"], "").replace(",", "."))


def _exact(digits: str) -> Decimal:
    value = Decimal(digits)
    if abs(value) >= _LARGEST:
        raise Wrong(_NO_NUMBER)
    # Zero has no sign, and 1.50 is 1.5.
    return value.normalize() + 0 if value else Decimal(0)


def money_of(cell: str) -> Decimal:
    """An amount in lira, not below nought, with at most two decimals. Raises Wrong."""
    value = number_of(_MONEY_SIGNS.sub("", _SPACES.sub("", cell)))
    if value < 0:
        raise Wrong(Sentence("An amount of money is not below zero."))
    if value != round(value, 2):
        raise Wrong(Sentence("An amount of money has at most two decimals."))
    return value


def year_of(cell: str) -> int:
    """A year. Raises Wrong."""
    if _YEAR.match(cell.strip()) is None or not EARLIEST_YEAR <= int(cell) <= LATEST_YEAR:
        raise Wrong(Sentence("This is not a year; it looks like 2026."))
    return int(cell)


def years_of(cell: str) -> tuple[int, ...]:
    """Years, as in `2025-2027` or `2025, 2027`. Raises Wrong."""
    span = _SPAN.match(cell.strip())
    if span is None:
        return tuple(sorted({year_of(each) for each in re.split(r"[\s,;/]+", cell.strip())}))
    first, last = year_of(span[1]), year_of(span[2])
    if not first <= last < first + 2 * MOST_YEARS:
        raise Wrong(Sentence("These years are not a span; it looks like 2025-2027."))
    return tuple(range(first, last + 1))


@dataclass(frozen=True)
class Words(Generic[T]):
    """Words with what they mean, by their folded spelling; `shown` are those that people are told of."""

    meanings: Mapping[str, T]
    shown: str


def word_of(cell: str, known: Words[T]) -> T:
    """What a word means. Raises Wrong, which says the words that are known."""
    found = known.meanings.get(" ".join(words(cell)))
    if found is None:
        raise Wrong(Sentence("Choose one of: {choices}.", choices=known.shown))
    return found


def _words(meanings: Mapping[T, tuple[str, ...]]) -> Words[T]:
    """The first two of each are shown: one in English, one in Turkish."""
    return Words(
        {" ".join(words(name)): meaning for meaning, names in meanings.items() for name in names},
        ", ".join(name for names in meanings.values() for name in names[:2]),
    )


ROW_KINDS: Words[Level | Kind] = _words(
    {
        Level.GOAL: ("goal", "amaç", "stratejik amaç"),
        Level.TARGET: ("target", "hedef", "stratejik hedef"),
        Level.INDICATOR: ("indicator", "gösterge", "performans göstergesi"),
        Level.ACTIVITY: ("activity", "faaliyet", "proje", "faaliyet ve proje", "faaliyet proje"),
        Kind.REPORT: ("report", "rapor", "gerçekleşme", "faaliyet raporu"),
        Kind.PROGRAMME: ("programme", "program", "performans programı"),
    }
)
MEASURES: Words[Measure] = _words(
    {
        Measure.ANNUAL: ("annual", "yıllık", "yıl bazında"),
        Measure.CUMULATIVE: ("cumulative", "kümülatif", "birikimli", "kümülatif toplam"),
    }
)
DIRECTIONS: Words[Direction] = _words(
    {
        Direction.INCREASE: ("increase", "artış", "artan", "artırma"),
        Direction.DECREASE: ("decrease", "azalış", "azalan", "azaltma"),
    }
)
ANSWERS: Words[bool] = _words(
    {True: ("yes", "evet", "true", "e", "1", "tamamlandı"), False: ("no", "hayır", "false", "h", "0", "tamamlanmadı")}
)
