"""Many cases, one after the other: what falls due in them, each in a transaction of its own."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from services.kernel.actor import SYSTEM, Actor
from services.kernel.calendar import Calendar
from services.kernel.casework import Case, Perform, expire_due, recount
from services.kernel.errors import Unavailable
from services.kernel.events import Event
from services.kernel.workflow import Procedure

logger = logging.getLogger(__name__)

K = TypeVar("K", bound=Case)


class Cases(Protocol[K]):
    """The cases, within one transaction."""

    def locked(self, case_id: str, /) -> K | None:
        """The case, held until the transaction ends."""

    def save(self, case: K, events: Sequence[Event], actor: Actor, procedure: Procedure[K]) -> None:
        """Store a changed case with its new history and events; each expired clock is claimed once for ever."""

    def remind(self, case: K, procedure: Procedure[K], now: dt.datetime, today: dt.date) -> Sequence[Event]:
        """Claim what the case's clocks have to remind of, each rung once for ever; returns the events of it."""

    def tell(self, case: K, events: Sequence[Event], actor: Actor, now: dt.datetime) -> None:
        """Post events of a case that has not changed."""

    def calendar(self) -> Calendar:
        """The calendar as known now."""


class Context(Protocol[K]):
    """What working through cases needs: one reading of the time, the table, the stores."""

    @property
    def write(self) -> Callable[[], AbstractContextManager[Cases[K]]]:
        """Opens a transaction that changes cases."""

    @property
    def procedure(self) -> Procedure[K]:
        """The table."""

    @property
    def now(self) -> dt.datetime:
        """The moment."""

    @property
    def today(self) -> dt.date:
        """The date in Europe/Istanbul."""


def run_due_clocks(context: Context[K], case_ids: Sequence[str], perform: Perform[K]) -> int:
    """Let past clocks of these cases act; returns how many cases changed.

    The case is locked and its clocks are read again, and every expiry is claimed by a row of its own, so
    that several replicas, restarts and days of downtime change nothing.
    """

    def expire(store: Cases[K], case: K) -> bool:
        events = expire_due(case, SYSTEM, context.now, context.procedure, store.calendar(), perform)
        return _saved(context, store, case, events)

    return _each(context, case_ids, expire)


def recount_clocks(context: Context[K], case_ids: Sequence[str], cause: str) -> int:
    """Let the open clocks of these cases follow a changed calendar; returns how many cases changed."""

    def follow(store: Cases[K], case: K) -> bool:
        return _saved(context, store, case, recount(case, SYSTEM, context.now, store.calendar(), cause))

    return _each(context, case_ids, follow)


def remind_owners(context: Context[K], case_ids: Sequence[str]) -> int:
    """Remind whoever owns a clock of these cases that falls due; returns how many cases were looked at.

    No act of the history: nobody did anything. Each rung is told once, whatever happens to the process.
    """

    def remind(store: Cases[K], case: K) -> bool:
        store.tell(case, store.remind(case, context.procedure, context.now, context.today), SYSTEM, context.now)
        return True

    return _each(context, case_ids, remind)


def _saved(context: Context[K], store: Cases[K], case: K, events: Sequence[Event]) -> bool:
    if events:
        store.save(case, events, SYSTEM, context.procedure)
    return bool(events)


def _each(context: Context[K], case_ids: Sequence[str], work: Callable[[Cases[K], K], bool]) -> int:
    """Work on the cases, each in a transaction of its own; returns for how many `work` said yes.

    A case that fails is logged and left as it is: it must not stop the clocks of all the others.
    """
    count = 0
    for case_id in case_ids:
        try:
            with context.write() as store:
                case = store.locked(case_id)
                done = case is not None and work(store, case)
            count += done
        except Unavailable:
            raise
        except Exception:
            logger.exception("the clocks of a case could not act", extra={"case": case_id})
    return count
