"""What the tests of the machinery share: tables of their own, events, effects, queues, jobs at the same time."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import eventlet
import psycopg
from greenlet import GreenletExit
from harness import free_port
from kombu import Connection as Broker
from nameko.containers import ServiceContainer
from sqlalchemy import Column, MetaData, String, Table, insert, select

from services.contracts.subscriptions import queue_name
from services.runtime.database import Database, Serial, database_at, runtime_tables
from services.runtime.dependencies import Service
from services.runtime.entrypoints import event_handler
from services.runtime.envelope import Envelope
from services.runtime.inbox import first_time
from services.runtime.outbox import OUTBOX, Message, post
from services.runtime.rpc import SETTINGS, QueueConsumer
from services.runtime.settings import Settings

METADATA = MetaData()
RUNTIME = runtime_tables(METADATA)
EFFECTS = Table(
    "effects", METADATA, Column("id", Serial, primary_key=True, autoincrement=True), Column("what", String(200))
)
"""What commands and handlers of the tests do."""

NOW = datetime(2026, 9, 7, 8, tzinfo=UTC)
UPDATED, GRANTED = "organisation.updated.v1", "organisation.status_granted.v1"
"""Events that registry tells and protocols hears; tests borrow the names."""
DELAYS = (0.2, 0.4)

Start = Callable[..., ServiceContainer]


@contextlib.contextmanager
def new_postgres(server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = f"imece_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    base, _, query = server.partition("?")
    url = base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")
    try:
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def emptied(database: Database) -> Database:
    """The database without rows, its tables made where they are missing."""
    METADATA.create_all(database.engine)
    with database.write() as connection:
        for table in METADATA.sorted_tables:
            connection.execute(table.delete())
    return database


# queues


def queue_of(event: str, consumer: str = "protocols") -> str:
    return queue_name(consumer, event)


def lying_in(url: str, queue: str) -> list[Any]:
    """The messages that lie in a queue now, taken out of it."""
    found = []
    with Broker(url) as connection, connection.channel() as channel:
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            found.append(message)
    return found


class Wire:
    """A line to the broker that can be cut and mended; bytes go through unchanged."""

    def __init__(self) -> None:
        self.port = free_port()
        self._threads: list[Any] = []
        self._sockets: list[Any] = []

    def url(self, broker: str) -> str:
        head, _, tail = broker.rpartition("@")
        return f"{head}@127.0.0.1:{self.port}/{tail.partition('/')[2]}"

    def mend(self, broker: str) -> None:
        host, _, port = broker.rpartition("@")[2].partition("/")[0].partition(":")
        listener = eventlet.listen(("127.0.0.1", self.port))
        self._sockets.append(listener)

        def accept() -> None:
            while True:
                near, _ = listener.accept()
                far = eventlet.connect((host, int(port or 5672)))
                self._sockets += [near, far]
                self._threads += [eventlet.spawn(carry, near, far), eventlet.spawn(carry, far, near)]

        def carry(source: Any, target: Any) -> None:
            try:
                while data := source.recv(65536):
                    target.sendall(data)
            except OSError:
                return  # the wire was cut

        self._threads.append(eventlet.spawn(accept))

    def cut(self) -> None:
        for thread in self._threads:
            thread.kill()
        for each in self._sockets:
            each.close()
        self._threads, self._sockets = [], []


# events and effects


def event(name: str = UPDATED, **more: Any) -> Message:
    """An event of some organisation."""
    usual = {
        "name": name, "subject_id": str(uuid.uuid4()), "subject_version": 1, "data": {"word": "çağrı"}, "occurred_at": NOW
    }  # fmt: skip
    return Message(**(usual | more))


def posted(database: Database, *events: Message, bulk: bool = False) -> list[str]:
    """Post the events in one transaction; returns their ids."""
    with database.write() as connection:
        post(connection, events, bulk=bulk)
    return [each.id for each in events]


def do(connection: Any, what: str) -> None:
    """Have an effect."""
    connection.execute(insert(EFFECTS).values(what=what))


def effects(database: Database) -> list[str]:
    """What was done, in order."""
    with database.read() as connection:
        return list(connection.execute(select(EFFECTS.c.what).order_by(EFFECTS.c.id)).scalars())


def waiting(database: Database) -> int:
    """How many events are not yet marked as published."""
    with database.read() as connection:
        return len(connection.execute(select(OUTBOX.c.id).where(OUTBOX.c.published_at.is_(None))).all())


def rows(database: Database, table: Table) -> list[Any]:
    """Everything in a table."""
    with database.read() as connection:
        return list(connection.execute(select(table)).all())


# consumers


Act = Callable[[Any, Envelope], None]


def consumer(act: Act, other: Act | None = None) -> type[Service]:
    """A service that hears `UPDATED` with `act`, and `GRANTED` with `other`."""

    class Protocols(Service):
        name = "protocols"

        @event_handler("registry", UPDATED)
        def hear(self, envelope: Envelope) -> None:
            act(self, envelope)

        @event_handler("registry", GRANTED)
        def hear_other(self, envelope: Envelope) -> None:
            (other or act)(self, envelope)

    return Protocols


def once(service: Any, envelope: Envelope) -> None:
    """The inbox row and the effect in one commit, as every handler has it."""
    with service.database.write() as connection:
        if first_time(connection, f"protocols.on.{envelope.name}", envelope.id):
            do(connection, envelope.id)


class Handler:
    """A handler that notes what it was given and fails as often as it is told."""

    def __init__(
        self, failures: int = 0, error: Callable[[], BaseException] = lambda: LookupError("not today")
    ) -> None:
        self.failures, self.error = failures, error
        self.seen: list[str] = []

    def __call__(self, service: Any, envelope: Envelope) -> None:
        self.seen.append(envelope.id)
        if len(self.seen) <= self.failures:
            raise self.error()
        once(service, envelope)


def own(settings: Settings) -> Database:
    return database_at(settings.database_of("protocols"))


# processes


def embedded_in(folder: Path) -> Settings:
    """Settings of an embedded system with short waits and empty databases."""
    settings = Settings(data_dir=folder, relay_interval=0.1, retry_delays="0.1,0.2", rpc_timeout=5, handler_deadline=5)
    for service in ("registry", "protocols", "gateway"):
        emptied(Database(settings.database_of(service))).close()
    return settings


def distributed_over(databases: list[str], broker: str) -> Settings:
    """Settings of a distributed system with short waits: one database for registry, one for the others."""
    first, second = databases
    for url in databases:
        emptied(Database(url)).close()
    return Settings(
        registry_database_url=first, protocols_database_url=second, notifications_database_url=second,
        gateway_database_url=second, amqp_url=broker, relay_interval=0.1, rpc_timeout=5, handler_deadline=5,
        retry_delays=",".join(map(str, DELAYS)),
    )  # fmt: skip


@contextlib.contextmanager
def started() -> Iterator[Start]:
    """Starts services in this process, with other settings by keyword; all are killed at the end of the block."""
    running: list[ServiceContainer] = []

    def begin(service: type[Any], settings: Settings, **changes: Any) -> ServiceContainer:
        container = ServiceContainer(service, config_of(replace(settings, **changes)))
        container.start()
        running.append(container)
        return container

    yield begin
    with eventlet.Timeout(10, exception=False):
        together(*(lambda each=each: crash(each) for each in running))


def crash(container: ServiceContainer) -> None:
    """End the services as a crash does: the connection drops, nothing is finished."""
    for extension in container.extensions:
        consuming = getattr(extension, "_gt", None) if isinstance(extension, QueueConsumer) else None
        if consuming is not None:
            # nameko's own way takes a second.
            consuming.kill()
            with contextlib.suppress(GreenletExit):
                consuming.wait()
    container.kill()


def config_of(settings: Settings) -> dict[str, Any]:
    """nameko's config as `runtime.process` makes it."""
    return {
        SETTINGS: settings,
        "AMQP_URI": settings.amqp_url or "memory://",
        "max_workers": settings.max_workers,
        "serializer": "json",
    }


def together(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs at the same time; returns what each returned or raised."""

    def outcome(job: Callable[[], Any]) -> Any:
        try:
            return job()
        except Exception as error:  # noqa: BLE001 - the outcome is what the test looks at
            return error

    return [thread.wait() for thread in [eventlet.spawn(outcome, job) for job in jobs]]
