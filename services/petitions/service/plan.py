"""Strategic plans, what does not fit in them, and the proposals that are made to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from services.contracts.plan import MAX_PLAN_CELL, NewPlanImport, ProposalSearch, WarningSearch
from services.kernel.actor import Actor
from services.kernel.errors import Forbidden, Invalid, NotFound
from services.kernel.text import Label, Sentence
from services.petitions.adapters import plan as shown
from services.petitions.adapters.plan import PlanRows
from services.petitions.adapters.proposals import ProposalRows, Wanted
from services.petitions.application import plan as application
from services.petitions.application.plan import KeptPlan, SentPlan
from services.petitions.application.showing import KIND_LABELS, OUTCOME_LABELS
from services.petitions.domain.plan.check import warnings
from services.petitions.domain.plan.layout import recognise
from services.petitions.domain.plan.proposal import COLUMNS, STAKEHOLDERS
from services.petitions.domain.plan.reading import Row
from services.petitions.domain.plan.writing import dump
from services.petitions.domain.procedure import STAGES
from services.petitions.service.desk import Desk, Plain
from services.runtime.entrypoints import every, rpc
from services.runtime.schema import load

_EXPORTED_AT_ONCE = 500
_MOST_HEADING = 300
_STAGES = {stage.name: stage.label for stage in STAGES}
_WORDS = {"kind": KIND_LABELS, "stage": _STAGES, "outcome": OUTCOME_LABELS, "petitioner_type": STAKEHOLDERS}


class PlanDesk(Desk):
    """Questions and commands about plans."""

    @rpc
    def plan_columns(self, header: list[str]) -> Plain:
        """Which columns of a file are taken: {keep, ignored}; the others never come here. Raises Invalid."""
        found = recognise([str(heading)[:_MOST_HEADING] for heading in header])
        return {"keep": list(found.keep), "ignored": list(found.ignored)}

    @rpc
    def import_plan(self, actor: Plain, plan: Plain, key: str) -> Plain:
        """See `application.plan.import_plan`; `plan` is a NewPlanImport."""
        given = load(NewPlanImport(), plan)
        municipality = given.pop("municipality") or actor.get("municipality")
        if municipality is None:
            raise Forbidden(Sentence("Your office belongs to no municipality."))
        columns = recognise(given.pop("header"))
        kept = tuple(range(len(columns.keep)))
        if columns.keep != kept:
            raise Invalid.field("header", Sentence("Send the columns that are kept, and no others."))
        sent = SentPlan(
            **{name: value for name, value in given.items() if name not in ("rows", "ignored")},
            municipality=municipality,
            columns=columns.with_ignored(given["ignored"]),
            rows=list(_rows(given["rows"])),
        )

        def effect(connection: Connection, acting: Actor) -> Plain:
            return shown.import_shown(application.import_plan(PlanRows(connection), acting, sent, self.time.now()))

        return self.once(actor, key, "import_plan", {"plan": plan}, effect)

    @rpc
    def get_plan_import(self, actor: Plain, import_id: str) -> Plain:
        """What was found in a file (offices of the municipality, auditor). Raises NotFound."""
        with self.database.read() as connection:
            found = PlanRows(connection).found_in(import_id)
        application.demand_reader(Actor.from_plain(actor), found["municipality"])
        return found

    @rpc
    def get_plan(self, municipality: str) -> Plain:
        """The municipality's plan; for everyone. Raises NotFound where there is none."""
        with self.database.read() as connection:
            rows = PlanRows(connection)
            kept = _there(rows, municipality)
            return shown.plan_shown(kept, rows.figures(kept.id))

    @rpc
    def get_plan_table(self, municipality: str) -> Plain:
        """The plan with its figures as a table that can be imported again: {version, header, rows}; for everyone."""
        with self.database.read() as connection:
            rows = PlanRows(connection)
            kept = _there(rows, municipality)
            header, lines = dump(kept.plan, rows.figures(kept.id))
        return {"version": kept.version, "header": header, "rows": list(lines)}

    @rpc
    def get_plan_activity(self, municipality: str, activity_id: str) -> Plain:
        """One activity with the numbers of its proposals; for everyone. Raises NotFound."""
        with self.database.read() as connection:
            found = PlanRows(connection).activity(municipality, activity_id)
            return {**found, "proposals": ProposalRows(connection).of_activity(activity_id)}

    @rpc
    def plan_warnings(self, actor: Plain, municipality: str, **wanted: Any) -> Plain:
        """A page of what does not fit in the plan (offices of the municipality, auditor). Raises NotFound."""
        asked = load(WarningSearch(), wanted)
        application.demand_reader(Actor.from_plain(actor), municipality)
        with self.database.read() as connection:
            rows = PlanRows(connection)
            kept = _there(rows, municipality)
            figures = rows.figures(kept.id)
        found = [each for each in warnings(kept.plan, figures) if asked["rule"] in (None, each.rule)]
        page, size = asked["page"], asked["size"]
        items = [shown.warning_shown(each) for each in found[(page - 1) * size : page * size]]
        return {"items": items, "page": page, "size": size, "total": len(found)}

    @every("housekeeping_interval")
    def clear_plan_trials(self) -> None:
        """Throw away what was found in files that nobody applied within a month."""
        done = 1
        while done:
            with self.database.write() as connection:
                done = PlanRows(connection).clear_trials(self.time.now())

    # proposals

    @rpc
    def list_proposals(self, actor: Plain, municipality: str, **wanted: Any) -> Plain:
        """A page of a municipality's proposals and opinions, and their groups. Raises NotFound."""
        asked = load(ProposalSearch(), wanted)
        application.demand_reader(Actor.from_plain(actor), municipality)
        page, size = asked["page"], asked["size"]
        which = _wanted(municipality, asked)
        with self.database.read() as connection:
            rows = ProposalRows(connection)
            items, total = rows.page(which, page, size)
            groups = rows.groups(which)
        return {"items": items, "page": page, "size": size, "total": total, "groups": groups}

    @rpc
    def export_proposals(self, actor: Plain, municipality: str, after: Plain | None = None, **wanted: Any) -> Plain:
        """The next rows of the proposals as a table, without persons: {header, rows, after}.

        `after` of the last answer asks for the next rows; null is the end. Raises NotFound.
        """
        asked = load(ProposalSearch(), wanted)
        application.demand_reader(Actor.from_plain(actor), municipality)
        last = after and (datetime.fromisoformat(after["created_at"]), str(after["id"]))
        with self.database.read() as connection:
            found = ProposalRows(connection).after(_wanted(municipality, asked), last or None, _EXPORTED_AT_ONCE)
        more = len(found) == _EXPORTED_AT_ONCE
        return {
            "header": [label.to_plain() for label in COLUMNS.values()],
            "rows": [[_cell(name, each) for name in COLUMNS] for each in found],
            "after": {name: found[-1][name] for name in ("created_at", "id")} if more else None,
        }


