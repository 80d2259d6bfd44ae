"""The approval of a cooperation protocol as a table (5393, 5216, 2577; domain reference §12)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from dateutil.relativedelta import relativedelta

from services.kernel.text import Label
from services.kernel.workflow import SYSTEM_ROLE, Act, Length, Move, Procedure, Stage, Term
from services.protocols.domain import guard
from services.protocols.domain.case import Party, ProtocolCase, take_text
from services.protocols.domain.policy import Policy

NAME = "protocol"
VERSION = 1

UNIT, CLERK, MAYOR, RAPPORTEUR = "unit_officer", "registry_clerk", "mayor", "commission_rapporteur"
AUTHORITY_CLERK, AUTHORITY_HEAD = "authority_clerk", "authority_head"
ORGANISATION = "organisation_representative"

STANDING, MUNICIPALITY, AUTHORITY = "standing", "municipality", "authority"
"""What a move asks the registry on its day."""

INTERNAL = ("drafting", "mayor_review")
"""Stages between the municipality and the organisation: the civil authority sees that acts were, not their words."""

BEFORE_SIGNING = (
    "drafting", "mayor_review", "council_agenda", "commission_review", "council_decision", "partner_consent",
    "mayor_check", "reconsideration", "transmittal", "authority_determination", "permission_request",
    "authority_review", "document_completion", "permission_refused", "litigation", "signing",
)  # fmt: skip
AFTER_FINALITY = (
    "transmittal", "authority_determination", "permission_request", "authority_review", "document_completion",
    "permission_refused", "litigation", "partner_consent", "signing", "in_force", "suspended",
)  # fmt: skip


def _transmittal_turn(case: ProtocolCase) -> str:
    return AUTHORITY_CLERK if case.done("transmit") else CLERK


STAGES: tuple[Stage[ProtocolCase], ...] = (
    Stage("drafting", Label("Taslak hazırlanıyor", "Being drafted"), UNIT),
    Stage("mayor_review", Label("Başkanın incelemesinde", "With the mayor"), MAYOR),
    Stage("council_agenda", Label("Meclis gündeminde", "On the council's agenda"), CLERK),
    Stage("commission_review", Label("Komisyonda", "With the commission"), RAPPORTEUR),
    Stage("council_decision", Label("Meclis kararında", "Before the council for decision"), CLERK),
    Stage("partner_consent", Label("Kuruluşun onayında", "Awaiting the organisation's consent"), ORGANISATION),
    Stage("mayor_check", Label("Başkanın hukuki denetiminde", "In the mayor's legality check"), MAYOR),
    Stage("reconsideration", Label("Mecliste yeniden görüşmede", "Back before the council"), CLERK),
    Stage("transmittal", Label("Mülki idareye gönderimde", "Being sent to the civil authority"), _transmittal_turn),
    Stage(
        "authority_determination",
        Label("Mülki idarenin takdirinde", "For the civil authority to determine"),
        AUTHORITY_HEAD,
    ),
    Stage("permission_request", Label("İzin istenecek", "Permission to be requested"), MAYOR),
    Stage("authority_review", Label("İzin incelemesinde", "Permission under review"), AUTHORITY_HEAD),
    Stage("document_completion", Label("Belge tamamlamada", "Documents to be supplied"), CLERK),
    Stage("permission_refused", Label("İzin verilmedi", "Permission refused"), MAYOR),
    Stage("litigation", Label("Yargıda", "Before the court"), CLERK),
    Stage("signing", Label("İmzada", "To be signed"), MAYOR),
    Stage("in_force", Label("Yürürlükte", "In force"), UNIT),
    Stage("suspended", Label("Askıda", "Suspended"), MAYOR),
    Stage("rejected", Label("Reddedildi", "Rejected")),
    Stage("withdrawn", Label("Geri çekildi", "Withdrawn")),
    Stage("lapsed", Label("Düştü", "Lapsed")),
    Stage("abandoned", Label("Vazgeçildi", "Abandoned")),
    Stage("terminated", Label("Feshedildi", "Terminated")),
    Stage("annulled", Label("İptal edildi", "Annulled")),
    Stage("expired", Label("Süresi doldu", "Expired")),
)

# effects


def _approve_text(case: ProtocolCase, _act: Act) -> None:
    """From here on only this text can be signed."""
    case.approved_sha256 = case.text_sha256


def _take_amended_text(case: ProtocolCase, act: Act) -> None:
    take_text(case, act.fields["text"])
    case.approved_sha256 = case.text_sha256


def _address(case: ProtocolCase, act: Act) -> None:
    """The file goes to the civil authority that the municipality has on this day, which sees it from now on."""
    case.shared = True
    authority = act.known.get("authority")
    if authority is not None:
        case.authority = Party(authority["code"], authority["name"])


# conditions


def _is_not_needed(case: ProtocolCase, act: Act) -> bool:
    return guard.standing_of(case, act) in guard.NOT_NEEDED


def _is_to_be_determined(case: ProtocolCase, act: Act) -> bool:
    return guard.standing_of(case, act) in guard.TO_BE_DETERMINED


def _is_required(case: ProtocolCase, act: Act) -> bool:
    return not _is_not_needed(case, act) and not _is_to_be_determined(case, act)


def _after_conditions(case: ProtocolCase, _act: Act) -> bool:
    return case.done("grant_with_conditions")


def _after_amendment(case: ProtocolCase, act: Act) -> bool:
    return not _after_conditions(case, act)


_NOT_NEEDED = Label("izin gerekmez", "no permission needed")
_REQUIRED = Label("izin gerekir", "permission required")
_DISCRETION = Label("takdire bağlı", "at the authority's discretion")
_CONDITIONS = Label("şartlı izin", "permission with conditions")
_AMENDED = Label("değiştirilen metin", "amended text")

_DECISION = ("sitting_on", "decision_no", "votes")

MOVES: tuple[Move[ProtocolCase], ...] = (
    Move("submit_to_mayor", Label("Başkana sun", "Submit to the mayor"), ("drafting",), "mayor_review", (UNIT,),
         "5393/38", preconditions=(guard.partner_can_be_a_party,)),
    Move("withdraw", Label("Geri çek", "Withdraw"), BEFORE_SIGNING, "withdrawn", (UNIT, ORGANISATION), needs=("reason",)),
    Move("refer_to_council", Label("Meclise havale et", "Refer to the council"), ("mayor_review",), "council_agenda",
         (MAYOR,), "5393/21", preconditions=(guard.partner_can_be_a_party,)),
    Move("return_to_drafting", Label("Düzeltme için iade et", "Return for revision"), ("mayor_review",), "drafting",
         (MAYOR,), needs=("reason",)),
    Move("reject_draft", Label("Taslağı reddet", "Reject the draft"), ("mayor_review",), "rejected", (MAYOR,),
         needs=("reason",)),
    Move("refer_to_commission", Label("Komisyona havale et", "Refer to the commission"), ("council_agenda",),
         "commission_review", (CLERK,), "5393/24; 5216/15", needs=("sitting_on", "decision_no", "commission"),
         takes=("votes",), dated_by="sitting_on", guards=(*guard.VOTE_GUARDS, guard.majority_accepted), asks=(MUNICIPALITY,)),
    Move("accept", Label("Komisyonsuz kabul et", "Accept without a commission"), ("council_agenda",), "mayor_check", (CLERK,),
         "5393/21, 22, 75", needs=(*_DECISION, "without_commission_votes"), dated_by="sitting_on",
         preconditions=(guard.zoning_goes_to_commission,),
         guards=(*guard.VOTE_GUARDS, guard.decided_directly_by_vote, guard.majority_accepted, guard.partner_can_be_a_party),
         effects=(_approve_text,), asks=(STANDING, MUNICIPALITY)),
    Move("accept", Label("Kabul et", "Accept"), ("council_decision",), "mayor_check", (CLERK,), "5393/22, 75",
         needs=_DECISION, dated_by="sitting_on",
         guards=(*guard.VOTE_GUARDS, guard.majority_accepted, guard.partner_can_be_a_party),
         effects=(_approve_text,), asks=(STANDING, MUNICIPALITY)),
    Move("reject", Label("Reddet", "Reject"), ("council_agenda", "council_decision"), "rejected", (CLERK,), "5393/22",
         needs=_DECISION, takes=("reason",), dated_by="sitting_on",
         guards=(*guard.VOTE_GUARDS, guard.majority_did_not_accept), asks=(MUNICIPALITY,)),
    Move("postpone", Label("Ertele", "Postpone"), ("council_agenda", "council_decision"), None, (CLERK,), "5393/20",
         needs=("sitting_on",), takes=("decision_no", "votes", "reason"), dated_by="sitting_on",
         guards=guard.VOTE_GUARDS, asks=(MUNICIPALITY,)),
    Move("send_back", Label("Birime geri gönder", "Send back to the unit"), ("council_agenda",), "drafting", (CLERK,),
         needs=("reason",), takes=_DECISION, dated_by="sitting_on", guards=guard.VOTE_GUARDS, asks=(MUNICIPALITY,)),
    Move("report", Label("Rapor ver", "Report"), ("commission_review",), "council_decision", (RAPPORTEUR,),
         "5393/24; 5216/15", needs=("opinion", "text")),
    Move("lapse_commission", Label("Rapor gelmedi, gündeme al", "No report: onto the agenda"), ("commission_review",),
         "council_decision", (SYSTEM_ROLE,), "5393/24; 5216/15", preconditions=(guard.commission_period_is_over,)),
    Move("amend", Label("Değiştirerek kabul et", "Accept with changes"), ("council_decision", "reconsideration"),
         "partner_consent", (CLERK,), "5393/22, 75", needs=(*_DECISION, "text"), dated_by="sitting_on",
         guards=(*guard.VOTE_GUARDS, guard.majority_accepted, guard.partner_can_be_a_party),
         effects=(_take_amended_text,), asks=(STANDING, MUNICIPALITY)),
    Move("send_back_to_commission", Label("Komisyona geri gönder", "Send back to the commission"), ("council_decision",),
         "commission_review", (CLERK,), "5393/24; 5216/15", needs=("sitting_on",), takes=("decision_no", "votes", "reason"),
         dated_by="sitting_on", guards=(*guard.VOTE_GUARDS, guard.majority_accepted), asks=(MUNICIPALITY,)),
    Move("consent", Label("Kabul ediyoruz", "Consent"), ("partner_consent",), "signing", (ORGANISATION,),
         when=_after_conditions, when_label=_CONDITIONS),
    Move("consent", Label("Kabul ediyoruz", "Consent"), ("partner_consent",), "mayor_check", (ORGANISATION,),
         when=_after_amendment, when_label=_AMENDED),
    Move("decline", Label("Kabul etmiyoruz", "Decline"), ("partner_consent",), "withdrawn", (ORGANISATION,),
         takes=("reason",)),
    Move("return_to_council", Label("Meclise iade et", "Return to the council"), ("mayor_check",), "reconsideration",
         (MAYOR,), "5393/23; 5216/14", needs=("legal_reason",)),
    Move("finalise", Label("Kesinleşti", "Became final"), ("mayor_check",), "transmittal", (SYSTEM_ROLE,),
         "5393/23; 5216/14", preconditions=(guard.return_period_is_over,)),
    Move("insist", Label("Israr et", "Insist"), ("reconsideration",), "transmittal", (CLERK,), "5393/23; 5216/14",
         needs=_DECISION, dated_by="sitting_on", guards=(*guard.VOTE_GUARDS, guard.full_membership_insisted,
         guard.partner_can_be_a_party),
         asks=(STANDING, MUNICIPALITY)),
    Move("drop", Label("Israr edilmedi", "Not insisted"), ("reconsideration",), "lapsed", (CLERK,), "5393/23; 5216/14",
         needs=_DECISION, dated_by="sitting_on", guards=(*guard.VOTE_GUARDS, guard.full_membership_did_not_insist),
         asks=(MUNICIPALITY,)),
    Move("transmit", Label("Mülki idareye gönder", "Send to the civil authority"), ("transmittal",), None, (CLERK,),
         "5393/23; 5216/14", needs=("sent_on", "letter_no"), dated_by="sent_on",
         preconditions=(guard.not_sent_yet,), effects=(_address,), asks=(AUTHORITY,)),
    *(
        Move("stamp", Label("Kayda al ve damgala", "Register and stamp"), ("transmittal",), to, (AUTHORITY_CLERK,),
             "5393/23, 75; 5216/14", needs=("received_on", "registry_no"), dated_by="received_on",
             preconditions=(guard.sent_before_stamped,), guards=(guard.partner_can_be_a_party,),
             when=when, when_label=label, asks=(STANDING,))
        for to, when, label in (
            ("signing", _is_not_needed, _NOT_NEEDED),
            ("permission_request", _is_required, _REQUIRED),
            ("authority_determination", _is_to_be_determined, _DISCRETION),
        )
    ),
    Move("publish_summary", Label("Karar özetini duyur", "Publish the decision's summary"), AFTER_FINALITY, None, (CLERK,),
         "5393/23", needs=("published_on",), dated_by="published_on", parallel=True,
         preconditions=(guard.summary_not_published_yet,), guards=(guard.published_after_finality,)),
    Move("determine_exempt", Label("İzin gerekmez", "No permission needed"), ("authority_determination",), "signing",
         (AUTHORITY_HEAD,), "5393/75-c", needs=("reason",), preconditions=(guard.form_is_named_in_the_law,)),
    Move("determine_required", Label("İzin gerekir", "Permission required"), ("authority_determination",),
         "permission_request", (AUTHORITY_HEAD,), "5393/75-c", needs=("reason",)),
    Move("request_permission", Label("İzin iste", "Request permission"), ("permission_request",), "authority_review",
         (MAYOR,), "5393/75-c", needs=("sent_on", "letter_no"), dated_by="sent_on",
         preconditions=(guard.stamped_before_requested,), guards=(guard.request_has_its_own_letter,)),
    Move("grant", Label("İzin ver", "Grant permission"), ("authority_review",), "signing", (AUTHORITY_HEAD,), "5393/75-c",
         needs=("letter_no", "decided_on"), takes=("reason", "legal_ground"), dated_by="decided_on"),
    Move("grant_with_conditions", Label("Şartlı izin ver", "Grant with conditions"), ("authority_review",),
         "partner_consent", (AUTHORITY_HEAD,), "5393/75-c", needs=("letter_no", "decided_on", "conditions"),
         takes=("reason", "legal_ground"), dated_by="decided_on"),
    Move("refuse", Label("İzin verme", "Refuse permission"), ("authority_review",), "permission_refused",
         (AUTHORITY_HEAD,), "5393/75-c", needs=("letter_no", "decided_on", "reason", "legal_ground"),
         dated_by="decided_on"),
    Move("request_documents", Label("Belge iste", "Ask for documents"), ("authority_review",), "document_completion",
         (AUTHORITY_CLERK,), needs=("documents",)),
    Move("note_silence", Label("Sessizlik süresi doldu", "The period of silence ended"), ("authority_review",
         "document_completion"), None,
         (SYSTEM_ROLE,), "2577/10", preconditions=(guard.silence_period_is_over,)),
    Move("supply_documents", Label("Belgeleri sun", "Supply the documents"), ("document_completion",), "authority_review",
         (CLERK,), needs=("documents",)),
    Move("revise", Label("Taslağı gözden geçir", "Revise the draft"), ("permission_refused",), "drafting", (UNIT,)),
    Move("file_suit", Label("Dava aç", "File suit"), ("permission_refused",), "litigation", (MAYOR,), "2577/7",
         needs=("court", "file_no"), takes=("filed_on",), dated_by="filed_on", guards=(guard.filed_within_the_period,)),
    Move("abandon", Label("Vazgeç", "Abandon"), ("permission_refused",), "abandoned", (MAYOR,), takes=("reason",)),
    Move("court_annuls_refusal", Label("Mahkeme reddi iptal etti", "The court annulled the refusal"), ("litigation",),
         "authority_review", (CLERK,), "2577/28", needs=("court", "file_no", "decided_on"), dated_by="decided_on"),
    Move("court_dismisses", Label("Dava reddedildi", "The court dismissed the suit"), ("litigation",), "abandoned",
         (CLERK,), needs=("court", "file_no", "decided_on"), dated_by="decided_on"),
    Move("sign", Label("İmzala", "Sign"), ("signing",), "in_force", (MAYOR,), "5393/38-g, 75",
         needs=("signed_on", "signatories", "text_sha256"), dated_by="signed_on",
         preconditions=(guard.text_is_final, guard.decision_was_stamped, guard.permitted_or_exempt),
         guards=(guard.signed_text_is_the_approved_text, guard.both_sides_sign, guard.mandate_is_valid,
                 guard.partner_can_be_a_party), asks=(STANDING,)),
    Move("suspend", Label("Askıya al", "Suspend"), ("in_force",), "suspended", (MAYOR,), needs=("reason",)),
    Move("resume", Label("Yeniden başlat", "Resume"), ("suspended",), "in_force", (MAYOR,), takes=("reason",)),
    Move("terminate", Label("Feshet", "Terminate"), ("in_force", "suspended"), "terminated", (MAYOR,), needs=("reason",)),
    Move("annul", Label("İptal kararını işle", "Record the annulment"), ("in_force", "suspended"), "annulled", (CLERK,),
         needs=("reason",), takes=("court", "file_no", "decided_on")),
    Move("expire", Label("Süresi doldu", "The term ended"), ("in_force", "suspended"), "expired", (SYSTEM_ROLE,),
         preconditions=(guard.term_is_over,)),
    Move("renew", Label("Yenile", "Renew"), ("in_force",), None, (UNIT,), "5393/75",
         takes=("starts_on", "term_months", "text"), asks=(STANDING,)),
    Move("propose_amendment", Label("Değişiklik öner", "Propose an amendment"), ("in_force",), None, (UNIT,), "5393/75",
         takes=("starts_on", "term_months", "text"), asks=(STANDING,)),
)  # fmt: skip

WAIVER: Move[ProtocolCase] = Move(
    "waive_return",
    Label("İadeden vazgeç, kesinleşsin", "Let the decision stand"),
    ("mayor_check",),
    "transmittal",
    (MAYOR,),
    "5393/23",
)
"""The mayor's early waiver; part of the table only where the policy allows it."""

