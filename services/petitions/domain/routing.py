"""Which unit of the municipality a petition is for, as its words suggest; a clerk decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.kernel.turkish import words

_SHORTEST_STEM = 3
"""A topic shorter than this must be the whole word: Turkish endings follow a stem, and short stems are in everything."""


@dataclass(frozen=True)
class Unit:
    """A unit (müdürlük) with the words of its topics, each one or more words long."""

    id: str
    municipality: str
    name: str
    topics: tuple[str, ...]
    active: bool = True
    version: int = 1


@dataclass(frozen=True)
class Suggestion:
    """A unit and the topics of it that the text speaks of."""

    unit: Unit
    topics: tuple[str, ...]


def suggest(units: Iterable[Unit], text: str) -> Suggestion | None:
    """The active unit most of whose topic words are in the text; None where none is.

    A word of the text counts for a topic that it begins with, so that Turkish endings do not matter.
    Longer topics weigh more than shorter ones; equal ones go by name.
    """
    said = set(words(text))
    best: tuple[int, str] | None = None
    found: Suggestion | None = None
    for unit in units:
        if not unit.active:
            continue
        topics = tuple(topic for topic in unit.topics if _speaks_of(said, topic))
        weight = sum(len(words(topic)) for topic in topics)
        if topics and (best is None or (-weight, unit.name) < best):
            best, found = (-weight, unit.name), Suggestion(unit, topics)
    return found


def _speaks_of(said: set[str], topic: str) -> bool:
    wanted = words(topic)
    return bool(wanted) and all(_has(said, word) for word in wanted)


def _has(said: set[str], word: str) -> bool:
    if len(word) < _SHORTEST_STEM:
        return word in said
    return any(each.startswith(word) for each in said)
