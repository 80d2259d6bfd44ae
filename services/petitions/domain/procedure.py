"""The way of a petition as a table (3071, 4982, 2577; domain reference §3, 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import cache

from dateutil.relativedelta import relativedelta

from services.kernel.actor import PETITIONER
from services.kernel.casework import plain
from services.kernel.text import Label, Sentence
from services.kernel.workflow import SYSTEM_ROLE, Act, Length, Move, Procedure, Stage, Term
from services.petitions.domain import guard
from services.petitions.domain.case import (
    COMPLETION,
    INFORMATION_REQUEST,
    OPINION,
    PAYMENT,
    REFUSALS,
    Party,
    PetitionCase,
)
from services.petitions.domain.policy import Policy

NAME = "petition"
VERSION = 1

UNIT, CLERK, ORGANISATION = "unit_officer", "registry_clerk", "organisation_representative"
PETITIONERS = (PETITIONER, ORGANISATION)
"""The petitioner by key, and the representative of the organisation that petitions."""

UNDOES: Mapping[str, tuple[str, ...]] = {"report_draft_problem": ("accept_proposal",)}
"""Move → the acts that count no more after it."""

UNIT_FACTS, MUNICIPALITY = "unit", "municipality"
"""What a move asks on its day: a unit of the municipality, a municipality of the registry."""

OPEN = ("received", "registered", "assigned", "awaiting_completion")
WITH_THE_MUNICIPALITY = ("received", "registered", "assigned")
ANSWERABLE = ("registered", "assigned")


def _awaiting_turn(case: PetitionCase) -> str:
    """The petitioner's until its time is over; then the clerk decides, since nothing is rejected by itself.

    When the time is over the petition goes back by itself; one from before that rule still waits here.
    """
    clock = case.newest_clock("COMPLETION")
    if case.awaits == COMPLETION and clock is not None and clock.state == "expired":
        return CLERK
    return PETITIONER


def _accepted_turn(case: PetitionCase) -> str | None:
    return None if case.is_linked else UNIT


STAGES: tuple[Stage[PetitionCase], ...] = (
    Stage("received", Label("Alındı", "Received"), CLERK),
    Stage("registered", Label("Kayda alındı", "Registered"), CLERK),
    Stage("assigned", Label("Birimde", "With the unit"), UNIT),
    Stage("awaiting_completion", Label("Başvurandan bekleniyor", "Awaiting the petitioner"), _awaiting_turn),
    Stage("proposal_accepted", Label("Öneri kabul edildi", "Proposal accepted"), _accepted_turn),
    Stage("forwarded", Label("Yetkili mercie gönderildi", "Forwarded to the competent authority")),
    Stage("answered", Label("Cevaplandı", "Answered")),
    Stage("declined", Label("İncelenemedi", "Not examined")),
    Stage("withdrawn", Label("Geri çekildi", "Withdrawn")),
)

# effects


def _register(case: PetitionCase, act: Act) -> None:
    case.registry_no = act.fields.get("registry_no") or case.registry_no
    if act.fields.get("signature_seen"):
        case.petitioner = case.petitioner.with_signature_seen()


def _assign(case: PetitionCase, act: Act) -> None:
    unit = act.known.get("unit")
    if unit is not None:
        case.unit = Party(unit["id"], unit["name"])


def _await_completion(case: PetitionCase, _act: Act) -> None:
    case.awaits = COMPLETION


def _await_payment(case: PetitionCase, _act: Act) -> None:
    case.awaits = PAYMENT


def _await_nothing(case: PetitionCase, _act: Act) -> None:
    case.awaits = None


def _complete(case: PetitionCase, act: Act) -> None:
    """What was supplied becomes part of the petition; a further text is added under its date."""
    case.awaits = None
    case.petitioner = case.petitioner.with_more(act.fields)
    if act.fields.get("signature") and act.actor.role == CLERK:
        case.petitioner = case.petitioner.with_signature_seen()
    addition = act.fields.get("addition")
    if addition:
        case.body = f"{case.body}\n\n[{act.done_on.isoformat()}]\n{addition}"


def _answer(case: PetitionCase, act: Act) -> None:
    case.outcome = act.fields["outcome"]
    case.answer = act.fields.get("reason") or act.fields.get("published_at")


def _answer_with_first(case: PetitionCase, act: Act) -> None:
    case.awaits = None
    _answer(case, act)


def _decline(case: PetitionCase, act: Act) -> None:
    case.awaits, case.outcome, case.answer = None, "not_examined", act.fields["reason"]


def _forward(case: PetitionCase, act: Act) -> None:
    known = act.known.get("municipality")
    case.awaits = None
    case.addressee = known["name"] if known is not None else act.fields.get("authority")


def _accept(case: PetitionCase, _act: Act) -> None:
    case.outcome, case.draft_problem = "accepted", []


def _link(case: PetitionCase, act: Act) -> None:
    case.outcome, case.draft_problem = "accepted", []
    case.protocol = Party(act.fields["protocol_id"], act.fields["protocol_reference"])
    case.protocol_stage = case.protocol_stage or "drafting"


def _report_problem(case: PetitionCase, act: Act) -> None:
    said = Sentence("No draft was made within a working day.")
    case.outcome = None
    # The acceptance came to nothing, so the answer is owed as before it.
    for undone in UNDOES["report_draft_problem"]:
        case.facts.pop(undone, None)
    case.draft_problem = plain(act.fields.get("reasons")) or [{"article": "", "message": said.to_plain()}]


# conditions


def _had_no_unit(case: PetitionCase, _act: Act) -> bool:
    return case.unit is None


def _had_a_unit(case: PetitionCase, _act: Act) -> bool:
    return case.unit is not None


def _first_was_declined(_case: PetitionCase, act: Act) -> bool:
    return act.fields.get("outcome") == "not_examined"


def _first_was_examined(case: PetitionCase, act: Act) -> bool:
    return not _first_was_declined(case, act)


_NO_UNIT = Label("henüz birimi yok", "no unit yet")
_WITH_UNIT = Label("birimi var", "has a unit")
_BACK = (("registered", _had_no_unit, _NO_UNIT), ("assigned", _had_a_unit, _WITH_UNIT))

ANSWERS = ("PETITION_ANSWER", "INFO_ACCESS", "NON_FINAL_WAIT")
"""Clocks by which the municipality owes an answer."""

_SUPPLIES = ("name", "address", "email", "authorised_person", "mandate", "signature", "addition")
"""What a completion may bring; a clerk who enters it for a petitioner that came in person says so in `reason`."""

MOVES: tuple[Move[PetitionCase], ...] = (
    Move("register", Label("Kayda al", "Register"), ("received",), "registered", (CLERK,), "3071/7",
         takes=("registry_no", "registered_on", "signature_seen"), dated_by="registered_on", effects=(_register,)),
    Move("assign", Label("Birime havale et", "Assign to a unit"), ANSWERABLE, "assigned", (CLERK,), "3071/7",
         needs=("unit",), takes=("reason",), guards=(guard.reassigning_has_a_reason, guard.unit_is_another),
         effects=(_assign,), asks=(UNIT_FACTS,)),
    Move("forward", Label("Yetkili mercie gönder", "Forward to the competent authority"), WITH_THE_MUNICIPALITY,
         "forwarded", (CLERK,), "3071/5; 4982/7", takes=("authority", "municipality", "reason", "sent_on"),
         dated_by="sent_on", guards=(guard.one_addressee_is_named, guard.addressee_is_another), effects=(_forward,),
         asks=(MUNICIPALITY,)),
    Move("return_for_completion", Label("Eksik için başvurana sor", "Ask the petitioner for what is missing"),
         WITH_THE_MUNICIPALITY, "awaiting_completion", (CLERK,), "3071/4, 6-c", needs=("missing",), takes=("reason",),
         preconditions=(guard.is_not_sent_again,),
         guards=(guard.something_is_named_as_missing,), effects=(_await_completion,)),
    *(
        Move("complete", Label("Eksiği tamamla", "Supply what is missing"), ("awaiting_completion",), to,
             (*PETITIONERS, CLERK), "3071/4, 6-c", takes=(*_SUPPLIES, "reason"),
             preconditions=(guard.completion_is_awaited,),
             guards=(guard.clerk_says_for_whom_it_acts, guard.something_is_supplied, guard.only_what_is_missing_is_supplied,
             guard.account_signs_when_signed_in), when=when, when_label=label, effects=(_complete,))
        for to, when, label in _BACK
    ),
    *(
        Move("examine_anyway", Label("Eksikle incele", "Examine it as it is"), ("awaiting_completion",), to,
             (CLERK, UNIT), "3071/7", takes=("reason",), preconditions=(guard.completion_is_awaited,), when=when,
             when_label=label, effects=(_await_nothing,))
        for to, when, label in _BACK
    ),
    *(
        Move("lapse_completion", Label("Tamamlama süresi doldu", "The time to complete ended"),
             ("awaiting_completion",), to, (SYSTEM_ROLE,), "3071/6-c",
             preconditions=(guard.completion_is_awaited, guard.completion_period_is_over), when=when, when_label=label,
             effects=(_await_nothing,))
        for to, when, label in _BACK
    ),
    Move("decline_to_examine", Label("İncelenemeyeceğini bildir", "Decline to examine"), OPEN, "declined", (CLERK,),
         "3071/6; Constitution/40", needs=("letter", "reason"),
         takes=("remedy", "remedy_days", "answered_on", "letter_no"), dated_by="answered_on",
         guards=(guard.letter_c_after_the_time_to_complete, guard.refusal_names_remedy), effects=(_decline,)),
    Move("extend", Label("Süreyi uzat", "Extend the period"), ANSWERABLE, None, (UNIT,), "4982/11",
         needs=("reason", "notified_on"), takes=("letter_no",), dated_by="notified_on",
         preconditions=(guard.is_not_sent_again, guard.is_an_information_request, guard.not_extended_yet,
         guard.first_period_is_running),
         guards=(guard.extension_has_a_lawful_reason, guard.notified_before_the_first_period_ends)),
    Move("interim_reply", Label("Ara cevap ver", "Give an interim reply"), ANSWERABLE, None, (UNIT,), "3071/7; 2577/10",
         needs=("text",), takes=("answered_on", "letter_no"), dated_by="answered_on",
         preconditions=(guard.is_not_sent_again, guard.extends_instead_of_interim_replies)),
    Move("reply", Label("Kesin cevap ver", "Reply"), ANSWERABLE, "answered", (UNIT,), "3071/7; 4982/11, 12",
         needs=("outcome",), takes=("reason", "remedy", "remedy_days", "published_at", "answered_on", "letter_no"),
         dated_by="answered_on", guards=(guard.answer_has_reasons, guard.refusal_names_remedy,
         guard.published_information_is_a_request), effects=(_answer,)),
    Move("notify_fee", Label("Ücreti bildir", "Notify the fee"), ANSWERABLE, "awaiting_completion", (UNIT,), "4982/10, 11",
         needs=("amount",), takes=("reason", "notified_on"), dated_by="notified_on",
         preconditions=(guard.is_not_sent_again, guard.is_an_information_request, guard.fee_is_notified_once,
         guard.fee_is_notified_within_the_period), effects=(_await_payment,)),
    *(
        Move("record_payment", Label("Ödemeyi kaydet", "Record the payment"), ("awaiting_completion",), to, (CLERK,),
             "4982/11", takes=("paid_on",), dated_by="paid_on", preconditions=(guard.payment_is_awaited,), when=when,
             when_label=label, effects=(_await_nothing,))
        for to, when, label in _BACK
    ),
    Move("lapse_unpaid", Label("Ücret ödenmedi", "The fee was not paid"), ("awaiting_completion",), "withdrawn",
         (SYSTEM_ROLE,), "4982/11", preconditions=(guard.payment_is_awaited, guard.payment_period_is_over),
         effects=(_await_nothing,)),
    Move("accept_proposal", Label("Öneriyi kabul et", "Accept the proposal"), ANSWERABLE, "proposal_accepted", (UNIT,),
         "5393/14, 75-c", needs=("title", "municipal_duty", "starts_on", "term_months"),
         takes=("subject", "text", "funder_deadline"),
         preconditions=(guard.is_not_sent_again, guard.is_an_organisations_proposal, guard.no_protocol_yet), effects=(_accept,)),
    Move("link_protocol", Label("Protokol taslağı açıldı", "A protocol was drafted"), ("proposal_accepted", *ANSWERABLE),
         "proposal_accepted", (SYSTEM_ROLE,), "5393/75-c", needs=("protocol_id", "protocol_reference"),
         preconditions=(guard.no_protocol_yet,), effects=(_link,)),
    Move("report_draft_problem", Label("Taslak açılamadı", "No protocol could be drafted"), ("proposal_accepted",),
         "assigned", (SYSTEM_ROLE,), takes=("reasons",), preconditions=(guard.no_protocol_yet,),
         effects=(_report_problem,)),
    Move("note_silence", Label("Cevap süresi doldu", "The period to answer ended"), OPEN, None, (SYSTEM_ROLE,),
         "2577/10; 3071/7; 4982/13", preconditions=(guard.silence_period_is_over,)),
    *(
        Move("close_with_first", Label("İlk başvuruyla cevaplandı", "Answered with the first"), OPEN, to, (SYSTEM_ROLE,),
             "3071/7", needs=("number", "outcome"),
             takes=("reason", "remedy", "remedy_days", "published_at", "letter", "letter_no"),
             preconditions=(guard.was_sent_again,), when=when, when_label=label, effects=(_answer_with_first,))
        for to, when, label in (("answered", _first_was_examined, Label("ilki incelendi", "the first was examined")),
                                ("declined", _first_was_declined, Label("ilki incelenmedi", "the first was not")))
    ),
    Move("withdraw", Label("Geri çek", "Withdraw"), (*OPEN, "proposal_accepted"), "withdrawn", (*PETITIONERS, CLERK),
         takes=("reason",), preconditions=(guard.no_protocol_yet,), guards=(guard.clerk_says_for_whom_it_acts,),
         effects=(_await_nothing,)),
)  # fmt: skip


def answer_due_on(case: PetitionCase) -> date | None:
    """By when the municipality owes its answer, late ones included; None while the period stands still or was met."""
    clocks = [clock for kind in ANSWERS if (clock := case.newest_clock(kind)) and clock.state in ("running", "expired")]
    return min((clock.due_on for clock in clocks if clock.due_on), default=None)


def duties(case: PetitionCase, procedure: Procedure[PetitionCase]) -> dict[str, date]:
    """Role → the nearest date by which it must do something here.

    Until a petition is with a unit, the answer's date is the registry's to keep in sight: it must pass the file on.
    """
    found, turn = case.duties(procedure), procedure.stages[case.stage].turn_of(case)
    if turn == CLERK:
        found.pop(UNIT, None)
        due_on = answer_due_on(case)
        if due_on is not None:
            found.setdefault(CLERK, due_on)
    return found


_SILENCE_DAYS = timedelta(days=30)
"""After so long without an answer the request counts as refused for the courts (2577/10)."""


def counted_from(policy: Policy, filed_on: date, received_on: date) -> date:
    """The day from which a forwarded petition's period is counted (3071/5)."""
    return filed_on if policy.forwarded_counts_from == "filing" else received_on


