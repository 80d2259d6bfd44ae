"""The rules of keeping records true: corrections, successions, and what falls due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.errors import Invalid, Refused
from services.registry.domain import correction as corrections
from services.registry.domain import succession, watch
from services.registry.domain.correction import PROPOSABLE, Correction, CorrectionState, Decision, FieldState
from services.registry.domain.organisation import FACTS, Facts, Grant, Organisation
from services.registry.domain.succession import Order, SuccessionKind, Successor
from services.registry.domain.vocabulary import Form, State, StatusKind

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def organisation(key: str = "o", **facts: Any) -> Organisation:
    return Organisation(key, Facts("Örnek Derneği", Form.ASSOCIATION, **facts))


def holding(since: date, until: date | None = None, *more: tuple[date, date | None]) -> Organisation:
    found = organisation()
    for number, (begins, ends) in enumerate([(since, until), *more]):
        grant = Grant(StatusKind.PUBLIC_BENEFIT, begins, ends)
        found.grant(grant, f"s{number}", today=TODAY, now=NOW, by="r")
    return found


def proposed(about: Organisation, *pending: str, **changes: Any) -> Correction:
    return corrections.propose("c", about, changes, None, pending=pending, today=TODAY, now=NOW, by="rep")


def wrong(refusal: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [error["field"] for error in refusal.value.details["errors"]]


# corrections


def test_what_may_be_proposed_is_a_field_of_the_record() -> None:
    assert set(PROPOSABLE) < set(FACTS)
    assert not {"form", "state"} & set(PROPOSABLE)


def test_a_proposal_is_read_as_strictly_as_a_record() -> None:
    with pytest.raises(Invalid) as refusal:
        proposed(organisation(), tax_no="4540536921", email="?", founded_on=TODAY + timedelta(days=1))
    assert {"changes.tax_no", "changes.email", "changes.founded_on"} == set(wrong(refusal))
    with pytest.raises(Invalid) as refusal:
        proposed(organisation(), state="dissolved")
    assert ["changes.state"] == wrong(refusal)


def test_fields_that_are_recorded_so_already_are_left_out() -> None:
    about = organisation(district="Şişli")
    assert ("address",) == proposed(about, district="Şişli", address="Yeni").fields(FieldState.OPEN)
    with pytest.raises(Refused):
        proposed(about, district=" Şişli ")


def test_a_field_waits_for_its_decision() -> None:
    with pytest.raises(Refused) as refusal:
        proposed(organisation(), "address", address="Yeni", district="Şişli")
    assert ["changes.address"] == [each["field"] for each in refusal.value.details["reasons"]]


@given(st.lists(st.sampled_from(["accept", "decline", "later"]), min_size=3, max_size=3), st.booleans())
def test_the_state_of_a_correction_follows_from_its_fields(answers: list[str], withdrawn: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    about = organisation()
    names = ("district", "email", "address")
    made = proposed(about, district="Şişli", email="bilgi@ornek.org", address="Yeni")
    decisions = [
        Decision(name, answer == "accept", None if answer == "accept" else "Belge yok")
        for name, answer in zip(names, answers, strict=True)
        if answer != "later"
    ]
    changes = made.decide(decisions, about.facts, now=NOW, by="r") if decisions else {}
    assert {name for name, answer in zip(names, answers, strict=True) if answer == "accept"} == set(changes)
    left = answers.count("later")
    if withdrawn and left:
        made.withdraw(now=NOW, by="rep")
        left = 0
        expected = CorrectionState.DECIDED if decisions else CorrectionState.WITHDRAWN
    elif left == len(names):
        expected = CorrectionState.OPEN
    else:
        expected = CorrectionState.PARTLY_DECIDED if left else CorrectionState.DECIDED
    assert (expected, left) == (made.state, len(made.fields(FieldState.OPEN)))


@pytest.mark.parametrize(
    ("decisions", "fields"),
    [
        ([Decision("district", accept=False)], ["decisions.0.reason"]),
        ([Decision("district", accept=False, reason="  ")], ["decisions.0.reason"]),
        ([Decision("phone", accept=True)], ["decisions.0.field"]),
        ([Decision("district", accept=True), Decision("district", accept=True)], ["decisions.1.field"]),
    ],
)
def test_a_decision_must_fit_what_was_proposed(decisions: list[Decision], fields: list[str]) -> None:
    made = proposed(organisation(), district="Şişli")
    with pytest.raises(Invalid) as refusal:
        made.decide(decisions, organisation().facts, now=NOW, by="r")
    assert (fields, CorrectionState.OPEN) == (wrong(refusal), made.state)


def test_what_was_recorded_otherwise_since_is_refused_with_all_three_values() -> None:
    made = proposed(organisation(district="Eski"), district="Yeni", address="Adres")
    since = organisation(district="Başka").facts
    accept = [Decision("district", accept=True), Decision("address", accept=True)]
    with pytest.raises(Refused) as refusal:
        made.decide(accept, since, now=NOW, by="r")
    (reason,) = refusal.value.details["reasons"]
    assert ("district", CorrectionState.OPEN) == (reason["field"], made.state)
    values = reason["message"]["values"]
    assert ("Eski", "Başka", "Yeni") == (values["old"], values["current"], values["proposed"])
    made.decide([Decision("district", accept=False, reason="Başka kaydedildi")], since, now=NOW, by="r")
    assert {"address": "Adres"} == made.decide([Decision("address", accept=True)], since, now=NOW, by="r")


def test_what_was_recorded_meanwhile_as_proposed_may_be_accepted() -> None:
    made = proposed(organisation(district="Eski"), district="Yeni")
    made.decide([Decision("district", accept=True)], organisation(district="Yeni").facts, now=NOW, by="r")
    assert CorrectionState.DECIDED is made.state


# successions


def order(kind: str = "merge", **more: Any) -> Order:
    usual: dict[str, Any] = {"effective_on": TODAY, "basis": "Genel kurul kararı"}
    if kind == "rename":
        usual["changes"] = {"name": "Yeni Ad"}
    else:
        usual["successors"] = tuple(Successor(f"h{n}") for n in range(1 if kind == "merge" else 2))
    return Order(kind=SuccessionKind(kind), **usual | more)


@pytest.mark.parametrize(
    ("given_", "fields"),
    [
        (order(basis=" "), ["basis"]),
        (order(effective_on=TODAY + timedelta(days=1)), ["effective_on"]),
        (order(successors=()), ["successors"]),
        (order(successors=(Successor("a"), Successor("b"))), ["successors"]),
        (order(continues=True), ["continues"]),
        (order(protocols_to="h0"), ["protocols_to"]),
        (order(changes={"name": "X"}), ["name"]),
        (order(successors=(Successor(),)), ["successors.0"]),
        (order(successors=(Successor("a", {"name": "X"}),)), ["successors.0"]),
        (order("split", successors=(Successor("a"),)), ["successors"]),
        (order("split", successors=(Successor("a"), Successor("a"))), ["successors"]),
        (order("split", also=("x",)), ["also"]),
        (order("rename", changes={}), ["name"]),
        (order("rename", continues=True), ["kind"]),
    ],
)
def test_an_order_that_contradicts_itself_is_refused(given_: Order, fields: list[str]) -> None:
    with pytest.raises(Invalid) as refusal:
        succession.check_order(given_, TODAY)
    assert fields == wrong(refusal)


def test_whoever_goes_on_or_follows_may_get_the_open_protocols_and_nobody_else() -> None:
    heirs = ["h0", "h1"]
    split = order("split", continues=True)
    assert ["h1", "h0", "o"] == [
        succession.receiver(order("split", continues=True, protocols_to=to), "o", heirs) for to in (1, "h0", "o")
    ]
    for to in (None, 2, -1, "x"):
        with pytest.raises(Invalid):
            succession.receiver(order("split", continues=True, protocols_to=to), "o", heirs)
    with pytest.raises(Invalid):
        succession.receiver(order("split", protocols_to="o"), "o", heirs)
    assert split.continues


def test_a_successor_must_be_alive_and_must_not_lead_back() -> None:
    old, heir, last = organisation("o"), organisation("h"), organisation("l")
    succession.check_successor(heir, [old], [])
    heir.successors = ("l",)
    for chain, code in (([last], "successor_was_succeeded"), ([last, old], "succession_leads_back")):
        with pytest.raises(Refused) as refusal:
            succession.check_successor(heir, [old], chain)
        assert code == refusal.value.details["reasons"][0]["code"]
    with pytest.raises(Refused) as refusal:
        succession.check_successor(old, [old], [])
    assert "succession_leads_back" == refusal.value.details["reasons"][0]["code"]
    with pytest.raises(Refused) as refusal:
        succession.check_successor(organisation("d", state=State.DISSOLVED), [old], [])
    assert "successor_is_dissolved" == refusal.value.details["reasons"][0]["code"]


def test_a_status_stays_with_the_legal_person_and_the_answer_says_that_the_law_is_silent() -> None:
    old = holding(date(2020, 1, 15), None, (date(2012, 1, 1), date(2013, 1, 1)))
    (found,) = succession.not_passing(old, TODAY)
    assert ("5253/27", False, "s0") == (found.article, found.settled, found.status.id)


def test_a_rename_keeps_the_former_name_and_number() -> None:
    about = organisation(registry_no="34-001-001")
    about.rename({"name": "Yeni Ad", "registry_no": "34-002-002"}, TODAY, TODAY)
    assert ([("Örnek Derneği", "34-001-001", TODAY)], {"34001001"}) == (
        [(each.name, each.registry_no, each.until) for each in about.former], set(about.former_number_keys),
    )  # fmt: skip
    assert about.rename({"name": "Yeni Ad"}, TODAY, TODAY) is None
    about.rename({"registry_no": "34-001-001"}, TODAY, TODAY)
    assert {"34002002"} == set(about.former_number_keys)


# what falls due


def test_the_next_audit_is_due_two_years_after_the_last_or_after_the_status_began() -> None:
    about = holding(date(2024, 2, 29))
    due = watch.audit_due(about, TODAY)
    assert due is not None
    assert (date(2026, 2, 28), "5253/27") == (due.due_on, due.article)
    about.note_audit(date(2025, 6, 1))
    about.note_audit(date(2025, 1, 1))
    later = watch.audit_due(about, TODAY)
    assert later is not None
    assert date(2027, 6, 1) == later.due_on


def test_an_audit_from_before_the_status_does_not_count() -> None:
    about = holding(date(2025, 1, 1))
    about.last_audit_on = date(2024, 12, 1)
    due = watch.audit_due(about, TODAY)
    assert due is not None
    assert date(2027, 1, 1) == due.due_on


def test_without_a_status_that_holds_nothing_falls_due() -> None:
    for about in (organisation(), holding(date(2020, 1, 1), date(2021, 1, 1)), holding(date(2027, 1, 1))):
        assert (None, None) == (watch.audit_due(about, TODAY), watch.status_ending(about, TODAY))
    gone = holding(date(2020, 1, 1), date(2027, 1, 1))
    gone.give_way(["h"], TODAY)
    assert (None, None) == (watch.audit_due(gone, TODAY), watch.status_ending(gone, TODAY))


def test_a_status_that_is_followed_at_once_by_another_does_not_end() -> None:
    ending = watch.status_ending(holding(date(2020, 1, 1), date(2026, 4, 1)), TODAY)
    assert ending is not None
    assert date(2026, 4, 1) == ending.due_on
    row = holding(date(2020, 1, 1), date(2026, 4, 1), (date(2026, 4, 2), date(2026, 9, 1)))
    followed = watch.status_ending(row, TODAY)
    assert followed is not None
    assert date(2026, 9, 1) == followed.due_on
    assert watch.status_ending(holding(date(2020, 1, 1), date(2026, 4, 1), (date(2026, 4, 2), None)), TODAY) is None


@given(st.integers(-100, 200), st.lists(st.integers(-5, 120), min_size=1, max_size=4, unique=True))
def test_a_rung_is_reached_on_its_day_and_stays_so(days: int, rungs: list[int]) -> None:
    due = TODAY + timedelta(days=days)
    found = watch.reached(due, TODAY, rungs)
    assert sorted(rung for rung in rungs if days <= rung) == found


def test_an_audit_is_recorded_of_those_who_must_be_audited() -> None:
    about = holding(date(2020, 1, 1))
    usual: dict[str, Any] = {
        "outcome": watch.AuditOutcome.CONTINUES, "report_no": None, "source": None, "today": TODAY, "now": NOW, "by": "r",
    }  # fmt: skip
    assert date(2026, 1, 5) == watch.audit_of("a", about, audited_on=date(2026, 1, 5), **usual).audited_on
    with pytest.raises(Invalid):
        watch.audit_of("a", about, audited_on=TODAY + timedelta(days=1), **usual)
    for other, on in ((organisation(), TODAY), (about, date(2019, 1, 1))):
        with pytest.raises(Refused) as refusal:
            watch.audit_of("a", other, audited_on=on, **usual)
        assert "5253/27" == refusal.value.details["reasons"][0]["article"]
