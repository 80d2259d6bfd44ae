"""What the rows of a file would do, found out part by part."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from services.kernel.errors import Invalid, Refused
from services.kernel.text import Sentence
from services.registry.application.intake.grant import grant_row, known_status
from services.registry.application.intake.port import AT_ONCE, Context, FileRow, Lost, Store, held
from services.registry.domain.intake.course import Import, Phase
from services.registry.domain.intake.diff import new_record
from services.registry.domain.intake.judgement import (
    Known,
    Outcome,
    Row,
    judge_municipality,
    judge_organisation,
    judge_status,
    put_under_review,
    stated,
)
from services.registry.domain.intake.layout import layout_called
from services.registry.domain.intake.reading import Reading, row_reader
from services.registry.domain.municipality import Municipality
from services.registry.domain.organisation import Organisation


def compare_next(context: Context, import_id: str) -> bool:
    """Compare one part of the file, or after the last one the file as a whole; False when all is done."""
    with context.read() as store:
        imported = held(context, store, import_id, Phase.COMPARING, to_change=False)
        if imported.position == 0:
            imported.base_id = store.newest_applied(imported.kind, imported.source)
        number, parts = imported.position, imported.parts or 0
        rows: Sequence[FileRow] = store.part(import_id, number) if number < parts else ()
        again = bool(rows) and not imported.decisions and store.is_in_base(imported, number)
        staged = [] if again else compare_rows(store, imported, rows, context.today, context.breathe)
    if number >= parts:
        with context.write() as store:
            store.gather_statistics()
    with context.write() as store:
        current = held(context, store, import_id, Phase.COMPARING)
        if current.position != number:
            raise Lost(import_id)
        if number == 0:
            store.drop_rows(import_id)
            current.base_id = imported.base_id
        if number < parts:
            if again:
                # The last applied import had this very part: what is still as it left it needs no reading.
                copied = store.copy_left_alone(current, rows[0][0], rows[-1][0])
                others = [row for row in rows if row[0] not in copied]
                staged = compare_rows(store, current, others, context.today, context.breathe)
            store.stage(import_id, staged, at_first=True)
            current.position, current.done = number + 1, current.done + len(rows)
        else:
            _close_comparison(store, current)
            current.end_comparison(context.now())
        store.save(current)
    return number < parts


def _close_comparison(store: Store, imported: Import) -> None:
    part_doubles(store, imported)
    store.stage_vanished(imported)
    imported.counts = dict.fromkeys(Outcome, 0) | dict(store.counts(imported.id))


def part_doubles(store: Store, imported: Import) -> None:
    """Put rows that are about the same under review."""
    while found := store.doubles(imported):
        for shared, places in found:
            why = _DOUBLE[shared]
            store.review(imported.id, places, why)


_DOUBLE = {
    "number": Sentence("This registry number is in the file more than once."),
    "identity": Sentence("This name, province and district is in the file more than once."),
    "organisation": Sentence("Several rows of the file are about the same organisation."),
    "status": Sentence("This status is in the file more than once."),
    "code": Sentence("This code is in the file more than once."),
}
"""Why rows that share something are put under review."""


def compare_rows(
    store: Store, imported: Import, rows: Sequence[FileRow], today: date, breathe: Callable[[], None] = lambda: None
) -> list[Row]:
    """What each row would do, with the same number of queries however many rows there are."""
    if not rows:
        return []
    layout = layout_called(imported.layout)
    salt = f"{layout.id}\x1f{','.join(imported.holds)}\x1f"
    digests = ["" if isinstance(cells, Mapping) else _digest(salt, cells) for _, cells in rows]
    alone = store.left_alone(imported, set(digests) - {""}) if imported.base_id else {}
    read = row_reader(layout, imported.holds, today)
    staged: list[Row] = []
    readings: list[tuple[Row, Reading]] = []
    for count, (place, cells) in enumerate(rows):
        if count % AT_ONCE == 0:
            breathe()
        if isinstance(cells, Mapping):
            staged.append(Row(place, Outcome.REJECTED, reasons=[(None, Sentence.from_plain(cells))]))
            continue
        before = None if place in imported.decisions else alone.get(digests[count])
        if before is not None:
            # A copy only for rows that say the same twice: copying all would take as long as comparing them.
            before = replace(before) if before.place else before
            before.place = place
            staged.append(before)
            continue
        row = Row(place, Outcome.UNCHANGED, digest=digests[count])
        readings.append((row, read(cells)))
        staged.append(row)
    if readings:
        _JUDGES[imported.kind](store, imported, readings, today)
    return staged


def _digest(salt: str, cells: Sequence[str]) -> str:
    return hashlib.blake2b((salt + "\x1f".join(cells)).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


Readings = Sequence[tuple[Row, Reading]]


def _judge_organisations(store: Store, imported: Import, readings: Readings, today: date) -> None:  # noqa: ARG001
    numbers = {key for _, reading in readings if (key := reading.registry_key) is not None}
    names = {key for _, reading in readings if (key := reading.identity_key) is not None}
    numbered = store.numbered(numbers, imported.source)
    namesakes = store.namesakes(names, imported.source)
    decided_ids = {
        decision.organisation_id
        for row, _ in readings
        if (decision := imported.decisions.get(row.place)) is not None and decision.organisation_id is not None
    }
    decided = store.known(decided_ids, imported.source) if decided_ids else {}
    for row, reading in readings:
        decision = imported.decisions.get(row.place)
        judge_organisation(
            row,
            reading,
            numbered.get(reading.registry_key or "", ()),
            namesakes.get(reading.identity_key or "", ()),
            decision,
            decided.get(decision.organisation_id or "") if decision else None,
        )
    new = {_new_id(imported, row): row for row, _ in readings if row.outcome is Outcome.ADDED}
    for organisation_id, row in new.items():
        row.organisation_id = organisation_id
    if imported.undone_at is not None:
        _recognise_own(store, imported, new)


def _recognise_own(store: Store, imported: Import, new: Mapping[str, Row]) -> None:
    """What the import added before it was undone comes back under its id, and its version counts on."""
    for organisation_id, version in store.last_versions(new).items():
        new[organisation_id].version_after = version + 1
    for organisation_id, known in store.known(new, imported.source).items():
        row = new[organisation_id]
        row.changes, row.organisation_id, row.version_after = (), None, None
        put_under_review(row, [known], Sentence("This organisation was kept when the import was undone."))


def _judge_statuses(store: Store, imported: Import, readings: Readings, today: date) -> None:
    numbers = {key for _, reading in readings if (key := reading.registry_key) is not None}
    names = {
        key for _, reading in readings if reading.registry_key is None and (key := reading.identity_key) is not None
    }
    numbered, namesakes = store.numbered(numbers, imported.source), store.namesakes(names, imported.source)
    found: dict[int, Sequence[Known]] = {}
    for row, reading in readings:
        if reading.registry_key is not None:
            fitting = numbered.get(reading.registry_key, ())
        else:
            fitting = namesakes.get(reading.identity_key or "", ())
        found[row.place] = _of_holding_forms(reading.said.get("kind"), fitting)
    ids = {known.id for fitting in found.values() for known in fitting}
    organisations = store.organisations(ids) if ids else {}
    held = {key: [known_status(status) for status in each.history.known()] for key, each in organisations.items()}
    for row, reading in readings:
        if (decision := imported.decisions.get(row.place)) is not None and decision.decision == "skip":
            row.settled, row.outcome = True, Outcome.REJECTED
            row.reasons = [(None, Sentence("The registrar left this row out."))]
            continue
        judge_status(row, reading, found[row.place], held, imported.source)
        if row.outcome is Outcome.ADDED:
            row.status_id = _new_id(imported, row)
        if row.outcome in (Outcome.ADDED, Outcome.CHANGED):
            _try_grant(row, organisations[row.organisation_id or ""], today, imported)


def _of_holding_forms(kind: str | None, found: Sequence[Known]) -> Sequence[Known]:
    """Of several organisations with one number, those that may hold such a status; all where none may."""
    form = {"public_benefit": ("association", "federation", "confederation"), "tax_exempt": ("foundation",)}
    fitting = [known for known in found if known.record["form"] in form.get(kind or "", ())]
    return fitting or found


def _try_grant(row: Row, organisation: Organisation, today: date, imported: Import) -> None:
    new = row.outcome is Outcome.ADDED
    try:
        grant_row(replace(organisation), row, today=today, now=imported.touched_at, by="")
    except Invalid as error:
        wrong = [(each["field"], Sentence.from_plain(each["message"])) for each in error.details["errors"]]
        row.outcome, row.reasons, row.changes, row.version_after = Outcome.REJECTED, wrong, (), None
    except Refused as error:
        row.outcome, row.reasons, row.changes, row.version_after = Outcome.REJECTED, [(None, error.message)], (), None
    if new and row.outcome is Outcome.REJECTED:
        row.status_id = None


def _judge_municipalities(store: Store, imported: Import, readings: Readings, today: date) -> None:  # noqa: ARG001
    codes = {reading.said["code"] for _, reading in readings if "code" in reading.said}
    found = store.municipalities(codes)
    gone = store.last_municipality_versions(codes - found.keys())
    for row, reading in readings:
        if (decision := imported.decisions.get(row.place)) is not None and decision.decision == "skip":
            row.settled, row.outcome = True, Outcome.REJECTED
            row.reasons = [(None, Sentence("The registrar left this row out."))]
            continue
        code = reading.said.get("code", "")
        municipality = found.get(code)
        known = Known(code, municipality.version, municipality.record()) if municipality else None
        judge_municipality(row, reading, known)
        try:
            if row.outcome is Outcome.ADDED:
                row.version_after = 1 + gone.get(code, 0)
                Municipality.register(code, stated(row.changes))
            elif row.outcome is Outcome.CHANGED and municipality is not None:
                replace(municipality).restate(new_record(municipality.record(), row.changes))
        except Invalid as error:
            wrong = [(each["field"], Sentence.from_plain(each["message"])) for each in error.details["errors"]]
            row.outcome, row.reasons, row.changes, row.version_after = Outcome.REJECTED, wrong, (), None


_JUDGES: Mapping[str, Callable[[Store, Import, Readings, date], None]] = {
    "organisations": _judge_organisations,
    "statuses": _judge_statuses,
    "municipalities": _judge_municipalities,
}

_NEW = uuid.UUID("a3b0f8c4-3a1e-5d0b-8f57-5b8f0a4f1e27")


def _new_id(imported: Import, row: Row) -> str:
    """The same each time the import is compared, so that it can be applied again after it was undone."""
    return str(uuid.uuid5(_NEW, f"{imported.id}/{row.place}"))
