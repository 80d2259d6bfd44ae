"""A file whose partner's standing changes is flagged once for each cause, by evidence, and goes its way unchanged."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protocol_builder import CALENDAR, OFFICES, ORGANISATION, START, Walk, moment, standing

from services.contracts import protocols as contract
from services.kernel.actor import SYSTEM
from services.kernel.casework import ActRecord
from services.kernel.chain import faults
from services.kernel.errors import Refused
from services.kernel.workflow import Act
from services.protocols.adapters.audit import replay, replay_review
from services.protocols.domain import partner as partners
from services.protocols.domain.case import Party
from services.protocols.domain.partner import FLAG, FOLLOW, RETURN, SETTLE, Partner, Succession, partner_of

PERMISSIONS = ("exempt", "required", "not_possible")
STATUS = "5a1f0f6e-3f0a-4d5e-8c39-0d6f5b1c2e02"


def known(permission: str, version: int, *, state: str = "active", **status: Any) -> Partner:
    """The partner as the registry's event of this version told it."""
    told = {**standing(permission), "on": START.isoformat()}
    statuses = ({"id": STATUS, "valid_from": "2020-01-15", "valid_to": None, "revoked_on": None, **status},)
    return Partner(ORGANISATION, "Yer Çizenler", state, version, told, statuses)


def relying(permission: str = "exempt", *, stage: str = "council_agenda", version: int = 1) -> Walk:
    """A file whose newest decision relied on this standing, as asked at this version of the record."""
    walk = Walk(permission=permission)
    walk.to(stage)
    walk.case.standing = {
        **standing(permission), "organisation_id": ORGANISATION, "organisation_version": version,
        "on": START.isoformat(), "evidence": {"id": STATUS} if permission == "exempt" else None,
    }  # fmt: skip
    return walk


def look(walk: Walk, partner: Partner) -> list[Any]:
    return partners.compare(walk.case, partner, SYSTEM, moment(walk.on), walk.procedure, CALENDAR)


def settle(walk: Walk, outcome: str = "continues") -> list[Any]:
    act = Act(OFFICES["unit_officer"], {}, walk.on, moment(walk.on), walk.on)
    return partners.settle(walk.case, "Görüş", outcome, act, CALENDAR)


def moves(walk: Walk) -> list[str]:
    return [act.move for act in walk.case.new_acts if act.move in (FLAG, SETTLE, RETURN, FOLLOW)]


def unmoved(walk: Walk) -> Any:
    case = walk.case
    return copy.deepcopy((case.stage, case.since, case.last_on, case.clocks, case.facts, case.standing, case.shared))


@given(
    relied=st.sampled_from(PERMISSIONS[:2]),
    told=st.lists(st.sampled_from(PERMISSIONS), max_size=6),
    data=st.data(),
)
def test_however_news_are_ordered_and_repeated_the_flag_says_what_the_newest_says(
    relied: str, told: list[str], data: st.DataObject
) -> None:
    walk = relying(relied)
    before = unmoved(walk)
    news = [known(permission, version) for version, permission in enumerate(told, start=2)]
    order = data.draw(st.permutations([*news, *news])) if news else []
    newest: Partner | None = None
    seen = [relied]
    for each in order:
        if newest is None or each.version > newest.version:
            newest = each
        look(walk, newest)
        if str(newest.standing["permission"]) != seen[-1]:
            seen.append(str(newest.standing["permission"]))
    other = newest is not None and newest.standing["permission"] != relied
    assert other == (walk.case.review.get("state") == "open")
    expected = [RETURN if permission == relied else FLAG for permission in seen[1:]]
    assert expected == moves(walk)
    assert before == unmoved(walk)
    acts: list[ActRecord] = walk.case.new_acts
    assert [] == faults((act.number, act.previous_hash, act.hash, act.content()) for act in acts)
    assert (walk.case.review, walk.case.facts) == (replay_review(acts), replay(acts))


def test_news_that_are_older_than_what_the_file_asked_itself_flag_nothing() -> None:
    walk = relying("exempt", version=5)
    assert [] == look(walk, known("required", 4))
    assert [] == look(walk, known("required", 5))
    assert 1 == len(look(walk, known("required", 6)))


