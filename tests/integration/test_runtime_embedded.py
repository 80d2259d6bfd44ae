"""Embedded, the outbox is the queue: what was committed reaches its handlers across restarts and failures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import eventlet
import pytest
from harness import until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import (
    GRANTED,
    RUNTIME,
    UPDATED,
    Handler,
    Start,
    consumer,
    do,
    effects,
    emptied,
    event,
    once,
    own,
    posted,
    rows,
)
from sqlalchemy import update

from services.runtime import log
from services.runtime.clockwork import TIME
from services.runtime.database import Database, database_at
from services.runtime.dependencies import Service
from services.runtime.entrypoints import event_handler
from services.runtime.envelope import Envelope
from services.runtime.settings import Settings

PARKED, CURSORS = RUNTIME.parked, RUNTIME.cursors
CONSUMER = "protocols.on.organisation.updated.v1"


def registry(of: Settings) -> Database:
    """The producer's database."""
    return database_at(of.database_of("registry"))


def parked(of: Settings) -> list[Any]:
    return rows(own(of), PARKED)


def dead(of: Settings) -> list[Any]:
    return [row for row in parked(of) if row.retry_at is None]


def test_an_event_committed_before_the_consumer_started_is_delivered(start: Start, embedded: Settings) -> None:
    sent = posted(registry(embedded), event(), event(GRANTED))
    start(consumer(once), embedded)
    until(lambda: len(effects(own(embedded))) == 2)
    assert sent == effects(own(embedded))


def test_a_commit_wakes_the_consumer(start: Start, embedded: Settings) -> None:
    start(consumer(once), embedded, relay_interval=60)
    eventlet.sleep(0.05)
    sent = posted(registry(embedded), event())
    until(lambda: effects(own(embedded)))
    assert sent == effects(own(embedded))


def test_an_event_committed_while_the_consumer_was_down_is_delivered_after_its_restart(
    start: Start, embedded: Settings
) -> None:
    first = start(consumer(once), embedded)
    sent = posted(registry(embedded), event())
    until(lambda: effects(own(embedded)))
    first.stop()
    sent += posted(registry(embedded), event(), event())
    assert sent[:1] == effects(own(embedded))
    start(consumer(once), embedded)
    until(lambda: len(effects(own(embedded))) == 3)
    assert sent == effects(own(embedded))


def test_a_restarted_consumer_goes_on_where_it_was(start: Start, embedded: Settings) -> None:
    first, second = Handler(), Handler()
    container = start(consumer(first), embedded)
    old = posted(registry(embedded), event(), event())
    until(lambda: len(first.seen) == 2)
    container.stop()
    new = posted(registry(embedded), event())
    start(consumer(second), embedded)
    until(lambda: second.seen)
    assert (old, new) == (first.seen, second.seen)


def test_an_event_in_the_hands_of_a_process_that_dies_is_delivered_again(start: Start, embedded: Settings) -> None:
    begun: list[str] = []

    def hang(_service: Any, envelope: Envelope) -> None:
        begun.append(envelope.id)
        eventlet.sleep(60)

    sent = posted(registry(embedded), event(), event())
    container = start(consumer(hang), embedded)
    until(lambda: begun)
    container.kill()
    start(consumer(once), embedded)
    until(lambda: len(effects(own(embedded))) == 2)
    assert sent == effects(own(embedded))


def test_an_event_handled_just_before_a_crash_has_no_second_effect(start: Start, embedded: Settings) -> None:
    handled: list[str] = []

    def crash_after(service: Any, envelope: Envelope) -> None:
        once(service, envelope)
        handled.append(envelope.id)
        eventlet.sleep(60)  # between the commit and the cursor

    (sent,) = posted(registry(embedded), event())
    container = start(consumer(crash_after), embedded)
    until(lambda: handled)
    container.kill()
    again = Handler()
    start(consumer(again), embedded)
    until(lambda: again.seen)
    assert ([sent], [sent]) == (again.seen, effects(own(embedded)))


def test_events_are_delivered_in_the_order_of_their_commits(start: Start, embedded: Settings) -> None:
    sent = [
        identifier for n in range(30) for identifier in posted(registry(embedded), event(UPDATED if n % 2 else GRANTED))
    ]
    start(consumer(once), embedded)
    until(lambda: len(effects(own(embedded))) == 30)
    assert sent == effects(own(embedded))


def test_events_that_nobody_here_hears_are_passed_over(start: Start, embedded: Settings) -> None:
    posted(registry(embedded), event("municipality.updated.v1"), event("organisation.registered.v1"))
    (sent,) = posted(registry(embedded), event())
    start(consumer(once), embedded)
    until(lambda: effects(own(embedded)))
    assert ([sent], []) == (effects(own(embedded)), parked(embedded))


def test_a_failing_event_is_parked_with_its_cause_and_the_others_go_on(start: Start, embedded: Settings) -> None:
    bad, *good = posted(registry(embedded), event(correlation_id="c-9"), event(), event())

    def act(service: Any, envelope: Envelope) -> None:
        if envelope.id == bad:
            message = "not today"
            raise LookupError(message)
        once(service, envelope)

    start(consumer(act), embedded, retry_delays="900,900")
    until(lambda: len(effects(own(embedded))) == 2)
    (row,) = parked(embedded)
    assert (good, CONSUMER, bad, "LookupError: not today", 1, bad, "c-9") == (
        effects(own(embedded)), row.consumer, row.event_id, row.cause, row.attempts, row.envelope["id"],
        row.envelope["correlation_id"],
    )  # fmt: skip
    assert row.retry_at > TIME.now()


