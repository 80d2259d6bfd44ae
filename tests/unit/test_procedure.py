"""The approval of a protocol: moves, guards, clocks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from protocol_builder import FULL, OFFICES, START, Walk, moment, standing, votes

from services.contracts.protocols import MoveSchema
from services.kernel.errors import Forbidden, Invalid, Refused
from services.kernel.workflow import Act
from services.protocols.domain import case as cases
from services.protocols.domain.policy import Policy
from services.protocols.domain.procedure import MOVES, STAGES, protocol_procedure


def codes(refused: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason["code"] for reason in refused.value.details["reasons"]]


def test_the_permission_path_ends_in_force() -> None:
    walk = Walk()
    assert "in_force" == walk.to("in_force").stage
    assert "protocol.entered_into_force.v1" in [event.name for event in walk.events]


@pytest.mark.parametrize("permission", ["exempt", "not_needed"])
def test_an_exempt_partner_needs_no_permission(permission: str) -> None:
    walk = Walk(permission=permission)
    walk.to("transmittal")
    walk.do("transmit")
    assert "signing" == walk.do("stamp").stage


@pytest.mark.parametrize("permission", ["discretionary", "legal_review"])
def test_a_doubtful_partner_goes_to_the_authority_for_determination(permission: str) -> None:
    walk = Walk(permission=permission)
    walk.to("transmittal")
    walk.do("transmit")
    assert "authority_determination" == walk.do("stamp").stage
    assert "permission_request" == walk.do("determine_required").stage


def test_a_partner_without_legal_personality_cannot_be_a_party() -> None:
    with pytest.raises(Refused):
        Walk(permission="not_possible")


def test_every_stage_and_move_has_a_name_in_both_languages() -> None:
    assert all(each.label.tr and each.label.en for each in (*STAGES, *MOVES))


def test_every_field_of_a_move_is_in_the_contract() -> None:
    known = set(MoveSchema().fields)
    assert set() == {name for move in MOVES for name in (*move.needs, *move.takes)} - known


def test_every_stage_but_an_end_can_be_left_and_every_stage_be_reached() -> None:
    procedure = protocol_procedure(Policy())
    reached = {procedure.initial}
    for _ in STAGES:
        reached |= {m.to or s for m in MOVES for s in m.sources if s in reached}
    assert set(procedure.stages) == reached
    ends = {"rejected", "withdrawn", "lapsed", "abandoned", "terminated", "annulled", "expired"}
    assert ends == set(procedure.ends)


# dates


def test_a_sitting_may_not_lie_in_the_future() -> None:
    walk = Walk()
    walk.to("council_agenda")
    with pytest.raises(Refused) as refused:
        walk.do("refer_to_commission", sitting_on=walk.on + timedelta(days=1))
    assert ["date_between_previous_act_and_today"] == codes(refused)


def test_a_sitting_may_not_lie_before_the_previous_step() -> None:
    walk = Walk()
    walk.to("council_agenda")
    with pytest.raises(Refused) as refused:
        walk.do("refer_to_commission", sitting_on=START - timedelta(days=1))
    assert ["date_between_previous_act_and_today"] == codes(refused)


# votes at the moves


@pytest.mark.parametrize(
    ("cast", "code"),
    [
        (votes(20, 5, present=30), "votes_add_up"),
        (votes(10, 8), "quorum_was_present"),
        (votes(10, 12), "majority_accepted"),
        (votes(25, 3, full=40), "full_membership_is_the_councils"),
    ],
)
def test_a_decision_with_faulty_votes_is_refused_with_its_reason(cast: Any, code: str) -> None:
    walk = Walk()
    walk.to("council_decision")
    with pytest.raises(Refused) as refused:
        walk.do("accept", votes=cast)
    assert code in codes(refused)
    assert "council_decision" == walk.case.stage


def test_deciding_without_a_commission_needs_a_vote_of_its_own() -> None:
    walk = Walk()
    walk.to("council_agenda")
    with pytest.raises(Invalid):
        walk.do("accept", without_commission_votes=None)
    with pytest.raises(Refused) as refused:
        walk.do("accept", without_commission_votes=votes(10, 15))
    assert "decided_directly_by_vote" in codes(refused)
    assert "mayor_check" == walk.do("accept").stage


def test_a_zoning_matter_goes_to_the_commission() -> None:
    walk = Walk(zoning=True)
    walk.to("council_agenda")
    with pytest.raises(Refused) as refused:
        walk.do("accept")
    assert ["zoning_goes_to_commission"] == codes(refused)


def test_a_rejection_is_not_recorded_with_accepting_votes() -> None:
    walk = Walk()
    walk.to("council_decision")
    with pytest.raises(Refused) as refused:
        walk.do("reject", votes=votes(25, 3))
    assert ["majority_did_not_accept"] == codes(refused)


def test_insisting_takes_more_than_half_of_full_membership() -> None:
    walk = Walk()
    walk.to("mayor_check")
    walk.do("return_to_council")
    with pytest.raises(Refused) as refused:
        walk.do("insist", votes=votes(18, 4))
    assert ["full_membership_insisted"] == codes(refused)
    assert "19 accepting votes are needed" in str(refused.value)
    assert "transmittal" == walk.do("insist", votes=votes(19, 3)).stage


def test_a_decision_that_was_insisted_on_is_not_recorded_as_dropped() -> None:
    walk = Walk()
    walk.to("mayor_check")
    walk.do("return_to_council")
    with pytest.raises(Refused):
        walk.do("drop", votes=votes(19, 3))
    assert "lapsed" == walk.do("drop", votes=votes(18, 4)).stage


# clocks


def running(walk: Walk) -> dict[str, date | None]:
    return {clock.kind: clock.due_on for clock in walk.case.clocks if clock.is_open}


def test_the_commission_has_five_working_days() -> None:
    walk = Walk(on=date(2026, 5, 22))
    walk.to("commission_review")
    assert {"COMMISSION_REPORT": date(2026, 6, 3)} == running(walk)


def test_the_commission_has_ten_working_days_for_zoning() -> None:
    walk = Walk(on=date(2026, 9, 7), zoning=True)
    walk.to("commission_review")
    assert {"COMMISSION_REPORT": date(2026, 9, 21)} == running(walk)


def test_a_silent_commission_puts_the_item_onto_the_agenda_and_does_not_approve() -> None:
    walk = Walk()
    walk.to("commission_review")
    assert "council_decision" == walk.let_run_out("COMMISSION_REPORT").stage
    assert not walk.case.done("report")


@pytest.mark.parametrize(
    ("kind", "due"), [("metropolitan_district", date(2026, 11, 2)), ("metropolitan", date(2026, 11, 3))]
)
def test_the_mayor_has_five_days_and_a_metropolitan_mayor_seven(kind: str, due: date) -> None:
    walk = Walk(on=date(2026, 10, 27), kind=kind)
    walk.to("mayor_check")
    assert {"MAYOR_RETURN": due} == running(walk)


def test_a_clock_may_be_met_until_the_end_of_its_day_and_expires_with_the_next() -> None:
    walk = Walk()
    walk.to("mayor_check")
    clock = walk.case.open_clock("MAYOR_RETURN")
    assert clock is not None
    assert clock.due_on is not None
    walk.pass_days((clock.due_on - walk.on).days)
    assert "mayor_check" == walk.case.stage
    walk.pass_days(1)
    assert "transmittal" == walk.case.stage


def test_a_returned_decision_meets_the_clock() -> None:
    walk = Walk()
    walk.to("mayor_check")
    walk.do("return_to_council")
    assert "met" == walk.case.clocks[-1].state


def test_sending_counts_from_the_last_day_of_the_return_period_however_late_it_is_noticed() -> None:
    walk = Walk(on=date(2026, 9, 7))
    walk.to("mayor_check")
    walk.pass_days(60)
    send = walk.case.newest_clock("SEND_TO_AUTHORITY")
    assert send is not None
    assert date(2026, 9, 14) == send.started_on
    assert date(2026, 9, 21) == send.due_on
    assert "expired" == send.state
    assert date(2026, 9, 21) == walk.case.overdue_since(walk.procedure)


def test_a_late_transmittal_is_possible_and_ends_the_delay() -> None:
    walk = Walk()
    walk.to("mayor_check")
    walk.pass_days(60)
    walk.do("publish_summary")
    walk.do("transmit")
    assert walk.case.overdue_since(walk.procedure) is None


def test_silence_opens_the_way_to_court_and_the_authority_may_still_grant() -> None:
    walk = Walk()
    walk.to("authority_review")
    walk.do("publish_summary")
    walk.let_run_out("PERMISSION_SILENCE")
    assert "authority_review" == walk.case.stage
    suit = walk.case.open_clock("SUIT")
    assert suit is not None
    assert "signing" == walk.do("grant").stage
    assert [] == [clock.kind for clock in walk.case.clocks if clock.is_open]


def test_an_answer_dated_before_the_silence_was_noted_is_still_an_answer() -> None:
    walk = Walk()
    walk.to("authority_review")
    asked_on = walk.on
    walk.let_run_out("PERMISSION_SILENCE")
    assert "signing" == walk.do("grant", decided_on=asked_on + timedelta(days=2)).stage


def test_asking_for_documents_pauses_the_silence() -> None:
    walk = Walk()
    walk.to("authority_review")
    before = running(walk)["PERMISSION_SILENCE"]
    walk.pass_days(3)
    walk.do("request_documents")
    assert running(walk)["PERMISSION_SILENCE"] is None
    walk.pass_days(10)
    walk.do("supply_documents")
    after = running(walk)["PERMISSION_SILENCE"]
    assert before is not None
    assert after is not None
    assert after >= before + timedelta(days=9)


def test_the_pause_is_a_setting() -> None:
    walk = Walk(policy=Policy(document_request_pauses_silence=False))
    walk.to("authority_review")
    before = running(walk)["PERMISSION_SILENCE"]
    walk.do("request_documents")
    assert before == running(walk)["PERMISSION_SILENCE"]


def test_a_mayor_may_let_a_decision_stand_early_only_where_the_policy_says_so() -> None:
    with pytest.raises(Invalid):
        Walk().to("mayor_check") and Walk().do("waive_return")
    walk = Walk(policy=Policy(mayor_may_waive_return=True))
    walk.to("mayor_check")
    assert "transmittal" == walk.do("waive_return").stage


def test_the_term_ends_by_itself_on_its_last_day() -> None:
    walk = Walk()
    walk.to("in_force")
    walk.do("publish_summary")
    term = walk.case.open_clock("TERM")
    assert term is not None
    assert START + timedelta(days=90) <= walk.case.starts_on
    assert date(2027, 12, 5) == term.due_on
    assert "expired" == walk.let_run_out("TERM").stage


# transmittal, permission, signing


def test_nothing_is_stamped_before_it_was_sent_nor_sent_twice() -> None:
    walk = Walk()
    walk.to("transmittal")
    with pytest.raises(Refused) as refused:
        walk.do("stamp")
    assert ["sent_before_stamped"] == codes(refused)
    walk.do("transmit")
    with pytest.raises(Refused) as refused:
        walk.do("transmit")
    assert ["not_sent_yet"] == codes(refused)


def test_the_authority_sees_a_file_only_from_its_transmittal_on() -> None:
    walk = Walk()
    walk.to("transmittal")
    assert not walk.case.visible_to(OFFICES["authority_clerk"])
    walk.do("transmit")
    assert walk.case.visible_to(OFFICES["authority_clerk"])


def test_the_permission_request_has_a_letter_of_its_own() -> None:
    walk = Walk()
    walk.to("transmittal")
    walk.do("transmit", letter_no="E-1")
    walk.do("stamp")
    with pytest.raises(Refused) as refused:
        walk.do("request_permission", letter_no="E-1")
    assert ["request_has_its_own_letter"] == codes(refused)


def test_only_the_approved_text_is_signed() -> None:
    walk = Walk()
    walk.to("signing")
    with pytest.raises(Refused) as refused:
        walk.do("sign", text_sha256="f" * 64)
    assert ["signed_text_is_the_approved_text"] == codes(refused)


def test_an_exemption_that_lapsed_before_signing_blocks_it() -> None:
    walk = Walk(permission="exempt")
    walk.to("transmittal")
    walk.do("transmit")
    walk.do("stamp")
    walk.permission = "required"
    with pytest.raises(Refused) as refused:
        walk.do("sign")
    assert ["permitted_or_exempt"] == codes(refused)


@pytest.mark.parametrize("until", [None, START - timedelta(days=1)])
def test_a_signatory_without_a_valid_mandate_blocks_signing(until: date | None) -> None:
    walk = Walk()
    walk.to("signing")
    signatories = [
        {"party": "municipality", "title": "B"},
        {"party": "organisation", "title": "T", "mandate_until": until},
    ]
    with pytest.raises(Refused) as refused:
        walk.do("sign", signatories=signatories)
    assert ["mandate_is_valid"] == codes(refused)


def test_both_sides_sign() -> None:
    walk = Walk()
    walk.to("signing")
    with pytest.raises(Refused) as refused:
        walk.do("sign", signatories=[{"party": "municipality", "title": "B"}])
    assert ["both_sides_sign"] == codes(refused)


def test_an_amended_text_needs_the_partners_consent_and_becomes_the_approved_one() -> None:
    walk = Walk()
    walk.to("council_decision")
    assert "partner_consent" == walk.do("amend", text="yeni metin").stage
    assert cases.sha256_of("yeni metin") == walk.case.approved_sha256
    assert "mayor_check" == walk.do("consent").stage


def test_conditions_need_the_partners_consent_and_then_lead_to_signing() -> None:
    walk = Walk()
    walk.to("authority_review")
    assert "partner_consent" == walk.do("grant_with_conditions").stage
    assert "signing" == walk.do("consent").stage


def test_a_revised_draft_keeps_no_decision_of_the_old_round() -> None:
    walk = Walk()
    walk.to("authority_review")
    walk.do("refuse")
    walk.do("revise")
    assert {} == walk.case.facts
    assert walk.case.approved_sha256 is None
    assert [] == [clock for clock in walk.case.clocks if clock.is_open]


def test_a_court_that_annuls_the_refusal_brings_the_file_back_with_thirty_days_to_comply() -> None:
    walk = Walk()
    walk.to("authority_review")
    walk.do("refuse")
    walk.do("file_suit")
    assert "authority_review" == walk.do("court_annuls_refusal").stage
    assert walk.case.open_clock("COURT_COMPLIANCE") is not None


def test_a_renewal_begins_anew_and_inherits_no_decision() -> None:
    walk = Walk()
    walk.to("in_force")
    new, _ = cases.draft(
        reference="34-35/2026/2",
        fields={
            "kind": walk.case.kind, "title": "T", "subject": "S", "municipal_duty": "D", "starts_on": walk.on,
            "term_months": 12, "text": "metin",
        },
        municipality={
            "code": "34-35", "name": "Şişli", "kind": "metropolitan_district",
            "civil_authority": {"code": "K34-35", "name": "K"},
        },
        organisation={"id": walk.case.organisation.id, "name": "Y"},
        standing=standing(), actor=OFFICES["unit_officer"], now=moment(walk.on), procedure=walk.procedure,
        calendar=walk.calendar, link_to=walk.case, link_kind="renewal",
    )  # fmt: skip
    assert "drafting" == new.stage
    assert {} == new.facts
    assert new.approved_sha256 is None
    assert walk.case.id == new.original_id


# rounds and parallel duties


def refused_and_revised() -> Walk:
    walk = Walk()
    walk.to("authority_review")
    walk.do("publish_summary")
    walk.do("refuse")
    walk.do("revise")
    return walk


def test_the_authority_does_not_see_the_draft_of_a_new_round() -> None:
    walk = refused_and_revised()
    assert not walk.case.visible_to(OFFICES["authority_head"])
    assert walk.case.scope.authority is None


def test_clocks_of_an_earlier_round_bind_nobody_in_the_next() -> None:
    walk = refused_and_revised()
    assert walk.case.overdue_since(walk.procedure) is None
    walk.to("transmittal")
    assert walk.case.open_clock("PUBLISH_SUMMARY") is not None
    walk.do("publish_summary")
    assert walk.case.open_clock("PUBLISH_SUMMARY") is None


def test_a_duty_beside_the_way_belongs_to_its_own_office() -> None:
    walk = Walk()
    walk.to("authority_review")
    assert {"registry_clerk", "authority_head"} == set(walk.case.duties(walk.procedure))
    walk.do("publish_summary")
    assert {"authority_head"} == set(walk.case.duties(walk.procedure))


def test_publishing_the_summary_binds_no_later_date() -> None:
    walk = Walk()
    walk.to("transmittal")
    final_on = walk.on
    walk.pass_days(3)
    walk.do("publish_summary")
    assert walk.do("transmit", sent_on=final_on).done("transmit")


def test_a_summary_is_not_published_before_finality() -> None:
    walk = Walk()
    walk.to("transmittal")
    with pytest.raises(Refused) as refused:
        walk.do("publish_summary", published_on=START)
    assert ["published_after_finality"] == codes(refused)


def test_conditions_come_with_a_grant_with_conditions_alone() -> None:
    walk = Walk()
    walk.to("authority_review")
    with pytest.raises(Invalid):
        walk.do("grant", conditions="şart")


def test_a_suit_is_filed_within_its_period_and_may_be_recorded_later() -> None:
    walk = Walk()
    walk.to("authority_review")
    walk.do("refuse")
    refused_on = walk.on
    walk.let_run_out("SUIT")
    with pytest.raises(Refused) as refused:
        walk.do("file_suit", filed_on=walk.on)
    assert ["filed_within_the_period"] == codes(refused)
    assert "litigation" == walk.do("file_suit", filed_on=refused_on + timedelta(days=10)).stage


def test_silence_is_noted_also_while_documents_are_being_completed() -> None:
    walk = Walk(policy=Policy(document_request_pauses_silence=False))
    walk.to("authority_review")
    walk.do("request_documents")
    walk.let_run_out("PERMISSION_SILENCE")
    assert "document_completion" == walk.case.stage
    assert walk.case.open_clock("SUIT") is not None


def test_a_kind_of_partner_that_the_law_does_not_name_is_not_exempt() -> None:
    walk = Walk(permission="legal_review")
    walk.to("transmittal")
    walk.do("transmit")
    walk.do("stamp")
    with pytest.raises(Refused) as refused:
        walk.do("determine_exempt")
    assert ["form_is_named_in_the_law"] == codes(refused)


# fields and roles


def test_missing_and_strange_fields_are_each_named() -> None:
    walk = Walk()
    walk.to("council_agenda")
    row = walk.procedure.row_for("refer_to_commission", "council_agenda")
    act = Act(OFFICES["registry_clerk"], {"sitting_on": walk.on, "court": "x"}, walk.on, moment(walk.on), walk.on)
    assert "council_agenda" in row.sources
    with pytest.raises(Invalid) as invalid:
        walk.procedure.advance(walk.case, "refer_to_commission", act)
    assert {"decision_no", "commission", "court"} == {each["field"] for each in invalid.value.details["errors"]}


def test_a_delegation_covers_the_moves_it_names() -> None:
    walk = Walk()
    delegated = OFFICES["unit_officer"].__class__("unit_officer", "u", municipality="34-35", scope=("withdraw",))
    act = Act(delegated, {}, walk.on, moment(walk.on), walk.on)
    with pytest.raises(Forbidden):
        walk.procedure.advance(walk.case, "submit_to_mayor", act)
    assert ["withdraw"] == [option.move for option in walk.procedure.options(walk.case, act)]


def _matrix() -> list[tuple[str, str, str]]:
    return [(stage, move.name, role) for move in MOVES for stage in move.sources[:1] for role in OFFICES]


@pytest.mark.parametrize(("stage", "move", "role"), _matrix())
def test_a_move_is_open_to_the_roles_of_its_row_and_to_no_other(stage: str, move: str, role: str) -> None:
    procedure = protocol_procedure(Policy())
    row = procedure.row_for(move, stage)
    if role in row.by:
        procedure.permit(row, OFFICES[role])
    else:
        with pytest.raises(Forbidden):
            procedure.permit(row, OFFICES[role])


# history


def test_every_act_is_one_row_and_the_version_is_its_number() -> None:
    walk = Walk()
    walk.to("in_force")
    assert list(range(1, walk.case.version + 1)) == [act.number for act in walk.case.new_acts]


def test_no_event_names_a_person() -> None:
    walk = Walk()
    walk.to("in_force")
    told = repr(walk.events)
    assert [] == [actor.user_id for actor in OFFICES.values() if actor.user_id and f"'{actor.user_id}'" in told]


def test_the_council_of_the_examples_has_a_majority_of_nineteen() -> None:
    assert 19 == FULL // 2 + 1


def test_only_duties_that_nothing_settles_by_itself_are_owed_after_their_last_day() -> None:
    terms = protocol_procedure(Policy()).terms.values()
    owed = {term.kind for term in terms if term.escalates and term.owed_after_expiry}
    assert {"SEND_TO_AUTHORITY", "PUBLISH_SUMMARY", "COURT_COMPLIANCE"} == owed
