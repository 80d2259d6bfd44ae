"""Undoing an import: one transaction, and only what still is as the import left it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from services.kernel.actor import Actor
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.registry.application.intake.grant import act_of, day_of, status_record
from services.registry.application.intake.port import Context, Partners, Store, held
from services.registry.application.intake.writing import batches, subject_of
from services.registry.domain.intake.course import Import, Phase
from services.registry.domain.intake.diff import new_record, reverse, still_standing
from services.registry.domain.intake.judgement import Outcome, Row, stated
from services.registry.domain.organisation import Organisation, given_of, number_key_of
from services.registry.domain.status import Status
from services.registry.domain.vocabulary import Form


def undo(context: Context, import_id: str) -> None:
    """Take back what the import changed, as far as nothing else has changed since.

    Versions are what others compare with, so they never go back: the facts and the statuses are as before,
    the version counts on. An undone status is known no more from now; what was known before stays readable.
    """
    with context.write() as store:
        imported = store.get(import_id)
        store.lock(imported.kind)
        imported = held(context, store, import_id, Phase.UNDOING, to_change=False)
        now, today = context.now(), context.today
        actor = Actor.from_plain(imported.acted_by)
        undo = _Undo(store, context.partners, imported, now, today, actor.office)
        done = 0
        for rows in batches(context, store, imported.id):
            events = undo.take_back(rows)
            store.announce(events, actor=actor, now=now)
            done += len(rows)
            context.tell(imported, done)
            context.breathe()
        store.forget_doubts(imported)
        store.finish(imported)
        final = held(context, store, import_id, Phase.UNDOING)
        final.counts = dict.fromkeys(Outcome, 0) | dict(store.counts(import_id))
        final.undone(now)
        store.save(final)


class _Undo:
    """One import on its way back."""

    def __init__(self, store: Store, partners: Partners, imported: Import, now: datetime, today: date, by: str) -> None:
        self._store, self._partners, self._imported = store, partners, imported
        self._now, self._today, self._by = now, today, by

    def take_back(self, rows: Sequence[Row]) -> list[Event]:
        """The events of what could be taken back; rows that were kept are noted with the reason."""
        kinds = {
            "organisations": self._organisations,
            "statuses": self._statuses,
            "municipalities": self._municipalities,
        }
        events, kept = kinds[self._imported.kind](rows)
        if kept:
            self._store.drop_kept(self._imported.id, kept)
        return events

    def _organisations(self, rows: Sequence[Row]) -> tuple[list[Event], list[Row]]:
        known = self._store.organisations({subject_of(row) for row in rows})
        added = {subject_of(row) for row in rows if row.outcome is Outcome.ADDED} & known.keys()
        used = set(self._store.in_use(added)) if added else set()
        partners = set(self._partners.organisations(added)) if added else set()
        events: list[Event] = []
        kept: list[Row] = []
        removed: list[Organisation] = []
        changed: list[Organisation] = []
        for row in rows:
            organisation = known.get(subject_of(row))
            if organisation is None:
                kept.append(_kept(row, [(None, Sentence("It is not in the registry any more."))]))
            elif row.outcome is Outcome.ADDED:
                why = _why_added_stays(organisation, row, used, partners)
                if why:
                    kept.append(_kept(row, why))
                else:
                    events.append(organisation.remove(self._today))
                    removed.append(organisation)
            else:
                event, why = self._restore(organisation, row)
                if event is not None:
                    events.append(event)
                    changed.append(organisation)
                if why:
                    kept.append(_kept(row, why))
        self._store.write([], changed, now=self._now, by=self._by)
        self._store.remove(removed, import_id=self._imported.id, now=self._now, by=self._by)
        return events, kept

    def _restore(self, organisation: Organisation, row: Row) -> tuple[Event | None, list[tuple[str | None, Sentence]]]:
        standing, overtaken = still_standing(row.changes, organisation.record())
        why: list[tuple[str | None, Sentence]] = [(change.field, _CHANGED_SINCE) for change in overtaken]
        given = given_of(reverse(standing))
        if {"registry_no", "form"} & given.keys() and self._number_taken(organisation, given):
            back = [name for name in ("registry_no", "form") if given.pop(name, None) is not None]
            why += [(name, Sentence("Another organisation has the number that it had before.")) for name in back]
        return (organisation.update(given, self._today) if given else None), why

    def _number_taken(self, organisation: Organisation, given: Mapping[str, Any]) -> bool:
        facts = organisation.facts
        form = Form(given.get("form", facts.form))
        key = number_key_of(form, given.get("registry_no", facts.registry_no))
        return key is not None and self._store.number_taken(form, key) not in (None, organisation.id)

    def _statuses(self, rows: Sequence[Row]) -> tuple[list[Event], list[Row]]:
        wanted = [row for row in rows if row.outcome is not Outcome.VANISHED]
        known = self._store.organisations({subject_of(row) for row in wanted})
        events: list[Event] = []
        kept: list[Row] = []
        for row in wanted:
            organisation = known.get(subject_of(row))
            status = organisation.history.current(row.status_id or "") if organisation else None
            if organisation is None or status is None:
                kept.append(_kept(row, [(None, Sentence("It is not in the registry any more."))]))
                continue
            _, overtaken = still_standing(row.changes, status_record(status))
            if overtaken or status.revoked_on is not None:
                why = [(change.field, _CHANGED_SINCE) for change in overtaken]
                kept.append(_kept(row, why or [(None, Sentence("This status was revoked after the import."))]))
            elif row.outcome is Outcome.ADDED:
                events.append(organisation.retract(status.id, today=self._today, now=self._now))
            else:
                events.append(self._restate(organisation, status, row))
        self._store.write([], list(known.values()), now=self._now, by=self._by)
        return events, kept

    def _restate(self, organisation: Organisation, status: Status, row: Row) -> Event:
        old = {**status_record(status), **{change.field: change.old for change in row.changes}}
        before = replace(
            status,
            valid_from=day_of(old["valid_from"]) or status.valid_from,
            valid_to=day_of(old.get("valid_to")),
            decision=act_of(old),
            source=old.get("source"),
        )
        return organisation.restore(before, today=self._today, now=self._now, by=self._by)

    def _municipalities(self, rows: Sequence[Row]) -> tuple[list[Event], list[Row]]:
        wanted = [row for row in rows if row.outcome is not Outcome.VANISHED]
        known = self._store.municipalities({row.code or "" for row in wanted})
        added = {row.code for row in wanted if row.outcome is Outcome.ADDED and row.code} & known.keys()
        used = set(self._partners.municipalities(added)) if added else set()
        events: list[Event] = []
        kept: list[Row] = []
        removed, changed = [], []
        for row in wanted:
            municipality = known.get(row.code or "")
            if municipality is None:
                kept.append(_kept(row, [(None, Sentence("It is not in the registry any more."))]))
                continue
            standing, overtaken = still_standing(row.changes, municipality.record())
            why: list[tuple[str | None, Sentence]] = [(change.field, _CHANGED_SINCE) for change in overtaken]
            if row.outcome is Outcome.ADDED:
                if municipality.sittings or municipality.record() != stated(row.changes):
                    why = why or [(None, _RECORD_CHANGED)]
                if row.code in used:
                    why.append((None, Sentence("It has protocols.")))
                if not why:
                    events.append(municipality.removed())
                    removed.append(municipality)
            else:
                event = municipality.restate(new_record(municipality.record(), reverse(standing)))
                if event is not None:
                    events.append(event)
                    changed.append(municipality)
            if why:
                kept.append(_kept(row, why))
        self._store.write_municipalities([], changed)
        self._store.remove_municipalities(removed, now=self._now, by=self._by)
        return events, kept


_CHANGED_SINCE = Sentence("This was changed after the import; it keeps its value.")
_RECORD_CHANGED = Sentence("Its record was changed after the import.")


def _why_added_stays(
    organisation: Organisation, row: Row, used: Collection[str], partners: Collection[str]
) -> list[tuple[str | None, Sentence]]:
    why: list[tuple[str | None, Sentence]] = []
    if organisation.record() != stated(row.changes):
        why.append((None, _RECORD_CHANGED))
    if organisation.history.known():
        why.append((None, Sentence("A status is recorded for it.")))
    if organisation.id in used or organisation.former or organisation.successors or organisation.last_audit_on:
        why.append((None, Sentence("Something was recorded for it after the import.")))
    if organisation.id in partners:
        why.append((None, Sentence("It is the partner of a protocol.")))
    return why


def _kept(row: Row, why: Sequence[tuple[str | None, Sentence]]) -> Row:
    return replace(row, outcome=Outcome.KEPT, reasons=list(why))
