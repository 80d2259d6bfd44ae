"""A whole İmece for a test: embedded in one process or distributed over many, on real servers."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import eventlet
import requests

from services.runtime.database import Database  # isort: skip - before psycopg: it chooses how psycopg waits
import psycopg

from services.gateway.identity import application as identity
from services.gateway.identity.domain import Membership
from services.gateway.service import desk
from services.kernel.actor import Actor
from services.runtime.clockwork import TIME
from services.runtime.settings import SERVICES, Settings

PASSWORD = "only-for-tests-" + secrets.token_hex(8)
FULL = 37
START_SECONDS = 60
SISLI = {
    "unit": ("unit_officer", {"municipality": "34-35"}),
    "clerk": ("registry_clerk", {"municipality": "34-35"}),
    "mayor": ("mayor", {"municipality": "34-35"}),
    "commission": ("commission_rapporteur", {"municipality": "34-35"}),
    "authority.clerk": ("authority_clerk", {"authority": "K34-35"}),
    "authority": ("authority_head", {"authority": "K34-35"}),
    "registrar": ("registrar", {}),
    "auditor": ("auditor", {}),
    "besiktas.unit": ("unit_officer", {"municipality": "34-10"}),
}


def today() -> date:
    """The date in the offices, which is not always the machine's."""
    return TIME.today()


