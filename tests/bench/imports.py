"""Imports at national size: seconds and memory on both databases, as ratios to bare inserts of the same rows.

Run by hand or by `make bench-registry`: `BENCH_ROWS` (121955) and `BENCH_DATABASES` (sqlite,postgresql) may be set.
Each database is measured in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS.parent)]

import eventlet

eventlet.monkey_patch()

import hashlib
import json
import os
import resource
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from services.runtime.database import Database  # isort: skip - before psycopg: it chooses how psycopg waits
import psycopg
from sqlalchemy import select, text

from services.kernel.actor import Actor
from services.registry import sample
from services.registry.adapters.tables import ORGANISATIONS, STATUSES
from services.registry.service.intake import Intake
from services.runtime.bulk import insert_rows
from services.runtime.migration import upgrade

ROWS = int(os.environ.get("BENCH_ROWS", str(sample.ROWS)))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite,postgresql").split(",")
REGISTRAR = Actor(role="registrar", user_id="bench")
HEADER = list(sample.COLUMNS)
CHANGED, NEW, MISSING, BROKEN = 1000, 500, 300, 200
AT_ONCE = 1000

Row = Mapping[str, str]


class Nobody:
    """No organisation is anyone's partner."""

    def organisations(self, ids: Collection[str]) -> set[str]:  # noqa: ARG002 - the port's signature
        return set()

    def municipalities(self, codes: Collection[str]) -> set[str]:  # noqa: ARG002 - the port's signature
        return set()


