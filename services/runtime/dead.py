"""What was given up: listed, and tried again when a person says so.

Events that a consumer could not handle look the same in both modes: rows of
`parked_events` without a next try. In distributed mode they come there from the
dead queues of RabbitMQ: inserted, committed, and only then acknowledged.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from eventlet.timeout import Timeout
from kombu import Connection as Broker
from sqlalchemy import Connection, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from services.contracts.subscriptions import queue_name, subscriptions_of
from services.kernel.errors import Refused, Unavailable
from services.kernel.text import Sentence
from services.runtime.amqp import (
    CONFIRM_SECONDS,
    PUBLISH_ERRORS,
    Parcel,
    dead_name,
    depth,
    pool_of,
    to_json,
)
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.entrypoints import ATTEMPT_HEADER, CAUSE_HEADER, CAUSE_LENGTH, DIED_HEADER, PARKED
from services.runtime.envelope import Envelope
from services.runtime.settings import Settings

logger = logging.getLogger(__name__)

Plain = dict[str, Any]

UNREADABLE = "unreadable"
"""Key of the text of a message that is no event, in the place of its envelope."""
_MOVED_AT_ONCE = 100
_MOVING_SECONDS = 4.0
_MOST_ATTEMPTS = 1_000_000
_OLDEST = timedelta(days=3660)
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL as JSON writes it, which PostgreSQL cannot hold."""
_STRANGER = uuid.UUID("6b1d53a4-5fd8-4c43-a5a1-7a1e0d0c5393")
_FREE_BITS = int("ffffffffffff0fff3fffffffffffffff", 16)
"""All bits of a UUID besides those that say its version and variant."""


class Shelf(Protocol):
    """One kind of things given up, in one service."""

    def count(self) -> int:
        """How many there are."""

    def page(self, offset: int, limit: int) -> Sequence[Plain]:
        """Some of them, the oldest first, each as `letter` makes it."""

    def redrive(self, letter_id: str) -> Plain | None:
        """Have this one tried again, with all tries before it; the letter as it was, None for an unknown id."""


def letter(
    *,
    letter_id: str,
    kind: str,
    of: str,
    event: str | None,
    event_id: str | None,
    cause: str | Mapping[str, Any],
    attempts: int,
    since: datetime,
) -> Plain:
    """A dead letter as it travels: what failed where and why, and no person."""
    return {
        "id": letter_id,
        "kind": kind,
        "of": of,
        "event": event,
        "event_id": event_id,
        "cause": cause,
        "attempts": attempts,
        "since": since.isoformat(),
    }


def listed(shelves: Sequence[Shelf], offset: int, limit: int) -> Plain:
    """`{items, total}`: a stretch of all shelves, one after the other."""
    items: list[Plain] = []
    total = 0
    for shelf in shelves:
        here = shelf.count()
        start = max(0, offset - total)
        if start < here and len(items) < limit:
            items += shelf.page(start, limit - len(items))
        total += here
    return {"items": items, "total": total}


def redriven(shelves: Sequence[Shelf], letter_id: str) -> Plain | None:
    """Have it tried again, on whichever shelf it lies; None when it lies on none."""
    return next((found for shelf in shelves if (found := shelf.redrive(letter_id)) is not None), None)


def letter_id(consumer: str, event_id: str) -> str:
    """The id of the dead letter of this consumer and event; `_event_id` leads back."""
    return str(uuid.UUID(int=uuid.UUID(event_id).int ^ _mask(consumer)))


def _event_id(consumer: str, letter_id_: str) -> str:
    return letter_id(consumer, letter_id_)


def _mask(consumer: str) -> int:
    return int.from_bytes(hashlib.sha256(consumer.encode()).digest()[:16], "big") & _FREE_BITS


