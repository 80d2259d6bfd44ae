"""The moves of a petition, looks at it, its clocks, and the protocol that came of it; no rule lives here."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.kernel import clock as clocks
from services.kernel.actor import PETITIONER, SYSTEM, Actor
from services.kernel.calendar import Calendar
from services.kernel.casework import plain
from services.kernel.errors import Conflict, Invalid, NotFound
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.kernel.workflow import Act
from services.petitions.application.port import Cases, Context
from services.petitions.application.showing import show, show_clock, tracked
from services.petitions.domain import case as cases
from services.petitions.domain.admission import acts_as
from services.petitions.domain.case import Party, PetitionCase
from services.petitions.domain.code import new_code, normal
from services.petitions.domain.procedure import CLERK, MUNICIPALITY, UNIT_FACTS, counted_from
from services.petitions.domain.routing import suggest

logger = logging.getLogger(__name__)

_LINKABLE = "link_protocol"


def get_petition(context: Context, actor: Actor, petition_id: str, petition_key: str | None) -> dict[str, Any]:
    """One petition with its text, for the municipality's offices and the petitioner. Raises NotFound."""
    with context.read() as store:
        case, acting = demand_seen(store.get(petition_id), actor, petition_key)
        return _shown(context, store, case, acting)


def _shown(context: Context, store: Cases, case: PetitionCase, actor: Actor) -> dict[str, Any]:
    linked = [each for each in (case.repeats, case.forwarded_from, case.forwarded_to) if each]
    # Where a petition came from is between the two municipalities; it helps the petitioner and the receiver.
    relatives = store.relatives(linked)
    suggestion = None
    if actor.role == CLERK and case.stage in ("received", "registered"):
        suggestion = suggest(store.units(case.municipality.id), f"{case.subject} {case.body}")
    return show(context, case, actor, relatives, suggestion)


def move(
    context: Context,
    actor: Actor,
    petition_id: str,
    name: str,
    fields: Mapping[str, Any],
    expected_version: int | None,
    key: str,
    petition_key: str | None,
) -> dict[str, Any]:
    """Make a move of the procedure.

    Raises NotFound, Forbidden, Invalid, Conflict (a newer version; also when a clock ran out meanwhile),
    Refused with reasons, Unavailable.
    """
    asked = _Asked(actor, petition_id, name, fields, expected_version, key, petition_key)
    facts: dict[str, Any] | None = None
    while True:
        tried = _try_move(context, asked, facts)
        if isinstance(tried, _Question):
            # Asked outside the transaction, so that nobody waits for a lock while another service thinks.
            facts = context.registry.get_municipality(code=tried.municipality)
        elif isinstance(tried, _Lapsed):
            # What the caller saw is no longer so; the clock's own act is kept, the caller's is not made.
            raise Conflict(
                Sentence("A legal period ran out meanwhile. Look at the file again."), {"version": tried.version}
            )
        else:
            return tried


@dataclass(frozen=True)
class _Asked:
    """A move as it was asked for."""

    actor: Actor
    petition_id: str
    name: str
    fields: Mapping[str, Any]
    expected_version: int | None
    key: str
    petition_key: str | None

    @property
    def request(self) -> dict[str, Any]:
        """What a repetition must have in common with the first time."""
        return {
            "command": "move",
            "petition_id": self.petition_id,
            "move": self.name,
            "fields": plain(self.fields),
        }

    def own_key(self, acting: Actor) -> str:
        """All who hold a petition's key share one office; what they repeat is told apart by the petition."""
        if acting.role != PETITIONER:
            return self.key
        return hashlib.sha256(f"{self.petition_id} {self.key}".encode()).hexdigest()


@dataclass(frozen=True)
class _Question:
    """Which municipality must be asked about before the move can be decided."""

    municipality: str


@dataclass(frozen=True)
class _Lapsed:
    """A clock was past and has acted."""

    version: int


