"""Who hears what: one table, read by the program, the tests and the documentation.

Nobody is named: notifications go to offices. An office never hears of its own act.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from services.kernel.actor import (
    AUTHORITY_ROLES,
    CENTRAL_ROLES,
    MUNICIPAL_ROLES,
    ORGANISATION_ROLES,
    PETITIONER,
)
from services.notifications.domain.happening import Happening

TURN = "turn"
OWNER = "whose"
HEAD = "head"
REMINDED = "reminded"
SUPPORTER = "supporter"
_IN_WORDS = {
    TURN: "the office whose turn it is now",
    OWNER: "the office that owns the clock",
    REMINDED: "the office that the reminder names, else the owner of the clock",
    HEAD: "the head of the office that owns the clock",
    PETITIONER: "the petitioner",
    SUPPORTER: "whoever must confirm a signature",
}
_NAMED_BY_THE_EVENT = (TURN, OWNER)

PERSONAL = (PETITIONER, SUPPORTER)
"""Whoever stands outside the offices: reached by `petitioner@<petition>` and `supporter@<signature>`."""

_HEAD_OF: Mapping[str, str] = {
    **dict.fromkeys(MUNICIPAL_ROLES, "mayor"),
    **dict.fromkeys(AUTHORITY_ROLES, "authority_head"),
}
"""Who is told when an office misses a day; an office that has no head here is told itself."""

_TENANT_FIELD: Mapping[str, str] = {
    **dict.fromkeys(MUNICIPAL_ROLES, "municipality"),
    **dict.fromkeys(AUTHORITY_ROLES, "authority"),
    **dict.fromkeys(ORGANISATION_ROLES, "organisation_id"),
}


class Relation(Enum):
    """How the office stands to the event."""

    PARTY = "of the municipality, authority or organisation the event names"
    OPEN_CASE = "of every municipality with an open case of the organisation"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """These offices hear this event, when each field of `when` has one of its values and none of `unless` has.

    `roles`: role names; `TURN`, `OWNER` and `REMINDED` stand for the role that the event itself names, `HEAD` for the
    head of the owner's office, `PETITIONER` for the organisation that petitions, or the person.
    `receipt`: a petitioner without an office is told of the own act too, because nothing else shows it.
    """

    event: str
    roles: tuple[str, ...]
    why: str
    when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relation: Relation = Relation.PARTY
    receipt: bool = False
    unless: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def holds(self, happening: Happening) -> bool:
        """Whether the rule speaks of this event."""
        return (
            self.event == happening.event
            and all(happening.data.get(name) in values for name, values in self.when.items())
            and not any(happening.data.get(name) in values for name, values in self.unless.items())
        )


_BEFORE_THE_AUTHORITY = (
    "transmittal",
    "authority_determination",
    "permission_request",
    "authority_review",
    "document_completion",
    "permission_refused",
    "litigation",
    "signing",
)
"""Stages in which the civil authority may have the case on its desk."""

_BEYOND_DRAFTING = (
    "mayor_review",
    "council_agenda",
    "commission_review",
    "council_decision",
    "partner_consent",
    "mayor_check",
    "reconsideration",
    *_BEFORE_THE_AUTHORITY,
)
"""Stages in which mayor and registry know the case."""

_LINKED = {"move": ("link_protocol",)}
"""Told by an event of its own."""

AUDIENCE: tuple[Rule, ...] = (
    # A draft.
    Rule(
        event="protocol.drafted.v1",
        roles=("organisation_representative",),
        why="The partner learns that a draft with its name exists.",
    ),
    # Every move.
    Rule(event="protocol.moved.v1", roles=(TURN,), why="It must act next."),
    Rule(event="protocol.moved.v1", roles=("organisation_representative",), why="The partner follows every step."),
    Rule(event="protocol.moved.v1", roles=("unit_officer",), why="The initiating unit owns the protocol."),
    # Moves that concern more offices.
    Rule(
        event="protocol.moved.v1",
        when={"move": ("accept", "reject", "amend", "send_back", "insist", "drop")},
        roles=("mayor",),
        why="What the council decided is the mayor's to execute (5393/38).",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("finalise", "waive_return", "stamp", "determine_exempt", "determine_required")},
        roles=("mayor", "registry_clerk"),
        why="The decision is final or has reached the authority: the next step is theirs to prepare (5393/23).",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("grant", "grant_with_conditions", "refuse", "note_silence")},
        roles=("mayor", "registry_clerk"),
        why="The answer to the permission request opens signing or a remedy (5393/75, 2577/10).",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("request_documents",)},
        roles=("mayor",),
        why="The request that the mayor signed is incomplete.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("file_suit", "court_annuls_refusal", "court_dismisses", "abandon", "revise")},
        roles=("mayor", "registry_clerk"),
        why="What follows a refusal changes the municipality's course.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("withdraw", "decline", "consent"), "from": _BEYOND_DRAFTING},
        roles=("mayor", "registry_clerk"),
        why="The item leaves the agenda or goes on.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("sign", "terminate", "suspend", "resume", "annul", "expire")},
        roles=("mayor", "registry_clerk"),
        why="The protocol begins, pauses or ends.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("lapse_commission",)},
        roles=("commission_rapporteur",),
        why="The commission's time has run out; its report no longer holds the item (5393/24).",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("withdraw",), "from": ("commission_review",)},
        roles=("commission_rapporteur",),
        why="The item leaves the commission.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={
            "move": ("request_permission", "supply_documents", "court_annuls_refusal", "court_dismisses", "file_suit")
        },
        roles=AUTHORITY_ROLES,
        why="The authority has a request to register, or a suit to answer.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={
            "move": (
                "determine_exempt",
                "determine_required",
                "grant",
                "grant_with_conditions",
                "refuse",
                "request_documents",
                "note_silence",
            )
        },
        roles=AUTHORITY_ROLES,
        why="Head and clerk of the authority know of each other's acts, and of a period that ran out.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("withdraw", "abandon", "revise"), "from": _BEFORE_THE_AUTHORITY},
        roles=("authority_clerk",),
        why="A case that the authority may hold on its desk has ended or gone back.",
    ),
    Rule(
        event="protocol.moved.v1",
        when={"move": ("terminate", "suspend", "resume", "annul")},
        roles=("authority_clerk",),
        why="A protocol that the authority received or permitted no longer runs as it was.",
    ),
    # Force.
    Rule(
        event="protocol.entered_into_force.v1",
        roles=("organisation_representative", "unit_officer", "registry_clerk", "mayor", *AUTHORITY_ROLES),
        why="All parties, and the authority that received or permitted it.",
    ),
    # Partners whose standing or person changed.
    *(
        Rule(
            event=event,
            roles=("unit_officer", "registry_clerk", "mayor", "organisation_representative"),
            why=why,
        )
        for event, why in (
            ("protocol.flagged.v1", "Whether the protocol needs permission may be another question now (5393/75)."),
            ("protocol.review_settled.v1", "They were told that the review was needed."),
        )
    ),
    Rule(
        event="protocol.partner_changed.v1",
        roles=("unit_officer", "registry_clerk", "organisation_representative"),
        why="Another organisation, or the same by another name, is the partner from now on.",
    ),
    # Clocks. A move already tells whose turn it is and until when.
    Rule(
        event="clock.started.v1",
        when={"kind": ("SUIT", "MAYOR_SUIT")},
        roles=(OWNER,),
        why="A right to go to court is nobody's turn in the procedure and would pass unseen (5393/23, 2577/7).",
    ),
    Rule(
        event="clock.started.v1",
        when={"kind": ("SUIT",)},
        roles=("organisation_representative",),
        why="It may go to court too; an act must name remedy and time limit (Constitution 40).",
    ),
    Rule(event="clock.met.v1", roles=(), why="Nobody: the move that met it was told."),
    Rule(
        event="clock.expired.v1",
        roles=(OWNER, "registry_clerk"),
        why="The owner is late; the registry keeps the case's time.",
    ),
    Rule(
        event="clock.expired.v1",
        when={"kind": ("SEND_TO_AUTHORITY",)},
        roles=("mayor", "organisation_representative"),
        why="An unsent decision is not in force (5393/23); no move tells of it.",
    ),
    Rule(
        event="clock.expired.v1",
        when={"kind": ("SUIT",)},
        roles=("mayor", "organisation_representative"),
        why="The right to go to court is lost; no move tells of it (2577/7).",
    ),
    Rule(
        event="clock.moved.v1",
        when={"why": ("calendar",)},
        roles=(OWNER,),
        why="Its time limit has another last day; of a pause and its end the move tells.",
    ),
    Rule(
        event="clock.reminder_due.v1",
        when={"rung": ("before", "due")},
        roles=(REMINDED,),
        why="Reminded before the last day and on it: the owner, or whoever must act before the owner can.",
    ),
    Rule(
        event="clock.reminder_due.v1",
        when={"rung": ("head",)},
        roles=(HEAD,),
        why="Some days after a missed last day the head of the office learns of it.",
    ),
    # Petitions. The petitioner follows every step; texts and names stay with the petition.
    Rule(
        event="petition.submitted.v1",
        roles=("registry_clerk",),
        why="A petition waits to be registered; its time limit runs from the day of filing (3071/7).",
    ),
    Rule(
        event="petition.submitted.v1",
        roles=(PETITIONER,),
        receipt=True,
        why="A receipt with the number, also for what was sent without a sign-in.",
    ),
    Rule(event="petition.moved.v1", unless=_LINKED, roles=(TURN,), why="It must act next."),
    Rule(
        event="petition.moved.v1",
        unless=_LINKED,
        roles=(PETITIONER,),
        why="Whoever asks is told what becomes of it, also where it was sent on (3071/5, 3071/7).",
    ),
    Rule(
        event="petition.moved.v1",
        when={"move": ("note_silence", "report_draft_problem")},
        roles=("unit_officer", "registry_clerk"),
        why="Something is late or went wrong; the unit owes it, the registry keeps the time.",
    ),
    Rule(
        event="petition.moved.v1",
        when={"move": ("report_draft_problem",)},
        roles=("mayor",),
        why="An accepted proposal has no protocol; somebody must see to it.",
    ),
    Rule(
        event="petition.moved.v1",
        when={"move": ("lapse_unpaid",)},
        roles=("unit_officer", "registry_clerk"),
        why="Nobody need work on it any longer (4982/11).",
    ),
    Rule(
        event="petition.moved.v1",
        when={"move": ("lapse_completion",)},
        roles=("registry_clerk", "unit_officer"),
        why="What the petitioner was asked for did not come; the registry decides, nothing is rejected by itself.",
    ),
    Rule(
        event="petition.moved.v1",
        when={"move": ("withdraw",)},
        roles=("registry_clerk",),
        why="Nobody need work on it any longer; the registry closes the entry.",
    ),
    Rule(
        event="petition.moved.v1",
        when={"move": ("withdraw",), "from": ("assigned", "awaiting_completion", "proposal_accepted")},
        roles=("unit_officer",),
        why="Nobody need work on it any longer, nor wait for its protocol.",
    ),
    Rule(
        event="petition.moved.v1",
        when={
            "to": ("answered", "declined", "forwarded", "proposal_accepted"),
            "from": ("registered", "assigned", "awaiting_completion"),
        },
        roles=("registry_clerk",),
        why="The registry sends the answer out and closes the entry.",
    ),
    Rule(
        event="petition.moved.v1",
        when={"to": ("proposal_accepted",)},
        unless=_LINKED,
        roles=("mayor",),
        why="A proposal was accepted; a draft of a protocol with the proposer follows.",
    ),
    Rule(
        event="petition.protocol_linked.v1",
        roles=(PETITIONER, "unit_officer"),
        why="What was proposed goes on as a protocol, or has one although it went another way; both must know.",
    ),
    Rule(
        event="petition.clock_started.v1",
        when={"clock": ("SUIT", "OBJECTION")},
        roles=(OWNER,),
        why="A right of objection or to go to court is nobody's turn in the procedure (Constitution 40).",
    ),
    Rule(
        event="petition.clock_expired.v1",
        when={"clock": ("OBJECTION", "SUIT")},
        roles=(OWNER,),
        why="Its time limit has passed; of the others the move tells that they bring.",
    ),
    Rule(
        event="petition.clock_moved.v1",
        when={"why": ("calendar",)},
        roles=(OWNER,),
        why="Its time limit has another last day; of a pause and of an extension the move tells.",
    ),
    Rule(
        event="petition.clock_moved.v1",
        when={"why": ("calendar",), "clock": ("PETITION_ANSWER", "INFO_ACCESS")},
        roles=(PETITIONER,),
        why="The answer is now due on another day.",
    ),
    Rule(
        event="petition.reminder_due.v1",
        when={"rung": ("before", "due")},
        roles=(REMINDED,),
        why="Reminded before the last day and on it: the owner, or whoever must act before the owner can.",
    ),
    Rule(
        event="petition.reminder_due.v1",
        when={"rung": ("head",)},
        roles=(HEAD,),
        why="Some days after a missed last day the head of the office learns of it.",
    ),
    Rule(
        event="petition.support_requested.v1",
        roles=(SUPPORTER,),
        why="A signature counts once its e-mail address is confirmed.",
    ),
    # Organisations.
    Rule(event="organisation.registered.v1", roles=(), why="Nobody: no case exists yet."),
    Rule(
        event="organisation.updated.v1",
        when={"state": ("dissolved",)},
        roles=("unit_officer", "registry_clerk"),
        relation=Relation.OPEN_CASE,
        why="No protocol can go on with an organisation that no longer exists.",
    ),
    *(
        Rule(event=event, roles=roles, relation=relation, why=why)
        for event in ("organisation.status_granted.v1", "organisation.status_revoked.v1")
        for roles, relation, why in (
            (("organisation_representative",), Relation.PARTY, "It is the organisation's own status."),
            (
                ("unit_officer", "registry_clerk"),
                Relation.OPEN_CASE,
                "Whether an open case needs permission may have changed (5393/75).",
            ),
        )
    ),
    Rule(
        event="organisation.correction_proposed.v1",
        roles=("registrar",),
        why="The registrar decides what is recorded.",
    ),
    Rule(
        event="organisation.correction_decided.v1",
        roles=("organisation_representative",),
        why="The organisation proposed it.",
    ),
    Rule(
        event="organisation.audit_due.v1",
        roles=("registrar",),
        why="Public-benefit associations are audited at least every two years (5253/27).",
    ),
    Rule(
        event="organisation.status_ending.v1",
        roles=("registrar", "organisation_representative"),
        why="With the status the exemption ends (5393/75); both have time to act.",
    ),
)


def listeners(happening: Happening, municipalities: Collection[str] = ()) -> tuple[str, ...]:
    """The offices that hear this event, each once, in the order of the table.

    `municipalities`: those with an open case of the organisation that the event is about.
    """
    offices: dict[str, None] = {}
    for rule in AUDIENCE:
        if rule.holds(happening):
            own = _own_office(happening, rule)
            for role in rule.roles:
                told = _offices(rule.relation, role, happening, municipalities)
                offices.update(dict.fromkeys(office for office in told if office != own))
    return tuple(offices)


def _own_office(happening: Happening, rule: Rule) -> str | None:
    """The office that acted and need not be told; a petitioner acts without the petition's name on it."""
    if role_of(happening.actor_office or "") != PETITIONER:
        return happening.actor_office
    return None if rule.receipt else _petitioner(happening)


