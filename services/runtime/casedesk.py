"""What every service that runs cases does by the clock, and what it answers of its table and its events."""

from __future__ import annotations

import logging
from datetime import date
from typing import Any, ClassVar

from services.kernel import caseload
from services.kernel.actor import Actor
from services.kernel.calendar import Calendar
from services.kernel.caseload import Context
from services.kernel.errors import NotFound
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.kernel.workflow import Act, Procedure
from services.runtime import ledger, outbox
from services.runtime.casebook import (
    FIRST_ID,
    CaseTables,
    cases_to_remind,
    cases_with_open_clocks,
    cases_with_past_clocks,
    clocks_past,
    learn_day,
)
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.dependencies import Service
from services.runtime.entrypoints import event_handler, every, rpc
from services.runtime.envelope import Envelope
from services.runtime.inbox import first_time
from services.runtime.ledger import Ledger
from services.runtime.metric import Reading

logger = logging.getLogger(__name__)

Plain = dict[str, Any]

BATCH = 100


class ClockDesk(Service):
    """The clocks, the histories and the table of one kind of cases; subclasses say which."""

    ledger: ClassVar[Ledger]

    @staticmethod
    def perform(case: Any, name: str, act: Act, procedure: Procedure[Any], calendar: Calendar) -> list[Event]:
        """How these cases make a move."""
        raise NotImplementedError

    def case_context(self) -> Context[Any]:
        """What the commands of these cases work with, at this moment."""
        raise NotImplementedError

    @property
    def _tables(self) -> CaseTables:
        return self.ledger.tables

    @rpc
    def procedure(self, name: str) -> Plain:
        """The procedure's table and its drawing in both languages."""
        table = self.case_context().procedure
        if name != table.name:
            raise NotFound(Sentence("There is no procedure called {name}.", name=name))
        return {**table.describe(), "diagram": {"tr": table.diagram("tr"), "en": table.diagram("en")}}

    @rpc
    def events(self, actor: Plain, after: int, limit: int) -> list[Plain]:
        """This service's part of the public event feed, behind position `after`."""
        return outbox.read_feed(self.database, after, limit, Actor.from_plain(actor))

    @rpc
    def run_due_clocks(self) -> Plain:
        """Let every past clock act now and remind of those that fall due; returns how many cases changed."""
        changed = 0
        while moved := self._run_batch():
            changed += moved
        self.remind_owners()
        return {"changed": changed}

    @every("scheduler_interval")
    def look_for_due_clocks(self) -> None:
        """Let past clocks act, batch after batch."""
        while self._run_batch():
            continue

    def _run_batch(self) -> int:
        context = self.case_context()
        with self.database.read() as connection:
            due = cases_with_past_clocks(connection, self._tables, context.today, BATCH)
        return caseload.run_due_clocks(context, due, self.perform)

    @every("scheduler_interval")
    def remind_owners(self) -> None:
        """Remind the owners of clocks that fall due, batch after batch."""
        while self._remind_batch():
            continue

    def _remind_batch(self) -> int:
        context = self.case_context()
        with self.database.read() as connection:
            due = cases_to_remind(connection, self._tables, context.today, BATCH)
        return caseload.remind_owners(context, due)

    @every("anchor_interval")
    def anchor_histories(self) -> None:
        """Anchor the histories and leave the hashes in the log."""
        while (digest := ledger.anchor(self.database, self.ledger, self.time.now())) is not None:
            logger.info("histories anchored", extra={"anchor": digest})

    @event_handler("registry", "calendar.day_added.v1")
    def learn_calendar_day(self, envelope: Envelope) -> None:
        """Keep the day, then let the open clocks follow."""
        day = envelope.data | {"on": date.fromisoformat(envelope.data["on"])}
        with self.database.write() as connection:
            if first_time(connection, f"{self.name}.on.{envelope.name}", envelope.id):
                learn_day(connection, self._tables, day)
        # Not under the inbox row: a crash in the middle repeats it, and counting again changes nothing twice.
        context, after = self.case_context(), FIRST_ID
        while True:
            with self.database.read() as connection:
                ids = cases_with_open_clocks(connection, self._tables, day["on"], after, BATCH)
            if not ids:
                return
            caseload.recount_clocks(context, ids, envelope.data["name"])
            after = ids[-1]

    @classmethod
    def readings(cls, database: Database) -> list[Reading]:
        """For the metrics: clocks that are past and have not acted yet."""
        with database.read() as connection:
            due = clocks_past(connection, cls.ledger.tables, TIME.today())
        labels = {"service": cls.name}
        return [("imece_clocks_due", "Legal clocks that are past and have not acted yet.", labels, due)]
