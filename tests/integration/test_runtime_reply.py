"""A repeated command answers as before and does nothing twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import eventlet
import pytest
from machine import NOW, RUNTIME, do, effects, rows, together

from services.kernel.actor import Actor
from services.kernel.errors import Invalid
from services.runtime.database import Database
from services.runtime.reply import answered, forget, remember, remembered

CLERK = Actor("registry_clerk", "ayse", municipality="34-35")
KEY, REQUEST = "key-1", {"command": "add", "what": "çağrı"}


def command(database: Database, actor: Actor = CLERK, key: str = KEY, request: Any = None, pause: float = 0.0) -> Any:
    """A command as services write them."""
    asked = REQUEST if request is None else request
    with database.write() as connection:
        if (answer := remembered(connection, actor, key, asked, NOW)) is not None:
            return answer
        eventlet.sleep(pause)
        do(connection, "done")
        made = {"number": len(effects_here(connection))}
        remember(connection, actor, key, made)
    return made


def effects_here(connection: Any) -> list[Any]:
    return list(connection.exec_driver_sql("SELECT id FROM effects").all())


def test_a_repeated_key_answers_as_before_and_has_one_effect(machine: Database) -> None:
    first = command(machine)
    assert ({"number": 1}, first, ["done"]) == (first, command(machine), effects(machine))


def test_copies_that_race_have_one_effect_and_the_same_answer(machine: Database) -> None:
    other = Database(machine.url) if machine.dialect == "postgresql" else machine
    found = together(*(lambda each=each: command(each, pause=0.05) for each in (machine, other, machine, other)))
    assert [{"number": 1}] * 4 == found
    assert ["done"] == effects(machine)


def test_a_copy_that_waited_for_one_that_failed_does_the_work(machine: Database) -> None:
    def failing() -> None:
        with machine.write() as connection:
            remembered(connection, CLERK, KEY, REQUEST, NOW)
            eventlet.sleep(0.05)
            raise LookupError

    failed, made = together(failing, lambda: command(machine))
    assert isinstance(failed, LookupError)
    assert ({"number": 1}, ["done"]) == (made, effects(machine))


def test_a_key_with_another_request_is_invalid(machine: Database) -> None:
    command(machine)
    with pytest.raises(Invalid) as refused:
        command(machine, request={"command": "add", "what": "başka"})
    assert "idempotency_key_reused" == refused.value.stable_code
    assert ["done"] == effects(machine)


def test_the_order_of_a_requests_fields_does_not_matter(machine: Database) -> None:
    command(machine, request={"a": 1, "b": 2})
    assert {"number": 1} == command(machine, request={"b": 2, "a": 1})


@pytest.mark.parametrize(
    "other",
    [
        Actor("registry_clerk", "fatma", municipality="34-35"),
        Actor("registry_clerk", "ayse", municipality="34-09"),
        Actor("unit_officer", "ayse", municipality="34-35"),
    ],
    ids=["another person", "another tenant", "another role"],
)
def test_the_same_key_of_another_caller_is_another_key(machine: Database, other: Actor) -> None:
    command(machine)
    command(machine, other)
    assert ["done", "done"] == effects(machine)


def test_a_look_takes_no_key(machine: Database) -> None:
    with machine.write() as connection:
        assert answered(connection, CLERK, KEY, REQUEST) is None
    assert {"number": 1} == command(machine)


def test_a_look_finds_the_first_answer_and_refuses_another_request(machine: Database) -> None:
    command(machine)
    with machine.read() as connection:
        assert {"number": 1} == answered(connection, CLERK, KEY, REQUEST)
        with pytest.raises(Invalid):
            answered(connection, CLERK, KEY, {"other": 1})


def test_only_old_answers_are_forgotten(machine: Database) -> None:
    for days, key in ((0, "new"), (1, "edge"), (2, "old"), (3, "older")):
        with machine.write() as connection:
            remembered(connection, CLERK, key, REQUEST, NOW - timedelta(days=days))
            remember(connection, CLERK, key, {})
    with machine.write() as connection:
        assert 2 == forget(connection, NOW - timedelta(days=1))
    assert {"new", "edge"} == {row.key for row in rows(machine, RUNTIME.replies)}


def test_a_forgotten_key_is_new_again(machine: Database) -> None:
    command(machine)
    with machine.write() as connection:
        forget(connection, NOW + timedelta(seconds=1))
    assert {"number": 2} == command(machine)
