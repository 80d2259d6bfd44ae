"""The commands and queries of protocols: fetch, ask, save, record; no rule lives here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from services.kernel import clock as clocks
from services.kernel.actor import SYSTEM, Actor
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.casework import plain, urgency
from services.kernel.errors import Conflict, Forbidden, ImeceError, Invalid, NotFound, Refused, Unavailable
from services.kernel.events import Event, Scope
from services.kernel.text import Sentence
from services.kernel.workflow import Act, Move, Procedure
from services.protocols.domain import case as cases
from services.protocols.domain import partner as partners
from services.protocols.domain.case import ProtocolCase
from services.protocols.domain.contribution import warnings
from services.protocols.domain.events import ProtocolDraftFailedV1
from services.protocols.domain.partner import Partner, Succession
from services.protocols.domain.procedure import AUTHORITY, LINKING_MOVES, MUNICIPALITY, STANDING, UNIT, last_day
from services.protocols.domain.skeleton import Known, skeleton
from services.protocols.domain.vote import Votes

logger = logging.getLogger(__name__)

_LONGEST_TERM_DAYS = 3_650
_VOTE_FIELDS = ("votes", "without_commission_votes")


class Registry(Protocol):
    """What protocols asks the registry; raises Unavailable when it does not answer."""

    def decision_facts(self, *, organisation_id: str, municipality: str, on: str) -> dict[str, Any]:
        """{organisation, standing, municipality} as of a day."""


class Cases(Protocol):
    """The cases, within one transaction."""

    def locked(self, protocol_id: str) -> ProtocolCase | None:
        """The case, held until the transaction ends."""

    def get(self, protocol_id: str) -> ProtocolCase | None:
        """The case, to read."""

    def partner(self, organisation_id: str) -> Partner | None:
        """The partner as the registry's events last told it."""

    def successions(self, organisation_id: str) -> Sequence[Succession]:
        """Who gets the organisation's open protocols, by each succession told so far, oldest first."""

    def text_of(self, protocol_id: str, version: int) -> str:
        """One version of a text."""

    def next_reference(self, municipality: str, year: int) -> str:
        """`<municipality>/<year>/<number>`, each number once and without gaps."""

    def add(
        self, case: ProtocolCase, events: Sequence[Event], actor: Actor, procedure: Procedure[ProtocolCase]
    ) -> None:
        """Store a new case with its history and events."""

    def save(
        self, case: ProtocolCase, events: Sequence[Event], actor: Actor, procedure: Procedure[ProtocolCase]
    ) -> None:
        """Store a changed case with its new history and events; each expired clock is claimed once for ever."""

    def remind(
        self, case: ProtocolCase, procedure: Procedure[ProtocolCase], now: datetime, today: date
    ) -> Sequence[Event]:
        """Claim what the case's clocks have to remind of, each rung once for ever; returns the events of it."""

    def drafted_from(self, petition_id: str) -> str | None:
        """The id of the protocol that was drafted from a petition."""

    def post(self, events: Sequence[Event], scope: Scope, actor: Actor, now: datetime) -> None:
        """Post events that belong to no case here."""

    def tell(self, case: ProtocolCase, events: Sequence[Event], actor: Actor, now: datetime) -> None:
        """Post events of the case."""

    def calendar(self) -> Calendar:
        """The calendar as known now."""

    def answered(self, actor: Actor, key: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first answer to a repeated command, without taking the key."""

    def remembered(self, actor: Actor, key: str, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """The first answer to a repeated command."""

    def release(self, actor: Actor, key: str) -> None:
        """Give a taken key back."""

    def remember(self, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""


Transaction = Callable[[], AbstractContextManager[Cases]]


@dataclass(frozen=True)
class Context:
    """What every command works with: one reading of the time, the table, the stores."""

    write: Transaction
    read: Transaction
    registry: Registry
    procedure: Procedure[ProtocolCase]
    now: datetime

    @property
    def today(self) -> date:
        """The date in Europe/Istanbul."""
        return today_in_istanbul(self.now)


def draft_protocol(context: Context, actor: Actor, fields: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Begin a protocol in the actor's own municipality.

    Raises Forbidden (not a unit officer), Invalid, Refused (sister city; the partner cannot be a party),
    NotFound (the organisation), Unavailable (the registry does not answer).
    """
    if actor.role != UNIT:
        raise Forbidden(Sentence("Protocols are drafted by the municipality's units."))
    if fields["municipality"] != actor.municipality:
        raise NotFound(Sentence("There is no such municipality among yours."))
    if fields["kind"] == "sister_city":
        raise Refused(
            Sentence("Sister-city protocols take another route (5393/74), which is not built yet."),
            {"reasons": []},
            code="sister_city_not_yet",
        )
    _check_dates(fields["starts_on"], fields["term_months"], context.today)
    request = {"command": "draft", "fields": plain(fields)}
    with context.read() as store:
        # A repeated command answers as before, also while the registry is away.
        if (answer := store.answered(actor, key, request)) is not None:
            return answer
    facts = _ask(context, str(fields["organisation_id"]), fields["municipality"], context.today)
    with context.write() as store:
        if (answer := store.remembered(actor, key, request, context.now)) is not None:
            return answer
        calendar = store.calendar()
        case, events = cases.draft(
            reference=store.next_reference(fields["municipality"], context.today.year),
            fields=fields,
            municipality=facts["municipality"],
            organisation=facts["organisation"],
            standing=_standing(facts),
            actor=actor,
            now=context.now,
            procedure=context.procedure,
            calendar=calendar,
        )
        store.add(case, events, actor, context.procedure)
        _catch_up(context, store, case, calendar)
        answer = show(context, case, actor)
        store.remember(actor, key, answer)
    return answer


def draft_from_proposal(context: Context, proposal: Mapping[str, Any], first_time: Callable[[Cases], bool]) -> None:
    """Draft the protocol that an accepted proposal asks for, or tell why it cannot be; one answer a proposal.

    `first_time` is asked within the transaction, so that a proposal that comes again changes nothing.
    Raises Unavailable while the registry does not answer: the proposal is tried again.
    """
    municipality, organisation_id = str(proposal["municipality"]), str(proposal["organisation_id"])
    try:
        _check_dates(proposal["starts_on"], proposal["term_months"], context.today)
        facts = _ask(context, organisation_id, municipality, context.today)
    except (Invalid, NotFound, Refused) as refusal:
        _tell_failure(context, proposal, refusal, first_time)
        return
    standing = _standing(facts)
    fields = {
        "kind": "joint_service_project",
        **{name: proposal[name] for name in ("title", "subject", "municipal_duty", "starts_on", "term_months")},
        "funder_deadline": proposal.get("funder_deadline"),
        "text": proposal.get("text") or _first_text(proposal, facts, standing),
    }
    try:
        with context.write() as store:
            if not first_time(store) or store.drafted_from(proposal["petition_id"]):
                return
            case, events = cases.draft(
                reference=store.next_reference(municipality, context.today.year),
                fields=fields,
                municipality=facts["municipality"],
                organisation=facts["organisation"],
                standing=standing,
                actor=SYSTEM,
                now=context.now,
                procedure=context.procedure,
                calendar=store.calendar(),
                petition_id=proposal["petition_id"],
            )
            store.add(case, events, SYSTEM, context.procedure)
            _catch_up(context, store, case, store.calendar())
    except Refused as refusal:
        _tell_failure(context, proposal, refusal, first_time)


def _first_text(proposal: Mapping[str, Any], facts: Mapping[str, Any], standing: Mapping[str, Any]) -> str:
    return skeleton(
        Known(
            title=proposal["title"],
            subject=proposal["subject"],
            municipal_duty=proposal["municipal_duty"],
            starts_on=proposal["starts_on"],
            term_months=proposal["term_months"],
            municipality=facts["municipality"]["name"],
            organisation=facts["organisation"]["name"],
            registry_no=facts["organisation"].get("registry_no"),
            permission=standing["permission"],
            proposal=proposal["number"],
        )
    )


def _tell_failure(
    context: Context, proposal: Mapping[str, Any], refusal: ImeceError, first_time: Callable[[Cases], bool]
) -> None:
    reasons = refusal.details.get("reasons") or [
        {"code": refusal.stable_code, "article": "", "message": each["message"]}
        for each in refusal.details.get("errors", ())
    ]
    event = ProtocolDraftFailedV1(
        subject_id=proposal["petition_id"],
        subject_version=proposal["version"],
        petition_id=proposal["petition_id"],
        municipality=proposal["municipality"],
        organisation_id=proposal["organisation_id"],
        reasons=reasons or [{"code": refusal.stable_code, "article": "", "message": refusal.message.to_plain()}],
    )
    scope = Scope(event.municipality, None, event.organisation_id)
    with context.write() as store:
        if first_time(store):
            store.post([event], scope, SYSTEM, context.now)


def replace_text(
    context: Context, actor: Actor, protocol_id: str, text: str, expected_version: int | None, key: str
) -> dict[str, Any]:
    """A new draft version; only while drafting, by a unit officer.

    Raises NotFound, Forbidden, Conflict, Refused.
    """
    request = {"command": "replace_text", "protocol_id": protocol_id, "sha256": cases.sha256_of(text)}
    with context.write() as store:
        case = _locked(store, actor, protocol_id)
        if (answer := store.remembered(actor, key, request, context.now)) is not None:
            return answer
        if actor.role != UNIT:
            raise Forbidden(Sentence("The text is written by the municipality's unit."))
        _expect(case, expected_version)
        calendar = store.calendar()
        act = Act(actor, {}, context.today, context.now, context.today)
        cases.replace_text(case, text, act, calendar, allowed_stage=context.procedure.initial)
        store.save(case, [], actor, context.procedure)
        answer = show(context, case, actor)
        store.remember(actor, key, answer)
    return answer


def move(
    context: Context,
    actor: Actor,
    protocol_id: str,
    name: str,
    fields: Mapping[str, Any],
    expected_version: int | None,
    key: str,
) -> dict[str, Any]:
    """Make a move of the procedure.

    Raises NotFound, Forbidden, Invalid, Conflict (a newer version; also when a clock ran out meanwhile),
    Refused with reasons, Unavailable.
    """
    request = {"command": "move", "protocol_id": protocol_id, "move": name, "fields": plain(fields)}
    facts: dict[str, Any] | None = None
    while True:
        tried = _try_move(context, actor, protocol_id, name, fields, expected_version, key, request, facts)
        if isinstance(tried, _Question):
            # Asked outside the transaction, so that nobody waits for a lock while another service thinks.
            facts = _ask(context, tried.organisation_id, tried.municipality, tried.on)
        elif isinstance(tried, _Lapsed):
            # What the caller saw is no longer so; the clock's own act is kept, the caller's is not made.
            raise Conflict(
                Sentence("A legal period ran out meanwhile. Look at the file again."), {"version": tried.version}
            )
        else:
            return tried


@dataclass(frozen=True)
class _Question:
    """What must be asked of the registry before the move can be decided."""

    organisation_id: str
    municipality: str
    on: date


@dataclass(frozen=True)
class _Lapsed:
    """A clock was past and has acted."""

    version: int


def _try_move(
    context: Context,
    actor: Actor,
    protocol_id: str,
    name: str,
    fields: Mapping[str, Any],
    expected_version: int | None,
    key: str,
    request: Mapping[str, Any],
    facts: Mapping[str, Any] | None,
) -> dict[str, Any] | _Question | _Lapsed:
    """One transaction; it ends without effect in a question, once, when the registry must be asked."""
    with context.write() as store:
        case = _locked(store, actor, protocol_id)
        question = _asked_of(context, case, actor, name, fields) if facts is None else None
        if question and store.answered(actor, key, request) is None and _is_expected(case, expected_version):
            return question
        if (answer := store.remembered(actor, key, request, context.now)) is not None:
            return answer
        _expect(case, expected_version)
        calendar = store.calendar()
        expired = cases.expire_due(case, SYSTEM, context.now, context.procedure, calendar)
        if expired:
            store.save(case, expired, SYSTEM, context.procedure)
            # The key stays free: it was taken for an answer that this is not.
            store.release(actor, key)
            return _Lapsed(case.version)
        act = _act(context, case, actor, name, fields, facts)
        answer = _perform(context, store, case, name, act, calendar)
        store.remember(actor, key, answer)
        return answer


def _asked_of(
    context: Context, case: ProtocolCase, actor: Actor, name: str, fields: Mapping[str, Any]
) -> _Question | None:
    """The question that the move must ask of the registry, if it gets that far."""
    for row in context.procedure.rows(name, case.stage)[:1]:
        if row.asks and actor.role in row.by:
            # A date that will be refused anyway is not asked about.
            on = min(fields.get(row.dated_by or "") or context.today, context.today)
            return _Question(case.organisation.id, case.municipality.id, on)
    return None


def _is_expected(case: ProtocolCase, expected_version: int | None) -> bool:
    return expected_version in (None, case.version)


def _perform(
    context: Context, store: Cases, case: ProtocolCase, name: str, act: Act, calendar: Calendar
) -> dict[str, Any]:
    events = cases.perform(case, name, act, context.procedure, calendar)
    link = LINKING_MOVES.get(name)
    if link is not None:
        new, drafted = _linked(context, store, case, act, calendar, link)
        store.add(new, drafted, act.actor, context.procedure)
        _catch_up(context, store, new, calendar)
        case.successors = [*case.successors, {"id": new.id, "reference": new.reference, "link": link}]
    store.save(case, events, act.actor, context.procedure)
    if STANDING in act.known:
        # The registry may have told something newer while it was asked about the day of the act.
        _catch_up(context, store, case, calendar)
    return show(context, case, act.actor)


def _linked(
    context: Context, store: Cases, case: ProtocolCase, act: Act, calendar: Calendar, link: str
) -> tuple[ProtocolCase, list[Event]]:
    """The renewal or amendment: the old one's description, none of its decisions."""
    text = act.fields.get("text") or store.text_of(case.id, case.text_version)
    fields: dict[str, Any] = {
        "kind": case.kind,
        "title": case.title,
        "subject": case.subject,
        "municipal_duty": case.municipal_duty,
        "starts_on": act.fields.get("starts_on") or _next_start(context, case, link),
        "term_months": act.fields.get("term_months") or case.term_months,
        "zoning": case.zoning,
        "text": text,
        "contributions": case.contributions,
    }
    _check_dates(fields["starts_on"], fields["term_months"], context.today)
    term = case.newest_clock("TERM")
    if link == "renewal" and term is not None and term.due_on is not None and fields["starts_on"] <= term.due_on:
        raise Invalid.field(
            "starts_on", Sentence("It starts before the running term has ended, on {on}.", on=term.due_on)
        )
    standing = act.known.get("standing") or case.standing
    return cases.draft(
        reference=store.next_reference(case.municipality.id, context.today.year),
        fields=fields,
        municipality={
            "code": case.municipality.id,
            "name": case.municipality.name,
            "kind": case.municipality_kind,
            "civil_authority": {"code": case.authority.id, "name": case.authority.name},
        },
        organisation={"id": case.organisation.id, "name": case.organisation.name, "version": case.party_version},
        standing=standing,
        actor=act.actor,
        now=context.now,
        procedure=context.procedure,
        calendar=calendar,
        link_to=case,
        link_kind=link,
    )


def _next_start(context: Context, case: ProtocolCase, link: str) -> date:
    """A renewal starts when the old term has ended, an amendment as soon as it can."""
    term = case.newest_clock("TERM")
    if link == "renewal" and term is not None and term.due_on is not None:
        return max(term.due_on + timedelta(days=1), context.today)
    return context.today


def _act(
    context: Context,
    case: ProtocolCase,
    actor: Actor,
    name: str,
    fields: Mapping[str, Any],
    facts: Mapping[str, Any] | None,
) -> Act:
    """The attempt, with what the registry said for its day."""
    row = context.procedure.row_for(name, case.stage)
    context.procedure.permit(row, actor)
    done_on = fields.get(row.dated_by or "") or context.today
    known = _knowledge(row, facts)
    typed = dict(fields)
    for vote in _VOTE_FIELDS:
        if vote in typed:
            typed[vote] = Votes.from_plain(typed[vote], known.get("full_membership"))
    return Act(actor, typed, context.today, context.now, done_on, known)


def _knowledge(row: Move[ProtocolCase], facts: Mapping[str, Any] | None) -> dict[str, Any]:
    """The part of the registry's answer that this move decides on, to be kept with it."""
    if facts is None:
        return {}
    municipality = facts["municipality"]
    found = {
        STANDING: ("standing", _standing(facts)),
        MUNICIPALITY: ("full_membership", municipality["council"]["full_membership"]),
        AUTHORITY: ("authority", municipality["civil_authority"]),
    }
    return dict(found[asked] for asked in row.asks)


def _standing(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The standing with the version of the record it was read from, so that later news can be told from older."""
    return {**facts["standing"], "organisation_version": facts["organisation"]["version"]}


def _ask(context: Context, organisation_id: str, municipality: str, on: date) -> dict[str, Any]:
    return context.registry.decision_facts(
        organisation_id=organisation_id, municipality=municipality, on=on.isoformat()
    )


def _check_dates(starts_on: date, term_months: int, today: date) -> None:
    """A protocol starts neither long ago nor in a far future, and ends within what can be counted."""
    earliest, latest = date(today.year - 1, 1, 1), date(today.year + 2, 12, 31)
    if not earliest <= starts_on <= latest:
        raise Invalid.field(
            "starts_on", Sentence("must lie between {earliest} and {latest}", earliest=earliest, latest=latest)
        )
    ends_on = last_day(starts_on, term_months)
    if (ends_on - today).days > _LONGEST_TERM_DAYS:
        raise Invalid.field(
            "term_months",
            Sentence("The protocol would end on {on}; a term may end at most ten years from now.", on=ends_on),
        )


def get_protocol(context: Context, actor: Actor, protocol_id: str) -> dict[str, Any]:
    """One protocol as the actor's office sees it, with its text. Raises NotFound."""
    with context.read() as store:
        case = _visible(store.get(protocol_id), actor)
        partner = store.partner(case.organisation.id)
        shown = show(context, case, actor, partner.standing if partner else None)
        return shown | {"text": store.text_of(case.id, case.text_version)}


def explain_clock(context: Context, actor: Actor, protocol_id: str, clock_id: str) -> dict[str, Any]:
    """Why a clock is due when it is, day by day. Raises NotFound."""
    with context.read() as store:
        case = _visible(store.get(protocol_id), actor)
        calendar = store.calendar()
    clock = next((each for each in case.clocks if each.id == clock_id), None)
    if clock is None:
        raise NotFound(Sentence("There is no such clock in this file."))
    told = clocks.explain(clock, calendar).to_plain()
    return {"clock": show_clock(context.procedure, clock), **told, "due_on": plain(clock.due_on)}


def settle_legal_review(
    context: Context,
    actor: Actor,
    protocol_id: str,
    opinion: str,
    outcome: str,
    expected_version: int | None,
    key: str,
) -> dict[str, Any]:
    """Settle a flagged file by the legal unit's opinion; its stage, clocks and options stay as they are.

    Raises NotFound, Forbidden (not the unit that owns the protocol), Conflict, Refused (nothing is open).
    """
    request = {"command": "settle", "protocol_id": protocol_id, "opinion": opinion, "outcome": outcome}
    with context.write() as store:
        case = _locked(store, actor, protocol_id)
        if (answer := store.remembered(actor, key, request, context.now)) is not None:
            return answer
        if actor.role != partners.REVIEWER:
            raise Forbidden(Sentence("A legal review is settled by the municipality's unit that owns the protocol."))
        if actor.scope and partners.SETTLE not in actor.scope:
            raise Forbidden(
                Sentence("The delegation does not cover “{move}”.", move=partners.LABELS[partners.SETTLE].to_plain())
            )
        _expect(case, expected_version)
        act = Act(actor, {}, context.today, context.now, context.today)
        events = partners.settle(case, opinion, outcome, act, store.calendar())
        store.save(case, events, actor, context.procedure)
        answer = show(context, case, actor)
        store.remember(actor, key, answer)
    return answer


def catch_up(context: Context, protocol_ids: Sequence[str]) -> list[Exception]:
    """Let these files follow what is known of their partners: successions first, then the standing.

    Each in a transaction of its own. Doing it twice changes nothing, so that an event may come again and late.
    A file that fails stops none of the others; what it raised is returned, so that the event can be tried again.
    """
    failures: list[Exception] = []
    for protocol_id in protocol_ids:
        try:
            with context.write() as store:
                case = store.locked(protocol_id)
                if case is not None:
                    _catch_up(context, store, case, store.calendar())
        except Unavailable:
            raise
        except Exception as error:
            logger.exception("a file could not follow its partner", extra={"protocol_id": protocol_id})
            failures.append(error)
    return failures


def _catch_up(context: Context, store: Cases, case: ProtocolCase, calendar: Calendar) -> None:
    """Let an open file follow; what changes is stored as the system's own act."""
    if case.stage in context.procedure.ends:
        return
    events: list[Event] = []
    while succession := partners.next_to_follow(case, store.successions(case.organisation.id)):
        events += partners.follow(case, succession, SYSTEM, context.now, calendar)
    partner = store.partner(case.organisation.id)
    if partner is not None:
        events += partners.compare(case, partner, SYSTEM, context.now, context.procedure, calendar)
    if events:
        store.save(case, events, SYSTEM, context.procedure)


def _visible(case: ProtocolCase | None, actor: Actor) -> ProtocolCase:
    if case is None or not case.visible_to(actor):
        raise NotFound(Sentence("There is no such protocol."))
    return case


def _locked(store: Cases, actor: Actor, protocol_id: str) -> ProtocolCase:
    return _visible(store.locked(protocol_id), actor)


def _expect(case: ProtocolCase, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != case.version:
        raise Conflict(
            Sentence("The file has changed since you looked: it is at version {version}.", version=case.version),
            {"version": case.version},
        )


# what people see


def show(
    context: Context, case: ProtocolCase, actor: Actor, partner_standing: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The case as the actor's office sees it; labels in both languages, the caller's is chosen at the door.

    `standing` is what the newest decision relied on, `partner_standing` what is known now; the options
    follow the latter, so that a lapsed exemption shows before anyone tries to sign.
    """
    stage = context.procedure.stages[case.stage]
    known = {"standing": partner_standing} if partner_standing else {}
    act = Act(actor, {}, context.today, context.now, context.today, known)
    return {
        **summary(context.procedure, case),
        "legal_review": review_shown(case, with_opinion=_reads_opinions(case, actor)),
        "kind": case.kind,
        "subject": case.subject,
        "municipal_duty": case.municipal_duty,
        "starts_on": case.starts_on.isoformat(),
        "term_months": case.term_months,
        "zoning": case.zoning,
        "contributions": case.contributions,
        "warnings": warnings(case.contributions),
        "text_version": case.text_version,
        "text_sha256": case.text_sha256,
        "approved_text_sha256": case.approved_sha256,
        "standing": case.standing,
        "partner_standing": dict(partner_standing) if partner_standing else case.standing,
        "clocks": [show_clock(context.procedure, each) for each in case.clocks],
        "options": [
            {
                "move": option.move,
                "label": option.label.to_plain(),
                "enabled": option.enabled,
                "reasons": list(option.reasons),
                "fields": [{"name": name, "required": True} for name in option.needs]
                + [{"name": name, "required": False} for name in (*option.takes, "note")],
                "article": option.article,
            }
            for option in context.procedure.options(case, act)
        ],
        "links": {
            "original": {"id": case.original_id, "link": case.original_link} if case.original_id else None,
            "successors": case.successors,
            "petition": {"id": case.petition_id} if case.petition_id else None,
        },
        "procedure_version": case.procedure_version,
        "created_at": case.created_at.isoformat(),
        "stage_is_end": stage.name in context.procedure.ends,
    }


def summary(procedure: Procedure[ProtocolCase], case: ProtocolCase) -> dict[str, Any]:
    """The case as one row of a list."""
    stage = procedure.stages[case.stage]
    return {
        "id": case.id,
        "reference": case.reference,
        "title": case.title,
        "municipality": case.municipality.id,
        "municipality_name": case.municipality.name,
        "authority": case.authority.id,
        "authority_name": case.authority.name,
        "organisation_id": case.organisation.id,
        "organisation_name": case.organisation.name,
        "stage": case.stage,
        "stage_label": stage.label.to_plain(),
        "whose_turn": whose_turn(procedure, case),
        "since": case.since.isoformat(),
        "due_on": plain(case.due_on),
        "overdue_since": plain(case.overdue_since(procedure)),
        "funder_deadline": plain(case.funder_deadline),
        "legal_review": review_shown(case, with_opinion=False),
        "version": case.version,
    }


def review_shown(case: ProtocolCase, *, with_opinion: bool) -> dict[str, Any]:
    """The newest legal review; the opinion is the municipality's own, others see its outcome."""
    if not case.review:
        return {"state": partners.NONE}
    shown = {name: value for name, value in case.review.items() if name not in ("on", "flagged_by", "known_version")}
    if shown["settled"] and not with_opinion:
        shown["settled"] = {name: value for name, value in shown["settled"].items() if name != "opinion"}
    return shown


def _reads_opinions(case: ProtocolCase, actor: Actor) -> bool:
    return actor.role == "auditor" or actor.municipality == case.municipality.id


def act_fields(case: ProtocolCase, actor: Actor, move: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an act as the actor's office sees them: signatories without names, opinions at home."""
    shown = dict(fields)
    if "signatories" in shown:
        shown["signatories"] = [
            {name: value for name, value in each.items() if name not in ("name", "authority_document")}
            for each in shown["signatories"]
        ]
    if move == partners.SETTLE and not _reads_opinions(case, actor):
        shown.pop("opinion", None)
    return shown


def whose_turn(procedure: Procedure[ProtocolCase], case: ProtocolCase) -> dict[str, str] | None:
    """The office whose move is awaited, or None at an end."""
    role = procedure.stages[case.stage].turn_of(case)
    if role is None:
        return None
    party = party_of(role, case)
    return {"role": role, "tenant": party.id, "office": f"{role}@{party.id}", "name": party.name}


def party_of(role: str, case: ProtocolCase) -> cases.Party:
    """The institution to which a role of the procedure belongs."""
    if role.startswith("authority_"):
        return case.authority
    return case.organisation if role == "organisation_representative" else case.municipality


def show_clock(procedure: Procedure[ProtocolCase], clock: clocks.Clock) -> dict[str, Any]:
    """A clock with its effect in both languages."""
    shown = clock.to_plain()
    shown.pop("stages")
    term = procedure.terms[clock.kind]
    return shown | {"label": term.label.to_plain(), "effect": term.effect.to_plain()}


def work_item(context: Context, case: ProtocolCase, actor: Actor) -> dict[str, Any]:
    """What the actor's office must do next in this case."""
    act = Act(actor, {}, context.today, context.now, context.today)
    due_on = case.duties(context.procedure).get(actor.role)
    flagged = actor.role == partners.REVIEWER and case.review.get("state") == partners.OPEN
    return {
        "subject": {"kind": "protocol", "id": case.id, "title": case.title},
        "reference": case.reference,
        "stage": case.stage,
        "stage_label": context.procedure.stages[case.stage].label.to_plain(),
        "moves": [
            {"move": option.move, "label": option.label.to_plain()}
            for option in context.procedure.options(case, act)
            if option.enabled
        ],
        "since": case.since.isoformat(),
        "due_on": plain(due_on),
        # The law sets no date for a review; it is today's work as long as it is open.
        "urgency": urgency(min(due_on or context.today, context.today) if flagged else due_on, context.today),
        "legal_review": review_shown(case, with_opinion=False) if flagged else None,
    }
