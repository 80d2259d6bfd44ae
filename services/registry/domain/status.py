"""What status an organisation held on a day, and what was known of it when.

Two times run beside each other. `valid_from`, `valid_to` and `revoked_on` say what
held on a day. `recorded_at` and `superseded_at` say what the registry knew at a moment.
A correction or a revocation appends a revision and closes the one before; no revision
is ever written over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.registry.domain.vocabulary import StatusKind

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """The act a status rests on; what is not known stays None."""

    decision_no: str | None = None
    decision_on: date | None = None
    gazette_no: str | None = None
    gazette_on: date | None = None

    @property
    def effective_on(self) -> date | None:
        """The day it was gazetted, else the day it was taken."""
        return self.gazette_on or self.decision_on


UNRECORDED = Decision()
"""An act of which nothing is recorded."""


@dataclass(frozen=True)
class Status:
    """One revision of one status: what was recorded at a moment.

    `valid_from` and `valid_to` belong to the period, None is open; on `revoked_on`
    the status no longer holds. `revocation` is the decision that ended it.
    """

    id: str
    revision: int
    kind: StatusKind
    valid_from: date
    recorded_at: datetime
    valid_to: date | None = None
    revoked_on: date | None = None
    superseded_at: datetime | None = None
    decision: Decision = UNRECORDED
    revocation: Decision = UNRECORDED
    reason: str | None = None
    source: str | None = None
    recorded_by: str | None = None

    def holds_on(self, day: date) -> bool:
        """Whether the status held on `day`, as this revision tells."""
        begun = self.valid_from <= day
        ended = self.ends_on is not None and self.ends_on < day
        return begun and not ended

    def known_at(self, moment: datetime) -> bool:
        """Whether this revision was what the registry knew at `moment`."""
        return self.recorded_at <= moment and (self.superseded_at is None or moment < self.superseded_at)

    @property
    def ends_on(self) -> date | None:
        """The last day on which it holds; None while no end is known. May lie before `valid_from`: it never held."""
        ends = [day for day in (self.valid_to, self.revoked_on and self.revoked_on - _ONE_DAY) if day is not None]
        return min(ends, default=None)


@dataclass(frozen=True)
class StatusHistory:
    """Every revision of every status of one organisation, in the order in which they were recorded."""

    revisions: tuple[Status, ...] = ()

    def known(self, at: datetime | None = None) -> tuple[Status, ...]:
        """The statuses as the registry knew them at `at`, or knows them now."""
        if at is None:
            return tuple(status for status in self.revisions if status.superseded_at is None)
        return tuple(status for status in self.revisions if status.known_at(at))

    def current(self, status_id: str) -> Status | None:
        """The newest revision of one status."""
        return next((status for status in self.known() if status.id == status_id), None)

    def holding(self, kind: StatusKind, on: date, at: datetime | None = None) -> Status | None:
        """The status of `kind` that held on `on`, as known at `at`; of several the one that lasts longest."""
        if not self.revisions:
            return None
        held = [status for status in self.known(at) if status.kind == kind and status.holds_on(on)]
        return max(held, key=_lasting, default=None)

    def append(self, status: Status) -> StatusHistory:
        """The history with a new status, or with a newer revision of a known one, which closes the one before."""
        before = self.current(status.id)
        if before is None:
            # One that was retracted and comes back counts on.
            revision = 1 + max((known.revision for known in self.revisions if known.id == status.id), default=0)
            return StatusHistory((*self.revisions, replace(status, revision=revision)))
        # A clock that was set back must not make the new revision older than the one it corrects.
        recorded_at = max(status.recorded_at, before.recorded_at)
        closed = tuple(
            replace(known, superseded_at=recorded_at) if known is before else known for known in self.revisions
        )
        return StatusHistory((*closed, replace(status, revision=before.revision + 1, recorded_at=recorded_at)))

    def retract(self, status_id: str, at: datetime) -> StatusHistory:
        """The history in which the status is known no more from `at` on; what was known before stays readable."""
        before = self.current(status_id)
        if before is None:
            return self
        closed = replace(before, superseded_at=max(at, before.recorded_at))
        return StatusHistory(tuple(closed if known is before else known for known in self.revisions))

    def changes_after(self, on: date) -> list[date]:
        """The days after `on` on which some status begins, or no longer holds, as known now."""
        days = set()
        for status in self.known():
            days.add(status.valid_from)
            if status.ends_on is not None and status.ends_on < date.max:
                days.add(status.ends_on + _ONE_DAY)
        return sorted(day for day in days if day > on)


def _lasting(status: Status) -> tuple[date, date, str]:
    return status.ends_on or date.max, status.valid_from, status.id
