"""A petition on its way: what was asked and by whom, its facts, its clocks, its history."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, ClassVar

from services.kernel import casework
from services.kernel.actor import Actor
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.casework import CANCELLED, EXPIRED, MET, MOVED, REMINDER_DUE, STARTED, Case
from services.kernel.chain import GENESIS
from services.kernel.clock import Clock
from services.kernel.events import Event, Scope
from services.kernel.turkish import words
from services.kernel.workflow import Act, Procedure
from services.petitions.domain.events import (
    ClockEvent,
    PetitionClockCancelledV1,
    PetitionClockExpiredV1,
    PetitionClockMetV1,
    PetitionClockMovedV1,
    PetitionClockStartedV1,
    PetitionMovedV1,
    PetitionProposalAcceptedV1,
    PetitionProtocolLinkedV1,
    PetitionReminderDueV1,
    PetitionSubmittedV1,
)
from services.petitions.domain.petitioner import Petitioner

KINDS = ("petition", "information_request", "partnership_proposal", "opinion")
PETITION, INFORMATION_REQUEST, PARTNERSHIP_PROPOSAL, OPINION = KINDS

WEB, COUNTER, POST, API = "web", "counter", "post", "api"
PAPER = (COUNTER, POST)
CHANNELS = (WEB, COUNTER, POST, API)

COMPLETION, PAYMENT = "completion", "payment"
"""What a petition may await of its petitioner."""

REFUSALS = ("refused", "partly")
OUTCOMES = ("accepted", "partly", "refused", "informed")

SUBMIT, FOLLOW_PROTOCOL, NOTE_PROTOCOL, NOTE_PROBLEM = "submit", "follow_protocol", "note_protocol", "note_problem"
ADD_FILE, REMOVE_FILE, CLOSE_SUPPORT = "add_file", "remove_file", "close_support"
"""Acts of the history that are not moves of the table: the filing, steps of the protocol that came of it, files."""

FOLLOW_FIRST, STAND_ALONE = "follow_first", "stand_alone"
"""What a petition that was sent again notes: the first's period is its own; the first is gone and it goes on alone."""


SEES = ("registry_clerk", "unit_officer", "mayor")
"""Offices of the municipality that see its petitions."""

CLOCK_EVENTS: dict[str, type[ClockEvent]] = {
    STARTED: PetitionClockStartedV1,
    MET: PetitionClockMetV1,
    EXPIRED: PetitionClockExpiredV1,
    CANCELLED: PetitionClockCancelledV1,
    MOVED: PetitionClockMovedV1,
    REMINDER_DUE: PetitionReminderDueV1,
}

_PERSONAL = ("name", "address", "email", "authorised_person", "mandate", "addition")
"""What a completion supplies: kept with the petition, where it can be erased; the history says only that it came."""


@dataclass(frozen=True)
class Party:
    """An institution as a petition names it."""

    id: str
    name: str


