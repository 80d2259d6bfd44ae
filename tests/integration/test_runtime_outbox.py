"""Events leave with their change or not at all, and a follower of the feed misses none."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from typing import Any

import eventlet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import NOW, do, effects, emptied, event, posted, rows, together

from services.kernel.actor import Actor
from services.kernel.events import Scope
from services.runtime import log
from services.runtime.database import Database
from services.runtime.envelope import Envelope
from services.runtime.outbox import OUTBOX, feed, place, post, read_feed

AUDITOR = Actor("auditor", "a")
PARTNER = str(uuid.UUID(int=5))
SEEN = {
    "everyone": Scope(),
    "sisli": Scope(municipality="34-35"),
    "sisli and partner": Scope(municipality="34-35", organisation_id=PARTNER),
    "all three": Scope("34-35", "K34-35", PARTNER),
    "besiktas": Scope(municipality="34-09"),
    "besiktas and authority": Scope("34-09", "K34-09"),
}


class Follower:
    """A reader of the feed who remembers the last position."""

    def __init__(self, database: Database, actor: Actor = AUDITOR) -> None:
        self.database, self.actor = database, actor
        self.position = 0
        self.seen: list[str] = []

    def look(self, limit: int = 100) -> list[str]:
        found = read_feed(self.database, self.position, limit, self.actor)
        for each in found:
            assert each["position"] > self.position
            self.position = each["position"]
        self.seen += [each["id"] for each in found]
        return [each["id"] for each in found]


def failing_command(database: Database) -> None:
    with database.write() as connection:
        do(connection, "change")
        post(connection, [event()])
        raise LookupError("a bug")


def test_an_event_is_posted_with_its_change(machine: Database) -> None:
    with machine.write() as connection:
        do(connection, "change")
        post(connection, [event()])
    assert (["change"], 1) == (effects(machine), len(rows(machine, OUTBOX)))


def test_a_change_that_is_rolled_back_posts_no_event(machine: Database) -> None:
    with pytest.raises(LookupError):
        failing_command(machine)
    assert ([], []) == (effects(machine), rows(machine, OUTBOX))


def test_what_was_posted_is_read_as_it_was(machine: Database) -> None:
    sent = event(actor=Actor("registrar", "u7", "m7"), correlation_id="c-1", data={"çağrı": ["İ", 1, None]})
    posted(machine, sent)
    (found,) = Follower(machine).look() and read_feed(machine, 0, 1, AUDITOR)
    position = found.pop("position")
    assert (
        Envelope(sent.id, sent.name, NOW, sent.subject_id, 1, "c-1", {"office": "registrar@-", "role": "registrar"}, sent.data)
        == Envelope.from_plain(found)
    )  # fmt: skip
    assert 1 == position


def test_an_event_bears_the_correlation_id_of_the_work_that_caused_it(machine: Database) -> None:
    def work() -> None:
        log.correlate("the-cause")
        posted(machine, event())

    eventlet.spawn(work).wait()
    assert ["the-cause"] == [row.correlation_id for row in rows(machine, OUTBOX)]


def test_no_event_is_posted_twice(machine: Database) -> None:
    once = event()
    posted(machine, once)
    with pytest.raises(Exception, match=r"(?i)unique"):
        posted(machine, once)
    assert 1 == len(rows(machine, OUTBOX))


def test_the_feed_is_read_in_pages_by_position(machine: Database) -> None:
    sent = posted(machine, *(event() for _ in range(5)))
    follower = Follower(machine)
    assert [sent[:2], sent[2:4], sent[4:], []] == [follower.look(2) for _ in range(4)]


def test_commits_in_reverse_order_of_their_ids_are_both_seen(postgres: Database) -> None:
    follower = Follower(postgres)
    early, late = event(), event()
    with postgres.write() as first:
        post(first, [early])
        with postgres.write() as second:
            post(second, [late])
        ids = {row.event_id: row.id for row in rows(postgres, OUTBOX)}
        assert [late.id] == follower.look()
    ids |= {row.event_id: row.id for row in rows(postgres, OUTBOX)}
    assert ids[early.id] < ids[late.id]
    assert [early.id] == follower.look()


STEP = st.tuples(st.sampled_from(["post", "commit", "roll back", "place", "look"]), st.integers(0, 2))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=25))
def test_a_follower_sees_every_committed_event_once_however_transactions_interleave(
    postgres: Database, steps: list[tuple[str, int]]
) -> None:
    emptied(postgres)
    follower = Follower(postgres)
    open_ones: dict[int, tuple[ExitStack, Any, list[str]]] = {}
    committed: list[str] = []

    def end(writer: int, *, kept: bool) -> None:
        stack, connection, ids = open_ones.pop(writer)
        if not kept:
            connection.rollback()
            ids.clear()
        stack.close()
        committed.extend(ids)

    for what, writer in [*steps, *((("commit", writer)) for writer in range(3)), ("look", 0)]:
        if what == "post":
            if writer not in open_ones:
                stack = ExitStack()
                open_ones[writer] = (stack, stack.enter_context(postgres.engine.begin()), [])
            told = event()
            post(open_ones[writer][1], [told])
            open_ones[writer][2].append(told.id)
        elif what in ("commit", "roll back") and writer in open_ones:
            end(writer, kept=what == "commit")
        elif what == "place":
            place(postgres)
        elif what == "look":
            follower.look()
    assert sorted(committed) == sorted(follower.seen)


def test_positions_are_given_once_under_many_placers(machine: Database) -> None:
    others = [Database(machine.url) for _ in range(3)] if machine.dialect == "postgresql" else [machine] * 3
    posted(machine, *(event() for _ in range(50)))

    def write_and_place(database: Database) -> None:
        for _ in range(10):
            posted(database, event())
            place(database)

    assert [None] * 3 == together(*(lambda each=each: write_and_place(each) for each in others))
    while place(machine):
        continue
    assert list(range(1, 81)) == sorted(row.position for row in rows(machine, OUTBOX))
    if machine.dialect == "postgresql":
        for each in others:
            each.close()


def test_only_one_placer_works_at_a_time_and_the_other_does_not_wait(postgres: Database) -> None:
    posted(postgres, event())
    with postgres.write() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7204001)")
        assert 0 == place(postgres)
    assert 1 == place(postgres)


@pytest.mark.parametrize(
    ("actor", "seen"),
    [
        (AUDITOR, set(SEEN)),
        (Actor("system"), set(SEEN)),
        (Actor("mayor", "m", municipality="34-35"), {"everyone", "sisli", "sisli and partner", "all three"}),
        (Actor("registry_clerk", "c", municipality="34-09"), {"everyone", "besiktas", "besiktas and authority"}),
        (Actor("authority_head", "h", authority="K34-35"), {"everyone", "all three"}),
        (Actor("authority_clerk", "k", authority="K06-01"), {"everyone"}),
        (
            Actor("organisation_representative", "o", organisation_id=PARTNER),
            {"everyone", "sisli and partner", "all three"},
        ),
        (Actor("registrar", "r"), {"everyone"}),
        (Actor("administrator", "d"), {"everyone"}),
    ],
    ids=lambda value: value.office if isinstance(value, Actor) else "",
)
def test_an_office_sees_its_own_events_and_those_open_to_all(machine: Database, actor: Actor, seen: set[str]) -> None:
    posted(machine, *(event(data={"seen": name}, scope=scope) for name, scope in SEEN.items()))
    found = read_feed(machine, 0, 100, actor)
    assert seen == {each["data"]["seen"] for each in found}


def test_what_an_office_may_not_see_leaves_no_gap_in_its_reading(machine: Database) -> None:
    scopes = [Scope(municipality=code) for code in ("34-35", "34-09", "34-09", "34-35")]
    sent = posted(machine, *(event(scope=scope) for scope in scopes))
    follower = Follower(machine, Actor("mayor", municipality="34-35"))
    assert [[sent[0]], [sent[3]], []] == [follower.look(1) for _ in range(3)]


def test_an_event_without_a_place_is_not_yet_in_the_feed(machine: Database) -> None:
    posted(machine, event())
    with machine.read() as connection:
        assert [] == feed(connection, 0, 10, AUDITOR)