def _try_move(context: Context, asked: _Asked, facts: Mapping[str, Any] | None) -> dict[str, Any] | _Question | _Lapsed:
    """One transaction; it ends without effect in a question, once, when the registry must be asked."""
    request, expected = asked.request, asked.expected_version
    with context.write() as store:
        case, acting = demand_seen(store.locked(asked.petition_id), asked.actor, asked.petition_key)
        key = asked.own_key(acting)
        question = _question(context, case, acting, asked) if facts is None else None
        if question and store.answered(acting, key, request) is None and expected in (None, case.version):
            return question
        if store.remembered(acting, key, request, context.now) is not None:
            return _shown(context, store, case, acting)
        _expect(case, expected)
        calendar = store.calendar()
        expired = cases.expire_due(case, SYSTEM, context.now, context.procedure, calendar)
        if expired:
            store.save(case, expired, SYSTEM, context.procedure)
            # The key stays free: it was taken for an answer that this is not.
            store.release(acting, key)
            return _Lapsed(case.version)
        act = _act(context, store, case, acting, asked, facts)
        _perform(context, store, case, asked.name, act, facts, calendar)
        # Only what it is known by: a text and a name have no place among remembered answers.
        store.remember(acting, key, {"id": case.id, "version": case.version})
        return _shown(context, store, case, acting)


def _question(context: Context, case: PetitionCase, acting: Actor, asked: _Asked) -> _Question | None:
    """The municipality that the move must ask about, if it gets that far."""
    for row in context.procedure.rows(asked.name, case.stage)[:1]:
        code = asked.fields.get("municipality")
        if MUNICIPALITY in row.asks and acting.role in row.by and code and code != case.municipality.id:
            return _Question(str(code))
    return None


def _act(
    context: Context,
    store: Cases,
    case: PetitionCase,
    acting: Actor,
    asked: _Asked,
    facts: Mapping[str, Any] | None,
) -> Act:
    """The attempt, with what was asked for it."""
    row = context.procedure.row_for(asked.name, case.stage)
    context.procedure.permit(row, acting)
    fields = asked.fields
    known: dict[str, Any] = {}
    if facts is not None:
        known[MUNICIPALITY] = {"code": facts["code"], "name": facts["name"]}
    if UNIT_FACTS in row.asks and fields.get("unit"):
        unit = store.unit(str(fields["unit"]))
        if unit is None or unit.municipality != case.municipality.id or not unit.active:
            raise Invalid.field("unit", Sentence("This is no unit of the municipality that takes petitions."))
        known[UNIT_FACTS] = {"id": unit.id, "name": unit.name}
    done_on = fields.get(row.dated_by or "") or context.today
    return Act(acting, fields, context.today, context.now, done_on, known)


def _perform(
    context: Context,
    store: Cases,
    case: PetitionCase,
    name: str,
    act: Act,
    facts: Mapping[str, Any] | None,
    calendar: Calendar,
) -> None:
    events = cases.perform(case, name, act, context.procedure, calendar)
    if name == "forward" and facts is not None:
        new, arrived = _forwarded(context, store, case, act, Party(facts["code"], facts["name"]), calendar)
        store.add(new, arrived, act.actor, context.procedure)
        store.copy_files(case.id, new.id)
        case.forwarded_to = new.id
    store.save(case, events, act.actor, context.procedure)


def _forwarded(
    context: Context, store: Cases, case: PetitionCase, act: Act, to: Party, calendar: Calendar
) -> tuple[PetitionCase, list[Event]]:
    """The same petition at the right municipality: its first filing date is kept, and its key opens both."""
    return cases.submit(
        number=store.next_reference(to.id, context.today.year),
        fields={
            "kind": case.kind,
            "subject": case.subject,
            "body": case.body,
            "channel": case.channel,
            "language": case.language,
        },
        petitioner=case.petitioner,
        municipality=to,
        tracking_code=new_code(),
        actor=act.actor,
        now=context.now,
        procedure=context.procedure,
        calendar=calendar,
        filed_on=case.filed_on,
        received_on=act.done_on,
        counts_from=counted_from(context.policy, case.filed_on, act.done_on),
        key_sha256=case.key_sha256,
        key_salt=case.key_salt,
        forwarded_from=case.id,
        submitted_by=case.submitted_by,
    )


def explain_clock(
    context: Context, actor: Actor, petition_id: str, clock_id: str, petition_key: str | None
) -> dict[str, Any]:
    """Why a clock is due when it is, day by day. Raises NotFound."""
    with context.read() as store:
        case, _ = demand_seen(store.get(petition_id), actor, petition_key)
        calendar = store.calendar()
    clock = next((each for each in case.clocks if each.id == clock_id), None)
    if clock is None:
        raise NotFound(Sentence("There is no such clock in this file."))
    told = clocks.explain(clock, calendar).to_plain()
    return {"clock": show_clock(context.procedure, clock), **told, "due_on": plain(clock.due_on)}


