"""People, the offices they hold, and what they may do for another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

from services.kernel.actor import (
    AUTHORITY_ROLES,
    CENTRAL_ROLES,
    MUNICIPAL_ROLES,
    ORGANISATION_ROLES,
    Actor,
)
from services.kernel.text import Sentence

USERNAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z")
AUTHORITY = re.compile(r"[VK]\d{2}(?:-\d{2,3})?\Z", re.ASCII)
SCOPE = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128
ALL = "all"

TENANT_KINDS = ("municipality", "authority", "organisation_id")
TenantKind = Literal["municipality", "authority", "organisation_id"]

Finding = tuple[str, Sentence]


@dataclass(frozen=True)
class User:
    """A person who signs in; offices are held through memberships."""

    id: str
    username: str
    full_name: str
    email: str | None
    active: bool
    created_at: datetime
    version: int


@dataclass(frozen=True)
class Membership:
    """An office held by a user from `valid_from` to `valid_to`, both days included; None is open-ended."""

    id: str
    user_id: str
    role: str
    municipality: str | None
    authority: str | None
    organisation_id: str | None
    valid_from: date
    valid_to: date | None
    version: int

    def holds_on(self, day: date) -> bool:
        """Whether the office is held on `day`."""
        return _within(self.valid_from, self.valid_to, day)


@dataclass(frozen=True)
class Delegation:
    """The right to act for the holder of a membership, within dates, scope and a legal basis.

    `scope` is "all", or the names of moves separated by commas.
    """

    id: str
    from_membership_id: str
    to_user_id: str
    valid_from: date
    valid_to: date
    scope: str
    basis: str
    version: int

    def holds_on(self, day: date) -> bool:
        """Whether the delegation is in force on `day`."""
        return _within(self.valid_from, self.valid_to, day)

    @property
    def moves(self) -> tuple[str, ...]:
        """The moves it allows; empty means all."""
        return moves_of(self.scope)


@dataclass(frozen=True)
class Seat:
    """An office that a user may act from today: held, or through a delegation."""

    membership: Membership
    delegated: bool = False
    moves: tuple[str, ...] = ()

    def actor(self, user_id: str) -> Actor:
        """The office as the services see it."""
        held = self.membership
        return Actor(
            role=held.role,
            user_id=user_id,
            membership_id=None if self.delegated else held.id,
            municipality=held.municipality,
            authority=held.authority,
            organisation_id=held.organisation_id,
            acting_for=held.id if self.delegated else None,
            scope=self.moves,
        )


def seats(
    own: Iterable[Membership], delegated: Iterable[tuple[Delegation, Membership]], today: date
) -> tuple[Seat, ...]:
    """The offices a user may act from today, those held first.

    A delegation ends with the membership it comes from. Several delegations of one
    membership add up; one's own membership is never narrowed by a delegation.
    """
    found = {held.id: Seat(held) for held in own if held.holds_on(today)}
    for delegation, membership in delegated:
        if not (delegation.holds_on(today) and membership.holds_on(today)):
            continue
        known = found.get(membership.id)
        if known is None:
            found[membership.id] = Seat(membership, delegated=True, moves=delegation.moves)
        elif known.delegated and known.moves:
            union = tuple(dict.fromkeys((*known.moves, *delegation.moves))) if delegation.moves else ()
            found[membership.id] = replace(known, moves=union)
    return tuple(found.values())


def fold_username(text: str) -> str:
    """The one spelling of a username: without blanks around it, in small letters."""
    return text.strip().lower()


def check_username(username: str) -> Iterator[Finding]:
    """Small Latin letters, digits, dot, hyphen and underscore; 1 to 64 characters."""
    if USERNAME.match(username) is None:
        yield (
            "username",
            Sentence(
                "Use small letters a to z, digits, dots, hyphens and underscores; begin and end with a letter or digit."
            ),
        )


def check_password(password: str, username: str, email: str | None) -> Iterator[Finding]:
    """Long, and not one of the person's own names (NIST SP 800-63B); no rules about kinds of characters."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        yield (
            "password",
            Sentence("A password has {least} to {most} characters.", least=SHORTEST_PASSWORD, most=LONGEST_PASSWORD),
        )
    own_names = {username, *([email.lower(), email.lower().partition("@")[0]] if email else [])}
    if password.strip().lower() in own_names:
        yield "password", Sentence("The password must not be the username or the e-mail address.")
    if len(set(password)) < _LEAST_DIFFERENT:
        yield "password", Sentence("The password repeats the same few characters. Choose another one.")


_LEAST_DIFFERENT = 5


def tenant_kind(role: str) -> TenantKind | None:
    """What an office of this role belongs to; None for a central office. KeyError for an unknown role."""
    return _TENANT_OF[role]


