"""What was given up is listed and tried again in the same way in both modes, and is never lost on the way."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from amqp.channel import Channel
from harness import until
from kombu import Connection as Broker
from machine import GRANTED, UPDATED, Handler, Start, consumer, effects, event, lying_in, once, own, posted, queue_of
from sqlalchemy import insert, select

from services.contracts.subscriptions import subscriptions_of
from services.kernel.errors import Refused, Unavailable
from services.runtime import amqp, dead
from services.runtime.amqp import Parcel, Publisher
from services.runtime.clockwork import TIME
from services.runtime.database import Database, database_at
from services.runtime.dead import EventShelf, letter_id, listed, redriven
from services.runtime.dependencies import Service
from services.runtime.embedded import SWITCHBOARD
from services.runtime.entrypoints import PARKED
from services.runtime.envelope import Envelope
from services.runtime.process import Process
from services.runtime.settings import SERVICES, Settings

QUEUE, DEAD = queue_of(UPDATED), amqp.dead_name(queue_of(UPDATED))


@pytest.fixture(scope="module")
def all_queues(vhost: str) -> str:
    """All of protocols' queues, as a process declares them at its start."""
    amqp.declare(vhost, subscriptions_of("protocols"), SERVICES, [])
    return vhost


@pytest.fixture
def distributed(all_queues: str, distributed: Settings) -> Settings:
    return distributed


def shelf(settings: Settings) -> EventShelf:
    return EventShelf("protocols", own(settings), settings)


def letters(settings: Settings) -> list[dict[str, Any]]:
    return list(listed([shelf(settings)], 0, 100)["items"])


class Registry(Service):
    name = "registry"


def told(**more: Any) -> tuple[str, str]:
    made = event(**more)
    return made.id, amqp.to_json(
        Envelope(made.id, made.name, made.occurred_at, made.subject_id, 1, "c-1", None, made.data).to_plain()
    )


def lay(settings: Settings, *bodies: str | bytes, queue: str = DEAD, **headers: Any) -> None:
    """Put messages into a dead queue."""
    with Broker(settings.amqp_url, transport_options={"confirm_publish": True}) as connection:
        producer = connection.Producer()
        for body in bodies:
            producer.publish(
                body.encode() if isinstance(body, str) else body, exchange="", routing_key=queue, headers=headers,
                content_type="application/json", content_encoding="utf-8",
            )  # fmt: skip


def depth_of(settings: Settings, queue: str = DEAD) -> int:
    return amqp.depth(settings.amqp_url, [queue])[queue]


def test_an_event_given_up_is_listed_with_its_cause_and_handled_when_redriven(start: Start, either: Settings) -> None:
    start(Registry, either)
    handler = Handler(failures=1 + len(either.delays))
    start(consumer(handler), either)
    sent = event()
    posted(database_at(either.database_of("registry")), sent)
    (found,) = until(lambda: letters(either))
    since = found.pop("since")
    assert since <= TIME.now().isoformat()
    assert {
        "id": letter_id(QUEUE, sent.id), "kind": "event", "of": QUEUE, "event": UPDATED, "event_id": sent.id,
        "cause": "LookupError: not today", "attempts": 1 + len(either.delays),
    } == found  # fmt: skip
    assert {**found, "since": since} == redriven([shelf(either)], found["id"])
    until(lambda: effects(own(either)))
    assert [sent.id] == effects(own(either))
    until(lambda: not letters(either))


def test_a_redriven_event_has_all_tries_before_it_and_comes_back_when_they_fail(start: Start, either: Settings) -> None:
    start(Registry, either)
    handler = Handler(failures=99)
    start(consumer(handler), either)
    posted(database_at(either.database_of("registry")), event())
    (found,) = until(lambda: letters(either))
    before = len(handler.seen)
    assert redriven([shelf(either)], found["id"]) is not None
    (again,) = until(lambda: len(handler.seen) > before and letters(either))
    assert (found["id"], len(either.delays)) == (
        again["id"],
        len(handler.seen) - before - (either.mode == "distributed"),
    )


def test_an_unknown_id_is_nobodys(either: Settings) -> None:
    assert redriven([shelf(either)], str(uuid.uuid4())) is None


def test_other_services_answer_for_their_own_letters(start: Start, embedded: Settings) -> None:
    start(consumer(once), embedded)
    assert {"items": [], "total": 0} == SWITCHBOARD.ask("protocols", "dead_letters", {"offset": 0, "limit": 5}, None)[
        "result"
    ]
    assert SWITCHBOARD.ask("protocols", "redrive", {"letter_id": str(uuid.uuid4())}, None)["result"] is None


UNREADABLE: list[str | bytes] = ["{", "", "[]", '{"id": "x"}', b"\xff\xfe\x00{", "a\x00b", "[" * 100_000]


