"""Imports in the database: what was sent in, what the comparison found, and writing it in bulk."""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Join,
    RowMapping,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from services.kernel.actor import Actor
from services.kernel.errors import NotFound, Refused
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.registry.adapters import search
from services.registry.adapters.messages import messages_of
from services.registry.adapters.repository import (
    REMOVED,
    MunicipalityRows,
    OrganisationRows,
    municipality_row,
    organisation_row,
    recorded_facts,
    uuid_of,
)
from services.registry.adapters.tables import (
    FORMER_NUMBERS,
    IMPORT_DOUBTS,
    IMPORT_PARTS,
    IMPORT_ROWS,
    IMPORTS,
    METADATA,
    MUNICIPALITIES,
    MUNICIPALITY_REMOVALS,
    ORGANISATIONS,
    RECORDS,
)
from services.registry.application.intake.port import FileRow
from services.registry.domain.intake.course import APPLIED_KEPT, DRY_RUN_KEPT, Import, ImportState, Phase
from services.registry.domain.intake.diff import Change
from services.registry.domain.intake.judgement import VANISHED, Decision, Known, Outcome, Row
from services.registry.domain.municipality import Municipality
from services.registry.domain.organisation import FACTS, Organisation
from services.registry.domain.vocabulary import Form, State
from services.runtime import outbox
from services.runtime.bulk import insert_rows

_COPIED = (
    "place", "organisation_id", "status_id", "code", "registry_no", "name", "form", "registry_key", "identity_key", "digest",
    "settled",
)  # fmt: skip
"""What a row of the same part of another import has too."""
LISTED = (Outcome.ADDED, Outcome.CHANGED, Outcome.UNCHANGED)
"""Rows of what the file has and the registry took."""
_NOT_TAKEN = (Outcome.REVIEW, Outcome.REJECTED)
"""Rows of what the file has and the registry did not take; some are known to be about something all the same."""
_SUBJECTS = {"organisations": "organisation_id", "statuses": "status_id", "municipalities": "code"}
"""What rows of each kind are about."""
_CARRIED = "listed"
"""Mark of a candidate of a row under review: the source had it before, so that it can still vanish later."""

_ROW_COLUMNS = [column.name for column in IMPORT_ROWS.columns]
_WRITTEN_FROM = ("place", "outcome", "organisation_id", "status_id", "code", "version_after", "changes")
_AT_ONCE = 1_000
_MANY_AT_ONCE = 5_000
_SETTLED_FROM = 2_000
"""After so many new names the search's index is brought in order."""
_PATIENT = "SET LOCAL statement_timeout = 0"
_UNHURRIED = "SET LOCAL idle_in_transaction_session_timeout = '10min'"

_NOT_ITS_OWN = {
    "organisation_records",
    "organisation_statuses",
    "import_rows",
    "import_doubts",
    "outbox",
    "watch_claims",
}
_BESIDE = [table for table in METADATA.sorted_tables if "organisation_id" in table.c and table.name not in _NOT_ITS_OWN]
"""Every table that keeps something for an organisation beside its record, whichever part of the registry made it."""