@dataclass(kw_only=True)
class PetitionCase(Case):
    """A petition as it changes together, with one version per act.

    `filed_on`: the first filing, also of what was sent again or forwarded; `received_on`: its arrival here.
    `counts_from`: the day from which the period to answer is counted. `awaits`: completion, payment or None.
    `public_title`, `public_text`: what everyone may read when others are asked to sign; None where they are not.
    `repeats`: the open petition that this one says again; `forwarded_from`, `forwarded_to`: linked petitions.
    `protocol_version`: the version of the protocol that `protocol_stage` was told with.
    `draft_problem`: why no protocol could be drafted, empty while there was no such problem.
    `submitted_by`: the account of a petitioner without an office, who needs no key then.
    `key_salt`, `key_sha256`: what is kept of the petitioner's key; None where there is none.
    """

    kind: str
    municipality: Party
    petitioner: Petitioner
    subject: str
    body: str
    channel: str
    language: str
    filed_on: date
    received_on: date
    counts_from: date
    tracking_code: str
    activity_id: str | None = None
    public_title: str | None = None
    public_text: str | None = None
    key_sha256: str | None = None
    key_salt: str | None = None
    registry_no: str | None = None
    unit: Party | None = None
    outcome: str | None = None
    answer: str | None = None
    awaits: str | None = None
    addressee: str | None = None
    repeats: str | None = None
    forwarded_from: str | None = None
    forwarded_to: str | None = None
    protocol: Party | None = None
    protocol_stage: str | None = None
    protocol_version: int = 0
    draft_problem: list[dict[str, Any]] = field(default_factory=list)
    submitted_by: str | None = None

    unkept: ClassVar[tuple[str, ...]] = ("note", "text")

    @property
    def conditions(self) -> frozenset[str]:
        """`extended` where an information request was."""
        return frozenset({"extended"}) if self.done("extend") else frozenset()

    @property
    def scope(self) -> Scope:
        """The tenants that may see its events."""
        return Scope(self.municipality.id, None, self.petitioner.organisation_id)

    @property
    def is_linked(self) -> bool:
        """Whether a protocol came of it."""
        return self.protocol is not None

    @property
    def follows_first(self) -> bool:
        """Whether it says again what an open petition says, and goes its way."""
        return self.repeats is not None and not self.done(STAND_ALONE)

    @property
    def text_sha256(self) -> str:
        """SHA-256 of the words that were filed, letters' case and signs aside; it outlives them in the history."""
        return _key(self.subject, self.body)

    @property
    def repeat_key(self) -> str:
        """See `repeat_key`."""
        return repeat_key(self.subject, self.body, self.petitioner)

    def is_over(self, procedure: Procedure[Any]) -> bool:
        """An end, or a proposal that goes on as a protocol."""
        return super().is_over(procedure) or (self.stage == "proposal_accepted" and self.is_linked)

    def reminded(self, clock: Clock, procedure: Procedure[Any]) -> str:
        """The municipality's office whose turn it is: until a unit has the petition, the registry must pass it on."""
        turn = procedure.stages[self.stage].turn_of(self)
        return turn if turn is not None and {turn, clock.whose} <= set(SEES) else clock.whose

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor's office may see it. The petitioner's key is another way in."""
        return (
            actor.role in ("auditor", "system")
            or (actor.role in SEES and actor.municipality == self.municipality.id)
            or (actor.organisation_id is not None and actor.organisation_id == self.petitioner.organisation_id)
        )

    # events

    def shown(self) -> dict[str, Any]:
        """What every event says of the case."""
        return {
            "subject_id": self.id,
            "subject_version": self.version,
            "petition_id": self.id,
            "number": self.reference,
            "kind": self.kind,
            "municipality": self.municipality.id,
            "municipality_name": self.municipality.name,
            "organisation_id": self.petitioner.organisation_id,
            "organisation_name": self.petitioner.organisation_name,
            "petitioner_type": self.petitioner.type,
        }

    def clock_event(self, what: str, clock: Clock, **more: Any) -> Event:
        """See `Case`."""
        shown = self.shown() | {
            "clock_id": clock.id,
            "clock": clock.kind,
            "article": clock.article,
            "whose": clock.whose,
            "started_on": clock.started_on,
            "due_on": clock.due_on,
            "state": clock.state,
        }
        return CLOCK_EVENTS[what](**shown, **more)

    def take_in(self, act: Act) -> Act:
        """The history says which of the petitioner's details came, not what they are, so that it can outlive them."""
        supplied = sorted(name for name in _PERSONAL if act.fields.get(name))
        if not supplied:
            return act
        kept = {name: value for name, value in act.fields.items() if name not in _PERSONAL}
        return replace(act, fields={**kept, "supplied": supplied})


def repeat_key(subject: str, body: str, petitioner: Petitioner) -> str:
    """Under what a petition is found when it is sent again: its words, and its writer's name or organisation.

    The writer belongs to it: a text that many send alike is many petitions.
    """
    return _key(subject, body, petitioner.organisation_id or petitioner.name or "")


def _key(*texts: str) -> str:
    return hashlib.sha256("|".join(" ".join(words(text)) for text in texts).encode()).hexdigest()


def submit(
    *,
    number: str,
    fields: Mapping[str, Any],
    petitioner: Petitioner,
    municipality: Party,
    tracking_code: str,
    actor: Actor,
    now: datetime,
    procedure: Procedure[PetitionCase],
    calendar: Calendar,
    filed_on: date,
    received_on: date,
    counts_from: date | None = None,
    key_sha256: str | None = None,
    key_salt: str | None = None,
    repeats: str | None = None,
    forwarded_from: str | None = None,
    submitted_by: str | None = None,
) -> tuple[PetitionCase, list[Event]]:
    """A new petition at the procedure's first stage, its period to answer running.

    Nothing is refused for what is missing (3071/6-c): it is listed, and can be supplied.
    """
    opened: Mapping[str, Any] = fields.get("support") or {}
    case = PetitionCase(
        id=str(uuid.uuid4()),
        reference=number,
        kind=fields["kind"],
        municipality=municipality,
        petitioner=petitioner,
        subject=fields["subject"],
        body=fields["body"],
        channel=fields["channel"],
        language=fields["language"],
        filed_on=filed_on,
        received_on=received_on,
        counts_from=counts_from or filed_on,
        tracking_code=tracking_code,
        activity_id=fields.get("activity_id"),
        public_title=opened.get("public_title"),
        public_text=opened.get("public_text"),
        key_sha256=key_sha256,
        key_salt=key_salt,
        repeats=repeats,
        forwarded_from=forwarded_from,
        submitted_by=submitted_by,
        stage=procedure.initial,
        since=now,
        last_on=received_on,
        version=0,
        head_hash=GENESIS,
        procedure_version=procedure.version,
        created_at=now,
    )
    told: dict[str, Any] = {
        "kind": case.kind,
        "channel": case.channel,
        "filed_on": filed_on,
        "petitioner_type": petitioner.type,
        "text_sha256": case.text_sha256,
        "missing": [each["element"] for each in petitioner.missing()],
    }
    told |= {name: value for name, value in (("repeats", repeats), ("forwarded_from", forwarded_from)) if value}
    act = Act(actor, told, today_in_istanbul(now), now, received_on)
    case.record(SUBMIT, "", act, calendar)
    started = casework.begin(case, act, procedure, calendar)
    submitted = PetitionSubmittedV1(
        **case.shown(),
        channel=case.channel,
        filed_on=filed_on,
        stage=case.stage,
        turn=procedure.stages[case.stage].turn_of(case),
        due_on=case.due_on,
    )
    return case, [submitted, *started]