def test_messages_that_are_no_events_are_kept_as_text_and_not_redriven(distributed: Settings) -> None:
    lay(distributed, *UNREADABLE)
    found = letters(distributed)
    assert (len(UNREADABLE), {(None, None)}) == (len(found), {(each["event"], each["event_id"]) for each in found})
    assert 0 == depth_of(distributed)
    for each in found:
        with pytest.raises(Refused) as refusal:
            redriven([shelf(distributed)], each["id"])
        assert "unreadable_letter" == refusal.value.stable_code
    with own(distributed).read() as connection:
        kept = {row[dead.UNREADABLE] for row in connection.execute(select(PARKED.c.envelope)).scalars()}
    assert {"{", "", "[]", '{"id": "x"}', "��\ufffd{", "a\ufffdb", "[" * 100_000} == kept


def test_events_that_the_database_cannot_hold_as_such_are_kept_as_text(distributed: Settings) -> None:
    bodies = [told(data={"word": "x"})[1].replace('"x"', odd) for odd in ('"\\u0000"', '"\\ud800"', "NaN", "1e999")]
    lay(distributed, *bodies)
    assert [None] * 4 == [each["event"] for each in letters(distributed)]


def test_a_text_that_only_looks_like_a_nul_stays_an_event(distributed: Settings) -> None:
    lay(distributed, told(data={"word": "\\u0000"})[1])
    assert [UPDATED] == [each["event"] for each in letters(distributed)]


@pytest.mark.parametrize(
    ("headers", "cause", "attempts"),
    [
        ({}, "put aside by the broker: it does not say why", 1),
        ({"x-death": [{"reason": "delivery_limit", "queue": QUEUE}]}, "put aside by the broker: delivery_limit", 1),
        ({"x-imece-cause": "çöktü\x00", "x-imece-attempt": 5}, "çöktü\ufffd", 6),
        ({"x-imece-cause": "x" * 2000, "x-imece-attempt": -7}, "x" * 500, 1),
        ({"x-imece-cause": "a", "x-imece-attempt": 2**60, "x-imece-given-up-at": "0001-01-01T00:00:00+00:00"}, "a", 1_000_000),
    ],
)  # fmt: skip
def test_whatever_the_headers_say_the_letter_is_listed(
    distributed: Settings, headers: dict[str, Any], cause: str, attempts: int
) -> None:
    lay(distributed, told()[1], **headers)
    (found,) = letters(distributed)
    assert (cause, attempts) == (found["cause"], found["attempts"])


def test_a_letter_says_when_it_was_given_up(start: Start, distributed: Settings) -> None:
    start(consumer(Handler(failures=99)), distributed)
    began = TIME.now().isoformat()
    publisher = Publisher(distributed.amqp_url)
    publisher.publish([Parcel("registry.events", UPDATED, told()[1])])
    publisher.drop()
    until(lambda: depth_of(distributed))
    given_up = TIME.now().isoformat()
    assert began <= letters(distributed)[0]["since"] <= given_up


def test_copies_of_one_event_are_one_letter(distributed: Settings) -> None:
    body = told()[1]
    lay(distributed, body, body, body)
    assert 1 == len(letters(distributed))
    lay(distributed, body)
    assert 1 == len(letters(distributed))


def test_more_letters_than_fit_into_one_move_are_all_fetched(distributed: Settings) -> None:
    bodies = dict(told() for _ in range(dead._MOVED_AT_ONCE + 5))  # noqa: SLF001 - the size of a move
    lay(distributed, *bodies.values())
    assert set(bodies) == {each["event_id"] for each in listed([shelf(distributed)], 0, 200)["items"]}


def test_a_letter_stays_in_the_queue_until_the_commit_that_holds_it(distributed: Settings) -> None:
    identifier, body = told()
    lay(distributed, body)

    class Failing(Database):
        @property
        def dialect(self) -> Any:
            raise LookupError

        @dialect.setter
        def dialect(self, value: Any) -> None:
            """Nothing: it is asked for after the messages were taken, and fails there."""

    broken = object.__new__(Failing)
    broken.__dict__.update({name: value for name, value in vars(own(distributed)).items() if name != "dialect"})
    with pytest.raises(LookupError):
        EventShelf("protocols", broken, distributed).fetch()
    until(lambda: depth_of(distributed))
    assert [identifier] == [each["event_id"] for each in letters(distributed)]


def test_without_the_broker_nothing_is_said_to_be_empty(distributed: Settings) -> None:
    away = replace(distributed, amqp_url=f"{distributed.amqp_url.rpartition(chr(47))[0]}/no-such-host")
    with pytest.raises(Unavailable):
        shelf(away).count()


