"""Finding by name: both databases find alike, and find what was meant."""

from __future__ import annotations

import csv
import os
import uuid
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from search_sample import Named, sample, store
from sqlalchemy import create_engine, insert, text, update
from sqlalchemy.engine import make_url

from services.kernel.turkish import fold
from services.registry.adapters.search import Filters, Found, find_organisations, learn
from services.registry.adapters.tables import ORGANISATIONS
from services.runtime.database import Database
from services.runtime.migration import ensure_database, upgrade

POSTGRES = os.environ.get("IMECE_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
QUERIES = Path(__file__).with_name("search_queries.csv")
EVERYTHING = Filters()
MISSED = {"two typos": 3, "half remembered": 1}
"""How many queries of a kind may miss: two wrong letters in one short word cannot be told from another word."""


@pytest.fixture(scope="module")
def organisations() -> list[Named]:
    return list(sample(2_850, 150, seed=5))


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory, organisations: list[Named]) -> Iterator[dict[str, Database]]:
    """Both databases with the same organisations: the first half stored before the index of words was made."""
    server = make_url(POSTGRES).set(drivername="postgresql+psycopg")
    name = f"imece_test_{uuid.uuid4().hex}"
    urls = {
        "sqlite": f"sqlite:///{tmp_path_factory.mktemp('finding') / 'registry.sqlite'}",
        "postgresql": server.set(database=name).render_as_string(hide_password=False),
    }
    ensure_database(urls["postgresql"])
    made = {kind: Database(url) for kind, url in urls.items()}
    half = len(organisations) // 2
    for database in made.values():
        upgrade(database, "registry", "0005")
        with database.write() as connection:
            store(connection, organisations[:half], settled=False)
        upgrade(database, "registry")
        with database.write() as connection:
            store(connection, organisations[half:])
    yield made
    for database in made.values():
        database.close()
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    admin.dispose()


def find(
    database: Database,
    query: str,
    filters: Filters = EVERYTHING,
    page: int = 1,
    size: int = 10,
) -> Found:
    with database.read() as connection:
        return find_organisations(connection, query, filters, page, size)


def queries() -> list[dict[str, str]]:
    with QUERIES.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_both_databases_give_the_same_first_results_for_two_hundred_queries_and_what_was_meant_is_among_them(
    databases: dict[str, Database], organisations: list[Named]
) -> None:
    asked = queries()
    assert 200 == len(asked)
    names = {each.id: each.name for each in organisations}
    differing: list[str] = []
    missed: dict[str, int] = {}
    for each in asked:
        found = find(databases["sqlite"], each["query"])
        if found != find(databases["postgresql"], each["query"]):
            differing.append(each["query"])
        if each["expected"] and each["expected"] not in [names[key] for key in found.keys]:
            missed[each["way"]] = missed.get(each["way"], 0) + 1
    assert [] == differing
    assert missed == {way: count for way, count in missed.items() if count <= MISSED.get(way, 0)}


@cache
def named_words(organisations: tuple[Named, ...]) -> list[tuple[Named, list[str]]]:
    return [(each, each.folded.split()) for each in organisations]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("derneği", Filters()),
        ("spor kulübü", Filters("34")),
        ("kültür", Filters(None, "foundation")),
        ("spor", Filters("34", "association", "required")),
        ("turkiye", Filters(None, None, "exempt")),
        ("", Filters("06")),
        ("", Filters("34", "association")),
        ("", Filters("34", "foundation", "required")),
    ],
)
def test_pages_hold_every_name_that_fits_once_and_the_total_is_their_number(
    databases: dict[str, Database], organisations: list[Named], kind: str, query: str, filters: Filters
) -> None:
    asked = fold(query).split()
    expected = {
        each.id
        for each, named in named_words(tuple(organisations))
        if all(any(word.startswith(part) for word in named) for part in asked)
        and filters.province_code in (None, each.province_code)
        and filters.form in (None, each.form)
        and filters.standing in (None, each.standing)
    }
    pages: list[str] = []
    page = 1
    while len(found := find(databases[kind], query, filters, page, 900)[0]):
        pages += found
        page += 1
    assert len(expected) == find(databases[kind], query, filters).total
    assert len(pages) == len(expected)
    assert set(pages) == expected


