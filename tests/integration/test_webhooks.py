"""Webhooks get what their office may see: all of it, once, in the order of each subject, whatever fails meanwhile."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import eventlet
import pytest
from eventlet import GreenPool
from eventlet.event import Event
from hypothesis import given, settings
from hypothesis import strategies as st
from machine import new_postgres, together
from receiver import Receiver, receiving
from sqlalchemy import select

from services.kernel.actor import Actor
from services.kernel.errors import Refused, Unavailable
from services.kernel.events import Scope
from services.notifications.adapters.receiver import Post
from services.notifications.adapters.tables import METADATA, NOTIFICATIONS, WEBHOOKS
from services.notifications.adapters.webhook import WebhookBook
from services.notifications.application import webhook as webhooks
from services.notifications.application.webhook import Deliverer
from services.notifications.domain.network import networks_of
from services.notifications.domain.webhook import Delivery, Destination, Outcome, Webhook, confirmation, signature
from services.notifications.service import webhook as job
from services.notifications.service.webhook import WebhookShelf
from services.runtime import outbox
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.outbox import Message, post

NOON = datetime(2026, 9, 7, 9, tzinfo=UTC)
UNIT = Actor("unit_officer", user_id="u-1", membership_id="m-1", municipality="34-35")
NEIGHBOUR = Actor("unit_officer", municipality="34-10")
REGISTRAR = Actor("registrar")
OWN, OTHERS = Scope(municipality="34-35"), Scope(municipality="34-10")
MOVED, DRAFTED = "protocol.moved.v1", "protocol.drafted.v1"
PAUSES = (30.0, 120.0, 600.0)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """notifications' own database, migrated; once of each kind for the module."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('webhooks') / 'notifications.sqlite'}")
        upgrade(made, "notifications")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "notifications")
        yield made
        made.close()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as made:
        yield made


@dataclass
class World:
    """One database that is producer and notifications at once, a receiver, and a clock that the test moves."""

    database: Database
    receiver: Receiver
    now: datetime = NOON
    post: Post = field(default_factory=lambda: Post(networks_of("127.0.0.0/8")))
    producers: tuple[str, ...] = ("protocols",)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def happens(self, subject: str, *words: str, name: str = MOVED, scope: Scope = OWN) -> list[str]:
        """Events of a subject, one for each word, in one commit; returns their ids."""
        made = [
            Message(name, subject, number, {"word": word}, NOON, Actor("mayor", municipality="34-35"), scope)
            for number, word in enumerate(words, 1)
        ]
        with self.database.write() as connection:
            post(connection, made)
        return [each.id for each in made]

    def webhook(self, path: str = "/ok", *events: str, actor: Actor = UNIT, url: str = "") -> Webhook:
        heads = self.heads()
        with self.writing() as book:
            return webhooks.set_up(book, actor, url or self.receiver.url(path), events or ("*",), heads, self.now)

    def heads(self) -> dict[str, int]:
        return {producer: outbox.head(self.database) for producer in self.producers}

    def feed(self, producer: str, actor: Mapping[str, Any], after: int, limit: int) -> Sequence[Mapping[str, Any]]:
        self.asked.append((producer, after))
        return outbox.read_feed(self.database, after, limit, Actor.from_plain(actor))

    @contextmanager
    def writing(self) -> Iterator[WebhookBook]:
        with self.database.write() as connection:
            yield WebhookBook(connection)

    @contextmanager
    def reading(self) -> Iterator[WebhookBook]:
        with self.database.read() as connection:
            yield WebhookBook(connection)

    def deliverer(self, **changes: Any) -> Deliverer:
        usual: dict[str, Any] = {
            "write": self.writing, "read": self.reading, "feed": self.feed, "is_held": lambda _: True,
            "is_confirmed": lambda _: True, "connect": self.post.line,
            "side_by_side": lambda jobs: together(*jobs), "wall": lambda: self.now, "pauses": PAUSES,
        }  # fmt: skip
        return Deliverer(**(usual | changes))

    def deliver(self, deliverer: Deliverer | None = None) -> None:
        """Until nothing is left to do now."""
        works = deliverer or self.deliverer()
        heads = self.heads()
        while (claimed := works.claim(heads)) is not None:
            works.take_turn(*claimed, heads)

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def state(self, webhook: Webhook) -> Webhook:
        with self.reading() as book:
            found = book.find(webhook.office, webhook.id)
        assert found is not None
        return found

    def log(self, webhook: Webhook) -> list[Delivery]:
        """Its deliveries in the order of the feed."""
        with self.reading() as book:
            return list(reversed(book.log(webhook.id, page=1, size=200)[0]))

    def told(self) -> list[str]:
        """The offices that were told that a webhook was switched off."""
        with self.database.read() as connection:
            return sorted(connection.execute(select(NOTIFICATIONS.c.office)).scalars())

    def arrived(self) -> list[str]:
        """The ids of the events that the receiver got, in order."""
        return [json.loads(each["body"])["id"] for each in self.receiver.got]


