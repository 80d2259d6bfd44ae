"""An import that is killed while it is applied is never half-applied, and goes on by itself."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from services.kernel.actor import Actor
from services.registry.adapters.tables import IMPORTS, ORGANISATIONS, RECORDS
from services.registry.service.intake import Intake
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.outbox import OUTBOX

REGISTRAR = Actor(role="registrar", user_id="r")
OWN = ["registry_no", "name", "form", "province"]
ROWS = 300
KILLS = 10
PAUSE = 0.03
LONGEST_LIFE = 0.8
"""Thirty batches with that pause between them take longer than any of the killed processes lives."""
SECONDS = 30
WORKER = Path(__file__).with_name("import_worker.py")

Start = Callable[[float], int]


@contextmanager
def workers(url: str) -> Iterator[Start]:
    """Starts processes that work at imports, with a pause between their batches; gives their ids."""
    root = str(WORKER.parents[2])
    nursery = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(WORKER), url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": root},
    )  # fmt: skip
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    started: list[int] = []

    def start(pause: float) -> int:
        nursery.stdin.write(f"{pause}\n".encode())  # type: ignore[union-attr]
        nursery.stdin.flush()  # type: ignore[union-attr]
        started.append(int(nursery.stdout.readline()))  # type: ignore[union-attr]
        return started[-1]

    try:
        yield start
    finally:
        if started:
            kill(started[-1])
        nursery.kill()
        nursery.wait()


def kill(process: int) -> None:
    """kill -9, and wait until nothing of it is left."""
    try:
        os.kill(process, signal.SIGKILL)
        while True:
            os.kill(process, 0)
            time.sleep(0.005)
    except ProcessLookupError:
        return


def send(imports: Intake) -> str:
    asked = {"kind": "organisations", "source": "il listesi", "header": OWN, "apply": True}
    begun = imports.begin_import(REGISTRAR, asked)
    rows = [
        [place, [f"34.{place // 1000:03}.{place % 1000:03}", f"Örnek {place} Derneği", "dernek", "34"]]
        for place in range(2, 2 + ROWS)
    ]
    imports.add_import_rows(REGISTRAR, begun["id"], 0, rows)
    imports.finish_upload(REGISTRAR, begun["id"], 1)
    return str(begun["id"])


def written(database: Database) -> tuple[int, int, int]:
    """Organisations, what is recorded of them, and what was told of them."""
    with database.read() as connection:
        found = [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (ORGANISATIONS, RECORDS, OUTBOX)
        ]
    return found[0], found[1], found[2]


def holder(database: Database) -> Any:
    with database.read() as connection:
        return connection.execute(select(IMPORTS.c.holder)).scalar_one()


def step(database: Database) -> Any:
    with database.read() as connection:
        return tuple(connection.execute(select(IMPORTS.c.state, IMPORTS.c.phase)).one())


def applying_after(database: Database, before: Any) -> bool:
    """Whether another than `before` works at it."""
    return step(database) == ("running", "applying") and holder(database) not in (before, None)


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_import_killed_ten_times_is_never_half_applied_and_goes_on(database_url: str) -> None:
    database = Database(database_url)
    upgrade(database, "registry")
    imports = Intake(database, lambda: datetime.now(UTC), None)  # type: ignore[arg-type] - it only sends
    send(imports)
    chance = random.Random(7)
    with workers(database_url) as start:
        for _ in range(KILLS):
            before = holder(database)
            process = start(PAUSE)
            until(partial(applying_after, database, before))
            time.sleep(chance.uniform(0.1, LONGEST_LIFE))
            kill(process)
            assert ("running", "applying") == step(database)
            assert (0, 0, 0) == written(database)
        start(0.0)
        until(lambda: step(database) == ("applied", None))
    assert (ROWS, ROWS, ROWS) == written(database)
    database.close()