def perform(
    case: PetitionCase, name: str, act: Act, procedure: Procedure[PetitionCase], calendar: Calendar
) -> list[Event]:
    """Make a move: stage, facts, clocks and history change together; returns what happened.

    Raises what `Procedure.advance` raises; then nothing has changed.
    """
    row, before, happened = casework.make_move(case, name, act, procedure, calendar)
    moved = PetitionMovedV1(
        **case.shown(),
        move=name,
        from_stage=before,
        to_stage=case.stage,
        turn=procedure.stages[case.stage].turn_of(case),
        due_on=case.due_on,
        done_on=act.done_on,
        article=row.article,
        outcome=case.outcome,
        awaits=case.awaits,
        addressee=case.addressee,
    )
    events: list[Event] = [moved, *happened]
    if name == "accept_proposal":
        asked = act.fields
        events.append(
            PetitionProposalAcceptedV1(
                **case.shown(),
                title=asked["title"],
                subject=asked.get("subject") or asked["title"],
                municipal_duty=asked["municipal_duty"],
                starts_on=asked["starts_on"],
                term_months=asked["term_months"],
                funder_deadline=asked.get("funder_deadline"),
                text=asked.get("text"),
                activity_id=case.activity_id,
            )
        )
    if name == "link_protocol" and case.protocol is not None:
        events.append(_linked(case, case.protocol))
    return events


def _linked(case: PetitionCase, protocol: Party) -> Event:
    return PetitionProtocolLinkedV1(
        **case.shown(), protocol_id=protocol.id, protocol_reference=protocol.name, stage=case.stage
    )


def expire_due(
    case: PetitionCase, actor: Actor, now: datetime, procedure: Procedure[PetitionCase], calendar: Calendar
) -> list[Event]:
    """Let every clock that is past act; see `casework.expire_due`."""
    return casework.expire_due(case, actor, now, procedure, calendar, perform)


def note_protocol(case: PetitionCase, protocol: Party, actor: Actor, now: datetime, calendar: Calendar) -> list[Event]:
    """A protocol came of the petition after it had gone another way: the link is kept, the stage stays."""
    case.protocol = protocol
    today = today_in_istanbul(now)
    told = {"protocol_id": protocol.id, "protocol_reference": protocol.name}
    case.record(NOTE_PROTOCOL, case.stage, Act(actor, told, today, now, today), calendar, advances=False)
    return [_linked(case, protocol)]


def note_problem(
    case: PetitionCase, reasons: Sequence[Mapping[str, Any]], actor: Actor, now: datetime, calendar: Calendar
) -> None:
    """Why no protocol was drafted, told after the proposal had gone back to the unit for want of one."""
    case.draft_problem = [dict(each) for each in reasons]
    today = today_in_istanbul(now)
    told = {"reasons": case.draft_problem}
    case.record(NOTE_PROBLEM, case.stage, Act(actor, told, today, now, today), calendar, advances=False)


def note_file(
    case: PetitionCase, move: str, kind: str, sha256: str, actor: Actor, now: datetime, calendar: Calendar
) -> None:
    """A file came or went: the history says which kind and which content, not what it is called."""
    today = today_in_istanbul(now)
    act = Act(actor, {"kind": kind, "sha256": sha256}, today, now, today)
    case.record(move, case.stage, act, calendar, advances=False)


def signed_on_scan(case: PetitionCase, *, there: bool) -> Petitioner:
    """The petitioner whose stated signature is on a scan, or whose scan was taken away before anybody saw it."""
    who = case.petitioner
    if who.signature is None:
        return who
    confirmed = case.channel in PAPER or bool(case.facts.get("register", {}).get("signature_seen"))
    return replace(who, signature_seen=there or confirmed)


def close_support(case: PetitionCase, reason: str, actor: Actor, now: datetime, calendar: Calendar) -> None:
    """Take the public words away, with a reason that the petitioner reads; the petition goes on."""
    case.public_title = case.public_text = None
    today = today_in_istanbul(now)
    case.record(CLOSE_SUPPORT, case.stage, Act(actor, {"reason": reason}, today, now, today), calendar, advances=False)


def follow_protocol(
    case: PetitionCase, told: Mapping[str, Any], done_on: date, actor: Actor, now: datetime, calendar: Calendar
) -> None:
    """A step of the protocol that came of the petition, on the petition's own timeline."""
    act = Act(actor, dict(told), today_in_istanbul(now), now, done_on)
    case.record(FOLLOW_PROTOCOL, case.stage, act, calendar, advances=False)
