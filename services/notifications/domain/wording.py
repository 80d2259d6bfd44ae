"""What a notification's words are made of: a title and parts, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """The sentence of `table` under the event's value of `field`; `other` where the table has none."""

    field: str
    table: Mapping[str, str]
    other: str | None = None


Part = str | Choice


@dataclass(frozen=True)
class Template:
    """The words for one kind of event."""

    title: str
    body: tuple[Part, ...]


BASIS = "Legal basis: {article}."
COURTESY = (
    "This message is a courtesy: where a time limit runs from formal service, formal service alone counts (7201/7-a)."
)

RUNGS: Mapping[str, str] = {
    "before": "A time limit is coming to its end. Days left: {days_left}.",
    "due": "The last day of a time limit is today.",
    "head": "A time limit was missed. Days since: {days_late}.",
}
"""What a reminder says, by its rung."""