class ImportRows:
    """Imports, their parts and their rows; see `application.intake.port.Imports`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, imported: Import) -> None:
        """Keep a new one. Raises Refused while another of its source runs."""
        self._one_at_once(imported, insert(IMPORTS).values(id=imported.id, **_import_row(imported)))

    def get(self, import_id: str, *, to_change: bool = False) -> Import:
        """The import. Raises NotFound."""
        statement = select(IMPORTS).where(IMPORTS.c.id == uuid_of(import_id))
        row = self._connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
        if row is None:
            raise NotFound(Sentence("There is no such import."))
        return _import(row)

    def save(self, imported: Import) -> None:
        """Keep what changed. Raises Refused where it would run while another of its source does."""
        self._one_at_once(imported, update(IMPORTS).where(IMPORTS.c.id == imported.id).values(_import_row(imported)))

    def _one_at_once(self, imported: Import, statement: Any) -> None:
        try:
            with self._connection.begin_nested():
                self._connection.execute(statement)
        except IntegrityError as error:
            other = self._connection.execute(
                select(IMPORTS.c.id).where(
                    IMPORTS.c.kind == imported.kind,
                    IMPORTS.c.source == imported.source,
                    IMPORTS.c.state == ImportState.RUNNING,
                )
            ).scalar_one_or_none()
            if other is None:
                raise
            raise Refused(
                Sentence(
                    "Another import of {source} is running: {id}. Wait until it has ended, or give up its upload.",
                    source=imported.source,
                    id=other,
                ),
                {"import_id": other},
            ) from error

    def newest_applied(self, kind: str, source: str) -> str | None:
        """The id of the import of the source that was applied last."""
        found: str | None = self._connection.execute(
            select(IMPORTS.c.id)
            .where(IMPORTS.c.kind == kind, IMPORTS.c.source == source, IMPORTS.c.applied_no.is_not(None))
            .order_by(IMPORTS.c.applied_no.desc())
            .limit(1)
        ).scalar_one_or_none()
        return found

    def cleaned_before(self, imported: Import) -> bool:
        """Whether the import of the source that was applied before this one is there without its rows."""
        before = self._connection.execute(
            select(IMPORTS.c.cleaned_at)
            .where(
                IMPORTS.c.kind == imported.kind,
                IMPORTS.c.source == imported.source,
                IMPORTS.c.applied_no < imported.applied_no,
            )
            .order_by(IMPORTS.c.applied_no.desc())
            .limit(1)
        ).first()
        return before is not None and before.cleaned_at is not None

    def sources(self, kind: str) -> list[str]:
        """The sources of this kind of import, the oldest first."""
        return list(
            self._connection.execute(
                select(IMPORTS.c.source)
                .where(IMPORTS.c.kind == kind)
                .group_by(IMPORTS.c.source)
                .order_by(func.min(IMPORTS.c.requested_at), IMPORTS.c.source)
            ).scalars()
        )

    def next_applied_no(self) -> int:
        """A number higher than that of every applied import."""
        return int(self._connection.execute(select(func.coalesce(func.max(IMPORTS.c.applied_no), 0))).scalar_one()) + 1

    def page(self, source: str | None, state: str | None, page: int, size: int) -> tuple[list[Import], int]:
        """One page of the imports, newest first, and how many there are."""
        wanted = [
            column == value
            for column, value in ((IMPORTS.c.source, source), (IMPORTS.c.state, state))
            if value is not None
        ]
        total = self._connection.execute(select(func.count()).select_from(IMPORTS).where(*wanted)).scalar_one()
        rows = self._connection.execute(
            select(IMPORTS)
            .where(*wanted)
            .order_by(IMPORTS.c.requested_at.desc(), IMPORTS.c.id)
            .offset((page - 1) * size)
            .limit(size)
        )
        return [_import(row) for row in rows], total

    # who works at them

    def take(self, holder: str, now: datetime, until: datetime, import_id: str | None = None) -> Import | None:
        """The import that has waited longest for someone to work at it, held by `holder`; None when none waits."""
        waiting = [
            IMPORTS.c.state == ImportState.RUNNING,
            IMPORTS.c.phase != Phase.RECEIVING,
            or_(IMPORTS.c.lease_until.is_(None), IMPORTS.c.lease_until < now),
        ]
        if import_id is not None:
            waiting.append(IMPORTS.c.id == import_id)
        row = self._connection.execute(
            select(IMPORTS).where(*waiting).order_by(IMPORTS.c.touched_at).limit(1).with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return None
        imported = replace(_import(row), holder=holder, lease_until=until)
        self.save(imported)
        return imported

    def hold(self, imported: Import, done: int, until: datetime) -> None:
        """Show how far the work is, and keep others off it."""
        self._connection.execute(
            update(IMPORTS)
            .where(IMPORTS.c.id == imported.id, IMPORTS.c.holder == imported.holder)
            .values(done=done, lease_until=until)
        )

    def renew(self, import_id: str, holder: str, until: datetime) -> None:
        """Keep others off it for longer; whoever has its row locked does so without that."""
        mine = (
            select(IMPORTS.c.id)
            .where(IMPORTS.c.id == import_id, IMPORTS.c.holder == holder)
            .with_for_update(skip_locked=True)
        )
        if self._connection.execute(mine).first() is not None:
            self._connection.execute(update(IMPORTS).where(IMPORTS.c.id == import_id).values(lease_until=until))

    def waits(self, now: datetime) -> bool:
        """Whether some import waits for someone to work at it."""
        statement = select(IMPORTS.c.id).where(
            IMPORTS.c.state == ImportState.RUNNING,
            IMPORTS.c.phase != Phase.RECEIVING,
            or_(IMPORTS.c.lease_until.is_(None), IMPORTS.c.lease_until < now),
        )
        return self._connection.execute(statement.limit(1)).first() is not None

    # parts

    def add_part(self, import_id: str, number: int, rows: Sequence[FileRow]) -> bool:
        """Keep a part; False when its number is there already."""
        known = select(IMPORT_PARTS.c.number).where(
            IMPORT_PARTS.c.import_id == import_id, IMPORT_PARTS.c.number == number
        )
        if not rows or self._connection.execute(known).one_or_none() is not None:
            return False
        plain = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        self._connection.execute(
            insert(IMPORT_PARTS).values(
                import_id=import_id,
                number=number,
                first_row=rows[0][0],
                last_row=rows[-1][0],
                rows=len(rows),
                body=zlib.compress(plain.encode("utf-8", "surrogatepass"), 3),
            )
        )
        return True

    def parts(self, import_id: str) -> list[tuple[int, int, int]]:
        """Of every part its number, its first and its last row, in order."""
        return [
            (row.number, row.first_row, row.last_row)
            for row in self._connection.execute(
                select(IMPORT_PARTS.c.number, IMPORT_PARTS.c.first_row, IMPORT_PARTS.c.last_row)
                .where(IMPORT_PARTS.c.import_id == import_id)
                .order_by(IMPORT_PARTS.c.number)
            )
        ]

    def part(self, import_id: str, number: int) -> list[FileRow]:
        """The rows of a part."""
        body = self._connection.execute(
            select(IMPORT_PARTS.c.body).where(IMPORT_PARTS.c.import_id == import_id, IMPORT_PARTS.c.number == number)
        ).scalar_one()
        return [(place, cells) for place, cells in json.loads(zlib.decompress(body).decode("utf-8", "surrogatepass"))]

    def part_with(self, import_id: str, place: int) -> int | None:
        """The number of the part that holds the row."""
        found: int | None = self._connection.execute(
            select(IMPORT_PARTS.c.number).where(
                IMPORT_PARTS.c.import_id == import_id,
                IMPORT_PARTS.c.first_row <= place,
                IMPORT_PARTS.c.last_row >= place,
            )
        ).scalar_one_or_none()
        return found

    # rows

    def drop_rows(self, import_id: str) -> None:
        """Forget what the comparison found."""
        self._connection.execute(delete(IMPORT_ROWS).where(IMPORT_ROWS.c.import_id == import_id))

    def stage(self, import_id: str, rows: Sequence[Row], *, at_first: bool = False) -> None:
        """Keep what the comparison found of these rows, in the place of what it had found before."""
        for start in range(0, len(rows), _AT_ONCE):
            batch = rows[start : start + _AT_ONCE]
            if not at_first:
                # Where nothing can be there, PostgreSQL would look through all the rows for it: its statistics
                # do not reach as far as a table that grows.
                self._connection.execute(
                    delete(IMPORT_ROWS).where(
                        IMPORT_ROWS.c.import_id == import_id, IMPORT_ROWS.c.place.in_([row.place for row in batch])
                    )
                )
            insert_rows(self._connection, IMPORT_ROWS, _ROW_COLUMNS, [_row_values(import_id, row) for row in batch])

    def row(self, import_id: str, place: int) -> Row:
        """One row. Raises NotFound."""
        found = self._connection.execute(
            select(IMPORT_ROWS).where(IMPORT_ROWS.c.import_id == import_id, IMPORT_ROWS.c.place == place)
        ).one_or_none()
        if found is None:
            raise NotFound(Sentence("There is no such row."))
        return _row(found)

    def rows(self, import_id: str, outcomes: Collection[Outcome], after: int, limit: int) -> list[Row]:
        """The next rows with these outcomes behind a place, in order; as far as writing needs them."""
        found = self._connection.execute(
            select(*(IMPORT_ROWS.c[name] for name in _WRITTEN_FROM))
            .where(
                IMPORT_ROWS.c.import_id == import_id, IMPORT_ROWS.c.place > after, IMPORT_ROWS.c.outcome.in_(outcomes)
            )
            .order_by(IMPORT_ROWS.c.place)
            .limit(limit)
        )
        return [
            Row(
                place,
                Outcome(outcome),
                organisation_id=organisation_id,
                status_id=status_id,
                code=code,
                version_after=version_after,
                changes=tuple(map(Change._make, changes or ())),
            )
            for place, outcome, organisation_id, status_id, code, version_after, changes in found
        ]

    def row_page(self, import_id: str, outcome: str | None, page: int, size: int) -> tuple[list[Row], int]:
        """One page of the rows in the order of the file, and how many there are."""
        wanted = [IMPORT_ROWS.c.import_id == import_id]
        if outcome is not None:
            wanted.append(IMPORT_ROWS.c.outcome == outcome)
        total = self._connection.execute(select(func.count()).select_from(IMPORT_ROWS).where(*wanted)).scalar_one()
        found = self._connection.execute(
            select(IMPORT_ROWS).where(*wanted).order_by(IMPORT_ROWS.c.place).offset((page - 1) * size).limit(size)
        )
        return [_row(row) for row in found], total

    def left_alone(self, imported: Import, digests: Collection[str]) -> dict[str, Row]:
        """For each digest the row of the base that said the same of what is still as the base left it, placeless."""
        kept = IMPORT_ROWS
        found = self._connection.execute(
            select(
                kept.c.digest,
                kept.c.organisation_id,
                kept.c.status_id,
                kept.c.code,
                kept.c.registry_no,
                kept.c.name,
                kept.c.form,
                kept.c.registry_key,
                kept.c.identity_key,
                kept.c.version_after,
                kept.c.settled,
            )
            .select_from(_as_left(imported))
            .where(kept.c.import_id == imported.base_id, kept.c.digest.in_(list(digests)), kept.c.outcome.in_(LISTED))
        )
        return {
            row[0]: Row(
                0,
                Outcome.UNCHANGED,
                organisation_id=row[1],
                status_id=row[2],
                code=row[3],
                registry_no=row[4],
                name=row[5],
                form=row[6],
                registry_key=row[7],
                identity_key=row[8],
                digest=row[0],
                version_before=row[9],
                version_after=row[9],
                settled=row[10],
            )
            for row in found
        }

    def is_in_base(self, imported: Import, number: int) -> bool:
        """Whether the import that it is compared with had the very same part at the same place, read alike."""
        if imported.base_id is None:
            return False
        base = self.get(imported.base_id)
        if (base.layout, base.holds) != (imported.layout, imported.holds):
            return False
        mine, its = IMPORT_PARTS.alias("mine"), IMPORT_PARTS.alias("its")
        same = and_(mine.c.number == its.c.number, mine.c.body == its.c.body)
        found = self._connection.execute(
            select(its.c.number)
            .select_from(mine.join(its, same))
            .where(mine.c.import_id == imported.id, its.c.import_id == base.id, mine.c.number == number)
        )
        return found.first() is not None

    def copy_left_alone(self, imported: Import, first: int, last: int) -> set[int]:
        """Stage as unchanged the base's rows from `first` to `last` whose subject is as the base left it; their places."""
        base = IMPORT_ROWS
        taken = [base.c[name] for name in _COPIED]
        rows = (
            select(
                literal(imported.id, base.c.import_id.type),
                literal(Outcome.UNCHANGED.value),
                base.c.version_after,
                base.c.version_after,
                *taken,
            )
            .select_from(_as_left(imported))
            .where(base.c.import_id == imported.base_id, base.c.place.between(first, last), base.c.outcome.in_(LISTED))
        )
        names = ["import_id", "outcome", "version_before", "version_after", *_COPIED]
        copied = self._connection.execute(insert(IMPORT_ROWS).from_select(names, rows).returning(IMPORT_ROWS.c.place))
        return set(copied.scalars())

    def subject_taken(self, import_id: str, organisation_id: str, place: int) -> bool:
        """Whether another row of the import is about the organisation."""
        found = self._connection.execute(
            select(IMPORT_ROWS.c.place)
            .where(
                IMPORT_ROWS.c.import_id == import_id,
                IMPORT_ROWS.c.organisation_id == organisation_id,
                IMPORT_ROWS.c.place != place,
                IMPORT_ROWS.c.outcome.in_(LISTED),
            )
            .limit(1)
        )
        return found.first() is not None

    def number_listed(self, import_id: str, row: Row) -> bool:
        """Whether another row of the import that is taken has the row's registry number and form."""
        if row.registry_key is None:
            return False
        found = self._connection.execute(
            select(IMPORT_ROWS.c.place)
            .where(
                IMPORT_ROWS.c.import_id == import_id,
                IMPORT_ROWS.c.registry_key == row.registry_key,
                IMPORT_ROWS.c.form == row.form,
                IMPORT_ROWS.c.place != row.place,
                IMPORT_ROWS.c.outcome.in_(LISTED),
            )
            .limit(1)
        )
        return found.first() is not None

    def doubles(self, imported: Import) -> list[tuple[str, list[int]]]:
        """Rows that are about the same: what they share, and their places."""
        rows = IMPORT_ROWS.c
        unnumbered = rows.registry_key.is_(None)
        shared: Mapping[str, tuple[tuple[str, list[ColumnElement[Any]], ColumnElement[bool]], ...]] = {
            "organisations": (
                ("number", [rows.registry_key, rows.form], rows.registry_key.is_not(None)),
                ("identity", [rows.identity_key], unnumbered),
                ("organisation", [rows.organisation_id], rows.organisation_id.is_not(None)),
            ),
            "statuses": (
                ("status", [rows.identity_key], rows.identity_key.is_not(None)),
                ("status", [rows.status_id], rows.status_id.is_not(None)),
            ),
            "municipalities": (("code", [rows.code], rows.code.is_not(None)),),
        }
        for name, columns, condition in shared[imported.kind]:
            counted = (
                select(
                    rows.place,
                    rows.settled,
                    rows.outcome,
                    rows.organisation_id.label("about"),
                    *(column.label(f"shared_{number}") for number, column in enumerate(columns)),
                    case((condition, 1), else_=0).label("asked"),
                    func.count().over(partition_by=columns).label("times"),
                )
                .where(rows.import_id == imported.id, rows.outcome.in_(LISTED))
                .subquery()
            )
            together = [counted.c[f"shared_{number}"] for number in range(len(columns))]
            several = (
                select(
                    counted.c.place,
                    counted.c.settled,
                    counted.c.outcome,
                    func.count().over(partition_by=[*together, counted.c.about]).label("alike"),
                    func.row_number()
                    .over(partition_by=together, order_by=[case((counted.c.settled, 0), else_=1), counted.c.place])
                    .label("turn"),
                )
                .where(counted.c.times > 1, counted.c.asked == 1)
                .subquery()
            )
            double: ColumnElement[bool] = several.c.settled.is_(False)
            if name in ("number", "identity"):
                # Namesakes that are on record as different organisations are no doubles.
                double = and_(double, or_(several.c.outcome == Outcome.ADDED, several.c.alike > 1))
            elif name == "organisation":
                # What was settled in an earlier edition speaks for one row only.
                double = or_(double, several.c.turn > 1)
            places = list(
                self._connection.execute(select(several.c.place).where(double).order_by(several.c.place)).scalars()
            )
            if places:
                # One kind after the other: a row that is out for one reason is no double for the next.
                return [(name, places)]
        return []

    def review(self, import_id: str, places: Sequence[int], why: Sentence) -> None:
        """Put these rows under review."""
        statement = update(IMPORT_ROWS).values(
            # What it would have added is not there.
            organisation_id=case((IMPORT_ROWS.c.version_before.is_(None), null()), else_=IMPORT_ROWS.c.organisation_id),
            status_id=case((IMPORT_ROWS.c.outcome == Outcome.ADDED, null()), else_=IMPORT_ROWS.c.status_id),
            outcome=Outcome.REVIEW,
            reasons=[[None, why.to_plain()]],
            changes=None,
            version_before=None,
            version_after=None,
        )
        for start in range(0, len(places), _AT_ONCE):
            self._connection.execute(
                statement.where(
                    IMPORT_ROWS.c.import_id == import_id,
                    IMPORT_ROWS.c.place.in_(places[start : start + _AT_ONCE]),
                )
            )

    def counts(self, import_id: str) -> dict[Outcome, int]:
        """How many rows have each outcome."""
        found = dict.fromkeys(Outcome, 0)
        for outcome, count in self._connection.execute(
            select(IMPORT_ROWS.c.outcome, func.count())
            .where(IMPORT_ROWS.c.import_id == import_id)
            .group_by(IMPORT_ROWS.c.outcome)
        ):
            found[Outcome(outcome)] = count
        return found

    # what is not in the file

    def gather_statistics(self) -> None:
        """Let the database know how many rows were staged, before it is asked about all of them together."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text(_PATIENT))
            self._connection.execute(text("ANALYZE import_rows"))

    def stage_vanished(self, imported: Import, among: Collection[str] | None = None) -> None:
        """Have one row for each thing that the base had and this import has not, candidates under review aside.

        `among`: look only at these organisations, or at the municipalities with these codes.
        """
        if imported.base_id is None:
            return
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text(_PATIENT))
        candidates = self._candidates(imported.id)
        last = self._connection.execute(
            select(func.max(IMPORT_ROWS.c.place)).where(
                IMPORT_ROWS.c.import_id == imported.id, IMPORT_ROWS.c.outcome == Outcome.VANISHED
            )
        ).scalar_one()
        place = VANISHED
        if last is not None:
            place = last + 1
            self._drop_found(imported, candidates if among is None else candidates.keys() & set(among))
        name = _SUBJECTS[imported.kind]
        seen: set[str] = set()
        carried: set[str] = set()
        for batch in chain(self._missing(imported, among), self._carried(imported, among)):
            found = []
            for row in batch:
                if row[name] in seen:
                    continue
                seen.add(row[name])
                if row["organisation_id"] in candidates:
                    carried.add(row["organisation_id"])
                else:
                    found.append(_vanished(place, row))
                    place += 1
            insert_rows(self._connection, IMPORT_ROWS, _ROW_COLUMNS, [_row_values(imported.id, row) for row in found])
        if imported.kind == "organisations":
            self._carry(imported.id, carried, {place for each in carried for place in candidates[each]})

    def _drop_found(self, imported: Import, candidates: Collection[str]) -> None:
        """Drop vanished rows of what is in the file after all, or may be."""
        now = IMPORT_ROWS.alias("now")
        here = (
            select(now.c.place)
            .where(
                now.c.import_id == imported.id,
                now.c.outcome != Outcome.VANISHED,
                *_same_subject(imported.kind, now, IMPORT_ROWS),
            )
            .correlate(IMPORT_ROWS)
        )
        gone = [IMPORT_ROWS.c.import_id == imported.id, IMPORT_ROWS.c.outcome == Outcome.VANISHED]
        self._connection.execute(delete(IMPORT_ROWS).where(*gone, here.exists()))
        for some in _in_turn(sorted(candidates)):
            self._connection.execute(delete(IMPORT_ROWS).where(*gone, IMPORT_ROWS.c.organisation_id.in_(some)))

    def _with_candidates(self, import_id: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """Of every row that was not taken and may be about something: its place, and what it may be about."""
        after = -1
        while True:
            rows = self._connection.execute(
                select(IMPORT_ROWS.c.place, IMPORT_ROWS.c.candidates)
                .where(
                    IMPORT_ROWS.c.import_id == import_id,
                    IMPORT_ROWS.c.outcome.in_(_NOT_TAKEN),
                    IMPORT_ROWS.c.place > after,
                )
                .order_by(IMPORT_ROWS.c.place)
                .limit(_AT_ONCE)
            ).all()
            if not rows:
                return
            after = rows[-1].place
            yield from ((row.place, row.candidates) for row in rows if row.candidates)

    def _candidates(self, import_id: str) -> dict[str, list[int]]:
        """Organisations that rows which were not taken may be about, and the places of those rows."""
        found: dict[str, list[int]] = {}
        for place, candidates in self._with_candidates(import_id):
            for each in candidates:
                found.setdefault(each["organisation_id"], []).append(place)
        return found

    def _carry(self, import_id: str, ids: Collection[str], places: Collection[int]) -> None:
        """Remember that the source had these candidates before: they may vanish from a later edition."""
        for some in _in_turn(sorted(places)):
            mine = and_(IMPORT_ROWS.c.import_id == import_id, IMPORT_ROWS.c.place.in_(some))
            rows = self._connection.execute(select(IMPORT_ROWS.c.place, IMPORT_ROWS.c.candidates).where(mine)).all()
            self._connection.execute(
                update(IMPORT_ROWS)
                .where(IMPORT_ROWS.c.import_id == import_id, IMPORT_ROWS.c.place == bindparam("own_place"))
                .values(candidates=bindparam("own_candidates", type_=IMPORT_ROWS.c.candidates.type)),
                [
                    {
                        "own_place": place,
                        "own_candidates": [
                            {**each, _CARRIED: True} if each["organisation_id"] in ids else each for each in candidates
                        ],
                    }
                    for place, candidates in rows
                ],
            )

    def _missing(self, imported: Import, among: Collection[str] | None) -> Iterator[list[RowMapping]]:
        """What rows of the base were about and no row of this import is."""
        before, now = IMPORT_ROWS.alias("before"), IMPORT_ROWS.alias("now")
        here = select(now.c.place).where(now.c.import_id == imported.id, *_same_subject(imported.kind, now, before))
        wanted = [
            before.c.import_id == imported.base_id,
            before.c.outcome.in_((*LISTED, *_NOT_TAKEN)),
            before.c[_SUBJECTS[imported.kind]].is_not(None),
            ~here.exists(),
        ]
        if among is not None:
            of = before.c.code if imported.kind == "municipalities" else before.c.organisation_id
            wanted.append(of.in_(list(among)))
        after = -1
        while True:
            # Batch after batch: what is staged meanwhile is put behind every place of the base.
            found = list(
                self._connection.execute(
                    self._with_present(imported.kind, before)
                    .where(*wanted, before.c.place > after)
                    .order_by(before.c.place)
                    .limit(_MANY_AT_ONCE)
                ).mappings()
            )
            if not found:
                return
            after = found[-1]["place"]
            yield found

    def _carried(self, imported: Import, among: Collection[str] | None) -> Iterator[list[RowMapping]]:
        """Organisations that the source had before the base, and that the base left open."""
        if imported.kind != "organisations" or imported.base_id is None:
            return
        ids = {
            each["organisation_id"]
            for _, candidates in self._with_candidates(imported.base_id)
            for each in candidates
            if each.get(_CARRIED)
        }
        here = select(IMPORT_ROWS.c.place).where(
            IMPORT_ROWS.c.import_id == imported.id, IMPORT_ROWS.c.organisation_id == ORGANISATIONS.c.id
        )
        for some in _in_turn(sorted(ids if among is None else ids & set(among))):
            yield list(
                self._connection.execute(
                    select(
                        ORGANISATIONS.c.id.label("organisation_id"),
                        null().label("status_id"),
                        null().label("code"),
                        ORGANISATIONS.c.registry_no,
                        ORGANISATIONS.c.name,
                        ORGANISATIONS.c.form,
                        ORGANISATIONS.c.state,
                        ORGANISATIONS.c.version.label("present"),
                    ).where(ORGANISATIONS.c.id.in_(some), ~here.correlate(ORGANISATIONS).exists())
                ).mappings()
            )

    @staticmethod
    def _with_present(kind: str, rows: Any) -> Select[Any]:
        """Rows with the version and the state of what they are about; rows whose subject is gone are left out."""
        if kind == "municipalities":
            joined = rows.join(MUNICIPALITIES, MUNICIPALITIES.c.code == rows.c.code)
            return select(rows, MUNICIPALITIES.c.version.label("present"), null().label("state")).select_from(joined)
        joined = rows.join(ORGANISATIONS, ORGANISATIONS.c.id == rows.c.organisation_id)
        state = ORGANISATIONS.c.state.label("state") if kind == "organisations" else null().label("state")
        return select(rows, ORGANISATIONS.c.version.label("present"), state).select_from(joined)

    def refresh_vanished(self, imported: Import, places: Sequence[int]) -> None:
        """Compare rows that are not in the file again."""
        for start in range(0, len(places), _AT_ONCE):
            batch = list(places[start : start + _AT_ONCE])
            mine = and_(IMPORT_ROWS.c.import_id == imported.id, IMPORT_ROWS.c.place.in_(batch))
            found = list(
                self._connection.execute(self._with_present(imported.kind, IMPORT_ROWS).where(mine)).mappings()
            )
            self._connection.execute(delete(IMPORT_ROWS).where(mine))
            again = [_vanished(row["place"], row) for row in found]
            insert_rows(self._connection, IMPORT_ROWS, _ROW_COLUMNS, [_row_values(imported.id, row) for row in again])

    # what changed since

    def stale(self, imported: Import) -> list[int]:
        """Places of the rows that were compared with something that is another now."""
        rows = IMPORT_ROWS.c
        mine = [rows.import_id == imported.id, rows.outcome.in_((*LISTED, Outcome.VANISHED))]
        of, same = _subjects(imported.kind)
        moved = (
            select(rows.place)
            .select_from(IMPORT_ROWS.outerjoin(of, same))
            .where(
                *mine,
                rows.version_before.is_not(None),
                or_(of.c.version.is_(None), of.c.version != rows.version_before),
            )
        )
        places = set(self._connection.execute(moved).scalars())
        # What the registrar called new, he called new although there were namesakes.
        unasked = rows.settled.is_(False)
        arrived: list[ColumnElement[bool]] = []
        if imported.kind == "organisations":
            other = ORGANISATIONS.c
            bare = or_(rows.registry_key.is_(None), other.registry_key.is_(None))
            arrived = [
                other.registry_key == rows.registry_key,
                and_(other.identity_key == rows.identity_key, bare, unasked),
                other.id == rows.organisation_id,
            ]
        elif imported.kind == "municipalities":
            arrived = [MUNICIPALITIES.c.code == rows.code]
        for condition in arrived:
            statement = (
                select(rows.place)
                .select_from(IMPORT_ROWS.join(of, condition))
                .where(rows.import_id == imported.id, rows.outcome == Outcome.ADDED)
            )
            places.update(self._connection.execute(statement).scalars())
        return sorted(places)

    def drop_kept(self, import_id: str, rows: Sequence[Row]) -> None:
        """Keep that these rows were not taken back, and why."""
        self._connection.execute(
            update(IMPORT_ROWS)
            .where(IMPORT_ROWS.c.import_id == import_id, IMPORT_ROWS.c.place == bindparam("own_place"))
            .values(outcome=Outcome.KEPT, reasons=bindparam("own_reasons", type_=IMPORT_ROWS.c.reasons.type)),
            [{"own_place": row.place, "own_reasons": _reasons(row)} for row in rows],
        )

    # what is kept no longer

    def uploads_without_end(self, before: datetime) -> list[str]:
        """Uploads of which nothing came since `before`."""
        statement = select(IMPORTS.c.id).where(
            IMPORTS.c.state == ImportState.RUNNING,
            IMPORTS.c.phase == Phase.RECEIVING,
            IMPORTS.c.touched_at < before,
        )
        return list(self._connection.execute(statement).scalars())

    def outlived(self, now: datetime) -> list[str]:
        """Imports whose rows are kept no longer: all but the last applied ones of a source, and old dry runs."""
        rank = (
            func.row_number()
            .over(partition_by=[IMPORTS.c.kind, IMPORTS.c.source], order_by=IMPORTS.c.applied_no.desc())
            .label("rank")
        )
        applied = (
            select(IMPORTS.c.id, rank)
            .where(IMPORTS.c.applied_no.is_not(None), IMPORTS.c.state == ImportState.APPLIED)
            .subquery()
        )
        old = select(applied.c.id).where(applied.c.rank > APPLIED_KEPT)
        left = [
            select(literal(1)).where(table.c.import_id == IMPORTS.c.id).correlate(IMPORTS).exists()
            for table in (IMPORT_ROWS, IMPORT_PARTS)
        ]
        statement = select(IMPORTS.c.id).where(
            or_(
                # A process that ended while it threw them away left some.
                and_(IMPORTS.c.cleaned_at.is_not(None), or_(*left)),
                and_(
                    IMPORTS.c.cleaned_at.is_(None),
                    or_(
                        IMPORTS.c.id.in_(old),
                        IMPORTS.c.state == ImportState.FAILED,
                        and_(
                            IMPORTS.c.state.in_((ImportState.READY, ImportState.UNDONE)),
                            IMPORTS.c.touched_at < now - DRY_RUN_KEPT,
                        ),
                    ),
                ),
            ),
        )
        return list(self._connection.execute(statement).scalars())

    def clean(self, import_id: str, now: datetime) -> bool:
        """Throw away some of the import's parts and rows; True when there are no more.

        The first time it only says so of the import, so that nobody applies or undoes what is left of it.
        """
        imported = self.get(import_id, to_change=True)
        if imported.cleaned_at is None:
            if import_id not in self.outlived(now):
                return True
            self._connection.execute(delete(IMPORT_DOUBTS).where(IMPORT_DOUBTS.c.ended_by == import_id))
            imported.clean(now)
            self.save(imported)
            return False
        for table, place in ((IMPORT_ROWS, IMPORT_ROWS.c.place), (IMPORT_PARTS, IMPORT_PARTS.c.number)):
            some = select(place).where(table.c.import_id == import_id).order_by(place).limit(_MANY_AT_ONCE)
            last = self._connection.execute(select(func.max(some.subquery().c[place.name]))).scalar_one()
            if last is not None:
                self._connection.execute(delete(table).where(table.c.import_id == import_id, place <= last))
                return False
        return True


def _same_subject(kind: str, row: Any, other: Any) -> list[ColumnElement[bool]]:
    """That two rows are about the same."""
    same = [row.c[_SUBJECTS[kind]] == other.c[_SUBJECTS[kind]]]
    if kind == "statuses":
        # Nothing but a way for the index: a status is of one organisation.
        same.append(row.c.organisation_id == other.c.organisation_id)
    return same


def _in_turn(given: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """As many at a time as a query may name."""
    for start in range(0, len(given), _AT_ONCE):
        yield given[start : start + _AT_ONCE]


def _subjects(kind: str) -> tuple[Table, ColumnElement[bool]]:
    """The table that rows of this kind are about, and how a row names its subject there."""
    if kind == "municipalities":
        return MUNICIPALITIES, MUNICIPALITIES.c.code == IMPORT_ROWS.c.code
    return ORGANISATIONS, ORGANISATIONS.c.id == IMPORT_ROWS.c.organisation_id


def _as_left(imported: Import) -> Join:
    """Rows beside their subjects, where these are as the rows' import left them."""
    of, same = _subjects(imported.kind)
    return IMPORT_ROWS.join(of, and_(same, IMPORT_ROWS.c.version_after == of.c.version))