@pytest.fixture
def world(database: Database, receiver: Receiver) -> World:
    with database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
    if receiver.process is None:
        receiver.start()
    receiver.forget()
    return World(database, receiver)


def subject() -> str:
    return str(uuid.uuid4())


def in_order(expected: Sequence[Sequence[str]], found: Sequence[str]) -> bool:
    """Each subject's events once and in order, the subjects mixed as they come."""
    return sorted(found) == sorted(each for own in expected for each in own) and all(
        [each for each in found if each in own] == list(own) for own in expected
    )


def test_an_event_arrives_as_in_the_feed_and_signed(world: World) -> None:
    webhook = world.webhook()
    about = subject()
    (event_id,) = world.happens(about, "çağrı")
    world.deliver()
    (got,) = world.receiver.got
    (shown,) = outbox.read_feed(world.database, 0, 10, UNIT)
    del shown["position"]
    assert shown == json.loads(got["body"])
    headers, (noted,) = got["headers"], world.log(webhook)
    assert (MOVED, noted.id, str(int(NOON.timestamp()))) == (
        headers["Imece-Event"], headers["Imece-Delivery"], headers["Imece-Timestamp"],
    )  # fmt: skip
    assert signature(webhook.secret, int(NOON.timestamp()), got["body"].encode()) == headers["Imece-Signature"]
    assert (event_id, "delivered", 1, 200, None) == (
        noted.event_id, noted.state, noted.attempts, noted.status, noted.body,
    )  # fmt: skip
    assert NOON == world.state(webhook).last_success_at


def test_only_what_is_wanted_and_only_what_the_office_may_see_is_sent(world: World) -> None:
    world.webhook("/ok", MOVED)
    about = subject()
    (wanted,) = world.happens(about, "a")
    world.happens(about, "b", name=DRAFTED)
    world.happens(subject(), "c", scope=OTHERS)
    (open_to_all,) = world.happens(subject(), "d", scope=Scope())
    world.deliver()
    assert sorted([wanted, open_to_all]) == sorted(world.arrived())


def test_a_webhook_gets_what_happens_after_it_was_made(world: World) -> None:
    world.happens(subject(), "before")
    world.webhook()
    after = world.happens(subject(), "after")
    world.deliver()
    assert after == world.arrived()


def test_it_belongs_to_the_office_and_keeps_no_person(world: World) -> None:
    webhook = world.webhook()
    assert {"role": "unit_officer", "municipality": "34-35"} == world.state(webhook).owner
    with world.reading() as book:
        assert book.find(NEIGHBOUR.office, webhook.id) is None


def test_an_office_has_ten_at_most(world: World) -> None:
    for _ in range(webhooks.MOST_OF_AN_OFFICE):
        world.webhook()
    with pytest.raises(Refused) as refusal:
        world.webhook()
    assert "too_many_webhooks" == refusal.value.stable_code
    world.webhook(actor=NEIGHBOUR)


def test_after_an_outage_everything_arrives_once_and_in_order(world: World) -> None:
    webhook = world.webhook()
    world.receiver.stop()
    one, two, three = subject(), subject(), subject()
    expected = [world.happens(one, *"abcde"), world.happens(two, *"ab"), world.happens(three, *"abc")]
    for seconds in (0, 30, 60):
        world.wait(seconds)
        world.deliver()
    assert ([], NOON) == (world.arrived(), world.state(webhook).failing_since)
    expected[0] += world.happens(one, "f")
    world.receiver.start()
    for seconds in (120, 120, 600):
        world.wait(seconds)
        world.deliver()
    assert in_order(expected, world.arrived())
    assert (None, "active") == (world.state(webhook).failing_since, world.state(webhook).state)


