"""Strategic plans, and all the proposals that are made to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.contracts.plan import MAX_COLUMNS, MAX_HEADING, MAX_PLAN_CELL, MAX_PLAN_LETTERS, MAX_PLAN_ROWS
from services.gateway.http import BASE, Answer, Call, Table, localise
from services.gateway.schemas import plans as s
from services.gateway.spreadsheet import MARK, lines, written
from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.runtime.sheet import Broken, Sheet, open_sheet

TABLE = Table()
TAG = "Strategic plan"
KEEPERS = ("registry_clerk", "unit_officer")
READERS = ("registry_clerk", "unit_officer", "mayor", "auditor")
LARGEST = 10 * 1024 * 1024
_FORM_AROUND = 64 * 1024
"""Bytes of a form besides its file."""
_CACHED = {"Cache-Control": "public, max-age=60"}


@TABLE.route(
    "POST",
    "/plans/imports",
    tag=TAG,
    summary="Send a strategic plan, or figures of one, as a table",
    description="By default a trial, which shows every problem by its row and every difference, and changes nothing. "
    "Applied, it takes the plan's place as a whole or not at all; activities keep their ids by their codes. "
    "A file that holds only reported or programmed figures leaves the plan as it is and adds them.",
    body=s.PlanImportForm,
    upload=lambda _: LARGEST + _FORM_AROUND,
    answer=s.PlanImportSchema,
    status=201,
    roles=KEEPERS,
)
def import_plan(call: Call) -> Answer:
    """What was found; state refused when there are problems."""
    file = call.body["file"]
    with open_sheet(file.stream, call.ports.settings.documents) as sheet:
        header = _header(sheet)
        known = call.ports.petitions.plan_columns(header=header)
        plan: dict[str, Any] = {
            **{name: value for name, value in call.body.items() if name != "file"},
            "file_name": file.name or None,
            "file_sha256": file.sha256,
            "header": [header[place] for place in known["keep"]],
            "ignored": known["ignored"],
            "rows": list(_rows(sheet, known["keep"])),
        }
    made = call.ports.petitions.import_plan(actor=call.who, plan=plan, key=call.key)
    return Answer(made, location=f"{BASE}/plans/imports/{made['id']}")


def _header(sheet: Sheet) -> list[str]:
    if len(sheet.header) > MAX_COLUMNS:
        raise Invalid.field("file", Sentence("The table has more than {most} columns.", most=MAX_COLUMNS))
    return [heading[:MAX_HEADING] for heading in sheet.header]


def _rows(sheet: Sheet, keep: list[int]) -> Iterator[list[Any]]:
    """The rows as they travel; the plan says itself that it has too many, so one more than it may have is sent."""
    letters = 0
    for count, (number, cells) in enumerate(sheet.rows(keep)):
        if count > MAX_PLAN_ROWS:
            return
        if isinstance(cells, Broken):
            yield [number, None, cells.reason.to_plain()]
            continue
        cut = [cell[:MAX_PLAN_CELL] for cell in cells]
        letters += sum(map(len, cut))
        if letters > MAX_PLAN_LETTERS:
            raise Invalid.field("file", Sentence("The table holds more than {most} letters.", most=MAX_PLAN_LETTERS))
        yield [number, cut]


@TABLE.route(
    "GET",
    "/plans/imports/{id}",
    tag=TAG,
    summary="What was found in a plan's file",
    answer=s.PlanImportSchema,
    roles=READERS,
)
def get_plan_import(call: Call) -> Answer:
    """Files that were never applied are forgotten after a month."""
    return Answer(call.ports.petitions.get_plan_import(actor=call.who, import_id=call.params["id"]))


@TABLE.route(
    "GET",
    "/municipalities/{code}/plan",
    tag=TAG,
    summary="The strategic plan of a municipality",
    description="Goals, in them targets, in those indicators and activities.",
    answer=s.PlanSchema,
    access="public",
    etag=True,
)
def get_plan(call: Call) -> Answer:
    """For everyone."""
    found = call.ports.petitions.get_plan(municipality=call.params["code"])
    return Answer(found, version=found["version"], headers=_CACHED)


@TABLE.route(
    "GET",
    "/municipalities/{code}/plan.csv",
    tag=TAG,
    summary="The strategic plan as a table that can be edited and imported again",
    description="UTF-8 with its mark and semicolons, as spreadsheet programs in Turkish expect it.",
    content_type="text/csv",
    access="public",
    etag=True,
)
def get_plan_table(call: Call) -> Answer:
    """With everything that was reported."""
    found = call.ports.petitions.get_plan_table(municipality=call.params["code"])
    return Answer(MARK + lines([found["header"], *found["rows"]]), version=found["version"], headers=_CACHED)


@TABLE.route(
    "GET",
    "/municipalities/{code}/plan/activities/{id}",
    tag=TAG,
    summary="One activity, and how many proposals it has",
    description="Proposals of institutions by stage; of persons only their number, and that only from five on.",
    answer=s.ActivityPageSchema,
    access="public",
)
def get_plan_activity(call: Call) -> Answer:
    """Also one that left the plan and has proposals; nothing can be proposed to that any more."""
    return Answer(
        call.ports.petitions.get_plan_activity(municipality=call.params["code"], activity_id=call.params["id"])
    )


@TABLE.route(
    "GET",
    "/municipalities/{code}/plan/warnings",
    tag=TAG,
    summary="What does not fit between plan, programme and reports",
    query=s.PlanWarningsQuery,
    answer=s.PlanWarningPageSchema,
    roles=READERS,
)
def plan_warnings(call: Call) -> Answer:
    """Rule by rule; for the municipality's own offices and the auditor."""
    query = call.query
    found = call.ports.petitions.plan_warnings(
        actor=call.who,
        municipality=call.params["code"],
        rule=query.get("rule"),
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/municipalities/{code}/proposals",
    tag=TAG,
    summary="All partnership proposals and opinions of a municipality",
    description="With their numbers by activity and by kind of stakeholder. Institutions are named, persons are not.",
    query=s.ProposalsQuery,
    answer=s.ProposalPageSchema,
    roles=READERS,
)
def list_proposals(call: Call) -> Answer:
    """For the municipality's own offices and the auditor."""
    query = call.query
    found = call.ports.petitions.list_proposals(
        actor=call.who, municipality=call.params["code"], page=query["page"], size=query["size"], **_filter(call)
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/municipalities/{code}/proposals.csv",
    tag=TAG,
    summary="All proposals as a table, without persons and without their words",
    description="UTF-8 with its mark and semicolons, as spreadsheet programs in Turkish expect it.",
    query=s.ProposalsFilter,
    content_type="text/csv",
    roles=READERS,
)
def export_proposals(call: Call) -> Answer:
    """In the order in which they came, in the caller's language."""
    table = written(_batches(call), call.ports.settings.documents)
    name = f"oneriler-{call.params['code']}.csv"
    return Answer(table, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _batches(call: Call) -> Iterator[list[list[str]]]:
    after: Any = None
    first = True
    while first or after:
        part = call.ports.petitions.export_proposals(
            actor=call.who, municipality=call.params["code"], after=after, **_filter(call)
        )
        yield localise([*([part["header"]] if first else []), *part["rows"]], call.language)
        after, first = part["after"], False


def _filter(call: Call) -> dict[str, Any]:
    return {name: call.query.get(name) for name in ("activity", "stakeholder", "stage")}
