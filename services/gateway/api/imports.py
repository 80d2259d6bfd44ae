"""Whole lists: what a file would change, applying it, taking it back."""

from __future__ import annotations

from services.gateway.delivery import Consignment, deliver
from services.gateway.http import BASE, Answer, Call, Table
from services.gateway.schemas import intake as s
from services.runtime.sheet import open_sheet

TABLE = Table()
REGISTRAR = ("registrar",)
READERS = ("registrar", "auditor")


@TABLE.route(
    "POST",
    "/imports",
    tag="Imports",
    summary="Send a list of organisations, statuses or municipalities",
    description="By default a trial, which shows every difference and changes nothing. The answer comes when the file "
    "has arrived; the comparison goes on after it.",
    body=s.ImportForm,
    upload=lambda settings: settings.largest_upload,
    answer=s.ImportSchema,
    status=202,
    roles=REGISTRAR,
)
def begin_import(call: Call) -> Answer:
    """The import as it stands when the file has arrived."""
    file = call.body["file"]
    with open_sheet(file.stream, call.ports.settings.documents) as sheet:
        begun = deliver(
            call.ports.registry,
            call.who,
            sheet,
            Consignment(
                kind=call.body["kind"],
                source=call.body["source"],
                apply=call.body["apply"],
                file_name=file.name or None,
                sha256=file.sha256,
                key=call.key,
            ),
        )
    return Answer(begun, location=f"{BASE}/imports/{begun['id']}")


@TABLE.route(
    "GET",
    "/imports",
    tag="Imports",
    summary="The imports, newest first",
    query=s.ImportsQuery,
    answer=s.ImportPageSchema,
    roles=READERS,
)
def list_imports(call: Call) -> Answer:
    """By source and state."""
    query = call.query
    found = call.ports.registry.list_imports(
        actor=call.who,
        source=query.get("source"),
        state=query.get("state"),
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route(
    "GET",
    "/imports/{id}",
    tag="Imports",
    summary="One import, how far it is and what it found",
    answer=s.ImportSchema,
    roles=READERS,
)
def get_import(call: Call) -> Answer:
    """While it runs: the phase, and how many rows are through it."""
    return Answer(call.ports.registry.get_import(actor=call.who, import_id=call.params["id"]))


@TABLE.route(
    "GET",
    "/imports/{id}/rows",
    tag="Imports",
    summary="The rows of an import and what becomes of each",
    query=s.ImportRowsQuery,
    answer=s.ImportRowPageSchema,
    roles=READERS,
)
def import_rows(call: Call) -> Answer:
    """Field by field, old and new; why a row was rejected; whom a row under review may be about."""
    query = call.query
    found = call.ports.registry.import_rows(
        actor=call.who,
        import_id=call.params["id"],
        outcome=query.get("outcome"),
        page=query["page"],
        size=query["size"],
    )
    return Answer(found)


@TABLE.route(
    "POST",
    "/imports/{id}/apply",
    tag="Imports",
    summary="Apply what a trial showed",
    description="All of it or nothing. Rows under review and rejected rows are left out.",
    answer=s.ImportSchema,
    status=202,
    roles=REGISTRAR,
)
def apply_import(call: Call) -> Answer:
    """The import, which is being applied."""
    return Answer(
        call.ports.registry.apply_import(actor=call.who, import_id=call.params["id"], key=call.key),
        location=f"{BASE}/imports/{call.params['id']}",
    )


@TABLE.route(
    "POST",
    "/imports/{id}/undo",
    tag="Imports",
    summary="Take an applied import back",
    description="What others changed since stays as it is; its rows then have the outcome kept.",
    answer=s.ImportSchema,
    status=202,
    roles=REGISTRAR,
)
def undo_import(call: Call) -> Answer:
    """The import, which is being undone."""
    return Answer(
        call.ports.registry.undo_import(actor=call.who, import_id=call.params["id"], key=call.key),
        location=f"{BASE}/imports/{call.params['id']}",
    )


@TABLE.route(
    "POST",
    "/imports/{id}/rows/{row}/settlement",
    tag="Imports",
    summary="Decide on a row under review",
    body=s.RowSettlementSchema,
    answer=s.ImportRowSchema,
    roles=REGISTRAR,
)
def settle_import_row(call: Call) -> Answer:
    """The row as it stands now."""
    found = call.ports.registry.settle_import_row(
        actor=call.who,
        import_id=call.params["id"],
        row_no=int(call.params["row"]),
        decision=dict(call.body),
        key=call.key,
    )
    return Answer(found)
