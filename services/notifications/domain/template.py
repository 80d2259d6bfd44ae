"""The words of every notification: a title, and a body of a few sentences.

A template is data. Its body is a row of parts; a part is a sentence, or a
choice of one by a value of the event. A part whose values are not all known is
left out, so that a body never shows a gap or a name of the program's own. What
is stored is the template's key and the values; the words are found when
somebody reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from string import Formatter
from typing import Any

from services.kernel.text import Sentence
from services.notifications.domain.happening import Happening
from services.notifications.domain.petition_template import PETITION_TEMPLATES
from services.notifications.domain.webhook import SWITCHED_OFF, UNCONFIRMED
from services.notifications.domain.wording import BASIS, COURTESY, RUNGS, Choice, Part, Template

STAGES: Mapping[str, str] = {
    "drafting": "Stage: Being drafted.",
    "mayor_review": "Stage: With the mayor.",
    "council_agenda": "Stage: On the council's agenda.",
    "commission_review": "Stage: With the commission.",
    "council_decision": "Stage: Before the council for decision.",
    "partner_consent": "Stage: Awaiting the organisation's consent.",
    "mayor_check": "Stage: In the mayor's legality check.",
    "reconsideration": "Stage: Back before the council.",
    "transmittal": "Stage: Being sent to the civil authority.",
    "authority_determination": "Stage: For the civil authority to determine.",
    "permission_request": "Stage: Permission to be requested.",
    "authority_review": "Stage: Permission under review.",
    "document_completion": "Stage: Documents to be supplied.",
    "permission_refused": "Stage: Permission refused.",
    "litigation": "Stage: Before the court.",
    "signing": "Stage: To be signed.",
    "in_force": "Stage: In force.",
    "suspended": "Stage: Suspended.",
    "rejected": "Stage: Rejected.",
    "withdrawn": "Stage: Withdrawn.",
    "lapsed": "Stage: Lapsed.",
    "abandoned": "Stage: Abandoned.",
    "terminated": "Stage: Terminated.",
    "annulled": "Stage: Annulled.",
    "expired": "Stage: Expired.",
}
"""The procedure's own labels; a contract test keeps them the same."""

TURNS: Mapping[str, str] = {
    "unit_officer": "Next to act: the initiating unit ({municipality_name}).",
    "registry_clerk": "Next to act: the registry ({municipality_name}).",
    "mayor": "Next to act: the mayor ({municipality_name}).",
    "commission_rapporteur": "Next to act: the expert commission ({municipality_name}).",
    "authority_clerk": "Next to act: the authority's registry ({authority_name}).",
    "authority_head": "Next to act: the head of the authority ({authority_name}).",
    "organisation_representative": "Next to act: the organisation's representative ({organisation_name}).",
}

OWNERS: Mapping[str, str] = {
    "unit_officer": "Responsible: the initiating unit ({municipality_name}).",
    "registry_clerk": "Responsible: the registry ({municipality_name}).",
    "mayor": "Responsible: the mayor ({municipality_name}).",
    "commission_rapporteur": "Responsible: the expert commission ({municipality_name}).",
    "authority_clerk": "Responsible: the authority's registry ({authority_name}).",
    "authority_head": "Responsible: the head of the authority ({authority_name}).",
    "organisation_representative": "Responsible: the organisation's representative ({organisation_name}).",
}

CLOCKS: Mapping[str, str] = {
    "COMMISSION_REPORT": "Time limit: the commission's report.",
    "MAYOR_RETURN": "Time limit: the mayor's return of a decision.",
    "MAYOR_SUIT": "Time limit: the mayor's action against a decision the council insisted on.",
    "SEND_TO_AUTHORITY": "Time limit: sending the decision to the civil authority.",
    "PUBLISH_SUMMARY": "Time limit: announcing the summary of the decision.",
    "PERMISSION_SILENCE": "Time limit: the answer to the permission request.",
    "SUIT": "Time limit: bringing an action.",
    "COURT_COMPLIANCE": "Time limit: carrying out the court's judgment.",
    "TERM": "Time limit: the term of the protocol.",
}

