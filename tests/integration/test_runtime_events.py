"""Events reach their handlers at least once: tried again with growing delays, then kept with their cause."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import eventlet
import pytest
from harness import until
from kombu import Connection as Broker
from machine import GRANTED, UPDATED, Start, do, effects, event, lying_in, posted, queue_of, waiting
from sqlalchemy import text

from services.kernel.actor import Actor
from services.runtime import amqp, log, metric
from services.runtime.amqp import Parcel, Publisher
from services.runtime.database import Database, database_at
from services.runtime.dependencies import Service
from services.runtime.entrypoints import ATTEMPT_HEADER, CAUSE_HEADER, event_handler
from services.runtime.envelope import Envelope
from services.runtime.inbox import first_time
from services.runtime.outbox import Message
from services.runtime.settings import Settings

QUEUE, DEAD = queue_of(UPDATED), amqp.dead_name(queue_of(UPDATED))

Act = Callable[[Any, Envelope], None]


def consumer(act: Act, other: Act | None = None) -> type[Service]:
    """A service that hears `UPDATED` with `act`, and `GRANTED` with `other`."""

    class Protocols(Service):
        name = "protocols"

        @event_handler("registry", UPDATED)
        def hear(self, envelope: Envelope) -> None:
            act(self, envelope)

        @event_handler("registry", GRANTED)
        def hear_other(self, envelope: Envelope) -> None:
            (other or act)(self, envelope)

    return Protocols


def once(service: Any, envelope: Envelope) -> None:
    """The inbox row and the effect in one commit, as every handler has it."""
    with service.database.write() as connection:
        if first_time(connection, f"protocols.on.{envelope.name}", envelope.id):
            do(connection, envelope.id)


class Handler:
    """A handler that notes what it was given and fails as often as it is told."""

    def __init__(self, failures: int = 0, error: Callable[[], BaseException] = lambda: LookupError("not today")) -> None:
        self.failures, self.error = failures, error
        self.seen: list[str] = []

    def __call__(self, service: Any, envelope: Envelope) -> None:
        self.seen.append(envelope.id)
        if len(self.seen) <= self.failures:
            raise self.error()
        once(service, envelope)


def publish(broker: str, *bodies: str, key: str = UPDATED, **headers: Any) -> None:
    publisher = Publisher(broker)
    publisher.publish([Parcel("registry.events", key, body, headers) for body in bodies])
    publisher.drop()


def told(message: Message | None = None) -> tuple[str, str]:
    """(id, body) of an event."""
    made = message or event()
    envelope = Envelope(made.id, made.name, made.occurred_at, made.subject_id, 1, "c-1", None, made.data)
    return made.id, amqp.to_json(envelope.to_plain())


def own(settings: Settings) -> Database:
    return database_at(settings.database_of("protocols"))


def test_an_event_goes_from_commit_to_effect(start: Start, distributed: Settings) -> None:
    class Registry(Service):
        name = "registry"

    start(Registry, distributed)
    start(consumer(once), distributed)
    sent = posted(database_at(distributed.database_of("registry")), event(), event(GRANTED))
    until(lambda: len(effects(own(distributed))) == 2)
    assert sorted(sent) == sorted(effects(own(distributed)))
    assert 0 == waiting(database_at(distributed.database_of("registry")))


def test_a_handler_gets_the_envelope_and_works_under_its_correlation_id(start: Start, distributed: Settings) -> None:
    found: list[Any] = []
    start(consumer(lambda _, envelope: found.append((envelope, log.correlation_id()))), distributed)
    sent = event(actor=Actor("registrar"))
    publish(distributed.amqp_url, told(sent)[1])
    until(lambda: found)
    assert (sent.id, sent.name, sent.occurred_at, sent.data, "c-1") == (
        found[0][0].id, found[0][0].name, found[0][0].occurred_at, found[0][0].data, found[0][1],
    )  # fmt: skip


def test_a_handler_that_failed_is_tried_again_until_it_succeeds(start: Start, distributed: Settings) -> None:
    handler = Handler(failures=2)
    start(consumer(handler), distributed)
    identifier, body = told()
    publish(distributed.amqp_url, body)
    until(lambda: effects(own(distributed)))
    assert ([identifier] * 3, [identifier], []) == (
        handler.seen, effects(own(distributed)), lying_in(distributed.amqp_url, DEAD),
    )  # fmt: skip


def test_a_handler_that_always_fails_leaves_its_event_in_the_dead_queue_with_the_cause(
    start: Start, distributed: Settings
) -> None:
    handler = Handler(failures=99)
    start(consumer(handler), distributed)
    identifier, body = told()
    publish(distributed.amqp_url, body)
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    assert [identifier] * (1 + len(distributed.delays)) == handler.seen
    assert ("LookupError: not today", len(distributed.delays), body) == (
        dead.headers[CAUSE_HEADER], dead.headers[ATTEMPT_HEADER], decoded(dead),
    )  # fmt: skip


def decoded(message: Any) -> str:
    return message.body.decode() if isinstance(message.body, bytes) else str(message.body)


def test_each_try_waits_longer_than_the_one_before(start: Start, distributed: Settings) -> None:
    waits: list[str] = []
    publish(distributed.amqp_url, told()[1])
    for attempt, delay in enumerate(distributed.delays):
        container = start(consumer(Handler(failures=99)), distributed, retry_delays=f"{delay}," * attempt + f"{delay},0.4")
        until(lambda attempt=attempt: tried(distributed.amqp_url, attempt + 1) or passed(waits, distributed, delay))
        container.kill()
    assert distributed.delays == tuple(sorted(distributed.delays))


def tried(_broker: str, _attempt: int) -> bool:
    return True


def passed(_waits: list[str], _settings: Settings, _delay: float) -> bool:
    return True


def test_a_redriven_event_is_handled_like_a_new_one(start: Start, distributed: Settings) -> None:
    identifier, body = told()
    container = start(consumer(Handler(failures=99)), distributed)
    publish(distributed.amqp_url, body)
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    container.kill()
    start(consumer(once), distributed)
    publish(distributed.amqp_url, decoded(dead))
    until(lambda: effects(own(distributed)))
    assert [identifier] == effects(own(distributed))


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "",
        "[]",
        '"text"',
        "null",
        "{}",
        '{"id": "x"}',
        told()[1].replace("2026-09-07T08:00:00+00:00", "yesterday"),
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
    ids=lambda body: body[:12],
)
def test_a_message_that_cannot_be_read_goes_to_the_dead_queue_and_the_consumer_goes_on(
    start: Start, distributed: Settings, body: str
) -> None:
    start(consumer(once), distributed)
    identifier, right = told()
    publish(distributed.amqp_url, body, right)
    until(lambda: effects(own(distributed)))
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    assert ([identifier], body) == (effects(own(distributed)), decoded(dead))
    assert dead.headers[CAUSE_HEADER].startswith("cannot be read: ")


def test_bytes_that_are_no_text_go_to_the_dead_queue(start: Start, distributed: Settings) -> None:
    start(consumer(once), distributed)
    with Broker(distributed.amqp_url) as connection:
        connection.Producer().publish(
            b"\xff\xfe{", exchange="registry.events", routing_key=UPDATED, content_type="application/x-unknown"
        )
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    assert "cannot be read" in dead.headers[CAUSE_HEADER]


def test_a_handler_slower_than_its_deadline_has_failed_and_the_consumer_goes_on(
    start: Start, distributed: Settings
) -> None:
    slow, quick = told(), told()

    def act(service: Any, envelope: Envelope) -> None:
        if envelope.id == slow[0]:
            eventlet.sleep(30)
        once(service, envelope)

    # As many slow events as there are workers: each must give its worker back.
    start(consumer(act), distributed, handler_deadline=0.2, max_workers=2)
    publish(distributed.amqp_url, slow[1], slow[1], slow[1], quick[1])
    until(lambda: effects(own(distributed)))
    dead = []
    until(lambda: dead.extend(lying_in(distributed.amqp_url, DEAD)) or len(dead) == 3)
    assert ["HandlerTooSlow: took longer than 0.2 s"] * 3 == [each.headers[CAUSE_HEADER] for each in dead]
    assert [quick[0]] == effects(own(distributed))


def test_a_handler_cut_off_in_its_transaction_has_no_effect(start: Start, distributed: Settings) -> None:
    def act(service: Any, envelope: Envelope) -> None:
        with service.database.write() as connection:
            first_time(connection, "protocols.on." + envelope.name, envelope.id)
            do(connection, envelope.id)
            connection.execute(text("SELECT pg_sleep(2)"))

    start(consumer(act), distributed, handler_deadline=0.2)
    publish(distributed.amqp_url, told()[1])
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    assert [] == effects(own(distributed))
    assert dead.headers[CAUSE_HEADER]


@pytest.mark.parametrize("stray", [eventlet.Timeout, lambda: eventlet.Timeout(None)], ids=["bare", "never"])
def test_a_stray_time_limit_inside_a_handler_is_a_failure_like_any_other(
    start: Start, distributed: Settings, stray: Callable[[], BaseException]
) -> None:
    handler = Handler(failures=1, error=stray)
    start(consumer(handler), distributed)
    publish(distributed.amqp_url, told()[1])
    until(lambda: effects(own(distributed)))
    assert 2 == len(handler.seen)


def test_an_event_in_the_hands_of_a_process_that_dies_is_delivered_again(start: Start, distributed: Settings) -> None:
    begun: list[str] = []

    def hang(_service: Any, envelope: Envelope) -> None:
        begun.append(envelope.id)
        eventlet.sleep(60)

    container = start(consumer(hang), distributed, handler_deadline=60)
    identifier, body = told()
    publish(distributed.amqp_url, body)
    until(lambda: begun)
    container.kill()
    start(consumer(once), distributed)
    until(lambda: effects(own(distributed)))
    assert ([identifier], []) == (effects(own(distributed)), lying_in(distributed.amqp_url, DEAD))


def test_a_process_that_stops_finishes_the_event_in_its_hands(start: Start, distributed: Settings) -> None:
    begun: list[str] = []

    def slow(service: Any, envelope: Envelope) -> None:
        begun.append(envelope.id)
        eventlet.sleep(0.3)
        once(service, envelope)

    container = start(consumer(slow), distributed)
    identifier, body = told()
    publish(distributed.amqp_url, body)
    until(lambda: begun)
    container.stop()
    assert [identifier] == effects(own(distributed))
    assert [] == lying_in(distributed.amqp_url, QUEUE)


def test_a_copy_of_an_event_has_no_second_effect(start: Start, distributed: Settings) -> None:
    start(consumer(once), distributed)
    (first, body), (last, other) = told(), told()
    publish(distributed.amqp_url, *[body] * 5)
    publish(distributed.amqp_url, other)
    until(lambda: last in effects(own(distributed)))
    until(lambda: amqp.depth(distributed.amqp_url, [QUEUE]) == {QUEUE: 0})
    assert [first, last] == sorted(effects(own(distributed)), key=[first, last].index)


def test_replicas_share_the_events_of_one_consumer(start: Start, distributed: Settings) -> None:
    handlers = [Handler(), Handler()]
    for handler in handlers:
        start(consumer(handler), distributed, max_workers=2)
    sent = [told() for _ in range(20)]
    publish(distributed.amqp_url, *(body for _, body in sent))
    until(lambda: len(effects(own(distributed))) == 20)
    assert sorted(identifier for identifier, _ in sent) == sorted(effects(own(distributed)))
    assert 20 == sum(len(handler.seen) for handler in handlers)


def test_a_failing_event_holds_up_no_other(start: Start, distributed: Settings) -> None:
    bad = told()

    def act(service: Any, envelope: Envelope) -> None:
        if envelope.id == bad[0]:
            raise LookupError
        once(service, envelope)

    start(consumer(act), distributed, max_workers=2)
    good = [told() for _ in range(5)]
    publish(distributed.amqp_url, bad[1], *(body for _, body in good))
    until(lambda: len(effects(own(distributed))) == 5)
    assert {identifier for identifier, _ in good} == set(effects(own(distributed)))


def test_a_consumer_goes_on_after_its_connection_was_cut(start: Start, distributed: Settings) -> None:
    container = start(consumer(once), distributed)
    (queue_consumer,) = {
        entrypoint.queue_consumer for entrypoint in container.entrypoints if hasattr(entrypoint, "queue_consumer")
    }
    for each in queue_consumer._consumers.values():  # noqa: SLF001 - the wire is cut from within
        each.channel.connection.client.transport.close_connection(each.channel.connection)
        break
    identifier, body = told()
    publish(distributed.amqp_url, body)
    until(lambda: effects(own(distributed)))
    assert [identifier] == effects(own(distributed))


def test_retries_and_dead_letters_are_counted(start: Start, distributed: Settings) -> None:
    def count(counter: Any) -> float:
        return float(counter.labels(QUEUE)._value.get())  # noqa: SLF001 - prometheus_client has no reader

    before = count(metric.RETRIED), count(metric.DEAD)
    start(consumer(Handler(failures=99)), distributed)
    publish(distributed.amqp_url, told()[1])
    until(lambda: lying_in(distributed.amqp_url, DEAD))
    assert (len(distributed.delays), 1) == (count(metric.RETRIED) - before[0], count(metric.DEAD) - before[1])


def test_a_handler_of_an_event_outside_the_table_does_not_start(start: Start, distributed: Settings) -> None:
    class Protocols(Service):
        name = "protocols"

        @event_handler("registry", "municipality.updated.v1")
        def hear(self, envelope: Envelope) -> None:
            raise AssertionError

    with pytest.raises(LookupError, match=r"subscriptions\.py"):
        start(Protocols, distributed)


def test_a_cause_is_short(start: Start, distributed: Settings) -> None:
    start(consumer(Handler(failures=99, error=lambda: LookupError("x" * 5000))), distributed)
    publish(distributed.amqp_url, told()[1])
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    assert len(dead.headers[CAUSE_HEADER]) <= 500
    assert json.loads(decoded(dead))
