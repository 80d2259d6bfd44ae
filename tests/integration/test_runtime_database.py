"""Transactions keep their promises alike on PostgreSQL and SQLite."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import eventlet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import RUNTIME, do, effects, emptied, event, posted, together
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from services.kernel.errors import Unavailable
from services.runtime.database import Database, database_at

CURSORS, REPLIES = RUNTIME.cursors, RUNTIME.replies
ISTANBUL = timezone(timedelta(hours=3))


def kept_at(database: Database, moment: Any) -> datetime:
    """The moment as it comes back from the database."""
    emptied(database)
    with database.write() as connection:
        connection.execute(insert(REPLIES).values(office="o", key="k", request_sha256="", answer={}, created_at=moment))
    with database.read() as connection:
        found: datetime = connection.execute(select(REPLIES.c.created_at)).scalar_one()
    return found


def test_a_transaction_is_kept_when_its_block_ends(machine: Database) -> None:
    with machine.write() as connection:
        do(connection, "a")
    assert ["a"] == effects(machine)


@pytest.mark.parametrize("failure", [LookupError, Unavailable, eventlet.Timeout, GeneratorExit])
def test_a_transaction_is_undone_by_whatever_ends_its_block(machine: Database, failure: type[BaseException]) -> None:
    error = failure("x") if failure is not eventlet.Timeout else eventlet.Timeout(None)

    def fail() -> None:
        with machine.write() as connection:
            do(connection, "a")
            raise error

    with pytest.raises(failure):
        fail()
    assert [] == effects(machine)
    with machine.write() as connection:
        do(connection, "b")
    assert ["b"] == effects(machine)


def test_nobody_reads_what_is_not_committed(machine: Database) -> None:
    with machine.write() as connection:
        do(connection, "a")
        assert [] == effects(machine)
    assert ["a"] == effects(machine)


def test_writers_at_the_same_time_all_succeed(machine: Database) -> None:
    def write(name: str) -> None:
        for _ in range(5):
            with machine.write() as connection:
                do(connection, name)
                eventlet.sleep(0)
                do(connection, name)

    assert [None] * 12 == together(*(lambda n=n: write(str(n)) for n in range(12)))
    assert sorted(str(n) for n in range(12) for _ in range(10)) == sorted(effects(machine))


def test_sqlite_writers_do_not_mix_their_work(tmp_path: Any) -> None:
    database = emptied(Database(f"sqlite:///{tmp_path / 'x.sqlite'}"))

    def write(name: str) -> None:
        with database.write() as connection:
            for _ in range(3):
                do(connection, name)
                eventlet.sleep(0)

    together(*(lambda n=n: write(n) for n in "abc"))
    found = effects(database)
    assert [found[0], found[3], found[6]] == found[::3] == sorted(set(found), key=found.index)
    assert [name for name in found[::3] for _ in range(3)] == found


def test_a_url_has_one_database_in_a_process(machine: Database) -> None:
    assert database_at(machine.url) is database_at(machine.url)


@pytest.mark.parametrize("naive", [datetime(2026, 3, 2, 12), datetime.min])  # noqa: DTZ001, DTZ901 - the point
def test_a_time_without_an_offset_is_refused(machine: Database, naive: datetime) -> None:
    with pytest.raises(StatementError, match="without an offset"):
        kept_at(machine, naive)


MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.sampled_from([UTC, ISTANBUL]))  # noqa: DTZ001 - hypothesis adds the zone


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOMENTS)
def test_a_moment_comes_back_as_the_same_moment_in_utc(machine: Database, moment: datetime) -> None:
    found = kept_at(machine, moment)
    assert (moment, UTC) == (found, found.tzinfo)


def test_moments_compare_by_time_and_not_by_text(machine: Database) -> None:
    kept_at(machine, datetime(2026, 3, 2, 1, tzinfo=ISTANBUL))
    with machine.read() as connection:
        older = select(REPLIES.c.key).where(REPLIES.c.created_at < datetime(2026, 3, 1, 23, tzinfo=UTC))
        assert ["k"] == list(connection.execute(older).scalars())


def test_a_date_where_a_moment_belongs_is_refused(machine: Database) -> None:
    with pytest.raises((StatementError, AttributeError)):
        kept_at(machine, date(2026, 3, 2))


def test_a_broken_rule_of_the_database_is_a_bug_and_no_outage(machine: Database) -> None:
    def add() -> None:
        with machine.write() as connection:
            connection.execute(insert(CURSORS).values(consumer="c", position=1))

    add()
    with pytest.raises(IntegrityError):
        add()


def test_a_mistake_in_sql_is_a_bug_and_no_outage(machine: Database) -> None:
    with pytest.raises(DBAPIError), machine.read() as connection:
        connection.execute(text("SELECT x FROM no_such_table"))


def test_a_full_or_unreadable_file_is_unavailable(tmp_path: Any) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unavailable), Database(f"sqlite:///{tmp_path / 'folder'}").read() as connection:
        connection.execute(text("SELECT 1"))


def test_an_error_message_holds_no_values(machine: Database) -> None:
    reply = {
        "office": "o",
        "key": "k",
        "request_sha256": "",
        "answer": {"name": "gizli"},
        "created_at": datetime.now(UTC),
    }
    with pytest.raises(IntegrityError) as failed, machine.write() as connection:
        connection.execute(insert(REPLIES), [reply, reply])
    assert "gizli" not in str(failed.value)


def test_a_commit_with_events_wakes_those_who_wait(machine: Database) -> None:
    woken: list[str] = []

    def wait() -> None:
        machine.posted.wait(20)
        woken.append("woken")

    thread = eventlet.spawn(wait)
    eventlet.sleep(0)
    posted(machine, event())
    with eventlet.Timeout(10):
        thread.wait()
    assert ["woken"] == woken


def test_a_ring_that_nobody_heard_is_kept_for_the_next_one_to_wait(machine: Database) -> None:
    posted(machine, event())
    with eventlet.Timeout(10):
        machine.posted.wait(20)


# PostgreSQL alone


@pytest.fixture
def deaf() -> Any:
    """The URL of a server that takes connections and says nothing."""
    listener = eventlet.listen(("127.0.0.1", 0))
    yield f"postgresql+psycopg://x@127.0.0.1:{listener.getsockname()[1]}/x"
    listener.close()


@pytest.mark.parametrize("way", ["read", "write"])
def test_a_server_that_is_not_there_is_unavailable(way: str) -> None:
    database = Database("postgresql+psycopg://x@127.0.0.1:1/x")
    with pytest.raises(Unavailable), getattr(database, way)() as connection:
        connection.execute(text("SELECT 1"))


def test_a_server_that_says_nothing_is_unavailable_and_others_go_on(deaf: str) -> None:
    ticks: list[int] = []

    def tick() -> None:
        while True:
            ticks.append(1)
            eventlet.sleep(0.05)

    ticking = eventlet.spawn(tick)
    database = Database(deaf)
    with pytest.raises(Unavailable), eventlet.Timeout(20), database.read() as connection:
        connection.execute(text("SELECT 1"))
    ticking.kill()
    assert len(ticks) > 5


def test_a_connection_that_the_server_ended_is_unavailable_and_the_next_one_works(postgres: Database) -> None:
    def lose() -> None:
        with postgres.write() as connection:
            do(connection, "lost")
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Unavailable):
        lose()
    with postgres.write() as connection:
        do(connection, "kept")
    assert ["kept"] == effects(postgres)


def end_all_connections_but(own: Database) -> None:
    with own.write() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE datname = current_database() AND pid <> pg_backend_pid()")
        )  # fmt: skip


def test_a_connection_that_the_server_ended_while_it_lay_idle_is_replaced_unseen(
    postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.database._TRUSTED_SECONDS", 0.0)
    effects(postgres)
    other = Database(postgres.url)
    end_all_connections_but(other)
    assert [] == effects(postgres)
    other.close()


def test_after_a_restart_of_the_server_at_most_one_look_fails(postgres: Database) -> None:
    def look() -> list[str]:
        with postgres.read() as connection:
            eventlet.sleep(0.01)
            connection.execute(text("SELECT 1"))
        return []

    together(*[look] * 5)  # five connections in the pool
    other = Database(postgres.url)
    end_all_connections_but(other)
    assert 1 >= sum(isinstance(outcome, Unavailable) for (outcome,) in [together(look) for _ in range(5)])
    other.close()


def test_a_query_lets_other_green_threads_run(postgres: Database) -> None:
    order: list[str] = []

    def ask() -> None:
        with postgres.read() as connection:
            connection.execute(text("SELECT pg_sleep(0.3)"))
        order.append("answered")

    def work() -> None:
        order.append("worked")

    together(ask, work)
    assert ["worked", "answered"] == order


def test_a_pool_that_is_used_up_is_unavailable(postgres: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Database(postgres.url, pool_size=1)
    monkeypatch.setattr(small.engine.pool, "_timeout", 0.1)
    with small.read() as connection:
        connection.execute(text("SELECT 1"))
        with pytest.raises(Unavailable), small.read():
            pass
    small.close()


def test_work_cut_off_in_the_middle_of_a_query_gives_its_connection_back(postgres: Database) -> None:
    small = Database(postgres.url, pool_size=1)

    def slow() -> None:
        with eventlet.Timeout(0.1, LookupError("too slow")), small.write() as connection:
            do(connection, "never")
            connection.execute(text("SELECT pg_sleep(3)"))

    for _ in range(3):
        (failure,) = together(slow)
        assert isinstance(failure, (LookupError, Unavailable))
    with small.write() as connection:
        do(connection, "after")
    small.close()
    assert ["after"] == effects(postgres)
