"""The words of notifications about petitions: number and municipality, never a name, subject or text."""

from __future__ import annotations

from collections.abc import Mapping

from services.notifications.domain.wording import BASIS, COURTESY, RUNGS, Choice, Part, Template

SUBMITTED, MOVED = "petition.submitted.v1", "petition.moved.v1"

PETITION_KINDS: Mapping[str, str] = {
    "petition": "Petition {number}, {municipality_name}.",
    "information_request": "Information request {number}, {municipality_name}.",
    "partnership_proposal": "Partnership proposal {number}, {municipality_name}.",
    "opinion": "Opinion {number}, {municipality_name}.",
}

PETITION_STAGES: Mapping[str, str] = {
    "received": "Stage: Received.",
    "registered": "Stage: Registered.",
    "assigned": "Stage: With the unit.",
    "awaiting_completion": "Stage: Awaiting the petitioner.",
    "forwarded": "Stage: Forwarded to the competent authority.",
    "answered": "Stage: Answered.",
    "declined": "Stage: Not examined.",
    "withdrawn": "Stage: Withdrawn.",
    "proposal_accepted": "Stage: Proposal accepted.",
}
"""The procedure's own labels; a contract test keeps them the same."""

PETITION_TURNS: Mapping[str, str] = {
    "unit_officer": "Next to act: the unit in charge ({municipality_name}).",
    "registry_clerk": "Next to act: the registry ({municipality_name}).",
    "mayor": "Next to act: the mayor ({municipality_name}).",
    "petitioner": "Next to act: the petitioner.",
}

PETITION_OWNERS: Mapping[str, str] = {
    "unit_officer": "Responsible: the unit in charge ({municipality_name}).",
    "registry_clerk": "Responsible: the registry ({municipality_name}).",
    "mayor": "Responsible: the mayor ({municipality_name}).",
    "petitioner": "Responsible: the petitioner.",
}

PETITION_CLOCKS: Mapping[str, str] = {
    "PETITION_ANSWER": "Time limit: the answer to the petition.",
    "INFO_ACCESS": "Time limit: the answer to the information request.",
    "FEE_PAYMENT": "Time limit: paying the fee of the information request.",
    "NON_FINAL_WAIT": "Time limit: the final answer after an interim reply.",
    "OBJECTION": "Time limit: objecting to the board that reviews access to information.",
    "SUIT": "Time limit: bringing an action.",
    "COMPLETION": "Time limit: supplying what is missing.",
    "DRAFTING": "Time limit: the draft protocol of an accepted proposal.",
}

PETITION_EXPIRIES: Mapping[str, str] = {
    "PETITION_ANSWER": (
        "The petition was not answered within the legal period. For going to court this counts as a refusal (2577/10)."
    ),
    "INFO_ACCESS": (
        "The information request was not answered within the legal period. For objection and court this counts "
        "as a refusal."
    ),
    "FEE_PAYMENT": "The fee of the information request was not paid in time; the request counts as withdrawn.",
    "NON_FINAL_WAIT": "No final answer followed the interim reply within the period; the way to court is open (2577/10).",
    "OBJECTION": "The period for objecting has passed.",
    "SUIT": "The period for bringing an action has passed.",
    "COMPLETION": "What is missing was not supplied in time.",
    "DRAFTING": "An accepted proposal has no draft protocol yet. Make one, or link the one that exists.",
}

PETITION_WHYS: Mapping[str, str] = {
    "calendar": "A day was added to the calendar.",
    "pause": "The time limit is paused.",
    "resume": "The time limit runs again.",
    "extension": "The time limit was extended.",
}

PETITION_OUTCOMES: Mapping[str, str] = {
    "accepted": "Outcome: accepted.",
    "partly": "Outcome: accepted in part.",
    "refused": "Outcome: refused. The answer names the remedy and its time limit.",
    "informed": "Outcome: information given.",
    "not_examined": "Outcome: not examined.",
}

AWAITED: Mapping[str, str] = {
    "completion": "Something is missing; the petition itself says what.",
    "payment": "A fee must be paid before the information is given; the petition itself says how much.",
}

LINKED_LATE: Mapping[str, str] = {
    "withdrawn": "A protocol was drafted, but the petition had been withdrawn; see whether it is still wanted.",
    **dict.fromkeys(
        ("answered", "declined", "forwarded"),
        "A protocol was drafted, but the petition had ended before; see whether it is still wanted.",
    ),
}
"""What a protocol means that comes to a petition which went another way meanwhile."""

_SUBJECT = Choice("kind", PETITION_KINDS, other="Petition {number}, {municipality_name}.")
_DONE = "Date of the act: {done_on}."
_DUE = "The nearest time limit ends on {due_on}."
_AFTER_A_MOVE: tuple[Part, ...] = (
    _SUBJECT,
    _DONE,
    Choice("to", PETITION_STAGES),
    Choice("turn", PETITION_TURNS),
    _DUE,
    BASIS,
)


def _move(title: str, *what: Part, courtesy: bool = False) -> Template:
    return Template(title, (*what, *_AFTER_A_MOVE, *((COURTESY,) if courtesy else ())))


