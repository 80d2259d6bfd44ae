"""A distributed İmece with two replicas of every service, to be hurt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import System, distributed_system


@pytest.fixture(scope="session")
def doubled(postgres_server: str, amqp_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("doubled")
    with distributed_system(
        postgres_server,
        amqp_server,
        folder,
        replicas=2,
        IMECE_RPC_TIMEOUT="4",
        IMECE_RETRY_DELAYS="0.5,1,2,5",
        IMECE_MAX_WORKERS="6",
    ) as system:
        yield system