def track(context: Context, code: str) -> dict[str, Any]:
    """The public status page of a petition. Raises NotFound."""
    known = normal(code)
    with context.read() as store:
        row = store.tracked(known) if known else None
    if row is None:
        raise NotFound(Sentence("There is no petition with this tracking code."))
    return tracked(context.procedure, row)


# the protocol that came of it


def link_protocol(context: Context, store: Cases, petition_id: str, protocol: Party) -> None:
    """The protocol that the proposal became; told again, or after its first steps, it changes nothing twice."""
    case = store.locked(petition_id)
    if case is None:
        logger.warning("a protocol names a petition that is not here", extra={"case": petition_id})
        return
    events = _linked(context, store, case, protocol)
    if case.new_acts:
        store.save(case, events, SYSTEM, context.procedure)


def follow_protocol(
    context: Context, store: Cases, petition_id: str, protocol: Party, step: Mapping[str, Any], version: int
) -> None:
    """A step of the protocol: on the petition's timeline, and its newest stage on the petition's page.

    Steps may come in any order; the stage shown is that of the protocol's newest version.
    """
    case = store.locked(petition_id)
    if case is None:
        logger.warning("a protocol names a petition that is not here", extra={"case": petition_id})
        return
    events = _linked(context, store, case, protocol)
    if case.protocol is not None and case.protocol.id == protocol.id:
        told = {"protocol_id": protocol.id, "protocol_reference": protocol.name} | {
            name: step[name] for name in ("move", "from", "to", "article") if step.get(name)
        }
        on = date.fromisoformat(step["done_on"])
        cases.follow_protocol(case, told, on, SYSTEM, context.now, store.calendar())
        if version > case.protocol_version:
            case.protocol_stage, case.protocol_version = step["to"], version
    if case.new_acts:
        store.save(case, events, SYSTEM, context.procedure)


def report_draft_problem(
    context: Context, store: Cases, petition_id: str, reasons: Sequence[Mapping[str, Any]]
) -> None:
    """No protocol could be drafted: it is the unit's turn again, and the proposal shows why."""
    case = store.locked(petition_id)
    if case is None:
        return
    calendar = store.calendar()
    events = cases.expire_due(case, SYSTEM, context.now, context.procedure, calendar)
    if context.procedure.rows("report_draft_problem", case.stage) and not case.is_linked:
        act = _system_act(context, {"reasons": [dict(each) for each in reasons]})
        events += cases.perform(case, "report_draft_problem", act, context.procedure, calendar)
    elif case.draft_problem and reasons:
        # The day to draft had run out before: what was only late is now explained.
        cases.note_problem(case, reasons, SYSTEM, context.now, calendar)
    if case.new_acts:
        store.save(case, events, SYSTEM, context.procedure)


def _linked(context: Context, store: Cases, case: PetitionCase, protocol: Party) -> list[Event]:
    """Link the case; one that has gone another way meanwhile keeps its stage and notes the protocol."""
    if case.protocol is not None:
        return []
    calendar = store.calendar()
    events = cases.expire_due(case, SYSTEM, context.now, context.procedure, calendar)
    if context.procedure.rows(_LINKABLE, case.stage):
        act = _system_act(context, {"protocol_id": protocol.id, "protocol_reference": protocol.name})
        return [*events, *cases.perform(case, _LINKABLE, act, context.procedure, calendar)]
    return [*events, *cases.note_protocol(case, protocol, SYSTEM, context.now, calendar)]


def _system_act(context: Context, fields: Mapping[str, Any]) -> Act:
    return Act(SYSTEM, dict(fields), context.today, context.now, context.today)


def demand_seen(case: PetitionCase | None, actor: Actor, petition_key: str | None) -> tuple[PetitionCase, Actor]:
    """The case and as whom the caller acts in it. Raises NotFound."""
    acting = case and acts_as(
        actor,
        petition_key,
        municipality=case.municipality.id,
        organisation_id=case.petitioner.organisation_id,
        key_sha256=case.key_sha256,
        submitted_by=case.submitted_by,
    )
    if case is None or not acting:
        raise NotFound(Sentence("There is no such petition."))
    return case, acting


def seen(store: Cases, petition_id: str, actor: Actor, petition_key: str | None) -> tuple[PetitionCase, Actor]:
    """The case to read and as whom the caller looks at it. Raises NotFound."""
    return demand_seen(store.get(petition_id), actor, petition_key)


def _expect(case: PetitionCase, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != case.version:
        raise Conflict(
            Sentence("The file has changed since you looked: it is at version {version}.", version=case.version),
            {"version": case.version},
        )
