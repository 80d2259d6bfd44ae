"""One running process of İmece: its services, its metrics port, its end."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import eventlet
from eventlet import wsgi
from eventlet.event import Event
from eventlet.timeout import Timeout
from nameko.runners import ServiceRunner
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text

from services.contracts.subscriptions import SUBSCRIPTIONS, queue_name, subscriptions_of
from services.kernel.errors import ImeceError, Unavailable
from services.runtime import amqp, log, metric
from services.runtime.clockwork import TIME
from services.runtime.database import Database, database_at
from services.runtime.dead import count as given_up
from services.runtime.migration import is_current
from services.runtime.relay import lag
from services.runtime.rpc import SETTINGS
from services.runtime.settings import SERVICES, Settings

logger = logging.getLogger(__name__)

_DATABASE_SECONDS = 3.0


def declare_topology(settings: Settings) -> None:
    """Everything RabbitMQ must have before the first event; waits for a broker that is not up yet."""
    amqp.wait_for_broker(settings.amqp_url)
    amqp.declare(settings.amqp_url, SUBSCRIPTIONS, SERVICES, settings.delays)


class Process:
    """The services of this process; `start`, then `wait` until they are told to stop."""

    def __init__(self, settings: Settings, services: Sequence[type[Any]]) -> None:
        """`services` are nameko service classes."""
        self.settings = settings
        if settings.demo_clock:
            TIME.keep_in(settings.data_dir / "demo-clock")
        self._names = [service.name for service in services]
        config = {
            SETTINGS: settings,
            "AMQP_URI": settings.amqp_url or "memory://",
            "max_workers": settings.max_workers,
            "serializer": "json",
        }
        self._own_readings = {service.name: service.readings for service in services if hasattr(service, "readings")}
        self._runner = ServiceRunner(config)
        for service in services:
            self._runner.add_service(service)
        self._stop = Event()

    def start(self) -> None:
        """Start everything; returns when requests are answered."""
        if self.settings.mode == "distributed":
            declare_topology(self.settings)
        self._serve_metrics()
        metric.GAUGES.add(self._readings)
        self._runner.start()
        logger.info("started", extra={"services": self._names, "mode": self.settings.mode})

    def wait(self) -> None:
        """Return after SIGTERM or SIGINT and a drained end; raise when a service died."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: eventlet.spawn_n(self.ask_to_stop))
        died = Event()

        def watch() -> None:
            try:
                self._runner.wait()
            except Exception as error:  # noqa: BLE001 - whatever ended a service ends the process
                died.send(error)
                self.ask_to_stop()

        eventlet.spawn(watch)
        self._stop.wait()
        self.stop()
        if died.ready():
            raise died.wait()

    def ask_to_stop(self) -> None:
        """Let `wait` return."""
        if not self._stop.ready():
            self._stop.send()

    def stop(self) -> None:
        """Finish what is under way within the drain deadline, then end."""
        finished = False
        with Timeout(self.settings.drain_deadline, exception=False):
            self._runner.stop()
            finished = True
        if not finished:
            logger.warning("work in flight did not end in time; stopping anyway")
            self._runner.kill()
        logger.info("stopped", extra={"services": self._names})

    # health

    def _databases(self) -> dict[str, Database]:
        return {name: database_at(self.settings.database_of(name)) for name in self._names}

    def readiness(self) -> dict[str, bool]:
        """Whether the databases answer, the broker answers, and the migrations are done."""
        return readiness(self.settings, self._names)

    def _readings(self) -> Iterable[metric.Reading]:
        for name, database in self._databases().items():
            labels = {"service": name}
            try:
                waiting, age = lag(database)
                with database.read() as connection:
                    dead = given_up(connection)
                if self.settings.mode == "distributed":
                    queues = [amqp.dead_name(queue_name(s.consumer, s.event)) for s in subscriptions_of(name)]
                    dead += sum(amqp.depth(self.settings.amqp_url, queues).values())
                own = list(self._own_readings[name](database)) if name in self._own_readings else []
            except ImeceError as error:
                logger.warning("metrics are incomplete", extra={"cause": str(error)})
                continue
            yield from own
            if self.settings.mode == "distributed":
                yield "imece_outbox_waiting", "Events committed and not yet published.", labels, waiting
                yield "imece_outbox_oldest_seconds", "Age of the oldest event not yet published.", labels, age
            yield "imece_dead_letters", "Events given up, waiting for someone to redrive them.", labels, dead

    def _serve_metrics(self) -> None:
        if self.settings.metrics_address == "off":
            return
        host, _, port = self.settings.metrics_address.rpartition(":")
        try:
            listener = eventlet.listen((host, int(port)))
        except OSError as error:
            logger.warning(
                "metrics are not served: the address is taken; set IMECE_METRICS_ADDRESS to another or to off",
                extra={"address": self.settings.metrics_address, "cause": str(error)},
            )
            return
        eventlet.spawn(wsgi.server, listener, self._metrics_application, log_output=False)

    def _metrics_application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            start_response("200 OK", [("Content-Type", CONTENT_TYPE_LATEST)])
            return [generate_latest(metric.REGISTRY)]
        if path == "/healthz":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [b'{"status": "ok"}']
        if path == "/readyz":
            found = self.readiness()
            start_response(
                "200 OK" if all(found.values()) else "503 Service Unavailable", [("Content-Type", "application/json")]
            )
            return [json.dumps(found).encode()]
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"not found\n"]


def readiness(settings: Settings, names: Sequence[str]) -> dict[str, bool]:
    """{database, broker, migrations} of these services, each asked now."""
    database = migrations = True
    for name in names:
        try:
            with (
                Timeout(_DATABASE_SECONDS, TimeoutError("no answer")),
                database_at(settings.database_of(name)).read() as connection,
            ):
                connection.execute(text("SELECT 1"))
                migrations = migrations and is_current(connection, name)
        except (Unavailable, TimeoutError):
            database = migrations = False
    broker = True
    if settings.mode == "distributed":
        try:
            amqp.depth(settings.amqp_url, [])
        except Unavailable:
            broker = False
    return {"database": database, "broker": broker, "migrations": migrations}


def wait_until_ready(settings: Settings, service: str) -> None:
    """Return when the service's database answers and is migrated; says what it waits for."""
    pause = 0.5
    while True:
        try:
            with database_at(settings.database_of(service)).read() as connection:
                if is_current(connection, service):
                    return
            logger.warning("the database is not migrated: run “imece migrate”", extra={"of": service, "seconds": pause})
        except Unavailable as error:
            logger.warning("the database does not answer", extra={"of": service, "cause": str(error), "seconds": pause})
        eventlet.sleep(pause)
        pause = min(pause * 2, 10)


def configure(settings: Settings) -> None:
    """Logs as the settings say."""
    log.configure(settings.log_level)
