"""What imports need of the outside: where they are kept, who knows partners, how to let others run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from services.kernel.actor import Actor
from services.kernel.calendar import today_in_istanbul
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.registry.domain.intake.course import Import, Phase
from services.registry.domain.intake.judgement import Known, Outcome, Row
from services.registry.domain.municipality import Municipality
from services.registry.domain.organisation import Organisation
from services.registry.domain.vocabulary import Form

AT_ONCE = 200
"""Rows written before the other green threads get their turn."""
LEASE = timedelta(seconds=20)
"""Whoever works at an import and does not show for so long has lost it to the next; a live process shows itself."""

FileRow = tuple[int, Sequence[str] | Mapping[str, Any]]
"""A row of the file: its number, and its cells or, as a plain sentence, why it cannot be read."""


class Lost(Exception):
    """Somebody else works at this import now, or it was ended; what was not committed is not done."""


class Partners(Protocol):
    """Who knows which organisations and municipalities have protocols."""

    def organisations(self, ids: Collection[str]) -> Collection[str]:
        """Those of the ids that are the partner of a protocol. Raises Unavailable."""

    def municipalities(self, codes: Collection[str]) -> Collection[str]:
        """Those of the codes that have a protocol. Raises Unavailable."""


class Imports(Protocol):
    """Imports, their parts and their rows, in one transaction."""

    def add(self, imported: Import) -> None:
        """Keep a new one. Raises Refused while another of its source runs."""

    def get(self, import_id: str, *, to_change: bool = False) -> Import:
        """The import. Raises NotFound."""

    def save(self, imported: Import) -> None:
        """Keep what changed. Raises Refused where another of its source runs and it would too."""

    def newest_applied(self, kind: str, source: str) -> str | None:
        """The id of the import of the source that was applied last."""

    def cleaned_before(self, imported: Import) -> bool:
        """Whether the import of the source that was applied before this one is there without its rows."""

    def sources(self, kind: str) -> Sequence[str]:
        """The sources of this kind of import, the oldest first."""

    def next_applied_no(self) -> int:
        """A number higher than that of every applied import."""

    def add_part(self, import_id: str, number: int, rows: Sequence[FileRow]) -> bool:
        """Keep a part; False when its number is there already."""

    def parts(self, import_id: str) -> Sequence[tuple[int, int, int]]:
        """Of every part its number, its first and its last row, in order."""

    def part(self, import_id: str, number: int) -> Sequence[FileRow]:
        """The rows of a part."""

    def part_with(self, import_id: str, place: int) -> int | None:
        """The number of the part that holds the row."""

    def drop_rows(self, import_id: str) -> None:
        """Forget what the comparison found."""

    def stage(self, import_id: str, rows: Sequence[Row], *, at_first: bool = False) -> None:
        """Keep what the comparison found of these rows, in the place of what it had found before.

        `at_first`: it had found nothing of them yet.
        """

    def row(self, import_id: str, place: int) -> Row:
        """One row. Raises NotFound."""

    def rows(self, import_id: str, outcomes: Collection[Outcome], after: int, limit: int) -> Sequence[Row]:
        """The next rows with these outcomes behind a place, in order; as far as writing needs them."""

    def left_alone(self, imported: Import, digests: Collection[str]) -> Mapping[str, Row]:
        """For each digest the row of the base that said the same of what is still as the base left it, placeless."""

    def is_in_base(self, imported: Import, number: int) -> bool:
        """Whether the import that it is compared with had the very same part at the same place, read alike."""

    def copy_left_alone(self, imported: Import, first: int, last: int) -> Collection[int]:
        """Stage as unchanged the base's rows from `first` to `last` whose subject is as the base left it; their places."""

    def subject_taken(self, import_id: str, organisation_id: str, place: int) -> bool:
        """Whether another row of the import is about the organisation."""

    def number_listed(self, import_id: str, row: Row) -> bool:
        """Whether another row of the import that is taken has the row's registry number and form."""

    def doubles(self, imported: Import) -> Sequence[tuple[str, Sequence[int]]]:
        """Rows, at most some thousands at once, that are about the same: what they share, and their places."""

    def review(self, import_id: str, places: Sequence[int], why: Sentence) -> None:
        """Put these rows under review."""

    def gather_statistics(self) -> None:
        """Let the database know how many rows were staged, before it is asked about all of them together."""

    def stage_vanished(self, imported: Import, among: Collection[str] | None = None) -> None:
        """Have one row for each thing that the base had and this import has not, candidates under review aside.

        `among`: look only at these organisations, or at the municipalities with these codes.
        """

    def counts(self, import_id: str) -> Mapping[Outcome, int]:
        """How many rows have each outcome."""

    def stale(self, imported: Import) -> Sequence[int]:
        """Places of the rows that were compared with something that is another now."""

    def refresh_vanished(self, imported: Import, places: Sequence[int]) -> None:
        """Compare rows that are not in the file again."""

    def drop_kept(self, import_id: str, rows: Sequence[Row]) -> None:
        """Keep that these rows were not taken back, and why."""