PETITION_MOVES: Mapping[str, Template] = {
    "register": _move("Petition registered", "The registry entered the petition."),
    "assign": _move("Petition assigned to a unit", "The petition was given to the unit in charge."),
    "forward": _move(
        "Petition forwarded",
        "The matter is another authority's; the petition was sent on.",
        "Sent to: {addressee}.",
        "The first filing date is kept (3071/5).",
    ),
    "return_for_completion": _move(
        "Something is missing", "The municipality asks for what is missing.", Choice("awaits", AWAITED)
    ),
    "complete": _move("What was missing has come", "The petitioner supplied what was missing."),
    "close_with_first": _move(
        "Petition answered with the first",
        "This petition says what an earlier one said, and is answered with it.",
        Choice("outcome", PETITION_OUTCOMES),
        courtesy=True,
    ),
    "examine_anyway": _move(
        "The petition is examined as it is",
        "The municipality examines the petition without what it had asked for; the time to answer runs again.",
    ),
    "lapse_completion": _move(
        "What is missing did not come",
        "What was missing was not supplied in time. Nothing is rejected by itself: the time to answer runs again and "
        "the municipality decides (3071/6).",
    ),
    "decline_to_examine": _move(
        "Petition not examined",
        "The municipality will not examine the petition. The ground and the remedy stand in its answer (3071/6).",
        courtesy=True,
    ),
    "extend": _move(
        "Time to answer extended", "The municipality extended the time to answer and gave the reason in its notice."
    ),
    "notify_fee": _move(
        "A fee must be paid", "The municipality notified a fee for the information.", Choice("awaits", AWAITED)
    ),
    "record_payment": _move("The fee was paid", "The payment of the fee was noted; the request goes on."),
    "lapse_unpaid": _move(
        "The fee was not paid",
        "The fee of the information request was not paid in time; the request counts as withdrawn.",
    ),
    "note_silence": _move(
        "The answer is late",
        "The period to answer has passed. The answer is still owed; for objection and court the silence may count "
        "as a refusal (2577/10).",
    ),
    "link_protocol": _move("A protocol was linked to the petition", "The proposal goes on as a protocol."),
    "report_draft_problem": _move(
        "No protocol could be drafted",
        "No protocol could be drafted from the accepted proposal; the petition is with the municipality again.",
    ),
    "interim_reply": _move(
        "Interim reply given",
        "The municipality gave a reply that is not final; a final one follows. "
        "Whether to wait or to go to court meanwhile is for the petitioner to choose (2577/10).",
        courtesy=True,
    ),
    "reply": _move(
        "Petition answered",
        "The municipality answered the petition. The answer stands with the petition itself.",
        Choice("outcome", PETITION_OUTCOMES),
        courtesy=True,
    ),
    "accept_proposal": _move(
        "Proposal accepted", "The municipality accepted the proposal; a draft protocol is being made of it."
    ),
    "withdraw": _move("Petition withdrawn", "The petition was withdrawn; the procedure has ended."),
}
"""By move; the title and what happened. The rest of the body is the same for all."""

PETITION_TEMPLATES: Mapping[str, Template] = {
    SUBMITTED: Template(
        "Petition received",
        (
            "The municipality received the petition.",
            _SUBJECT,
            Choice("stage", PETITION_STAGES),
            Choice("turn", PETITION_TURNS),
            _DUE,
        ),
    ),
    MOVED: _move("The petition has moved on", "A new step was taken in the petition."),
    **{f"{MOVED}/{move}": template for move, template in PETITION_MOVES.items()},
    "petition.protocol_linked.v1": Template(
        "A protocol came of the proposal",
        (
            Choice("stage", LINKED_LATE, other="The proposal goes on as a protocol."),
            _SUBJECT,
            "Protocol: {protocol_reference}.",
        ),
    ),
    "petition.clock_started.v1": Template(
        "A time limit has begun",
        (
            "A time limit has begun to run.",
            _SUBJECT,
            Choice("clock", PETITION_CLOCKS),
            Choice("whose", PETITION_OWNERS),
            "Last day: {due_on}.",
            BASIS,
            COURTESY,
        ),
    ),
    "petition.clock_expired.v1": Template(
        "A time limit has passed",
        (
            Choice("clock", PETITION_EXPIRIES, other="A time limit has passed."),
            _SUBJECT,
            Choice("whose", PETITION_OWNERS),
            "Last day was: {due_on}.",
            BASIS,
        ),
    ),
    "petition.clock_moved.v1": Template(
        "A time limit has changed",
        (
            Choice("why", PETITION_WHYS, other="The time limit has changed."),
            "Former last day: {from_due_on}.",
            "New last day: {to_due_on}.",
            _SUBJECT,
            Choice("clock", PETITION_CLOCKS),
            Choice("whose", PETITION_OWNERS),
            BASIS,
        ),
    ),
    "petition.reminder_due.v1": Template(
        "Reminder of a time limit",
        (
            Choice("rung", RUNGS),
            _SUBJECT,
            Choice("clock", PETITION_CLOCKS),
            Choice("turn", PETITION_TURNS),
            Choice("whose", PETITION_OWNERS),
            "Last day: {due_on}.",
            BASIS,
        ),
    ),
    "petition.support_requested.v1": Template(
        "Confirm your signature",
        (
            "Someone signed a petition with this e-mail address. The signature counts once it is confirmed.",
            _SUBJECT,
            "If it was not you, do nothing; the address is then forgotten.",
        ),
    ),
}
