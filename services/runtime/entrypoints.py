"""How work reaches a service: questions, events and the passing of time.

nameko's own event handler acknowledges failed events, so that they are lost; this one keeps them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import eventlet
from eventlet.event import Event
from eventlet.timeout import Timeout
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, SharedExtension
from sqlalchemy import MetaData, Row, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from services.contracts.subscriptions import Subscription, queue_name, subscriptions_of
from services.kernel.errors import Unavailable
from services.runtime import log, metric
from services.runtime.amqp import (
    PUBLISH_ERRORS,
    Parcel,
    dead_name,
    delay_name,
    event_queue,
    pool_of,
)
from services.runtime.clockwork import TIME
from services.runtime.database import Database, database_at, runtime_tables
from services.runtime.envelope import Envelope
from services.runtime.outbox import OUTBOX, envelope_of
from services.runtime.rpc import QueueConsumer, is_embedded, ordinary_failures, rpc, settings_of

__all__ = ["event_handler", "every", "rpc"]

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPT_HEADER = "x-imece-attempt"
CAUSE_HEADER = "x-imece-cause"
DIED_HEADER = "x-imece-given-up-at"
CAUSE_LENGTH = 500
_PUMP_BATCH = 100
_TABLES = runtime_tables(MetaData())
CURSORS, PARKED = _TABLES.cursors, _TABLES.parked


class HandlerTooSlow(Exception):
    """A handler took longer than its deadline; an ordinary exception, so that nameko sees it."""


class Pump(SharedExtension):
    """Embedded mode: carries events from the producers' outboxes to one service's handlers.

    The outbox is the queue; the cursor of each producer lies in the consumer's own database.
    A failed event is parked there and tried again later, so that it holds up no other.
    """

    def __init__(self) -> None:
        self._providers: list[EventHandler] = []
        self._threads: list[Any] = []
        self._stopping = False
        super().__init__()

    def register_provider(self, provider: EventHandler) -> None:
        """Deliver to `provider` too."""
        self._providers.append(provider)

    def start(self) -> None:
        if not is_embedded(self.container) or self._threads:
            return
        producers = sorted({provider.producer for provider in self._providers})
        self._threads = [
            self.container.spawn_managed_thread(partial(self._follow, producer, bulk=bulk))
            for producer in producers
            for bulk in (False, True)
        ]
        if producers:
            self._threads.append(self.container.spawn_managed_thread(self._retry))

    def stop_pumping(self) -> None:
        """Take no new events."""
        self._stopping = True

    def stop(self) -> None:
        self.stop_pumping()
        for thread in self._threads:
            thread.kill()

    @property
    def _own(self) -> Database:
        return database_at(settings_of(self.container).database_of(self.container.service_name))

    def _handler(self, producer: str, event: str) -> EventHandler | None:
        return next((each for each in self._providers if (each.producer, each.event) == (producer, event)), None)

    def _follow(self, producer: str, *, bulk: bool) -> None:
        """Carry one lane of a producer's events; the events of a big import have a lane of their own."""
        settings = settings_of(self.container)
        source = database_at(settings.database_of(producer))
        cursor = f"{self.container.service_name}.on.{producer}" + (".bulk" if bulk else "")
        while not self._stopping:
            try:
                moved = self._carry(source, producer, cursor, bulk=bulk)
            except Unavailable as error:
                logger.warning("events wait for a database", extra={"cause": str(error)})
                moved = 0
            if not moved:
                source.posted.wait(settings.relay_interval)

    def _carry(self, source: Database, producer: str, cursor: str, *, bulk: bool) -> int:
        """Deliver one batch in order; returns its size."""
        with self._own.read() as connection:
            position = connection.execute(select(CURSORS.c.position).where(CURSORS.c.consumer == cursor)).scalar()
        with source.read() as connection:
            rows = connection.execute(
                select(OUTBOX)
                .where(OUTBOX.c.bulk.is_(bulk), OUTBOX.c.id > (position or 0))
                .order_by(OUTBOX.c.id)
                .limit(_PUMP_BATCH)
            ).all()
        for handler, run in _runs(rows, partial(self._handler, producer)):
            if self._stopping:
                return 0
            if handler is not None:
                self._deliver(handler, [envelope_of(row) for row in run])
            self._set_cursor(cursor, run[-1].id)
        return len(rows)

    def _set_cursor(self, cursor: str, position: int) -> None:
        dialect = postgresql if self._own.dialect == "postgresql" else sqlite
        statement = dialect.insert(CURSORS).values(consumer=cursor, position=position)
        with self._own.write() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["consumer"], set_={"position": position})
            )

    def _deliver(self, handler: EventHandler, envelopes: Sequence[Envelope]) -> None:
        """Deliver together; if that fails, one by one, so that the bad one alone is parked."""
        error = self._try(handler, envelopes)
        if error is None:
            return
        if len(envelopes) == 1:
            self._park(handler, envelopes[0], 0, error)
            return
        for envelope in envelopes:
            self._deliver(handler, [envelope])

    def _deliver_again(self, handler: EventHandler, envelope: Envelope, attempt: int) -> None:
        error = self._try(handler, [envelope])
        if error is not None:
            self._park(handler, envelope, attempt, error)
            return
        with self._own.write() as connection:
            connection.execute(delete(PARKED).where(*self._one(handler.consumer, envelope.id)))

    @staticmethod
    def _try(handler: EventHandler, envelopes: Sequence[Envelope]) -> BaseException | None:
        done = Event()

        def finish(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(None if exc_info is None else exc_info[1])
            return result, exc_info

        handler.deliver(envelopes, finish)
        failed: BaseException | None = done.wait()
        return failed

    def _park(self, handler: EventHandler, envelope: Envelope, attempt: int, error: BaseException) -> None:
        delays = settings_of(self.container).delays
        again = attempt < len(delays)
        now = TIME.now()
        (metric.RETRIED if again else metric.DEAD).labels(handler.consumer).inc()
        values = {
            "cause": cause_of(error),
            "attempts": attempt + 1,
            "retry_at": now + timedelta(seconds=delays[attempt]) if again else None,
            "parked_at": now,
        }
        dialect = postgresql if self._own.dialect == "postgresql" else sqlite
        statement = dialect.insert(PARKED).values(
            consumer=handler.consumer, event_id=envelope.id, envelope=envelope.to_plain(), **values
        )
        with self._own.write() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["consumer", "event_id"], set_=values))

    def _retry(self) -> None:
        interval = settings_of(self.container).relay_interval
        while not self._stopping:
            eventlet.sleep(interval)
            due = select(PARKED).where(PARKED.c.retry_at <= TIME.now()).order_by(PARKED.c.retry_at).limit(_PUMP_BATCH)
            try:
                with self._own.read() as connection:
                    rows = connection.execute(due).all()
                for row in rows:
                    envelope = Envelope.from_plain(row.envelope)
                    handler = next((each for each in self._providers if each.consumer == row.consumer), None)
                    if handler is not None:
                        # Whoever redrives a dead event may have set its attempts to 0.
                        self._deliver_again(handler, envelope, max(row.attempts, 1))
            except Unavailable as error:
                logger.warning("parked events wait for the database", extra={"cause": str(error)})

    @staticmethod
    def _one(consumer: str, event_id: str) -> tuple[Any, Any]:
        return PARKED.c.consumer == consumer, PARKED.c.event_id == event_id