@pytest.mark.parametrize("stage", ["drafting", "transmittal", "signing", "in_force"])
def test_a_file_is_flagged_at_any_open_stage_also_in_force(stage: str) -> None:
    walk = relying("required", stage=stage)
    (event,) = look(walk, known("exempt", 2))
    assert ("protocol.flagged.v1", "required", "exempt", stage) == (event.name, event.was, event.now, event.stage)


def test_a_file_that_has_ended_is_left_alone() -> None:
    walk = relying("exempt")
    walk.do("withdraw")
    assert [] == look(walk, known("required", 2))


@pytest.mark.parametrize(
    ("relied", "found", "expected"),
    [
        ("exempt", known("required", 2, revoked_on="2026-09-01", revocation_no="2026/7"), "status_revoked"),
        ("exempt", known("required", 2, revoked_on="2026-09-01"), "status_revoked"),
        ("exempt", known("required", 2, valid_to="2026-08-31"), "status_ended"),
        ("exempt", known("required", 2, valid_from="2027-01-01"), "status_corrected"),
        ("exempt", known("required", 2, valid_from="2027-01-01", valid_to="2029-01-01"), "status_corrected"),
        ("exempt", known("required", 2, id="another"), "status_corrected"),
        ("exempt", known("not_possible", 2, state="dissolved"), "dissolved"),
        ("required", known("exempt", 2), "status_recorded"),
        ("required", known("legal_review", 2, valid_from="2027-01-01"), "record_changed"),
    ],
)
def test_the_flag_names_its_cause(relied: str, found: Partner, expected: str) -> None:
    walk = relying(relied)
    look(walk, found)
    review = walk.case.review
    assert (expected, relied, found.standing["permission"], 2) == (
        review["cause_code"], review["was"]["permission"], review["now"]["permission"],
        review["evidence"]["organisation_version"],
    )  # fmt: skip


def test_a_settled_cause_is_not_raised_again_but_another_one_is() -> None:
    walk = relying("exempt")
    look(walk, known("required", 2))
    settle(walk)
    assert [] == look(walk, known("required", 3))
    look(walk, known("not_possible", 4, state="dissolved"))
    assert ("open", [FLAG, SETTLE, FLAG]) == (walk.case.review["state"], moves(walk))


def test_a_status_that_comes_back_and_goes_again_after_an_opinion_is_raised_again() -> None:
    walk = relying("exempt")
    look(walk, known("required", 2))
    settle(walk, "seek_permission")
    look(walk, known("exempt", 3))
    assert ("settled", "seek_permission") == (walk.case.review["state"], walk.case.review["settled"]["outcome"])
    look(walk, known("required", 4))
    assert ("open", [FLAG, SETTLE, RETURN, FLAG]) == (walk.case.review["state"], moves(walk))


def test_a_second_revocation_is_raised_also_where_the_file_asked_between_them_itself() -> None:
    walk = relying("exempt", version=4)
    look(walk, known("required", 5))
    settle(walk, "seek_permission")
    walk.case.standing["organisation_version"] = 6  # a move asked before the event of the new grant came
    assert [] == look(walk, known("exempt", 6))
    look(walk, known("required", 7))
    assert ("open", [FLAG, SETTLE, FLAG]) == (walk.case.review["state"], moves(walk))
    assert [] == look(walk, known("required", 8))


def test_a_decision_that_took_the_new_standing_leaves_the_flag_to_be_settled() -> None:
    walk = relying("exempt", stage="council_decision")
    look(walk, known("required", 2))
    walk.permission = "required"
    walk.do("accept")
    assert [] == look(walk, known("required", 3))
    assert "open" == walk.case.review["state"]
    settle(walk)
    assert "settled" == walk.case.review["state"]


def test_a_review_is_settled_once() -> None:
    walk = relying("exempt")
    with pytest.raises(Refused):
        settle(walk)
    look(walk, known("required", 2))
    (event,) = settle(walk)
    assert ("protocol.review_settled.v1", "continues") == (event.name, event.outcome)
    with pytest.raises(Refused):
        settle(walk)


