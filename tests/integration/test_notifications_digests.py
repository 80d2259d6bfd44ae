"""Nobody is skipped and nobody told twice: what people are sent, against a model that has nothing to go wrong."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import eventlet
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from machine import new_postgres
from sqlalchemy import select

from services.kernel.errors import Unavailable
from services.notifications.adapters.post import PostRows, behind_cursor, place
from services.notifications.adapters.repository import Repository
from services.notifications.adapters.tables import DELIVERIES, NOTICES
from services.notifications.application import digest, dispatch, posting
from services.notifications.domain.happening import Notification, notification_id
from services.notifications.domain.preference import DAILY, OFF, STREAMS, WEEKLY, Preference, person
from services.notifications.domain.schedule import Schedule
from services.runtime.database import Database
from services.runtime.migration import upgrade

TOPIC = "protocol.moved.v1"
SCHEDULE = Schedule(hour=8, weekday=1)
PEOPLE = 2
OPEN_AT_ONCE = 5  # transactions; each holds one of the pool's connections


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """An empty database of notifications, once of each kind."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('digests') / 'notifications.sqlite'}")
        upgrade(made, "notifications")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "notifications")
        yield made
        made.close()


class Crash(Exception):
    """The process ended here."""


def told_to(office: str, now: datetime, event_id: str) -> Notification:
    return Notification(
        id=notification_id(event_id, office),
        office=office,
        event_id=event_id,
        event=TOPIC,
        subject_id=str(uuid.uuid4()),
        reference="34-35/2026/1",
        template=TOPIC,
        params={},
        created_at=now,
        topic=TOPIC,
    )


def pass_everything_on(
    database: Database, holders: dict[str, list[str]], now: datetime, *, limit: int = 500, crash: bool = False
) -> None:
    """As the service does it; with `crash` the process ends just before the commit."""
    while place(database):
        pass
    while True:
        start, read = behind_cursor(database, limit)
        told = dispatch.whole_events(read, limit)
        if not told:
            return
        with database.write() as connection:
            dispatch.pass_on(PostRows(connection), told, holders, start=start, channels=["mail"], now=now)
            if crash:
                raise Crash


def send_digests(database: Database, stream: str, now: datetime, *, crash: bool = False) -> None:
    while True:
        with database.write() as connection:
            made = digest.send_due(
                PostRows(connection), stream, SCHEDULE.latest(stream, now), channels=["mail"], now=now, limit=3
            )
            if crash:
                raise Crash
        if made < 3:
            return


