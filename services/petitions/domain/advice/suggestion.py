"""What an adviser says: where, what, what instead, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.kernel.text import Sentence

SUBJECT, BODY = "subject", "body"

MOST_OF_A_CODE = 20
"""Suggestions of one code; who shouts a thousand times need not be told a thousand times."""


@dataclass(frozen=True)
class Suggestion:
    """One piece of advice.

    `part` is "subject" or "body"; `start` and `end` count the characters (code points) of that text, and
    `found` is what stands there: empty where something is missing. `suggest` is wording to put there, in
    Turkish, or a Sentence that says what to do. `mends` tells that the draft has it already.
    """

    code: str
    part: str
    start: int
    end: int
    found: str
    suggest: str | Sentence
    why: Sentence
    mends: bool = False

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "code": self.code,
            "part": self.part,
            "start": self.start,
            "end": self.end,
            "found": self.found,
            "suggest": self.suggest if isinstance(self.suggest, str) else self.suggest.to_plain(),
            "why": self.why.to_plain(),
        }