def test_a_silent_receiver_with_many_subjects_is_asked_ever_more_seldom(world: World) -> None:
    webhook = world.webhook()
    world.receiver.stop()
    for _ in range(60):
        world.happens(subject(), "a")
    for _ in range(240):
        world.wait(5)
        world.deliver()
    tries = sum(each.attempts for each in world.log(webhook))
    assert 8 <= tries <= 8 + 10, "eight side by side at first, then one after 5, 5, 10, 20, 40 … seconds"
    world.receiver.start()
    world.wait(600)
    world.deliver()
    assert 60 == len(world.arrived())


def test_a_slow_receiver_holds_up_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_CLAIMING", timedelta(seconds=0.4))
    monkeypatch.setattr(job, "_PAUSE", 0.05)
    slow, quick = world.webhook("/ok/slow"), world.webhook("/ok")
    answers, turns = Event(), GreenPool(4)

    class Slow:
        def send(self, *_: Any) -> Outcome:
            answers.wait()
            return Outcome(200)

    @contextmanager
    def connect(to: Destination) -> Iterator[Any]:
        if to.target == "/ok/slow":
            yield Slow()
            return
        with world.post.line(to) as line:
            yield line

    deliverer = world.deliverer(connect=connect)
    for _ in range(2):
        world.happens(subject(), "a")
        job._run(turns, deliverer, world.heads, world.heads())  # noqa: SLF001 - the job is what is tested
    assert ({"delivered"}, 2) == ({each.state for each in world.log(quick)}, len(world.log(quick)))
    assert ({"waiting"}, 1) == ({each.state for each in world.log(slow)}, turns.running())
    answers.send()
    turns.waitall()
    assert "delivered" in {each.state for each in world.log(slow)}


def test_few_may_try_out_webhooks_at_the_same_time() -> None:
    tests = job._TESTS  # noqa: SLF001 - the bound is what is tested
    with job._one_of(tests), job._one_of(tests), pytest.raises(Unavailable), job._one_of(tests):  # noqa: SLF001
        pass
    with job._one_of(tests):  # noqa: SLF001 - free again
        assert 1 == tests.balance


def test_a_failing_event_holds_up_its_own_subject_alone(world: World) -> None:
    webhook = world.webhook("/refuse/bad")
    first, held = world.happens(subject(), "bad", "iyi")
    others = world.happens(subject(), "iyi", "güzel")
    world.deliver()
    assert others == [each for each in world.arrived() if each in others]
    assert held not in world.arrived()
    assert {first: "waiting", held: "waiting"} | dict.fromkeys(others, "delivered") == {
        each.event_id: each.state for each in world.log(webhook)
    }


def test_each_failure_waits_out_the_next_pause(world: World) -> None:
    world.webhook("/status/503")
    world.happens(subject(), "a")
    tries = []
    for seconds in (0, 29, 1, 119, 1, 599, 1):
        world.wait(seconds)
        world.deliver()
        tries.append(len(world.receiver.got))
    assert [1, 1, 2, 2, 3, 3, 4] == tries


def test_every_try_has_the_same_delivery_and_a_time_of_its_own(world: World) -> None:
    webhook = world.webhook("/status/500")
    world.happens(subject(), "a")
    for seconds in (0, 30):
        world.wait(seconds)
        world.deliver()
    first, again = (each["headers"] for each in world.receiver.got)
    assert first["Imece-Delivery"] == again["Imece-Delivery"]
    assert 30 == int(again["Imece-Timestamp"]) - int(first["Imece-Timestamp"])
    (noted,) = world.log(webhook)
    assert ("The receiver answered with status {status}.", 500, 2) == (
        (noted.cause or {})["template"], noted.status, noted.attempts,
    )  # fmt: skip


class Killed(BaseException):
    """The process ended."""


def dying(post_: Post) -> Callable[[Destination], AbstractContextManager[Any]]:
    """Connects, sends, and dies before what came of it can be noted."""

    class Line:
        def __init__(self, line: Any) -> None:
            self.line = line

        def send(self, *arguments: Any) -> Outcome:
            self.line.send(*arguments)
            raise Killed

    @contextmanager
    def connect(destination: Destination) -> Iterator[Line]:
        with post_.line(destination) as line:
            yield Line(line)

    return connect


