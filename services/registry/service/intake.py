"""Imports, for the gateway and for the command line."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import eventlet
from eventlet.event import Event

from services.contracts.intake import (
    MAX_CELL,
    MAX_PARTS,
    MAX_ROW_NO,
    MAX_ROWS_AT_ONCE,
    ImportRowSearch,
    ImportSearch,
    NewImport,
    RowDecision,
)
from services.kernel.actor import Actor
from services.kernel.calendar import today_in_istanbul
from services.kernel.errors import Invalid, Unavailable
from services.kernel.text import Sentence
from services.registry.adapters.intake import ImportStore
from services.registry.application.intake import command
from services.registry.application.intake.port import AT_ONCE, LEASE, Context, FileRow, Lost, Partners
from services.registry.application.intake.work import work_at
from services.registry.domain.intake.course import MOST_TRIES, UPLOAD_PATIENCE, Import
from services.registry.domain.intake.judgement import VANISHED, Decision, Outcome, Row
from services.registry.service.desk import Desk, Plain, page_of
from services.runtime.database import Database
from services.runtime.dependencies import RemoteService
from services.runtime.entrypoints import every, rpc
from services.runtime.reply import remember, remembered
from services.runtime.schema import load

logger = logging.getLogger(__name__)

_SIGNS = 4
"""Signs of life that a process gives in the time of one lease."""
_SHOWN_EVERY = 0.5
"""Seconds between two notes of how far a long transaction is."""
_SEEN: dict[tuple[str, str], int] = {}
"""How many rows are done of the imports that this process works at: SQLite shows nobody an open transaction."""


class RemotePartners:
    """Asks the protocols service who has protocols."""

    def __init__(self, protocols: Any) -> None:
        self._protocols = protocols

    def organisations(self, ids: Collection[str]) -> set[str]:
        """Those of the ids that are the partner of a protocol. Raises Unavailable."""
        return set(self._protocols.partners_among(organisation_ids=sorted(ids)))

    def municipalities(self, codes: Collection[str]) -> set[str]:
        """Those of the codes that have a protocol. Raises Unavailable."""
        return set(self._protocols.municipalities_among(codes=sorted(codes)))


class Intake:
    """Imports over one database: commands, answers, and the work itself.

    The service offers its methods to other services; the command line uses them in its own process.
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime],
        partners: Partners,
        breathe: Callable[[], None] = eventlet.sleep,
        lease: timedelta = LEASE,
        at_once: int = AT_ONCE,
    ) -> None:
        """`breathe` lets other green threads run; it is called after `at_once` rows, several times a second.

        `lease`: how long this process may keep still before another takes its work over.
        """
        self._database = database
        self._now = now
        self._partners = partners
        self._breathe = breathe
        self._lease = lease
        self._at_once = at_once
        self._shown_at = 0.0

    # commands

    def begin_import(self, actor: Actor, asked: Mapping[str, Any], key: str | None = None) -> Plain:
        """Begin an upload: {id, state, keep}, `keep` being the places of the columns to send."""
        loaded = load(NewImport(), asked)

        def effect(store: ImportStore) -> Plain:
            begun = command.begin(store, actor, loaded, self._now())
            return {"id": begun.id, "state": str(begun.state), "keep": begun.keep}

        return self._once(actor, key, "begin_import", dict(asked), effect)

    def add_import_rows(self, actor: Actor, import_id: str, number: int, rows: Any) -> Plain:
        """Take in one part of the rows; the same number again changes nothing."""
        checked = _file_rows(number, rows)
        with self._writing() as store:
            return {"read": command.add_rows(store, actor, import_id, number, checked, self._now()).read}

    def finish_upload(self, actor: Actor, import_id: str, parts: int) -> Plain:
        """All parts were sent; the import as it is now."""
        with self._writing() as store:
            return import_shown(command.end_upload(store, actor, import_id, parts, self._now()))

    def abandon_upload(self, actor: Actor, import_id: str) -> Plain:
        """Give the upload up; the import as it is now."""
        with self._writing() as store:
            return import_shown(command.abandon(store, actor, import_id, self._now()))

    def apply_import(self, actor: Actor, import_id: str, key: str | None = None) -> Plain:
        """Have it applied; the import as it is now."""
        return self._once(
            actor, key, "apply_import", {"import_id": import_id},
            lambda store: import_shown(command.want_applied(store, actor, import_id, self._now())),
        )  # fmt: skip

    def undo_import(self, actor: Actor, import_id: str, key: str | None = None) -> Plain:
        """Have it undone; the import as it is now."""
        return self._once(
            actor, key, "undo_import", {"import_id": import_id},
            lambda store: import_shown(command.want_undone(store, actor, import_id, self._now())),
        )  # fmt: skip

    def settle_import_row(
        self, actor: Actor, import_id: str, row_no: int, decision: Mapping[str, Any], key: str | None = None
    ) -> Plain:
        """Say what a row under review is; the row as it is now."""
        loaded = load(RowDecision(), decision)
        given = Decision(loaded["decision"], loaded["organisation_id"] and str(loaded["organisation_id"]))
        if (given.decision == "same") != (given.organisation_id is not None):
            raise Invalid.field("organisation_id", Sentence("Name the organisation, and only when it is the same."))
        request = {"import_id": import_id, "row_no": row_no, "decision": dict(decision)}

        def effect(store: ImportStore) -> Plain:
            _, row = command.settle(store, actor, import_id, row_no, given, self._now())
            return row_shown(row)

        return self._once(actor, key, "settle_import_row", request, effect)

    # answers

    def get_import(self, actor: Actor, import_id: str) -> Plain:
        """One import."""
        command.readers_only(actor)
        with self._reading() as store:
            return self._with_progress(store.get(import_id))

    def list_imports(self, actor: Actor, wanted: Mapping[str, Any]) -> Plain:
        """A page of imports, newest first."""
        command.readers_only(actor)
        asked = load(ImportSearch(), wanted)
        with self._reading() as store:
            found, total = store.page(**asked)
        return page_of([self._with_progress(each) for each in found], asked["page"], asked["size"], total)

    def import_rows(self, actor: Actor, import_id: str, wanted: Mapping[str, Any]) -> Plain:
        """A page of the rows of an import."""
        command.readers_only(actor)
        asked = load(ImportRowSearch(), wanted)
        with self._reading() as store:
            found, total = store.row_page(store.get(import_id).id, **asked)
        return page_of([row_shown(each) for each in found], asked["page"], asked["size"], total)

    # the work

    def run(self, import_id: str | None = None) -> int:
        """Work until nothing waits any more, or until that one import rests; returns how many phases were done.

        A reason of ours that makes an import fail again and again ends it; a database or service that is away
        is waited for.
        """
        done = 0
        while (imported := self._take(import_id)) is not None:
            self._work_at(imported)
            done += 1
        return done

    def waits(self) -> bool:
        """Whether there is work."""
        with self._reading() as store:
            return store.waits(self._now())

    def _take(self, import_id: str | None) -> Import | None:
        now = self._now()
        if not self.waits():
            return None
        with self._writing() as store:
            return store.take(str(uuid.uuid4()), now, now + self._lease, import_id)

    def _work_at(self, imported: Import) -> None:
        context = self._context(imported.holder or "")
        _SEEN[self._database.url, imported.id] = 0
        try:
            with self._alive(imported):
                work_at(context, imported)
        except Lost:
            logger.warning("an import was taken over", extra={"import_id": imported.id})
        except Unavailable:
            self._let_go(imported, counts=False)
            raise
        except Exception:
            logger.exception("an import failed", extra={"import_id": imported.id, "phase": imported.phase})
            self._let_go(imported, counts=True)
        finally:
            _SEEN.pop((self._database.url, imported.id), None)

    @contextmanager
    def _alive(self, imported: Import) -> Iterator[None]:
        """Show meanwhile, several times a lease, that this process works at it, however long one step takes.

        SQLite needs no sign of life: an open transaction keeps every other process off.
        """
        if self._database.dialect == "sqlite":
            yield
            return
        over: Event = Event()
        signs = eventlet.spawn(self._show_life, imported, over)
        try:
            yield
        finally:
            over.send()
            signs.wait()

    def _show_life(self, imported: Import, over: Event) -> None:
        while True:
            with eventlet.Timeout(self._lease.total_seconds() / _SIGNS, exception=False):
                over.wait()
            if over.ready():
                return
            try:
                with self._writing() as store:
                    store.renew(imported.id, imported.holder or "", self._now() + self._lease)
            except Unavailable as error:
                # The import itself goes on, and so do the signs once the database is there again.
                logger.warning("an import cannot be held", extra={"import_id": imported.id, "cause": str(error)})

    def _let_go(self, imported: Import, *, counts: bool) -> None:
        with self._writing() as store:
            current = store.get(imported.id, to_change=True)
            if current.holder != imported.holder:
                return
            current.holder = current.lease_until = None
            current.tries += counts
            if current.tries >= MOST_TRIES:
                current.fail(Sentence("This import cannot be finished; the log of the registry says why."), self._now())
            store.save(current)

    def _context(self, holder: str) -> Context:
        return Context(
            read=self._reading,
            write=self._writing,
            partners=self._partners,
            now=self._now,
            breathe=self._breathe,
            tell=self._tell,
            holder=holder,
            lease=self._lease,
            at_once=self._at_once,
        )

    def _tell(self, imported: Import, done: int) -> None:
        _SEEN[self._database.url, imported.id] = done
        if self._database.dialect == "sqlite" or monotonic() - self._shown_at < _SHOWN_EVERY:
            return
        self._shown_at = monotonic()
        try:
            with self._writing() as store:
                store.hold(imported, done, self._now() + self._lease)
        except Unavailable as error:
            # The import itself goes on; only nobody sees how far it is.
            logger.warning("progress cannot be shown", extra={"import_id": imported.id, "cause": str(error)})

    # housekeeping

    def clean(self) -> None:
        """End uploads of which nothing more came, and throw away rows that are kept no longer."""
        now = self._now()
        with self._reading() as store:
            silent = store.uploads_without_end(now - UPLOAD_PATIENCE)
        for import_id in silent:
            with self._writing() as store:
                current = store.get(import_id, to_change=True)
                if current.phase is not None and current.touched_at < now - UPLOAD_PATIENCE:
                    current.abandon(now, Sentence("The upload was not finished within an hour."))
                    store.save(current)
        with self._reading() as store:
            outlived = store.outlived(now)
        for import_id in outlived:
            ended = False
            while not ended:
                with self._writing() as store:
                    ended = store.clean(import_id, now)
                self._breathe()

    # transactions

    @contextmanager
    def _writing(self) -> Iterator[ImportStore]:
        with self._database.write() as connection:
            yield ImportStore(connection, today_in_istanbul(self._now()))

    @contextmanager
    def _reading(self) -> Iterator[ImportStore]:
        with self._database.read() as connection:
            yield ImportStore(connection, today_in_istanbul(self._now()))

    def _once(
        self,
        actor: Actor,
        key: str | None,
        named: str,
        request: Mapping[str, Any],
        effect: Callable[[ImportStore], Plain],
    ) -> Plain:
        with self._database.write() as connection:
            now = self._now()
            if key is not None:
                known = remembered(connection, actor, key, {"command": named, **request}, now)
                if known is not None:
                    return known
            answer = effect(ImportStore(connection, today_in_istanbul(now)))
            if key is not None:
                remember(connection, actor, key, answer)
        return answer

    def _with_progress(self, imported: Import) -> Plain:
        seen = _SEEN.get((self._database.url, imported.id), 0)
        if imported.phase is not None and seen > imported.done:
            imported = replace(imported, done=min(seen, imported.of))
        return import_shown(imported)


