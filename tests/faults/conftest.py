"""A distributed İmece with two replicas of every service, to be hurt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import System, distributed_system, free_port
from mail_server import MailServer, mail_server


@pytest.fixture(scope="session")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """The mail server of the system."""
    with mail_server(tmp_path_factory.mktemp("mail"), free_port()) as server:
        yield server


@pytest.fixture(scope="session")
def doubled(
    postgres_server: str, amqp_server: str, mail: MailServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("doubled")
    with distributed_system(
        postgres_server,
        amqp_server,
        folder,
        replicas=2,
        IMECE_RPC_TIMEOUT="4",
        IMECE_RETRY_DELAYS="0.5,1,2,5",
        IMECE_MAX_WORKERS="6",
        IMECE_SMTP_URL=f"smtp+plain://127.0.0.1:{mail.port}",
        IMECE_MAIL_FROM="imece@belediye.example.org",
        IMECE_DELIVERY_DELAYS="0.5,1,2,5,10,20",
        IMECE_WEBHOOK_NETWORKS="127.0.0.0/8",
        IMECE_MAYOR_MAY_WAIVE_RETURN="true",
    ) as system:
        yield system
