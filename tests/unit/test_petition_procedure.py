"""The rules of the petition procedure, each a test: 3071, 4982, 2577, Constitution 40."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from petition_builder import CITIZEN, CSO, FILED, UNITS, Way

from services.gateway.api import petitions
from services.gateway.pages import tracking
from services.kernel.actor import PETITIONER
from services.kernel.casework import ladder_of
from services.kernel.errors import Forbidden, Invalid, Refused, Unavailable
from services.kernel.reminder import Ladder
from services.kernel.text import Sentence
from services.petitions.domain.petitioner import Petitioner
from services.petitions.domain.policy import Policy
from services.petitions.domain.procedure import duties
from services.runtime.language import say

DAY = timedelta(days=1)


def codes(refused: Any) -> list[str]:
    return [reason["code"] for reason in refused.value.details["reasons"]]


# the period to answer


def test_a_petition_of_20_february_2026_is_answered_until_23_march() -> None:
    assert date(2026, 3, 23) == Way(on=date(2026, 2, 20)).due("PETITION_ANSWER")


@pytest.mark.parametrize("kind", ["petition", "partnership_proposal", "opinion"])
def test_every_kind_but_a_request_for_information_is_answered_in_30_days(kind: str) -> None:
    way = Way(kind)
    assert ["PETITION_ANSWER"] == [clock.kind for clock in way.case.clocks]
    assert FILED + 30 * DAY == way.due("PETITION_ANSWER")


def test_a_request_for_information_is_answered_in_15_working_days() -> None:
    way = Way("information_request")
    assert ["INFO_ACCESS"] == [clock.kind for clock in way.case.clocks]
    assert date(2026, 9, 28) == way.due("INFO_ACCESS")


def test_the_period_counts_from_the_first_filing_and_not_from_registration() -> None:
    way = Way()
    way.pass_days(5)
    way.do("register")
    assert FILED + 30 * DAY == way.due("PETITION_ANSWER")


def test_a_petition_sent_again_counts_from_its_first_filing() -> None:
    assert FILED + 10 * DAY == Way(filed_on=FILED - 20 * DAY).due("PETITION_ANSWER")


def test_a_reply_ends_the_petition_and_meets_its_period() -> None:
    way = Way().assigned()
    way.do("reply")
    assert ("answered", "accepted") == (way.case.stage, way.case.outcome)
    assert "met" == way.clock("PETITION_ANSWER").state


def test_a_registered_petition_can_be_answered_before_it_has_a_unit() -> None:
    way = Way()
    way.do("register")
    assert "answered" == way.do("reply").stage


def test_silence_is_noted_opens_the_way_to_court_and_leaves_a_late_answer_possible() -> None:
    way = Way().assigned()
    due = way.due("PETITION_ANSWER")
    way.let_run_out("PETITION_ANSWER")
    assert ("assigned", "expired") == (way.case.stage, way.clock("PETITION_ANSWER").state)
    assert due == way.case.overdue_since(way.procedure)
    assert (due, "running") == (way.clock("SUIT").started_on, way.clock("SUIT").state)
    way.pass_days(3)
    assert "answered" == way.do("reply").stage
    assert "cancelled" == way.clock("SUIT").state


def test_a_late_refusal_opens_the_time_to_sue_anew() -> None:
    way = Way().assigned()
    way.let_run_out("PETITION_ANSWER")
    way.pass_days(20)
    way.do("reply", outcome="refused", remedy="İdare mahkemesi", remedy_days=60)
    assert (way.on, "running") == (way.clock("SUIT").started_on, way.clock("SUIT").state)


def test_an_opinion_asks_for_no_act_and_opens_no_court() -> None:
    way = Way("opinion").assigned()
    way.let_run_out("PETITION_ANSWER")
    assert None is way.case.newest_clock("SUIT")


def test_silence_upon_a_request_for_information_opens_objection_and_court() -> None:
    way = Way("information_request").assigned()
    due = way.due("INFO_ACCESS")
    way.let_run_out("INFO_ACCESS")
    assert due == way.clock("OBJECTION").started_on
    assert FILED + 30 * DAY == way.clock("SUIT").started_on
    assert due + 15 * DAY == way.due("OBJECTION")


def test_the_effects_of_silence_are_the_same_noticed_at_once_or_late() -> None:
    early, late = Way().assigned(), Way().assigned()
    for _ in range(120):
        early.pass_days(1)
    late.pass_days(120)
    assert [(c.kind, c.due_on, c.state) for c in early.case.clocks] == [
        (c.kind, c.due_on, c.state) for c in late.case.clocks
    ]


# interim and final replies


def test_an_interim_reply_meets_the_period_keeps_the_petition_open_and_starts_four_months_from_filing() -> None:
    way = Way().assigned()
    way.pass_days(10)
    way.do("interim_reply", text="İnceleme sürüyor.")
    assert ("assigned", "met") == (way.case.stage, way.clock("PETITION_ANSWER").state)
    assert date(2027, 1, 7) == way.due("NON_FINAL_WAIT")
    assert None is way.case.outcome


def test_a_final_reply_ends_what_an_interim_reply_kept_open() -> None:
    way = Way().assigned()
    way.do("interim_reply", text="İnceleme sürüyor.")
    way.do("reply")
    assert ("answered", "met") == (way.case.stage, way.clock("NON_FINAL_WAIT").state)


def test_after_four_months_of_waiting_the_way_to_court_opens() -> None:
    way = Way().assigned()
    way.do("interim_reply", text="İnceleme sürüyor.")
    way.let_run_out("NON_FINAL_WAIT")
    assert date(2027, 1, 7) == way.clock("SUIT").started_on
    assert "assigned" == way.case.stage


def test_a_second_interim_reply_wins_no_time() -> None:
    way = Way().assigned()
    way.do("interim_reply", text="İnceleme sürüyor.")
    way.pass_days(60)
    way.do("interim_reply", text="Hâlâ sürüyor.")
    assert date(2027, 1, 7) == way.due("NON_FINAL_WAIT")


def test_a_request_for_information_has_no_interim_reply() -> None:
    way = Way("information_request").assigned()
    with pytest.raises(Refused) as refused:
        way.do("interim_reply", text="İnceleme sürüyor.")
    assert ["extends_instead_of_interim_replies"] == codes(refused)


# a refusal names its remedy


@pytest.mark.parametrize("outcome", ["refused", "partly"])
@pytest.mark.parametrize("given", [{}, {"remedy": "İdare mahkemesi"}, {"remedy_days": 60}])
def test_a_refusal_without_remedy_and_time_limit_is_not_taken(outcome: str, given: dict[str, Any]) -> None:
    way = Way().assigned()
    with pytest.raises(Refused) as refused:
        way.do("reply", outcome=outcome, **given)
    assert ["refusal_names_remedy"] == codes(refused)
    assert ["Constitution/40"] == [each["article"] for each in refused.value.details["reasons"]]


def test_a_refusal_with_its_remedy_starts_the_time_to_sue() -> None:
    way = Way().assigned()
    way.do("reply", outcome="refused", remedy="İdare mahkemesi", remedy_days=60)
    assert FILED + 60 * DAY <= way.due("SUIT")
    assert "running" == way.clock("SUIT").state


@pytest.mark.parametrize("outcome", ["accepted", "informed"])
def test_an_answer_that_grants_opens_no_remedy(outcome: str) -> None:
    way = Way().assigned()
    way.do("reply", outcome=outcome)
    assert None is way.case.newest_clock("SUIT")


def test_an_answer_has_reasons() -> None:
    way = Way().assigned()
    with pytest.raises(Refused) as refused:
        way.do("reply", reason="")
    assert ["answer_has_reasons"] == codes(refused)


def test_where_information_was_published_is_an_answer_to_a_request_for_it_alone() -> None:
    way = Way("information_request").assigned()
    assert "answered" == way.do("reply", outcome="informed", reason="", published_at="2025 faaliyet raporu").stage
    way = Way().assigned()
    with pytest.raises(Refused) as refused:
        way.do("reply", outcome="informed", published_at="2025 faaliyet raporu")
    assert ["published_information_is_a_request"] == codes(refused)


# extension and fee


@pytest.mark.parametrize("reason", ["another_unit", "other_body", "several_bodies"])
def test_access_to_information_is_extended_to_30_working_days(reason: str) -> None:
    way = Way("information_request").assigned()
    way.pass_days(7)
    way.do("extend", reason=reason)
    assert 30 == way.clock("INFO_ACCESS").length
    assert date(2026, 10, 19) == way.due("INFO_ACCESS")
    assert ["extension"] == [event.why for event in way.told("petition.clock_moved.v1")]


def test_the_fourteenth_working_day_is_the_last_for_an_extension() -> None:
    way = Way("information_request").assigned()
    way.pass_days((date(2026, 9, 25) - FILED).days)
    assert 30 == way.do("extend").clocks[0].length
    way = Way("information_request").assigned()
    way.pass_days((date(2026, 9, 28) - FILED).days)
    with pytest.raises(Refused) as refused:
        way.do("extend")
    assert ["notified_before_the_first_period_ends"] == codes(refused)


def test_a_notice_given_in_time_may_be_recorded_on_the_last_day() -> None:
    way = Way("information_request").assigned()
    way.pass_days((date(2026, 9, 28) - FILED).days)
    assert 30 == way.do("extend", notified_on=date(2026, 9, 24)).clocks[0].length


def test_access_is_extended_once_and_for_a_reason_of_the_law() -> None:
    way = Way("information_request").assigned()
    with pytest.raises(Refused) as refused:
        way.do("extend", reason="çok iş var")
    assert ["extension_has_a_lawful_reason"] == codes(refused)
    way.do("extend")
    with pytest.raises(Refused) as refused:
        way.do("extend")
    assert ["not_extended_yet"] == codes(refused)


def test_a_petition_is_not_extended() -> None:
    way = Way().assigned()
    with pytest.raises(Refused) as refused:
        way.do("extend")
    assert "is_an_information_request" in codes(refused)


def test_a_fee_notice_interrupts_the_period_which_begins_anew_with_the_payment() -> None:
    way = Way("information_request").assigned()
    way.pass_days(7)
    way.do("notify_fee")
    assert ("awaiting_completion", "payment", "paused") == (
        way.case.stage, way.case.awaits, way.clock("INFO_ACCESS").state,
    )  # fmt: skip
    way.pass_days(7)
    way.do("record_payment")
    assert ("assigned", None) == (way.case.stage, way.case.awaits)
    assert (way.on, 15) == (way.clock("INFO_ACCESS").started_on, way.clock("INFO_ACCESS").length)
    assert "met" == way.clock("FEE_PAYMENT").state


def test_by_the_other_reading_the_period_goes_on_after_the_payment() -> None:
    way = Way("information_request", policy=Policy(fee_notice="pause")).assigned()
    way.do("notify_fee")
    way.pass_days(7)
    way.do("record_payment")
    assert FILED == way.clock("INFO_ACCESS").started_on
    assert date(2026, 10, 2) == way.due("INFO_ACCESS")


def test_an_extended_period_stays_extended_after_a_payment() -> None:
    way = Way("information_request").assigned()
    way.do("extend")
    way.do("notify_fee")
    way.do("record_payment")
    assert 30 == way.clock("INFO_ACCESS").length


def test_unpaid_for_fifteen_working_days_a_request_counts_as_withdrawn() -> None:
    way = Way("information_request").assigned()
    way.do("notify_fee")
    assert date(2026, 9, 28) == way.due("FEE_PAYMENT")
    way.let_run_out("FEE_PAYMENT")
    assert ("withdrawn", None) == (way.case.stage, way.case.awaits)


def test_nothing_is_paid_where_no_fee_is_awaited() -> None:
    way = Way("information_request")
    way.do("return_for_completion")
    with pytest.raises(Refused) as refused:
        way.do("record_payment")
    assert ["payment_is_awaited"] == codes(refused)
    way = Way("information_request").assigned()
    way.do("notify_fee")
    with pytest.raises(Refused) as refused:
        way.do("complete", address="", email="a@example.org")
    assert ["completion_is_awaited"] == codes(refused)


# completion


def test_asking_for_what_is_missing_stops_the_period_until_it_is_supplied() -> None:
    way = Way()
    way.pass_days(10)
    way.do("return_for_completion")
    assert "paused" == way.clock("PETITION_ANSWER").state
    way.pass_days(6)
    way.do("complete")
    assert FILED + 36 * DAY == way.due("PETITION_ANSWER")
    assert ("registered", "met") == (way.case.stage, way.clock("COMPLETION").state)


def test_by_the_other_reading_the_period_runs_while_the_petitioner_completes() -> None:
    way = Way(policy=Policy(completion_pauses_answer=False, completion_days=60))
    way.do("return_for_completion")
    way.let_run_out("PETITION_ANSWER")
    assert "awaiting_completion" == way.case.stage
    assert "running" == way.clock("SUIT").state


def test_a_completed_petition_goes_back_to_the_unit_it_had() -> None:
    way = Way().assigned()
    way.do("return_for_completion")
    assert "assigned" == way.do("complete").stage


def test_nothing_is_rejected_by_itself_when_the_time_to_complete_ran_out() -> None:
    way = Way()
    way.do("return_for_completion")
    assert PETITIONER == way.procedure.stages["awaiting_completion"].turn_of(way.case)
    way.let_run_out("COMPLETION")
    assert ("registered", None, None) == (way.case.stage, way.case.awaits, way.case.outcome)
    assert "registry_clerk" == way.procedure.stages["registered"].turn_of(way.case)


@pytest.mark.parametrize("late", [0, 400])
def test_a_petition_never_waits_for_its_completion_for_ever(late: int) -> None:
    way = Way()
    way.pass_days(10)
    way.do("return_for_completion")
    asked = way.on
    way.let_run_out("COMPLETION")
    ended = way.on
    assert asked + 30 * DAY < ended
    way.pass_days(late)
    answer = way.clock("PETITION_ANSWER")
    assert (asked, ended) == (answer.pauses[0].from_on, answer.pauses[0].to_on)
    assert answer.due_on is not None
    assert ended + 19 * DAY <= answer.due_on <= ended + 23 * DAY
    assert ("expired" if late else "running") == answer.state


def test_the_day_to_complete_is_no_delay_of_the_municipality() -> None:
    way = Way()
    way.do("return_for_completion")
    way.let_run_out("COMPLETION")
    assert None is way.case.overdue_since(way.procedure)


@pytest.mark.parametrize("office", ["registry_clerk", "unit_officer"])
def test_a_petition_is_examined_although_what_was_asked_for_has_not_come(office: str) -> None:
    for kind, answer in (("petition", "PETITION_ANSWER"), ("information_request", "INFO_ACCESS")):
        way = Way(kind).assigned()
        way.do("return_for_completion")
        assert "paused" == way.clock(answer).state
        way.pass_days(4)
        assert "assigned" == way.do("examine_anyway", office).stage
        assert ("running", "cancelled") == (way.clock(answer).state, way.clock("COMPLETION").state)
        assert None is way.case.awaits


def test_a_fee_that_is_awaited_is_not_passed_over() -> None:
    way = Way("information_request").assigned()
    way.do("notify_fee")
    with pytest.raises(Refused) as refused:
        way.do("examine_anyway")
    assert ["completion_is_awaited"] == codes(refused)


def test_what_was_completed_or_not_needed_is_no_ground_to_decline() -> None:
    for move in ("complete", "examine_anyway"):
        way = Way()
        way.do("return_for_completion")
        way.do(move)
        with pytest.raises(Refused) as refused:
            way.do("decline_to_examine", letter="c")
        assert ["letter_c_after_the_time_to_complete"] == codes(refused)


@pytest.mark.parametrize("given", [{}, {"remedy": "İdare mahkemesi"}, {"remedy_days": 60}])
def test_not_examining_names_its_remedy_as_a_refusal_does(given: dict[str, Any]) -> None:
    way = Way()
    with pytest.raises(Refused) as refused:
        way.do("decline_to_examine", **{"remedy": None, "remedy_days": None} | given)
    assert ["refusal_names_remedy"] == codes(refused)
    assert "declined" == Way("opinion").do("decline_to_examine", remedy=None, remedy_days=None).stage


def test_a_fee_is_notified_once_and_before_the_period_ends() -> None:
    way = Way("information_request").assigned()
    way.do("notify_fee")
    way.do("record_payment")
    with pytest.raises(Refused) as refused:
        way.do("notify_fee")
    assert ["fee_is_notified_once"] == codes(refused)
    way = Way("information_request").assigned()
    due = way.due("INFO_ACCESS")
    way.let_run_out("INFO_ACCESS")
    with pytest.raises(Refused) as refused:
        way.do("notify_fee")
    assert ["fee_is_notified_within_the_period"] == codes(refused)
    assert due == way.case.overdue_since(way.procedure)


def test_a_fee_that_was_not_paid_takes_no_remedy_away() -> None:
    procedure = Way("information_request").procedure
    assert {"OBJECTION", "SUIT"} == {term.kind for term in procedure.terms.values() if "lapse_unpaid" in term.outlives}
    way = Way("information_request").assigned()
    way.do("notify_fee")
    # From before a fee was notified within the period only.
    for kind in ("OBJECTION", "SUIT"):
        way.case.clocks.append(replace(way.clock("INFO_ACCESS"), id=kind, kind=kind, state="running", pauses=(),
                                       due_on=way.on + 90 * DAY))  # fmt: skip
    way.let_run_out("FEE_PAYMENT")
    assert "withdrawn" == way.case.stage
    assert {"running"} == {way.clock(kind).state for kind in ("OBJECTION", "SUIT")}


def test_an_accepted_proposal_leaves_no_time_to_sue() -> None:
    way = Way("partnership_proposal", petitioner=CSO).assigned()
    way.let_run_out("PETITION_ANSWER")
    assert "running" == way.clock("SUIT").state
    way.do("accept_proposal")
    assert "cancelled" == way.clock("SUIT").state
    way.do("link_protocol")
    assert [] == [clock.kind for clock in way.case.clocks if clock.is_open]
    assert (True, None) == (way.case.is_over(way.procedure), way.case.overdue_since(way.procedure))


def test_a_protocol_that_comes_without_an_acceptance_answers_the_proposal() -> None:
    way = Way("partnership_proposal", petitioner=CSO).assigned()
    way.do("link_protocol", protocol_reference="34-35/2026/7")
    assert "met" == way.clock("PETITION_ANSWER").state


def test_silence_upon_a_request_is_a_refusal_for_the_courts_after_30_days_at_the_earliest() -> None:
    way = Way("information_request").assigned()
    way.do("extend")
    due = way.due("INFO_ACCESS")
    assert FILED + 30 * DAY < due
    way.let_run_out("INFO_ACCESS")
    assert due == way.clock("SUIT").started_on == way.clock("OBJECTION").started_on


LADDER = Ladder()


def answer_clocks() -> list[tuple[str, Way]]:
    """A petition with each clock of an answer past, at a unit."""
    petition, request, interim = Way().assigned(), Way("information_request").assigned(), Way().assigned()
    interim.do("interim_reply", text="İnceleme sürüyor.")
    failed = Way("partnership_proposal", petitioner=CSO).assigned()
    failed.do("accept_proposal")
    failed.let_run_out("DRAFTING")
    return [
        ("PETITION_ANSWER", petition),
        ("INFO_ACCESS", request),
        ("NON_FINAL_WAIT", interim),
        ("NON_FINAL_WAIT", failed),
    ]


@pytest.mark.parametrize("number", range(4))
def test_every_answer_that_is_owed_reaches_the_head_five_days_after_its_last_day(number: int) -> None:
    kind, way = answer_clocks()[number]
    way.let_run_out(kind)
    clock = way.clock(kind)
    assert "expired" == clock.state
    ladder = ladder_of(way.case, clock, way.procedure, LADDER, way.calendar)
    assert [("head", -5)] == [(rung.kind, rung.days_left) for rung in ladder]
    way.do("reply")
    assert [] == ladder_of(way.case, clock, way.procedure, LADDER, way.calendar)


def test_only_answers_are_owed_after_their_last_day() -> None:
    terms = Way().procedure.terms.values()
    assert {"PETITION_ANSWER", "INFO_ACCESS", "NON_FINAL_WAIT"} == {t.kind for t in terms if t.owed_after_expiry}


def test_the_registry_is_reminded_of_an_answer_until_a_unit_has_the_petition() -> None:
    way = Way()
    for expected, move in (("registry_clerk", "register"), ("registry_clerk", "assign"), ("unit_officer", "reply")):
        assert expected == way.case.reminded(way.clock("PETITION_ANSWER"), way.procedure)
        way.do(move)


def test_the_time_to_complete_is_the_settings() -> None:
    way = Way(policy=Policy(completion_days=14))
    way.do("return_for_completion")
    assert FILED + 14 * DAY == way.due("COMPLETION")


def test_what_is_missing_is_declined_only_after_the_time_to_complete() -> None:
    way = Way()
    for step in (lambda: None, lambda: way.do("return_for_completion")):
        step()
        with pytest.raises(Refused) as refused:
            way.do("decline_to_examine", letter="c")
        assert ["letter_c_after_the_time_to_complete"] == codes(refused)
    way.let_run_out("COMPLETION")
    assert ("declined", "not_examined") == (way.do("decline_to_examine", letter="c").stage, way.case.outcome)


@pytest.mark.parametrize("letter", ["a", "b"])
def test_a_petition_without_a_subject_or_for_the_courts_is_declined_with_its_letter(letter: str) -> None:
    way = Way()
    way.do("decline_to_examine", letter=letter, reason="Dava konusudur.")
    assert ("declined", letter) == (way.case.stage, way.case.facts["decline_to_examine"]["letter"])
    assert "running" == way.clock("SUIT").state


def test_a_completion_brings_something_and_says_in_the_history_only_that_it_came() -> None:
    way = Way(petitioner=Petitioner("citizen", name="Başvuru Sahibi"))
    way.do("return_for_completion", missing=["address", "other"], reason="İmza sirküleri")
    with pytest.raises(Refused) as refused:
        way.do("complete", address="")
    assert ["something_is_supplied"] == codes(refused)
    way.do("complete", address="Şişli, İstanbul", addition="Ek bilgi")
    assert "Şişli, İstanbul" == way.case.petitioner.address
    assert way.case.body.endswith("Ek bilgi")
    assert {"supplied": ["addition", "address"]} == way.case.new_acts[-1].fields
    assert "Şişli" not in str(way.case.facts)


def test_a_completion_replaces_nothing_that_was_not_asked_for() -> None:
    way = Way()
    way.do("return_for_completion", missing=["address"])
    with pytest.raises(Refused) as refused:
        way.do("complete", name="Başkası")
    assert ["only_what_is_missing_is_supplied"] == codes(refused)
    assert "Yeni adres" == way.do("complete", address="Yeni adres", email="yeni@example.org").petitioner.address


def test_a_key_does_not_sign_as_an_account_does() -> None:
    way = Way(petitioner=Petitioner("citizen", name="Başvuru Sahibi", address="Şişli"))
    way.do("return_for_completion", missing=["signature"])
    with pytest.raises(Refused) as refused:
        way.do("complete", PETITIONER, address="", signature="account")
    assert ["account_signs_when_signed_in"] == codes(refused)
    assert "e_signature" == way.do("complete", PETITIONER, address="", signature="e_signature").petitioner.signature


def test_the_answers_date_is_the_registrys_until_a_unit_has_the_petition() -> None:
    way = Way()
    assert {"registry_clerk": FILED + 30 * DAY} == duties(way.case, way.procedure)
    way.do("register")
    assert {"registry_clerk": FILED + 30 * DAY} == duties(way.case, way.procedure)
    way.do("assign")
    assert {"unit_officer": FILED + 30 * DAY} == duties(way.case, way.procedure)
    way.do("return_for_completion")
    assert {PETITIONER: FILED + 30 * DAY} == duties(way.case, way.procedure)


def test_whoever_asks_for_something_else_says_what() -> None:
    with pytest.raises(Refused) as refused:
        Way().do("return_for_completion", missing=["other"])
    assert ["something_is_named_as_missing"] == codes(refused)


# who does what


def test_registry_staff_act_for_the_petitioner_of_a_paper_and_otherwise_only_with_a_reason() -> None:
    way = Way()
    with pytest.raises(Refused) as refused:
        way.do("withdraw", "registry_clerk", reason=None)
    assert ["clerk_says_for_whom_it_acts"] == codes(refused)
    assert "withdrawn" == way.do("withdraw", "registry_clerk", reason="Başvuran gişeye geldi").stage
    assert "withdrawn" == Way(channel="counter").do("withdraw", "registry_clerk", reason=None).stage
    way = Way()
    way.do("return_for_completion")
    with pytest.raises(Refused) as refused:
        way.do("complete", "registry_clerk", reason=None)
    assert ["clerk_says_for_whom_it_acts"] == codes(refused)
    assert "registered" == way.do("complete", "registry_clerk", reason="Başvuran gişeye geldi").stage


def test_a_signature_that_is_only_stated_is_missing_until_somebody_has_seen_it() -> None:
    stated = Petitioner("citizen", name="Başvuru Sahibi", address="Şişli", signature="e_signature")
    (told,) = stated.missing()
    assert "signature" == told["element"]
    assert "stated but not yet verified" in told["message"]["template"]
    way = Way(petitioner=stated)
    assert [] == way.do("register", signature_seen=True).petitioner.missing()
    assert [] == CITIZEN.missing()
    way = Way(petitioner=stated)
    assert "answered" == way.assigned().do("reply").stage
    assert ["signature"] == [each["element"] for each in way.case.petitioner.missing()]


@pytest.mark.parametrize(("office", "missing"), [("registry_clerk", []), (PETITIONER, ["signature"])])
def test_a_signature_supplied_later_is_seen_by_the_clerk_who_enters_it(office: str, missing: list[str]) -> None:
    way = Way(petitioner=Petitioner("citizen", name="Başvuru Sahibi", address="Şişli"))
    way.do("return_for_completion", missing=["signature"])
    way.do("complete", office, signature="handwritten", address=None)
    assert missing == [each["element"] for each in way.case.petitioner.missing()]


def test_sentences_name_elements_and_reasons_in_the_readers_words() -> None:
    way = Way()
    way.do("return_for_completion", missing=["mandate"])
    with pytest.raises(Refused) as refused:
        way.do("complete", name="Başka Ad", address="Başka yer")
    (reason,) = refused.value.details["reasons"]
    assert "Bunlar zaten var ve istenmedi: ad soyad, adres." == say(reason["message"], "tr")
    way = Way("information_request").assigned()
    with pytest.raises(Refused) as refused:
        way.do("extend", reason="busy")
    (reason,) = refused.value.details["reasons"]
    assert "another_unit" not in say(reason["message"], "en") + say(reason["message"], "tr")
    assert "başka bir birimden" in say(reason["message"], "tr")


@pytest.mark.parametrize("stage", ["received", "registered", "assigned", "awaiting_completion", "proposal_accepted"])
def test_the_petitioner_withdraws_from_every_open_stage(stage: str) -> None:
    way = Way("partnership_proposal", petitioner=CSO)
    if stage == "awaiting_completion":
        way.do("return_for_completion")
    elif stage == "registered":
        way.do("register")
    elif stage != "received":
        way.assigned()
    if stage == "proposal_accepted":
        way.do("accept_proposal")
    assert stage == way.case.stage
    way.do("withdraw", "organisation_representative")
    assert "withdrawn" == way.case.stage
    assert [] == [clock.kind for clock in way.case.clocks if clock.is_open]


@pytest.mark.parametrize("office", ["mayor", "auditor", "commission_rapporteur", "unit_officer"])
def test_only_the_registry_registers(office: str) -> None:
    with pytest.raises(Forbidden):
        Way().do("register", office)


def test_another_unit_takes_over_with_a_reason_and_leaves_a_trace() -> None:
    way = Way().assigned()
    with pytest.raises(Refused) as refused:
        way.do("assign", reason="")
    assert ["reassigning_has_a_reason"] == codes(refused)
    assert way.case.unit is not None
    with pytest.raises(Refused) as refused:
        way.do("assign", unit=way.case.unit.id)
    assert ["unit_is_another"] == codes(refused)
    way.do("assign", unit=UNITS[1]["id"], reason="Konusu yol")
    assert [UNITS[0]["name"], UNITS[1]["name"]] == [
        act.known["unit"]["name"] for act in way.case.new_acts if act.move == "assign"
    ]


# forwarding


def test_a_petition_is_forwarded_to_one_other_authority() -> None:
    for wrong in ({"authority": ""}, {"authority": "Valilik", "municipality": "34-10"}):
        with pytest.raises(Refused) as refused:
            Way().do("forward", **wrong)
        assert ["one_addressee_is_named"] == codes(refused)
    with pytest.raises(Refused) as refused:
        Way().do("forward", authority="", municipality="34-35")
    assert ["addressee_is_another"] == codes(refused)
    way = Way()
    way.do("forward", authority="İSKİ")
    assert ("forwarded", "İSKİ") == (way.case.stage, way.case.addressee)
    assert "İSKİ" == way.told("petition.moved.v1")[-1].addressee
    assert "cancelled" == way.clock("PETITION_ANSWER").state


# proposals


def test_an_accepted_proposal_is_told_in_the_offices_own_words() -> None:
    way = Way("partnership_proposal", petitioner=CSO).assigned()
    way.do("accept_proposal", title="Mahalle haritası", municipal_duty="5393/14", starts_on=FILED + 90 * DAY)
    told = way.told("petition.proposal_accepted.v1")[0]
    assert ("Mahalle haritası", "Mahalle haritası", 12) == (told.title, told.subject, told.term_months)
    assert ("met", "running") == (way.clock("PETITION_ANSWER").state, way.clock("DRAFTING").state)
    assert "unit_officer" == way.procedure.stages["proposal_accepted"].turn_of(way.case)


@pytest.mark.parametrize(("kind", "petitioner"), [("petition", CSO), ("partnership_proposal", CITIZEN)])
def test_only_a_registered_organisations_proposal_becomes_a_protocol(kind: str, petitioner: Petitioner) -> None:
    way = Way(kind, petitioner=petitioner).assigned()
    with pytest.raises(Refused) as refused:
        way.do("accept_proposal")
    assert ["is_an_organisations_proposal"] == codes(refused)


def test_a_linked_protocol_ends_the_wait_for_its_draft() -> None:
    way = Way("partnership_proposal", petitioner=CSO).assigned()
    way.do("accept_proposal")
    way.do("link_protocol", protocol_reference="34-35/2026/7")
    assert ("proposal_accepted", "met") == (way.case.stage, way.clock("DRAFTING").state)
    assert None is way.procedure.stages["proposal_accepted"].turn_of(way.case)
    assert "34-35/2026/7" == way.told("petition.protocol_linked.v1")[0].protocol_reference
    with pytest.raises(Refused) as refused:
        way.do("withdraw", "organisation_representative")
    assert ["no_protocol_yet"] == codes(refused)


def test_a_proposal_whose_protocol_is_not_drafted_within_a_working_day_returns_to_the_unit() -> None:
    way = Way("partnership_proposal", petitioner=CSO).assigned()
    way.do("accept_proposal")
    way.let_run_out("DRAFTING")
    assert ("assigned", None) == (way.case.stage, way.case.outcome)
    assert 1 == len(way.case.draft_problem)
    assert "running" == way.clock("NON_FINAL_WAIT").state
    assert "proposal_accepted" == way.do("accept_proposal").stage


def test_a_draft_problem_is_shown_with_its_reasons() -> None:
    way = Way("partnership_proposal", petitioner=CSO).assigned()
    way.do("accept_proposal")
    said = {"article": "5393/75", "message": {"template": "…", "values": {}}}
    way.do("report_draft_problem", reasons=[said])
    assert [said] == way.case.draft_problem


# mandatory content


def test_a_citizen_gives_name_signature_and_address() -> None:
    assert ["name", "address", "signature"] == [each["element"] for each in Petitioner("citizen").missing()]
    assert {"3071/4"} == {each["article"] for each in Petitioner("citizen").missing()}
    assert [] == CITIZEN.missing()


def test_an_organisation_gives_title_address_authorised_person_and_mandate() -> None:
    signed = Petitioner("organisation", signature="handwritten", signature_seen=True)
    missing = [each["element"] for each in signed.missing()]
    assert ["title", "address", "authorised_person", "mandate"] == missing
    assert "mandate" not in [each["element"] for each in Petitioner("public_body").missing()]


def test_whoever_signed_in_for_an_organisation_was_authorised_before() -> None:
    assert [] == CSO.missing()


def test_what_is_missing_stops_nothing() -> None:
    way = Way(petitioner=Petitioner("citizen"))
    assert ["name", "address", "signature"] == way.case.new_acts[0].fields["missing"]
    assert "answered" == way.assigned().do("reply").stage


def test_the_same_petitioner_is_known_by_organisation_or_by_name_and_address() -> None:
    assert CITIZEN.is_same_as(Petitioner("citizen", name="BAŞVURU SAHİBİ", email="basvuran@example.org"))
    assert CITIZEN.is_same_as(Petitioner("citizen", name="basvuru sahibi", address="Sisli"))
    assert not CITIZEN.is_same_as(Petitioner("citizen", name="Başvuru Sahibi"))
    assert not CITIZEN.is_same_as(Petitioner("citizen", name="Başkası", email="basvuran@example.org"))
    assert CSO.is_same_as(Petitioner("organisation", organisation_id=CSO.organisation_id))
    assert not CSO.is_same_as(Petitioner("organisation", name="Yer Çizenler", address="İstanbul"))


# dates and fields


def test_an_act_bears_a_date_between_the_previous_one_and_today() -> None:
    way = Way().assigned()
    for wrong in (FILED - DAY, FILED + DAY):
        with pytest.raises(Refused) as refused:
            way.do("reply", answered_on=wrong)
        assert ["date_between_previous_act_and_today"] == codes(refused)


def test_a_field_that_does_not_belong_to_the_step_is_named() -> None:
    with pytest.raises(Invalid) as invalid:
        Way().do("register", outcome="accepted")
    assert ["outcome"] == [each["field"] for each in invalid.value.details["errors"]]


def test_events_name_no_person_and_hold_no_words_of_the_petitioner() -> None:
    way = Way(subject="Gizli konu", body="Gizli metin").assigned()
    way.do("return_for_completion")
    way.do("complete", address="Gizli adres")
    way.do("reply", reason="Gizli cevap")
    told = " ".join(map(repr, way.events))
    assert "Gizli" not in told
    assert "Başvuru Sahibi" not in told
    assert "example.org" not in told


# the tracking page


def test_the_tracking_page_names_the_first_late_day() -> None:
    told: dict[str, Any] = dict.fromkeys(
        ("municipality_name", "kind_label", "filed_on", "stage_label", "unit", "whose_turn", "outcome_label", "addressee",
         "due_on", "due", "protocol", "forwarded_to"),
    )  # fmt: skip
    said = tracking.page(told | {"number": "34-35/2026/D1", "overdue_since": "2026-10-07"}, "tr")
    assert "8 Ekim 2026" in said
    assert "7 Ekim 2026" not in said


def test_a_protocols_stage_is_told_in_words_also_while_protocols_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def procedure(self, name: str) -> Any:
            raise Unavailable(Sentence("{name}", name=name))

    monkeypatch.setattr(petitions, "_STAGES", {})
    ports: Any = SimpleNamespace(protocols=Away())
    assert {"tr": "Sürüyor", "en": "Under way"} == petitions.protocol_stage(ports, "legal_review")
