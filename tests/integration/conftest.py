"""Databases, brokers and containers for tests of the machinery; all real, all thrown away afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import fresh_vhost
from kombu import Connection as Broker
from machine import (
    DELAYS,
    GRANTED,
    UPDATED,
    Start,
    Wire,
    distributed_over,
    embedded_in,
    emptied,
    new_postgres,
    queue_of,
    started,
)

from services.contracts.subscriptions import SUBSCRIPTIONS
from services.protocols.adapters.tables import METADATA as PROTOCOLS_METADATA
from services.runtime import amqp
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.settings import Settings

HEARD = [each for each in SUBSCRIPTIONS if each.event in (UPDATED, GRANTED)]


@pytest.fixture(scope="session")
def machine_postgres(postgres_server: str) -> Iterator[list[str]]:
    """Two PostgreSQL databases for the whole run, emptied before each use: making one costs more than a test."""
    with new_postgres(postgres_server) as first, new_postgres(postgres_server) as second:
        yield [first, second]


@pytest.fixture
def postgres(machine_postgres: list[str]) -> Iterator[Database]:
    """An empty PostgreSQL database with the runtime's tables."""
    made = emptied(Database(machine_postgres[0]))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the runtime's tables, once of each kind."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres")
        return
    made = emptied(Database(f"sqlite:///{tmp_path / 'machine.sqlite'}"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def vhost(amqp_server: str) -> Iterator[str]:
    """A virtual host of this run, with the queues of two events."""
    with fresh_vhost(amqp_server) as url:
        amqp.declare(url, HEARD, ["registry", "protocols", "gateway"], DELAYS)
        yield url


@pytest.fixture
def broker(vhost: str) -> str:
    """The broker with empty queues."""
    own = [queue_of(each.event, each.consumer) for each in HEARD]
    with Broker(vhost) as connection, connection.channel() as channel:
        for name in [*own, *map(amqp.dead_name, own), *map(amqp.delay_name, DELAYS)]:
            channel.queue_purge(name)
    return vhost


@pytest.fixture
def embedded(tmp_path: Path) -> Settings:
    """An embedded system with short waits."""
    return embedded_in(tmp_path)


@pytest.fixture
def distributed(machine_postgres: list[str], broker: str) -> Settings:
    """A distributed system with short waits; registry has a database of its own, the others share one."""
    return distributed_over(machine_postgres, broker)


@pytest.fixture(params=["embedded", "distributed"])
def either(request: pytest.FixtureRequest) -> Settings:
    """A system of each mode, one after the other."""
    found: Settings = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts services in this process: `start(Service, settings)`; all are killed at the end."""
    with started() as begin:
        yield begin


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A line to the broker that the test may cut."""
    made = Wire()
    yield made
    made.cut()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """protocols' own database, migrated; once of each kind for a module."""
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('archive') / 'protocols.sqlite'}")
        upgrade(made, "protocols")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "protocols")
        yield made
        made.close()


@pytest.fixture
def files(archive: Database) -> Database:
    """protocols' own database without rows."""
    with archive.write() as connection:
        for table in reversed(PROTOCOLS_METADATA.sorted_tables):
            connection.execute(table.delete())
    return archive
