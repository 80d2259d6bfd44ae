"""The relay carries what was committed to the broker: at least once, marked when it is there, never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import eventlet
import pytest
from harness import until
from machine import GRANTED, UPDATED, Wire, event, lying_in, posted, queue_of, rows, together, waiting
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.contracts.subscriptions import subscribers_of
from services.kernel.errors import Unavailable
from services.runtime import amqp
from services.runtime.amqp import NotConfirmed, Parcel, Publisher, PublisherPool, Unroutable
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.envelope import Envelope
from services.runtime.outbox import OUTBOX
from services.runtime.relay import BATCH, Relay, lag
from services.runtime.settings import Settings

QUEUE = queue_of(UPDATED)


@pytest.fixture
def outbox(distributed: Settings) -> Iterator[Database]:
    """registry's database."""
    made = Database(distributed.database_of("registry"))
    yield made
    made.close()


@pytest.fixture
def relay(outbox: Database, distributed: Settings) -> Relay:
    return Relay(outbox, "registry", distributed)


def bodies(url: str, queue: str = QUEUE) -> list[dict[str, Any]]:
    return [json.loads(each.body) for each in lying_in(url, queue)]


def ids(url: str, queue: str = QUEUE) -> list[str]:
    return [each["id"] for each in bodies(url, queue)]


def test_what_was_committed_is_published_once_and_marked(outbox: Database, relay: Relay, broker: str) -> None:
    sent = posted(outbox, *(event() for _ in range(3)))
    assert [3, 0] == [relay.relay_once(), relay.relay_once()]
    assert sent == ids(broker)
    assert all(row.published_at is not None for row in rows(outbox, OUTBOX))


def test_what_is_published_is_the_envelope(outbox: Database, relay: Relay, broker: str) -> None:
    sent = event(data={"çağrı": "İ ı"})
    posted(outbox, sent)
    relay.relay_once()
    (found,) = bodies(broker)
    read = Envelope.from_plain(found)
    assert (sent.id, sent.name, sent.occurred_at, sent.data) == (read.id, read.name, read.occurred_at, read.data)


def test_published_events_are_kept_by_the_broker_over_its_restart(outbox: Database, relay: Relay, broker: str) -> None:
    posted(outbox, event())
    relay.relay_once()
    (found,) = lying_in(broker, QUEUE)
    assert 2 == found.properties["delivery_mode"]


def test_every_subscriber_gets_its_own_copy(outbox: Database, relay: Relay, broker: str) -> None:
    sent = posted(outbox, event())
    relay.relay_once()
    assert {"protocols", "notifications"} == {row.consumer for row in subscribers_of(UPDATED)}
    for row in subscribers_of(UPDATED):
        assert sent == ids(broker, queue_of(UPDATED, row.consumer))


def test_what_is_not_committed_is_not_published(outbox: Database, relay: Relay, broker: str) -> None:
    with outbox.write() as connection:
        connection.execute(OUTBOX.insert(), [row_of(event())])
        assert 0 == relay.relay_once()
    assert 1 == relay.relay_once()
    assert 1 == len(ids(broker))


def row_of(told: Any) -> dict[str, Any]:
    return {
        "event_id": told.id, "name": told.name, "occurred_at": told.occurred_at, "subject_id": told.subject_id,
        "subject_version": 1, "data": {},
    }  # fmt: skip


def test_many_events_go_batch_after_batch_in_their_order(outbox: Database, relay: Relay, broker: str) -> None:
    sent = posted(outbox, *(event() for _ in range(BATCH + 5)))
    assert [BATCH, 5, 0] == [relay.relay_once() for _ in range(3)]
    assert sent == ids(broker)


def test_an_event_that_nobody_subscribes_to_is_published_all_the_same(outbox: Database, relay: Relay) -> None:
    assert () == subscribers_of("municipality.updated.v1")
    posted(outbox, event("municipality.updated.v1"))
    assert (1, 0) == (relay.relay_once(), waiting(outbox))


def test_an_event_whose_queue_is_missing_is_not_marked(outbox: Database, relay: Relay) -> None:
    # organisation.audit_due.v1 has a subscriber, and this virtual host has no queue for it.
    posted(outbox, event("organisation.audit_due.v1"))
    with pytest.raises(Unroutable, match=r"organisation.audit_due"):
        relay.relay_once()
    assert 1 == waiting(outbox)


def test_an_event_whose_queue_is_declared_later_is_published_then(outbox: Database, relay: Relay, broker: str) -> None:
    (subscription,) = subscribers_of("organisation.audit_due.v1")
    posted(outbox, event("organisation.audit_due.v1"))
    running = eventlet.spawn(relay.run)
    eventlet.sleep(0.1)
    assert 1 == waiting(outbox)
    amqp.declare(broker, [subscription], ["registry"], [])
    try:
        until(lambda: waiting(outbox) == 0)
        assert len(ids(broker, queue_of("organisation.audit_due.v1", "notifications"))) == 1
    finally:
        running.kill()
        with amqp.Connection(broker) as connection:
            connection.default_channel.queue_delete(queue_of("organisation.audit_due.v1", "notifications"))


def test_while_the_broker_is_away_events_wait_and_go_out_when_it_is_back(
    outbox: Database, distributed: Settings, broker: str, wire: Wire
) -> None:
    relay = Relay(outbox, "registry", replace(distributed, amqp_url=wire.url(broker)))
    running = eventlet.spawn(relay.run)
    sent = posted(outbox, event(), event())
    eventlet.sleep(0.3)
    assert (2, []) == (waiting(outbox), ids(broker))
    wire.mend(broker)
    until(lambda: waiting(outbox) == 0)
    wire.cut()
    sent += posted(outbox, event())
    eventlet.sleep(0.3)
    assert 1 == waiting(outbox)
    wire.mend(broker)
    until(lambda: waiting(outbox) == 0)
    running.kill()
    # A cut between the broker's receipt and its confirm may double an event, never lose one.
    assert sent == list(dict.fromkeys(ids(broker)))