class ImportStore(ImportRows):
    """All that an import touches, in one transaction; see `application.intake.port.Store`."""

    def __init__(self, connection: Connection, today: date) -> None:
        super().__init__(connection)
        self._today = today
        self._batch = OrganisationBatch(connection)
        self._written = 0

    def lock(self, kind: str) -> None:
        """Nobody else changes organisations (or municipalities) until the transaction ends."""
        if self._connection.dialect.name == "postgresql":
            table = MUNICIPALITIES if kind == "municipalities" else ORGANISATIONS
            self._connection.execute(text(_PATIENT))
            self._connection.execute(text(_UNHURRIED))
            # A weaker lock would let others lock single rows, and each would wait for the other. Reading goes on.
            self._connection.execute(text(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))

    # what the registry has

    def numbered(self, keys: Collection[str], source: str) -> dict[str, list[Known]]:
        """The organisations that bear each registry number, or where nobody does, that once did."""
        found = self._grouped("registry_key", ORGANISATIONS.c.registry_key.in_(list(keys)), source)
        missing = [key for key in keys if key not in found]
        if missing:
            once = ORGANISATIONS.join(FORMER_NUMBERS, FORMER_NUMBERS.c.organisation_id == ORGANISATIONS.c.id)
            statement = (
                _known_query(FORMER_NUMBERS.c.number_key.label("number"))
                .select_from(once)
                .where(FORMER_NUMBERS.c.number_key.in_(missing))
            )
            for row in self._connection.execute(statement).mappings():
                found.setdefault(row["number"], []).append(replace(_known(row), formerly=True))
        return found

    def namesakes(self, keys: Collection[str], source: str) -> dict[str, list[Known]]:
        """The organisations of each name, province and district."""
        return self._grouped("identity_key", ORGANISATIONS.c.identity_key.in_(list(keys)), source)

    def known(self, ids: Collection[str], source: str) -> dict[str, Known]:
        """The organisations by id."""
        found = self._grouped("id", ORGANISATIONS.c.id.in_([key for given in ids if (key := uuid_of(given))]), source)
        return {key: each for key, [each] in found.items()}

    def _grouped(self, column: str, condition: ColumnElement[bool], source: str) -> dict[str, list[Known]]:
        found: dict[str, list[Known]] = {}
        unsure: dict[str, Known] = {}
        for row in self._connection.execute(_known_query().where(condition)).mappings():
            known = _known(row)
            found.setdefault(row[column], []).append(known)
            if known.record["state"] == State.TO_VERIFY:
                unsure[known.id] = known
        if unsure:
            for key in self._connection.execute(
                select(IMPORT_DOUBTS.c.organisation_id).where(
                    IMPORT_DOUBTS.c.organisation_id.in_(list(unsure)),
                    IMPORT_DOUBTS.c.source == source,
                    IMPORT_DOUBTS.c.ended_by.is_(None),
                )
            ).scalars():
                unsure[key].doubted = True
        return found

    def organisations(self, ids: Collection[str]) -> dict[str, Organisation]:
        """The organisations by id, to be changed."""
        self._batch = OrganisationBatch(self._connection)
        return {each.id: each for each in self._batch.many(list(ids))} if ids else {}

    def last_versions(self, ids: Collection[str]) -> dict[str, int]:
        """For ids that were in the registry once: the version at which they left."""
        rows = self._connection.execute(
            select(RECORDS.c.organisation_id, func.max(RECORDS.c.version))
            .where(RECORDS.c.organisation_id.in_(list(ids)))
            .group_by(RECORDS.c.organisation_id)
        )
        return {key: version for key, version in rows}  # noqa: C416 - rows are not pairs to mypy

    def in_use(self, ids: Collection[str]) -> set[str]:
        """Those for which the registry keeps more than their record: expertise, documents, corrections, heirs …."""
        found: set[str] = set()
        for table in _BESIDE:
            found.update(
                self._connection.execute(
                    select(table.c.organisation_id).where(table.c.organisation_id.in_(list(ids))).distinct()
                ).scalars()
            )
        return found

    def number_taken(self, form: Form, number_key: str) -> str | None:
        """Who bears the number, or once did."""
        return OrganisationRows(self._connection).numbered(form, number_key)

    # writing

    def write(self, added: Sequence[Organisation], changed: Sequence[Organisation], *, now: datetime, by: str) -> None:
        """Keep new organisations, and what changed of those that `organisations` gave."""
        self._batch.add_many(added, today=self._today, now=now, by=by)
        self._batch.save_many(changed, today=self._today, now=now, by=by)
        self._written += len(added) + len(changed)

    def remove(self, organisations: Sequence[Organisation], *, import_id: str, now: datetime, by: str) -> None:
        """Take organisations out; the last of their records says with which import they left."""
        if not organisations:
            return
        self._connection.execute(
            delete(ORGANISATIONS).where(ORGANISATIONS.c.id.in_([each.id for each in organisations]))
        )
        insert_rows(
            self._connection,
            RECORDS,
            ("organisation_id", "version", "recorded_at", "recorded_by", "facts"),
            [(each.id, each.version, now, by, {REMOVED: import_id}) for each in organisations],
        )
        self._written += len(organisations)

    def doubt(self, imported: Import, ids: Collection[str]) -> None:
        """Remember that this import made these organisations to be verified."""
        insert_rows(
            self._connection,
            IMPORT_DOUBTS,
            ("import_id", "organisation_id", "source"),
            [(imported.id, each, imported.source) for each in ids],
        )

    def trust(self, imported: Import, ids: Collection[str]) -> None:
        """The source lists these organisations again."""
        if ids:
            self._connection.execute(
                update(IMPORT_DOUBTS)
                .where(
                    IMPORT_DOUBTS.c.organisation_id.in_(list(ids)),
                    IMPORT_DOUBTS.c.source == imported.source,
                    IMPORT_DOUBTS.c.ended_by.is_(None),
                )
                .values(ended_by=imported.id)
            )

    def forget_doubts(self, imported: Import) -> None:
        """Undo what `doubt` and `trust` remembered for this import."""
        self._connection.execute(delete(IMPORT_DOUBTS).where(IMPORT_DOUBTS.c.import_id == imported.id))
        self._connection.execute(
            update(IMPORT_DOUBTS).where(IMPORT_DOUBTS.c.ended_by == imported.id).values(ended_by=None)
        )

    def finish(self, imported: Import) -> None:
        """Keep at which versions the import left its organisations, and bring the search's index in order."""
        if imported.kind == "statuses":
            present = (
                select(ORGANISATIONS.c.version)
                .where(ORGANISATIONS.c.id == IMPORT_ROWS.c.organisation_id)
                .scalar_subquery()
            )
            self._connection.execute(
                update(IMPORT_ROWS)
                .where(IMPORT_ROWS.c.import_id == imported.id, IMPORT_ROWS.c.outcome.in_(LISTED))
                .values(version_after=present)
            )
        if self._written >= _SETTLED_FROM:
            search.settle(self._connection)

    def announce(self, events: Sequence[Event], *, actor: Actor, now: datetime) -> None:
        """Tell others, behind whatever is more urgent."""
        outbox.post(self._connection, messages_of(events, actor=actor, now=now), bulk=True)

    # municipalities

    def municipalities(self, codes: Collection[str]) -> dict[str, Municipality]:
        """The municipalities by code, to be changed."""
        return MunicipalityRows(self._connection).having(codes)

    def last_municipality_versions(self, codes: Collection[str]) -> dict[str, int]:
        """For codes that were in the list once: the version at which they left."""
        rows = self._connection.execute(
            select(MUNICIPALITY_REMOVALS.c.code, func.max(MUNICIPALITY_REMOVALS.c.version))
            .where(MUNICIPALITY_REMOVALS.c.code.in_(list(codes)))
            .group_by(MUNICIPALITY_REMOVALS.c.code)
        )
        return {key: version for key, version in rows}  # noqa: C416 - rows are not pairs to mypy

    def write_municipalities(self, added: Sequence[Municipality], changed: Sequence[Municipality]) -> None:
        """Keep them."""
        if added:
            self._connection.execute(insert(MUNICIPALITIES), [municipality_row(each) for each in added])
        for each in changed:
            self._connection.execute(
                update(MUNICIPALITIES).where(MUNICIPALITIES.c.code == each.code).values(municipality_row(each))
            )

    def remove_municipalities(self, gone: Sequence[Municipality], *, now: datetime, by: str) -> None:
        """Take them out, and leave a trace."""
        if gone:
            self._connection.execute(
                delete(MUNICIPALITIES).where(MUNICIPALITIES.c.code.in_([each.code for each in gone]))
            )
            self._connection.execute(
                insert(MUNICIPALITY_REMOVALS),
                [{"code": each.code, "version": each.version, "removed_at": now, "removed_by": by} for each in gone],
            )


