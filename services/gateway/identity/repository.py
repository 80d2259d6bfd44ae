"""Identity in the gateway's database."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from services.gateway.identity.application import Account, Behind, Found, Replay
from services.gateway.identity.domain import (
    ALL,
    TENANT_KINDS,
    Attempts,
    Delegation,
    Membership,
    Session,
    User,
    tenant_kind,
)
from services.gateway.identity.tables import ATTEMPTS, DELEGATIONS, MEMBERSHIPS, SESSIONS, USERS
from services.kernel.actor import CENTRAL_ROLES, ROLES, Actor
from services.runtime import reply
from services.runtime.database import Database


class SqlStore:
    """Transactions over the identity tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def read(self) -> Iterator[SqlRepository]:
        """For questions only."""
        with self._database.read() as connection:
            yield SqlRepository(connection)

    @contextmanager
    def write(self) -> Iterator[SqlRepository]:
        """One transaction."""
        with self._database.write() as connection:
            yield SqlRepository(connection)


class SqlRepository:
    """The identity tables inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # users

    def account(self, username: str) -> Account | None:
        """The user of that name, with the password's hash."""
        return self._account(USERS.c.username == username)

    def account_of(self, user_id: str) -> Account | None:
        """The user with that id, with the password's hash."""
        return self._account(USERS.c.id == user_id)

    def _account(self, condition: ColumnElement[bool]) -> Account | None:
        row = self._connection.execute(select(USERS).where(condition)).one_or_none()
        return None if row is None else Account(_user(row), row.password_hash)

    def lock_user(self, user_id: str) -> User | None:
        """The user, locked until the transaction ends."""
        row = self._connection.execute(select(USERS).where(USERS.c.id == user_id).with_for_update()).one_or_none()
        return None if row is None else _user(row)

    def add_user(self, user: User, password_hash: str) -> bool:
        """False when the username is taken."""
        return self._insert_unless_there(USERS, {**vars(user), "password_hash": password_hash})

    def save_user(self, user: User, password_hash: str | None) -> None:
        """The user as given; the password stays where no hash is given."""
        values = {**vars(user), **({"password_hash": password_hash} if password_hash else {})}
        self._connection.execute(update(USERS).where(USERS.c.id == user.id).values(values))

    def users(self, query: str | None, page: int, size: int) -> Found[User]:
        """Those whose username or full name holds `query`."""
        statement = select(USERS)
        if query:
            statement = statement.where(
                or_(
                    USERS.c.username.contains(query.strip().lower(), autoescape=True),
                    USERS.c.full_name.contains(query.strip(), autoescape=True),
                )
            )
        rows, total = self._page(statement, USERS.c.username, page=page, size=size)
        return Found(tuple(map(_user, rows)), total)

    # memberships

    def membership(self, membership_id: str, *, lock: bool = False) -> Membership | None:
        """The membership with that id."""
        row = self._one(select(MEMBERSHIPS).where(MEMBERSHIPS.c.id == membership_id), lock=lock)
        return None if row is None else _membership(row)

    def add_membership(self, membership: Membership) -> None:
        """A new row."""
        self._connection.execute(insert(MEMBERSHIPS).values(vars(membership)))

    def save_membership(self, membership: Membership) -> None:
        """The membership as given."""
        self._connection.execute(update(MEMBERSHIPS).where(MEMBERSHIPS.c.id == membership.id).values(vars(membership)))

    def memberships(self, user_id: str | None, role: str | None, page: int, size: int) -> Found[Membership]:
        """The newest first."""
        statement = select(MEMBERSHIPS)
        if user_id is not None:
            statement = statement.where(MEMBERSHIPS.c.user_id == user_id)
        if role is not None:
            statement = statement.where(MEMBERSHIPS.c.role == role)
        order = (MEMBERSHIPS.c.valid_from.desc(), MEMBERSHIPS.c.id)
        rows, total = self._page(statement, *order, page=page, size=size)
        return Found(tuple(map(_membership, rows)), total)

    def held_by(self, user_id: str) -> Sequence[Membership]:
        """All memberships of the user, whatever their dates."""
        return tuple(map(_membership, self._connection.execute(_HELD, {"user": user_id})))

    # delegations

    def delegation(self, delegation_id: str, *, lock: bool = False) -> Delegation | None:
        """The delegation with that id."""
        row = self._one(select(DELEGATIONS).where(DELEGATIONS.c.id == delegation_id), lock=lock)
        return None if row is None else _delegation(row)

    def add_delegation(self, delegation: Delegation) -> None:
        """A new row."""
        self._connection.execute(insert(DELEGATIONS).values(vars(delegation)))

    def save_delegation(self, delegation: Delegation) -> None:
        """The delegation as given."""
        self._connection.execute(update(DELEGATIONS).where(DELEGATIONS.c.id == delegation.id).values(vars(delegation)))

    def delegations(
        self, to_user_id: str | None, from_membership_id: str | None, page: int, size: int
    ) -> Found[Delegation]:
        """The newest first."""
        statement = select(DELEGATIONS)
        if to_user_id is not None:
            statement = statement.where(DELEGATIONS.c.to_user_id == to_user_id)
        if from_membership_id is not None:
            statement = statement.where(DELEGATIONS.c.from_membership_id == from_membership_id)
        order = (DELEGATIONS.c.valid_from.desc(), DELEGATIONS.c.id)
        rows, total = self._page(statement, *order, page=page, size=size)
        return Found(tuple(map(_delegation, rows)), total)

    def delegated_to(self, user_id: str) -> Sequence[tuple[Delegation, Membership]]:
        """All delegations to the user, whatever their dates, with the memberships they come from."""
        rows = self._connection.execute(_DELEGATED, {"user": user_id})
        return tuple((_delegation(row), _membership(row, "held_")) for row in rows)

    # holders of offices

    def holders(self, offices: Collection[str], on: date) -> Iterable[tuple[str, User]]:
        """(office, user) for every active user who holds one of the offices that day, or acts for its holder."""
        wanted = set(offices)
        condition = _offices(wanted)
        if condition is None:
            return
        held = and_(
            condition,
            MEMBERSHIPS.c.valid_from <= on,
            or_(MEMBERSHIPS.c.valid_to.is_(None), MEMBERSHIPS.c.valid_to >= on),
            USERS.c.active,
        )
        lent = and_(held, DELEGATIONS.c.valid_from <= on, DELEGATIONS.c.valid_to >= on, DELEGATIONS.c.scope == ALL)
        office = [*_prefixed(MEMBERSHIPS, "held_", ("role", *TENANT_KINDS))]
        own = select(USERS, *office).join(MEMBERSHIPS, MEMBERSHIPS.c.user_id == USERS.c.id).where(held)
        for_another = (
            select(USERS, *office)
            .join(DELEGATIONS, DELEGATIONS.c.to_user_id == USERS.c.id)
            .join(MEMBERSHIPS, MEMBERSHIPS.c.id == DELEGATIONS.c.from_membership_id)
            .where(lent)
        )
        for row in self._connection.execute(union_all(own, for_another)):
            tenant = next(filter(None, (getattr(row, f"held_{kind}") for kind in TENANT_KINDS)), "-")
            key = f"{row.held_role}@{tenant}"
            if key in wanted:
                yield key, _user(row)

    def active_users(self, user_ids: Collection[str]) -> Sequence[User]:
        """Those of the users who are not switched off."""
        known = [each for each in user_ids if _is_id(each)]
        rows = self._connection.execute(select(USERS).where(USERS.c.id.in_(known), USERS.c.active))
        return tuple(map(_user, rows))

    # sign-ins

    def add_session(self, session: Session, token_sha256: str, key_sha256: str | None, salt: bytes | None) -> bool:
        """False when a session with that key is there already."""
        values = {**vars(session), "token_sha256": token_sha256, "key_sha256": key_sha256, "salt": salt}
        return self._insert_unless_there(SESSIONS, values)

    def behind(self, token_sha256: str) -> Behind | None:
        """Whose token it is, in one round trip, since every request asks."""
        rows = self._connection.execute(_BEHIND, {"token": token_sha256}).all()
        if not rows:
            return None
        held = [row for row in rows if row.given_id is None and row.held_id is not None]
        given = [row for row in rows if row.given_id is not None]
        return Behind(
            _session(rows[0]),
            _user(rows[0], "user_"),
            tuple(_membership(row, "held_") for row in held),
            tuple((_delegation(row, "given_"), _membership(row, "held_")) for row in given),
        )

    def session_by_key(self, user_id: str, key_sha256: str) -> Replay | None:
        """The session that an Idempotency-Key opened."""
        row = self._connection.execute(
            select(SESSIONS).where(SESSIONS.c.user_id == user_id, SESSIONS.c.key_sha256 == key_sha256)
        ).one_or_none()
        return None if row is None else Replay(_session(row), row.token_sha256, bytes(row.salt))

    def seen(self, session_id: str, now: datetime) -> None:
        """The session was used just now."""
        self._connection.execute(
            update(SESSIONS).where(SESSIONS.c.id == session_id, SESSIONS.c.seen_at < now).values(seen_at=now)
        )

    def end_session(self, session_id: str, now: datetime) -> None:
        """The session no longer counts."""
        self._end(SESSIONS.c.id == session_id, now)

    def end_sessions_of(self, user_id: str, now: datetime) -> None:
        """No session of the user counts any longer."""
        self._end(SESSIONS.c.user_id == user_id, now)

    def _end(self, which: ColumnElement[bool], now: datetime) -> None:
        self._connection.execute(update(SESSIONS).where(which, SESSIONS.c.ended_at.is_(None)).values(ended_at=now))

    def forget_sessions(self, user_id: str, before: datetime) -> None:
        """Remove the user's sessions that expired long ago."""
        self._connection.execute(delete(SESSIONS).where(SESSIONS.c.user_id == user_id, SESSIONS.c.expires_at < before))

    def attempts(self, subject: str, *, lock: bool = False) -> Attempts | None:
        """The failed sign-ins counted for a subject."""
        row = self._one(select(ATTEMPTS).where(ATTEMPTS.c.subject == subject), lock=lock)
        return None if row is None else Attempts(row.failures, row.last_failed_at)

    def save_attempts(self, subject: str, attempts: Attempts) -> None:
        """The attempts as given."""
        values = vars(attempts)
        statement = self._dialect.insert(ATTEMPTS).values(subject=subject, **values)
        self._connection.execute(statement.on_conflict_do_update(index_elements=[ATTEMPTS.c.subject], set_=values))

    def forget_attempts(self, subject: str) -> None:
        """Begin to count anew."""
        self._connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject == subject))

    def forget_attempts_before(self, moment: datetime) -> None:
        """Remove up to 100 counts that no longer matter, and wait for none that is in use."""
        old = (
            select(ATTEMPTS.c.subject)
            .where(ATTEMPTS.c.last_failed_at < moment)
            .limit(100)
            .with_for_update(skip_locked=True)
        )
        self._connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.subject.in_(old)))

    # repeated commands

    def remembered(self, actor: Actor, key: str, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """The first answer to this key."""
        return reply.remembered(self._connection, actor, key, request, now)

    def remember(self, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""
        reply.remember(self._connection, actor, key, answer)

    # shared

    @property
    def _dialect(self) -> Any:
        return postgresql if self._connection.dialect.name == "postgresql" else sqlite

    def _insert_unless_there(self, table: Table, values: Mapping[str, Any]) -> bool:
        """False when a unique column already has the value."""
        statement = self._dialect.insert(table).values(values).on_conflict_do_nothing()
        return self._connection.execute(statement.returning(table.c.id)).one_or_none() is not None

    def _one(self, statement: Select[Any], *, lock: bool) -> Row[Any] | None:
        return self._connection.execute(statement.with_for_update() if lock else statement).one_or_none()

    def _page(
        self, statement: Select[Any], *order: ColumnElement[Any], page: int, size: int
    ) -> tuple[Sequence[Row[Any]], int]:
        total = self._connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
        rows = self._connection.execute(statement.order_by(*order).limit(size).offset((page - 1) * size)).all()
        return rows, total


def _offices(wanted: Iterable[str]) -> ColumnElement[bool] | None:
    """The memberships of these offices; some more may come along. None when no office is well formed."""
    conditions = []
    for office in wanted:
        role, _, tenant = office.partition("@")
        kind = tenant_kind(role) if role in ROLES else None
        if role in CENTRAL_ROLES:
            conditions.append(MEMBERSHIPS.c.role == role)
        elif kind is not None and (kind != "organisation_id" or _is_id(tenant)):
            conditions.append(and_(MEMBERSHIPS.c.role == role, MEMBERSHIPS.c[kind] == tenant))
    return or_(*conditions) if conditions else None


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _user(row: Row[Any], prefix: str = "") -> User:
    return User(**_values(row, prefix, _USER))


def _membership(row: Row[Any], prefix: str = "") -> Membership:
    return Membership(**_values(row, prefix, _MEMBERSHIP))


def _delegation(row: Row[Any], prefix: str = "") -> Delegation:
    return Delegation(**_values(row, prefix, _DELEGATION))


def _session(row: Row[Any]) -> Session:
    return Session(**_values(row, "", _SESSION_FIELDS))


def _values(row: Row[Any], prefix: str, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, prefix + name) for name in names}


_USER, _MEMBERSHIP, _DELEGATION, _SESSION_FIELDS = (
    tuple(each.name for each in fields(kind)) for kind in (User, Membership, Delegation, Session)
)


def _prefixed(table: Table, prefix: str, names: Sequence[str]) -> list[ColumnElement[Any]]:
    return [table.c[name].label(prefix + name) for name in names]


# Every request asks this; built once, since building costs as much as running.
# `user_id` of the session serves as the user's id.
_SESSION = (
    select(
        *(SESSIONS.c[name] for name in _SESSION_FIELDS),
        *_prefixed(USERS, "user_", [name for name in _USER if name != "id"]),
    )
    .join(USERS, USERS.c.id == SESSIONS.c.user_id)
    .where(SESSIONS.c.token_sha256 == bindparam("token"))
    .cte("signed_in")
)
_OWN = select(
    _SESSION,
    *_prefixed(MEMBERSHIPS, "held_", _MEMBERSHIP),
    *(cast(null(), DELEGATIONS.c[name].type).label(f"given_{name}") for name in _DELEGATION),
).select_from(_SESSION.outerjoin(MEMBERSHIPS, MEMBERSHIPS.c.user_id == _SESSION.c.user_id))
_GIVEN = select(
    _SESSION, *_prefixed(MEMBERSHIPS, "held_", _MEMBERSHIP), *_prefixed(DELEGATIONS, "given_", _DELEGATION)
).select_from(
    _SESSION.join(DELEGATIONS, DELEGATIONS.c.to_user_id == _SESSION.c.user_id).join(
        MEMBERSHIPS, MEMBERSHIPS.c.id == DELEGATIONS.c.from_membership_id
    )
)
_BEHIND = union_all(_OWN, _GIVEN).order_by("given_valid_from", "held_valid_from", "held_id", "given_id")
_HELD = (
    select(MEMBERSHIPS)
    .where(MEMBERSHIPS.c.user_id == bindparam("user"))
    .order_by(MEMBERSHIPS.c.valid_from, MEMBERSHIPS.c.id)
)
_DELEGATED = (
    select(DELEGATIONS, *_prefixed(MEMBERSHIPS, "held_", _MEMBERSHIP))
    .join(MEMBERSHIPS, MEMBERSHIPS.c.id == DELEGATIONS.c.from_membership_id)
    .where(DELEGATIONS.c.to_user_id == bindparam("user"))
    .order_by(DELEGATIONS.c.valid_from, DELEGATIONS.c.id)
)