class EventShelf:
    """The events that a service gave up."""

    def __init__(self, service: str, database: Database, settings: Settings) -> None:
        """Looks into the service's own database, and into its dead queues where there is a broker."""
        self._service = service
        self._database = database
        self._settings = settings

    def count(self) -> int:
        """How many there are, after what lay in the dead queues was fetched."""
        self.fetch()
        with self._database.read() as connection:
            return count(connection)

    def page(self, offset: int, limit: int) -> list[Plain]:
        """Some of them, the oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(PARKED)
                .where(PARKED.c.retry_at.is_(None))
                .order_by(PARKED.c.parked_at, PARKED.c.id)
                .offset(offset)
                .limit(limit)
            ).all()
        return [_letter(row) for row in rows]

    def redrive(self, letter_id_: str) -> Plain | None:
        """Put it back to its consumer.

        Raises Refused for a message that is no event and for one that nobody hears any more, Unavailable
        when the broker does not confirm that it has it; then it stays where it is.
        """
        row = self._found(letter_id_)
        if row is None:
            return None
        self._demand_sense(row)
        if self._settings.mode == "embedded":
            now = TIME.now()
            again = update(PARKED).where(PARKED.c.id == row.id, PARKED.c.retry_at.is_(None))
            with self._database.write() as connection:
                connection.execute(again.values(attempts=0, retry_at=now))
        else:
            # In the queue before it leaves here, and nobody waits for the broker inside a transaction: cut off
            # in between, or asked for twice at once, it is in both, which does no harm.
            self._publish(row)
            gone = delete(PARKED).where(PARKED.c.id == row.id, PARKED.c.parked_at == row.parked_at)
            with self._database.write() as connection:
                connection.execute(gone)
        return _letter(row)

    def _found(self, letter_id_: str) -> Any:
        with self._database.read() as connection:
            consumers = connection.execute(
                select(PARKED.c.consumer).where(PARKED.c.retry_at.is_(None)).distinct()
            ).scalars()
            keys = [(consumer, _event_id(consumer, letter_id_)) for consumer in consumers]
            return connection.execute(
                select(PARKED).where(
                    PARKED.c.retry_at.is_(None), tuple_(PARKED.c.consumer, PARKED.c.event_id).in_(keys)
                )
            ).one_or_none()

    def _demand_sense(self, row: Any) -> None:
        if UNREADABLE in row.envelope:
            raise Refused(
                Sentence("This message cannot be read as an event; trying it again would end in the same way."),
                code="unreadable_letter",
            )
        if row.consumer not in {queue_name(each.consumer, each.event) for each in subscriptions_of(self._service)}:
            raise Refused(Sentence("Nobody hears this event any more."), code="nobody_hears")

    def _publish(self, row: Any) -> None:
        parcel = Parcel("", row.consumer, to_json(row.envelope))
        try:
            pool_of(self._settings.amqp_url).publish([parcel])
        except PUBLISH_ERRORS as error:
            raise _no_broker() from error

    def fetch(self) -> int:
        """Move what lies in the dead queues into the table; returns how many.

        A message is acknowledged after the commit that holds it. Raises Unavailable without the broker.
        """
        if self._settings.mode == "embedded":
            return 0
        queues = {
            dead_name(name): name
            for name in (queue_name(each.consumer, each.event) for each in subscriptions_of(self._service))
        }
        lying = [dead for dead, number in depth(self._settings.amqp_url, queues).items() if number]
        if not lying:
            return 0
        moved = 0
        try:
            with (
                Timeout(_MOVING_SECONDS, exception=False),
                Broker(self._settings.amqp_url, connect_timeout=CONFIRM_SECONDS) as connection,
                connection.channel() as channel,
            ):
                for dead in lying:
                    while here := self._move(channel, dead, queues[dead]):
                        moved += here
        except PUBLISH_ERRORS as error:
            raise _no_broker() from error
        return moved

    def _move(self, channel: Any, dead: str, consumer: str) -> int:
        """Move up to a hundred messages of one queue; nobody waits for the broker inside the transaction."""
        # The database first: a message that is taken and given back too often is dropped by the broker.
        with self._database.read() as connection:
            connection.execute(select(1))
        messages: list[Any] = []
        while len(messages) < _MOVED_AT_ONCE and (message := channel.basic_get(dead)) is not None:
            messages.append(message)
        if not messages:
            return 0
        # The last of several copies counts, and one statement may name a row only once.
        rows = {row["event_id"]: row for row in (_row(consumer, message) for message in messages)}
        dialect = postgresql if self._database.dialect == "postgresql" else sqlite
        # In one order everywhere, so that two processes wait for each other and do not lock up.
        statement = dialect.insert(PARKED).values([rows[event_id] for event_id in sorted(rows)])
        with self._database.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["consumer", "event_id"],
                    set_={
                        name: statement.excluded[name]
                        for name in ("envelope", "cause", "attempts", "retry_at", "parked_at")
                    },
                )
            )
        channel.basic_ack(messages[-1].delivery_tag, multiple=True)
        return len(messages)


def count(connection: Connection) -> int:
    """The events given up that lie in this database."""
    return int(
        connection.execute(select(func.count()).select_from(PARKED).where(PARKED.c.retry_at.is_(None))).scalar_one()
    )


def _no_broker() -> Unavailable:
    return Unavailable(Sentence("The message broker does not answer. Try again in a moment."))


def _letter(row: Any) -> Plain:
    readable = UNREADABLE not in row.envelope
    return letter(
        letter_id=letter_id(row.consumer, row.event_id),
        kind="event",
        of=row.consumer,
        event=row.envelope["name"] if readable else None,
        event_id=row.event_id if readable else None,
        cause=row.cause,
        attempts=row.attempts,
        since=row.parked_at,
    )


def _row(consumer: str, message: Any) -> Plain:
    """A message of a dead queue as a row."""
    headers = message.headers or {}
    body = message.body.decode(errors="replace") if isinstance(message.body, bytes) else str(message.body)
    event_id, envelope = _read(body)
    return {
        "consumer": consumer,
        "event_id": event_id,
        "envelope": envelope,
        "cause": _storable(_cause(headers))[:CAUSE_LENGTH],
        "attempts": _attempts(headers),
        "retry_at": None,
        "parked_at": _died_at(headers),
    }


def _read(body: str) -> tuple[str, Plain]:
    """(id, envelope); a message that is no event gets an id from its text and is kept as it is."""
    try:
        envelope = Envelope.from_plain(json.loads(body)).to_plain()
        identifier = str(uuid.UUID(envelope["id"]))
        text = json.dumps(envelope, ensure_ascii=False, allow_nan=False)
        if _NUL.search(text) is None and _storable(text) == text:
            return identifier, envelope
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        logger.info("a dead letter is no event", extra={"cause": type(error).__name__})
    return str(uuid.uuid5(_STRANGER, body.encode(errors="replace").hex())), {UNREADABLE: _storable(body)}


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL, and halves of characters."""
    return text.replace("\x00", "\ufffd").encode(errors="replace").decode()


def _cause(headers: Mapping[str, Any]) -> str:
    if headers.get(CAUSE_HEADER):
        return str(headers[CAUSE_HEADER])
    deaths = headers.get("x-death") or []
    reason = deaths[0].get("reason") if deaths and isinstance(deaths[0], dict) else None
    # The broker itself put it there: mostly processes that died while they had it.
    return f"put aside by the broker: {reason or 'it does not say why'}"


def _attempts(headers: Mapping[str, Any]) -> int:
    """How often it was tried, as far as a header says; strangers may have written anything there."""
    for name, more in ((ATTEMPT_HEADER, 1), ("x-delivery-count", 0)):
        found = headers.get(name)
        if isinstance(found, int):
            return min(max(found + more, 1), _MOST_ATTEMPTS)
    return 1


def _died_at(headers: Mapping[str, Any]) -> datetime:
    now = TIME.now()
    try:
        found = datetime.fromisoformat(str(headers.get(DIED_HEADER)))
    except ValueError:
        return now
    return found if found.tzinfo and abs(found - now) < _OLDEST else now