def test_a_process_killed_between_sending_and_noting_sends_the_same_delivery_again(world: World) -> None:
    webhook = world.webhook()
    events = world.happens(subject(), "a", "b")
    heads = world.heads()
    works = world.deliverer(connect=dying(world.post), side_by_side=lambda jobs: [job() for job in jobs])
    claimed = works.claim(heads)
    assert claimed is not None
    with pytest.raises(Killed):
        Deliverer._send_due(  # noqa: SLF001 - as far as the process came
            works, webhook, _followed(works, claimed, heads), world.now + webhooks.TURN
        )
    world.deliver()
    assert 1 == len(world.receiver.got), "its lease keeps others away"
    world.wait(webhooks.LEASE.total_seconds())
    world.deliver()
    assert [events[0], *events] == world.arrived()
    deliveries = [each["headers"]["Imece-Delivery"] for each in world.receiver.got]
    assert (deliveries[0], 2) == (deliveries[1], len(set(deliveries)))


def _followed(works: Deliverer, claimed: tuple[Webhook, str], heads: Mapping[str, int]) -> str:
    works._follow(claimed[0], heads, works.wall() + webhooks.TURN)  # noqa: SLF001 - as far as the process came
    return claimed[1]


def test_a_process_killed_while_it_writes_down_deliveries_loses_and_doubles_none(world: World) -> None:
    webhook = world.webhook()
    events = world.happens(subject(), "a", "b", "c")

    class Fragile(WebhookBook):
        def put(self, deliveries: Sequence[Delivery]) -> None:
            super().put(deliveries)
            raise Killed

    @contextmanager
    def writing() -> Iterator[WebhookBook]:
        with world.database.write() as connection:
            yield Fragile(connection)

    works = world.deliverer(write=writing)
    claimed = works.claim(world.heads())
    assert claimed is not None
    with pytest.raises(Killed):
        works.take_turn(*claimed, world.heads())
    assert [] == world.log(webhook)
    world.wait(webhooks.LEASE.total_seconds())
    world.deliver()
    assert events == world.arrived()


def test_several_processes_send_each_event_once(world: World) -> None:
    for path in ("/ok/1", "/ok/2", "/ok/3"):
        world.webhook(path)
    expected = [world.happens(subject(), *"abc") for _ in range(4)]
    together(*[lambda: world.deliver(world.deliverer())] * 4)
    world.deliver()
    for path in ("/ok/1", "/ok/2", "/ok/3"):
        found = [json.loads(each["body"])["id"] for each in world.receiver.got if each["path"] == path]
        assert in_order(expected, found)


def test_one_webhook_is_worked_on_by_one_process_at_a_time(world: World) -> None:
    world.webhook()
    world.happens(subject(), "a")
    heads = world.heads()
    found = together(*[lambda: world.deliverer().claim(heads)] * 4)
    assert 1 == len([each for each in found if each is not None])


def test_after_the_last_pause_it_is_switched_off_and_its_office_and_the_administrators_are_told(world: World) -> None:
    webhook = world.webhook("/status/500")
    world.happens(subject(), "a")
    world.happens(subject(), "b")
    for seconds in (0, *PAUSES):
        assert "active" == world.state(webhook).state
        world.wait(seconds)
        world.deliver()
    after = world.state(webhook)
    assert ("off", world.now) == (after.state, after.switched_off_at)
    assert 500 == (after.switched_off_because or {})["values"]["status"]
    assert ["administrator@-", "unit_officer@34-35"] == world.told()
    tries = len(world.receiver.got)
    world.happens(subject(), "c")
    world.wait(86_400)
    world.deliver()
    assert tries == len(world.receiver.got)


def test_a_receiver_that_is_gone_is_believed_at_once(world: World) -> None:
    webhook = world.webhook("/status/410")
    world.happens(subject(), "a")
    world.deliver()
    assert ("off", ["administrator@-", "unit_officer@34-35"]) == (world.state(webhook).state, world.told())