EXPIRIES: Mapping[str, str] = {
    "COMMISSION_REPORT": "The commission gave no report in time; the item goes straight onto the council's agenda.",
    "MAYOR_RETURN": "The mayor's period to return the decision has passed; the decision is final.",
    "MAYOR_SUIT": "The mayor's period to bring an action has passed.",
    "SEND_TO_AUTHORITY": (
        "The decision was not sent to the civil authority in time; it does not enter into force until it is sent."
    ),
    "PUBLISH_SUMMARY": "The summary of the decision was not announced in time.",
    "PERMISSION_SILENCE": "The authority did not answer the permission request within the period.",
    "SUIT": "The period for bringing an action has passed.",
    "COURT_COMPLIANCE": "The court's judgment was not carried out in time.",
    "TERM": "The term of the protocol has ended.",
}

WHYS: Mapping[str, str] = {
    "calendar": "A day was added to the calendar.",
    "pause": "The time limit is paused.",
    "resume": "The time limit runs again.",
}

PERMISSIONS: Mapping[str, str] = {
    "not_needed": "From {standing_on}: a protocol with this organisation needs no permission.",
    "exempt": "From {standing_on}: a protocol with this organisation is exempt from permission.",
    "required": "From {standing_on}: a protocol with this organisation needs the permission of the civil authority.",
    "discretionary": "From {standing_on}: the civil authority decides whether a protocol needs its permission.",
    "not_possible": "From {standing_on}: no protocol can be made with this organisation.",
    "legal_review": "From {standing_on}: a protocol with this organisation needs a legal review first.",
}

CAUSES: Mapping[str, str] = {
    "status_revoked": "The status of the organisation on which the file relies was revoked.",
    "status_ended": "The status of the organisation on which the file relies has ended.",
    "status_corrected": "The record of the status on which the file relies was corrected.",
    "status_recorded": "A status of the organisation is recorded that the newest decision did not know.",
    "dissolved": "The organisation is recorded as dissolved.",
    "succession": "Another organisation has taken the place of the former partner.",
    "record_changed": "The record of the organisation has changed.",
}

NOW: Mapping[str, str] = {
    "not_needed": "By what is known now, no permission is needed.",
    "exempt": "By what is known now, the protocol is exempt from permission.",
    "required": "By what is known now, the permission of the civil authority is needed.",
    "discretionary": "By what is known now, the civil authority decides whether its permission is needed.",
    "not_possible": "By what is known now, no protocol can be made with this organisation.",
    "legal_review": "By what is known now, the law gives no clear answer for this organisation.",
}

OUTCOMES: Mapping[str, str] = {
    "continues": "Outcome: the protocol goes on as it is.",
    "seek_permission": "Outcome: permission is to be sought.",
    "terminate_advised": "Outcome: ending the protocol is advised.",
    "standing_returned": "Outcome: the standing is again the one on which the file relies.",
}

SUCCESSIONS: Mapping[str, str] = {
    "rename": "{former_organisation_name} is now called {organisation_name}; it is the same organisation.",
    "merge": "{former_organisation_name} has merged into {organisation_name}, which is the partner from now on.",
    "split": "{former_organisation_name} was split; {organisation_name} is the partner from now on.",
}

ENDINGS: Mapping[str, str] = {
    "public_benefit": "The public-benefit status of {name} ends; its last day is {ends_on}.",
    "tax_exempt": "The tax exemption of {name} ends; its last day is {ends_on}.",
}

AUDITS: Mapping[str, str] = {
    "later": "The next audit of {name} is due on {due_on}.",
    "soon": "The next audit of {name} is due on {due_on}.",
    "today": "The audit of {name} is due today, {due_on}.",
    "overdue": "The audit of {name} was due on {due_on}; none is recorded.",
}

SUBJECT = "Protocol: “{title}”, {municipality_name} and {organisation_name}."
DONE = "Date of the act: {done_on}."
DUE = "The nearest time limit ends on {due_on}."

_UNKNOWN = (None, "")

_AFTER_A_MOVE: tuple[Part, ...] = (SUBJECT, DONE, Choice("to", STAGES), Choice("turn", TURNS), DUE, BASIS)


def _move(title: str, what: str, *, courtesy: bool = False) -> Template:
    return Template(title, (what, *_AFTER_A_MOVE, *((COURTESY,) if courtesy else ())))


