"""Strategic plans in the database, and what others see of them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, text, tuple_, update

from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.petitions.adapters.tables import PETITIONS, PLAN
from services.petitions.application.plan import ImportState, KeptPlan, PlanImport
from services.petitions.domain.plan.check import RULES, Warned
from services.petitions.domain.plan.difference import Change, Outcome
from services.petitions.domain.plan.model import (
    Direction,
    Figure,
    Item,
    Kind,
    Level,
    Measure,
    Plan,
    Years,
    amount,
    lira,
)

Plain = dict[str, Any]

SHOWN_AT_MOST = 500
TRIALS_KEPT = timedelta(days=30)
_CLEARED_AT_ONCE = 100
_LABELS = {rule.id: rule.label.to_plain() for rule in RULES}


_CHANGE_ACTIVITY = (
    update(PLAN.items)
    .where(PLAN.items.c.id == bindparam("own_id", type_=PLAN.items.c.id.type))
    .values(
        withdrawn_at=None,
        **{
            name: bindparam(f"new_{name}", type_=PLAN.items.c[name].type)
            for name in ("parent", "place", "title", "facts")
        },
    )
)


class PlanRows:
    """Plans in one transaction; see `application.plan.Plans`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold(self, municipality: str) -> None:
        """See `Plans`. SQLite has one writer at a time anyway."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:plans, 0))"), {"plans": f"plans of {municipality}"}
            )

    def current(self, municipality: str) -> KeptPlan | None:
        """See `Plans`."""
        return self._one(PLAN.plans.c.municipality == municipality, PLAN.plans.c.current)

    def of_years(self, municipality: str, first_year: int, last_year: int) -> KeptPlan | None:
        """See `Plans`."""
        plans = PLAN.plans.c
        return self._one(
            plans.municipality == municipality, plans.first_year == first_year, plans.last_year == last_year
        )

    def _one(self, *wanted: Any) -> KeptPlan | None:
        row = self._connection.execute(select(PLAN.plans).where(*wanted)).one_or_none()
        if row is None:
            return None
        items = self._connection.execute(
            select(PLAN.items)
            .where(PLAN.items.c.plan_id == row.id, PLAN.items.c.withdrawn_at.is_(None))
            .order_by(PLAN.items.c.place)
        ).all()
        return KeptPlan(
            id=row.id,
            municipality=row.municipality,
            version=row.version,
            current=row.current,
            plan=Plan(
                title=row.title,
                first_year=row.first_year,
                last_year=row.last_year,
                items=tuple(_item(each) for each in items),
            ),
            applied_at=row.applied_at,
            applied_by=row.applied_by,
            activities={each.code: each.id for each in items if each.level == Level.ACTIVITY},
        )

    def figures(self, plan_id: str) -> Sequence[Figure]:
        """See `Plans`; by kind, code and year."""
        figures = PLAN.figures.c
        rows = self._connection.execute(
            select(PLAN.figures).where(figures.plan_id == plan_id).order_by(figures.kind, figures.code, figures.year)
        )
        return [
            Figure(
                kind=Kind(row.kind),
                code=row.code,
                year=row.year,
                value=_decimal(row.value),
                spent=_decimal(row.spent),
                done=row.done,
            )
            for row in rows
        ]

    def codes_with_proposals(self, plan_id: str, codes: Collection[str]) -> Collection[str]:
        """See `Plans`."""
        items = PLAN.items.c
        rows = self._connection.execute(
            select(items.code)
            .join(PETITIONS, PETITIONS.c.activity_id == items.id)
            .where(items.plan_id == plan_id, items.level == Level.ACTIVITY, items.code.in_(codes))
            .distinct()
        )
        return sorted(rows.scalars())

    def next_version(self, municipality: str) -> int:
        """See `Plans`."""
        last = select(func.coalesce(func.max(PLAN.plans.c.version), 0)).where(PLAN.plans.c.municipality == municipality)
        return int(self._connection.execute(last).scalar_one()) + 1

    def put(self, kept: KeptPlan, import_id: str) -> None:
        """See `Plans`; an activity keeps its id by its code, and one that is gone is withdrawn."""
        plans = PLAN.plans.c
        if kept.current:
            self._connection.execute(
                update(PLAN.plans)
                .where(plans.municipality == kept.municipality, plans.current, plans.id != kept.id)
                .values(current=False)
            )
        said = {
            "title": kept.plan.title,
            "version": kept.version,
            "current": kept.current,
            "applied_at": kept.applied_at,
            "applied_by": kept.applied_by,
            "import_id": import_id,
        }
        changed = self._connection.execute(update(PLAN.plans).where(plans.id == kept.id).values(said))
        if not changed.rowcount:
            self._connection.execute(
                insert(PLAN.plans).values(
                    id=kept.id,
                    municipality=kept.municipality,
                    first_year=kept.plan.first_year,
                    last_year=kept.plan.last_year,
                    **said,
                )
            )
        self._put_items(kept)

    def _put_items(self, kept: KeptPlan) -> None:
        items = PLAN.items.c
        known = {
            row.code: row.id
            for row in self._connection.execute(
                select(items.code, items.id).where(items.plan_id == kept.id, items.level == Level.ACTIVITY)
            )
        }
        self._connection.execute(delete(PLAN.items).where(items.plan_id == kept.id, items.level != Level.ACTIVITY))
        self._connection.execute(
            update(PLAN.items)
            .where(items.plan_id == kept.id, items.withdrawn_at.is_(None))
            .values(withdrawn_at=kept.applied_at)
        )
        new, known_ones = [], []
        for place, item in enumerate(kept.plan.items):
            said = {"parent": item.parent, "place": place, "title": item.title, "facts": _facts(item)}
            if item.level is Level.ACTIVITY and item.code in known:
                known_ones.append(
                    {"own_id": known[item.code], **{f"new_{name}": value for name, value in said.items()}}
                )
            else:
                new.append(
                    {"id": str(uuid.uuid4()), "plan_id": kept.id, "level": str(item.level), "code": item.code, **said}
                )
        if known_ones:
            self._connection.execute(_CHANGE_ACTIVITY, known_ones)
        if new:
            self._connection.execute(insert(PLAN.items), new)

    def put_figures(self, plan_id: str, figures: Iterable[Figure], import_id: str) -> None:
        """See `Plans`."""
        rows = [
            {
                "plan_id": plan_id,
                "kind": str(figure.kind),
                "code": figure.code,
                "year": figure.year,
                "value": figure.value if figure.value is None else amount(figure.value),
                "spent": figure.spent if figure.spent is None else lira(figure.spent),
                "done": figure.done,
                "import_id": import_id,
            }
            for figure in figures
        ]
        key = tuple_(PLAN.figures.c.kind, PLAN.figures.c.code, PLAN.figures.c.year)
        waiting = iter(rows)
        while part := list(islice(waiting, _CLEARED_AT_ONCE)):
            same = [(row["kind"], row["code"], row["year"]) for row in part]
            self._connection.execute(delete(PLAN.figures).where(PLAN.figures.c.plan_id == plan_id, key.in_(same)))
        if rows:
            self._connection.execute(insert(PLAN.figures), rows)

    # what was found in files

    def add_import(self, made: PlanImport) -> None:
        """See `Plans`."""
        self._connection.execute(
            insert(PLAN.imports).values(
                id=made.id,
                municipality=made.sent.municipality,
                state=str(made.state),
                requested_at=made.requested_at,
                requested_by=made.requested_by,
                found=import_shown(made),
            )
        )

    def found_in(self, import_id: str) -> Plain:
        """What was found in a file, a PlanImportAnswer. Raises NotFound."""
        row = self._connection.execute(select(PLAN.imports.c.found).where(PLAN.imports.c.id == import_id)).one_or_none()
        if row is None:
            raise NotFound(Sentence("There is no such import."))
        return dict(row.found)

    def clear_trials(self, now: datetime) -> int:
        """Throw away what was found in files that were never applied and are old; how many went."""
        imports = PLAN.imports.c
        old = (
            select(imports.id)
            .where(imports.state != ImportState.APPLIED, imports.requested_at < now - TRIALS_KEPT)
            .limit(_CLEARED_AT_ONCE)
        )
        return self._connection.execute(delete(PLAN.imports).where(imports.id.in_(old.scalar_subquery()))).rowcount

    # one activity

    def activity(self, municipality: str, activity_id: str) -> Plain:
        """One activity with the plan and the goal and target that it belongs to. Raises NotFound."""
        items, plans = PLAN.items.c, PLAN.plans.c
        row = self._connection.execute(
            select(
                PLAN.items,
                plans.title.label("plan_title"),
                plans.first_year,
                plans.last_year,
                plans.current,
            )
            .join(PLAN.plans, plans.id == items.plan_id)
            .where(items.id == activity_id, items.level == Level.ACTIVITY, plans.municipality == municipality)
        ).one_or_none()
        if row is None:
            raise NotFound(Sentence("There is no such activity."))
        target = self._named(row.plan_id, Level.TARGET, row.parent)
        goal = self._named(row.plan_id, Level.GOAL, target["parent"]) if target else None
        spent = self._connection.execute(
            select(PLAN.figures.c.year, PLAN.figures.c.spent, PLAN.figures.c.done)
            .where(
                PLAN.figures.c.plan_id == row.plan_id,
                PLAN.figures.c.kind == Kind.REPORT,
                PLAN.figures.c.code == row.code,
            )
            .order_by(PLAN.figures.c.year)
        )
        return {
            **activity_shown(_item(row), row.id),
            "plan": {"title": row.plan_title, "first_year": row.first_year, "last_year": row.last_year},
            "goal": goal and {"code": goal["code"], "title": goal["title"]},
            "target": target and {"code": target["code"], "title": target["title"]},
            "open": row.current and row.withdrawn_at is None,
            "reported": [{"year": each.year, "spent": each.spent, "done": each.done} for each in spent],
        }

    def _named(self, plan_id: str, level: Level, code: str | None) -> Plain | None:
        items = PLAN.items.c
        row = self._connection.execute(
            select(items.code, items.title, items.parent).where(
                items.plan_id == plan_id, items.level == level, items.code == code
            )
        ).one_or_none()
        return row and {"code": row.code, "title": row.title, "parent": row.parent}


def activity_facts(connection: Connection, activity_id: str) -> Plain | None:
    """What a proposal to an activity must know: {municipality, code, title, open}; None where there is none.

    `open`: it stands in the plan that holds.
    """
    items, plans = PLAN.items.c, PLAN.plans.c
    row = connection.execute(
        select(plans.municipality, plans.current, items.code, items.title, items.withdrawn_at)
        .join(PLAN.plans, plans.id == items.plan_id)
        .where(items.id == activity_id, items.level == Level.ACTIVITY)
    ).one_or_none()
    return row and {
        "municipality": row.municipality,
        "code": row.code,
        "title": row.title,
        "open": row.current and row.withdrawn_at is None,
    }


# rows and objects


def _facts(item: Item) -> Plain:
    said = {
        "total": item.total if item.total is None else lira(item.total),
        "unit": item.unit,
        "measure": item.measure and str(item.measure),
        "direction": item.direction and str(item.direction),
        "baseline": item.baseline if item.baseline is None else amount(item.baseline),
        "planned": {str(year): amount(value) for year, value in item.planned.items()},
        "responsible": item.responsible,
        "years": list(item.years),
        "budget": {str(year): lira(value) for year, value in item.budget.items()},
    }
    return {name: value for name, value in said.items() if value not in (None, {}, [])}


def _item(row: Row[Any]) -> Item:
    facts: Mapping[str, Any] = row.facts
    return Item(
        level=Level(row.level),
        code=row.code,
        title=row.title,
        parent=row.parent,
        total=_decimal(facts.get("total")),
        unit=facts.get("unit"),
        measure=Measure(facts["measure"]) if "measure" in facts else None,
        direction=Direction(facts["direction"]) if "direction" in facts else None,
        baseline=_decimal(facts.get("baseline")),
        planned=_years(facts.get("planned", {})),
        responsible=facts.get("responsible"),
        years=tuple(facts.get("years", ())),
        budget=_years(facts.get("budget", {})),
    )


def _decimal(text_: str | None) -> Decimal | None:
    return None if text_ is None else Decimal(text_)


def _years(said: Mapping[str, str]) -> Years:
    return {int(year): Decimal(value) for year, value in said.items()}


# what others see


def plan_shown(kept: KeptPlan, figures: Sequence[Figure]) -> Plain:
    """A PlanAnswer: goals, in them targets, in those indicators and activities, each in the order of the file."""
    reported: dict[str, dict[str, str]] = {}
    for figure in figures:
        if figure.kind is Kind.REPORT and figure.value is not None:
            reported.setdefault(figure.code, {})[str(figure.year)] = amount(figure.value)
    plan = kept.plan
    below: dict[str | None, list[Item]] = {}
    for item in plan.items:
        below.setdefault(item.parent, []).append(item)

    def target(item: Item) -> Plain:
        inside = below.get(item.code, [])
        return {
            **_headed(item),
            "indicators": [
                {**indicator_shown(each), "reported": _by_year(reported.get(each.code, {}))}
                for each in inside
                if each.level is Level.INDICATOR
            ],
            "activities": [
                activity_shown(each, kept.activities[each.code]) for each in inside if each.level is Level.ACTIVITY
            ],
        }

    return {
        "municipality": kept.municipality,
        "version": kept.version,
        "title": plan.title,
        "first_year": plan.first_year,
        "last_year": plan.last_year,
        "applied_at": kept.applied_at.isoformat(),
        "goals": [
            {**_headed(goal), "targets": [target(each) for each in below.get(goal.code, [])]}
            for goal in plan.of(Level.GOAL)
        ],
    }


def _headed(item: Item) -> Plain:
    return {"code": item.code, "title": item.title, "total": None if item.total is None else lira(item.total)}


def indicator_shown(item: Item) -> Plain:
    """An indicator; `measure` is null where the plan does not say it."""
    return {
        "code": item.code,
        "title": item.title,
        "unit": item.unit,
        "measure": item.measure and str(item.measure),
        "direction": item.direction and str(item.direction),
        "baseline": None if item.baseline is None else amount(item.baseline),
        "planned": _by_year({str(year): amount(value) for year, value in item.planned.items()}),
    }


def activity_shown(item: Item, activity_id: str) -> Plain:
    """An activity; its years are those of its budget where it says no others."""
    return {
        "id": activity_id,
        "code": item.code,
        "title": item.title,
        "responsible": item.responsible,
        "years": list(item.years) or sorted(item.budget),
        "budget": [{"year": year, "amount": lira(value)} for year, value in sorted(item.budget.items())],
    }


def _by_year(values: Mapping[str, str]) -> list[Plain]:
    return [{"year": int(year), "value": value} for year, value in sorted(values.items())]


def warning_shown(found: Warned) -> Plain:
    """A PlanWarningAnswer."""
    return {
        "rule": found.rule,
        "label": _LABELS[found.rule],
        "code": found.code,
        "year": found.year,
        "message": found.message.to_plain(),
    }


def import_shown(made: PlanImport) -> Plain:
    """A PlanImportAnswer; of long lists the first 500, and how many there are."""
    counts = made.difference.counts
    sent = made.sent
    return {
        "id": made.id,
        "municipality": sent.municipality,
        "state": str(made.state),
        "requested_at": made.requested_at.isoformat(),
        "file_name": sent.file_name,
        "file_sha256": sent.file_sha256,
        "layout": sent.columns.layout,
        "ignored": list(sent.columns.ignored),
        "title": made.plan and made.plan.title,
        "first_year": made.plan and made.plan.first_year,
        "last_year": made.plan and made.plan.last_year,
        "plan_version": made.version,
        "read": made.read,
        **{str(outcome): counts[outcome] for outcome in (Outcome.ADDED, Outcome.CHANGED, Outcome.UNCHANGED)},
        "removed": counts[Outcome.REMOVED] - len(made.withdrawn),
        "withdrawn": len(made.withdrawn),
        "figures": made.difference.figures,
        "problem_count": len(made.problems),
        "problems": [
            {"row": each.row, "field": each.field, "message": each.message.to_plain()}
            for each in made.problems[:SHOWN_AT_MOST]
        ],
        "change_count": len(made.changes),
        "changes": [_change_shown(each, made.withdrawn) for each in made.changes[:SHOWN_AT_MOST]],
        "warning_count": len(made.warnings),
        "warnings": [warning_shown(each) for each in made.warnings[:SHOWN_AT_MOST]],
    }


def _change_shown(change: Change, withdrawn: Collection[str]) -> Plain:
    stays = change.level is Level.ACTIVITY and change.outcome is Outcome.REMOVED and change.code in withdrawn
    return {
        "level": str(change.level),
        "code": change.code,
        "title": change.title,
        "outcome": "withdrawn" if stays else str(change.outcome),
    }
