"""Questions between services: answered, refused or given up, alike in both modes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import eventlet
import pytest
from harness import until
from machine import Start, Wire, crash, distributed_over, do, effects, embedded_in, own, started, together

from services.kernel.errors import Conflict, Forbidden, ImeceError, Invalid, NotFound, Refused, Unavailable
from services.kernel.text import Sentence
from services.runtime import log, metric
from services.runtime.amqp import Parcel, Publisher
from services.runtime.database import POSTED, database_at
from services.runtime.dependencies import RemoteService, Service
from services.runtime.entrypoints import every, rpc
from services.runtime.rpc import RPC_EXCHANGE, Bug, Remote, settings_of
from services.runtime.settings import Settings

KINDS = {kind.__name__: kind for kind in (Invalid, Forbidden, NotFound, Conflict, Refused, Unavailable)}
SECRET = "the citizen's number is 12345"
finished: list[str] = []


class Protocols(Service):
    """Answers."""

    name = "protocols"

    @rpc
    def echo(self, **given: Any) -> dict[str, Any]:
        return given

    @rpc
    def refuse(self, kind: str) -> None:
        raise KINDS[kind](
            Sentence("{what} is not so", what="çağrı", on=date(2026, 3, 2)), {"version": 7}, code="special"
        )

    @rpc
    def fail(self) -> None:
        raise LookupError(SECRET)

    @rpc
    def sleep(self, seconds: float, answer: str) -> str:
        eventlet.sleep(seconds)
        finished.append(answer)
        return answer

    @rpc
    def unspeakable(self) -> Any:
        return {"on": date(2026, 3, 2)}

    @rpc
    def run_out_of_time(self) -> None:
        raise eventlet.Timeout

    @rpc
    def cause(self) -> str | None:
        return log.correlation_id()

    @rpc
    def change(self, what: str) -> None:
        with self.database.write() as connection:
            do(connection, what)


class Lasting(Protocols):
    """Answers through all tests that leave it running."""

    name = "notifications"


class Gateway(Service):
    """Asks."""

    name = "gateway"
    protocols = RemoteService("protocols")
    lasting = RemoteService("notifications")
    nobody = RemoteService("nobody")

    @rpc
    def pass_on(self, **given: Any) -> Any:
        return self.lasting.echo(**given)


def remote(container: Any, name: str = "protocols") -> Remote:
    """The other service as the asking service sees it."""
    provider = next(each for each in container.dependencies if each.attr_name == name)
    found: Remote = provider.get_dependency(None)
    return found


@pytest.fixture(scope="module", params=["embedded", "distributed"])
def asker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The asking service, once in each mode; the other one runs too."""
    if request.param == "embedded":
        settings = embedded_in(tmp_path_factory.mktemp("rpc"))
    else:
        settings = distributed_over(request.getfixturevalue("machine_postgres"), request.getfixturevalue("vhost"))
    with started() as begin:
        begin(Lasting, settings)
        yield begin(Gateway, settings)


@pytest.fixture
def asked(asker: Any) -> Remote:
    return remote(asker, "lasting")


@pytest.fixture(autouse=True)
def nothing_finished() -> Iterator[None]:
    finished.clear()
    yield
    finished.clear()


def test_an_answer_is_what_the_method_returned(asked: Remote) -> None:
    given = {"text": "İ ı ş", "number": 3, "none": None, "list": [1, {"a": True}], "half": 0.5}
    assert (given, {}) == (asked.echo(**given), asked.echo())


def test_an_answer_may_be_large(asked: Remote) -> None:
    assert {"text": "ş" * 400_000} == asked.echo(text="ş" * 400_000)


