"""What can be done with users, offices, delegations and sign-ins; ports are Protocols.

Two times are used. Offices are held by the day of the system (`today`), which the demo
clock may move. Sign-ins and their throttling follow the true time (`wall`), since they
protect against people, not against the law's calendar.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
import unicodedata
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from services.gateway.errors import Throttled, Unauthenticated
from services.gateway.identity import domain
from services.gateway.identity.domain import (
    OF_ADDRESS,
    OF_USERNAME,
    Attempts,
    Delegation,
    Finding,
    Membership,
    Patience,
    Seat,
    Session,
    User,
)
from services.kernel.actor import Actor
from services.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from services.kernel.text import Sentence

SEEN_EVERY = timedelta(minutes=1)
"""A request writes the time of its sign-in at most so often."""

KEPT_AFTER_END = timedelta(days=30)


@dataclass(frozen=True)
class Account:
    """A user and the password's hash."""

    user: User
    password_hash: str


@dataclass(frozen=True)
class Replay:
    """The session that an Idempotency-Key opened, and what its token is made from."""

    session: Session
    token_sha256: str
    salt: bytes


@dataclass(frozen=True)
class Behind:
    """Whose token it is, with all memberships and delegations, whatever their dates."""

    session: Session
    user: User
    held: tuple[Membership, ...]
    delegated: tuple[tuple[Delegation, Membership], ...]


Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Found(Generic[Thing]):
    """One page of a list."""

    items: tuple[Thing, ...]
    total: int


