"""Ten users file petitions while a part of İmece is away; every petitioner must get word, once."""

from __future__ import annotations

import contextlib
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import eventlet
import psycopg
import requests
from harness import Client, System
from mail_server import MailServer
from psycopg import sql

USERS = 10
PATIENCE_SECONDS = 120
RECEIPT = "Petition received"
ARRIVAL_SECONDS = 60
"""How long after the recovery the last word may take."""

Cut = Callable[[], contextlib.AbstractContextManager[None]]


@dataclass
class Outcome:
    """What became of the petitions of one outage."""

    name: str
    seconds: float
    filed: int = 0
    filed_while_away: int = 0
    unanswered: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """The same mail, under the same Message-ID, twice."""
    last_word: float = 0.0

    def row(self) -> str:
        return (
            f"{self.name:<34} {self.seconds:>5.0f} {self.filed:>6} {self.filed_while_away:>11} {self.unanswered:>11} "
            f"{len(self.lost):>5} {len(self.doubled):>8} {len(self.again):>6} {self.last_word:>10.1f}"
        )


HEAD = (
    f"{'away':<34} {'s':>5} {'filed':>6} {'meanwhile':>11} {'503 or cut':>11} "
    f"{'lost':>5} {'doubled':>8} {'again':>6} {'last word s':>10}"
)


@dataclass
class Filing:
    """Ten users who go on filing, each petition under one key until it is known to be filed."""

    system: System
    tokens: Sequence[str]
    filed: dict[str, float] = field(default_factory=dict)
    endings: Counter[int] = field(default_factory=Counter)
    going: bool = True

    def run(self) -> None:
        threads = [eventlet.spawn(self._user, token) for token in self.tokens]
        for thread in threads:
            thread.wait()

    def _user(self, token: str) -> None:
        client = Client(self.system.url, token)
        while self.going:
            self._file(client)
            eventlet.sleep(0.4)

    def _file(self, client: Client) -> None:
        mark = uuid.uuid4().hex
        address = f"{mark}@dernek.example.org"
        body = {
            "kind": "petition",
            "municipality": "34-35",
            "subject": "Kaldırım onarımı",
            "body": f"Mahallemizdeki kaldırımın onarılmasını arz ederiz. ({mark})",
            "petitioner": {"type": "organisation", "name": "Yer Çizenler", "address": "Şişli", "email": address},
            "signature": {"kind": "handwritten"},
            "channel": "counter",
            "language": "en",
        }
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                answer = client.ask("POST", "/petitions", body, Idempotency_Key=mark)
            except requests.RequestException:
                self.endings[0] += 1
            else:
                self.endings[answer.status] += 1
                if answer.status == 201:
                    self.filed[address] = time.monotonic()
                    return
                assert answer.status == 503, f"{answer.status} {answer.body}"
            eventlet.sleep(0.3)
        message = f"a petition was not filed within {PATIENCE_SECONDS} s"
        raise AssertionError(message)


def ten_users(system: System) -> list[str]:
    """Their tokens; all sit at the counter of Şişli."""
    found = []
    for number in range(USERS):
        name = f"counter.{number}"
        system.add_office(name, "registry_clerk", {"municipality": "34-35"})
        found.append(str(system.client(name).session.headers["Authorization"]).removeprefix("Bearer "))
    return found


def outage(system: System, mail: MailServer, tokens: Sequence[str], name: str, cut: Cut, seconds: float) -> Outcome:
    """File before, during and after the cut; wait for every petitioner's word."""
    filing = Filing(system, tokens)
    running = eventlet.spawn(filing.run)
    eventlet.sleep(2)
    with cut():
        began = time.monotonic()
        eventlet.sleep(seconds)
        ended = time.monotonic()
    recovered = time.monotonic()
    eventlet.sleep(2)
    filing.going = False
    running.wait()
    outcome = Outcome(name, seconds, len(filing.filed))
    outcome.filed_while_away = sum(began <= at <= ended for at in filing.filed.values())
    outcome.unanswered = filing.endings[0] + filing.endings[503]
    until = max(recovered, *filing.filed.values()) + ARRIVAL_SECONDS
    while True:
        words = receipts(mail)
        outcome.lost = sorted(address for address in filing.filed if not words[address])
        if not outcome.lost or time.monotonic() > until:
            break
        eventlet.sleep(0.2)
    outcome.last_word = time.monotonic() - recovered
    eventlet.sleep(3)  # whatever would come twice comes now
    words, copies = receipts(mail), receipts(mail, copies=True)
    outcome.doubled = sorted(address for address in filing.filed if words[address] > 1)
    outcome.again = sorted(address for address in filing.filed if copies[address] > words[address])
    return outcome


def receipts(mail: MailServer, *, copies: bool = False) -> Counter[str]:
    """How many receipts came to each address; a mail that came again under its Message-ID is one, unless `copies`."""
    found = [
        (address, str(each.message["Message-ID"]))
        for each in mail.mails()
        for address in each.to
        if RECEIPT in str(each.message["Subject"])
    ]
    return Counter(address for address, _ in (found if copies else set(found)))


# what is taken away


def broker_away() -> contextlib.AbstractContextManager[None]:
    """RabbitMQ is stopped."""

    @contextlib.contextmanager
    def cut() -> Iterator[None]:
        _rabbitmqctl("stop_app")
        try:
            yield
        finally:
            _rabbitmqctl("start_app")

    return cut()


def _rabbitmqctl(command: str) -> None:
    done = subprocess.run(["rabbitmqctl", "-q", command], capture_output=True, check=False, text=True)
    assert done.returncode == 0, f"rabbitmqctl {command}: {done.stderr}"


def mail_server_away(mail: MailServer) -> Cut:
    """The mail server is killed."""

    @contextlib.contextmanager
    def cut() -> Iterator[None]:
        mail.stop()
        try:
            yield
        finally:
            mail.start()

    return cut


def service_away(system: System, service: str) -> Cut:
    """Every process of the service is killed."""

    @contextlib.contextmanager
    def cut() -> Iterator[None]:
        many = len(system.processes[service])
        for _ in range(many):
            system.kill(service)
        try:
            yield
        finally:
            for _ in range(many):
                system.start_one(service)

    return cut


def databases_away(system: System, server: str) -> Cut:
    """PostgreSQL drops every connection to İmece's databases and takes no new one, as while it restarts."""
    names = [value.rpartition("/")[2].partition("?")[0]
             for name, value in system.environment.items() if name.endswith("_DATABASE_URL")]  # fmt: skip

    def allow(*, yes: bool) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            for name in names:
                connection.execute(
                    sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.SQL(str(yes)))
                )
            if not yes:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)", [names]
                )

    @contextlib.contextmanager
    def cut() -> Iterator[None]:
        allow(yes=False)
        try:
            yield
        finally:
            allow(yes=True)

    return cut
