"""Who writes, as far as the form of a letter depends on it (Official Correspondence Regulation 16/12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.kernel.turkish import fold


class Rank(StrEnum):
    """How the writer stands to the municipality."""

    PRIVATE = "private"
    """A person or a body of private law: always arz ederim."""
    BELOW = "below"
    EQUAL = "equal"
    ABOVE = "above"
    UNKNOWN = "unknown"
    """A public body whose rank cannot be told: either form may be right."""


@dataclass(frozen=True)
class Voice:
    """The writer's rank, and whether they speak as one or as several."""

    rank: Rank
    plural: bool
    organisation: bool
    """Has a title and somebody who signs for it, instead of a name."""

    def closing(self, *, plural: bool | None = None) -> str:
        """The verb that a letter of this writer ends with."""
        return "arz ederiz" if (self.plural if plural is None else plural or self.plural) else "arz ederim"

    @property
    def regards(self) -> str:
        """A polite end between equals and towards persons."""
        return "Saygılarımızla" if self.plural else "Saygılarımla"


VOICES: Mapping[str, Voice] = {
    "citizen": Voice(Rank.PRIVATE, plural=False, organisation=False),
    "organisation": Voice(Rank.PRIVATE, plural=True, organisation=True),
    "public_body": Voice(Rank.UNKNOWN, plural=False, organisation=True),
    "local_government": Voice(Rank.EQUAL, plural=False, organisation=True),
    "mukhtar": Voice(Rank.BELOW, plural=False, organisation=True),
    "school": Voice(Rank.EQUAL, plural=False, organisation=True),
    "company": Voice(Rank.PRIVATE, plural=True, organisation=True),
    "neighbourhood_assembly": Voice(Rank.PRIVATE, plural=True, organisation=True),
    "citizen_assembly": Voice(Rank.PRIVATE, plural=True, organisation=True),
    "other": Voice(Rank.PRIVATE, plural=False, organisation=False),
}
"""Petitioner type → voice."""

PETITIONER_TYPES = tuple(VOICES)

_NAMED: tuple[tuple[Rank, re.Pattern[str]], ...] = (
    (Rank.ABOVE, re.compile(r"bakanligi|valiligi|kaymakamligi|cumhurbaskanligi")),
    (Rank.EQUAL, re.compile(r"belediye|universite|mudurlugu|okulu|lisesi|rektorlugu")),
)
"""The rank that a public body's own name tells; the first row that fits counts."""


def voice_of(petitioner_type: str, name: str, letterhead: str) -> Voice:
    """The voice of a petitioner; a public body's rank comes from its name or the head of its letter.

    Raises KeyError for a type that is none.
    """
    voice = VOICES[petitioner_type]
    if petitioner_type not in ("public_body", "local_government"):
        return voice
    said = fold(name) or letterhead
    rank = next((rank for rank, pattern in _NAMED if pattern.search(said)), voice.rank)
    return Voice(rank, voice.plural, voice.organisation)