class OrganisationBatch(OrganisationRows):
    """Many organisations written at once, with the same rows that one alone would get."""

    def add_many(self, organisations: Sequence[Organisation], *, today: date, now: datetime, by: str) -> None:
        """Keep new organisations; they have no statuses yet."""
        if not organisations:
            return
        rows = [{"id": each.id, **organisation_row(each, today)} for each in organisations]
        columns = list(rows[0])
        insert_rows(self._connection, ORGANISATIONS, columns, [tuple(row.values()) for row in rows])
        self._record_many(organisations, now=now, by=by)
        search.learn(self._connection, [row["folded"] for row in rows])

    def save_many(self, organisations: Sequence[Organisation], *, today: date, now: datetime, by: str) -> None:
        """Keep what changed of organisations that were read here; those that did not change are left alone."""
        moved = [each for each in organisations if each.version != self._read[each.id].version]
        if not moved:
            return
        rows = [organisation_row(each, today) for each in moved]
        statement = (
            update(ORGANISATIONS)
            .where(ORGANISATIONS.c.id == bindparam("own_id"), ORGANISATIONS.c.version == bindparam("own_version"))
            .values({name: bindparam(name) for name in rows[0]})
        )
        keys = [{"own_id": each.id, "own_version": self._read[each.id].version} for each in moved]
        touched = self._connection.execute(statement, [{**row, **key} for row, key in zip(rows, keys, strict=True)])
        if touched.rowcount != len(rows):
            message = "organisations were changed although they were locked"
            raise RuntimeError(message)
        renewed = [each for each in moved if each.facts != self._read[each.id].facts]
        self._record_many(renewed, now=now, by=by)
        search.learn(self._connection, [row["folded"] for row in rows])
        for each in moved:
            self._add_revisions(each)

    def _record_many(self, organisations: Sequence[Organisation], *, now: datetime, by: str) -> None:
        insert_rows(
            self._connection,
            RECORDS,
            ("organisation_id", "version", "recorded_at", "recorded_by", "facts"),
            [(each.id, each.version, now, by, recorded_facts(each.facts)) for each in organisations],
        )


