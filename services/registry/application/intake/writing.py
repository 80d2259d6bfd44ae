"""Applying an import: one transaction, with nobody else changing the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime

from services.kernel.actor import Actor
from services.kernel.events import Event
from services.registry.application.intake.comparison import compare_rows, part_doubles
from services.registry.application.intake.grant import grant_row
from services.registry.application.intake.port import Context, Imports, Store, held
from services.registry.domain.intake.course import Import, Phase
from services.registry.domain.intake.diff import new_record
from services.registry.domain.intake.judgement import VANISHED, Outcome, Row, stated
from services.registry.domain.municipality import Municipality
from services.registry.domain.organisation import Organisation, given_of
from services.registry.domain.vocabulary import State

_WRITTEN = (Outcome.ADDED, Outcome.CHANGED, Outcome.VANISHED)


def apply(context: Context, import_id: str) -> None:
    """Write what the comparison found, after comparing again what changed since. Raises Lost, Unavailable."""
    with context.write() as store:
        imported = store.get(import_id)
        store.lock(imported.kind)
        imported = held(context, store, import_id, Phase.APPLYING, to_change=False)
        _compare_stale(context, store, imported)
        now, today = context.now(), context.today
        actor = Actor.from_plain(imported.acted_by)
        done = 0
        for rows in batches(context, store, imported.id):
            events = _WRITERS[imported.kind](store, imported, rows, now, today)
            store.announce(events, actor=actor, now=now)
            done += len(rows)
            context.tell(imported, done)
            context.breathe()
        store.finish(imported)
        final = held(context, store, import_id, Phase.APPLYING)
        final.counts = dict.fromkeys(Outcome, 0) | dict(store.counts(import_id))
        final.of = final.changes
        final.applied(store.next_applied_no(), now)
        store.save(final)


def _compare_stale(context: Context, store: Store, imported: Import) -> None:
    """Compare again what changed since; the lock keeps it from changing once more."""
    places = store.stale(imported)
    if not places:
        return
    absent = [place for place in places if place >= VANISHED]
    wanted = set(places).difference(absent)
    for number, first, last in store.parts(imported.id):
        if not any(first <= place <= last for place in wanted):
            continue
        rows = [row for row in store.part(imported.id, number) if row[0] in wanted]
        store.stage(imported.id, compare_rows(store, imported, rows, context.today, context.breathe))
        context.tell(imported, 0)
        context.breathe()
    part_doubles(store, imported)
    store.stage_vanished(imported)
    store.refresh_vanished(imported, absent)


def batches(context: Context, store: Imports, import_id: str) -> Iterator[Sequence[Row]]:
    """The rows that change something, in the order of the file."""
    after = -1
    while rows := store.rows(import_id, _WRITTEN, after, context.at_once):
        yield rows
        after = rows[-1].place


def _write_organisations(
    store: Store, imported: Import, rows: Sequence[Row], now: datetime, today: date
) -> list[Event]:
    by = Actor.from_plain(imported.acted_by).office
    known = store.organisations({subject_of(row) for row in rows if row.outcome is not Outcome.ADDED})
    added: list[Organisation] = []
    changed: list[Organisation] = []
    events: list[Event] = []
    doubted: list[str] = []
    trusted: list[str] = []
    for row in rows:
        event: Event | None
        if row.outcome is Outcome.ADDED:
            organisation, event = Organisation.of_record(
                subject_of(row), stated(row.changes), today, row.version_after or 1
            )
            added.append(organisation)
        else:
            organisation = known[subject_of(row)]
            event = organisation.update(given_of(row.changes), today)
            if event is not None:
                changed.append(organisation)
        if event is not None:
            events.append(event)
        state = next((change for change in row.changes if change.field == "state"), None)
        if state is not None and state.new == State.TO_VERIFY:
            doubted.append(organisation.id)
        elif state is not None and state.old == State.TO_VERIFY:
            trusted.append(organisation.id)
    store.write(added, changed, now=now, by=by)
    store.doubt(imported, doubted)
    store.trust(imported, trusted)
    return events


def _write_statuses(store: Store, imported: Import, rows: Sequence[Row], now: datetime, today: date) -> list[Event]:
    by = Actor.from_plain(imported.acted_by).office
    organisations = store.organisations({subject_of(row) for row in rows if row.outcome is not Outcome.VANISHED})
    events = [
        grant_row(organisations[subject_of(row)], row, today=today, now=now, by=by)
        for row in rows
        if row.outcome is not Outcome.VANISHED
    ]
    store.write([], list(organisations.values()), now=now, by=by)
    return events


def _write_municipalities(
    store: Store,
    imported: Import,  # noqa: ARG001 - one signature for all
    rows: Sequence[Row],
    now: datetime,  # noqa: ARG001
    today: date,  # noqa: ARG001
) -> list[Event]:
    known = store.municipalities({row.code or "" for row in rows if row.outcome is Outcome.CHANGED})
    added, changed = [], []
    events: list[Event] = []
    for row in rows:
        if row.outcome is Outcome.ADDED:
            new, event = Municipality.register(row.code or "", stated(row.changes), row.version_after or 1)
            added.append(new)
            events.append(event)
        elif row.outcome is Outcome.CHANGED:
            municipality = known[row.code or ""]
            restated = municipality.restate(new_record(municipality.record(), row.changes))
            if restated is not None:
                changed.append(municipality)
                events.append(restated)
    store.write_municipalities(added, changed)
    return events


_WRITERS: Mapping[str, Callable[[Store, Import, Sequence[Row], datetime, date], list[Event]]] = {
    "organisations": _write_organisations,
    "statuses": _write_statuses,
    "municipalities": _write_municipalities,
}


def subject_of(row: Row) -> str:
    """The organisation that a row is about."""
    return row.organisation_id or ""
