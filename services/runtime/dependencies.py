"""What a service is given: its database, the time, its settings, the other services."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from eventlet import GreenPool
from nameko.extensions import DependencyProvider

from services.runtime import dead, log, outbox
from services.runtime.clockwork import TIME, Time
from services.runtime.database import Database, database_at
from services.runtime.entrypoints import every
from services.runtime.relay import Relay
from services.runtime.reply import forget
from services.runtime.rpc import RemoteService, is_embedded, rpc, settings_of
from services.runtime.settings import Settings

__all__ = ["DatabaseProvider", "Errands", "RemoteService", "Service", "SettingsProvider", "TimeProvider"]


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


class Errands(DependencyProvider):
    """A pool of green threads for what outlasts the job that began it; a process that stops waits for them."""

    def __init__(self, at_once: int) -> None:
        """`at_once`: how many run side by side."""
        self._pool = GreenPool(at_once)
        super().__init__()

    def get_dependency(self, worker_ctx: Any) -> GreenPool:  # noqa: ARG002 - nameko's signature
        return self._pool

    def stop(self) -> None:
        """Every worker has ended, so that no new errand begins."""
        self._pool.waitall()


class Service:
    """What all services have; subclasses add `name`, their methods and the services they ask."""

    name: str
    settings = SettingsProvider()
    database = DatabaseProvider()
    time = TimeProvider()

    @classmethod
    def shelves(cls, database: Database, settings: Settings) -> Sequence[dead.Shelf]:
        """Where this service keeps what it gave up; subclasses add theirs."""
        return [dead.EventShelf(cls.name, database, settings)]

    @rpc
    def dead_letters(self, offset: int, limit: int) -> dict[str, Any]:
        """`{items, total}`: what this service gave up; `offset` counts over everything it has."""
        return dead.listed(self.shelves(self.database, self.settings), offset, limit)

    @rpc
    def redrive(self, letter_id: str) -> dict[str, Any] | None:
        """Have this one tried again; the letter as it was, None when this service has none of this id."""
        return dead.redriven(self.shelves(self.database, self.settings), letter_id)

    @every("housekeeping_interval")
    def fetch_dead_letters(self) -> None:
        """Move what lies in the dead queues into the database, where it outlives the broker."""
        dead.EventShelf(self.name, self.database, self.settings).fetch()

    @rpc
    def feed_head(self) -> int:
        """The last place in this service's event feed."""
        return outbox.head(self.database)

    @every("housekeeping_interval")
    def forget_old_answers(self) -> None:
        """Remove remembered answers that are older than the settings keep them."""
        before = self.time.now() - timedelta(days=self.settings.replies_kept_days)
        while True:
            with self.database.write() as connection:
                if forget(connection, before) == 0:
                    return
