"""What does not fit in a plan, its performance programme and its reports: one rule a row, all of them data.

A warning stops nobody. It says what to look at, and the municipality decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from services.kernel.text import Label, Sentence
from services.petitions.domain.plan.model import (
    Direction,
    Figure,
    Item,
    Kind,
    Level,
    Measure,
    Plan,
    amount,
    lira,
    name_of,
)


@dataclass(frozen=True)
class Warned:
    """One thing that does not fit: the rule, the code and the year that it is about."""

    rule: str
    code: str
    year: int | None
    message: Sentence


@dataclass(frozen=True)
class Rule:
    """A rule with its name for people."""

    id: str
    label: Label
    find: Callable[[Looked], Iterator[Warned]]


@dataclass(frozen=True)
class Looked:
    """A plan with its figures, as the rules look at them."""

    plan: Plan
    figures: Sequence[Figure]

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """The items by code."""
        return {item.code: item for item in self.plan.items}

    @cached_property
    def below(self) -> Mapping[str, list[Item]]:
        """What belongs to a code."""
        found: dict[str, list[Item]] = {}
        for item in self.plan.items:
            found.setdefault(item.parent or "", []).append(item)
        return found

    @cached_property
    def indicators(self) -> Sequence[Item]:
        """The indicators."""
        return self.plan.of(Level.INDICATOR)

    @cached_property
    def reported(self) -> Mapping[str, Mapping[int, Decimal]]:
        """Reported values by code and year."""
        return self._values(Kind.REPORT)

    def _values(self, kind: Kind) -> Mapping[str, Mapping[int, Decimal]]:
        found: dict[str, dict[int, Decimal]] = {}
        for figure in self.figures:
            if figure.kind is kind and figure.value is not None:
                found.setdefault(figure.code, {})[figure.year] = figure.value
        return found


def warnings(plan: Plan, figures: Sequence[Figure]) -> list[Warned]:
    """Everything that does not fit, rule by rule in the order of RULES."""
    looked = Looked(plan, figures)
    return [found for rule in RULES for found in rule.find(looked)]


def _missing_measure(looked: Looked) -> Iterator[Warned]:
    for item in looked.indicators:
        if item.measure is None:
            yield Warned(
                "missing_measure",
                item.code,
                None,
                Sentence("{code} does not say whether its values are annual or cumulative.", code=item.code),
            )


def _cumulative_falls(looked: Looked) -> Iterator[Warned]:
    for item in looked.indicators:
        if item.measure is not Measure.CUMULATIVE:
            continue
        for values in (item.planned, looked.reported.get(item.code, {})):
            for (_, before), (year, after) in pairwise(sorted(values.items())):
                if after < before:
                    yield Warned(
                        "cumulative_falls",
                        item.code,
                        year,
                        Sentence(
                            "{code} is cumulative but falls from {before} to {after} in {year}.",
                            code=item.code,
                            before=amount(before),
                            after=amount(after),
                            year=year,
                        ),
                    )


_FEWEST_YEARS = 3
_NEAR = (Decimal("0.5"), Decimal("1.5"))


def _annual_looks_cumulative(looked: Looked) -> Iterator[Warned]:
    for item in looked.indicators:
        if item.measure is not Measure.ANNUAL:
            continue
        for values in (item.planned, looked.reported.get(item.code, {})):
            if _adds_up([value for _, value in sorted(values.items())]):
                yield Warned(
                    "annual_looks_cumulative",
                    item.code,
                    None,
                    Sentence(
                        "{code} is annual, but each year adds about as much as the first one has, as sums do.",
                        code=item.code,
                    ),
                )
                break


def _adds_up(values: Sequence[Decimal]) -> bool:
    """Whether every year adds about what the first year has: 100, 200, 310 and not 100, 110, 125."""
    if len(values) < _FEWEST_YEARS or values[0] <= 0:
        return False
    least, most = (values[0] * share for share in _NEAR)
    return all(least <= after - before <= most for before, after in pairwise(values))


def _unknown_code(looked: Looked) -> Iterator[Warned]:
    for figure in looked.figures:
        item = looked.items.get(figure.code)
        if item is None or item.level not in (Level.INDICATOR, Level.ACTIVITY):
            yield Warned(
                "unknown_code",
                figure.code,
                figure.year,
                Sentence(
                    "“{kind}” for {year} names {code}, which is no indicator and no activity of the plan.",
                    kind=name_of(figure.kind),
                    year=figure.year,
                    code=figure.code,
                ),
            )


def _budget_sum(looked: Looked) -> Iterator[Warned]:
    for item in looked.plan.items:
        if item.total is None or item.level not in (Level.GOAL, Level.TARGET):
            continue
        found = _budget_below(looked, item)
        if found != item.total:
            yield Warned(
                "budget_sum",
                item.code,
                None,
                Sentence(
                    "{code} states a total of {stated}, but its activities add up to {found}.",
                    code=item.code,
                    stated=lira(item.total),
                    found=lira(found),
                ),
            )


def _budget_below(looked: Looked, item: Item) -> Decimal:
    if item.level is Level.ACTIVITY:
        return sum(item.budget.values(), Decimal(0))
    return sum((_budget_below(looked, each) for each in looked.below.get(item.code, ())), Decimal(0))


def _year_outside_plan(looked: Looked) -> Iterator[Warned]:
    plan = looked.plan
    said = [(item.code, year) for item in plan.items for year in {*item.planned, *item.budget, *item.years}]
    said += [(figure.code, figure.year) for figure in looked.figures]
    for code, year in sorted(set(said)):
        if not plan.first_year <= year <= plan.last_year:
            yield Warned(
                "year_outside_plan",
                code,
                year,
                Sentence(
                    "{code} speaks of {year}; the plan goes from {first} to {last}.",
                    code=code,
                    year=year,
                    first=plan.first_year,
                    last=plan.last_year,
                ),
            )


def _against_direction(looked: Looked) -> Iterator[Warned]:
    for item in looked.indicators:
        if item.baseline is None:
            continue
        for year, value in sorted(item.planned.items()):
            if value < item.baseline and item.direction is not Direction.DECREASE:
                yield Warned(
                    "below_baseline",
                    item.code,
                    year,
                    Sentence(
                        "{code} wants {value} in {year}, which is below its baseline {baseline}, "
                        "and does not say that less is better.",
                        code=item.code,
                        value=amount(value),
                        year=year,
                        baseline=amount(item.baseline),
                    ),
                )
            elif value > item.baseline and item.direction is Direction.DECREASE:
                yield Warned(
                    "below_baseline",
                    item.code,
                    year,
                    Sentence(
                        "{code} wants {value} in {year}, which is above its baseline {baseline}, "
                        "although it says that less is better.",
                        code=item.code,
                        value=amount(value),
                        year=year,
                        baseline=amount(item.baseline),
                    ),
                )


def _done_without_budget(looked: Looked) -> Iterator[Warned]:
    for figure in looked.figures:
        item = looked.items.get(figure.code)
        if item is None or item.level is not Level.ACTIVITY or not figure.done:
            continue
        if not item.budget.get(figure.year):
            yield Warned(
                "done_without_budget",
                item.code,
                figure.year,
                Sentence(
                    "The report of {year} says that {code} is done, but the plan gives it no money in that year.",
                    year=figure.year,
                    code=item.code,
                ),
            )


def _programme_differs(looked: Looked) -> Iterator[Warned]:
    for figure in looked.figures:
        item = looked.items.get(figure.code)
        if figure.kind is not Kind.PROGRAMME or item is None or figure.value is None:
            continue
        wanted = (item.budget if item.level is Level.ACTIVITY else item.planned).get(figure.year)
        if wanted is not None and wanted != figure.value:
            yield Warned(
                "programme_differs",
                item.code,
                figure.year,
                Sentence(
                    "For {year} the performance programme plans {programme} for {code}, the strategic plan {plan}.",
                    year=figure.year,
                    programme=amount(figure.value),
                    code=item.code,
                    plan=amount(wanted),
                ),
            )


RULES: tuple[Rule, ...] = (
    Rule("missing_measure", Label(tr="Ölçüm türü eksik", en="Kind of measure missing"), _missing_measure),
    Rule("cumulative_falls", Label(tr="Kümülatif değer düşüyor", en="Cumulative value falls"), _cumulative_falls),
    Rule(
        "annual_looks_cumulative",
        Label(tr="Yıllık değer toplam gibi artıyor", en="Annual value grows like a sum"),
        _annual_looks_cumulative,
    ),
    Rule("unknown_code", Label(tr="Planda olmayan kod", en="Code that is not in the plan"), _unknown_code),
    Rule("budget_sum", Label(tr="Bütçeler toplamı tutmuyor", en="Budgets do not add up"), _budget_sum),
    Rule("year_outside_plan", Label(tr="Plan dışı yıl", en="Year outside the plan"), _year_outside_plan),
    Rule("below_baseline", Label(tr="Hedef başlangıcın tersine", en="Value goes the wrong way"), _against_direction),
    Rule(
        "done_without_budget",
        Label(tr="Bütçesi olmayan faaliyet tamamlanmış", en="Done without a budget"),
        _done_without_budget,
    ),
    Rule(
        "programme_differs",
        Label(tr="Performans programı plandan farklı", en="Programme differs from plan"),
        _programme_differs,
    ),
)
