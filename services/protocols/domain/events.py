"""What happens to protocols, as events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from services.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class CaseEvent(Event):
    """What every event of a protocol says about it; institutions only, no persons."""

    protocol_id: str
    reference: str
    title: str
    municipality: str
    municipality_name: str
    authority: str
    authority_name: str
    organisation_id: str
    organisation_name: str
    petition_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ProtocolDraftedV1(CaseEvent):
    """A draft was begun."""

    stage: str


@dataclass(frozen=True, kw_only=True)
class ProtocolMovedV1(CaseEvent):
    """An act was done; `turn` is the role whose turn it is now, `due_on` the nearest date that binds."""

    move: str
    from_stage: str
    to_stage: str
    turn: str | None
    due_on: date | None
    done_on: date
    article: str


@dataclass(frozen=True, kw_only=True)
class ProtocolEnteredIntoForceV1(CaseEvent):
    """The protocol binds both sides."""

    starts_on: date
    ends_on: date


@dataclass(frozen=True, kw_only=True)
class ProtocolFlaggedV1(CaseEvent):
    """The file needs a legal review: its permission would now be another; `was` and `now` are permissions."""

    cause: str
    was: str
    now: str
    article: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class ProtocolReviewSettledV1(CaseEvent):
    """The legal review was settled, or its cause went away."""

    outcome: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class ProtocolPartnerChangedV1(CaseEvent):
    """Another organisation, or the same by another name, is the partner from now on."""

    former_organisation_id: str
    former_organisation_name: str
    kind: str
    effective_on: date
    stage: str


@dataclass(frozen=True, kw_only=True)
class ClockEvent(CaseEvent):
    """What every event of a clock says about it."""

    clock_id: str
    kind: str
    article: str
    whose: str
    started_on: date
    due_on: date | None
    state: str


@dataclass(frozen=True, kw_only=True)
class ClockStartedV1(ClockEvent):
    """A legal period began."""


@dataclass(frozen=True, kw_only=True)
class ClockMetV1(ClockEvent):
    """What the period asked for was done."""


@dataclass(frozen=True, kw_only=True)
class ClockExpiredV1(ClockEvent):
    """The period ended without it."""


@dataclass(frozen=True, kw_only=True)
class ClockCancelledV1(ClockEvent):
    """The case went another way; nothing is owed by this date any more."""


@dataclass(frozen=True, kw_only=True)
class ClockReminderDueV1(ClockEvent):
    """Somebody is reminded: `rung` is `before`, `due` or `head`; `days_left` in the clock's own days.

    `turn`: the role that is reminded, the owner or whoever must act before the owner can.
    """

    rung: str
    days_left: int
    turn: str | None = None


@dataclass(frozen=True, kw_only=True)
class ClockMovedV1(ClockEvent):
    """The due date changed: `why` is `pause`, `resume` or `calendar`."""

    from_due_on: date | None
    to_due_on: date | None
    why: str


@dataclass(frozen=True, kw_only=True)
class ProtocolDraftFailedV1(Event):
    """No protocol could be drafted from an accepted proposal; `reasons` say why, as sentences with articles."""

    petition_id: str
    municipality: str
    organisation_id: str
    reasons: list[dict[str, Any]]