_TENANT_OF: dict[str, TenantKind | None] = {
    **dict.fromkeys(MUNICIPAL_ROLES, "municipality"),
    **dict.fromkeys(AUTHORITY_ROLES, "authority"),
    **dict.fromkeys(ORGANISATION_ROLES, "organisation_id"),
    **dict.fromkeys(CENTRAL_ROLES, None),
}


def check_membership(membership: Membership) -> Iterator[Finding]:
    """The tenant fits the role, and the dates make sense."""
    if membership.role not in _TENANT_OF:
        yield "role", Sentence("This role is not known.")
        return
    needed = tenant_kind(membership.role)
    for kind in TENANT_KINDS:
        given = getattr(membership, kind) is not None
        if kind == needed and not given:
            yield kind, _TENANT_NEEDED[kind]
        elif kind != needed and given:
            yield kind, Sentence("An office of this role does not belong here. Leave this field out.")
    if membership.authority is not None and AUTHORITY.match(membership.authority) is None:
        yield "authority", Sentence("Write it like this: {shape}.", shape="K34-35")
    yield from check_period(membership.valid_from, membership.valid_to)


_TENANT_NEEDED: dict[str, Sentence] = {
    "municipality": Sentence("Say which municipality the office belongs to."),
    "authority": Sentence("Say which civil authority the office belongs to."),
    "organisation_id": Sentence("Say which organisation the office belongs to."),
}


def check_period(valid_from: date, valid_to: date | None) -> Iterator[Finding]:
    """The last day is not before the first."""
    if valid_to is not None and valid_to < valid_from:
        yield "valid_to", Sentence("The last day lies before the first day, {first}.", first=valid_from)


def check_delegation(delegation: Delegation, membership: Membership) -> Iterator[Finding]:
    """Within the membership's dates, to somebody else, for named moves or all."""
    yield from check_period(delegation.valid_from, delegation.valid_to)
    if delegation.to_user_id == membership.user_id:
        yield "to_user_id", Sentence("Nobody delegates to themselves.")
    if delegation.valid_from < membership.valid_from:
        yield "valid_from", Sentence("The office itself is held only from {first}.", first=membership.valid_from)
    if membership.valid_to is not None and delegation.valid_to > membership.valid_to:
        yield "valid_to", Sentence("The office itself is held only until {last}.", last=membership.valid_to)
    names = moves_of(delegation.scope)
    if (delegation.scope != ALL and not names) or any(SCOPE.match(name) is None for name in names):
        yield "scope", Sentence('Say "all", or name the moves, separated by commas.')
    elif names and membership.role in CENTRAL_ROLES:
        yield "scope", Sentence("This office makes no moves; it can only be delegated as a whole.")


def moves_of(scope: str) -> tuple[str, ...]:
    """The moves of a scope as written; empty for "all"."""
    if scope.strip() == ALL:
        return ()
    return tuple(dict.fromkeys(name.strip() for name in scope.split(",") if name.strip()))


@dataclass(frozen=True)
class Attempts:
    """Failed sign-ins of one subject, a username or an address, since the last success or the last calm."""

    failures: int
    last_failed_at: datetime


CALM = timedelta(minutes=30)
"""After so long without a failure nothing is held against anyone."""


@dataclass(frozen=True)
class Patience:
    """How many failures are free, and how the waiting grows after them: it doubles up to `longest`."""

    free: int
    longest: timedelta
    calm: timedelta = CALM

    def wait(self, attempts: Attempts | None, now: datetime) -> timedelta:
        """How long the next attempt must still wait."""
        if attempts is None or attempts.failures < self.free or now - attempts.last_failed_at >= self.calm:
            return timedelta()
        # 2**20 seconds is far beyond any `longest`; the bound keeps the number small.
        delay = min(timedelta(seconds=2 ** min(attempts.failures - self.free, 20)), self.longest)
        return max(delay - (now - attempts.last_failed_at), timedelta())

    def failed(self, attempts: Attempts | None, now: datetime) -> Attempts:
        """The attempts after one more failure."""
        if attempts is None or now - attempts.last_failed_at >= self.calm:
            return Attempts(1, now)
        return Attempts(attempts.failures + 1, now)


OF_USERNAME = Patience(free=5, longest=timedelta(minutes=5))
OF_ADDRESS = Patience(free=50, longest=timedelta(minutes=1))


@dataclass(frozen=True)
class Session:
    """A sign-in: it ends at `expires_at`, after `idle` without a request, or when it is ended."""

    id: str
    user_id: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None

    def alive(self, now: datetime, idle: timedelta) -> bool:
        """Whether the sign-in still counts."""
        return self.ended_at is None and now < self.expires_at and now < self.seen_at + idle


def _within(first: date, last: date | None, day: date) -> bool:
    return first <= day and (last is None or day <= last)
