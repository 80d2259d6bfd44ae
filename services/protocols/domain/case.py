"""A protocol on its way: its text, its facts, its clocks, its history."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, ClassVar

from services.kernel import casework
from services.kernel.actor import Actor
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.casework import CANCELLED, EXPIRED, MET, MOVED, REMINDER_DUE, STARTED, Case, plain
from services.kernel.chain import GENESIS
from services.kernel.clock import Clock
from services.kernel.errors import Refused
from services.kernel.events import Event, Scope
from services.kernel.text import Sentence
from services.kernel.workflow import Act, Procedure
from services.protocols.domain.events import (
    ClockCancelledV1,
    ClockEvent,
    ClockExpiredV1,
    ClockMetV1,
    ClockMovedV1,
    ClockReminderDueV1,
    ClockStartedV1,
    ProtocolDraftedV1,
    ProtocolEnteredIntoForceV1,
    ProtocolMovedV1,
)

CLOCK_EVENTS: dict[str, type[ClockEvent]] = {
    STARTED: ClockStartedV1,
    MET: ClockMetV1,
    EXPIRED: ClockExpiredV1,
    CANCELLED: ClockCancelledV1,
    MOVED: ClockMovedV1,
    REMINDER_DUE: ClockReminderDueV1,
}
DRAFT, REPLACE_TEXT = "draft", "replace_text"
"""Acts of the history that are not moves of the table."""


def sha256_of(text: str) -> str:
    """The hash by which a text is known: SHA-256 of its UTF-8 bytes, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Party:
    """An institution as a case names it."""

    id: str
    name: str


@dataclass(kw_only=True)
class ProtocolCase(Case):
    """A protocol as it changes together, with one version per act.

    `shared`: the civil authority sees the file, since it was sent there in this round.
    `standing`: the newest known answer of art. 75 for the partner, with its evidence.
    `party_version`: the version of the partner's record under which it became the partner here.
    `review`: the newest legal review, empty while there was none; see `domain/partner.py`.
    `petition_id`: the petition that proposed it.
    """

    unkept: ClassVar[tuple[str, ...]] = ("text",)

    kind: str
    municipality: Party
    authority: Party
    organisation: Party
    municipality_kind: str
    title: str
    subject: str
    municipal_duty: str
    starts_on: date
    term_months: int
    funder_deadline: date | None
    zoning: bool
    text_sha256: str
    text_version: int
    contributions: list[dict[str, Any]]
    approved_sha256: str | None = None
    standing: dict[str, Any] = field(default_factory=dict)
    shared: bool = False
    party_version: int = 0
    review: dict[str, Any] = field(default_factory=dict)
    original_id: str | None = None
    original_link: str | None = None
    successors: list[dict[str, str]] = field(default_factory=list)
    petition_id: str | None = None
    # what this command adds, to be stored
    new_text: str | None = None

    @property
    def conditions(self) -> frozenset[str]:
        """`zoning`, `metropolitan` where they hold."""
        found = {"zoning"} if self.zoning else set()
        return frozenset(found | ({"metropolitan"} if self.municipality_kind == "metropolitan" else set()))

    @property
    def scope(self) -> Scope:
        """The tenants that may see the case; the civil authority once the file was sent there."""
        return Scope(self.municipality.id, self.authority.id if self.shared else None, self.organisation.id)

    @property
    def permission(self) -> str:
        """What art. 75 says of the partner, as last known."""
        return str(self.standing.get("permission", "required"))

    def visible_to(self, actor: Actor) -> bool:
        """Whether the actor's office may see this case."""
        return (
            actor.role in ("auditor", "system")
            or (actor.municipality is not None and actor.municipality == self.municipality.id)
            or (self.shared and actor.authority is not None and actor.authority == self.authority.id)
            or (actor.organisation_id is not None and actor.organisation_id == self.organisation.id)
        )

    # events

    def shown(self) -> dict[str, Any]:
        """What every event says of the case."""
        return {
            "subject_id": self.id,
            "subject_version": self.version,
            "protocol_id": self.id,
            "reference": self.reference,
            "title": self.title,
            "municipality": self.municipality.id,
            "municipality_name": self.municipality.name,
            "authority": self.authority.id,
            "authority_name": self.authority.name,
            "organisation_id": self.organisation.id,
            "organisation_name": self.organisation.name,
            "petition_id": self.petition_id,
        }

    def clock_shown(self, clock: Clock) -> dict[str, Any]:
        """What every event of a clock says."""
        return self.shown() | {
            "clock_id": clock.id,
            "kind": clock.kind,
            "article": clock.article,
            "whose": clock.whose,
            "started_on": clock.started_on,
            "due_on": clock.due_on,
            "state": clock.state,
        }

    def clock_event(self, what: str, clock: Clock, **more: Any) -> Event:
        """See `Case`."""
        return CLOCK_EVENTS[what](**self.clock_shown(clock), **more)

    # what a move changes besides

    def take_in(self, act: Act) -> Act:
        """The standing it relied on is kept; a new text is kept with the texts, and the history names it."""
        if act.known.get("standing"):
            self.standing = dict(act.known["standing"])
        if self.new_text is None:
            return act
        kept = {each: value for each, value in act.fields.items() if each != "text"}
        return replace(act, fields={**kept, "text_version": self.text_version, "text_sha256": self.text_sha256})

    def begin_anew(self) -> None:
        """A new round: neither its decisions nor its permission may come from the old one."""
        super().begin_anew()
        self.approved_sha256 = None
        self.shared = False


