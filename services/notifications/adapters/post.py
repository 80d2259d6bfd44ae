"""What people are sent, in the database: notices, digests, preferences, deliveries, suppressed addresses."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.notifications.adapters.bounce import reports
from services.notifications.adapters.repository import Repository
from services.notifications.adapters.tables import (
    ADDRESS_SECRETS,
    DELIVERIES,
    DIGESTS,
    NOTICES,
    NOTIFICATIONS,
    PREFERENCES,
    RUNTIME,
    SUPPRESSIONS,
)
from services.notifications.application import posting
from services.notifications.application.digest import Waiting
from services.notifications.application.dispatch import Notice, Told
from services.notifications.application.posting import Letter, Seen, Suppression
from services.notifications.domain.delivery import (
    FAILED,
    LEASE,
    MAIL,
    PROCESS_ENDED,
    SENDING,
    WAITING,
    Delivery,
)
from services.notifications.domain.happening import Notification
from services.notifications.domain.preference import Preference
from services.runtime.database import POSTED, Database

CURSOR = "notifications.notices"
_SEQUENCER_LOCK = 7_204_003  # any constant; one per database, taken by whoever gives positions
_PLACED_AT_ONCE = 1_000
_ONLY = 1
_DELIVERY = tuple(each.name for each in fields(Delivery))
_TOLD = tuple(each.name for each in fields(Told))


def place(database: Database) -> int:
    """Give committed notifications their place; returns how many, 0 also while another process does it.

    As in the outbox, places follow commits: no notification ever appears behind one that was passed on. An
    event's notifications get their places together, however many there are.
    """
    unplaced = NOTIFICATIONS.c.position.is_(None)
    with database.read() as connection:
        if connection.execute(select(NOTIFICATIONS.c.id).where(unplaced).limit(1)).one_or_none() is None:
            return 0
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            mine = connection.execute(select(func.pg_try_advisory_xact_lock(_SEQUENCER_LOCK))).scalar_one()
            if not mine:
                return 0
        order = (NOTIFICATIONS.c.created_at, NOTIFICATIONS.c.event_id, NOTIFICATIONS.c.id)
        next_ones = select(NOTIFICATIONS.c.event_id).where(unplaced).order_by(*order).limit(_PLACED_AT_ONCE).subquery()
        waiting = (
            select(NOTIFICATIONS.c.id, func.row_number().over(order_by=order).label("rank"))
            .where(unplaced, NOTIFICATIONS.c.event_id.in_(select(next_ones.c.event_id)))
            .subquery()
        )
        # Also behind the cursor, so that places never come back when the newest notifications are removed.
        newest = connection.execute(select(func.coalesce(func.max(NOTIFICATIONS.c.position), 0))).scalar_one()
        last = max(newest, connection.execute(_cursor()).scalar_one())
        placed = connection.execute(
            update(NOTIFICATIONS).where(NOTIFICATIONS.c.id == waiting.c.id).values(position=last + waiting.c.rank)
        )
        return placed.rowcount


def behind_cursor(database: Database, limit: int) -> tuple[int, list[Told]]:
    """Where the cursor stands, and the next notifications behind it, in their order."""
    with database.read() as connection:
        start = connection.execute(_cursor()).scalar_one()
        rows = connection.execute(
            select(*(NOTIFICATIONS.c[name] for name in _TOLD))
            .where(NOTIFICATIONS.c.position > start)
            .order_by(NOTIFICATIONS.c.position)
            .limit(limit)
        )
        return start, [Told(**row) for row in rows.mappings()]


def _cursor() -> Any:
    return select(RUNTIME.cursors.c.position).where(RUNTIME.cursors.c.consumer == CURSOR)


class PostRows:
    """The ports of dispatch, digests and posting over one connection; the caller owns the transaction."""

    def __init__(self, connection: Connection) -> None:
        """Works inside the transaction of `connection`."""
        self._connection = connection
        self._dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite

    # passing on

    def advance(self, start: int, end: int) -> bool:
        """Move the cursor from `start` to `end`; False when it does not stand at `start`."""
        cursors = RUNTIME.cursors
        moved = self._connection.execute(
            update(cursors).where(cursors.c.consumer == CURSOR, cursors.c.position == start).values(position=end)
        )
        return moved.rowcount == 1

    def preferences(self, recipients: Collection[str]) -> Mapping[str, Preference]:
        """What these recipients chose, those who chose something."""
        if not recipients:
            return {}
        rows = self._connection.execute(select(PREFERENCES).where(PREFERENCES.c.recipient.in_(list(recipients))))
        return {row["recipient"]: Preference(**row) for row in rows.mappings()}

    def add_notices(self, notices: Sequence[Notice]) -> Collection[str]:
        """Store them; the ids of those that were new."""
        if not notices:
            return ()
        statement = self._dialect.insert(NOTICES).on_conflict_do_nothing().returning(NOTICES.c.id)
        return set(self._connection.execute(statement, [vars(each) for each in notices]).scalars())

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store them; the commit wakes whoever sends."""
        if deliveries:
            self._connection.execute(insert(DELIVERIES), [vars(each) for each in deliveries])
            self._connection.info[POSTED] = True

    def fill_digests(self, notices: Sequence[Notice]) -> None:
        """Note that something waits in the digests of these."""
        waiting = {(each.recipient, each.stream): each.created_at for each in notices}
        if not waiting:
            return
        statement = self._dialect.insert(DIGESTS)
        since = func.coalesce(DIGESTS.c.oldest_at, statement.excluded.oldest_at)
        self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[DIGESTS.c.recipient, DIGESTS.c.stream], set_={"oldest_at": since}
            ),
            [
                {"recipient": recipient, "stream": stream, "position": 0, "oldest_at": moment}
                for (recipient, stream), moment in sorted(waiting.items())
            ],
        )

    # digests

    def due(self, stream: str, moment: datetime, limit: int) -> Sequence[Waiting]:
        """Digests in which something waits since `moment` or longer, kept from others until the transaction ends."""
        rows = self._connection.execute(
            select(DIGESTS.c.recipient, DIGESTS.c.stream, DIGESTS.c.position)
            .where(DIGESTS.c.stream == stream, DIGESTS.c.oldest_at <= moment)
            .order_by(DIGESTS.c.oldest_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [Waiting(*row) for row in rows]

    def behind(self, waiting: Waiting) -> Sequence[tuple[int, str]]:
        """(position, id) of every notice behind the cursor, in their order."""
        rows = self._connection.execute(
            select(NOTICES.c.position, NOTICES.c.id)
            .where(
                NOTICES.c.recipient == waiting.recipient,
                NOTICES.c.stream == waiting.stream,
                NOTICES.c.position > waiting.position,
            )
            .order_by(NOTICES.c.position)
        )
        return [(row.position, row.id) for row in rows]

    def emptied(self, waiting: Waiting, position: int) -> None:
        """Move the cursor to `position`; nothing waits behind it."""
        self._connection.execute(
            update(DIGESTS)
            .where(DIGESTS.c.recipient == waiting.recipient, DIGESTS.c.stream == waiting.stream)
            .values(position=position, oldest_at=None)
        )

    # preferences

    def preference(self, recipient: str, *, lock: bool = False) -> Preference | None:
        """What the recipient chose."""
        statement = select(PREFERENCES).where(PREFERENCES.c.recipient == recipient)
        return self._preference(statement.with_for_update() if lock else statement)

    def preference_by_token(self, token: str, *, lock: bool = False) -> Preference | None:
        """The choice that the token of a mail is about."""
        statement = select(PREFERENCES).where(PREFERENCES.c.token == token)
        return self._preference(statement.with_for_update() if lock else statement)

    def _preference(self, statement: Any) -> Preference | None:
        row = self._connection.execute(statement).mappings().one_or_none()
        return None if row is None else Preference(**row)

    def with_tokens(self, recipients: Collection[str]) -> Mapping[str, Preference]:
        """Their choices; whoever has none yet gets a row with a token, which changes nothing else."""
        missing = sorted(set(recipients) - self.preferences(recipients).keys())
        if missing:
            self._connection.execute(
                self._dialect.insert(PREFERENCES).on_conflict_do_nothing(),
                [vars(Preference(recipient=each, token=str(uuid.uuid4()))) for each in missing],
            )
        return self.preferences(recipients)

    def save_preference(self, preference: Preference) -> None:
        """The choice as given."""
        values = {name: value for name, value in vars(preference).items() if name not in ("recipient", "token")}
        self._connection.execute(
            update(PREFERENCES).where(PREFERENCES.c.recipient == preference.recipient).values(values)
        )

    # deliveries

    def claim(self, channel: str, now: datetime, limit: int, *, take_over: bool) -> Sequence[Delivery]:
        """Deliveries that are due, the caller's alone for a lease, in the order of their turn.

        `take_over`: also what another took and whose lease ended without a note. That costs it an attempt, and it
        comes alone: a message that ends its process takes no other with it again.
        """
        due = [DELIVERIES.c.channel == channel, DELIVERIES.c.next_at <= now]
        if take_over and (lapsed := self._next([*due, DELIVERIES.c.state == SENDING], 1)):
            more = {"attempts": DELIVERIES.c.attempts + 1, "cause": PROCESS_ENDED}
            return self._taken(lapsed, now, more)
        return self._taken(self._next([*due, DELIVERIES.c.state != SENDING], limit), now, {})

    def _next(self, conditions: Sequence[Any], limit: int) -> list[str]:
        statement = select(DELIVERIES.c.id).where(*conditions).order_by(DELIVERIES.c.next_at, DELIVERIES.c.created_at)
        return list(self._connection.execute(statement.limit(limit).with_for_update(skip_locked=True)).scalars())

    def _taken(self, ids: list[str], now: datetime, more: Mapping[str, Any]) -> Sequence[Delivery]:
        rows = self._connection.execute(
            update(DELIVERIES)
            .where(DELIVERIES.c.id.in_(ids))
            .values(state=SENDING, next_at=now + LEASE, holder=str(uuid.uuid4()), **more)
            .returning(DELIVERIES)
        )
        return sorted((_delivery(row) for row in rows.mappings()), key=lambda each: ids.index(each.id))

    def renew(self, holder: str, now: datetime) -> None:
        """What `holder` took and has not settled is its alone for another lease."""
        self._connection.execute(
            update(DELIVERIES)
            .where(DELIVERIES.c.state == SENDING, DELIVERIES.c.holder == holder)
            .values(next_at=now + LEASE)
        )

    def settle(self, claimed: Delivery, outcome: Delivery) -> bool:
        """Note what became of a claimed delivery; False when the lease has ended and another has taken it."""
        values = {name: value for name, value in vars(outcome).items() if name not in ("id", "holder")}
        settled = self._connection.execute(
            update(DELIVERIES)
            .where(DELIVERIES.c.id == claimed.id, DELIVERIES.c.state == SENDING, DELIVERIES.c.holder == claimed.holder)
            .values({**values, "holder": None})
        )
        return settled.rowcount == 1

    def letter(self, delivery: Delivery, most: int) -> Letter:
        """What the delivery tells: up to `most` notifications in their order, and how many there are."""
        rows = self._connection.execute(
            select(NOTIFICATIONS)
            .join(NOTICES, NOTICES.c.notification_id == NOTIFICATIONS.c.id)
            .where(NOTICES.c.id.in_(list(delivery.notices[:most])))
            .order_by(NOTICES.c.position)
        )
        return Letter([Notification(**row) for row in rows.mappings()], len(delivery.notices))

    def deliveries(self, recipient: str | None, state: str | None, page: int, size: int) -> Seen[Delivery]:
        """The newest first; of one recipient, or of all."""
        conditions = [
            *([DELIVERIES.c.recipient == recipient] if recipient is not None else []),
            *([DELIVERIES.c.state == state] if state is not None else []),
        ]
        total = self._connection.execute(select(func.count()).select_from(DELIVERIES).where(*conditions)).scalar_one()
        rows = self._connection.execute(
            select(DELIVERIES)
            .where(*conditions)
            .order_by(DELIVERIES.c.created_at.desc(), DELIVERIES.c.id)
            .limit(size)
            .offset((page - 1) * size)
        )
        return Seen([_delivery(row) for row in rows.mappings()], total)

    def number_of_dead(self) -> int:
        """How many deliveries were given up."""
        counted = select(func.count()).select_from(DELIVERIES).where(DELIVERIES.c.state == FAILED)
        return int(self._connection.execute(counted).scalar_one())

    def dead(self, offset: int, limit: int) -> Sequence[Delivery]:
        """Deliveries that were given up, the oldest first."""
        rows = self._connection.execute(
            select(DELIVERIES)
            .where(DELIVERIES.c.state == FAILED)
            .order_by(DELIVERIES.c.created_at, DELIVERIES.c.id)
            .offset(offset)
            .limit(limit)
        )
        return [_delivery(row) for row in rows.mappings()]

    def redrive(self, delivery_id: str, now: datetime) -> Delivery | None:
        """Let a delivery that was given up begin anew; as it was before, None when there is none of this id."""
        which = (DELIVERIES.c.id == delivery_id, DELIVERIES.c.state == FAILED)
        row = self._connection.execute(select(DELIVERIES).where(*which).with_for_update()).mappings().one_or_none()
        if row is None:
            return None
        self._connection.execute(
            update(DELIVERIES).where(*which).values(state=WAITING, attempts=0, next_at=now, cause=None, created_at=now)
        )
        self._connection.info[POSTED] = True
        return _delivery(row)

    def by_message(self, message_id: str) -> Delivery | None:
        """The delivery that was sent under this Message-ID."""
        row = (
            self._connection.execute(select(DELIVERIES).where(DELIVERIES.c.message_id == message_id))
            .mappings()
            .one_or_none()
        )
        return None if row is None else _delivery(row)

    def mark(self, delivery: Delivery, cause: str) -> None:
        """The delivery failed after it had been handed over."""
        self._connection.execute(
            update(DELIVERIES).where(DELIVERIES.c.id == delivery.id).values(state=FAILED, cause=cause, next_at=None)
        )

    # suppressed addresses

    def secret(self) -> bytes:
        """What the fingerprints of this installation are made with; made once, at the first message."""
        row = self._connection.execute(select(ADDRESS_SECRETS.c.secret)).one_or_none()
        if row is None:
            made = {"id": _ONLY, "secret": secrets.token_bytes(32)}
            self._connection.execute(self._dialect.insert(ADDRESS_SECRETS).values(made).on_conflict_do_nothing())
            row = self._connection.execute(select(ADDRESS_SECRETS.c.secret)).one()
        return bytes(row.secret)

    def written_to(self, recipient: str) -> Collection[str]:
        """The fingerprints of the addresses to which mails for this recipient went."""
        rows = self._connection.execute(
            select(DELIVERIES.c.address_hash)
            .where(
                DELIVERIES.c.recipient == recipient,
                DELIVERIES.c.channel == MAIL,
                DELIVERIES.c.address_hash.is_not(None),
            )
            .distinct()
        )
        return set(rows.scalars())

    def suppressed(self, fingerprints: Collection[str]) -> Collection[tuple[str, str]]:
        """Those of the fingerprints whose addresses get no mail, and why."""
        rows = self._connection.execute(
            select(SUPPRESSIONS.c.address_hash, SUPPRESSIONS.c.cause).where(
                SUPPRESSIONS.c.address_hash.in_(list(fingerprints))
            )
        )
        return {(row.address_hash, row.cause) for row in rows}

    def suppress(self, suppression: Suppression) -> bool:
        """Send nothing to this address; False when that was so already."""
        statement = self._dialect.insert(SUPPRESSIONS).on_conflict_do_nothing().returning(SUPPRESSIONS.c.id)
        return self._connection.execute(statement, vars(suppression)).one_or_none() is not None

    def suppressions(self, page: int, size: int) -> Seen[Suppression]:
        """The newest first."""
        total = self._connection.execute(select(func.count()).select_from(SUPPRESSIONS)).scalar_one()
        rows = self._connection.execute(
            select(SUPPRESSIONS)
            .order_by(SUPPRESSIONS.c.since.desc(), SUPPRESSIONS.c.id)
            .limit(size)
            .offset((page - 1) * size)
        )
        return Seen([Suppression(**row) for row in rows.mappings()], total)

    def allow_again(self, suppression_id: str) -> bool:
        """Send to the address again; False when there is none of this id."""
        return self._connection.execute(delete(SUPPRESSIONS).where(SUPPRESSIONS.c.id == suppression_id)).rowcount == 1


def take_report(database: Database, raw: bytes, now: datetime) -> int:
    """Mark what a delivery status notification reports; returns how many of our messages it is about."""
    found = reports(raw)
    if not found:
        return 0
    with database.write() as connection:
        rows, telling = PostRows(connection), Repository(connection)
        return sum(posting.bounced(rows, telling, each.message_id, each.address, now) for each in found)


def waiting_and_failed(database: Database, now: datetime) -> tuple[int, int, float]:
    """How many deliveries wait, how many were given up, and the age in seconds of the oldest never answered."""
    on_the_way = DELIVERIES.c.next_at.is_not(None)
    with database.read() as connection:
        # What a recipient's server puts off may take its time; what no server has answered yet may not.
        unanswered = func.min(DELIVERIES.c.created_at).filter(DELIVERIES.c.attempts == 0)
        waiting, oldest = connection.execute(select(func.count(), unanswered).where(on_the_way)).one()
        failed = connection.execute(
            select(func.count()).select_from(DELIVERIES).where(DELIVERIES.c.state == FAILED)
        ).scalar_one()
    return waiting, failed, (now - oldest).total_seconds() if oldest else 0.0


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(**{name: row[name] for name in _DELIVERY})