LINKING_MOVES = {"renew": "renewal", "propose_amendment": "amendment"}
"""Moves that begin a new, linked protocol; it goes the whole way again and inherits no decision."""


def last_day(starts_on: date, months: int) -> date:
    """The last day of a term of so many months."""
    after: date = starts_on + relativedelta(months=months)
    return after - timedelta(days=1)


def _term_days(case: ProtocolCase, act: Act) -> int:
    return (last_day(max(case.starts_on, act.done_on), case.term_months) - act.done_on).days


def _done_on(_case: ProtocolCase, act: Act) -> date:
    return act.done_on


def _finality(case: ProtocolCase, act: Act) -> date:
    """The day on which the decision became final: the end of the return period, or the insistence."""
    clock = case.newest_clock("MAYOR_RETURN")
    if clock is not None and clock.state == "expired" and clock.due_on is not None:
        return clock.due_on
    return act.done_on


def _silence_end(case: ProtocolCase, act: Act) -> date:
    """Service of the refusal, or the end of the silence period."""
    clock = case.newest_clock("PERMISSION_SILENCE")
    if clock is not None and clock.state == "expired" and act.actor.role == SYSTEM_ROLE and clock.due_on is not None:
        return clock.due_on
    return act.done_on


def _terms(policy: Policy) -> tuple[Term[ProtocolCase], ...]:
    def return_start(_case: ProtocolCase, act: Act) -> date:
        return act.done_on if policy.mayor_return_from == "decision" else act.today

    stands = ("waive_return",) if policy.mayor_may_waive_return else ()
    pauses = ("request_documents",) if policy.document_request_pauses_silence else ()
    return (
        Term("COMMISSION_REPORT", Label("Komisyonun rapor süresi", "The commission's time to report"),
             "5393/24; 5216/15", RAPPORTEUR,
             Label("Rapor gelmezse konu doğrudan gündeme alınır.", "Without a report the item goes straight onto the agenda."),
             Length(5, "working_day", {"zoning": 10}), _done_on, starts_in=("commission_review",), met_by=("report",),
             lives_in=("commission_review",), on_expiry="lapse_commission"),
        Term("MAYOR_RETURN", Label("Başkanın kararı iade süresi", "The mayor's time to return the decision"),
             "5393/23; 5216/14", MAYOR,
             Label("İade edilmeyen karar kesinleşir.", "A decision not returned becomes final."),
             Length(5, "calendar_day", {"metropolitan": 7}), return_start, starts_in=("mayor_check",),
             met_by=("return_to_council", *stands), lives_in=("mayor_check",), on_expiry="finalise"),
        Term("MAYOR_SUIT", Label("Başkanın ısrar kararına karşı dava süresi", "The mayor's time to sue after insistence"),
             "5393/23; 2577/7", MAYOR,
             Label("Dava hakkı düşer.", "The right to sue is lost."),
             Length(10, "calendar_day", {"metropolitan": 60}), _done_on, starts_with=("insist",),
             judicial_recess=True, escalates=False),
        Term("SEND_TO_AUTHORITY", Label("Kararı mülki idareye gönderme süresi",
             "Time to send the decision to the civil authority"),
             "5393/23; 5216/14", CLERK,
             Label("Gönderilmeyen karar yürürlüğe girmez.", "A decision not sent does not enter into force."),
             Length(7, "calendar_day"), _finality, starts_in=("transmittal",), met_by=("transmit",),
             lives_in=("transmittal",)),
        Term("PUBLISH_SUMMARY", Label("Karar özetini duyurma süresi", "Time to announce the decision's summary"),
             "5393/23", CLERK,
             Label("Karar özeti süresinde duyurulmamış olur.", "The summary was not announced in time."),
             Length(7, "calendar_day"), _finality, starts_in=("transmittal",), met_by=("publish_summary",)),
        Term("PERMISSION_SILENCE", Label("İzin istemine cevap süresi", "Time to answer the permission request"),
             "2577/10", AUTHORITY_HEAD,
             Label("Dava yolu açılır; istem açık kalır, mülki idare yine karar verebilir.",
                   "The way to court opens; the request stays open and may still be answered."),
             Length(policy.permission_silence_days, "calendar_day"), _done_on,
             starts_with=("request_permission", "court_annuls_refusal"), met_by=("grant", "grant_with_conditions", "refuse"),
             paused_by=pauses, resumed_by=("supply_documents",) if pauses else (),
             lives_in=("authority_review", "document_completion"), on_expiry="note_silence"),
        Term("SUIT", Label("İptal davası açma süresi", "Time to bring an annulment action"),
             "2577/7, 10", MAYOR,
             Label("İptal davası açma hakkı düşer; sonradan gelen cevap süreyi yeniden başlatır.",
                   "The right to an annulment action is lost; a later answer opens it again."),
             Length(60, "calendar_day"), _silence_end, starts_with=("note_silence", "refuse"), met_by=("file_suit",),
             lives_in=("authority_review", "document_completion", "permission_refused"), judicial_recess=True,
             escalates=False),
        Term("COURT_COMPLIANCE", Label("Mahkeme kararına uyma süresi", "Time to comply with the court"),
             "2577/28", AUTHORITY_HEAD,
             Label("Kararı uygulamamak sorumluluk doğurur.", "Not complying gives rise to liability."),
             Length(30, "calendar_day"), _done_on, starts_with=("court_annuls_refusal",),
             met_by=("grant", "grant_with_conditions", "refuse"), lives_in=("authority_review", "document_completion")),
        Term("TERM", Label("Protokolün süresi", "The protocol's term"),
             "", UNIT,
             Label("Protokol kendiliğinden sona erer.", "The protocol ends by itself."),
             Length(0, "calendar_day"), _done_on, starts_with=("sign",), lives_in=("in_force", "suspended"),
             on_expiry="expire", roll_over=False, days_of=_term_days, reminders=(180, 120, 90, 60, 30)),
    )  # fmt: skip


@cache
def protocol_procedure(policy: Policy) -> Procedure[ProtocolCase]:
    """The table under a policy; the same object for the same policy."""
    moves = (*MOVES, WAIVER) if policy.mayor_may_waive_return else MOVES
    return Procedure(NAME, VERSION, STAGES, moves, _terms(policy))
