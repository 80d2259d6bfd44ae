"""Carries committed events from a service's outbox to the broker, at least once."""

from __future__ import annotations

import logging
from typing import Any

from eventlet import sleep
from sqlalchemy import Row, bindparam, func, select, update

from services.contracts.subscriptions import exchange_name, subscribers_of
from services.kernel.errors import Unavailable
from services.runtime import metric
from services.runtime.amqp import PUBLISH_ERRORS, Parcel, Publisher, to_json
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.outbox import OUTBOX, envelope_of
from services.runtime.settings import Settings

logger = logging.getLogger(__name__)

BATCH = 100
_LONGEST_PAUSE = 30.0
# Built once: building a statement costs more than sending it.
_WAITING = (
    select(OUTBOX)
    .where(OUTBOX.c.published_at.is_(None))
    .order_by(OUTBOX.c.id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)
_DONE = (
    update(OUTBOX)
    .where(OUTBOX.c.id.in_(bindparam("ids", expanding=True)))
    .values(published_at=bindparam("now", type_=OUTBOX.c.published_at.type))
)
_WAITED_FOR: tuple[type[BaseException], ...] = (Unavailable, *PUBLISH_ERRORS)


class Relay:
    """The only publisher of a service's events; several replicas share the work by skipping locked rows."""

    def __init__(self, database: Database, service: str, settings: Settings) -> None:
        """Publishes to `<service>.events`."""
        self._database = database
        self._service = service
        self._settings = settings
        self._publisher = Publisher(settings.amqp_url)
        self._stopping = False

    def run(self) -> None:
        """Relay until stopped; a broker or database that is away is waited for, with growing pauses."""
        pause = 0.5
        while not self._stopping:
            try:
                moved = self.relay_once()
            except _WAITED_FOR as error:
                logger.warning(
                    "events wait in the outbox", extra={"from": self._service, "cause": str(error), "seconds": pause}
                )
                sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = 0.5
            if moved < BATCH:
                self._database.posted.wait(self._settings.relay_interval)

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping = True
        self._database.posted.ring()

    def relay_once(self) -> int:
        """Publish up to BATCH waiting events and mark them; returns how many.

        A crash between the confirms and the commit publishes them again: a duplicate, never a loss.
        """
        with self._database.write() as connection:
            rows = connection.execute(_WAITING).all()
            if not rows:
                return 0
            self._publisher.publish([self._parcel(row) for row in rows])
            connection.execute(_DONE, {"ids": [row.id for row in rows], "now": TIME.now()})
        metric.PUBLISHED.labels(self._service).inc(len(rows))
        return len(rows)

    def _parcel(self, row: Row[Any]) -> Parcel:
        # An event that someone subscribes to must find its queue; one that nobody does may find none.
        return Parcel(
            exchange_name(self._service),
            row.name,
            to_json(envelope_of(row).to_plain()),
            mandatory=bool(subscribers_of(row.name)),
        )


def lag(database: Database) -> tuple[int, float]:
    """(events not yet published, age of the oldest in seconds)."""
    with database.read() as connection:
        row = connection.execute(
            select(func.count(), func.min(OUTBOX.c.occurred_at)).where(OUTBOX.c.published_at.is_(None))
        ).one()
    waiting, oldest = row
    return waiting, 0.0 if oldest is None else max(0.0, (TIME.now() - oldest).total_seconds())
