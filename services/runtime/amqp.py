"""RabbitMQ: what is declared there, and publishing that knows whether it arrived."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import amqp
from eventlet import sleep
from eventlet.queue import LifoQueue
from eventlet.timeout import Timeout
from kombu import Connection, Exchange, Queue

from services.contracts.subscriptions import Subscription, exchange_name, queue_name
from services.kernel.errors import Unavailable
from services.kernel.text import Sentence

logger = logging.getLogger(__name__)

CONFIRM_SECONDS = 10.0
_CONNECT_SECONDS = 5
# Innocent prefetched messages are counted too when a process dies, so the limit is generous.
_DELIVERY_LIMIT = 20
_QUORUM = {"x-queue-type": "quorum"}
_SAFE_DEAD_LETTERS = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}

BROKER_ERRORS: tuple[type[BaseException], ...] = (OSError, amqp.exceptions.AMQPError, EOFError)


class Unroutable(Exception):
    """A message that no queue takes: the topology was not declared."""


class NotConfirmed(Exception):
    """The broker did not confirm in time, or refused."""


PUBLISH_ERRORS: tuple[type[BaseException], ...] = (NotConfirmed, Unroutable, *BROKER_ERRORS)
"""What publishing may raise when the broker is away, slow, or not prepared."""


@dataclass(frozen=True)
class Parcel:
    """One message on its way to an exchange ("" is the default one)."""

    exchange: str
    routing_key: str
    body: str
    headers: dict[str, Any] = field(default_factory=dict)
    mandatory: bool = True
    properties: dict[str, Any] = field(default_factory=dict)


class Publisher:
    """A channel that publishes many and waits once for all confirms.

    Not shared between green threads; take one from a `PublisherPool`.
    """

    def __init__(self, url: str) -> None:
        """Connects at the first publish."""
        self._url = url
        self._connection: Connection | None = None
        self._channel: Any = None
        self._open: set[int] = set()
        self._returned: list[str] = []
        self._refused = False
        self._sent = 0

    def publish(self, parcels: Sequence[Parcel], seconds: float = CONFIRM_SECONDS) -> None:
        """Publish all, persistent; return when the broker has every one.

        Raises Unroutable, NotConfirmed or one of BROKER_ERRORS; then nothing is known to have
        arrived and the connection is thrown away.
        """
        try:
            with Timeout(seconds, NotConfirmed(f"no confirm within {seconds} s")):
                self._ready()
                for parcel in parcels:
                    self._send(parcel)
                while self._open:
                    self._connection.drain_events(timeout=seconds)  # type: ignore[union-attr]
        except BaseException:
            self.drop()
            raise
        if self._refused:
            self.drop()
            message = "the broker refused a message"
            raise NotConfirmed(message)
        if self._returned:
            gone, self._returned = self._returned, []
            raise Unroutable(", ".join(gone))

    def depth(self, queues: Sequence[str], seconds: float = CONFIRM_SECONDS) -> list[int]:
        """How many messages lie in each queue, in the order given. Raises what `publish` raises."""
        try:
            with Timeout(seconds, NotConfirmed(f"no answer within {seconds} s")):
                self._ready()
                return [self._channel.queue_declare(name, passive=True).message_count for name in queues]
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        """Forget the connection without saying goodbye: a blocked broker would never answer."""
        if self._connection is not None:
            self._connection.collect()
        self._connection = self._channel = None

    def _ready(self) -> None:
        if self._channel is not None and self._channel.is_open:
            return
        self.drop()
        self._connection = Connection(self._url, connect_timeout=_CONNECT_SECONDS, heartbeat=0)
        self._connection.connect()
        self._channel = self._connection.default_channel
        self._channel.confirm_select()
        self._open, self._returned, self._refused, self._sent = set(), [], False, 0
        self._channel.events["basic_ack"].add(self._acknowledged)
        self._channel.events["basic_nack"].add(self._denied)
        self._channel.events["basic_return"].add(self._came_back)

    def _send(self, parcel: Parcel) -> None:
        self._sent += 1
        self._open.add(self._sent)
        message = amqp.Message(
            parcel.body.encode(),
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            application_headers=parcel.headers,
            **parcel.properties,
        )
        # Confirms were selected by hand above: kombu's own option would wait after each message.
        self._channel.basic_publish(
            message, exchange=parcel.exchange, routing_key=parcel.routing_key, mandatory=parcel.mandatory
        )

    def _settled(self, tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp's order
        self._open = {t for t in self._open if t > tag} if multiple else self._open - {tag}

    def _acknowledged(self, delivery_tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp's order
        self._settled(delivery_tag, multiple)

    def _denied(self, delivery_tag: int, multiple: bool) -> None:  # noqa: FBT001 - py-amqp's order
        self._refused = True
        self._settled(delivery_tag, multiple)

    def _came_back(self, _exception: Any, exchange: str, routing_key: str, _message: Any) -> None:
        self._returned.append(f"{exchange}/{routing_key}")


class PublisherPool:
    """Publishers for the green threads of one process."""

    def __init__(self, url: str, size: int = 8) -> None:
        """At most `size` connections, opened when needed; the last one used is the first taken again."""
        self._free: LifoQueue = LifoQueue()
        for _ in range(size):
            self._free.put(Publisher(url))

    @contextmanager
    def publisher(self) -> Iterator[Publisher]:
        """One publisher for the length of the block."""
        taken = self._free.get()
        try:
            yield taken
        finally:
            self._free.put(taken)

    def publish(self, parcels: Sequence[Parcel], seconds: float = CONFIRM_SECONDS) -> None:
        """As `Publisher.publish`; a connection found dead is replaced once."""
        with self.publisher() as publisher:
            try:
                publisher.publish(parcels, seconds)
            except BROKER_ERRORS:
                publisher.publish(parcels, seconds)


_POOLS: dict[str, PublisherPool] = {}


def pool_of(url: str) -> PublisherPool:
    """The process's one pool for this broker."""
    if url not in _POOLS:
        _POOLS[url] = PublisherPool(url)
    return _POOLS[url]