def test_the_contract_knows_the_outcomes_of_a_review() -> None:
    assert contract.REVIEW_OUTCOMES == partners.OUTCOMES


A, B, C = (f"6f1c2f3e-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def succession(old: str, heir: str, version: int, *, heir_version: int = 1, kind: str = "merge") -> Succession:
    told = {**standing("exempt"), "on": START.isoformat()}
    return Succession(old, version, kind, START, Party(heir, f"Dernek {heir[-1]}{kind}"), heir_version, told)


def catch_up(walk: Walk, told: list[Succession]) -> None:
    """As the application does it."""
    while found := partners.next_to_follow(walk.case, told):
        partners.follow(walk.case, found, SYSTEM, moment(walk.on), CALENDAR)


@pytest.mark.parametrize("order", [(A, B), (B, A)])
def test_a_file_follows_a_chain_of_successions_in_whatever_order_they_are_told(order: tuple[str, str]) -> None:
    walk = relying("exempt")
    chain = {A: succession(A, B, 2), B: succession(B, C, 7)}
    told: list[Succession] = []
    for each in order:
        told.append(chain[each])
        catch_up(walk, told)
        catch_up(walk, told)
    assert (C, [FOLLOW, FLAG, FOLLOW, FLAG]) == (walk.case.organisation.id, moves(walk))
    assert (C, walk.case.organisation.name) == partner_of(walk.case.new_acts)


def test_a_name_that_the_heir_bore_before_is_not_given_back_to_it() -> None:
    walk = relying("exempt")
    told = [succession(A, B, 2, heir_version=5), succession(B, B, 4, heir_version=4, kind="rename")]
    catch_up(walk, told)
    assert "Dernek 2merge" == walk.case.organisation.name


@given(order=st.permutations(range(4)))
def test_of_several_successions_none_is_lost_and_the_first_that_passes_the_files_on_decides(order: list[int]) -> None:
    told = [
        succession(A, A, 2, kind="rename"),
        succession(A, B, 3, kind="split"),
        succession(A, A, 5, kind="rename"),
        succession(A, C, 7, kind="split"),
    ]
    walk, known_so_far = relying("exempt"), []
    for number in order:
        known_so_far.append(told[number])
        catch_up(walk, known_so_far)
    first = B if order.index(1) < order.index(3) else C
    assert (first, 1) == (walk.case.organisation.id, moves(walk).count(FLAG))
    catch_up(fresh := relying("exempt"), told)
    assert (B, 1) == (fresh.case.organisation.id, moves(fresh).count(FLAG))


def test_a_file_that_chose_its_partner_after_a_split_stays_with_it() -> None:
    walk = relying("exempt")
    walk.case.party_version = 3
    catch_up(walk, [succession(A, B, 3, kind="split")])
    assert (A, []) == (walk.case.organisation.id, moves(walk))


def test_a_rename_changes_the_name_and_flags_nothing() -> None:
    walk = relying("exempt")
    catch_up(walk, [succession(A, A, 2, heir_version=2, kind="rename")])
    assert ("Dernek 1rename", [FOLLOW], {}) == (walk.case.organisation.name, moves(walk), walk.case.review)


def test_a_merger_is_reviewed_even_where_the_permission_stays_the_same() -> None:
    walk = relying("exempt")
    catch_up(walk, [succession(A, B, 2)])
    heir = known("exempt", 1)
    assert [] == look(walk, Partner(B, heir.name, heir.state, 1, heir.standing, heir.statuses))
    assert ("succession", "open") == (walk.case.review["cause_code"], walk.case.review["state"])


def test_an_act_beside_the_way_binds_no_date_of_later_acts() -> None:
    walk = relying("exempt", stage="council_decision")
    walk.on += timedelta(days=3)
    look(walk, known("required", 2))
    walk.do("accept", sitting_on=walk.on - timedelta(days=2))
    assert "mayor_check" == walk.case.stage
