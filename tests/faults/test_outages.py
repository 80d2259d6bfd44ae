"""Ten users file petitions while a part of İmece is away: nobody is left without word, and nobody hears twice.

A few seconds each here; a minute each by `make bench-outages`.
"""

from __future__ import annotations

import pytest
from harness import System
from mail_server import MailServer
from outage import HEAD, broker_away, databases_away, mail_server_away, outage, service_away, ten_users

SECONDS = 3.0


@pytest.fixture(scope="module")
def users(doubled: System) -> list[str]:
    return ten_users(doubled)


@pytest.mark.parametrize("away", ["RabbitMQ", "mail server", "notifications (killed)", "PostgreSQL"])
def test_every_petitioner_hears_once_of_a_petition_filed_while_a_part_was_away(
    doubled: System, mail: MailServer, users: list[str], postgres_server: str, away: str
) -> None:
    cuts = {
        "RabbitMQ": broker_away,
        "mail server": mail_server_away(mail),
        "notifications (killed)": service_away(doubled, "notifications"),
        "PostgreSQL": databases_away(doubled, postgres_server),
    }
    outcome = outage(doubled, mail, users, away, cuts[away], SECONDS)
    print(f"\n{HEAD}\n{outcome.row()}")
    assert outcome.filed > 0
    assert [] == outcome.lost
    assert [] == outcome.doubled
    # Whoever dies between the mail server's yes and the note of it sends that one mail again, under its Message-ID.
    killed = len(doubled.processes["notifications"]) if away.endswith("(killed)") else 0
    assert len(outcome.again) <= killed