MOVES: Mapping[str, Template] = {
    "submit_to_mayor": _move("Draft submitted to the mayor", "The initiating unit submitted the draft to the mayor."),
    "withdraw": _move("Protocol withdrawn", "The protocol was withdrawn before signing; the procedure has ended."),
    "refer_to_council": _move("Draft referred to the council", "The mayor referred the draft to the council."),
    "return_to_drafting": _move(
        "Draft returned for revision",
        "The mayor returned the draft for revision. The reason stands in the history of the case.",
    ),
    "reject_draft": _move(
        "Draft rejected by the mayor",
        "The mayor rejected the draft; the procedure has ended. The reason stands in the history of the case.",
    ),
    "refer_to_commission": _move(
        "Draft referred to a commission", "The council referred the draft to an expert commission."
    ),
    "accept": _move(
        "Protocol accepted by the council",
        "The council accepted the protocol. The mayor may return the decision within the legal period.",
    ),
    "reject": _move("Protocol rejected by the council", "The council rejected the protocol; the procedure has ended."),
    "postpone": _move("Item postponed by the council", "The council postponed the item to a later sitting."),
    "send_back": _move("Draft sent back by the council", "The council sent the draft back to the initiating unit."),
    "report": _move(
        "Commission report given", "The commission gave its report; the item goes to the council for decision."
    ),
    "lapse_commission": _move(
        "The commission's time has run out",
        "The commission gave no report in time; the item goes straight onto the council's agenda. "
        "A missing report is not a favourable opinion.",
    ),
    "amend": _move(
        "Text amended by the council", "The council amended the text; the organisation's consent is needed."
    ),
    "send_back_to_commission": _move(
        "Sent back to the commission", "The council sent the item back to the commission."
    ),
    "consent": _move("The organisation consented", "The organisation consented to the changed terms."),
    "decline": _move(
        "The organisation did not consent",
        "The organisation did not consent to the changed terms; the procedure has ended.",
    ),
    "return_to_council": _move(
        "Decision returned to the council",
        "The mayor found the decision unlawful and returned it with reasons, to be debated again.",
    ),
    "finalise": _move(
        "The council decision is final",
        "The mayor's period to return the decision has passed; the decision is final "
        "and must be sent to the civil authority.",
    ),
    "insist": _move(
        "The council insisted on its decision",
        "The council insisted by an absolute majority of its full membership; the decision is final.",
    ),
    "drop": _move(
        "The council decision has lapsed",
        "The council did not insist on the decision that the mayor returned; the procedure has ended.",
    ),
    "transmit": _move("Decision sent to the civil authority", "The council decision was sent to {authority_name}."),
    "stamp": _move(
        "Decision received by the civil authority",
        "{authority_name} registered the council decision and gave a stamped copy back.",
    ),
    "publish_summary": _move(
        "Summary of the decision announced", "The registry announced the summary of the council decision."
    ),
    "waive_return": _move(
        "The mayor lets the decision stand",
        "The mayor does not return the decision; it is final and must be sent to the civil authority.",
    ),
    "determine_exempt": _move("Permission is not needed", "{authority_name} determined that no permission is needed."),
    "determine_required": _move("Permission is needed", "{authority_name} determined that its permission is needed."),
    "request_permission": _move("Permission requested", "The mayor requested permission from {authority_name}."),
    "grant": _move("Permission granted", "{authority_name} gave its permission."),
    "grant_with_conditions": _move(
        "Permission granted with conditions",
        "{authority_name} gave its permission with conditions; the organisation's consent is needed.",
    ),
    "refuse": _move(
        "Permission refused",
        "{authority_name} refused permission. The reason stands in the history of the case.",
        courtesy=True,
    ),
    "request_documents": _move("Documents requested", "{authority_name} asked for missing documents."),
    "note_silence": _move(
        "Permission request not answered",
        "{authority_name} did not answer the permission request within the period. "
        "For going to court this may count as a refusal; permission may still be given.",
    ),
    "supply_documents": _move("Documents supplied", "The missing documents were supplied to {authority_name}."),
    "revise": _move(
        "Back to drafting after the refusal",
        "The initiating unit takes the protocol back to drafting after the refusal.",
    ),
    "file_suit": _move("Action brought", "An action for annulment was brought against the refusal of permission."),
    "abandon": _move(
        "Protocol abandoned", "The protocol was abandoned after the refusal of permission; the procedure has ended."
    ),
    "court_annuls_refusal": _move(
        "The court annulled the refusal",
        "The court annulled the refusal of permission; the request is before {authority_name} again.",
    ),
    "court_dismisses": _move(
        "The court dismissed the action", "The court dismissed the action; the procedure has ended."
    ),
    "sign": _move("Protocol signed", "The parties signed the protocol."),
    "terminate": _move(
        "Protocol terminated", "The protocol was terminated. The reason stands in the history of the case."
    ),
    "suspend": _move("Protocol suspended", "The protocol was suspended. The reason stands in the history of the case."),
    "resume": _move("Protocol resumed", "The suspended protocol runs again."),
    "annul": _move("Protocol annulled", "The protocol was annulled. The reason stands in the history of the case."),
    "expire": _move(
        "The term of the protocol has ended", "The term of the protocol has ended; it is not renewed by itself."
    ),
    "renew": _move("Renewal begun", "A new protocol was drafted to renew this one; it needs a new council decision."),
    "propose_amendment": _move(
        "Amendment proposed", "An amendment was drafted as a new protocol; it goes the whole way again."
    ),
}
"""By move; the title and what happened. The rest of the body is the same for all."""

