"""Sentences that people read, kept apart from the language they are read in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self


@dataclass(frozen=True, init=False)
class Sentence:
    """One sentence: an English template and the values that go into it.

    The template is also the key under which the other languages are looked up
    (`runtime/language.py`). Values are JSON scalars or dates; dates are written
    by the reader's locale.
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, template: str, /, **values: Any) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "values", values)

    def __str__(self) -> str:
        """The sentence in English, with ISO dates."""
        return self.template.format(**self.values)

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form; `from_plain` reads it back unchanged."""
        values = {k: {"date": v.isoformat()} if isinstance(v, date) else v for k, v in self.values.items()}
        return {"template": self.template, "values": values}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """The sentence that `to_plain` wrote."""
        values = {
            k: date.fromisoformat(v["date"]) if isinstance(v, dict) and "date" in v else v
            for k, v in plain.get("values", {}).items()
        }
        return cls(plain["template"], **values)


def sentence(text: str | Sentence) -> Sentence:
    """`text` as a sentence; a bare string has no values, so its braces are kept."""
    return text if isinstance(text, Sentence) else Sentence(text.replace("{", "{{").replace("}", "}}"))


@dataclass(frozen=True)
class Label:
    """A name that people read, in both languages; rows of tables carry it."""

    tr: str
    en: str

    def to_plain(self) -> dict[str, str]:
        """A JSON-able form."""
        return {"tr": self.tr, "en": self.en}


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """Text as it may stand in a cell: what a spreadsheet program would take for a formula gets an apostrophe first."""
    return f"'{text}" if text.lstrip("'").startswith(_FORMULA) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` wrote."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell
