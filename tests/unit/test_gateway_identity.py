"""Who may act for whom, when, and how long a guesser must wait."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.identity.domain import (
    OF_ADDRESS,
    OF_USERNAME,
    Attempts,
    Delegation,
    Membership,
    Session,
    check_delegation,
    check_membership,
    check_password,
    check_username,
    seats,
)
from services.kernel.actor import ROLES, Actor

TODAY = date(2026, 5, 22)
NOON = datetime(2026, 5, 22, 9, tzinfo=UTC)
MAYOR = Membership("m1", "u1", "mayor", "34-35", None, None, date(2024, 4, 1), None, 1)
TENANTS = {"municipality": "34-35", "authority": "K34-35", "organisation_id": "o1"}
NEEDED = {
    "unit_officer": "municipality",
    "registry_clerk": "municipality",
    "mayor": "municipality",
    "commission_rapporteur": "municipality",
    "authority_clerk": "authority",
    "authority_head": "authority",
    "organisation_representative": "organisation_id",
    "registrar": None,
    "auditor": None,
    "administrator": None,
}


def delegation(
    scope: str = "all", first: date = TODAY, last: date = TODAY, of: Membership = MAYOR, to: str = "u2"
) -> Delegation:
    return Delegation("d1", of.id, to, first, last, scope, "Başkanlık oluru 2026/7", 1)


def test_an_office_is_held_on_its_first_and_its_last_day() -> None:
    held = Membership("m", "u", "mayor", "34-35", None, None, TODAY, TODAY, 1)
    assert [False, True, False] == [held.holds_on(TODAY + timedelta(days=n)) for n in (-1, 0, 1)]


def test_a_member_acts_in_their_own_name() -> None:
    (seat,) = seats([MAYOR], [], TODAY)
    assert Actor("mayor", user_id="u1", membership_id="m1", municipality="34-35") == seat.actor("u1")


def test_a_delegate_has_the_delegators_office_and_is_recorded_as_acting_for_it() -> None:
    (seat,) = seats([], [(delegation("sign, transmit"), MAYOR)], TODAY)
    expected = Actor("mayor", user_id="u2", municipality="34-35", acting_for="m1", scope=("sign", "transmit"))
    assert expected == seat.actor("u2")


def test_a_delegation_ends_with_the_membership_it_comes_from() -> None:
    gone = Membership("m1", "u1", "mayor", "34-35", None, None, date(2024, 4, 1), TODAY - timedelta(days=1), 1)
    assert () == seats([], [(delegation(), gone)], TODAY)


@pytest.mark.parametrize("shift", [-1, 1])
def test_a_delegation_holds_only_within_its_dates(shift: int) -> None:
    day = TODAY + timedelta(days=shift)
    assert () == seats([], [(delegation(), MAYOR)], day)


def test_two_delegations_of_one_office_add_up() -> None:
    given_twice = [(delegation("sign"), MAYOR), (delegation("terminate"), MAYOR)]
    (seat,) = seats([], given_twice, TODAY)
    assert ("sign", "terminate") == seat.moves


@pytest.mark.parametrize("scopes", [("all", "sign"), ("sign", "all")])
def test_a_whole_delegation_is_not_narrowed_by_a_limited_one(scopes: tuple[str, str]) -> None:
    (seat,) = seats([], [(delegation(scope), MAYOR) for scope in scopes], TODAY)
    assert () == seat.moves


def test_ones_own_office_is_not_narrowed_by_a_delegation() -> None:
    (seat,) = seats([MAYOR], [(delegation("sign"), MAYOR)], TODAY)
    assert (False, ()) == (seat.delegated, seat.moves)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("given_kind", [None, *TENANTS])
def test_every_role_belongs_to_exactly_its_kind_of_tenant(role: str, given_kind: str | None) -> None:
    tenant = {kind: TENANTS[kind] if kind == given_kind else None for kind in TENANTS}
    membership = Membership("m", "u", role, **tenant, valid_from=TODAY, valid_to=None, version=1)
    assert (NEEDED[role] == given_kind) == (not list(check_membership(membership)))


def test_an_unknown_role_is_refused() -> None:
    membership = Membership("m", "u", "sultan", None, None, None, TODAY, None, 1)
    assert ["role"] == [field for field, _ in check_membership(membership)]


@pytest.mark.parametrize("code", ["K34", "34-35", "X34-35", "V34-3535", "K34-35\n", "v34"])
def test_an_authority_that_is_not_written_like_one_is_refused(code: str) -> None:
    membership = Membership("m", "u", "authority_head", None, code, None, TODAY, None, 1)
    expected = [] if code == "K34" else ["authority"]
    assert expected == [field for field, _ in check_membership(membership)]


def test_an_office_does_not_end_before_it_begins() -> None:
    membership = Membership("m", "u", "auditor", None, None, None, TODAY, TODAY - timedelta(days=1), 1)
    assert ["valid_to"] == [field for field, _ in check_membership(membership)]


@pytest.mark.parametrize(
    ("made", "fields"),
    [
        (delegation(), []),
        (delegation("sign,terminate"), []),
        (delegation(to="u1"), ["to_user_id"]),
        (delegation(first=date(2024, 3, 31)), ["valid_from"]),
        (delegation(last=TODAY - timedelta(days=1)), ["valid_to"]),
        (delegation(", ,"), ["scope"]),
        (delegation("Sign It"), ["scope"]),
    ],
)
def test_a_delegation_stays_within_the_office_and_names_its_moves(made: Delegation, fields: list[str]) -> None:
    assert fields == [field for field, _ in check_delegation(made, MAYOR)]


def test_a_central_office_is_delegated_as_a_whole_only() -> None:
    registrar = Membership("m1", "u1", "registrar", None, None, None, date(2024, 4, 1), None, 1)
    assert ["scope"] == [field for field, _ in check_delegation(delegation("sign", of=registrar), registrar)]
    assert [] == list(check_delegation(delegation("all", of=registrar), registrar))


@pytest.mark.parametrize("username", ["sisli.clerk", "kedv", "a", "sisli.kaymakam.clerk", "65yas"])
def test_usernames_of_small_letters_digits_and_dots_are_taken(username: str) -> None:
    assert [] == list(check_username(username))


@pytest.mark.parametrize("username", ["", ".a", "a.", "A", "ışık", "a b", "a@b", "a" * 65, "a\n"])
def test_other_usernames_are_refused(username: str) -> None:
    assert ["username"] == [field for field, _ in check_username(username)]


@pytest.mark.parametrize(
    "password", ["short", "x" * 129, "sisli.clerk.sisli", "clerk@example.org", "aaaaaaaaaaaaaaa", "abababababab"]
)
def test_weak_passwords_are_refused(password: str) -> None:
    findings = list(check_password(password, "sisli.clerk.sisli", "clerk@example.org"))
    assert {"password"} == {field for field, _ in findings}


def test_a_long_sentence_is_a_good_password() -> None:
    assert [] == list(check_password("üç kuruşa beş köfte yok", "sisli.clerk", None))


def test_a_guesser_waits_twice_as_long_after_every_failure() -> None:
    attempts, waits = None, []
    for _ in range(9):
        attempts = OF_USERNAME.failed(attempts, NOON)
        waits.append(OF_USERNAME.wait(attempts, NOON).total_seconds())
    assert [0, 0, 0, 0, 1, 2, 4, 8, 16] == waits


def test_the_waiting_has_an_end_and_is_forgotten_after_a_calm() -> None:
    attempts = Attempts(10_000, NOON)
    assert timedelta(minutes=5) == OF_USERNAME.wait(attempts, NOON)
    assert timedelta() == OF_USERNAME.wait(attempts, NOON + timedelta(minutes=5))
    assert Attempts(1, NOON + timedelta(hours=1)) == OF_USERNAME.failed(attempts, NOON + timedelta(hours=1))


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_nobody_waits_longer_than_the_longest_wait(failures: int, seconds: int) -> None:
    for patience in (OF_USERNAME, OF_ADDRESS):
        wait = patience.wait(Attempts(failures, NOON), NOON + timedelta(seconds=seconds))
        assert timedelta() <= wait <= patience.longest


@pytest.mark.parametrize(
    ("minutes", "seen", "ended", "alive"),
    [
        (0, 0, None, True),
        (59, 0, None, True),
        (60, 0, None, False),
        (100, 80, None, True),
        (719, 718, None, True),
        (720, 719, None, False),
        (5, 0, 4, False),
    ],
)
def test_a_sign_in_ends_by_age_by_idleness_and_by_signing_out(
    minutes: int, seen: int, ended: int | None, alive: Any
) -> None:
    def at(minute: int) -> datetime:
        return NOON + timedelta(minutes=minute)

    session = Session("s", "u", NOON, at(720), at(seen), None if ended is None else at(ended))
    assert alive == session.alive(at(minutes), timedelta(minutes=60))