def test_switched_on_again_it_gets_what_it_missed(world: World) -> None:
    webhook = world.webhook("/status/410")
    expected = [world.happens(subject(), "a", "b")]
    world.deliver()
    expected.append(world.happens(subject(), "c"))
    world.deliver()
    with world.database.write() as connection:
        connection.execute(WEBHOOKS.update().values(url=world.receiver.url("/ok")))
    world.receiver.forget()
    with world.writing() as book:
        on = webhooks.activate(book, UNIT, webhook.id, world.now)
    assert ("active", None, None) == (on.state, on.switched_off_at, on.switched_off_because)
    world.deliver()
    assert in_order(expected, world.arrived())


def test_what_was_given_up_is_a_dead_letter_and_can_be_redriven(world: World) -> None:
    webhook = world.webhook("/status/410")
    (event_id,) = world.happens(subject(), "a")
    world.deliver()
    shelf = WebhookShelf(world.database)
    (letter,) = shelf.page(0, 10)
    assert (1, "webhook", UNIT.office, MOVED, event_id, 1) == (
        shelf.count(), letter["kind"], letter["of"], letter["event"], letter["event_id"], letter["attempts"],
    )  # fmt: skip
    assert (None, letter, None) == (
        shelf.redrive(str(uuid.uuid4())), shelf.redrive(letter["id"]), shelf.redrive(letter["id"]),
    )  # fmt: skip
    assert (0, "active") == (shelf.count(), world.state(webhook).state)


def test_a_producer_that_came_later_is_followed_from_its_first_event(world: World) -> None:
    world.producers = ()
    world.webhook()
    events = world.happens(subject(), "a", "b")
    world.producers = ("petitions",)
    world.deliver()
    assert events == world.arrived()


def test_a_producer_that_does_not_answer_holds_up_no_other(world: World) -> None:
    world.producers = ("registry", "protocols")
    world.webhook()

    def feed(producer: str, *more: Any) -> Any:
        if producer == "registry":
            raise Unavailable("away")
        return world.feed(producer, *more)

    events = world.happens(subject(), "a")
    works = world.deliverer(feed=feed)
    claimed = works.claim(world.heads())
    assert claimed is not None
    works.take_turn(*claimed, world.heads())
    assert events == world.arrived()


def test_nothing_is_sent_while_nobody_holds_the_office_and_all_of_it_afterwards(world: World) -> None:
    world.webhook()
    events = world.happens(subject(), "a", "b")
    world.deliver(world.deliverer(is_held=lambda _: False))
    assert [] == world.arrived()
    world.wait(webhooks.VACANT.total_seconds())
    world.deliver()
    assert events == world.arrived()


def test_a_successor_gets_nothing_sent_to_the_former_holders_receiver_before_saying_that_it_is_theirs(
    world: World,
) -> None:
    webhook = world.webhook()
    holders = ["u-1"]

    def is_confirmed(each: Webhook) -> bool:
        return each.confirmed_by in {confirmation(each.id, user) for user in holders}

    deliverer = world.deliverer(is_confirmed=is_confirmed)
    before = world.happens(subject(), "a")
    world.deliver(deliverer)
    assert before == world.arrived()
    holders[:] = ["u-2"]
    after = world.happens(subject(), "b")
    world.deliver(deliverer)
    assert (before, "off", [UNIT.office]) == (world.arrived(), world.state(webhook).state, world.told())
    assert "u-1" not in str(vars(world.state(webhook)))
    with world.writing() as book:
        webhooks.activate(book, replace(UNIT, user_id="u-2"), webhook.id, world.now)
    world.deliver(deliverer)
    assert (before + after, "active") == (world.arrived(), world.state(webhook).state)


def test_whoever_came_into_office_in_this_minute_is_asked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_HELD", {})
    desk: Any = job.WebhookDesk()
    holders = ["u-1"]

    class Gateway:
        def holders(self, offices: list[str], on: str) -> dict[str, list[dict[str, Any]]]:
            assert on
            return {office: [{"user_id": each} for each in holders] for office in offices}

    desk.gateway, desk.time = Gateway(), Time()
    made = {"office": UNIT.office, "owner": {}, "url": "https://example.org", "events": ["*"], "secret": "s"}

    def of(user: str | None) -> Webhook:
        known = user and confirmation("w", user)
        return Webhook(id="w", state="active", created_at=NOON, confirmed_by=known, **made)

    assert [True, False, True] == [desk._is_confirmed(of(user)) for user in ("u-1", "u-2", None)]  # noqa: SLF001
    holders.append("u-2")
    assert desk._is_confirmed(of("u-2"))  # noqa: SLF001 - what is remembered is what is tested