class IntakeDesk(Desk):
    """Imports, as the gateway asks for them."""

    protocols = RemoteService("protocols")

    @property
    def _intake(self) -> Intake:
        return Intake(self.database, self.time.now, RemotePartners(self.protocols))

    @rpc
    def begin_import(
        self,
        actor: Plain,
        *,
        kind: str,
        source: str,
        header: list[str],
        key: str,
        apply: bool = False,
        file_name: str | None = None,
        file_sha256: str | None = None,
    ) -> Plain:
        """Begin an upload (registrar): {id, state, keep}, `keep` being the places of the columns to send."""
        asked = {
            "kind": kind,
            "source": source,
            "header": header,
            "apply": apply,
            "file_name": file_name,
            "file_sha256": file_sha256,
        }
        return self._intake.begin_import(Actor.from_plain(actor), asked, key)

    @rpc
    def add_import_rows(self, actor: Plain, import_id: str, number: int, rows: list[Any]) -> Plain:
        """Take in part `number` (from 0) of the rows (registrar).

        Each is [row number, [cells of the kept columns]] or, where it cannot be read, [row number, null, why].
        """
        return self._intake.add_import_rows(Actor.from_plain(actor), import_id, number, rows)

    @rpc
    def finish_upload(self, actor: Plain, import_id: str, parts: int) -> Plain:
        """All parts were sent (registrar); the work goes on by itself."""
        answer = self._intake.finish_upload(Actor.from_plain(actor), import_id, parts)
        self._begin_work()
        return answer

    @rpc
    def abandon_upload(self, actor: Plain, import_id: str) -> Plain:
        """Give an upload up (registrar)."""
        return self._intake.abandon_upload(Actor.from_plain(actor), import_id)

    @rpc
    def get_import(self, actor: Plain, import_id: str) -> Plain:
        """One import (registrar, auditor)."""
        return self._intake.get_import(Actor.from_plain(actor), import_id)

    @rpc
    def list_imports(self, actor: Plain, **wanted: Any) -> Plain:
        """A page of imports, newest first (registrar, auditor)."""
        return self._intake.list_imports(Actor.from_plain(actor), wanted)

    @rpc
    def import_rows(self, actor: Plain, import_id: str, **wanted: Any) -> Plain:
        """A page of the rows of an import in the order of the file (registrar, auditor)."""
        return self._intake.import_rows(Actor.from_plain(actor), import_id, wanted)

    @rpc
    def apply_import(self, actor: Plain, import_id: str, key: str) -> Plain:
        """Apply what was compared (registrar); the work goes on by itself."""
        answer = self._intake.apply_import(Actor.from_plain(actor), import_id, key)
        self._begin_work()
        return answer

    @rpc
    def undo_import(self, actor: Plain, import_id: str, key: str) -> Plain:
        """Take back what was applied (registrar); the work goes on by itself."""
        answer = self._intake.undo_import(Actor.from_plain(actor), import_id, key)
        self._begin_work()
        return answer

    @rpc
    def settle_import_row(self, actor: Plain, import_id: str, row_no: int, decision: Plain, key: str) -> Plain:
        """Say what a row under review is (registrar); answers with the row."""
        return self._intake.settle_import_row(Actor.from_plain(actor), import_id, row_no, decision, key)

    @every("scheduler_interval")
    def work_at_imports(self) -> None:
        """Take up imports that wait, such as those of a process that was killed."""
        self._intake.run()

    @every("housekeeping_interval")
    def clean_imports(self) -> None:
        """Give up uploads without an end, and throw away rows that are kept no longer."""
        self._intake.clean()

    def _begin_work(self) -> None:
        """Nobody waits for the next look: the work begins now, in a green thread of its own."""
        eventlet.spawn_n(_run_now, self._intake)