def test_while_the_database_is_away_the_relay_waits_for_it(
    outbox: Database, distributed: Settings, broker: str
) -> None:
    relay = Relay(outbox, "registry", distributed)
    running = eventlet.spawn(relay.run)
    eventlet.sleep(0.1)
    other = Database(outbox.url)
    with other.write() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        )  # fmt: skip
    sent = posted(other, event())
    until(lambda: waiting(other) == 0)
    running.kill()
    other.close()
    assert sent == ids(broker)


def test_replicas_share_the_work_and_publish_nothing_twice(
    outbox: Database, distributed: Settings, broker: str
) -> None:
    sent = posted(outbox, *(event() for _ in range(3 * BATCH)))
    others = [Database(outbox.url) for _ in range(2)]

    def work(database: Database) -> int:
        relay, moved = Relay(database, "registry", distributed), 0
        while waiting(database):
            moved += relay.relay_once()
        return moved

    assert 3 * BATCH == sum(together(*(lambda each=each: work(each) for each in (outbox, *others))))
    assert sorted(sent) == sorted(ids(broker))
    for each in others:
        each.close()


def test_a_crash_between_the_confirms_and_the_commit_doubles_an_event_and_loses_none(
    outbox: Database, relay: Relay, broker: str
) -> None:
    (sent,) = posted(outbox, event())
    with outbox.write() as connection:
        connection.execute(
            text(
                "CREATE FUNCTION crash() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
            )
        )
        connection.execute(text("CREATE TRIGGER crash BEFORE UPDATE ON outbox EXECUTE FUNCTION crash()"))
    try:
        with pytest.raises((Unavailable, DBAPIError)):
            relay.relay_once()
    finally:
        with outbox.write() as connection:
            connection.execute(text("DROP TRIGGER crash ON outbox"))
            connection.execute(text("DROP FUNCTION crash"))
    assert 1 == waiting(outbox)
    assert 1 == relay.relay_once()
    assert ([sent, sent], 0) == (ids(broker), waiting(outbox))


def test_a_commit_wakes_the_relay(outbox: Database, distributed: Settings, broker: str) -> None:
    relay = Relay(outbox, "registry", replace(distributed, relay_interval=60))
    running = eventlet.spawn(relay.run)
    eventlet.sleep(0.1)
    sent = posted(outbox, event())
    until(lambda: waiting(outbox) == 0)
    running.kill()
    assert sent == ids(broker)


def test_a_relay_that_is_told_to_stop_ends(outbox: Database, distributed: Settings) -> None:
    relay = Relay(outbox, "registry", replace(distributed, relay_interval=60))
    running = eventlet.spawn(relay.run)
    eventlet.sleep(0.1)
    relay.stop()
    with eventlet.Timeout(10):
        running.wait()


def test_the_lag_is_how_many_wait_and_how_long_the_oldest_has_waited(outbox: Database, relay: Relay) -> None:
    assert (0, 0.0) == lag(outbox)
    posted(outbox, event(occurred_at=TIME.now()), event(occurred_at=TIME.now()))
    waiting_now, age = lag(outbox)
    assert (2, True) == (waiting_now, 0 <= age < 60)
    relay.relay_once()
    assert (0, 0.0) == lag(outbox)


# publishing


def test_a_publisher_whose_connection_was_cut_is_replaced_by_the_pool(broker: str, wire: Wire) -> None:
    pool = PublisherPool(wire.url(broker), size=1)
    parcel = Parcel("registry.events", UPDATED, "{}")
    wire.mend(broker)
    pool.publish([parcel])
    wire.cut()
    wire.mend(broker)
    pool.publish([parcel])
    assert 2 == len(lying_in(broker, QUEUE))


def test_a_broker_that_says_nothing_is_not_waited_for_longer_than_asked() -> None:
    listener = eventlet.listen(("127.0.0.1", 0))
    publisher = Publisher(f"amqp://guest:guest@127.0.0.1:{listener.getsockname()[1]}//")
    with pytest.raises(NotConfirmed), eventlet.Timeout(20):
        publisher.publish([Parcel("", "x", "{}")], seconds=0.2)
    listener.close()


def test_a_publisher_works_again_after_a_refusal(broker: str) -> None:
    publisher = Publisher(broker)
    with pytest.raises(Unroutable):
        publisher.publish([Parcel("", "no such queue", "{}"), Parcel("registry.events", UPDATED, "{}")])
    publisher.publish([Parcel("registry.events", UPDATED, "{}")])
    publisher.drop()
    assert 2 == len(lying_in(broker, QUEUE))


def test_the_topology_can_be_declared_again(broker: str) -> None:
    for _ in range(2):
        amqp.declare(broker, subscribers_of(GRANTED), ["registry"], [0.2])


def test_the_depth_of_queues_is_told_and_a_broker_that_is_away_is_unavailable(broker: str) -> None:
    pool = PublisherPool(broker, size=1)
    pool.publish([Parcel("registry.events", UPDATED, "{}")])
    assert {QUEUE: 1} == amqp.depth(broker, [QUEUE])
    with pytest.raises(Unavailable):
        amqp.depth("amqp://guest:guest@127.0.0.1:1//", [])
