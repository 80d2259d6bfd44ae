"""Votes of the council: 5393 art. 22 and 23."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from protocol_builder import votes

from services.protocols.domain.vote import Votes, majority, quarter


def test_a_majority_is_more_than_half() -> None:
    assert [1, 2, 2, 3, 3, 19, 157] == [majority(n) for n in (1, 2, 3, 4, 5, 37, 312)]


def test_a_quarter_is_rounded_up() -> None:
    assert [1, 1, 2, 10, 78] == [quarter(n) for n in (1, 4, 5, 37, 312)]


def test_votes_that_do_not_add_up_show_the_arithmetic() -> None:
    said = votes(20, 5, 0, present=30).fault()
    assert "20 accepting, 5 rejecting and 0 abstaining make 25, but 30 were present." == str(said)


def test_recused_members_are_not_among_those_present() -> None:
    assert votes(20, 10, 5, recused=2).fault() is None
    assert votes(20, 10, 5, recused=3).fault() is not None


def test_half_of_the_full_membership_is_no_quorum() -> None:
    assert votes(18, 0, full=36).quorum_fault() is not None
    assert votes(19, 0, full=36).quorum_fault() is None


def test_a_sitting_called_again_needs_a_quarter() -> None:
    assert votes(10, 0, full=37, reconvened=True).quorum_fault() is None
    assert votes(9, 0, full=37, reconvened=True).quorum_fault() is not None


def test_more_than_half_of_those_present_accepts() -> None:
    assert votes(10, 9, 0).accepting_fault() is None
    assert votes(10, 5, 5).accepting_fault() is not None


def test_fewer_than_a_quarter_of_full_membership_never_accepts() -> None:
    assert votes(9, 0, full=37, reconvened=True).accepting_fault() is not None


def test_an_open_tie_follows_the_chair() -> None:
    assert votes(10, 10, chair="accept").accepting_fault() is None
    assert votes(10, 10, chair="reject").accepting_fault() is not None
    assert "which side the chair took" in str(votes(10, 10).accepting_fault())


def test_a_tie_with_abstentions_misses_the_majority_of_those_present() -> None:
    assert votes(10, 10, 1, chair="accept").accepting_fault() is not None


def test_a_secret_tie_is_decided_by_lot_and_not_by_the_chair() -> None:
    assert votes(10, 10, mode="secret", chair="accept").accepting_fault() is not None
    assert votes(10, 10, mode="secret", lot="accept").accepting_fault() is None
    assert votes(10, 10, mode="secret", lot="reject").accepting_fault() is not None


def test_insisting_counts_absent_members() -> None:
    assert votes(19, 0, full=37).insisting_fault() is None
    assert votes(18, 1, full=37).insisting_fault() is not None


def test_a_full_membership_left_out_is_the_municipalitys() -> None:
    plain = {"mode": "open", "present": 20, "accept": 20, "reject": 0, "abstain": 0, "full_membership": None}
    assert 37 == Votes.from_plain(plain, 37).full_membership
    assert "not known" in str(Votes.from_plain(plain, None).fault())


numbers = st.integers(0, 400)


@given(numbers, numbers, numbers, st.integers(1, 400))
def test_votes_that_accept_hold_a_majority_or_a_settled_tie(accept: int, reject: int, abstain: int, full: int) -> None:
    cast = votes(accept, reject, abstain, full=full, chair="accept")
    if cast.accepting_fault() is None:
        assert accept * 4 >= full
        assert accept * 2 > accept + reject + abstain or (accept == reject and abstain == 0)


@given(numbers, numbers, numbers, st.integers(1, 400))
def test_one_more_accepting_vote_never_turns_acceptance_into_refusal(
    accept: int, reject: int, abstain: int, full: int
) -> None:
    before, after = (votes(accept + more, reject, abstain, full=full, chair="accept") for more in (0, 1))
    # The only exception the law makes: a tie settled by the chair is no longer a tie, and abstentions then count.
    if before.accepting_fault() is None and not before.is_tie:
        assert after.accepting_fault() is None


@given(numbers, st.integers(1, 400))
def test_a_council_that_insists_would_also_have_accepted(accept: int, full: int) -> None:
    cast = votes(accept, 0, full=full)
    if cast.insisting_fault() is None:
        assert cast.accepting_fault() is None