def test_a_letter_that_the_broker_does_not_take_stays(distributed: Settings) -> None:
    lay(distributed, told()[1])
    (found,) = letters(distributed)
    away = replace(distributed, amqp_url=f"{distributed.amqp_url.rpartition(chr(47))[0]}/no-such-host")
    with pytest.raises(Unavailable):
        redriven([shelf(away)], found["id"])
    assert [found] == letters(distributed)


def test_a_redriven_letter_lies_in_its_queue_with_no_tries_behind_it(distributed: Settings) -> None:
    identifier, body = told()
    lay(distributed, body, **{"x-imece-attempt": 5, "x-imece-cause": "x"})
    assert redriven([shelf(distributed)], letters(distributed)[0]["id"]) is not None
    (message,) = lying_in(distributed.amqp_url, QUEUE)
    assert (identifier, None, []) == (
        json.loads(message.body)["id"], message.headers.get("x-imece-attempt"), letters(distributed),
    )  # fmt: skip


def test_nobody_waits_for_the_broker_inside_a_transaction(
    distributed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_, seen = [], []

    class Watched(Database):
        @contextmanager
        def write(self) -> Iterator[Any]:
            with super().write() as connection:
                open_.append(1)
                yield connection
            open_.pop()

    def watched(method: Any) -> Any:
        def ask(*arguments: Any, **named: Any) -> Any:
            seen.append(len(open_))
            return method(*arguments, **named)

        return ask

    database = object.__new__(Watched)
    database.__dict__.update(vars(own(distributed)))
    monkeypatch.setattr(EventShelf, "_publish", watched(EventShelf._publish))  # noqa: SLF001 - the broker's side
    monkeypatch.setattr(Channel, "basic_get", watched(Channel.basic_get))
    lay(distributed, told()[1], told()[1])
    here = [EventShelf("protocols", database, distributed)]
    for each in listed(here, 0, 100)["items"]:
        assert redriven(here, each["id"]) is not None
    assert ([], 0) == (listed(here, 0, 100)["items"], sum(seen))
    assert 4 <= len(seen)
    lying_in(distributed.amqp_url, QUEUE)


def test_an_event_that_nobody_hears_any_more_is_not_redriven(either: Settings) -> None:
    identifier, body = told()
    with own(either).write() as connection:
        connection.execute(
            insert(PARKED).values(
                consumer="protocols.on.organisation.forgotten.v1", event_id=identifier, envelope=json.loads(body),
                cause="x", attempts=1, retry_at=None, parked_at=TIME.now(),
            )
        )  # fmt: skip
    with pytest.raises(Refused) as refusal:
        redriven([shelf(either)], letters(either)[0]["id"])
    assert "nobody_hears" == refusal.value.stable_code


def test_the_same_event_given_up_by_two_consumers_is_two_letters(distributed: Settings) -> None:
    identifier, body = told()
    other = queue_of(GRANTED)
    lay(distributed, body)
    lay(distributed, body, queue=amqp.dead_name(other))
    found = {each["of"]: each["id"] for each in letters(distributed)}
    assert {QUEUE: letter_id(QUEUE, identifier), other: letter_id(other, identifier)} == found
    assert 2 == len(set(found.values()))
    assert [4, 4] == [uuid.UUID(each).version for each in found.values()]


def test_pages_go_through_all_shelves_in_turn() -> None:
    class Fixed:
        def __init__(self, *names: str) -> None:
            self.names = names

        def count(self) -> int:
            return len(self.names)

        def page(self, offset: int, limit: int) -> list[dict[str, Any]]:
            return [{"id": each} for each in self.names[offset : offset + limit]]

        def redrive(self, letter_id: str) -> dict[str, Any] | None:
            return {"id": letter_id} if letter_id in self.names else None

    shelves = [Fixed("a", "b", "c"), Fixed(), Fixed("d"), Fixed("e", "f")]
    for size in range(1, 8):
        pages = [listed(shelves, offset, size) for offset in range(0, 8, size)]
        assert {6} == {page["total"] for page in pages}
        assert "abcdef" == "".join(each["id"] for page in pages for each in page["items"])
    assert [{"id": "e"}, None] == [redriven(shelves, "e"), redriven(shelves, "x")]


def test_the_metric_counts_letters_wherever_they_lie(distributed: Settings) -> None:
    def counted() -> float:
        process = object.__new__(Process)
        process.settings, process._names, process._own_readings = distributed, ["protocols"], {}
        readings = list(process._readings())
        return next(value for name, _, _, value in readings if name == "imece_dead_letters")

    lay(distributed, told()[1], told()[1], "{")
    assert 3 == counted()
    assert 3 == len(letters(distributed))
    assert 3 == counted()