def _counts_from(case: PetitionCase, _act: Act) -> date:
    return case.counts_from


def _filed_on(case: PetitionCase, _act: Act) -> date:
    return case.filed_on


def _done_on(_case: PetitionCase, act: Act) -> date:
    return act.done_on


def _info_start(case: PetitionCase, act: Act) -> date:
    """From the filing, and anew from the payment where a fee notice interrupts."""
    return act.done_on if case.done("record_payment") else case.counts_from


def _upon_silence(act: Act) -> bool:
    return act.actor.role == SYSTEM_ROLE and not act.fields.get("outcome")


def _remedy_start(case: PetitionCase, act: Act) -> date:
    """The end of the period in which nothing came, or the answer."""
    if not _upon_silence(act):
        return act.done_on
    ended = [clock.due_on for kind in ANSWERS if (clock := case.newest_clock(kind)) and clock.state == "expired"]
    return max((due_on for due_on in ended if due_on), default=act.done_on)


def _suit_start(case: PetitionCase, act: Act) -> date:
    """As of every remedy; upon silence never before the day on which silence is a refusal for the courts (2577/10)."""
    start = _remedy_start(case, act)
    if not _upon_silence(act) or not _is_request(case):
        return start
    return max(start, case.counts_from + _SILENCE_DAYS)