def role_of(office: str) -> str:
    """The role of an office key."""
    return office.partition("@")[0]


def tenant_of(office: str) -> str:
    """The municipality, authority or organisation of an office key."""
    return office.partition("@")[2]


def concerns_open_cases(happening: Happening) -> bool:
    """Whether the open cases of an organisation must be known to say who hears this."""
    return any(rule.relation is Relation.OPEN_CASE and rule.holds(happening) for rule in AUDIENCE)


def _offices(relation: Relation, role: str, happening: Happening, municipalities: Collection[str]) -> Iterator[str]:
    if relation is Relation.OPEN_CASE:
        yield from (f"{role}@{municipality}" for municipality in sorted(municipalities))
        return
    named = happening.data.get(role) if role in _NAMED_BY_THE_EVENT else role
    if named == REMINDED:
        # A reminder from before it named anybody goes to the owner.
        named = happening.data.get(TURN) or happening.data.get(OWNER)
    if named == HEAD:
        owner = str(happening.data.get(OWNER))
        named = _HEAD_OF.get(owner, owner)
    if named == PETITIONER:
        yield from filter(None, [_petitioner(happening)])
    elif named == SUPPORTER:
        yield f"{SUPPORTER}@{happening.data['support_id']}"
    elif named in CENTRAL_ROLES:
        yield f"{named}@-"
    # No tenant: the turn is nobody's or the system's, or the case has no authority yet.
    elif (tenant := happening.data.get(_TENANT_FIELD.get(str(named), ""))) is not None:
        yield f"{named}@{tenant}"


def _petitioner(happening: Happening) -> str | None:
    """The organisation that petitions, else whoever wrote the petition; None where nobody petitions."""
    if happening.data.get("petition_id") is None:
        return None
    organisation = happening.data.get("organisation_id")
    if organisation is not None:
        return f"{ORGANISATION_ROLES[0]}@{organisation}"
    return f"{PETITIONER}@{happening.data['petition_id']}"


def as_markdown() -> str:
    """The table as a reader of the documentation sees it."""
    lines = ["| event | when | who hears it | why |", "|---|---|---|---|"]
    for rule in AUDIENCE:
        parts = [f"{name}: {', '.join(values)}" for name, values in rule.when.items()]
        parts += [f"{name} other than {', '.join(values)}" for name, values in rule.unless.items()]
        when = "; ".join(parts) or "always"
        who = ", ".join(_IN_WORDS.get(role, role) for role in rule.roles) or "nobody"
        where = f" {rule.relation.value}" if rule.relation is Relation.OPEN_CASE else ""
        where += " (also of the own act)" if rule.receipt else ""
        lines.append(f"| `{rule.event}` | {when} | {who}{where} | {rule.why} |")
    return "\n".join(lines) + "\n"
