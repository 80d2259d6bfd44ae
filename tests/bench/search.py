"""Finding organisations at the size of the country: time and recall for each way of mistyping, on both databases.

Run with `PYTHONPATH=. python tests/bench/search.py`. Times are those of the search alone, without rows and HTTP;
every ratio is to a look-up of one row by its id in the same run.
"""

from __future__ import annotations

import sys
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS.parent)]

import eventlet

eventlet.monkey_patch()

import contextlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from harness import fresh_databases
from search_sample import COUNTRY, FOUNDATIONS, WAYS, Named, query_for, sample, store
from sqlalchemy import select
from sqlalchemy.engine import make_url

from services.registry.adapters.search import Filters, find_organisations
from services.registry.adapters.tables import ORGANISATIONS
from services.registry.sample import associations
from services.runtime.database import Database
from services.runtime.migration import upgrade

QUERIES = int(os.environ.get("BENCH_QUERIES", "1000"))
ASSOCIATIONS = int(os.environ.get("BENCH_ASSOCIATIONS", str(COUNTRY)))
SERVER = os.environ.get("IMECE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
COMMON = ("derneği", "spor", "türkiye", "kültür ve", "spor kulübü", "ankara", "köyü derneği", "de", "kadın", "vakfı")
T = TypeVar("T")


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@contextlib.contextmanager
def filled(kind: str, organisations: list[Named]) -> Iterator[Database]:
    """A database with all of them, as after an import."""
    with contextlib.ExitStack() as held:
        if kind == "sqlite":
            url = f"sqlite:///{held.enter_context(tempfile.TemporaryDirectory())}/registry.sqlite"
        else:
            named = held.enter_context(fresh_databases(SERVER))["IMECE_REGISTRY_DATABASE_URL"]
            url = make_url(named).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        database = Database(url)
        held.callback(database.close)
        upgrade(database, "registry")
        began = time.perf_counter()
        with database.write() as connection:
            store(connection, organisations)
        print(f"{kind}: {len(organisations)} organisations stored and indexed in {time.perf_counter() - began:.1f} s")
        yield database


def measure(database: Database, organisations: list[Named]) -> None:
    names = {each.id: each.folded.rpartition(" ")[0] for each in organisations}
    dice = random.Random(7)
    bare = [timed(lambda: by_id(database, dice.choice(organisations).id))[0] for _ in range(QUERIES)]
    base = percentile(bare, 0.5)
    print(f"{'':26}{'p50 ms':>8}{'p99 ms':>8}{'worst':>8}{'ratio':>7}  in the first 10")
    print(f"{'one row by its id':26}{base * 1000:8.2f}{percentile(bare, 0.99) * 1000:8.2f}{max(bare) * 1000:8.1f}")
    for way in WAYS:
        report(database, way, [pick(dice, way, organisations) for _ in range(QUERIES)], names, base)
    narrowed = [pick(dice, "half remembered", organisations, narrow=True) for _ in range(QUERIES)]
    report(database, "half remembered, province", narrowed, names, base)
    common = [(query, Filters(), "") for query in COMMON] * (QUERIES // len(COMMON) // 10 or 1)
    report(database, "words of thousands", common, names, base)
    limited = [(query, Filters("34", "association", "required"), "") for query, *_ in common]
    report(database, "the same, all filters", limited, names, base)


def pick(
    dice: random.Random, way: str, organisations: list[Named], *, narrow: bool = False
) -> tuple[str, Filters, str]:
    meant = dice.choice(organisations)
    return query_for(dice, way, meant.name), Filters(meant.province_code if narrow else None), meant.id


def report(
    database: Database, way: str, asked: list[tuple[str, Filters, str]], names: dict[str, str], base: float
) -> None:
    times, found = [], 0
    for query, filters, expected in asked:
        seconds, keys = timed(lambda query=query, filters=filters: search(database, query, filters))
        times.append(seconds)
        # Others may bear the same name; then any of them is right.
        found += bool(expected) and names[expected] in {names[key] for key in keys}
        if os.environ.get("BENCH_MISSES") and expected and names[expected] not in {names[key] for key in keys}:
            print("   miss:", query, "|", names[expected], "|", [names[key] for key in keys[:3]])
    recall = f"{found / len(asked):.3f}" if asked[0][2] else ""
    p50, p99 = percentile(times, 0.5), percentile(times, 0.99)
    print(f"{way:26}{p50 * 1000:8.2f}{p99 * 1000:8.2f}{max(times) * 1000:8.1f}{p50 / base:7.1f}  {recall}")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def by_id(database: Database, key: str) -> object:
    with database.read() as connection:
        return connection.execute(select(ORGANISATIONS).where(ORGANISATIONS.c.id == key)).one()


def search(database: Database, query: str, filters: Filters) -> list[str]:
    with database.read() as connection:
        return find_organisations(connection, query, filters, 1, 10).keys


def country() -> Iterator[Named]:
    """The associations of `imece registry sample`, and foundations beside them."""
    for row in associations(ASSOCIATIONS, 1):
        yield Named(row["KurumAd"], "association", row["Plaka"].zfill(2), row["SisKod"])
    yield from sample(0, FOUNDATIONS if ASSOCIATIONS == COUNTRY else ASSOCIATIONS // 20)


def main() -> None:
    organisations = list(country())
    assert len({each.id for each in organisations}) == len(organisations)
    for kind in ("sqlite", "postgresql"):
        with filled(kind, organisations) as database:
            measure(database, organisations)


if __name__ == "__main__":
    main()