_FOUR_MONTHS = 4


def _wait_days(case: PetitionCase, _act: Act) -> int:
    """Days from the filing to the same day four months later (2577/10)."""
    end: date = case.filed_on + relativedelta(months=_FOUR_MONTHS)
    return (end - case.filed_on).days


def _is_request(case: PetitionCase) -> bool:
    return case.kind == INFORMATION_REQUEST


def _is_not_request(case: PetitionCase) -> bool:
    return not _is_request(case)


def _was_not_granted(case: PetitionCase) -> bool:
    """Silence so far, a refusal in whole or in part, or no examination."""
    return case.outcome is None or case.outcome in (*REFUSALS, "not_examined")


def _may_sue(case: PetitionCase) -> bool:
    # Whoever only says an opinion asks for no act that a court could review.
    return case.kind != OPINION and _was_not_granted(case)


def _may_object(case: PetitionCase) -> bool:
    return _is_request(case) and _was_not_granted(case)


_ANSWERED_BY = ("reply", "decline_to_examine", "close_with_first")
_REMEDIES_LIVE_IN = (*OPEN, "answered", "declined")
"""An accepted, forwarded or withdrawn petition leaves nothing to go to court about."""


def _terms(policy: Policy) -> tuple[Term[PetitionCase], ...]:
    stops = ("return_for_completion",) if policy.completion_pauses_answer else ()
    goes_on = ("complete", "lapse_completion", "examine_anyway") if policy.completion_pauses_answer else ()
    restarts = ("record_payment",) if policy.fee_notice == "restart" else ()
    after_payment = () if restarts else ("record_payment",)
    started: Callable[[PetitionCase, Act], date] = _info_start if restarts else _counts_from
    return (
        Term("PETITION_ANSWER", Label("Dilekçeye cevap süresi", "Time to answer a petition"), "3071/7", UNIT,
             Label("Süre geçmiştir: cevap borcu sürer. Bir işlem istendiyse sessizlik ret sayılır ve dava yolu açılır.",
                   "Overdue: the answer is still owed. Where an act was asked for, silence counts as refusal and opens "
                   "the way to court."),
             Length(30, "calendar_day"), _counts_from, starts_in=("received",),
             met_by=(*_ANSWERED_BY, "interim_reply", "accept_proposal", "link_protocol"), paused_by=stops,
             resumed_by=goes_on, on_expiry="note_silence", owed=True, applies_to=_is_not_request),
        Term("INFO_ACCESS", Label("Bilgiye erişim süresi", "Time to give access to information"), "4982/11", UNIT,
             Label("Süre geçmiştir: bilgi borcu sürer, itiraz ve dava yolu açılır.",
                   "Overdue: the information is still owed, and objection and court are open."),
             Length(15, "working_day", {"extended": 30}), started, starts_in=("received",), starts_with=restarts,
             met_by=_ANSWERED_BY, paused_by=(*stops, "notify_fee"), resumed_by=(*goes_on, *after_payment),
             extended_by=("extend",), extended_to=30, on_expiry="note_silence", owed=True, applies_to=_is_request),
        Term("COMPLETION", Label("Eksiği tamamlama süresi", "Time to supply what is missing"), "3071/4, 6-c", PETITIONER,
             Label("Kendiliğinden ret yoktur; belediye dilekçeyi incelemeyebilir (3071/6-c).",
                   "Nothing is rejected by itself; the municipality may decline to examine (3071/6-c)."),
             Length(policy.completion_days, "calendar_day"), _done_on, starts_with=("return_for_completion",),
             met_by=("complete",), lives_in=("awaiting_completion",), on_expiry="lapse_completion", escalates=False),
        Term("FEE_PAYMENT", Label("Ücreti ödeme süresi", "Time to pay the fee"), "4982/11", PETITIONER,
             Label("Ödenmezse talepten vazgeçilmiş sayılır.", "Unpaid, the request counts as withdrawn."),
             Length(15, "working_day"), _done_on, starts_with=("notify_fee",), met_by=("record_payment",),
             lives_in=("awaiting_completion",), on_expiry="lapse_unpaid", escalates=False),
        Term("NON_FINAL_WAIT", Label("Kesin cevabı bekleme süresi", "Time to wait for the final reply"), "2577/10", UNIT,
             Label("Bekleme süresi biter: dava süresi işlemeye başlar, kesin cevap borcu sürer.",
                   "The waiting ends: the time to sue begins, and the final reply is still owed."),
             Length(120, "calendar_day"), _filed_on, starts_with=("interim_reply", "report_draft_problem"),
             met_by=(*_ANSWERED_BY, "accept_proposal", "link_protocol"), on_expiry="note_silence",
             owed=True, applies_to=_is_not_request, days_of=_wait_days),
        Term("OBJECTION", Label("Kurula itiraz süresi", "Time to object to the Board"), "4982/13", PETITIONER,
             Label("Kurula itiraz hakkı düşer. Süre cevabın resmî tebliğinden işler; buradaki gün en erken gündür.",
                   "The right to object is lost. It runs from formal service of the answer; the day here is the earliest."),
             Length(15, "calendar_day"), _remedy_start, starts_with=("note_silence", *_ANSWERED_BY),
             lives_in=_REMEDIES_LIVE_IN, outlives=("lapse_unpaid",), applies_to=_may_object, escalates=False),
        Term("SUIT", Label("Dava açma süresi", "Time to bring an action"), "2577/7, 10", PETITIONER,
             Label("Dava hakkı düşer; sonradan gelen cevap süreyi yeniden başlatır. Süre resmî tebliğden işler.",
                   "The right to sue is lost; a later answer opens it again. It runs from formal service."),
             Length(60, "calendar_day"), _suit_start, starts_with=("note_silence", *_ANSWERED_BY),
             lives_in=_REMEDIES_LIVE_IN, outlives=("lapse_unpaid",), applies_to=_may_sue, judicial_recess=True,
             escalates=False),
        Term("DRAFTING", Label("Protokol taslağının açılması", "Time until the protocol is drafted"), "", UNIT,
             Label("Taslak açılmadıysa öneri birime döner.", "Without a draft the proposal returns to the unit."),
             Length(1, "working_day"), _done_on, starts_with=("accept_proposal",), met_by=("link_protocol",),
             lives_in=("proposal_accepted",), on_expiry="report_draft_problem", reminders=(), escalates=False),
    )  # fmt: skip


@cache
def petition_procedure(policy: Policy) -> Procedure[PetitionCase]:
    """The table under a policy; the same object for the same policy."""
    return Procedure(NAME, VERSION, STAGES, MOVES, _terms(policy))