class Store(Imports, Protocol):
    """All that an import touches, in one transaction."""

    def lock(self, kind: str) -> None:
        """Nobody else changes organisations (or municipalities) until the transaction ends."""

    def numbered(self, keys: Collection[str], source: str) -> Mapping[str, Sequence[Known]]:
        """The organisations that bear each registry number, or where nobody does, that once did."""

    def namesakes(self, keys: Collection[str], source: str) -> Mapping[str, Sequence[Known]]:
        """The organisations of each name, province and district."""

    def known(self, ids: Collection[str], source: str) -> Mapping[str, Known]:
        """The organisations by id."""

    def organisations(self, ids: Collection[str]) -> dict[str, Organisation]:
        """The organisations by id, to be changed."""

    def last_versions(self, ids: Collection[str]) -> Mapping[str, int]:
        """For ids that were in the registry once: the version at which they left."""

    def write(self, added: Sequence[Organisation], changed: Sequence[Organisation], *, now: datetime, by: str) -> None:
        """Keep new organisations, and what changed of those that `organisations` gave."""

    def remove(self, organisations: Sequence[Organisation], *, import_id: str, now: datetime, by: str) -> None:
        """Take organisations out, and leave a trace."""

    def in_use(self, ids: Collection[str]) -> Collection[str]:
        """Those for which the registry keeps more than their record: expertise, documents, corrections, heirs …."""

    def number_taken(self, form: Form, number_key: str) -> str | None:
        """Who bears the number, or once did."""

    def doubt(self, imported: Import, ids: Collection[str]) -> None:
        """Remember that this import made these organisations to be verified."""

    def trust(self, imported: Import, ids: Collection[str]) -> None:
        """The source lists these organisations again."""

    def forget_doubts(self, imported: Import) -> None:
        """Undo what `doubt` and `trust` remembered for this import."""

    def finish(self, imported: Import) -> None:
        """Everything is written: keep at which versions the import left its organisations."""

    def municipalities(self, codes: Collection[str]) -> dict[str, Municipality]:
        """The municipalities by code, to be changed."""

    def last_municipality_versions(self, codes: Collection[str]) -> Mapping[str, int]:
        """For codes that were in the list once: the version at which they left."""

    def write_municipalities(self, added: Sequence[Municipality], changed: Sequence[Municipality]) -> None:
        """Keep them."""

    def remove_municipalities(self, gone: Sequence[Municipality], *, now: datetime, by: str) -> None:
        """Take them out, and leave a trace."""

    def announce(self, events: Sequence[Event], *, actor: Actor, now: datetime) -> None:
        """Tell others, behind whatever is more urgent."""


@dataclass(frozen=True)
class Context:
    """What the work at an import needs.

    `breathe` lets other green threads run. `tell` shows how many rows are done while a transaction is open.
    """

    read: Callable[[], AbstractContextManager[Store]]
    write: Callable[[], AbstractContextManager[Store]]
    partners: Partners
    now: Callable[[], datetime]
    breathe: Callable[[], None]
    tell: Callable[[Import, int], None]
    holder: str = ""
    lease: timedelta = LEASE
    at_once: int = AT_ONCE

    @property
    def today(self) -> date:
        """The date in Türkiye."""
        return today_in_istanbul(self.now())


def held(context: Context, store: Imports, import_id: str, phase: Phase, *, to_change: bool = True) -> Import:
    """The import, as long as it is this process that works at that phase of it. Raises Lost."""
    imported = store.get(import_id, to_change=to_change)
    if imported.phase is not phase or imported.holder != context.holder:
        raise Lost(import_id)
    imported.lease_until = context.now() + context.lease
    return imported