def test_a_service_that_is_asked_may_ask_another(start: Start, asker: Any) -> None:
    class Registry(Service):
        name = "registry"
        gateway = RemoteService("gateway")

    assert {"x": 1} == remote(start(Registry, settings_of(asker)), "gateway").pass_on(x=1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_is_raised_again_at_the_asker(asked: Remote, kind: str) -> None:
    with pytest.raises(ImeceError) as refused:
        asked.refuse(kind=kind)
    error = refused.value
    assert (KINDS[kind], "special", {"version": 7}, Sentence("{what} is not so", what="çağrı", on=date(2026, 3, 2))) == (
        type(error), error.stable_code, error.details, error.message,
    )  # fmt: skip


def test_a_bug_is_told_as_a_bug_without_its_text(asked: Remote) -> None:
    with pytest.raises(Bug) as failed:
        asked.fail()
    assert "notifications.fail failed" == str(failed.value)
    shown = [str(each) for each in (failed.value, failed.value.__cause__, failed.value.__context__)]
    assert not any(SECRET in each for each in shown)


@pytest.mark.parametrize(
    ("method", "arguments"),
    [("unspeakable", {}), ("run_out_of_time", {}), ("refuse", {}), ("refuse", {"kind": "Refused", "more": 1})],
    ids=["an answer that is no JSON", "a stray time limit", "a missing argument", "a strange argument"],
)
def test_whatever_else_goes_wrong_is_a_bug_and_the_service_lives_on(
    asked: Remote, method: str, arguments: dict[str, Any]
) -> None:
    for _ in range(3):
        with pytest.raises(Bug):
            getattr(asked, method)(**arguments)
    assert {"x": 1} == asked.echo(x=1)


def test_arguments_that_are_no_json_are_the_askers_own_bug(asked: Remote) -> None:
    with pytest.raises(TypeError):
        asked.echo(on=date(2026, 3, 2))
    assert {"x": 1} == asked.echo(x=1)


def test_a_service_that_does_not_run_is_unavailable(asker: Any) -> None:
    with pytest.raises(Unavailable):
        remote(asker, "nobody").echo()


def test_a_method_that_is_not_there_is_unavailable(asked: Remote) -> None:
    with pytest.raises(Unavailable):
        asked.no_such_method()


def test_a_service_that_was_stopped_is_unavailable_and_answers_after_its_restart(
    start: Start, either: Settings
) -> None:
    first = start(Protocols, either)
    asked = remote(start(Gateway, either, rpc_timeout=1))
    assert {} == asked.echo()
    first.stop()
    with pytest.raises(Unavailable):
        asked.echo()
    start(Protocols, either)
    assert {} == asked.echo()


def test_a_late_answer_is_ignored(start: Start, either: Settings) -> None:
    start(Protocols, either)
    asked = remote(start(Gateway, either, rpc_timeout=0.4))
    with pytest.raises(Unavailable):
        asked.sleep(seconds=0.8, answer="late")
    until(lambda: finished == ["late"])
    eventlet.sleep(0.1)
    assert ["a", "b"] == [asked.sleep(seconds=0, answer=word) for word in "ab"]


def test_answers_find_their_own_askers(asked: Remote) -> None:
    waits = {"a": 0.2, "b": 0.0, "c": 0.1}
    found = together(*(lambda w=w, s=s: asked.sleep(seconds=s, answer=w) for w, s in waits.items()))
    assert (["a", "b", "c"], ["b", "c", "a"]) == (found, finished)


def test_a_question_bears_the_correlation_id_of_its_asker(asked: Remote) -> None:
    def ask() -> Any:
        log.correlate("the-cause")
        return asked.cause()

    assert ["the-cause"] == together(ask)


def test_an_asker_whose_answerer_dies_is_not_left_waiting(start: Start, either: Settings) -> None:
    answerer = start(Protocols, either)
    asked = remote(start(Gateway, either, rpc_timeout=1))
    thread = eventlet.spawn(together, lambda: asked.sleep(seconds=60, answer="never"))
    eventlet.sleep(0.2)
    crash(answerer)
    with eventlet.Timeout(10):
        (outcome,) = thread.wait()
    assert isinstance(outcome, Unavailable)


def test_more_questions_than_workers_are_all_answered(start: Start, either: Settings) -> None:
    start(Protocols, either, max_workers=2)
    asked = remote(start(Gateway, either))
    found = together(*(lambda n=n: asked.sleep(seconds=0.01, answer=str(n)) for n in range(20)))
    assert [str(n) for n in range(20)] == found


def test_a_periodic_job_that_fails_runs_again(start: Start, either: Settings) -> None:
    runs: list[int] = []

    class Registry(Service):
        name = "registry"

        @every("scheduler_interval")
        def look(self) -> None:
            runs.append(len(runs))
            if len(runs) == 1:
                raise LookupError
            if len(runs) == 2:
                raise eventlet.Timeout

    failed = metric.JOBS_FAILED.labels("registry", "look")
    before = failed._value.get()  # noqa: SLF001 - what a scrape shows
    start(Registry, either, scheduler_interval=0.05)
    until(lambda: len(runs) >= 4)
    assert 2 == failed._value.get() - before  # noqa: SLF001 - the first two ended with an error


def test_a_periodic_job_never_runs_twice_at_once(start: Start, either: Settings) -> None:
    inside: list[int] = []
    most: list[int] = []

    class Registry(Service):
        name = "registry"

        @every("scheduler_interval")
        def look(self) -> None:
            inside.append(1)
            most.append(len(inside))
            eventlet.sleep(0.15)
            inside.pop()

    start(Registry, either, scheduler_interval=0.02)
    until(lambda: len(most) >= 4)
    assert {1} == set(most)


def test_a_container_that_stops_finishes_its_periodic_job(start: Start, either: Settings) -> None:
    done: list[str] = []

    class Registry(Service):
        name = "registry"

        @every("scheduler_interval")
        def look(self) -> None:
            done.append("begun")
            eventlet.sleep(0.2)
            done.append("done")

    container = start(Registry, either, scheduler_interval=0.05)
    until(lambda: done)
    container.stop()
    assert done.count("begun") == done.count("done")


def test_a_job_that_is_woken_runs_soon_after_a_commit_and_ends_with_its_container(
    start: Start, either: Settings
) -> None:
    runs: list[int] = []

    class Registry(Service):
        name = "registry"

        @every("rpc_timeout", woken=True)
        def look(self) -> None:
            runs.append(1)

    container = start(Registry, either, rpc_timeout=60.0)
    database = database_at(settings_of(container).database_of("registry"))
    for number in range(1, 4):
        with database.write() as connection:
            connection.info[POSTED] = True
        until(lambda number=number: len(runs) >= number, seconds=5)
    with eventlet.Timeout(5):
        container.stop()


# RabbitMQ alone


def test_a_question_whose_asker_has_given_up_is_not_acted_on_later(start: Start, distributed: Settings) -> None:
    first = start(Protocols, distributed)
    asked = remote(start(Gateway, distributed, rpc_timeout=0.4))
    first.stop()  # the queue stays, nobody takes from it
    with pytest.raises(Unavailable):
        asked.change(what="too late")
    eventlet.sleep(0.3)
    start(Protocols, distributed)
    assert {} == asked.echo()
    assert [] == effects(own(distributed))


def test_a_question_that_cannot_be_read_ends_nothing(start: Start, distributed: Settings) -> None:
    start(Protocols, distributed)
    asked = remote(start(Gateway, distributed))
    publisher = Publisher(distributed.amqp_url)
    for body in ("{", "[]", "{}", '{"kwargs": 3}', '{"kwargs": {"x": 1}}'):
        for method in ("refuse", "no_such_method"):
            publisher.publish([Parcel(RPC_EXCHANGE, f"protocols.{method}", body, properties={"reply_to": "nowhere"})])
    publisher.drop()
    assert {"x": 1} == asked.echo(x=1)


def test_a_question_without_an_address_for_the_answer_ends_nothing(start: Start, distributed: Settings) -> None:
    start(Protocols, distributed)
    asked = remote(start(Gateway, distributed))
    publisher = Publisher(distributed.amqp_url)
    publisher.publish([Parcel(RPC_EXCHANGE, "protocols.echo", json.dumps({"args": [], "kwargs": {}}))])
    publisher.drop()
    eventlet.sleep(0.2)
    assert {"x": 1} == asked.echo(x=1)


def test_an_answer_that_cannot_be_read_is_no_answer(start: Start, distributed: Settings) -> None:
    asker = start(Gateway, distributed)
    replies = next(each for each in asker.dependencies if each.attr_name == "protocols").replies
    publisher = Publisher(distributed.amqp_url)
    for body in ("{", "[1]", "3"):
        waiting = replies.get_reply_event(body)
        publisher.publish([Parcel("", replies.queue.name, body, properties={"correlation_id": body})])
        until(lambda body=body: body not in replies._reply_events)  # noqa: SLF001 - no other place to look
        assert not waiting.ready()
    publisher.drop()
    start(Protocols, distributed)
    assert {"x": 1} == remote(asker).echo(x=1)


def test_questions_and_answers_go_on_after_the_wire_was_cut(start: Start, distributed: Settings, wire: Wire) -> None:
    wire.mend(distributed.amqp_url)
    url = wire.url(distributed.amqp_url)
    start(Protocols, distributed, amqp_url=url)
    asked = remote(start(Gateway, distributed, amqp_url=url, rpc_timeout=0.5))
    assert {} == asked.echo()
    wire.cut()
    with pytest.raises(Unavailable):
        asked.echo()
    wire.mend(distributed.amqp_url)

    def answered() -> bool:
        try:
            return asked.echo() == {}
        except Unavailable:
            return False

    until(answered)


def test_the_queue_of_an_asker_that_is_gone_goes_too(start: Start, distributed: Settings) -> None:
    container = start(Gateway, distributed)
    queue = next(each for each in container.dependencies if each.attr_name == "protocols").replies.queue
    assert queue.queue_arguments["x-expires"] > 0
