"""The events of a big import let all others pass, go as fast as consumers keep up, and are taken many at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import eventlet
import pytest
from harness import until
from machine import GRANTED, RUNTIME, UPDATED, Start, do, effects, event, lying_in, own, posted, queue_of, rows, waiting

from services.runtime import relay as relaying
from services.runtime.database import Database, database_at
from services.runtime.dependencies import Service
from services.runtime.entrypoints import event_handler
from services.runtime.envelope import Envelope
from services.runtime.inbox import first_times
from services.runtime.relay import BATCH, Relay
from services.runtime.settings import Settings

TOGETHER = 20


def several(act: Callable[[Any, list[Envelope]], None]) -> type[Service]:
    """A service that takes up to TOGETHER of `UPDATED` at once, and `GRANTED` alone."""

    class Protocols(Service):
        name = "protocols"

        @event_handler("registry", UPDATED, together=TOGETHER)
        def hear(self, envelopes: list[Envelope]) -> None:
            act(self, envelopes)

        @event_handler("registry", GRANTED)
        def hear_other(self, envelope: Envelope) -> None:
            all_once(self, [envelope])

    return Protocols


def all_once(service: Any, envelopes: list[Envelope]) -> None:
    """Inbox rows and effects of all in one commit."""
    with service.database.write() as connection:
        new = first_times(connection, f"protocols.on.{envelopes[0].name}", [each.id for each in envelopes])
        for each in envelopes:
            if each.id in new:
                do(connection, each.id)


@pytest.fixture(params=["embedded", "distributed"])
def system(request) -> Settings:
    return request.getfixturevalue(request.param)


def registry_of(settings: Settings) -> Database:
    return database_at(settings.database_of("registry"))


def start_all(start: Start, service: type[Service], settings: Settings) -> None:
    class Registry(Service):
        name = "registry"

    start(service, settings)
    start(Registry, settings)


def test_many_waiting_events_are_handed_over_together(start: Start, system: Settings) -> None:
    sizes: list[int] = []

    def note(service: Any, envelopes: list[Envelope]) -> None:
        sizes.append(len(envelopes))
        all_once(service, envelopes)
        eventlet.sleep(0.02)

    sent = posted(registry_of(system), *(event() for _ in range(5 * TOGETHER)), bulk=True)
    start_all(start, several(note), system)
    until(lambda: len(effects(own(system))) == len(sent))
    assert sorted(sent) == sorted(effects(own(system)))
    assert TOGETHER == max(sizes)


def test_one_bad_event_among_many_spoils_no_other(start: Start, system: Settings) -> None:
    sent = posted(registry_of(system), *(event() for _ in range(TOGETHER)), bulk=True)
    bad = sent[7]

    def act(service: Any, envelopes: list[Envelope]) -> None:
        if bad in [each.id for each in envelopes]:
            raise LookupError(bad)
        all_once(service, envelopes)

    start_all(start, several(act), system)
    until(lambda: len(effects(own(system))) == TOGETHER - 1)
    assert sorted(set(sent) - {bad}) == sorted(effects(own(system)))


def test_an_event_passes_those_of_an_import(start: Start, embedded: Settings) -> None:
    def slow(service: Any, envelopes: list[Envelope]) -> None:
        eventlet.sleep(0.05)
        all_once(service, envelopes)

    bulk = posted(registry_of(embedded), *(event() for _ in range(10 * TOGETHER)), bulk=True)
    (urgent,) = posted(registry_of(embedded), event(GRANTED))
    start_all(start, several(slow), embedded)
    until(lambda: len(effects(own(embedded))) == len(bulk) + 1)
    assert effects(own(embedded)).index(urgent) <= 2 * TOGETHER
    assert [] == rows(own(embedded), RUNTIME.parked)


def test_the_relay_sends_other_events_before_those_of_an_import(distributed: Settings, broker: str) -> None:
    relay = Relay(registry_of(distributed), "registry", distributed)
    bulk = posted(registry_of(distributed), *(event() for _ in range(3)), bulk=True)
    others = posted(registry_of(distributed), event(GRANTED), event(GRANTED))
    assert [2, 3, 0] == [relay.relay_once() for _ in range(3)]
    assert (others, bulk) == (ids(broker, GRANTED), ids(broker, UPDATED))


def test_an_import_does_not_fill_the_queues(
    distributed: Settings, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "BULK_AHEAD", BATCH)
    relay = Relay(registry_of(distributed), "registry", distributed)
    posted(registry_of(distributed), *(event() for _ in range(5 * BATCH)), bulk=True)
    assert [BATCH, BATCH, 0, 0] == [relay.relay_once() for _ in range(4)]
    (urgent,) = posted(registry_of(distributed), event(GRANTED))
    assert 1 == relay.relay_once()
    assert [urgent] == ids(broker, GRANTED)
    for consumer in ("protocols", "notifications"):
        lying_in(broker, queue_of(UPDATED, consumer))
    assert BATCH == relay.relay_once()
    assert 2 * BATCH == waiting(registry_of(distributed))


def test_the_feed_answers_while_a_long_write_runs(embedded: Settings) -> None:
    from services.kernel.actor import SYSTEM
    from services.runtime.outbox import read_feed

    database = registry_of(embedded)
    (old,) = posted(database, event())
    read_feed(database, 0, 10, SYSTEM)
    with database.write():
        shown = read_feed(database, 0, 10, SYSTEM)
    assert [old] == [each["id"] for each in shown]


def test_copies_taken_together_count_once(machine: Database) -> None:
    one, two = "0c0f4dd5-7a5b-4a3c-9ad7-0a0000000001", "0c0f4dd5-7a5b-4a3c-9ad7-0a0000000002"
    with machine.write() as connection:
        assert {one} == first_times(connection, "c", [one, one])
        assert {two} == first_times(connection, "c", [one, two])
        assert set() == first_times(connection, "c", [])


def ids(broker: str, name: str) -> list[str]:
    import json

    return [json.loads(each.body)["id"] for each in lying_in(broker, queue_of(name))]