_MOVED = "protocol.moved.v1"

ADDRESS_BOUNCED, OWN_ADDRESS_BOUNCED = "mail.address_bounced", "mail.own_address_bounced"
PETITIONER_BOUNCED = "mail.petitioner_address_bounced"
"""What notifications tells of its own accord: to the administrator, the person, and the clerk of a petition."""

TEMPLATES: Mapping[str, Template] = {
    "protocol.drafted.v1": Template(
        "New protocol draft",
        ("{municipality_name} began to draft a protocol with {organisation_name}.", SUBJECT, Choice("stage", STAGES)),
    ),
    _MOVED: _move("The protocol has moved on", "A new step was taken in the protocol."),
    **{f"{_MOVED}/{move}": template for move, template in MOVES.items()},
    "protocol.entered_into_force.v1": Template(
        "Protocol in force",
        ("The protocol has entered into force.", SUBJECT, "It runs from {starts_on} to {ends_on}."),
    ),
    "protocol.flagged.v1": Template(
        "Legal review needed",
        (
            "The protocol was flagged for legal review.",
            SUBJECT,
            Choice("cause", CAUSES),
            Choice("now", NOW),
            "Its stage and time limits stay as they are; nothing is rerouted by itself.",
            BASIS,
        ),
    ),
    "protocol.review_settled.v1": Template(
        "Legal review settled", ("The legal review of the protocol was settled.", SUBJECT, Choice("outcome", OUTCOMES))
    ),
    "protocol.partner_changed.v1": Template(
        "The partner has changed",
        (
            Choice("kind", SUCCESSIONS, other="Another organisation is the partner from now on."),
            SUBJECT,
            "It took effect on {effective_on}.",
        ),
    ),
    "clock.started.v1": Template(
        "A time limit has begun",
        (
            "A time limit has begun to run.",
            SUBJECT,
            Choice("kind", CLOCKS),
            Choice("whose", OWNERS),
            "Last day: {due_on}.",
            BASIS,
            COURTESY,
        ),
    ),
    "clock.met.v1": Template(
        "A time limit was kept", ("A time limit was kept.", SUBJECT, Choice("kind", CLOCKS), BASIS)
    ),
    "clock.expired.v1": Template(
        "A time limit has passed",
        (
            Choice("kind", EXPIRIES, other="A time limit has passed."),
            SUBJECT,
            Choice("whose", OWNERS),
            "Last day was: {due_on}.",
            BASIS,
        ),
    ),
    "clock.moved.v1": Template(
        "A time limit has changed",
        (
            Choice("why", WHYS, other="The time limit has changed."),
            "Former last day: {from_due_on}.",
            "New last day: {to_due_on}.",
            SUBJECT,
            Choice("kind", CLOCKS),
            Choice("whose", OWNERS),
            BASIS,
        ),
    ),
    "clock.reminder_due.v1": Template(
        "Reminder of a time limit",
        (
            Choice("rung", RUNGS),
            SUBJECT,
            Choice("kind", CLOCKS),
            Choice("whose", OWNERS),
            "Last day: {due_on}.",
            BASIS,
        ),
    ),
    **PETITION_TEMPLATES,
    ADDRESS_BOUNCED: Template(
        "An e-mail address does not work",
        (
            "Mail to the address {address} of a recipient was refused for good; nothing more is sent there.",
            "Ask for another address, or take this one off the list of suppressed addresses when it works again.",
        ),
    ),
    PETITIONER_BOUNCED: Template(
        "A petitioner's e-mail address does not work",
        (
            "Mail about petition {number} cannot reach its petitioner; nothing more is sent there.",
            "The answer is owed all the same: serve it at the address in the petition.",
        ),
    ),
    OWN_ADDRESS_BOUNCED: Template(
        "Your e-mail address does not work",
        (
            "Mail to your address {address} was refused for good; nothing more is sent there.",
            "Ask the administrator to correct it. What your offices are told stays here.",
        ),
    ),
    "organisation.registered.v1": Template("New organisation", ("{name} was registered.",)),
    "organisation.updated.v1": Template("Organisation updated", ("The record of {name} was updated.",)),
    "organisation.updated.v1/dissolved": Template(
        "Organisation dissolved",
        (
            "{name} is recorded as dissolved.",
            "Open protocols with it: {cases}.",
            "They need a legal review.",
        ),
    ),
    "organisation.status_granted.v1": Template(
        "The organisation was granted a status",
        (
            "A status was granted to {name}.",
            Choice("permission", PERMISSIONS),
            "Open protocols with it: {cases}.",
            BASIS,
        ),
    ),
    "organisation.status_revoked.v1": Template(
        "A status of the organisation was revoked",
        (
            "A status of {name} was revoked.",
            Choice("permission", PERMISSIONS),
            "Open protocols with it, which need a legal review: {cases}.",
            BASIS,
        ),
    ),
    "organisation.correction_proposed.v1": Template(
        "Correction proposed",
        ("{name} proposes a correction of its record.", "Accept or decline it field by field."),
    ),
    "organisation.correction_decided.v1": Template(
        "Correction decided",
        (
            "The registrar decided on the correction that {name} proposed.",
            "What was accepted, what was declined and why stands in the correction.",
        ),
    ),
    "organisation.audit_due.v1": Template("Audit due", (Choice("urgency", AUDITS), BASIS)),
    "organisation.status_ending.v1": Template("A status is about to end", (Choice("kind", ENDINGS), BASIS)),
    SWITCHED_OFF: Template(
        "A webhook was switched off",
        (
            "Events could not be delivered to {host} and are not sent there any more.",
            "The reason stands in the webhook's log; nothing is lost.",
            "Mend the receiver, then switch the webhook on again: it gets what it missed.",
        ),
    ),
    UNCONFIRMED: Template(
        "A webhook needs your confirmation",
        (
            "Whoever set up the sending of events to {host} no longer holds the office; nothing is sent there any more.",
            "If the receiver is yours, switch the webhook on again: it gets what it missed. If not, remove it.",
        ),
    ),
}
"""By event, and by `<event>/<move or state>` where that has words of its own."""