def test_an_office_of_which_nothing_is_known_now_waits(world: World) -> None:
    def unknown(_office: str) -> bool:
        raise Unavailable("away")

    world.webhook()
    events = world.happens(subject(), "a")
    works = world.deliverer(is_held=unknown)
    claimed = works.claim(world.heads())
    assert claimed is not None
    with pytest.raises(Unavailable):
        works.take_turn(*claimed, world.heads())
    assert [] == world.arrived()
    world.wait(5)
    world.deliver()
    assert events == world.arrived()


def test_what_is_not_its_offices_business_is_asked_for_once(world: World) -> None:
    world.webhook()
    world.happens(subject(), *"abcdef", scope=OTHERS)
    world.deliver()
    world.deliver()
    assert 1 == len(world.asked)


def test_no_more_than_so_many_wait_and_the_rest_comes_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "READ_AHEAD", 4)
    monkeypatch.setattr(webhooks, "PAGE", 2)
    webhook = world.webhook()
    world.receiver.stop()
    events = world.happens(subject(), *"abcdefghij")
    world.deliver()
    assert 4 == len(world.log(webhook))
    world.receiver.start()
    world.wait(30)
    world.deliver()
    assert events == world.arrived()


def test_nothing_is_sent_to_a_webhook_that_was_removed(world: World) -> None:
    webhook = world.webhook("/status/500")
    world.happens(subject(), "a")
    world.deliver()
    with world.writing() as book:
        webhooks.remove(book, UNIT.office, webhook.id)
    world.wait(86_400)
    world.deliver()
    assert 1 == len(world.receiver.got)


def test_a_test_is_sent_once_and_noted(world: World) -> None:
    webhook = world.webhook("/status/503")
    trial = webhooks.trial(webhook, str(uuid.uuid4()), world.now)
    with world.writing() as book:
        book.put([trial])
    done = webhooks.send_test(world.writing, world.post.line, webhook, trial, world.now, 5.0)
    assert ("failed", 503) == (done.state, done.status)
    world.wait(86_400)
    world.deliver()
    (got,) = world.receiver.got
    assert ("webhook.tested.v1", done) == (got["headers"]["Imece-Event"], world.log(webhook)[0])


def test_the_log_forgets_what_arrived_long_ago_and_keeps_what_did_not(world: World) -> None:
    webhook = world.webhook("/refuse/bad")
    world.happens(subject(), "iyi")
    (kept,) = world.happens(subject(), "bad")
    world.deliver()
    with world.writing() as book:
        assert (0, 1) == (book.forget(world.now), book.forget(world.now + timedelta(days=1)))
    assert [kept] == [each.event_id for each in world.log(webhook)]


def test_a_slow_receiver_holds_no_transaction_open(world: World) -> None:
    world.webhook("/slow/0.5")
    world.happens(subject(), "a")
    thread = eventlet.spawn(world.deliver)
    eventlet.sleep(0.25)
    with world.database.write(patience=0.1):
        pass
    thread.wait()
    assert 1 == len(world.receiver.got)


@settings(max_examples=8)
@given(steps=st.lists(st.one_of(st.integers(0, 2), st.sampled_from(["down", "up", "wait"])), min_size=1, max_size=12))
def test_whatever_comes_between_each_event_arrives_once_and_in_order(
    steps: list[int | str], database: Database, receiver: Receiver
) -> None:
    with database.write() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())
    receiver.forget()
    here, gone = receiver.url("/ok"), "http://127.0.0.1:9/"
    if receiver.process is None:
        receiver.start()
    world = World(database, receiver)
    world.webhook()
    subjects = [subject() for _ in range(3)]
    expected: list[list[str]] = [[], [], []]
    works = world.deliverer(pauses=(1.0,) * 100)
    for step in steps:
        if isinstance(step, int):
            expected[step] += world.happens(subjects[step], "x")
        elif step == "wait":
            world.wait(1)
        else:
            with database.write() as connection:
                connection.execute(WEBHOOKS.update().values(url=gone if step == "down" else here))
        world.deliver(works)
    with database.write() as connection:
        connection.execute(WEBHOOKS.update().values(url=here))
    for _ in range(3):
        world.wait(10)
        world.deliver(works)
    assert in_order(expected, world.arrived())
