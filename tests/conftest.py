"""Every test runs under eventlet, as the services do; databases and brokers are real and the tests' own."""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import os
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3.util.ssl_
from hypothesis import HealthCheck, settings

import services.runtime.database  # noqa: F401 - chooses how psycopg waits, before anyone imports it

# A plugin of pytest imports urllib3 before we patch; with the old class under it, TLS recurses without end.
urllib3.util.ssl_.SSLContext = ssl.SSLContext

settings.register_profile("imece", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("imece")

POSTGRES = "IMECE_TEST_POSTGRES_URL"
AMQP = "IMECE_TEST_AMQP_URL"


def _server(name: str) -> str:
    """The server's address, or a loud skip; in CI nothing may be skipped."""
    url = os.environ.get(name)
    if url:
        return url
    if os.environ.get("CI"):
        pytest.fail(f"{name} is not set: run the tests by make, which finds or starts the servers")
    pytest.skip(f"{name} is not set: run the tests by make, which finds or starts the servers")


@pytest.fixture(scope="session")
def postgres_server() -> str:
    return _server(POSTGRES)


@pytest.fixture(scope="session")
def amqp_server() -> str:
    return _server(AMQP)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """A fresh PostgreSQL database, dropped afterwards."""
    yield from _fresh_database(postgres_server)


def _fresh_database(server: str) -> Iterator[str]:
    import psycopg

    name = f"imece_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    base, _, query = server.partition("?")
    yield base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database's URL, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
    else:
        server = request.getfixturevalue("postgres_server")
        for url in _fresh_database(server):
            yield url.replace("postgresql://", "postgresql+psycopg://", 1)