def template_of(happening: Happening) -> str:
    """The key of the words for this event: the most particular there is."""
    detail = happening.data.get("move") or happening.data.get("state")
    particular = f"{happening.event}/{detail}"
    return particular if particular in TEMPLATES else happening.event


def params_of(happening: Happening, extra: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values that the words of this event need, and no others."""
    known = {**happening.data, **(extra or {})}
    wanted = _values_of(template_of(happening))
    return {name: known[name] for name in wanted if known.get(name) not in _UNKNOWN}


def title(key: str) -> Sentence:
    """The title: what happened, in a few words."""
    return Sentence(TEMPLATES[key].title)


def body(key: str, params: Mapping[str, Any]) -> list[Sentence]:
    """What happened, whose turn it is and by when, as far as it is known."""
    said = (_said(part, params) for part in TEMPLATES[key].body)
    return [sentence for sentence in said if sentence is not None]


def all_sentences() -> Iterator[str]:
    """Every English sentence of this table, for the translators and the tests."""
    for template in TEMPLATES.values():
        yield template.title
        for part in template.body:
            yield from _texts_of(part)


def _said(part: Part, params: Mapping[str, Any]) -> Sentence | None:
    text = part.table.get(str(params.get(part.field)), part.other) if isinstance(part, Choice) else part
    if text is None:
        return None
    names = _placeholders(text)
    if any(params.get(name) in _UNKNOWN for name in names):
        return None
    return Sentence(text, **{name: _value(name, params[name]) for name in names})


def _value(name: str, stored: Any) -> Any:
    return date.fromisoformat(stored) if name.endswith("_on") else stored


@cache
def _placeholders(text: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(text) if name)


def _texts_of(part: Part) -> Iterator[str]:
    if isinstance(part, str):
        yield part
        return
    yield from part.table.values()
    if part.other is not None:
        yield part.other


@cache
def _values_of(key: str) -> tuple[str, ...]:
    """The names of all values that the template may show or choose by."""
    parts = TEMPLATES[key].body
    shown = {name for part in parts for text in _texts_of(part) for name in _placeholders(text)}
    return tuple(sorted(shown | {part.field for part in parts if not isinstance(part, str)}))