def peak() -> int:
    """Megabytes that this process held at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def send(imports: Intake, rows: Iterable[Row]) -> str:
    begun = imports.begin_import(REGISTRAR, {"kind": "organisations", "source": "ulusal", "header": HEADER})
    kept = [HEADER[place] for place in begun["keep"]]
    numbered = ([place, [row[name] for name in kept]] for place, row in enumerate(rows, start=2))
    parts = 0
    while part := list(islice(numbered, AT_ONCE)):
        imports.add_import_rows(REGISTRAR, begun["id"], parts, part)
        parts += 1
    imports.finish_upload(REGISTRAR, begun["id"], parts)
    return str(begun["id"])


def second_file() -> Iterator[Row]:
    """The same list with rows changed, new, missing and broken, spread over all of it."""
    step = ROWS // (CHANGED + MISSING + BROKEN)
    kinds = ["changed"] * CHANGED + ["missing"] * MISSING + ["broken"] * BROKEN
    for number, row in enumerate(sample.associations(ROWS)):
        kind = kinds[number // step] if number % step == 0 and number // step < len(kinds) else ""
        if kind == "missing":
            continue
        if kind == "changed":
            yield {**row, "KurumAdres": f"Değişen Sokak {number}"}
        elif kind == "broken":
            yield {**row, "Mail": "adres değil"}
        else:
            yield row
    for number in range(NEW):
        yield {**row, "SisKod": f"YENİ-{number}", "KurumAd": f"Yeni Örnek {number} Derneği"}


def counts(imports: Intake, import_id: str) -> dict[str, int]:
    found = imports.get_import(REGISTRAR, import_id)
    names = ("added", "changed", "unchanged", "vanished", "rejected", "review", "kept")
    return {"state": found["state"], **{name: found[name] for name in names if found[name]}}


def checksum(database: Database) -> str:
    """Over all facts and statuses, not over versions."""
    facts = [column for column in ORGANISATIONS.c if column.name not in ("row_no", "version")]
    digest = hashlib.sha256()
    with database.snapshot() as connection:
        for statement in (select(*facts).order_by(ORGANISATIONS.c.id), select(STATUSES).order_by(STATUSES.c.id)):
            for row in connection.execute(statement.execution_options(yield_per=1000)):
                digest.update(str(row).encode())
    return digest.hexdigest()


def bare(database: Database) -> dict[str, float]:
    """Seconds to insert the rows of the registry again, into a table without and one with the same indexes."""
    names = [column.name for column in ORGANISATIONS.c if column.name != "row_no"]
    with database.read() as connection:
        rows = [tuple(row) for row in connection.execute(select(*(ORGANISATIONS.c[name] for name in names)))]
    seconds = {}
    for label, indexed in (("bare", False), ("bare, same indexes", True)):
        with database.write() as connection:
            _table_like(connection, indexed=indexed)
            copy = ORGANISATIONS.to_metadata(type(ORGANISATIONS.metadata)(), name="bench_copy")
            began = time.perf_counter()
            for start in range(0, len(rows), AT_ONCE):
                insert_rows(connection, copy, names, rows[start : start + AT_ONCE])
            seconds[label] = time.perf_counter() - began
            connection.execute(text("DROP TABLE bench_copy"))
    return seconds


def _table_like(connection: Any, *, indexed: bool) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        including = "INCLUDING ALL" if indexed else "INCLUDING DEFAULTS"
        connection.execute(text(f"CREATE TABLE bench_copy (LIKE organisations {including})"))
        return
    found = connection.execute(
        text("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'organisations' AND sql IS NOT NULL")
    ).all()
    for kind, name, sql in sorted(found, key=lambda each: each[0] != "table"):
        if kind == "table" or (indexed and kind == "index"):
            made = sql.replace("organisations", "bench_copy").replace(f"INDEX {name}", f"INDEX bench_{name}")
            connection.execute(text(made if kind == "table" else made.replace("INDEX bench_copy", "INDEX bench_of")))


def measure(url: str) -> dict[str, Any]:
    database = Database(url)
    upgrade(database, "registry")
    imports = Intake(database, lambda: datetime.now(UTC), Nobody())
    found: dict[str, Any] = {}
    before = peak()

    def timed(label: str, work: Callable[[], Any]) -> Any:
        began, worked = time.perf_counter(), time.process_time()
        result = work()
        found[label] = (time.perf_counter() - began, time.process_time() - worked, peak() - before)
        return result

    first = timed("upload", lambda: send(imports, sample.associations(ROWS)))
    timed("dry run", lambda: imports.run(first))
    found["dry run found"] = counts(imports, first)
    imports.apply_import(REGISTRAR, first)
    timed("apply", lambda: imports.run(first))
    again = send(imports, sample.associations(ROWS))
    timed("the same file again", lambda: imports.run(again))
    found["again found"] = counts(imports, again)
    sums = [checksum(database)]
    second = send(imports, second_file())
    timed("another file, dry run", lambda: imports.run(second))
    found["another found"] = counts(imports, second)
    for attempt in ("", " again"):
        imports.apply_import(REGISTRAR, second)
        timed(f"another file, apply{attempt}", lambda: imports.run(second))
        imports.undo_import(REGISTRAR, second)
        timed(f"another file, undo{attempt}", lambda: imports.run(second))
        sums.append(checksum(database))
    found["checksums alike after each undo"] = len(set(sums)) == 1
    imports.undo_import(REGISTRAR, first)
    timed("undo everything", lambda: imports.run(first))
    found["undone"] = counts(imports, first)
    imports.apply_import(REGISTRAR, first)
    timed("everything again", lambda: imports.run(first))
    for label, seconds in bare(database).items():
        found[label] = (seconds, seconds, 0)
    database.close()
    return found


def report(name: str, found: Mapping[str, Any]) -> None:
    floor = found["bare"][0]
    print(f"\n{name}, {ROWS} rows")
    print(f"{'':28}{'seconds':>9}{'cpu':>8}{'ratio':>8}{'MB more':>9}")
    for label, value in found.items():
        if isinstance(value, list | tuple):
            seconds, cpu, memory = value
            print(f"{label:28}{seconds:9.1f}{cpu:8.1f}{seconds / floor:8.1f}{memory:9}")
        else:
            print(f"{label:28} {value}")


def main() -> None:
    if len(sys.argv) > 1:
        json.dump(measure(sys.argv[1]), sys.stdout)
        return
    for kind in DATABASES:
        with tempfile.TemporaryDirectory() as folder:
            name = f"imece_bench_{uuid.uuid4().hex[:10]}"
            server = os.environ.get("IMECE_TEST_POSTGRES_URL", "")
            if kind == "postgresql":
                with psycopg.connect(server, autocommit=True) as connection:
                    connection.execute(f'CREATE DATABASE "{name}"')
                url = server.rpartition("/")[0].replace("postgresql://", "postgresql+psycopg://", 1) + f"/{name}"
            else:
                url = f"sqlite:///{folder}/registry.sqlite"
            try:
                done = subprocess.run(
                    [sys.executable, "-W", "ignore", __file__, url], check=True, stdout=subprocess.PIPE
                )
                report(kind, json.loads(done.stdout))
            finally:
                if kind == "postgresql":
                    with psycopg.connect(server, autocommit=True) as connection:
                        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main()
