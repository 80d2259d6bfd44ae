"""Every service's migrations end in its tables, on both databases, however often and by however many they are run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from machine import new_postgres, together
from sqlalchemy import MetaData, inspect, text
from sqlalchemy.engine import make_url

from services.kernel.errors import Unavailable
from services.runtime.database import Database
from services.runtime.migration import ensure_database, is_current, upgrade
from services.runtime.settings import SERVICES

TABLES = {
    "registry": "services.registry.adapters.tables",
    "protocols": "services.protocols.adapters.tables",
    "petitions": "services.petitions.adapters.tables",
    "notifications": "services.notifications.adapters.tables",
    "gateway": "services.gateway.identity.tables",
}


def metadata_of(service: str) -> MetaData:
    found: MetaData = import_module(TABLES[service]).METADATA
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        yield made
        made.close()


def differences(database: Database, service: str) -> list[Any]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[Any] = compare_metadata(context, metadata_of(service))
        # Tables that an extension or a virtual table of the service keeps for itself are not in its metadata.
        return [each for each in found if not (isinstance(each, tuple) and str(each[0]).startswith("remove_"))]


def strangers(database: Database, service: str) -> set[str]:
    """Ordinary tables that the service's metadata does not know."""
    known = {*metadata_of(service).tables, "alembic_version"}
    return {name for name in inspect(database.engine).get_table_names() if name not in known and "_search" not in name}


@pytest.mark.parametrize("service", SERVICES)
def test_migrating_ends_in_the_services_tables_and_twice_is_harmless(fresh: Database, service: str) -> None:
    for _ in range(2):
        upgrade(fresh, service)
        with fresh.read() as connection:
            assert is_current(connection, service)
    assert ([], set()) == (differences(fresh, service), strangers(fresh, service))


def test_an_empty_database_is_not_current(fresh: Database) -> None:
    with fresh.read() as connection:
        assert not is_current(connection, "protocols")


def test_a_migration_that_fails_leaves_nothing_behind(fresh: Database) -> None:
    with fresh.write() as connection:
        connection.execute(text("CREATE TABLE clocks (id INTEGER)"))  # in the way of the last table
    with pytest.raises(Exception, match="clocks"):
        upgrade(fresh, "protocols")
    assert ["clocks"] == inspect(fresh.engine).get_table_names()
    with fresh.write() as connection:
        connection.execute(text("DROP TABLE clocks"))
    upgrade(fresh, "protocols")
    assert [] == differences(fresh, "protocols")


def test_replicas_that_start_together_wait_for_each_other(postgres_server: str) -> None:
    with new_postgres(postgres_server) as url:
        replicas = [Database(url) for _ in range(3)]
        assert [None] * 3 == together(*(lambda each=each: upgrade(each, "protocols") for each in replicas))
        assert [] == differences(replicas[0], "protocols")
        for each in replicas:
            each.close()


def test_a_missing_database_is_made_once_by_whoever_comes_first(postgres_server: str) -> None:
    with new_postgres(postgres_server) as url:
        missing = make_url(url).set(database=f"{make_url(url).database}_Ş").render_as_string(hide_password=False)
        try:
            assert [None] * 4 == together(*[lambda: ensure_database(missing)] * 4)
            ensure_database(missing)
            database = Database(missing)
            with database.read() as connection:
                assert "UTF8" == connection.execute(text("SHOW server_encoding")).scalar_one()
            database.close()
        finally:
            admin = Database(url)
            with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{make_url(missing).database}" WITH (FORCE)'))
            admin.close()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        ensure_database("postgresql+psycopg://x@127.0.0.1:1/x")


def test_sqlite_needs_no_database_made() -> None:
    ensure_database("sqlite:///nowhere/x.sqlite")
    assert not Path("nowhere").exists()
