"""The course of an import: received, compared, perhaps applied, perhaps undone.

running/receiving → running/comparing → ready → running/applying → applied → running/undoing → undone
any running one may end as failed; an undone one may be applied again, with the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.kernel.errors import Refused
from services.kernel.text import Sentence
from services.registry.domain.intake.judgement import Decision, Outcome

UPLOAD_PATIENCE = timedelta(hours=1)
"""An upload of which nothing more comes for so long is given up."""
DRY_RUN_KEPT = timedelta(days=30)
APPLIED_KEPT = 3
"""So many applied imports of a source keep their rows; the newest is what the next is compared with.

One more than can be undone: what is compared next after that needs a last one with its rows.
"""
MOST_TRIES = 3
"""An import that fails so often for a reason of ours is given up."""


class ImportState(StrEnum):
    """Where an import is, as others see it."""

    RUNNING = "running"
    READY = "ready"
    APPLIED = "applied"
    UNDONE = "undone"
    FAILED = "failed"


class Phase(StrEnum):
    """What a running import is doing."""

    RECEIVING = "receiving"
    COMPARING = "comparing"
    APPLYING = "applying"
    UNDOING = "undoing"


@dataclass
class Import:
    """One file of one source.

    `holds` are the fields of the kept columns. `wanted`: it is to be applied once it is compared.
    `base_id`: the applied import of the same source that it was compared with. `holder` works at it
    until `lease_until`. `acted_by`: who had it applied or undone last, else who sent it.
    """

    id: str
    kind: str
    source: str
    layout: str
    file_name: str | None
    file_sha256: str | None
    holds: list[str]
    keep: list[int]
    wanted: bool
    requested_at: datetime
    requested_by: Mapping[str, Any]
    acted_by: Mapping[str, Any]
    touched_at: datetime
    state: ImportState = ImportState.RUNNING
    phase: Phase | None = Phase.RECEIVING
    parts: int | None = None
    position: int = 0
    done: int = 0
    of: int = 0
    read: int = 0
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    problem: Sentence | None = None
    applied_at: datetime | None = None
    undone_at: datetime | None = None
    applied_no: int | None = None
    base_id: str | None = None
    decisions: dict[int, Decision] = field(default_factory=dict)
    holder: str | None = None
    lease_until: datetime | None = None
    tries: int = 0
    cleaned_at: datetime | None = None

    def take_rows(self, rows: int, now: datetime) -> None:
        """So many more rows came. Raises Refused after the upload ended."""
        self._receiving()
        self.read += rows
        self.done = self.of = self.read
        self.touched_at = now

    def end_upload(self, parts: int, now: datetime) -> None:
        """All parts are there; compare them. Raises Refused after the upload ended."""
        self._receiving()
        self.parts, self.touched_at = parts, now
        self.compare()

    def abandon(self, now: datetime, why: Sentence) -> None:
        """Nothing more will come. Raises Refused after the upload ended."""
        self._receiving()
        self.fail(why, now)

    def compare(self) -> None:
        """Begin the comparison from the first row."""
        self._run(Phase.COMPARING, self.read)
        self.position = 0

    def end_comparison(self, now: datetime) -> None:
        """Ready, or on to being applied if that is wanted."""
        self.touched_at = now
        if self.wanted:
            self._run(Phase.APPLYING, self.changes)
        else:
            self._rest(ImportState.READY)

    def want_applied(self, base_id: str | None, by: Mapping[str, Any], now: datetime) -> None:
        """Apply it; compare it again first where another import of the source was applied or undone since.

        Raises Refused unless it is ready or undone.
        """
        if self.state not in (ImportState.READY, ImportState.UNDONE):
            raise Refused(self._not_so(Sentence("Only an import that is ready can be applied.")))
        self._rows_there()
        self.wanted, self.touched_at, self.acted_by = True, now, by
        if self.state is ImportState.UNDONE or self.base_id != base_id:
            self.compare()
        else:
            self._run(Phase.APPLYING, self.changes)

    def applied(self, number: int, now: datetime) -> None:
        """Everything is written."""
        self._rest(ImportState.APPLIED)
        self.applied_no, self.applied_at, self.undone_at = number, now, None
        self.touched_at = now

    def want_undone(
        self, newest_id: str | None, by: Mapping[str, Any], now: datetime, *, before_cleaned: bool = False
    ) -> None:
        """Take it back. Raises Refused unless it is the newest applied import of its source.

        `before_cleaned`: the one applied before it has no rows any more. The next file could then be compared
        with nothing, and nothing would ever be missing from it; so that is refused too.
        """
        if self.state is not ImportState.APPLIED:
            raise Refused(self._not_so(Sentence("Only an import that was applied can be undone.")))
        if newest_id != self.id:
            raise Refused(
                Sentence(
                    "A later import of {source} was applied after this one. Undo the newest first.", source=self.source
                )
            )
        self._rows_there()
        if before_cleaned:
            raise Refused(
                Sentence(
                    "The rows of the import before this one are kept no longer. Import its file again instead of undoing."
                )
            )
        self.touched_at, self.acted_by = now, by
        self._run(Phase.UNDOING, self.changes)

    def undone(self, now: datetime) -> None:
        """Everything is as before, but for what was kept."""
        self._rest(ImportState.UNDONE)
        self.undone_at, self.applied_no, self.wanted = now, None, False
        self.touched_at = now

    def settle(self, place: int, decision: Decision, now: datetime) -> None:
        """Remember what the registrar said of a row. Raises Refused unless it is ready."""
        if self.state is not ImportState.READY:
            raise Refused(self._not_so(Sentence("Rows can be settled while an import is ready.")))
        self._rows_there()
        self.decisions = {**self.decisions, place: decision}
        self.touched_at = now

    def clean(self, now: datetime) -> None:
        """Its rows are kept no longer, nor what the registrar said of them, nor the file's name: it may name a person."""
        self.cleaned_at, self.decisions, self.file_name = now, {}, None

    def fail(self, why: Sentence, now: datetime) -> None:
        """It ends here; nothing was changed. An import that could not be undone stays applied."""
        was_undoing = self.phase is Phase.UNDOING
        self._rest(ImportState.APPLIED if was_undoing else ImportState.FAILED)
        self.problem, self.touched_at = why, now

    @property
    def changes(self) -> int:
        """How many rows change something."""
        return sum(self.counts[each] for each in (Outcome.ADDED, Outcome.CHANGED, Outcome.VANISHED))

    def _receiving(self) -> None:
        if self.phase is not Phase.RECEIVING:
            raise Refused(Sentence("The upload of this import has ended."))

    def _rows_there(self) -> None:
        if self.cleaned_at is not None:
            raise Refused(Sentence("The rows of this import are kept no longer. Import the file again."))

    def _not_so(self, why: Sentence) -> Sentence:
        if self.state is ImportState.RUNNING:
            return Sentence("This import is running. Wait until it has ended.")
        return why

    def _run(self, phase: Phase, of: int) -> None:
        self.state, self.phase, self.done, self.of = ImportState.RUNNING, phase, 0, of
        self.problem, self.tries = None, 0
        self.holder = self.lease_until = None

    def _rest(self, state: ImportState) -> None:
        self.state, self.phase, self.done = state, None, self.of
        self.holder = self.lease_until = None
