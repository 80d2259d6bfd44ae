"""What happens to petitions, as events: no persons, no subject line, no text of the petitioner's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class CaseEvent(Event):
    """What every event of a petition says about it."""

    petition_id: str
    number: str
    kind: str
    municipality: str
    municipality_name: str
    organisation_id: str | None
    organisation_name: str | None
    petitioner_type: str


@dataclass(frozen=True, kw_only=True)
class PetitionSubmittedV1(CaseEvent):
    """A petition came in; `filed_on` is its first filing, here or elsewhere."""

    channel: str
    filed_on: date
    stage: str
    turn: str | None
    due_on: date | None


@dataclass(frozen=True, kw_only=True)
class PetitionMovedV1(CaseEvent):
    """An act was done; `awaits` is completion or payment, `addressee` where it was forwarded to."""

    move: str
    from_stage: str
    to_stage: str
    turn: str | None
    due_on: date | None
    done_on: date
    article: str
    outcome: str | None
    awaits: str | None
    addressee: str | None


@dataclass(frozen=True, kw_only=True)
class PetitionProposalAcceptedV1(CaseEvent):
    """The municipality wants a protocol of the proposal; the words are its own."""

    title: str
    subject: str
    municipal_duty: str
    starts_on: date
    term_months: int
    funder_deadline: date | None
    text: str | None
    activity_id: str | None


@dataclass(frozen=True, kw_only=True)
class PetitionProtocolLinkedV1(CaseEvent):
    """The protocol that the proposal became; `stage`: where the petition stands, which may be an end."""

    protocol_id: str
    protocol_reference: str
    stage: str


@dataclass(frozen=True, kw_only=True)
class PetitionSupportRequestedV1(CaseEvent):
    """Somebody wants to sign and must confirm by mail."""

    support_id: str


@dataclass(frozen=True, kw_only=True)
class ClockEvent(CaseEvent):
    """What every event of a clock says about it; `clock` is its kind in the catalogue."""

    clock_id: str
    clock: str
    article: str
    whose: str
    started_on: date
    due_on: date | None
    state: str


@dataclass(frozen=True, kw_only=True)
class PetitionClockStartedV1(ClockEvent):
    """A legal period began."""


@dataclass(frozen=True, kw_only=True)
class PetitionClockMetV1(ClockEvent):
    """What the period asked for was done."""


@dataclass(frozen=True, kw_only=True)
class PetitionClockExpiredV1(ClockEvent):
    """The period ended without it."""


@dataclass(frozen=True, kw_only=True)
class PetitionClockCancelledV1(ClockEvent):
    """The petition went another way; nothing is owed by this date any more."""


@dataclass(frozen=True, kw_only=True)
class PetitionClockMovedV1(ClockEvent):
    """The due date changed: `why` is `pause`, `resume`, `calendar` or `extension`."""

    from_due_on: date | None
    to_due_on: date | None
    why: str


@dataclass(frozen=True, kw_only=True)
class PetitionReminderDueV1(ClockEvent):
    """Somebody is reminded: `rung` is `before`, `due` or `head`; `days_left` in the clock's own days.

    `turn`: the role that is reminded, the owner or whoever must act before the owner can.
    """

    rung: str
    days_left: int
    turn: str | None = None