class Post(RuleBasedStateMachine):
    """Events, late commits, outages, crashes and changes of mind, in any order.

    The model: a list of what each person waits for in each stream, and a list of what went out.
    """

    database: Database
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def __init__(self) -> None:
        super().__init__()
        self.offices = {f"mayor@{uuid.uuid4().hex[:8]}": str(uuid.uuid4()) for _ in range(PEOPLE)}
        # One more office of the first person, who is told once all the same.
        self.second = f"unit_officer@{uuid.uuid4().hex[:8]}"
        self.first = next(iter(self.offices.values()))
        self.streams = dict.fromkeys(self.offices.values(), DAILY)
        self.held: list[tuple[Any, list[Notification]]] = []
        self.committed: list[Notification] = []
        self.waiting: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
        self.sent: dict[str, list[tuple[str, tuple[str, ...]]]] = {user: [] for user in self.offices.values()}
        self.quiet: set[tuple[str, str]] = set()

    @property
    def holders(self) -> dict[str, list[str]]:
        return {**{office: [user] for office, user in self.offices.items()}, self.second: [self.first]}

    def _holder(self, office: str) -> str:
        return self.holders[office][0]

    @rule(which=st.sets(st.integers(0, PEOPLE), min_size=1), late=st.booleans())
    def something_happens(self, which: set[int], late: bool) -> None:  # noqa: FBT001 - hypothesis names it
        """An event that some offices hear of; the transaction may stay open and commit after later ones."""
        event_id = str(uuid.uuid4())
        offices = [[*self.offices, self.second][number] for number in sorted(which)]
        notifications = [told_to(office, self.now, event_id) for office in offices]
        connection = None
        late = late and len(self.held) < OPEN_AT_ONCE
        if late and self.database.dialect == "postgresql":
            connection = self.database.engine.connect()
            connection.begin()
            Repository(connection).tell(notifications)
        self.held.append((connection, notifications))
        if not late:
            self._commit(len(self.held) - 1)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def a_late_transaction_commits(self, data: st.DataObject) -> None:
        self._commit(data.draw(st.integers(0, len(self.held) - 1)))

    def _commit(self, number: int) -> None:
        connection, notifications = self.held.pop(number)
        if connection is None:
            with self.database.write() as own:
                Repository(own).tell(notifications)
        else:
            connection.commit()
            connection.close()
        self.committed += notifications

    @rule(crash=st.booleans())
    def the_dispatcher_looks(self, crash: bool) -> None:  # noqa: FBT001 - hypothesis names it
        try:
            pass_everything_on(self.database, self.holders, self.now, limit=5, crash=crash)
        except Crash:
            return
        for event_id in dict.fromkeys(each.event_id for each in self.committed):
            offices = [each.office for each in self.committed if each.event_id == event_id]
            for user in {self._holder(office) for office in offices}:
                self._fan_out(user, event_id)
        self.committed.clear()

    def _fan_out(self, user: str, event_id: str) -> None:
        stream = self.streams[user]
        if stream == "at_once":
            self.sent[user].append((stream, (event_id,)))
        elif stream == OFF:
            self.quiet.add((user, event_id))
        else:
            self.waiting.setdefault((user, stream), []).append((self.now, event_id))

    @rule(who=st.integers(0, PEOPLE - 1), stream=st.sampled_from(STREAMS))
    def somebody_chooses(self, who: int, stream: str) -> None:
        user = list(self.offices.values())[who]
        with self.database.write() as connection:
            rows = PostRows(connection)
            version = posting.chosen(rows, person(user)).version
            posting.choose(rows, Preference(recipient=person(user), streams={TOPIC: stream}), version)
        self.streams[user] = stream

    @rule(hours=st.sampled_from([1, 7, 24, 100, 400]))
    def time_passes(self, hours: int) -> None:
        type(self).now += timedelta(hours=hours)

    @rule(stream=st.sampled_from([DAILY, WEEKLY]), crash=st.booleans())
    def digests_are_made(self, stream: str, crash: bool) -> None:  # noqa: FBT001 - hypothesis names it
        with contextlib.suppress(Crash):
            send_digests(self.database, stream, self.now, crash=crash)
            moment = SCHEDULE.latest(stream, self.now)
            for (user, its), waiting in self.waiting.items():
                if its == stream and any(came <= moment for came, _ in waiting):
                    self.sent[user].append((stream, tuple(event for _, event in waiting)))
                    waiting.clear()

    @rule(which=st.sets(st.integers(0, PEOPLE), min_size=1), hours=st.sampled_from([7, 24, 30, 200]))
    def an_ordinary_day_goes_by(self, which: set[int], hours: int) -> None:
        """Something happens and everything runs: most of what the other rules disturb."""
        self.something_happens(which, late=False)
        self.the_dispatcher_looks(crash=False)
        self.time_passes(hours)
        self.digests_are_made(DAILY, crash=False)
        self.digests_are_made(WEEKLY, crash=False)

    @invariant()
    def everyone_was_sent_what_the_model_says_and_nobody_twice(self) -> None:
        for user, expected in self.sent.items():
            found = deliveries(self.database, user)
            assert sorted((stream, tuple(sorted(events))) for stream, events in expected) == sorted(
                (stream, tuple(sorted(events))) for stream, events in found
            )
            events = [event for _, several in found for event in several]
            assert len(events) == len(set(events))

    def teardown(self) -> None:
        """However it went: once everything runs again, each event has reached everyone who wanted it, once."""
        while self.held:
            self._commit(len(self.held) - 1)
        self.the_dispatcher_looks(crash=False)
        type(self).now += timedelta(days=8)
        for stream in (DAILY, WEEKLY):
            self.digests_are_made(stream, crash=False)
        self.everyone_was_sent_what_the_model_says_and_nobody_twice()
        assert not any(self.waiting.values())


def deliveries(database: Database, user: str) -> list[tuple[str, list[str]]]:
    """(occasion, events in their order) of every delivery to the user."""
    with database.read() as connection:
        events = dict(
            connection.execute(
                select(NOTICES.c.id, NOTICES.c.event_id).where(NOTICES.c.recipient == person(user))
            ).all()
        )
        rows = connection.execute(
            select(DELIVERIES.c.occasion, DELIVERIES.c.notices).where(DELIVERIES.c.recipient == person(user))
        ).all()
    assert all(row.notices for row in rows), "an empty digest"
    return [(row.occasion, [events[notice] for notice in row.notices]) for row in rows]


def test_digests_neither_skip_nor_double_whatever_happens(database: Database) -> None:
    machine = type("Machine", (Post,), {"database": database})
    profile = settings(
        max_examples=20 if database.dialect == "sqlite" else 12,
        stateful_step_count=30,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=profile)


