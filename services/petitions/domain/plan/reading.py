"""A plan's file, row by row: what it says, and every problem of it. Nothing here raises because of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kernel.text import Sentence
from services.petitions.domain.plan import cell as read
from services.petitions.domain.plan.cell import Wrong
from services.petitions.domain.plan.layout import LEVELS_LAYOUT, Recognised
from services.petitions.domain.plan.model import (
    LONGEST_TITLE,
    LONGEST_UNIT,
    MOST,
    PARENTS,
    Figure,
    Item,
    Kind,
    Level,
    name_of,
    number_of,
)

Cells = Mapping[str, str]
Row = tuple[int, Sequence[str] | Sentence]
"""A row's number in the file with the cells of the kept columns, or why it cannot be read."""

MOST_ROWS = 6_000


@dataclass(frozen=True)
class Problem:
    """What is wrong with a field of a row; no row where it is about the whole file."""

    row: int | None
    field: str
    message: Sentence


@dataclass
class Reading:
    """What a file says: lines of a plan, figures, and problems. With a problem it cannot be applied."""

    items: list[Item] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    rows: int = 0
    at: dict[str, int] = field(default_factory=dict)
    """Code → the row that says what it is."""


def read_plan(columns: Recognised, rows: Iterable[Row]) -> Reading:
    """Everything that the rows say."""
    return _Reader(columns).read(rows)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "title": lambda cell: read.text_of(cell, LONGEST_TITLE),
    "unit": lambda cell: read.text_of(cell, LONGEST_UNIT),
    "responsible": lambda cell: read.text_of(cell, LONGEST_UNIT),
    "parent": read.code_of,
    "measure": lambda cell: read.word_of(cell, read.MEASURES),
    "direction": lambda cell: read.word_of(cell, read.DIRECTIONS),
    "baseline": read.number_of,
    "total": read.money_of,
    "years": read.years_of,
    "year": read.year_of,
    "value": read.number_of,
    "spent": read.money_of,
    "done": lambda cell: read.word_of(cell, read.ANSWERS),
}
_FIELDS: Mapping[Level | Kind, frozenset[str]] = {
    Level.GOAL: frozenset({"title", "total"}),
    Level.TARGET: frozenset({"title", "parent", "total"}),
    Level.INDICATOR: frozenset({"title", "parent", "unit", "measure", "direction", "baseline", "planned"}),
    Level.ACTIVITY: frozenset({"title", "parent", "responsible", "years", "budget"}),
    Kind.REPORT: frozenset({"year", "value", "spent", "done"}),
    Kind.PROGRAMME: frozenset({"year", "value"}),
}
"""What a row of each kind may say besides its code."""
_SAYS_NOTHING: Mapping[Level | Kind, frozenset[str]] = {
    Kind.REPORT: frozenset({"title", "parent", "unit", "measure"}),
    Kind.PROGRAMME: frozenset({"title", "parent", "unit", "measure"}),
}
"""What a report may repeat of its indicator; it is not looked at."""
_SAYS_NOTHING_HERE = Sentence("This row says nothing of a goal, a target, an indicator or an activity.")
_REPORTS_NOTHING = Sentence("This row reports nothing: give a value, what was spent, or whether it is done.")
_OF_A_YEAR: Mapping[Level | Kind, str] = {Level.INDICATOR: "planned", Level.ACTIVITY: "budget"}