_OPTIONAL = tuple(name for name in FACTS if name not in ("form", "state", "expertise", "founded_on"))


def _known_query(*more: Any) -> Select[Any]:
    return select(
        ORGANISATIONS.c.id,
        ORGANISATIONS.c.version,
        ORGANISATIONS.c.registry_key,
        ORGANISATIONS.c.identity_key,
        ORGANISATIONS.c.successors,
        *(ORGANISATIONS.c[name] for name in FACTS),
        *more,
    )


def _known(row: RowMapping) -> Known:
    record = {name: value for name in _OPTIONAL if (value := row[name]) is not None}
    record["form"], record["state"] = row["form"], row["state"]
    if row["founded_on"] is not None:
        record["founded_on"] = row["founded_on"].isoformat()
    if row["expertise"]:
        record["expertise"] = row["expertise"]
    return Known(
        id=row["id"],
        version=row["version"],
        record=record,
        registry_key=row["registry_key"],
        succeeded=bool(row["successors"]),
    )


_GONE = {
    "statuses": Sentence(
        "This status is not in the file any more. It stays on record until its end or revocation is recorded."
    ),
    "municipalities": Sentence("This municipality is not in the file any more. It stays on record."),
}


def _vanished(place: int, row: RowMapping) -> Row:
    """A row for what the base had: an active organisation is to be verified, everything else stays as it is."""
    active = row["state"] == State.ACTIVE
    changes = (Change("state", str(State.ACTIVE), str(State.TO_VERIFY)),) if active else ()
    kind = "municipalities" if row["code"] is not None else "statuses" if row["status_id"] is not None else ""
    return Row(
        place,
        Outcome.VANISHED,
        organisation_id=row["organisation_id"],
        status_id=row["status_id"],
        code=row["code"],
        registry_no=row["registry_no"],
        name=row["name"],
        form=row["form"],
        version_before=row["present"],
        version_after=row["present"] + (1 if active else 0),
        changes=changes,
        reasons=[(None, _GONE[kind])] if kind else [],
    )


