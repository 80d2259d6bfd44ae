"""Carries committed events from a service's outbox to the broker, at least once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from eventlet import sleep
from sqlalchemy import Row, bindparam, case, func, select, update

from services.contracts.subscriptions import exchange_name, queue_name, subscribers_of
from services.kernel.errors import Unavailable
from services.runtime import metric
from services.runtime.amqp import PUBLISH_ERRORS, Parcel, Publisher, to_json
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.outbox import OUTBOX, envelope_of
from services.runtime.settings import Settings

logger = logging.getLogger(__name__)

BATCH = 100
BULK_AHEAD = 300
"""No more events of a big import than this lie in a queue at once, so that another event soon has its turn."""
_LONGEST_PAUSE = 30.0
_FULL_QUEUE_PAUSE = 0.1
# Built once: building a statement costs more than sending it.
_WAITING = {
    bulk: select(OUTBOX)
    .where(OUTBOX.c.published_at.is_(None), OUTBOX.c.bulk.is_(bulk))
    .order_by(OUTBOX.c.id)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
    for bulk in (False, True)
}
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
        self._held_back = False

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
            if self._held_back:
                sleep(_FULL_QUEUE_PAUSE)
            elif moved < BATCH:
                self._database.posted.wait(self._settings.relay_interval)

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping = True
        self._database.posted.ring()

    def relay_once(self) -> int:
        """Publish up to BATCH waiting events and mark them; returns how many.

        Events of a big import go when no other waits, and only as fast as their consumers keep up.
        A crash between the confirms and the commit publishes them again: a duplicate, never a loss.
        """
        self._held_back = False
        return self._relay(bulk=False) or self._relay(bulk=True)

    def _relay(self, *, bulk: bool) -> int:
        with self._database.write() as connection:
            rows = connection.execute(_WAITING[bulk]).all()
            if not rows:
                return 0
            if bulk and self._full(rows):
                self._held_back = True
                return 0
            self._publisher.publish([self._parcel(row) for row in rows])
            connection.execute(_DONE, {"ids": [row.id for row in rows], "now": TIME.now()})
        metric.PUBLISHED.labels(self._service).inc(len(rows))
        return len(rows)

    def _full(self, rows: Sequence[Row[Any]]) -> bool:
        """Whether a queue of one of these events still has enough to do."""
        names = {row.name for row in rows}
        queues = sorted(queue_name(each.consumer, name) for name in names for each in subscribers_of(name))
        return any(lying > BULK_AHEAD for lying in self._publisher.depth(queues))

    def _parcel(self, row: Row[Any]) -> Parcel:
        # An event that someone subscribes to must find its queue; one that nobody does may find none.
        return Parcel(
            exchange_name(self._service),
            row.name,
            to_json(envelope_of(row).to_plain()),
            mandatory=bool(subscribers_of(row.name)),
        )


def lag(database: Database) -> tuple[int, float]:
    """(events not yet published, age of the oldest in seconds).

    The age leaves out the events of big imports: they wait on purpose.
    """
    oldest = func.min(case((OUTBOX.c.bulk.is_(False), OUTBOX.c.occurred_at)))
    with database.read() as connection:
        row = connection.execute(select(func.count(), oldest).where(OUTBOX.c.published_at.is_(None))).one()
    waiting, since = row
    return waiting, 0.0 if since is None else max(0.0, (TIME.now() - since).total_seconds())
