"""What the registrar does with imports; each within one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.kernel.actor import Actor
from services.kernel.calendar import today_in_istanbul
from services.kernel.errors import Forbidden, Invalid, NotFound, Refused
from services.kernel.text import Sentence
from services.kernel.turkish import words
from services.registry.application.intake.comparison import compare_rows
from services.registry.application.intake.port import FileRow, Imports, Store
from services.registry.application.record import registrar_only
from services.registry.domain.field import WrongField, text
from services.registry.domain.intake.course import Import
from services.registry.domain.intake.judgement import VANISHED, Decision, Outcome, Row
from services.registry.domain.intake.layout import recognise

MOST_IMPORTED = 5_000_000
"""Rows of one file; the whole country has an eighth of a million associations."""


def begin(store: Imports, actor: Actor, asked: Mapping[str, Any], now: datetime) -> Import:
    """Begin an upload; the import says in `keep` which columns are to be sent.

    Raises Forbidden, Invalid for a header that fits no layout, and Refused while an import of this source runs.
    """
    registrar_only(actor)
    source = _text_of(asked, "source", 100)
    file_name = _text_of(asked, "file_name", 200)
    if source is None:
        raise Invalid.field("source", Sentence("Say whose list this is."))
    source = _as_written_before(source, store.sources(asked["kind"]))
    found = recognise(asked["kind"], asked["header"])
    imported = Import(
        id=str(uuid.uuid4()),
        kind=asked["kind"],
        source=source,
        layout=found.layout.id,
        file_name=file_name,
        file_sha256=asked["file_sha256"],
        holds=list(found.holds),
        keep=list(found.keep),
        wanted=asked["apply"],
        requested_at=now,
        requested_by=actor.to_plain(),
        acted_by=actor.to_plain(),
        touched_at=now,
    )
    store.add(imported)
    return imported


def _text_of(asked: Mapping[str, Any], name: str, longest: int) -> str | None:
    try:
        return text(longest)(asked[name])
    except WrongField as error:
        raise Invalid.field(name, error.sentence) from None


def _as_written_before(source: str, known: Sequence[str]) -> str:
    """The spelling that was used first, so that “National” and “national” are one source."""
    if source in known:
        return source
    key = words(source)
    return next((each for each in known if key and words(each) == key), source)


def add_rows(
    store: Imports, actor: Actor, import_id: str, number: int, rows: Sequence[FileRow], now: datetime
) -> Import:
    """Take in one part; a part that is there already changes nothing. Raises Forbidden, NotFound, Invalid, Refused."""
    registrar_only(actor)
    imported = store.get(import_id, to_change=True)
    width = len(imported.keep)
    last = 0
    for place, cells in rows:
        whole = isinstance(cells, Mapping) or len(cells) == width
        if not (whole and last < place < VANISHED):
            raise Invalid.field(
                "rows",
                Sentence("Send each row once, in order, with its number and its {width} cells.", width=width),
            )
        last = place
    if imported.read + len(rows) > MOST_IMPORTED:
        raise Invalid.field("rows", Sentence("A file may have {most} rows.", most=str(MOST_IMPORTED)))
    imported.take_rows(0, now)
    if store.add_part(import_id, number, rows):
        imported.take_rows(len(rows), now)
    store.save(imported)
    return imported


def end_upload(store: Imports, actor: Actor, import_id: str, parts: int, now: datetime) -> Import:
    """All parts were sent. Raises Forbidden, NotFound, Refused, and Invalid when one is missing."""
    registrar_only(actor)
    imported = store.get(import_id, to_change=True)
    there = store.parts(import_id)
    last = 0
    for number, (found, first, end) in enumerate(there):
        if found != number or first <= last:
            raise Invalid.field("parts", Sentence("The parts of the file do not follow each other. Send it again."))
        last = end
    if len(there) != parts:
        raise Invalid.field(
            "parts", Sentence("{sent} parts were announced, {there} came.", sent=parts, there=len(there))
        )
    imported.end_upload(parts, now)
    store.save(imported)
    return imported


def abandon(store: Imports, actor: Actor, import_id: str, now: datetime) -> Import:
    """Give up an upload. Raises Forbidden, NotFound, Refused."""
    registrar_only(actor)
    imported = store.get(import_id, to_change=True)
    imported.abandon(now, Sentence("The upload was given up."))
    store.save(imported)
    return imported


def want_applied(store: Imports, actor: Actor, import_id: str, now: datetime) -> Import:
    """Have it applied. Raises Forbidden, NotFound, Refused."""
    registrar_only(actor)
    imported = store.get(import_id, to_change=True)
    imported.want_applied(store.newest_applied(imported.kind, imported.source), actor.to_plain(), now)
    store.save(imported)
    return imported


def want_undone(store: Imports, actor: Actor, import_id: str, now: datetime) -> Import:
    """Have it undone. Raises Forbidden, NotFound, Refused."""
    registrar_only(actor)
    imported = store.get(import_id, to_change=True)
    imported.want_undone(
        store.newest_applied(imported.kind, imported.source),
        actor.to_plain(),
        now,
        before_cleaned=imported.applied_no is not None and store.cleaned_before(imported),
    )
    store.save(imported)
    return imported


def settle(
    store: Store, actor: Actor, import_id: str, place: int, decision: Decision, now: datetime
) -> tuple[Import, Row]:
    """Say what a row under review is, and compare it accordingly. Raises Forbidden, NotFound, Invalid, Refused."""
    registrar_only(actor)
    imported = store.get(import_id, to_change=True)
    row = store.row(import_id, place)
    if row.outcome is not Outcome.REVIEW and place not in imported.decisions:
        raise Refused(Sentence("This row is not under review."))
    if decision.decision != "skip" and imported.kind != "organisations":
        raise Refused(Sentence("Rows of this kind of import can only be left out."))
    if decision.decision == "same":
        _check_same(store, imported, place, decision.organisation_id)
    if decision.decision == "new" and store.number_listed(import_id, row):
        raise Refused(Sentence("Another row of this import has this registry number. Leave one of them out."))
    imported.settle(place, decision, now)
    number = store.part_with(import_id, place)
    rows = [] if number is None else [each for each in store.part(import_id, number) if each[0] == place]
    staged = compare_rows(store, imported, rows, today_in_istanbul(now))
    if not staged:
        raise NotFound(Sentence("There is no such row."))
    store.stage(import_id, staged)
    store.stage_vanished(imported, _concerned(row) | _concerned(staged[0]))
    imported.counts = {**imported.counts, **store.counts(import_id)}
    imported.done = imported.of
    store.save(imported)
    return imported, staged[0]


def _concerned(row: Row) -> set[str]:
    """What the row is about, or may be."""
    about = {row.organisation_id, row.code, *(each["organisation_id"] for each in row.candidates)}
    return {each for each in about if each is not None}


def _check_same(store: Store, imported: Import, place: int, organisation_id: str | None) -> None:
    known = None if organisation_id is None else store.known([organisation_id], imported.source).get(organisation_id)
    if known is None:
        raise Invalid.field("organisation_id", Sentence("There is no such organisation."))
    if known.succeeded:
        raise Refused(Sentence("Others took the place of this organisation. Choose one of them."))
    if store.subject_taken(imported.id, known.id, place):
        raise Refused(Sentence("Another row of this import is about this organisation."))


def readers_only(actor: Actor) -> None:
    """Raises Forbidden for all but the registrar and the auditor."""
    if actor.role not in ("registrar", "auditor"):
        raise Forbidden(Sentence("Only the registrar and the auditor may see imports."))