def draft(
    *,
    reference: str,
    fields: Mapping[str, Any],
    municipality: Mapping[str, Any],
    organisation: Mapping[str, Any],
    standing: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    procedure: Procedure[ProtocolCase],
    calendar: Calendar,
    link_to: ProtocolCase | None = None,
    link_kind: str | None = None,
    petition_id: str | None = None,
) -> tuple[ProtocolCase, list[Event]]:
    """A new case at the procedure's first stage.

    Raises Refused when the partner cannot be a party at all (no legal personality, dissolved).
    """
    if standing["permission"] == "not_possible":
        said = standing["explanation"][0] if standing.get("explanation") else None
        message = Sentence.from_plain(said) if said else Sentence("This organisation cannot be a party.")
        reason = {
            "code": "partner_cannot_be_a_party",
            "article": standing.get("article", ""),
            "message": message.to_plain(),
        }
        raise Refused(message, {"reasons": [reason]})
    today = today_in_istanbul(now)
    authority = municipality["civil_authority"]
    case = ProtocolCase(
        id=str(uuid.uuid4()),
        reference=reference,
        kind=fields["kind"],
        municipality=Party(municipality["code"], municipality["name"]),
        authority=Party(authority["code"], authority["name"]),
        organisation=Party(organisation["id"], organisation["name"]),
        municipality_kind=municipality["kind"],
        title=fields["title"],
        subject=fields["subject"],
        municipal_duty=fields["municipal_duty"],
        starts_on=fields["starts_on"],
        term_months=fields["term_months"],
        funder_deadline=fields.get("funder_deadline"),
        zoning=fields.get("zoning", False),
        text_sha256=sha256_of(fields["text"]),
        text_version=1,
        contributions=plain(fields.get("contributions", [])),
        stage=procedure.initial,
        since=now,
        last_on=today,
        version=0,
        head_hash=GENESIS,
        procedure_version=procedure.version,
        created_at=now,
        standing=dict(standing),
        party_version=organisation.get("version", 0),
        original_id=link_to.id if link_to else None,
        original_link=link_kind,
        petition_id=petition_id,
        new_text=fields["text"],
    )
    fields_kept = {"text_sha256": case.text_sha256, "kind": case.kind, "organisation_id": case.organisation.id}
    if link_to is not None:
        fields_kept |= {"original_id": link_to.id, "link": link_kind or ""}
    if petition_id is not None:
        fields_kept |= {"petition_id": petition_id}
    act = Act(actor, fields_kept, today, now, today, {"standing": dict(standing)})
    case.record(DRAFT, "", act, calendar)
    return case, [ProtocolDraftedV1(**case.shown(), stage=case.stage)]


def replace_text(case: ProtocolCase, text: str, act: Act, calendar: Calendar, *, allowed_stage: str) -> None:
    """A new draft version while drafting.

    Raises Refused at any other stage: what is signed must be what was approved.
    """
    if case.stage != allowed_stage:
        raise Refused(
            Sentence(
                "The text can be changed while drafting only. Ask for the file to be sent back, or propose an amendment."
            )
        )
    take_text(case, text)
    kept = Act(
        act.actor, {"text_version": case.text_version, "text_sha256": case.text_sha256}, act.today, act.now, act.done_on
    )
    case.record(REPLACE_TEXT, case.stage, kept, calendar)


def take_text(case: ProtocolCase, text: str) -> None:
    """Let `text` be the newest version; earlier ones are kept."""
    digest = sha256_of(text)
    if digest != case.text_sha256:
        case.text_sha256 = digest
        case.text_version += 1
        case.new_text = text


def perform(
    case: ProtocolCase, name: str, act: Act, procedure: Procedure[ProtocolCase], calendar: Calendar
) -> list[Event]:
    """Make a move: stage, facts, clocks and history change together; returns what happened.

    Raises what `Procedure.advance` raises; then nothing has changed.
    """
    row, before, happened = casework.make_move(case, name, act, procedure, calendar)
    moved = ProtocolMovedV1(
        **case.shown(),
        move=name,
        from_stage=before,
        to_stage=case.stage,
        turn=procedure.stages[case.stage].turn_of(case),
        due_on=case.due_on,
        done_on=act.done_on,
        article=row.article,
    )
    events: list[Event] = [moved, *happened]
    term = case.newest_clock("TERM")
    if term is not None and term.due_on is not None and name in procedure.terms["TERM"].starts_with:
        starts_on = max(case.starts_on, act.done_on)
        events.append(ProtocolEnteredIntoForceV1(**case.shown(), starts_on=starts_on, ends_on=term.due_on))
    return events


def expire_due(
    case: ProtocolCase, actor: Actor, now: datetime, procedure: Procedure[ProtocolCase], calendar: Calendar
) -> list[Event]:
    """Let every clock that is past act; see `casework.expire_due`."""
    return casework.expire_due(case, actor, now, procedure, calendar, perform)