def _there(rows: PlanRows, municipality: str) -> KeptPlan:
    kept = rows.current(municipality)
    if kept is None:
        raise _no_plan()
    return kept


def _no_plan() -> NotFound:
    return NotFound(Sentence("This municipality has entered no strategic plan."))


def _wanted(municipality: str, asked: Plain) -> Wanted:
    activity = asked["activity"]
    return Wanted(municipality, activity and str(activity), asked["stakeholder"], asked["stage"])


def _cell(name: str, proposal: Plain) -> Any:
    if name.startswith("activity_"):
        activity = proposal["activity"] or {}
        return activity.get(name.removeprefix("activity_"), "")
    value = proposal[name]
    label: Label | None = _WORDS.get(name, {}).get(value)
    return label.to_plain() if label else "" if value is None else str(value)


def _rows(sent: list[Any]) -> Iterator[Row]:
    """Rows as they must be; Invalid otherwise. What is longer than any field may be is cut, and refused by its row."""
    for row in sent:
        if not (isinstance(row, list) and len(row) in (2, 3) and type(row[0]) is int and row[0] > 0):
            raise _misshapen()
        number, cells, *why = row
        if cells is None and why and isinstance(why[0], dict) and set(why[0]) == {"template", "values"}:
            yield number, Sentence.from_plain(why[0])
        elif isinstance(cells, list) and all(isinstance(cell, str) for cell in cells):
            yield number, [cell[:MAX_PLAN_CELL] for cell in cells]
        else:
            raise _misshapen()


def _misshapen() -> Invalid:
    return Invalid.field("rows", Sentence("Send each row with its number and its cells."))