def event_exchange(service: str) -> Exchange:
    """Where the service's events are published."""
    return Exchange(exchange_name(service), type="topic", durable=True)


def event_queue(subscription: Subscription) -> Queue:
    """The durable quorum queue of one consumer and one event; what cannot be handled goes to its dead queue."""
    name = queue_name(subscription.consumer, subscription.event)
    return Queue(
        name,
        exchange=event_exchange(subscription.producer),
        routing_key=subscription.event,
        durable=True,
        queue_arguments={
            **_QUORUM,
            **_SAFE_DEAD_LETTERS,
            "x-delivery-limit": _DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_name(name),
        },
    )


def dead_name(queue: str) -> str:
    """The dead queue of a queue."""
    return f"{queue}.dead"


def delay_name(seconds: float) -> str:
    """Exchange and queue where a message waits before it goes back to the queue named by its routing key."""
    return f"imece.retry.{seconds:g}s"


def declare(url: str, subscriptions: Iterable[Subscription], services: Iterable[str], delays: Iterable[float]) -> None:
    """Declare every exchange, queue and binding; safe to repeat.

    All at once and before anything is published: an event without a queue would be confirmed and gone.
    """
    with Connection(url, connect_timeout=_CONNECT_SECONDS) as connection, connection.channel() as channel:
        for service in services:
            event_exchange(service)(channel).declare()
        for subscription in subscriptions:
            queue = event_queue(subscription)
            Queue(dead_name(queue.name), durable=True, queue_arguments=_QUORUM)(channel).declare()
            queue(channel).declare()
        for seconds in delays:
            waiting = Exchange(delay_name(seconds), type="topic", durable=True)
            Queue(
                delay_name(seconds),
                exchange=waiting,
                routing_key="#",
                durable=True,
                queue_arguments={
                    **_QUORUM,
                    **_SAFE_DEAD_LETTERS,
                    "x-message-ttl": int(seconds * 1000),
                    # No dead-letter routing key: the message keeps its own, which names the queue it came from.
                    "x-dead-letter-exchange": "",
                },
            )(channel).declare()


def wait_for_broker(url: str) -> None:
    """Return when the broker answers; tries for ever, with growing pauses, and says so."""
    pause = 0.5
    while True:
        try:
            with Connection(url, connect_timeout=_CONNECT_SECONDS) as connection:
                connection.connect()
        except BROKER_ERRORS as error:
            logger.warning("the broker does not answer; trying again", extra={"seconds": pause, "cause": str(error)})
            sleep(pause)
            pause = min(pause * 2, 10)
        else:
            return


def depth(url: str, queues: Iterable[str]) -> dict[str, int]:
    """Messages lying in each queue; Unavailable when the broker does not answer."""
    try:
        with (
            Timeout(CONFIRM_SECONDS, NotConfirmed("no answer")),
            Connection(url, connect_timeout=_CONNECT_SECONDS) as connection,
            connection.channel() as channel,
        ):
            return {name: channel.queue_declare(name, passive=True).message_count for name in queues}
    except PUBLISH_ERRORS as error:
        raise Unavailable(Sentence("The message broker does not answer. Try again in a moment.")) from error


def to_json(plain: Any) -> str:
    """JSON as it goes on the wire."""
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
