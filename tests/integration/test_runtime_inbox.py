"""Each event has its effect once, however often and wherever it is delivered."""

from __future__ import annotations

import uuid

import eventlet
import pytest
from machine import do, effects, together

from services.runtime.database import Database
from services.runtime.inbox import first_time

CONSUMER = "protocols.on.organisation.updated.v1"


def handle(database: Database, event_id: str, consumer: str = CONSUMER, pause: float = 0.0) -> bool:
    with database.write() as connection:
        if not first_time(connection, consumer, event_id):
            return False
        eventlet.sleep(pause)
        do(connection, event_id)
    return True


def test_a_second_delivery_has_no_effect(machine: Database) -> None:
    told = str(uuid.uuid4())
    assert [True, False] == [handle(machine, told), handle(machine, told)]
    assert [told] == effects(machine)


def test_copies_delivered_at_the_same_time_have_one_effect(machine: Database) -> None:
    told = str(uuid.uuid4())
    other = Database(machine.url) if machine.dialect == "postgresql" else machine
    found = together(*(lambda each=each: handle(each, told, pause=0.05) for each in (machine, other) * 3))
    assert [False] * 5 + [True] == sorted(found)
    assert [told] == effects(machine)


def test_an_event_whose_effect_was_rolled_back_is_taken_again(machine: Database) -> None:
    told = str(uuid.uuid4())

    def crashing() -> None:
        with machine.write() as connection:
            assert first_time(connection, CONSUMER, told)
            do(connection, told)
            raise LookupError

    with pytest.raises(LookupError):
        crashing()
    assert [] == effects(machine)
    assert handle(machine, told)
    assert [told] == effects(machine)


def test_a_copy_that_waited_for_one_that_failed_has_the_effect(machine: Database) -> None:
    told = str(uuid.uuid4())

    def crashing() -> None:
        with machine.write() as connection:
            first_time(connection, CONSUMER, told)
            eventlet.sleep(0.05)
            raise LookupError

    _, taken = together(crashing, lambda: handle(machine, told))
    assert taken is True
    assert [told] == effects(machine)


def test_consumers_do_not_take_events_from_each_other(machine: Database) -> None:
    told = str(uuid.uuid4())
    assert [True, True] == [handle(machine, told), handle(machine, told, "notifications.on.organisation.updated.v1")]
