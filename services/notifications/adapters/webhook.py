"""Webhooks and their deliveries in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.kernel.text import Sentence
from services.notifications.adapters.repository import Repository
from services.notifications.adapters.tables import WEBHOOK_CURSORS as CURSORS
from services.notifications.adapters.tables import WEBHOOK_DELIVERIES as DELIVERIES
from services.notifications.adapters.tables import WEBHOOKS
from services.notifications.application.webhook import LEASE
from services.notifications.domain.happening import Notification
from services.notifications.domain.webhook import (
    ACTIVE,
    DELIVERED,
    FAILED,
    GIVEN_UP,
    OFF,
    SENDING,
    WAITING,
    Delivery,
    Webhook,
)

_FORGOTTEN_AT_ONCE = 1_000
_EARLIER = DELIVERIES.alias("earlier")


def _undone(state: Any) -> ColumnElement[bool]:
    """Waiting or given up; written out, since a database takes its partial index for a condition that it can read."""
    undone: Any = bindparam("undone", (WAITING, GIVEN_UP), expanding=True, literal_execute=True, unique=True)
    found: ColumnElement[bool] = state.in_(undone)
    return found


def _waiting() -> ColumnElement[bool]:
    written: Any = bindparam("waiting", WAITING, literal_execute=True, unique=True)
    found: ColumnElement[bool] = DELIVERIES.c.state == written
    return found


_WEBHOOK = tuple(column for column in WEBHOOKS.c if column.name not in ("free_at", "holder"))
_DELIVERY = tuple(column for column in DELIVERIES.c if column.name != "sequence")
# No undone delivery of the same subject lies before it.
_FIRST = ~exists().where(
    _EARLIER.c.webhook_id == DELIVERIES.c.webhook_id,
    _EARLIER.c.subject_id == DELIVERIES.c.subject_id,
    _EARLIER.c.sequence < DELIVERIES.c.sequence,
    _undone(_EARLIER.c.state),
)


class WebhookBook:
    """The application's port over one connection; the caller owns the transaction."""

    def __init__(self, connection: Connection) -> None:
        """Works inside the transaction of `connection`."""
        self._connection = connection
        self._dialect = connection.dialect.name

    # webhooks

    def add(self, webhook: Webhook, positions: Mapping[str, int]) -> None:
        """Keep a new webhook that has seen the feeds up to these positions."""
        self._connection.execute(
            insert(WEBHOOKS).values(**vars(webhook) | {"events": list(webhook.events)}, free_at=webhook.created_at)
        )
        rows = [
            {"webhook_id": webhook.id, "producer": producer, "position": position}
            for producer, position in positions.items()
        ]
        if rows:
            self._connection.execute(insert(CURSORS), rows)

    def alone_with(self, office: str) -> None:
        """Let nobody else add webhooks of this office until the transaction ends; SQLite has one writer anyway."""
        if self._dialect == "postgresql":
            key = func.hashtextextended(f"webhooks of {office}", 0)
            self._connection.execute(select(func.pg_advisory_xact_lock(key)))

    def number_of(self, office: str) -> int:
        """How many webhooks the office has."""
        return int(
            self._connection.execute(
                select(func.count()).select_from(WEBHOOKS).where(WEBHOOKS.c.office == office)
            ).scalar_one()
        )

    def find(self, office: str, webhook_id: str) -> Webhook | None:
        """The office's webhook; None when it has none of this id."""
        row = self._connection.execute(
            select(*_WEBHOOK).where(WEBHOOKS.c.id == webhook_id, WEBHOOKS.c.office == office)
        ).one_or_none()
        return None if row is None else _webhook(row)

    def page(self, office: str, *, page: int, size: int) -> list[Webhook]:
        """A page of the office's webhooks, the oldest first."""
        rows = self._connection.execute(
            select(*_WEBHOOK)
            .where(WEBHOOKS.c.office == office)
            .order_by(WEBHOOKS.c.created_at, WEBHOOKS.c.id)
            .limit(size)
            .offset((page - 1) * size)
        )
        return [_webhook(row) for row in rows]

    def remove(self, office: str, webhook_id: str) -> bool:
        """Remove it with its deliveries; False when the office has none of this id."""
        gone = self._connection.execute(
            delete(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id, WEBHOOKS.c.office == office)
        )
        return gone.rowcount > 0

    def switch_on(self, webhook_id: str, now: datetime) -> None:
        """Active again; what was given up waits again, with all tries before it."""
        self._connection.execute(
            update(WEBHOOKS)
            .where(WEBHOOKS.c.id == webhook_id)
            .values(
                state=ACTIVE,
                failing_since=None,
                switched_off_at=None,
                switched_off_because=None,
                free_at=now,
                holder=None,
            )
        )
        self._connection.execute(
            update(DELIVERIES)
            .where(DELIVERIES.c.webhook_id == webhook_id, _undone(DELIVERIES.c.state))
            .values(state=WAITING, attempts=0, next_at=now)
        )

    def confirm(self, webhook_id: str, confirmed_by: str | None) -> None:
        """Keep who says that the receiver is the office's."""
        self._connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id).values(confirmed_by=confirmed_by))

    def switch_off(self, webhook_id: str, because: Sentence, now: datetime) -> bool:
        """Off from now on; False when it was off already or is gone."""
        changed = self._connection.execute(
            update(WEBHOOKS)
            .where(WEBHOOKS.c.id == webhook_id, WEBHOOKS.c.state == ACTIVE)
            .values(state=OFF, switched_off_at=now, switched_off_because=because.to_plain())
        )
        return changed.rowcount > 0

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Tell offices."""
        Repository(self._connection).tell(notifications)

    def office_of(self, webhook_id: str) -> str:
        """The office whose webhook it is."""
        return str(self._connection.execute(select(WEBHOOKS.c.office).where(WEBHOOKS.c.id == webhook_id)).scalar_one())

    def oldest_waiting(self) -> datetime | None:
        """When the oldest delivery was made that waits for a webhook that is on."""
        made = select(func.min(DELIVERIES.c.created_at)).join(WEBHOOKS, WEBHOOKS.c.id == DELIVERIES.c.webhook_id)
        found: datetime | None = self._connection.execute(made.where(_waiting(), WEBHOOKS.c.state == ACTIVE)).scalar()
        return found

    def health(self) -> tuple[int, int]:
        """(deliveries that wait, webhooks that are off)."""
        waiting = select(func.count()).select_from(DELIVERIES).where(_undone(DELIVERIES.c.state))
        off = select(func.count()).select_from(WEBHOOKS).where(WEBHOOKS.c.state == OFF)
        return self._connection.execute(waiting).scalar_one(), self._connection.execute(off).scalar_one()

    # whose turn it is

    def has_active(self) -> bool:
        """Whether any webhook is on."""
        return (
            self._connection.execute(select(WEBHOOKS.c.id).where(WEBHOOKS.c.state == ACTIVE).limit(1)).one_or_none()
            is not None
        )

    def has_work(self, heads: Mapping[str, int], now: datetime) -> bool:
        """Whether a free webhook has something to do."""
        return self._connection.execute(self._free(heads, now).limit(1)).one_or_none() is not None

    def claim(self, heads: Mapping[str, int], holder: str, now: datetime) -> Webhook | None:
        """A free webhook that has something to do, held by `holder` for the time of a lease; the longest free first."""
        free = self._free(heads, now).order_by(WEBHOOKS.c.free_at).limit(1).with_for_update(skip_locked=True)
        webhook_id = self._connection.execute(free).scalar()
        if webhook_id is None:
            return None
        row = self._connection.execute(
            update(WEBHOOKS)
            .where(WEBHOOKS.c.id == webhook_id)
            .values(free_at=now + LEASE, holder=holder)
            .returning(*_WEBHOOK)
        ).one()
        return _webhook(row)

    def _free(self, heads: Mapping[str, int], now: datetime) -> Any:
        due = exists().where(
            DELIVERIES.c.webhook_id == WEBHOOKS.c.id,
            _waiting(),
            DELIVERIES.c.next_at <= now,
            _FIRST,
        )
        news = [_behind(producer, head) for producer, head in heads.items() if head > 0]
        return select(WEBHOOKS.c.id).where(WEBHOOKS.c.state == ACTIVE, WEBHOOKS.c.free_at <= now, or_(due, *news))

    def release(self, webhook_id: str, holder: str, free_at: datetime) -> None:
        """Let others have it from then on; nothing happens when it is no longer this holder's."""
        self._connection.execute(
            update(WEBHOOKS)
            .where(WEBHOOKS.c.id == webhook_id, WEBHOOKS.c.holder == holder)
            .values(free_at=free_at, holder=None)
        )

    # feeds

    def positions(self, webhook_id: str) -> Mapping[str, int]:
        """How far it has read each producer's feed."""
        rows = self._connection.execute(
            select(CURSORS.c.producer, CURSORS.c.position).where(CURSORS.c.webhook_id == webhook_id)
        )
        return {row.producer: row.position for row in rows}

    def advance(self, webhook_id: str, producer: str, before: int, after: int) -> bool:
        """Move a cursor; False when it does not stand where it was seen, or the webhook is gone."""
        # The webhook first, as everyone does who locks several rows; it keeps it from being removed meanwhile.
        there = select(WEBHOOKS.c.id).where(WEBHOOKS.c.id == webhook_id).with_for_update(read=True, key_share=True)
        if self._connection.execute(there).one_or_none() is None:
            return False
        moved = self._connection.execute(
            update(CURSORS)
            .where(CURSORS.c.webhook_id == webhook_id, CURSORS.c.producer == producer, CURSORS.c.position == before)
            .values(position=after)
        )
        if moved.rowcount > 0 or before != 0:
            return moved.rowcount > 0
        # A producer that came after the webhook has no cursor yet.
        begun = self._connection.execute(
            _insert(self._dialect)(CURSORS)
            .values(webhook_id=webhook_id, producer=producer, position=after)
            .on_conflict_do_nothing()
            .returning(CURSORS.c.position)
        )
        return begun.one_or_none() is not None

    # deliveries

    def waiting(self, webhook_id: str) -> int:
        """How many deliveries wait, with those that were given up."""
        return self.waiting_of([webhook_id]).get(webhook_id, 0)

    def waiting_of(self, webhook_ids: Sequence[str]) -> dict[str, int]:
        """How many deliveries wait for each of these webhooks that have any."""
        rows = self._connection.execute(
            select(DELIVERIES.c.webhook_id, func.count().label("number"))
            .where(DELIVERIES.c.webhook_id.in_(webhook_ids), _undone(DELIVERIES.c.state))
            .group_by(DELIVERIES.c.webhook_id)
        )
        return {row.webhook_id: row.number for row in rows}

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Write them down; one that is there already stays as it is."""
        if deliveries:
            statement = _insert(self._dialect)(DELIVERIES).on_conflict_do_nothing(index_elements=["id"])
            self._connection.execute(statement, [vars(each) for each in deliveries])

    def ready(self, webhook_id: str, holder: str, now: datetime, limit: int) -> list[Delivery]:
        """Those that are due, each the earliest undone one of its subject; none when it is off or another's."""
        rows = self._connection.execute(
            select(*_DELIVERY)
            .join(WEBHOOKS, WEBHOOKS.c.id == DELIVERIES.c.webhook_id)
            .where(
                DELIVERIES.c.webhook_id == webhook_id,
                _waiting(),
                DELIVERIES.c.next_at <= now,
                WEBHOOKS.c.state == ACTIVE,
                WEBHOOKS.c.holder == holder,
                _FIRST,
            )
            .order_by(DELIVERIES.c.sequence)
            .limit(limit)
        )
        return [Delivery(**row) for row in rows.mappings()]

    def delivery(self, delivery_id: str) -> Delivery | None:
        """One delivery."""
        row = (
            self._connection.execute(select(*_DELIVERY).where(DELIVERIES.c.id == delivery_id)).mappings().one_or_none()
        )
        return None if row is None else Delivery(**row)

    def note(self, tried: Delivery, before: Delivery) -> bool:
        """Write down what came of a try; False when someone else has done so meanwhile."""
        changes = {name: value for name, value in vars(tried).items() if value != getattr(before, name)}
        noted = self._connection.execute(
            update(DELIVERIES)
            .where(
                DELIVERIES.c.id == before.id,
                DELIVERIES.c.state == before.state,
                DELIVERIES.c.attempts == before.attempts,
            )
            .values(changes)
        )
        return noted.rowcount > 0

    def note_health(self, webhook_id: str, now: datetime, *, arrived: bool) -> None:
        """Keep when it last worked, or since when it has not."""
        values: dict[str, Any] = (
            {"last_success_at": now, "failing_since": None}
            if arrived
            else {"failing_since": func.coalesce(WEBHOOKS.c.failing_since, now)}
        )
        self._connection.execute(update(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id).values(values))

    def log(self, webhook_id: str, *, page: int, size: int) -> tuple[list[Delivery], int]:
        """A page of the webhook's deliveries, the newest first, and how many there are."""
        own = DELIVERIES.c.webhook_id == webhook_id
        total = self._connection.execute(select(func.count()).select_from(DELIVERIES).where(own)).scalar_one()
        rows = self._connection.execute(
            select(*_DELIVERY).where(own).order_by(DELIVERIES.c.sequence.desc()).limit(size).offset((page - 1) * size)
        )
        return [Delivery(**row) for row in rows.mappings()], int(total)

    def forget(self, before: datetime) -> int:
        """Remove deliveries that arrived and tests made before then, some at a time; returns how many."""
        old = (
            select(DELIVERIES.c.sequence)
            .where(DELIVERIES.c.state.in_((DELIVERED, FAILED, SENDING)), DELIVERIES.c.created_at < before)
            .limit(_FORGOTTEN_AT_ONCE)
        )
        return self._connection.execute(delete(DELIVERIES).where(DELIVERIES.c.sequence.in_(old))).rowcount

    # given up

    def dead(self, offset: int, limit: int) -> list[tuple[Delivery, str]]:
        """Deliveries that were given up, with the office whose they are, the oldest first."""
        rows = self._connection.execute(
            select(*_DELIVERY, WEBHOOKS.c.office)
            .join(WEBHOOKS, WEBHOOKS.c.id == DELIVERIES.c.webhook_id)
            .where(DELIVERIES.c.state == GIVEN_UP)
            .order_by(DELIVERIES.c.sequence)
            .offset(offset)
            .limit(limit)
        )
        return [
            (Delivery(**{name: value for name, value in row.items() if name != "office"}), row["office"])
            for row in rows.mappings()
        ]

    def number_of_dead(self) -> int:
        """How many deliveries were given up."""
        return int(
            self._connection.execute(
                select(func.count()).select_from(DELIVERIES).where(DELIVERIES.c.state == GIVEN_UP)
            ).scalar_one()
        )


def _behind(producer: str, head: int) -> ColumnElement[bool]:
    read = exists().where(
        and_(CURSORS.c.webhook_id == WEBHOOKS.c.id, CURSORS.c.producer == producer, CURSORS.c.position >= head)
    )
    return ~read


def _insert(dialect: str) -> Any:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


def _webhook(row: Any) -> Webhook:
    return Webhook(**{**row._mapping, "events": tuple(row.events)})  # noqa: SLF001 - SQLAlchemy's public name