def _run_now(imports: Intake) -> None:
    try:
        imports.run()
    except Unavailable as error:
        logger.warning("an import waits", extra={"cause": str(error)})


def _file_rows(number: Any, rows: Any) -> list[FileRow]:
    """Rows of a part as they must be; Invalid otherwise. By hand, since there are a hundred thousand of them."""
    if not isinstance(number, int) or not 0 <= number < MAX_PARTS:
        raise Invalid.field("number", Sentence("Number the parts from 0 on."))
    shaped = isinstance(rows, list) and len(rows) <= MAX_ROWS_AT_ONCE and all(_is_row(row) for row in rows)
    if not shaped:
        raise Invalid.field(
            "rows",
            Sentence("Send at most {most} rows at once, each with its number and its cells.", most=MAX_ROWS_AT_ONCE),
        )
    # What is longer than any field may be is cut: its row is refused later, and it alone.
    return [
        (place, dict(why[0]) if cells is None else [cell[:MAX_CELL] for cell in cells]) for place, cells, *why in rows
    ]


def _is_row(row: Any) -> bool:
    if not (isinstance(row, list | tuple) and len(row) in (2, 3)):
        return False
    place, cells, *why = row
    if not (type(place) is int and 0 < place <= MAX_ROW_NO):
        return False
    if why:
        return cells is None and _is_sentence(why[0])
    return isinstance(cells, list | tuple) and all(isinstance(cell, str) for cell in cells)