def test_a_parked_event_is_tried_again_and_then_forgotten(start: Start, embedded: Settings) -> None:
    handler = Handler(failures=2)
    start(consumer(handler), embedded)
    (sent,) = posted(registry(embedded), event())
    until(lambda: effects(own(embedded)) and not parked(embedded))
    assert ([sent] * 3, [sent]) == (handler.seen, effects(own(embedded)))


def test_a_parked_event_survives_a_restart(start: Start, embedded: Settings) -> None:
    container = start(consumer(Handler(failures=99)), embedded, retry_delays="0.3,900")
    (sent,) = posted(registry(embedded), event())
    until(lambda: parked(embedded))
    container.stop()
    start(consumer(once), embedded)
    until(lambda: not parked(embedded))
    assert [sent] == effects(own(embedded))


def test_each_failure_waits_out_the_next_delay(start: Start, embedded: Settings) -> None:
    handler = Handler(failures=99)
    start(consumer(handler), embedded, retry_delays="0.1,900")
    posted(registry(embedded), event())
    until(lambda: [row.attempts for row in parked(embedded)] == [2])
    (row,) = parked(embedded)
    assert 890 < (row.retry_at - row.parked_at).total_seconds() <= 900


def test_an_event_that_always_fails_is_kept_as_dead_with_its_cause(start: Start, embedded: Settings) -> None:
    handler = Handler(failures=99)
    start(consumer(handler), embedded)
    (sent,) = posted(registry(embedded), event())
    (row,) = until(lambda: dead(embedded))
    assert ([sent] * 3, 3, "LookupError: not today") == (handler.seen, row.attempts, row.cause)
    eventlet.sleep(0.3)
    assert 3 == len(handler.seen)


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_redriven_event_is_handled_once(start: Start, embedded: Settings, attempts: int) -> None:
    container = start(consumer(Handler(failures=99)), embedded)
    (sent,) = posted(registry(embedded), event())
    until(lambda: dead(embedded))
    container.stop()
    with own(embedded).write() as connection:
        connection.execute(update(PARKED).values(retry_at=datetime(2000, 1, 1, tzinfo=UTC), attempts=attempts))
    again = Handler()
    start(consumer(again), embedded)
    until(lambda: not parked(embedded))
    assert ([sent], [sent]) == (again.seen, effects(own(embedded)))


@pytest.mark.parametrize("failure", ["slow", "stray"])
def test_a_handler_out_of_time_has_failed_and_the_others_go_on(start: Start, embedded: Settings, failure: str) -> None:
    bad, good = posted(registry(embedded), event(), event())

    def act(service: Any, envelope: Envelope) -> None:
        if envelope.id != bad:
            return once(service, envelope)
        if failure == "stray":
            raise eventlet.Timeout
        return eventlet.sleep(60)

    start(consumer(act), embedded, handler_deadline=0.2, retry_delays="900")
    until(lambda: effects(own(embedded)))
    assert ([good], [bad]) == (effects(own(embedded)), [row.event_id for row in parked(embedded)])


def test_each_consumer_has_a_cursor_of_its_own(start: Start, embedded: Settings) -> None:
    emptied(Database(embedded.database_of("notifications"))).close()

    class Notifications(Service):
        name = "notifications"

        @event_handler("registry", UPDATED)
        def hear(self, envelope: Envelope) -> None:
            with self.database.write() as connection:
                do(connection, envelope.id)

    sent = posted(registry(embedded), event())
    start(consumer(once), embedded)
    until(lambda: effects(own(embedded)))
    sent += posted(registry(embedded), event())
    start(Notifications, embedded)
    heard = database_at(embedded.database_of("notifications"))
    until(lambda: len(effects(heard)) == 2)
    assert sent == effects(heard)


def test_a_handler_works_under_the_correlation_id_of_its_event(start: Start, embedded: Settings) -> None:
    found: list[str | None] = []
    start(consumer(lambda *_: found.append(log.correlation_id())), embedded)
    posted(registry(embedded), event(correlation_id="c-1"), event(correlation_id="c-2"))
    until(lambda: len(found) == 2)
    assert ["c-1", "c-2"] == found


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["post", "post", "stop", "kill", "breathe"]), min_size=3, max_size=12))
def test_whatever_is_posted_has_one_effect_however_the_consumer_is_stopped_or_killed(
    start: Start, embedded: Settings, steps: list[str]
) -> None:
    for service in ("registry", "protocols"):
        emptied(database_at(embedded.database_of(service)))
    container, sent = start(consumer(once), embedded), []
    for step in steps:
        if step == "post":
            sent += posted(registry(embedded), event(), event())
        elif step == "breathe":
            eventlet.sleep(0.002)
        else:
            getattr(container, step)()
            container = start(consumer(once), embedded)
    until(lambda: len(effects(own(embedded))) >= len(sent))
    container.stop()
    assert sent == effects(own(embedded))