Rows = Sequence[Row[Any]]


def _runs(rows: Rows, find: Callable[[str], EventHandler | None]) -> Iterator[tuple[EventHandler | None, Rows]]:
    """The rows in order, cut into what one handler takes at once; None where nobody here hears the event."""
    start = 0
    while start < len(rows):
        handler = find(rows[start].name)
        most = len(rows) if handler is None else handler.together
        end = start + 1
        while end < len(rows) and end - start < most and find(rows[end].name) is handler:
            end += 1
        yield handler, rows[start:end]
        start = end


class EventHandler(Entrypoint):
    """A durable consumer of one event; see `event_handler`."""

    queue_consumer = QueueConsumer()
    pump = Pump()

    def __init__(self, producer: str, event: str, together: int = 1, **kwargs: Any) -> None:
        self.producer = producer
        self.event = event
        self.together = together
        self.queue: Any = None
        self._gathered: list[tuple[Envelope, Any]] = []
        self._gathering = False
        super().__init__(**kwargs)

    @property
    def consumer(self) -> str:
        """The queue's name, also the consumer's name in the inbox."""
        return queue_name(self.container.service_name, self.event)

    def setup(self) -> None:
        own = Subscription(self.container.service_name, self.producer, self.event)
        if own not in subscriptions_of(self.container.service_name):
            message = f"{own} is not in contracts/subscriptions.py, so it has no queue"
            raise LookupError(message)
        if is_embedded(self.container):
            self.pump.register_provider(self)
        else:
            self.queue = event_queue(own)
            self.queue_consumer.register_provider(self)

    def stop(self) -> None:
        if is_embedded(self.container):
            self.pump.stop_pumping()
        else:
            self.queue_consumer.unregister_provider(self)

    # from the broker

    def handle_message(self, body: Any, message: Any) -> None:  # noqa: ARG002 - nameko's signature
        """Run the method; acknowledge after its commit; on failure try again later or give up."""
        try:
            envelope = Envelope.from_plain(json.loads(message.body))
        except (ValueError, KeyError, TypeError, UnicodeDecodeError) as error:
            self._send_on(message, dead_name(self.queue.name), f"cannot be read: {type(error).__name__}: {error}")
            metric.DEAD.labels(self.consumer).inc()
            return

        if self.together == 1:
            self._hand_over([(envelope, message)])
            return
        self._gathered.append((envelope, message))
        if self._gathering:
            return
        self._gathering = True
        try:
            while self._gathered:
                several, self._gathered = self._gathered[: self.together], self._gathered[self.together :]
                self._hand_over(several).wait()
        finally:
            self._gathering = False

    def _hand_over(self, several: Sequence[tuple[Envelope, Any]]) -> Event:
        """Run the method for these; the event is sent when each of them is acknowledged or sent on."""
        settled = Event()

        def finish(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            if exc_info is None:
                for _, message in several:
                    self.queue_consumer.ack_message(message)
            elif len(several) == 1:
                self._after_failure(several[0][1], exc_info[1])
            else:
                # One of them spoils the others: each for itself.
                self.container.spawn_managed_thread(partial(self._one_by_one, several, settled))
                return result, exc_info
            settled.send()
            return result, exc_info

        try:
            self.deliver([envelope for envelope, _ in several], finish)
        except ContainerBeingKilled:
            for _, message in several:
                self.queue_consumer.requeue_message(message)
            settled.send()
        return settled

    def _one_by_one(self, several: Sequence[tuple[Envelope, Any]], settled: Event) -> None:
        for each in several:
            self._hand_over([each]).wait()
        settled.send()

    def deliver(self, envelopes: Sequence[Envelope], finish: Any) -> None:
        """Run the method for `envelopes` in a worker; `finish` gets the outcome."""
        told: Any = envelopes[0] if self.together == 1 else list(envelopes)
        self.container.spawn_worker(
            self, (told,), {}, context_data={"correlation_id": envelopes[0].correlation_id}, handle_result=finish
        )

    def _after_failure(self, message: Any, error: BaseException) -> None:
        delays = settings_of(self.container).delays
        attempt = int((message.headers or {}).get(ATTEMPT_HEADER, 0))
        cause = cause_of(error)
        if attempt < len(delays):
            metric.RETRIED.labels(self.consumer).inc()
            self._send_on(message, self.queue.name, cause, delay=delays[attempt], attempt=attempt + 1)
        else:
            metric.DEAD.labels(self.consumer).inc()
            logger.error("an event was given up", extra={"consumer": self.consumer, "cause": cause})
            self._send_on(message, dead_name(self.queue.name), cause, attempt=attempt)

    def _send_on(self, message: Any, target: str, cause: str, *, delay: float | None = None, attempt: int = 0) -> None:
        """Put the message where it waits or rests, then acknowledge it here; if that fails, leave it where it is."""
        headers = {ATTEMPT_HEADER: attempt, CAUSE_HEADER: cause, DIED_HEADER: TIME.now().isoformat()}
        exchange = "" if delay is None else delay_name(delay)
        body = message.body.decode(errors="replace") if isinstance(message.body, bytes) else str(message.body)
        try:
            pool_of(settings_of(self.container).amqp_url).publish([Parcel(exchange, target, body, headers)])
        except PUBLISH_ERRORS as error:
            logger.warning("an event could not be sent on", extra={"consumer": self.consumer, "cause": str(error)})
            self.queue_consumer.requeue_message(message)
        else:
            self.queue_consumer.ack_message(message)


def cause_of(error: BaseException) -> str:
    """Why, in a few words, without arguments that may name persons."""
    return f"{type(error).__name__}: {error}"[:CAUSE_LENGTH]


def event_handler(producer: str, event: str, together: int = 1) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run the method for every `event` of `producer`, at least once, in no certain order.

    The method takes one Envelope and must be idempotent (`inbox.first_time`). When it raises,
    or takes longer than the handler deadline, the event is tried again with growing delays,
    then kept as a dead letter with its cause.

    With `together` above 1 it takes a list of up to that many envelopes, as many as wait: one
    transaction for all of them is many times quicker. Where it raises, each is tried alone.
    """

    def register(method: Callable[P, R]) -> Callable[P, R]:
        return EventHandler.decorator(producer, event, together)(_with_deadline(method))  # type: ignore[no-any-return]

    return register


def _with_deadline(method: Callable[P, R]) -> Callable[P, R]:
    if hasattr(method, "imece_deadline"):
        return method  # several events may share a method; it has its deadline already

    @wraps(method)
    def handle(*args: P.args, **kwargs: P.kwargs) -> R:
        service: Any = args[0]
        told: Any = args[1]
        name = told[0].name if isinstance(told, list) else told.name
        seconds = service.settings.handler_deadline
        with (
            ordinary_failures(),
            metric.timed(service.name, name),
            Timeout(seconds, HandlerTooSlow(f"took longer than {seconds:g} s")),
        ):
            return method(*args, **kwargs)

    handle.imece_deadline = True  # type: ignore[attr-defined]
    return handle


class Every(Entrypoint):
    """A method that runs again and again; see `every`."""

    def __init__(self, setting: str, *, woken: bool = False, **kwargs: Any) -> None:
        self.setting = setting
        self.woken = woken
        self._thread: Any = None
        self._stopping = Event()
        super().__init__(**kwargs)

    def start(self) -> None:
        # There from the start at 0, so that the first failure is seen as an increase.
        metric.JOBS_FAILED.labels(self.container.service_name, self.method_name)
        self._thread = self.container.spawn_managed_thread(self._run)

    def stop(self) -> None:
        self._stopping.send()
        if self.woken:
            self._own.posted.ring()
        self._thread.wait()

    def kill(self) -> None:
        if self._thread is not None:
            self._thread.kill()

    @property
    def _own(self) -> Database:
        return database_at(settings_of(self.container).database_of(self.container.service_name))

    def _pause(self, seconds: float) -> None:
        if self.woken:
            self._own.posted.wait(seconds)
            return
        with Timeout(seconds, exception=False):
            self._stopping.wait()

    def _run(self) -> None:
        seconds = getattr(settings_of(self.container), self.setting)
        while not self._stopping.ready():
            self._pause(seconds)
            if self._stopping.ready():
                return
            done = Event()

            def finish(_context: Any, result: Any, exc_info: Any, done: Event = done) -> tuple[Any, Any]:
                if exc_info is not None:
                    metric.JOBS_FAILED.labels(self.container.service_name, self.method_name).inc()
                    logger.error("a periodic job failed", extra={"job": self.method_name}, exc_info=exc_info)
                done.send()
                return result, exc_info

            self.container.spawn_worker(self, (), {}, handle_result=finish)
            done.wait()


def every(setting: str, *, woken: bool = False) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Run the method every so many seconds, as `setting` of Settings says; never twice at once in one process.

    `woken`: also soon after a commit of this process that marked its connection as `POSTED`.
    """

    def register(method: Callable[P, R]) -> Callable[P, R]:
        @wraps(method)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            service: Any = args[0]
            log.correlate(service=service.name)
            with ordinary_failures(), metric.timed(service.name, method.__name__):
                return method(*args, **kwargs)

        return Every.decorator(setting, woken=woken)(run)  # type: ignore[no-any-return]

    return register