def _is_sentence(plain: Any) -> bool:
    """Whether it is a plain sentence of ours, said of a row that cannot be read."""
    return (
        isinstance(plain, dict)
        and set(plain) == {"template", "values"}
        and isinstance(plain["template"], str)
        and isinstance(plain["values"], dict)
    )


def import_shown(imported: Import) -> Plain:
    """An ImportAnswer."""
    return {
        "id": imported.id,
        "kind": imported.kind,
        "source": imported.source,
        "layout": imported.layout,
        "file_name": imported.file_name,
        "file_sha256": imported.file_sha256,
        "state": str(imported.state),
        "phase": imported.phase and str(imported.phase),
        "done": imported.done,
        "of": imported.of,
        "read": imported.read,
        **{str(outcome): imported.counts[outcome] for outcome in Outcome},
        "problem": imported.problem and imported.problem.to_plain(),
        "requested_at": imported.requested_at.isoformat(),
        "applied_at": imported.applied_at and imported.applied_at.isoformat(),
        "undone_at": imported.undone_at and imported.undone_at.isoformat(),
    }


_CANDIDATE = ("organisation_id", "name", "registry_no", "province_code", "district")


def row_shown(row: Row) -> Plain:
    """An ImportRowAnswer."""
    return {
        "row": row.place if row.place < VANISHED else None,
        "outcome": str(row.outcome),
        "organisation_id": row.organisation_id or row.code,
        "registry_no": row.registry_no,
        "name": row.name,
        "changes": [change._asdict() for change in row.changes],
        "reasons": [{"field": name, "message": why.to_plain()} for name, why in row.reasons],
        "candidates": [{name: each[name] for name in _CANDIDATE} for each in row.candidates],
    }