def free_port() -> int:
    with contextlib.closing(eventlet.listen(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Answer:
    """What a request was answered."""

    status: int
    body: Any
    headers: Any

    @property
    def code(self) -> str:
        return str(self.body.get("code")) if isinstance(self.body, dict) else ""


class Client:
    """One signed-in office, talking HTTP."""

    def __init__(self, url: str, token: str | None) -> None:
        self.url = f"{url}/api/v1"
        self.session = requests.Session()
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"
        self.session.headers["Accept-Language"] = "en"

    def ask(self, method: str, path: str, body: Any = None, *, version: int | None = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if version is not None:
            named["If-Match"] = f'"{version}"'
        answer = self.session.request(method, self.url + path, json=body, headers=named, timeout=30)
        try:
            content = answer.json()
        except ValueError:
            content = answer.text
        return Answer(answer.status_code, content, answer.headers)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.body}"
        return answer.body

    def post(
        self, path: str, body: Any = None, *, version: int | None = None, status: int = 201, **headers: str
    ) -> Any:
        answer = self.ask("POST", path, body, version=version, **headers)
        assert answer.status == status, f"POST {path}: {answer.status} {answer.body}"
        return answer.body

    def move(self, protocol: dict[str, Any], move: str, **fields: Any) -> dict[str, Any]:
        """Make a move; retried while the system is unavailable, with one key, as a careful client does."""
        moved = self.post(f"/protocols/{protocol['id']}/moves/{move}", fields, version=protocol["version"], status=200)
        return dict(moved)


@dataclass
class System:
    """The processes of one İmece and how to reach them."""

    environment: dict[str, str]
    url: str
    folder: Path
    replicas: int = 1
    distributed: bool = True
    processes: dict[str, list[subprocess.Popen[bytes]]] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    organisations: dict[str, str] = field(default_factory=dict)
    databases: dict[str, Database] = field(default_factory=dict)

    # processes

    def start(self) -> None:
        if self.distributed:
            self.command("migrate")
            for service in SERVICES:
                for _ in range(self.replicas):
                    self.start_one(service)
        else:
            self.start_one("run")
        self.wait_until_ready()

    def start_one(self, what: str) -> subprocess.Popen[bytes]:
        arguments = ["serve", what] if self.distributed else ["run"]
        number = len(self.processes.get(what, []))
        log = (self.folder / f"{what}-{number}-{uuid.uuid4().hex[:4]}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "services.cli", *arguments],
            env=self.environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.processes.setdefault(what, []).append(process)
        return process

    def command(self, *arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "services.cli", *arguments],
            env=self.environment, capture_output=True, check=False, text=True,
        )  # fmt: skip
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """All services answer a question, not only the door."""
        deadline = time.monotonic() + seconds
        probe = Client(self.url, None)
        while True:
            with contextlib.suppress(requests.RequestException, AssertionError):
                probe.get("/calendar/deadline?start=2026-11-02&length=5&unit=working_day")
                if "auditor" in self.clients:
                    self.clients["auditor"].get("/protocols")
                    self.clients["auditor"].get("/notifications")
                return
            assert time.monotonic() < deadline, f"not ready after {seconds} s:\n{self.logs()}"
            eventlet.sleep(0.3)

    def kill(self, service: str, number: int = 0) -> None:
        process = self.processes[service].pop(number)
        process.kill()
        process.wait()

    def stop(self) -> None:
        everyone = [process for processes in self.processes.values() for process in processes]
        for process in everyone:
            process.send_signal(signal.SIGTERM)
        for process in everyone:
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        for database in self.databases.values():
            database.close()

    def logs(self) -> str:
        return "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in sorted(self.folder.glob("*.log")))

    # databases, seen from outside

    def settings(self) -> Settings:
        return Settings.from_environment({k: v for k, v in self.environment.items() if k.startswith("IMECE_")})

    def database(self, service: str) -> Database:
        """One connection pool for each, since a server has only so many connections."""
        if service not in self.databases:
            self.databases[service] = Database(self.settings().database_of(service), pool_size=2)
        return self.databases[service]

    # offices

    def client(self, name: str) -> Client:
        if name not in self.clients:
            username = f"test.{name}"
            token = Client(self.url, None).post("/sessions", {"username": username, "password": PASSWORD})["token"]
            self.clients[name] = Client(self.url, token)
        return self.clients[name]

    def settle(self) -> None:
        """An administrator from the command line's side, everything else over HTTP, as a new installation does it."""
        people = desk(self.database("gateway"), self.settings(), TIME)
        bootstrap = Actor(role="administrator", user_id="bootstrap")
        admin = identity.create_user(
            people, bootstrap, identity.NewUser("test.admin", PASSWORD, "Sistem yöneticiliği"), "bootstrap"
        )
        identity.grant_membership(
            people, bootstrap,
            Membership(str(uuid.uuid4()), admin.id, "administrator", None, None, None, date(2020, 1, 1), None, 1),
            "bootstrap-office",
        )  # fmt: skip
        for name, (role, tenant) in SISLI.items():
            self.add_office(name, role, tenant)
        self.client("auditor")
        self.wait_until_ready()

    def add_office(self, name: str, role: str, tenant: dict[str, str]) -> None:
        admin = self.client("admin")
        user = admin.post("/users", {"username": f"test.{name}", "password": PASSWORD, "full_name": name})
        admin.post("/memberships", {"user_id": user["id"], "role": role, "valid_from": "2020-01-01", **tenant})

    def organisation(self, name: str = "Yer Çizenler", form: str = "association", *, office: bool = True) -> str:
        if name not in self.organisations:
            made = self.client("registrar").post("/organisations", {"name": name, "form": form, "province_code": "34"})
            self.organisations[name] = made["id"]
            if office:
                self.add_office(
                    f"org.{len(self.organisations)}", "organisation_representative", {"organisation_id": made["id"]}
                )
        return self.organisations[name]

    # protocols

    def draft(self, organisation_id: str | None = None, **fields: Any) -> dict[str, Any]:
        body = {
            "municipality": "34-35",
            "organisation_id": organisation_id or self.organisation(),
            "kind": "joint_service_project",
            "title": "Mahalle haritası",
            "subject": "Erişilebilirlik haritası",
            "municipal_duty": "5393/14",
            "starts_on": (today() + timedelta(days=60)).isoformat(),
            "term_months": 12,
            "text": "Taraflar ve görevler.",
            **fields,
        }
        return dict(self.client("unit").post("/protocols", body))


def votes(accept: int = 25, reject: int = 3) -> dict[str, Any]:
    return {
        "mode": "open",
        "present": accept + reject,
        "accept": accept,
        "reject": reject,
        "abstain": 0,
        "full_membership": FULL,
    }


def base_environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IMECE_")}
    return kept | {
        "IMECE_DATA_DIR": str(folder),
        "IMECE_METRICS_ADDRESS": "off",
        "IMECE_SCHEDULER_INTERVAL": "1",
        # One address asks for everybody here; a test of its own asks for the limits.
        "IMECE_PETITIONS_PER_HOUR": "10000",
        "IMECE_TRACKING_PER_MINUTE": "10000",
        # The receivers of the tests are on this machine.
        "IMECE_WEBHOOK_NETWORKS": "127.0.0.0/8",
        "PYTHONPATH": str(Path(__file__).resolve().parents[1]),
    }


@contextlib.contextmanager
def fresh_databases(server: str) -> Iterator[dict[str, str]]:
    """One database for each service, as environment variables; dropped afterwards."""
    mark = uuid.uuid4().hex[:10]
    names = {service: f"imece_test_{mark}_{service}" for service in SERVICES}
    base, _, query = server.partition("?")
    with psycopg.connect(server, autocommit=True) as connection:
        for name in names.values():
            connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield {
            f"IMECE_{service.upper()}_DATABASE_URL": base.rpartition("/")[0]
            + f"/{name}"
            + (f"?{query}" if query else "")
            for service, name in names.items()
        }
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            for name in names.values():
                connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def fresh_vhost(server: str) -> Iterator[str]:
    """A virtual host of the test's own where rabbitmqctl may be used; else the given one."""
    name = f"imece-test-{uuid.uuid4().hex[:10]}"
    user = server.partition("://")[2].partition(":")[0] or "guest"
    if not _rabbitmqctl("add_vhost", name):
        yield server
        return
    assert _rabbitmqctl("set_permissions", "-p", name, user, ".*", ".*", ".*")
    try:
        yield f"{server.rpartition('@')[0]}@{server.rpartition('@')[2].partition('/')[0]}/{name}"
    finally:
        _rabbitmqctl("delete_vhost", name)


def _rabbitmqctl(*arguments: str) -> bool:
    try:
        return subprocess.run(["rabbitmqctl", "-q", *arguments], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextlib.contextmanager
def distributed_system(postgres: str, amqp: str, folder: Path, replicas: int = 1, **settings: str) -> Iterator[System]:
    """Every service in its own process, on PostgreSQL and RabbitMQ."""
    with fresh_databases(postgres) as databases, fresh_vhost(amqp) as vhost:
        port = free_port()
        environment = base_environment(folder) | databases | settings | {
            "IMECE_AMQP_URL": vhost,
            "IMECE_HTTP_ADDRESS": f"127.0.0.1:{port}",
        }  # fmt: skip
        system = System(environment, f"http://127.0.0.1:{port}", folder, replicas)
        try:
            system.start()
            system.settle()
            yield system
        finally:
            system.stop()


@contextlib.contextmanager
def embedded_system(folder: Path, **settings: str) -> Iterator[System]:
    """Everything in one process, on SQLite."""
    port = free_port()
    environment = base_environment(folder) | settings | {"IMECE_HTTP_ADDRESS": f"127.0.0.1:{port}"}
    system = System(environment, f"http://127.0.0.1:{port}", folder, distributed=False)
    try:
        system.start()
        system.settle()
        yield system
    finally:
        system.stop()


def until(found: Any, seconds: float = 20.0) -> Any:
    """The first true answer of `found`; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        answer = found()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        eventlet.sleep(0.1)
