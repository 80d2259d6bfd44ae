"""What a service is given: its database, the time, its settings, the other services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from nameko.extensions import DependencyProvider

from services.runtime import log
from services.runtime.clockwork import TIME, Time
from services.runtime.database import Database, database_at
from services.runtime.entrypoints import every
from services.runtime.relay import Relay
from services.runtime.reply import forget
from services.runtime.rpc import RemoteService, is_embedded, settings_of
from services.runtime.settings import Settings

__all__ = ["DatabaseProvider", "RemoteService", "Service", "SettingsProvider", "TimeProvider"]


class DatabaseProvider(DependencyProvider):
    """The service's own database, and in distributed mode the relay that empties its outbox."""

    def __init__(self) -> None:
        self.database: Any = None
        self.relay: Relay | None = None
        super().__init__()

    def setup(self) -> None:
        settings = settings_of(self.container)
        # Besides the workers, the relay holds one connection and metrics and readiness another.
        self.database = database_at(
            settings.database_of(self.container.service_name), pool_size=self.container.max_workers + 2
        )

    def start(self) -> None:
        if not is_embedded(self.container):
            self.relay = Relay(self.database, self.container.service_name, settings_of(self.container))
            self.container.spawn_managed_thread(self.relay.run, identifier="relay")

    def stop(self) -> None:
        if self.relay is not None:
            self.relay.stop()

    def get_dependency(self, worker_ctx: Any) -> Database:  # noqa: ARG002 - nameko's signature
        found: Database = self.database
        return found


class TimeProvider(DependencyProvider):
    """The one clock of the process."""

    def get_dependency(self, worker_ctx: Any) -> Time:  # noqa: ARG002 - nameko's signature
        return TIME


class SettingsProvider(DependencyProvider):
    """The settings; also ties the logs of a worker to what caused it."""

    def get_dependency(self, worker_ctx: Any) -> Settings:  # noqa: ARG002 - nameko's signature
        return settings_of(self.container)

    def worker_setup(self, worker_ctx: Any) -> None:
        log.correlate(worker_ctx.data.get("correlation_id"), worker_ctx.service_name)


class Service:
    """What all services have; subclasses add `name`, their methods and the services they ask."""

    name: str
    settings = SettingsProvider()
    database = DatabaseProvider()
    time = TimeProvider()

    @every("housekeeping_interval")
    def forget_old_answers(self) -> None:
        """Remove remembered answers that are older than the settings keep them."""
        before = self.time.now() - timedelta(days=self.settings.replies_kept_days)
        while True:
            with self.database.write() as connection:
                if forget(connection, before) == 0:
                    return
