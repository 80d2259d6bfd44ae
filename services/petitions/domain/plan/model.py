"""A strategic plan (5393/41): goals → targets → indicators and activities, and what was reported of them.

Whoever says nothing has said nothing: a measure or a direction that the municipality did not give is None
and stays None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from services.kernel.text import Label

EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
MOST_YEARS = 10
"""Years of one plan; 5393/41 asks for the five of a term."""
LONGEST_TITLE = 500
LONGEST_UNIT = 200

CODE = re.compile(r"[A-ZÇĞİÖŞÜ]{1,4}\d{1,3}(?:\.\d{1,3}){0,4}\Z")
_NUMBER = re.compile(r"\d.*")


class Level(StrEnum):
    """What a row of a plan is."""

    GOAL = "goal"
    TARGET = "target"
    INDICATOR = "indicator"
    ACTIVITY = "activity"


LEVELS: Mapping[Level, Label] = {
    Level.GOAL: Label(tr="Amaç", en="Goal"),
    Level.TARGET: Label(tr="Hedef", en="Target"),
    Level.INDICATOR: Label(tr="Performans göstergesi", en="Performance indicator"),
    Level.ACTIVITY: Label(tr="Faaliyet", en="Activity"),
}
PARENTS: Mapping[Level, Level | None] = {
    Level.GOAL: None,
    Level.TARGET: Level.GOAL,
    Level.INDICATOR: Level.TARGET,
    Level.ACTIVITY: Level.TARGET,
}
MOST: Mapping[Level, int] = {Level.GOAL: 50, Level.TARGET: 500, Level.INDICATOR: 2_000, Level.ACTIVITY: 2_000}
"""So many of each level a plan may have, so that it can be shown in one answer."""


class Measure(StrEnum):
    """Whether the value of a year stands for that year alone, or for everything since the beginning."""

    ANNUAL = "annual"
    CUMULATIVE = "cumulative"


class Direction(StrEnum):
    """Which way is better."""

    INCREASE = "increase"
    DECREASE = "decrease"


class Kind(StrEnum):
    """Where a figure is from: the report of a year that is over, or the performance programme of a year to come."""

    REPORT = "report"
    PROGRAMME = "programme"


KINDS: Mapping[Kind, Label] = {
    Kind.REPORT: Label(tr="Rapor", en="Report"),
    Kind.PROGRAMME: Label(tr="Performans programı", en="Performance programme"),
}

Years = Mapping[int, Decimal]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One line of a plan; `code` is its only one in the plan, `parent` the code of what it belongs to.

    `total`: of goals and targets, the budget that the plan states for all years together.
    `planned`: of indicators, the value wanted in each year. `responsible`, `years` and `budget` (lira a year):
    of activities.
    """

    level: Level
    code: str
    title: str
    parent: str | None = None
    total: Decimal | None = None
    unit: str | None = None
    measure: Measure | None = None
    direction: Direction | None = None
    baseline: Decimal | None = None
    planned: Years = field(default_factory=dict)
    responsible: str | None = None
    years: tuple[int, ...] = ()
    budget: Years = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What was reported, or programmed, for a year: the value of an indicator, what an activity cost (lira)."""

    kind: Kind
    code: str
    year: int
    value: Decimal | None = None
    spent: Decimal | None = None
    done: bool | None = None

    @property
    def key(self) -> tuple[Kind, str, int]:
        """There is one for each code and year."""
        return self.kind, self.code, self.year


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan for the years `first_year` to `last_year`; its items stand in the order of the file."""

    title: str
    first_year: int
    last_year: int
    items: tuple[Item, ...] = ()

    def of(self, level: Level) -> tuple[Item, ...]:
        """The items of one level."""
        return tuple(item for item in self.items if item.level is level)

    def below(self, code: str) -> tuple[Item, ...]:
        """What belongs to the item with that code."""
        return tuple(item for item in self.items if item.parent == code)


def name_of(kind: Level | Kind) -> dict[str, str]:
    """What a row of that kind is called, in both languages, as a value of a sentence."""
    return (LEVELS[kind] if isinstance(kind, Level) else KINDS[kind]).to_plain()


def number_of(code: str) -> str:
    """The number of a code without its letters: `1.1` of `H1.1`."""
    found = _NUMBER.search(code)
    return found[0] if found else ""


def amount(value: Decimal) -> str:
    """A number as decimal text, without needless zeros and never with an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def lira(value: Decimal) -> str:
    """An amount of money as decimal text with two places."""
    return f"{value:.2f}"
