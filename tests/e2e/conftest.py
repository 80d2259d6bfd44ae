"""One distributed and one embedded İmece for all end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import System, distributed_system, embedded_system


@pytest.fixture(scope="session")
def distributed(postgres_server: str, amqp_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with distributed_system(postgres_server, amqp_server, tmp_path_factory.mktemp("distributed")) as system:
        yield system


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with embedded_system(tmp_path_factory.mktemp("embedded"), IMECE_DEMO_CLOCK="true") as system:
        yield system


@pytest.fixture(params=["embedded", "distributed"])
def system(request: pytest.FixtureRequest) -> System:
    return request.getfixturevalue(request.param)
