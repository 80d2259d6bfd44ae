"""Events reach their handlers at least once: tried again with growing delays, then kept with their cause."""

from __future__ import annotations

import json
from typing import Any

import eventlet
import pytest
from harness import until
from kombu import Connection as Broker
from machine import (
    GRANTED,
    UPDATED,
    Handler,
    Start,
    Wire,
    consumer,
    crash,
    do,
    effects,
    event,
    lying_in,
    once,
    own,
    posted,
    queue_of,
    waiting,
)
from sqlalchemy import text

from services.kernel.actor import Actor
from services.runtime import amqp, log, metric
from services.runtime.amqp import Parcel, Publisher
from services.runtime.database import database_at
from services.runtime.dependencies import Service
from services.runtime.entrypoints import ATTEMPT_HEADER, CAUSE_HEADER, event_handler
from services.runtime.envelope import Envelope
from services.runtime.inbox import first_time
from services.runtime.outbox import Message
from services.runtime.settings import Settings

QUEUE, DEAD = queue_of(UPDATED), amqp.dead_name(queue_of(UPDATED))


def publish(broker: str, *bodies: str, key: str = UPDATED, **headers: Any) -> None:
    publisher = Publisher(broker)
    publisher.publish([Parcel("registry.events", key, body, headers) for body in bodies])
    publisher.drop()


def told(message: Message | None = None) -> tuple[str, str]:
    """(id, body) of an event."""
    made = message or event()
    envelope = Envelope(made.id, made.name, made.occurred_at, made.subject_id, 1, "c-1", None, made.data)
    return made.id, amqp.to_json(envelope.to_plain())


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


@pytest.mark.parametrize(("delays", "failures"), [("900,0.2", 1), ("0.2,900", 2), ("0.2,0.4,900", 3)])
def test_each_failure_waits_out_the_next_delay(start: Start, distributed: Settings, delays: str, failures: int) -> None:
    amqp.declare(distributed.amqp_url, [], [], [900])
    handler = Handler(failures=99)
    start(consumer(handler), distributed, retry_delays=delays)
    publish(distributed.amqp_url, told()[1])
    (lying,) = until(lambda: lying_in(distributed.amqp_url, amqp.delay_name(900)))
    assert (failures, failures) == (len(handler.seen), lying.headers[ATTEMPT_HEADER])


def test_a_redriven_event_is_handled_like_a_new_one(start: Start, distributed: Settings) -> None:
    identifier, body = told()
    container = start(consumer(Handler(failures=99)), distributed)
    publish(distributed.amqp_url, body)
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    crash(container)
    start(consumer(once), distributed)
    publish(distributed.amqp_url, decoded(dead))
    until(lambda: effects(own(distributed)))
    assert [identifier] == effects(own(distributed))


UNREADABLE = [
    "{", "", "[]", '"text"', "null", "{}", '{"id": "x"}', told()[1].replace("2026-09-07T08:00:00+00:00", "yesterday"),
    told()[1].replace('"subject_version":1', '"subject_version":"first"'), told()[1].replace('{"word":"çağrı"}', "3"),
]  # fmt: skip


def test_messages_that_cannot_be_read_go_to_the_dead_queue_and_the_consumer_goes_on(
    start: Start, distributed: Settings
) -> None:
    start(consumer(once), distributed)
    identifier, right = told()
    publish(distributed.amqp_url, *UNREADABLE, right)
    until(lambda: effects(own(distributed)))
    dead: list[Any] = []
    until(lambda: dead.extend(lying_in(distributed.amqp_url, DEAD)) or len(dead) == len(UNREADABLE))
    assert ([identifier], sorted(UNREADABLE)) == (effects(own(distributed)), sorted(map(decoded, dead)))
    assert {"cannot be read"} == {each.headers[CAUSE_HEADER].partition(":")[0] for each in dead}


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


def test_a_stray_time_limit_inside_a_handler_is_a_failure_like_any_other(start: Start, distributed: Settings) -> None:
    handler = Handler(failures=1, error=eventlet.Timeout)
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
    crash(container)
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


def test_a_consumer_goes_on_after_its_connection_was_cut(start: Start, distributed: Settings, wire: Wire) -> None:
    wire.mend(distributed.amqp_url)
    start(consumer(once), distributed, amqp_url=wire.url(distributed.amqp_url))
    sent = []
    for _ in range(2):
        identifier, body = told()
        sent.append(identifier)
        publish(distributed.amqp_url, body)
        until(lambda: effects(own(distributed)) == sent)
        wire.cut()
        wire.mend(distributed.amqp_url)
    assert sent == effects(own(distributed))


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
        def hear(self, _envelope: Envelope) -> None:
            raise AssertionError

    with pytest.raises(LookupError, match=r"subscriptions\.py"):
        start(Protocols, distributed)


def test_a_cause_is_short(start: Start, distributed: Settings) -> None:
    start(consumer(Handler(failures=99, error=lambda: LookupError("x" * 5000))), distributed)
    publish(distributed.amqp_url, told()[1])
    (dead,) = until(lambda: lying_in(distributed.amqp_url, DEAD))
    assert len(dead.headers[CAUSE_HEADER]) <= 500
    assert json.loads(decoded(dead))