def test_a_transaction_that_commits_late_is_passed_on_after_those_that_began_later(database: Database) -> None:
    """What ids or times as a cursor would skip: the first to begin is the last to commit."""
    if database.dialect == "sqlite":
        # One writer: transactions commit in the order in which they begin.
        with database.write(), pytest.raises(Unavailable), database.write(patience=0.05):
            pytest.fail("two writers at once")
        return
    office, user, now = f"mayor@{uuid.uuid4().hex[:8]}", str(uuid.uuid4()), datetime(2026, 3, 2, 12, tzinfo=UTC)
    early, late = str(uuid.uuid4()), str(uuid.uuid4())
    with database.engine.connect() as slow:
        slow.begin()
        Repository(slow).tell([told_to(office, now, early)])
        with database.write() as quick:
            Repository(quick).tell([told_to(office, now + timedelta(minutes=1), late)])
        pass_everything_on(database, {office: [user]}, now)
        slow.commit()
    pass_everything_on(database, {office: [user]}, now)
    send_digests(database, DAILY, now + timedelta(days=1))
    assert [("daily", [late, early])] == deliveries(database, user)


def test_several_dispatchers_at_once_tell_everyone_once(database: Database) -> None:
    office, users = f"mayor@{uuid.uuid4().hex[:8]}", [str(uuid.uuid4()) for _ in range(5)]
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    events = [str(uuid.uuid4()) for _ in range(60)]
    with database.write() as connection:
        Repository(connection).tell([told_to(office, now, event) for event in events])
    threads = [eventlet.spawn(pass_everything_on, database, {office: users}, now, limit=7) for _ in range(4)] + [
        eventlet.spawn(send_digests, database, DAILY, now + timedelta(days=1)) for _ in range(4)
    ]
    for thread in threads:
        thread.wait()
    send_digests(database, DAILY, now + timedelta(days=1))
    for user in users:
        found = [event for _, several in deliveries(database, user) for event in several]
        assert sorted(events) == sorted(found)


def test_a_digest_that_is_late_goes_out_once_and_an_empty_one_not_at_all(database: Database) -> None:
    office, user, monday = f"mayor@{uuid.uuid4().hex[:8]}", str(uuid.uuid4()), datetime(2026, 3, 2, 12, tzinfo=UTC)
    for day in (0, 1, 2, 3):  # the last one comes just before everything runs again
        now = monday + timedelta(days=day)
        with database.write() as connection:
            Repository(connection).tell([told_to(office, now, str(uuid.uuid4()))])
        pass_everything_on(database, {office: [user]}, now)
    after_an_outage = monday + timedelta(days=3)
    for _ in range(3):
        send_digests(database, DAILY, after_an_outage)
    assert [4] == [len(events) for _, events in deliveries(database, user)]
    for day in range(4, 8):
        send_digests(database, DAILY, monday + timedelta(days=day))
    assert [4] == [len(events) for _, events in deliveries(database, user)]


@pytest.mark.parametrize(
    ("stream", "now", "latest"),
    [
        (DAILY, "2026-03-03T05:00:00+00:00", "2026-03-03T08:00:00+03:00"),
        (DAILY, "2026-03-03T04:59:59+00:00", "2026-03-02T08:00:00+03:00"),
        (WEEKLY, "2026-03-02T05:00:00+00:00", "2026-03-02T08:00:00+03:00"),
        (WEEKLY, "2026-03-02T04:59:59+00:00", "2026-02-23T08:00:00+03:00"),
        (WEEKLY, "2026-03-08T20:59:59+00:00", "2026-03-02T08:00:00+03:00"),
    ],
)
def test_digests_go_out_at_an_hour_in_turkiye(stream: str, now: str, latest: str) -> None:
    assert datetime.fromisoformat(latest) == SCHEDULE.latest(stream, datetime.fromisoformat(now))


def test_what_comes_after_the_hour_waits_for_the_next(database: Database) -> None:
    office, user = f"mayor@{uuid.uuid4().hex[:8]}", str(uuid.uuid4())
    ten = datetime(2026, 3, 3, 7, tzinfo=UTC)
    with database.write() as connection:
        Repository(connection).tell([told_to(office, ten, str(uuid.uuid4()))])
    pass_everything_on(database, {office: [user]}, ten)
    send_digests(database, DAILY, ten + timedelta(hours=5))
    assert [] == deliveries(database, user)
    send_digests(database, DAILY, ten + timedelta(hours=22))
    assert 1 == len(deliveries(database, user))
