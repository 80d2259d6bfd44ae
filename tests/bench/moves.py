"""Moves a second, and the time from commit to stored notification, as ratios to the bare database and broker.

Run by `make bench`. Prints one table; every ratio is to a ceiling measured in the same run.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS / "unit"), str(_TESTS.parent)]

import eventlet

eventlet.monkey_patch()

import json
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any

from harness import PASSWORD, Client, System, distributed_system, fresh_databases, fresh_vhost
from protocol_builder import OFFICES, Walk
from sqlalchemy import text

from services.protocols import application
from services.protocols.adapters.repository import Stores
from services.protocols.application import Context
from services.runtime.amqp import Parcel, Publisher, declare
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.settings import Settings

SECONDS = float(os.environ.get("BENCH_SECONDS", "8"))
CLIENTS = 16
REPLICAS = int(os.environ.get("BENCH_REPLICAS", "1"))
BACK_AND_FORTH = (("unit", "submit_to_mayor", {}), ("mayor", "return_to_drafting", {"reason": "ölçüm"}))


def rate(work: Callable[[], None], seconds: float = SECONDS) -> float:
    """How often `work` can be done in a second."""
    done, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        work()
        done += 1
    return done / passed


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


# ceilings


def bare_commits(database: Database) -> float:
    """The statements of a move, by a plain loop on one connection: no rules, no objects, no HTTP."""
    with database.write() as connection:
        case = connection.execute(text("SELECT id FROM protocols LIMIT 1")).scalar_one()
        columns = ", ".join(column for column in _ACT_COLUMNS if column != "number")
        connection.execute(text("CREATE TABLE bench_acts AS SELECT * FROM acts WITH NO DATA"))
        connection.execute(text("CREATE TABLE bench_outbox AS SELECT * FROM outbox WITH NO DATA"))
        connection.execute(text("CREATE TABLE bench_replies AS SELECT * FROM replies WITH NO DATA"))
    raw = database.engine.raw_connection()
    cursor = raw.cursor()
    number = 0

    def one() -> None:
        nonlocal number
        number += 1
        cursor.execute("SELECT * FROM protocols WHERE id = %s FOR UPDATE", (case,))
        cursor.fetchall()
        cursor.execute("SELECT * FROM clocks WHERE protocol_id = %s", (case,))
        cursor.fetchall()
        cursor.execute(
            "INSERT INTO bench_replies SELECT office, key, request_sha256, answer, created_at FROM replies LIMIT 1"
        )
        cursor.execute("UPDATE protocols SET changed_at = now() WHERE id = %s", (case,))
        cursor.execute(
            f"INSERT INTO bench_acts (number, {columns}) SELECT %s, {columns} FROM acts WHERE protocol_id = %s AND number = 1",
            (number, case),
        )
        cursor.execute("INSERT INTO bench_outbox SELECT * FROM outbox WHERE id = (SELECT min(id) FROM outbox)")
        raw.commit()

    found = rate(one)
    raw.close()
    with database.write() as connection:
        for table in ("bench_acts", "bench_outbox", "bench_replies"):
            connection.execute(text(f"DROP TABLE {table}"))
    return found


_ACT_COLUMNS = (
    "protocol_id", "number", "move", "from_stage", "to_stage", "actor", "fields", "known", "done_on", "recorded_at",
    "procedure_version", "calendar_version", "previous_hash", "hash",
)  # fmt: skip


def bare_publishes(server: str) -> tuple[float, float]:
    """(one confirm each, one confirm a hundred) messages a second into a quorum queue."""
    from services.contracts.subscriptions import SUBSCRIPTIONS

    body = json.dumps({"data": "x" * 800})
    with fresh_vhost(server) as url:
        declare(url, SUBSCRIPTIONS, ("protocols", "registry"), ())
        publisher = Publisher(url)
        parcel = Parcel("protocols.events", "protocol.moved.v1", body)
        single = rate(lambda: publisher.publish([parcel]), SECONDS / 2)
        hundred = rate(lambda: publisher.publish([parcel] * 100), SECONDS / 2) * 100
        publisher.drop()
    return single, hundred


# inside the service


def alone(postgres: str) -> tuple[float, float]:
    """(bare commits, moves inside the service) a second, one after another, on a database that nothing else uses."""
    with fresh_databases(postgres) as urls:
        settings = Settings.from_environment(urls | {"IMECE_AMQP_URL": "amqp://not-used"})
        database = Database(settings.database_of("protocols"), pool_size=2)
        upgrade(database, "protocols")
        stores = Stores(database, settings.rules)
        walk = Walk()
        with stores.write() as store:
            store.add(walk.case, walk.events, OFFICES["unit_officer"], walk.procedure)
        moves = inside(stores, walk)
        commits = bare_commits(database)
        database.close()
    return commits, moves


def inside(stores: Stores, walk: Walk) -> float:
    """Moves a second by calling the application directly."""
    version, step = walk.case.version, 0

    def one() -> None:
        nonlocal version, step
        office, move, fields = (
            ("unit_officer", "submit_to_mayor", {}),
            ("mayor", "return_to_drafting", {"reason": "ö"}),
        )[step % 2]
        context = Context(stores.write, stores.read, None, walk.procedure, datetime.now(UTC))  # type: ignore[arg-type]
        application.move(context, OFFICES[office], walk.case.id, move, fields, version, str(uuid.uuid4()))
        version, step = version + 1, step + 1

    return rate(one)


# through HTTP


class Caller:
    """The least HTTP client, so that the load costs little of the two cores."""

    def __init__(self, system: System, office: str) -> None:
        host = system.url.removeprefix("http://")
        self.connection = HTTPConnection(host, timeout=30)
        token = Client(system.url, None).post("/sessions", {"username": f"test.{office}", "password": PASSWORD})[
            "token"
        ]
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def move(self, case: str, move: str, fields: dict[str, Any], version: int) -> None:
        self.connection.request(
            "POST",
            f"/api/v1/protocols/{case}/moves/{move}",
            json.dumps(fields),
            {**self.headers, "If-Match": f'"{version}"'},
        )
        answer = self.connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content


def through_http(system: System, cases: list[dict[str, Any]], clients: int) -> tuple[float, list[float]]:
    """Moves a second by concurrent clients, each on a protocol of its own, and the time of each move."""
    times: list[float] = []
    crew = [{office: Caller(system, office) for office in ("unit", "mayor")} for _ in range(clients)]
    until = time.perf_counter() + SECONDS

    def client(case: dict[str, Any], callers: dict[str, Caller]) -> None:
        version, step = system.client("unit").get(f"/protocols/{case['id']}")["version"], 0
        while time.perf_counter() < until:
            office, move, fields = BACK_AND_FORTH[step % 2]
            began = time.perf_counter()
            callers[office].move(case["id"], move, fields, version)
            times.append(time.perf_counter() - began)
            version, step = version + 1, step + 1
        if step % 2:
            callers["mayor"].move(case["id"], "return_to_drafting", {"reason": "ölçüm"}, version)

    threads = [eventlet.spawn(client, case, callers) for case, callers in zip(cases, crew, strict=False)]
    began = time.perf_counter()
    for thread in threads:
        thread.wait()
    return len(times) / (time.perf_counter() - began), times


def notified(system: System, cases: list[dict[str, Any]], pace: float) -> list[float]:
    """Seconds from the reading of the clock in the command to that in the consumer that stores, at a steady pace.

    The command's own transaction is in it, the consumer's commit is not: about the same length.
    """
    callers = {office: Caller(system, office) for office in ("unit", "mayor")}
    began, sent = datetime.now(UTC), 0
    versions = {case["id"]: system.client("unit").get(f"/protocols/{case['id']}")["version"] for case in cases}
    steps = dict.fromkeys(versions, 0)
    finish = time.perf_counter() + SECONDS
    while time.perf_counter() < finish:
        case = cases[sent % len(cases)]["id"]
        office, move, fields = BACK_AND_FORTH[steps[case] % 2]
        callers[office].move(case, move, fields, versions[case])
        versions[case] += 1
        steps[case] += 1
        sent += 1
        eventlet.sleep(max(0.0, sent / pace - (time.perf_counter() - finish + SECONDS)))
    eventlet.sleep(3)
    with system.database("protocols").read() as connection:
        acts = dict(
            connection.execute(
                text("SELECT event_id::text, occurred_at FROM outbox WHERE name = 'protocol.moved.v1' AND occurred_at >= :t"),
                {"t": began},
            ).tuples().all()
        )  # fmt: skip
    with system.database("notifications").read() as connection:
        stored = connection.execute(
            text("SELECT event_id::text, max(created_at) FROM notifications WHERE created_at >= :t GROUP BY 1"), {"t": began}
        ).tuples().all()  # fmt: skip
    delays = [(at - acts[event]).total_seconds() for event, at in stored if event in acts]
    assert len(acts) == len(delays), f"{len(acts) - len(delays)} of {len(acts)} moves were never told"
    return delays


def processor_seconds(system: System) -> dict[str, float]:
    """Processor time used so far: by each service, by the servers' processes, and by this client."""
    tick = os.sysconf("SC_CLK_TCK")
    ours = {process.pid: service for service, many in system.processes.items() for process in many}
    servers = {"postgres": "PostgreSQL", "beam.smp": "RabbitMQ"}
    used: dict[str, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = stat.read_text().rpartition(")")
        except OSError:
            continue  # it ended while we looked
        number, _, name = head.partition(" (")
        who = ours.get(int(number)) or servers.get(name) or ("this client" if int(number) == os.getpid() else None)
        if who is not None:
            user, kernel = tail.split()[11:13]
            used[who] = used.get(who, 0.0) + (int(user) + int(kernel)) / tick
    return used


def main() -> None:
    postgres, amqp = os.environ["IMECE_TEST_POSTGRES_URL"], os.environ["IMECE_TEST_AMQP_URL"]
    commits, direct = alone(postgres)
    single, hundred = bare_publishes(amqp)
    with (
        tempfile.TemporaryDirectory() as folder,
        distributed_system(
            postgres, amqp, Path(folder), REPLICAS, IMECE_LOG_LEVEL="WARNING", IMECE_SCHEDULER_INTERVAL="5"
        ) as system,
    ):
        cases = [system.draft() for _ in range(CLIENTS)]
        one, _ = through_http(system, cases, 1)
        before = processor_seconds(system)
        many, times = through_http(system, cases, CLIENTS)
        after = processor_seconds(system)
        delays = notified(system, cases, 50)
    rows = [
        ("bare PostgreSQL: a move's statements, plain loop", commits, None),
        ("bare RabbitMQ: one confirm each", single, None),
        ("bare RabbitMQ: one confirm a hundred", hundred, None),
        ("moves inside the service, one after another", direct, direct / commits),
        ("moves through HTTP, 1 client", one, one / commits),
        (f"moves through HTTP, {CLIENTS} clients", many, many / commits),
    ]
    print(f"{'':55} {'per second':>11} {'to bare commits':>16}")
    for name, value, ratio in rows:
        print(f"{name:55} {value:11.0f} {'' if ratio is None else f'{ratio:16.2f}'}")
    shares = {who: (after[who] - before.get(who, 0.0)) / len(times) * 1e3 for who in after}
    told = ", ".join(f"{who} {used:.1f}" for who, used in sorted(shares.items(), key=lambda each: -each[1]))
    print(f"processor time of a move through HTTP, in ms: {told}")
    p50, p99 = (percentile(times, share) * 1e3 for share in (0.5, 0.99))
    print(f"{f'a move through HTTP, {CLIENTS} clients':55} p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    print(
        f"{'act → stored notification, 50 moves a second':55} p50 {percentile(delays, 0.5) * 1e3:.1f} ms, "
        f"p99 {percentile(delays, 0.99) * 1e3:.1f} ms; p50 is {percentile(delays, 0.5) * commits:.1f} bare commits, "
        f"{percentile(delays, 0.5) * single:.1f} bare publishes long"
    )


if __name__ == "__main__":
    main()
