"""A plan as a table that can be read back: the way of writing with a column `row`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from services.kernel.text import guarded
from services.petitions.domain.plan.layout import HEADINGS
from services.petitions.domain.plan.model import Figure, Item, Plan, amount, lira

_COLUMNS = tuple(HEADINGS)


def dump(plan: Plan, figures: Iterable[Figure]) -> tuple[list[str], Iterator[list[str]]]:
    """Header and rows. Text that a spreadsheet would take for a formula gets an apostrophe, which reading takes off."""
    years = sorted({year for item in plan.items for year in (*item.planned, *item.budget)})
    header = [*_COLUMNS, *map(str, years)]

    def rows() -> Iterator[list[str]]:
        for item in plan.items:
            said = _of_item(item)
            yield [said.get(name, "") for name in _COLUMNS] + [_of_year(item, year) for year in years]
        for figure in figures:
            said = _of_figure(figure)
            yield [said.get(name, "") for name in _COLUMNS] + [""] * len(years)

    return header, rows()


def _of_item(item: Item) -> dict[str, str]:
    return {
        "row": str(item.level),
        "code": item.code,
        "parent": item.parent or "",
        "title": guarded(item.title),
        "unit": guarded(item.unit or ""),
        "measure": item.measure or "",
        "direction": item.direction or "",
        "baseline": _number(item.baseline),
        "responsible": guarded(item.responsible or ""),
        "years": " ".join(map(str, item.years)),
        "total": "" if item.total is None else lira(item.total),
    }


def _of_year(item: Item, year: int) -> str:
    if year in item.planned:
        return _number(item.planned[year])
    return lira(item.budget[year]) if year in item.budget else ""


def _of_figure(figure: Figure) -> dict[str, str]:
    return {
        "row": str(figure.kind),
        "code": figure.code,
        "year": str(figure.year),
        "value": _number(figure.value),
        "spent": "" if figure.spent is None else lira(figure.spent),
        "done": "" if figure.done is None else "true" if figure.done else "false",
    }


def _number(value: Decimal | None) -> str:
    """Decimal text that can be read in one way only: never three decimals, which look like thousands."""
    if value is None:
        return ""
    text = amount(value)
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text  # noqa: PLR2004 - thousands have three digits