@pytest.mark.parametrize("sorted_", [10, 15_000])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_names_that_begin_with_the_query_come_before_the_others_and_both_parts_by_name(
    databases: dict[str, Database], organisations: list[Named], monkeypatch: pytest.MonkeyPatch, kind: str, sorted_: int
) -> None:
    monkeypatch.setattr("services.registry.adapters.search.RANKED", 5)
    monkeypatch.setattr("services.registry.adapters.search.SORTED", sorted_)
    known = named_words(tuple(organisations))
    fitting = [each for each, named in known if any(word.startswith("turkiye") for word in named)]
    fitting.sort(key=lambda each: (not each.folded.startswith("turkiye"), each.name_key, each.id))
    assert 5 < sum(each.folded.startswith("turkiye") for each in fitting)
    found = [key for page in (1, 2, 3, 4) for key in find(databases[kind], "turkiye", page=page, size=7).keys]
    assert [each.id for each in fitting[:28]] == found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_changed_row_is_found_by_what_it_holds_now(databases: dict[str, Database], kind: str) -> None:
    key, name = str(uuid.uuid4()), "zzandalya yurtsever dernegi"
    row = {"id": key, "version": 1, "name": name, "form": "association", "expertise": [], "state": "active"}
    row |= {"folded": name, "name_key": name, "standing_permission": "required", "province_code": None}
    mine = ORGANISATIONS.c.id == key
    with databases[kind].write() as connection:
        connection.execute(insert(ORGANISATIONS), [row])
        learn(connection, [name])
    assert [key] == find(databases[kind], "zzandalya").keys
    assert [key] == find(databases[kind], "zzandlaya", Filters(standing="required")).keys
    with databases[kind].write() as connection:
        connection.execute(update(ORGANISATIONS).where(mine).values(standing_permission="exempt", province_code="06"))
    assert [] == find(databases[kind], "zzandalya", Filters(standing="required")).keys
    assert [key] == find(databases[kind], "zzandalya", Filters("06", "association", "exempt")).keys
    with databases[kind].write() as connection:
        connection.execute(update(ORGANISATIONS).where(mine).values(folded="kervanzzaray okuma eskiden zzandalya"))
        learn(connection, ["kervanzzaray okuma eskiden zzandalya"])
    assert [key] == find(databases[kind], "kervanzzaray okuma").keys
    assert [key] == find(databases[kind], "zzandalya").keys
    with databases[kind].write() as connection:
        connection.execute(ORGANISATIONS.delete().where(mine))
    assert [] == find(databases[kind], "kervanzzaray").keys


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "query",
    [
        "and",
        "OR not",
        "near(a b)",
        "folded:spor",
        '"spor',
        "spor*",
        "a & b | !c",
        "<->",
        "n_spor",
        "p_34",
        "ª²",
        "λόγος",
    ],
)
def test_nothing_in_a_query_is_a_sign_to_the_index(databases: dict[str, Database], kind: str, query: str) -> None:
    found = find(databases[kind], query)
    assert found.total >= len(found.keys)


def test_a_word_before_an_ending_with_a_vowel_is_found(databases: dict[str, Database]) -> None:
    # dernek, derneği; kitap, kitabı
    assert find(databases["sqlite"], "dernek").total == find(databases["sqlite"], "derneği").total


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_one_word_of_several_may_be_wrong_unless_what_is_left_fits_too_many(
    databases: dict[str, Database], organisations: list[Named], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    meant = next(each for each in organisations if len(set(each.folded.split())) > 5 and "koyu" in each.folded.split())
    known = " ".join(word for word in meant.folded.split()[:-1] if word not in ("ve", "dernegi"))
    assert meant.id in find(databases[kind], f"{known} qqxxyyzz").keys
    monkeypatch.setattr("services.registry.adapters.search.RANKED", 1)
    assert Found([], 0) == find(databases[kind], "spor kulubu qqxxyyzz")