class _Reader:
    def __init__(self, columns: Recognised) -> None:
        self._holds = columns.holds
        self._draw = self._from_levels if columns.layout == LEVELS_LAYOUT else self._from_row
        self._found = Reading()
        self._seen: dict[str, tuple[Level, str]] = {}
        self._figures: set[tuple[Kind, str, int]] = set()
        self._goal: str | None = None
        self._target: str | None = None

    def read(self, rows: Iterable[Row]) -> Reading:
        found = self._found
        for number, cells in rows:
            found.rows += 1
            if found.rows > MOST_ROWS:
                self._wrong(None, "file", Sentence("A plan's file has at most {most} rows.", most=MOST_ROWS))
                break
            if isinstance(cells, Sentence):
                self._wrong(number, "row", cells)
                continue
            said = {name: each for name, each in zip(self._holds, cells, strict=False) if each and not each.isspace()}
            if said:
                self._draw(number, said)
        self._demand_parents()
        for level, most in MOST.items():
            if sum(item.level is level for item in found.items) > most:
                self._wrong(
                    None,
                    "file",
                    Sentence("A plan has at most {most} rows of the kind “{level}”.", most=most, level=name_of(level)),
                )
        return found

    def _wrong(self, number: int | None, name: str, why: Sentence) -> None:
        self._found.problems.append(Problem(number, name, why))

    # one row, whichever way it is written

    def _from_row(self, number: int, said: Cells) -> None:
        if "row" not in said or "code" not in said:
            self._wrong(number, "code" if "row" in said else "row", Sentence("Fill this in."))
            return
        try:
            kind = read.word_of(said["row"], read.ROW_KINDS)
        except Wrong as error:
            self._wrong(number, "row", error.sentence)
            return
        try:
            code = read.code_of(said["code"])
        except Wrong as error:
            self._wrong(number, "code", error.sentence)
            return
        self._take(number, kind, code, {name: each for name, each in said.items() if name not in ("row", "code")})

    def _from_levels(self, number: int, said: Cells) -> None:
        """Goal and target stand before what belongs to them, or in every row again; what is not said holds on."""
        named: dict[Level, tuple[str, str]] = {}
        for level in Level:
            if level in said:
                try:
                    named[level] = read.coded(said[level])
                except Wrong as error:
                    self._wrong(number, str(level), error.sentence)
                    return
        rest = {name: each for name, each in said.items() if name not in Level.__members__.values()}
        leaves = [level for level in (Level.INDICATOR, Level.ACTIVITY) if level in named]
        if len(leaves) > 1:
            self._wrong(number, "activity", Sentence("Give an indicator and an activity a row each."))
            return
        self._remember_where(named)
        last = leaves[0] if leaves else max(named, key=list(Level).index, default=None)
        if last is None:
            self._wrong(number, "row", _SAYS_NOTHING_HERE)
            return
        for level, (code, title) in named.items():
            own = rest if level is last else {}
            if level is last or (title and code not in self._seen):
                parent = {Level.TARGET: self._goal, Level.GOAL: None}.get(level, self._target)
                self._take_named(number, level, code, title, {**own, **({"parent": parent} if parent else {})})
            elif title and level in (Level.GOAL, Level.TARGET):
                self._demand_same(number, level, code, title)

    def _remember_where(self, named: Mapping[Level, tuple[str, str]]) -> None:
        if Level.GOAL in named:
            if named[Level.GOAL][0] != self._goal:
                self._target = None
            self._goal = named[Level.GOAL][0]
        if Level.TARGET in named:
            self._target = named[Level.TARGET][0]

    def _take_named(self, number: int, level: Level, code: str, title: str, said: Cells) -> None:
        known = self._seen.get(code)
        if known is not None and level in (Level.GOAL, Level.TARGET) and not set(said) - {"parent"}:
            # Printed again above the next page; only what it says anew would be a contradiction.
            self._demand_same(number, level, code, title)
            return
        self._take(number, level, code, {**said, **({"title": title} if title else {})})

    def _demand_same(self, number: int, level: Level, code: str, title: str) -> None:
        known = self._seen.get(code)
        if known is not None and title and known[1] != read.on_one_line(title):
            self._wrong(number, str(level), Sentence("{code} has another title above.", code=code))

    # what it says

    def _take(self, number: int, kind: Level | Kind, code: str, said: Cells) -> None:
        values, failed = self._values(number, kind, said)
        if isinstance(kind, Kind):
            if not failed:
                self._take_figure(number, kind, code, values)
            return
        if code in self._seen:
            self._wrong(number, "code", Sentence("{code} stands in the file twice.", code=code))
            return
        self._seen[code] = kind, values.get("title", "")
        self._found.at[code] = number
        if not values.get("title") and "title" not in failed:
            self._wrong(number, "title", Sentence("Fill this in."))
        item = Item(level=kind, code=code, **({"title": ""} | values))
        self._found.items.append(item)

    def _take_figure(self, number: int, kind: Kind, code: str, values: dict[str, Any]) -> None:
        if "year" not in values:
            self._wrong(number, "year", Sentence("Fill this in."))
            return
        if len(values) == 1:
            self._wrong(number, "value", _REPORTS_NOTHING)
            return
        figure = Figure(kind=kind, code=code, **values)
        if figure.key in self._figures:
            twice = Sentence("{code} stands in the file twice for the year {year}.", code=code, year=figure.year)
            self._wrong(number, "code", twice)
            return
        self._figures.add(figure.key)
        self._found.figures.append(figure)

    def _values(self, number: int, kind: Level | Kind, said: Cells) -> tuple[dict[str, Any], set[str]]:
        """The values that can be right, and the columns that cannot."""
        values: dict[str, Any] = {}
        failed: set[str] = set()
        for name, each in said.items():
            try:
                self._read_one(kind, name, each, values)
            except Wrong as error:
                failed.add(name)
                self._wrong(number, name.removeprefix("any "), error.sentence)
        return values, failed

    @staticmethod
    def _read_one(kind: Level | Kind, name: str, each: str, values: dict[str, Any]) -> None:
        of, _, year = name.partition(" ")
        if year:
            wanted = _OF_A_YEAR.get(kind)
            if wanted is None or of not in (wanted, "any"):
                raise Wrong(_does_not_belong(kind))
            by_year = values.setdefault(wanted, {})
            if int(year) in by_year:
                raise Wrong(Sentence("Two columns say something of {year} in this row.", year=int(year)))
            by_year[int(year)] = read.number_of(each) if wanted == "planned" else read.money_of(each)
            return
        if name in _FIELDS[kind]:
            values[name] = _READERS[name](each)
        elif name not in _SAYS_NOTHING.get(kind, ()):
            raise Wrong(_does_not_belong(kind))

    def _demand_parents(self) -> None:
        """Everything but a goal belongs to something of the level above; where no parent is said, the number says it."""
        by_number: dict[tuple[Level, str], str | None] = {}
        for code, (level, _) in self._seen.items():
            numbered = level, number_of(code)
            # Two of one level with the same number: then the parent must be said.
            by_number[numbered] = None if numbered in by_number else code
        for place, item in enumerate(self._found.items):
            above = PARENTS[item.level]
            if above is None:
                continue
            parent = item.parent or by_number.get((above, number_of(item.code).rpartition(".")[0]))
            known = self._seen.get(parent or "")
            if known is None or known[0] is not above:
                self._wrong(
                    self._found.at[item.code],
                    "parent",
                    Sentence("{code} belongs to nothing: there is no “{level}” {parent}.", code=item.code,
                             level=name_of(above), parent=parent or number_of(item.code).rpartition(".")[0] or "?"),
                )  # fmt: skip
                continue
            if item.parent is None:
                self._found.items[place] = Item(**{**vars(item), "parent": parent})


def _does_not_belong(kind: Level | Kind) -> Sentence:
    return Sentence("A row of the kind “{kind}” has nothing in this column.", kind=name_of(kind))