def _reasons(row: Row) -> list[list[Any]] | None:
    return [[name, why.to_plain()] for name, why in row.reasons] or None


def _row_values(import_id: str, row: Row) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    return (
        import_id,
        row.place,
        row.outcome,
        row.organisation_id,
        row.status_id,
        row.code,
        row.registry_no,
        row.name,
        row.form,
        row.registry_key,
        row.identity_key,
        row.digest,
        row.version_before,
        row.version_after,
        row.settled,
        [list(change) for change in row.changes] if row.changes else None,
        _reasons(row) if row.reasons else None,
        row.candidates or None,
    )


def _row(row: Any) -> Row:
    return Row(
        place=row.place,
        outcome=Outcome(row.outcome),
        organisation_id=row.organisation_id,
        status_id=row.status_id,
        code=row.code,
        registry_no=row.registry_no,
        name=row.name,
        form=row.form,
        registry_key=row.registry_key,
        identity_key=row.identity_key,
        digest=row.digest,
        version_before=row.version_before,
        version_after=row.version_after,
        settled=row.settled,
        changes=tuple(Change(*change) for change in row.changes or ()),
        reasons=[(name, Sentence.from_plain(why)) for name, why in row.reasons or ()],
        candidates=list(row.candidates or ()),
    )


_AS_THEY_ARE = (
    "kind",
    "source",
    "layout",
    "file_name",
    "file_sha256",
    "holds",
    "keep",
    "wanted",
    "requested_at",
    "requested_by",
    "acted_by",
    "touched_at",
    "state",
    "phase",
    "parts",
    "position",
    "done",
    "of",
    "read",
    "applied_at",
    "undone_at",
    "applied_no",
    "base_id",
    "holder",
    "lease_until",
    "tries",
    "cleaned_at",
)


def _import_row(imported: Import) -> dict[str, Any]:
    return {
        **{name: getattr(imported, name) for name in _AS_THEY_ARE},
        **{str(outcome): imported.counts[outcome] for outcome in Outcome},
        "problem": imported.problem and imported.problem.to_plain(),
        "decisions": {str(place): list(vars(each).values()) for place, each in imported.decisions.items()},
    }


def _import(row: Any) -> Import:
    kept = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return Import(
        id=row.id,
        **{name: kept[name] for name in _AS_THEY_ARE if name not in ("state", "phase")},
        state=ImportState(row.state),
        phase=Phase(row.phase) if row.phase else None,
        counts={outcome: kept[str(outcome)] for outcome in Outcome},
        problem=Sentence.from_plain(row.problem) if row.problem else None,
        decisions={int(place): Decision(*each) for place, each in row.decisions.items()},
    )