class Repository(Protocol):
    """The identity tables, inside one transaction."""

    def account(self, username: str) -> Account | None:
        """The user of that name, with the password's hash."""

    def account_of(self, user_id: str) -> Account | None:
        """The user with that id, with the password's hash."""

    def lock_user(self, user_id: str) -> User | None:
        """The user, locked until the transaction ends."""

    def add_user(self, user: User, password_hash: str) -> bool:
        """False when the username is taken."""

    def save_user(self, user: User, password_hash: str | None) -> None:
        """The user as given; the password stays where no hash is given."""

    def users(self, query: str | None, page: int, size: int) -> Found[User]:
        """Those whose username or full name holds `query`."""

    def membership(self, membership_id: str, *, lock: bool = False) -> Membership | None:
        """The membership with that id."""

    def add_membership(self, membership: Membership) -> None:
        """A new row."""

    def save_membership(self, membership: Membership) -> None:
        """The membership as given."""

    def memberships(self, user_id: str | None, role: str | None, page: int, size: int) -> Found[Membership]:
        """The newest first."""

    def held_by(self, user_id: str) -> Sequence[Membership]:
        """All memberships of the user, whatever their dates."""

    def delegation(self, delegation_id: str, *, lock: bool = False) -> Delegation | None:
        """The delegation with that id."""

    def add_delegation(self, delegation: Delegation) -> None:
        """A new row."""

    def save_delegation(self, delegation: Delegation) -> None:
        """The delegation as given."""

    def delegations(
        self, to_user_id: str | None, from_membership_id: str | None, page: int, size: int
    ) -> Found[Delegation]:
        """The newest first."""

    def delegated_to(self, user_id: str) -> Sequence[tuple[Delegation, Membership]]:
        """All delegations to the user, whatever their dates, with the memberships they come from."""

    def holders(self, offices: Collection[str], on: date) -> Iterable[tuple[str, User]]:
        """(office, user) for every active user who holds one of the offices that day, or acts for its holder."""

    def active_users(self, user_ids: Collection[str]) -> Sequence[User]:
        """Those of the users who are not switched off."""

    def add_session(self, session: Session, token_sha256: str, key_sha256: str | None, salt: bytes | None) -> bool:
        """False when a session with that key is there already."""

    def behind(self, token_sha256: str) -> Behind | None:
        """Whose token it is."""

    def session_by_key(self, user_id: str, key_sha256: str) -> Replay | None:
        """The session that an Idempotency-Key opened."""

    def seen(self, session_id: str, now: datetime) -> None:
        """The session was used just now."""

    def end_session(self, session_id: str, now: datetime) -> None:
        """The session no longer counts."""

    def end_sessions_of(self, user_id: str, now: datetime) -> None:
        """No session of the user counts any longer."""

    def forget_sessions(self, user_id: str, before: datetime) -> None:
        """Remove the user's sessions that expired long ago."""

    def attempts(self, subject: str, *, lock: bool = False) -> Attempts | None:
        """The failed sign-ins counted for a subject."""

    def save_attempts(self, subject: str, attempts: Attempts) -> None:
        """The attempts as given."""

    def forget_attempts(self, subject: str) -> None:
        """Begin to count anew."""

    def forget_attempts_before(self, moment: datetime) -> None:
        """Remove up to 100 counts that no longer matter, and wait for none that is in use."""

    def remembered(self, actor: Actor, key: str, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """The first answer to this key."""

    def remember(self, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""


class Store(Protocol):
    """Transactions over the identity tables."""

    def read(self) -> AbstractContextManager[Repository]:
        """For questions only."""

    def write(self) -> AbstractContextManager[Repository]:
        """One transaction, committed at the end of the block."""


class Passwords(Protocol):
    """The slow functions; they must not be called inside a transaction."""

    def hash(self, password: str) -> str:
        """The hash to keep."""

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; None, an unknown user, takes as long and is False."""

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""

    def derive(self, secret: str, salt: bytes) -> str:
        """256 bits from a secret and a salt, as costly as a password check."""


@dataclass(frozen=True)
class Desk:
    """What the commands below need."""

    store: Store
    passwords: Passwords
    wall: Callable[[], datetime]
    today: Callable[[], date]
    lifetime: timedelta
    idle: timedelta


@dataclass(frozen=True)
class SignedIn:
    """Who is behind a token, and the offices they may act from today."""

    session: Session
    user: User
    seats: tuple[Seat, ...]
    token: str | None = None


def sign_in(desk: Desk, username: str, password: str, address: str, key: str | None = None) -> SignedIn:
    """Open a session; its token is returned once and kept as a hash only.

    Unknown users take as long as wrong passwords and are answered the same. With `key`,
    a repeated call gives the same token: it is derived from password, key and a random
    salt, as slowly as a password is checked, so that nothing stored reveals it.

    Raises Unauthenticated, Throttled.
    """
    password = _normal(password)
    for _ in range(3):
        signed_in = _try_sign_in(desk, domain.fold_username(username), password, address, key)
        if signed_in is not None:
            return signed_in
    raise Unavailable(Sentence("The same sign-in is being made several times at once. Try again in a moment."))


def _try_sign_in(desk: Desk, username: str, password: str, address: str, key: str | None) -> SignedIn | None:
    """The session; None when a copy of this request was faster and its answer must be read."""
    now = desk.wall()
    subjects = _subjects(username, address)
    key_sha256 = _sha256(key) if key else None
    with desk.store.read() as repository:
        for subject, patience in subjects:
            _demand_patience(patience, repository.attempts(subject), now)
        account = repository.account(username)
        first = repository.session_by_key(account.user.id, key_sha256) if account and key_sha256 else None

    right = desk.passwords.matches(account.password_hash if account else None, password)
    new_hash = (
        desk.passwords.hash(password) if right and account and desk.passwords.outdated(account.password_hash) else None
    )
    salt = first.salt if first else secrets.token_bytes(16)
    token = desk.passwords.derive(f"{password}\x00{key}", salt) if right and key else secrets.token_urlsafe(32)

    with desk.store.write() as repository:
        tries = [(subject, patience, repository.attempts(subject, lock=True)) for subject, patience in subjects]
        # Asked again: guesses that ran side by side must not all get through.
        for _, patience, attempts in tries:
            _demand_patience(patience, attempts, now)
        user = account.user if account else None
        if user is None or not user.active or not right:
            for subject, patience, attempts in tries:
                repository.save_attempts(subject, patience.failed(attempts, now))
            repository.forget_attempts_before(now - domain.CALM)
            opened = None
        else:
            repository.forget_attempts(subjects[0][0])
            if first is not None:
                opened = _replayed(first, token)
            else:
                opened = Session(str(uuid.uuid4()), user.id, now, now + desk.lifetime, now)
                repository.forget_sessions(user.id, now - KEPT_AFTER_END)
                added = repository.add_session(opened, _sha256(token), key_sha256, salt if key else None)
                if not added:
                    return None
            if new_hash is not None:
                repository.save_user(user, new_hash)
            held, delegated = repository.held_by(user.id), repository.delegated_to(user.id)
    if opened is None or user is None:
        raise Unauthenticated(Sentence("Username or password is wrong."), code="wrong_credentials")
    return SignedIn(opened, user, domain.seats(held, delegated, desk.today()), token)


def _replayed(first: Replay, token: str) -> Session:
    if not secrets.compare_digest(_sha256(token), first.token_sha256):
        raise _key_reused()
    return first.session


def signed_in(desk: Desk, token: str) -> SignedIn:
    """Who is behind the token; Unauthenticated when nobody is any longer."""
    now = desk.wall()
    with desk.store.read() as repository:
        found = repository.behind(_sha256(token))
    if found is None or not found.session.alive(now, desk.idle) or not found.user.active:
        raise Unauthenticated(Sentence("You are not signed in, or your sign-in has ended. Sign in again."))
    session = found.session
    if now - session.seen_at >= SEEN_EVERY:
        with desk.store.write() as repository:
            repository.seen(session.id, now)
    return SignedIn(session, found.user, domain.seats(found.held, found.delegated, desk.today()))


def sign_out(desk: Desk, session_id: str) -> None:
    """End the session now; ending it twice changes nothing."""
    with desk.store.write() as repository:
        repository.end_session(session_id, desk.wall())


@dataclass(frozen=True)
class NewUser:
    """What is needed to make a user."""

    username: str
    password: str
    full_name: str
    email: str | None = None


def create_user(desk: Desk, actor: Actor, new: NewUser, key: str) -> User:
    """A user who can sign in; Invalid for a taken username or a weak password."""
    username, password = domain.fold_username(new.username), _normal(new.password)
    _demand([*domain.check_username(username), *domain.check_password(password, username, new.email)])
    password_hash = desk.passwords.hash(password)
    request = {"command": "create_user", "username": username, "full_name": new.full_name, "email": new.email}
    now = desk.wall()
    user = User(str(uuid.uuid4()), username, new.full_name.strip(), new.email, active=True, created_at=now, version=1)
    with desk.store.write() as repository:
        first = repository.remembered(actor, key, request, now)
        if first is None:
            if not repository.add_user(user, password_hash):
                raise Invalid.field("username", Sentence("This username is taken."))
            repository.remember(actor, key, {"id": user.id})
            return user
        account = repository.account_of(first["id"])
    # The password is no part of the remembered request, since a fast hash of it must not be kept.
    if account is None or not desk.passwords.matches(account.password_hash, password):
        raise _key_reused()
    return account.user


@dataclass(frozen=True)
class UserChange:
    """New values; None leaves a value as it is."""

    full_name: str | None = None
    email: str | None = None
    password: str | None = None
    active: bool | None = None


def change_user(desk: Desk, user_id: str, change: UserChange, expected_version: int | None) -> User:
    """Correct a user, set a new password, or switch the user off; the last two end all sign-ins."""
    with desk.store.read() as repository:
        account = repository.account_of(user_id)
    if account is None:
        raise _no_such_user()
    password_hash = None
    if change.password is not None:
        password = _normal(change.password)
        email = account.user.email if change.email is None else change.email
        _demand(domain.check_password(password, account.user.username, email))
        password_hash = desk.passwords.hash(password)
    with desk.store.write() as repository:
        user = repository.lock_user(user_id)
        if user is None:
            raise _no_such_user()
        _demand_version(user.version, expected_version)
        changed = replace(
            user,
            full_name=user.full_name if change.full_name is None else change.full_name.strip(),
            email=user.email if change.email is None else change.email,
            active=user.active if change.active is None else change.active,
            version=user.version + 1,
        )
        repository.save_user(changed, password_hash)
        if password_hash is not None or not changed.active:
            repository.end_sessions_of(user_id, desk.wall())
    return changed


def holders(desk: Desk, offices: Collection[str], on: date) -> dict[str, list[User]]:
    """Who holds each of the offices (`<role>@<tenant>`) on that day, delegates of the whole office included.

    Users who are switched off hold nothing; an office that nobody holds has an empty list.
    """
    found: dict[str, dict[str, User]] = {office: {} for office in offices}
    with desk.store.read() as repository:
        for office, holder in repository.holders(offices, on):
            found[office][holder.id] = holder
    return {office: list(people.values()) for office, people in found.items()}


def mailboxes(desk: Desk, user_ids: Collection[str]) -> dict[str, str | None]:
    """The e-mail address of each of the users; None for whoever has none, is switched off or does not exist."""
    with desk.store.read() as repository:
        known = {each.id: each.email for each in repository.active_users(user_ids)}
    return {user_id: known.get(user_id) for user_id in user_ids}


def user(desk: Desk, user_id: str) -> User:
    """The user, or NotFound."""
    with desk.store.read() as repository:
        account = repository.account_of(user_id)
    if account is None:
        raise _no_such_user()
    return account.user


def users(desk: Desk, query: str | None, page: int, size: int) -> Found[User]:
    """Users by name, those first whose username comes first."""
    with desk.store.read() as repository:
        return repository.users(query, page, size)


def grant_membership(desk: Desk, actor: Actor, membership: Membership, key: str) -> Membership:
    """Give a user an office; whether its tenant exists was asked before."""
    _demand(domain.check_membership(membership))
    request = {"command": "grant_membership", **_dated(membership)}
    with desk.store.write() as repository:
        first = repository.remembered(actor, key, request, desk.wall())
        if first is not None:
            known = repository.membership(first["id"])
            if known is not None:
                return known
        if repository.account_of(membership.user_id) is None:
            raise Invalid.field("user_id", Sentence("There is no such user."))
        repository.add_membership(membership)
        repository.remember(actor, key, {"id": membership.id})
    return membership


def end_membership(desk: Desk, membership_id: str, valid_to: date | None, expected_version: int | None) -> Membership:
    """Set the last day of an office; None makes it open-ended again."""
    with desk.store.write() as repository:
        membership = repository.membership(membership_id, lock=True)
        if membership is None:
            raise NotFound(Sentence("There is no such membership."))
        _demand_version(membership.version, expected_version)
        changed = replace(membership, valid_to=valid_to, version=membership.version + 1)
        _demand(domain.check_period(changed.valid_from, changed.valid_to))
        repository.save_membership(changed)
    return changed


def membership(desk: Desk, membership_id: str) -> Membership:
    """The membership, or NotFound."""
    with desk.store.read() as repository:
        found = repository.membership(membership_id)
    if found is None:
        raise NotFound(Sentence("There is no such membership."))
    return found


def memberships(desk: Desk, user_id: str | None, role: str | None, page: int, size: int) -> Found[Membership]:
    """Memberships, the newest first."""
    with desk.store.read() as repository:
        return repository.memberships(user_id, role, page, size)


def delegate(desk: Desk, actor: Actor, delegation: Delegation, key: str) -> Delegation:
    """Let a user act for the holder of a membership."""
    request = {"command": "delegate", **_dated(delegation)}
    with desk.store.write() as repository:
        first = repository.remembered(actor, key, request, desk.wall())
        if first is not None:
            known = repository.delegation(first["id"])
            if known is not None:
                return known
        held = repository.membership(delegation.from_membership_id)
        if held is None:
            raise Invalid.field("from_membership_id", Sentence("There is no such membership."))
        findings = list(domain.check_delegation(delegation, held))
        if repository.account_of(delegation.to_user_id) is None:
            findings.append(("to_user_id", Sentence("There is no such user.")))
        _demand(findings)
        repository.add_delegation(delegation)
        repository.remember(actor, key, {"id": delegation.id})
    return delegation


def end_delegation(desk: Desk, delegation_id: str, valid_to: date, expected_version: int | None) -> Delegation:
    """Set the last day of a delegation."""
    with desk.store.write() as repository:
        delegation = repository.delegation(delegation_id, lock=True)
        if delegation is None:
            raise NotFound(Sentence("There is no such delegation."))
        _demand_version(delegation.version, expected_version)
        changed = replace(delegation, valid_to=valid_to, version=delegation.version + 1)
        held = repository.membership(delegation.from_membership_id)
        if held is not None:
            _demand(domain.check_delegation(changed, held))
        repository.save_delegation(changed)
    return changed


def delegation(desk: Desk, delegation_id: str) -> Delegation:
    """The delegation, or NotFound."""
    with desk.store.read() as repository:
        found = repository.delegation(delegation_id)
    if found is None:
        raise NotFound(Sentence("There is no such delegation."))
    return found


def delegations(
    desk: Desk, to_user_id: str | None, from_membership_id: str | None, page: int, size: int
) -> Found[Delegation]:
    """Delegations, the newest first."""
    with desk.store.read() as repository:
        return repository.delegations(to_user_id, from_membership_id, page, size)


@dataclass(frozen=True)
class Office:
    """An office to be provided: a role and what it belongs to."""

    role: str
    municipality: str | None = None
    authority: str | None = None
    organisation_id: str | None = None


def provide_user(desk: Desk, new: NewUser, offices: Iterable[Office], valid_from: date) -> bool:
    """Make the user and the offices unless the username exists; True when they were made.

    For the installation itself (demo, command line): the password is taken as it is.
    """
    username = domain.fold_username(new.username)
    _demand(domain.check_username(username))
    with desk.store.read() as repository:
        if repository.account(username) is not None:
            return False
    password_hash = desk.passwords.hash(_normal(new.password))
    made = User(str(uuid.uuid4()), username, new.full_name, new.email, active=True, created_at=desk.wall(), version=1)
    held = [
        Membership(
            str(uuid.uuid4()),
            made.id,
            office.role,
            office.municipality,
            office.authority,
            office.organisation_id,
            valid_from,
            None,
            1,
        )
        for office in offices
    ]
    _demand([finding for each in held for finding in domain.check_membership(each)])
    with desk.store.write() as repository:
        if not repository.add_user(made, password_hash):
            return False
        for each in held:
            repository.add_membership(each)
    return True


def choose_seat(signed: SignedIn, acting_as: str | None) -> Seat | None:
    """The office that acts: the named one, or the only one; None when that is not settled."""
    if acting_as is None:
        return signed.seats[0] if len(signed.seats) == 1 else None
    return next((seat for seat in signed.seats if seat.membership.id == acting_as.lower()), None)


def _subjects(username: str, address: str) -> tuple[tuple[str, Patience], tuple[str, Patience]]:
    """What failures are counted for, as hashes: neither names nor addresses are kept."""
    return (
        (_sha256(f"username {username}"), OF_USERNAME),
        (_sha256(f"address {_network(address)}"), OF_ADDRESS),
    )


def _network(address: str) -> str:
    """The address; of IPv6 the network that one subscriber has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))  # noqa: PLR2004


def _demand_patience(patience: Patience, attempts: Attempts | None, now: datetime) -> None:
    wait = patience.wait(attempts, now)
    if wait:
        raise Throttled(max(1, -(-wait // timedelta(seconds=1))))


def _demand(findings: Iterable[Finding]) -> None:
    found = list(findings)
    if found:
        raise Invalid.fields(found)


def _demand_version(current: int, expected: int | None) -> None:
    if expected is not None and expected != current:
        raise Conflict(
            Sentence("It was changed in the meantime: it is now at version {version}.", version=current),
            {"version": current},
        )


def _dated(thing: Membership | Delegation) -> dict[str, Any]:
    """The command's values without those made here, so that a repeated request compares equal."""
    plain = {name: value for name, value in vars(thing).items() if name not in ("id", "version")}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in plain.items()}


def _normal(password: str) -> str:
    """One spelling of a password, however the keyboard composed its letters (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _key_reused() -> Invalid:
    return Invalid(
        Sentence("This Idempotency-Key was used before with another request. Use a new key."),
        code="idempotency_key_reused",
    )


def _no_such_user() -> NotFound:
    return NotFound(Sentence("There is no such user."))
