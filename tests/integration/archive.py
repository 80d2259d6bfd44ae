"""Cases of the procedure, walked in memory and kept in protocols' own database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import count
from typing import Any

from protocol_builder import CALENDAR, OFFICES, Walk, moment
from sqlalchemy import select

from services.kernel.calendar import Rules
from services.protocols.adapters.repository import Stores
from services.protocols.adapters.tables import RUNTIME
from services.protocols.domain.case import ProtocolCase
from services.protocols.service import ProtocolsService
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.settings import Settings

UNIT = OFFICES["unit_officer"]
_numbers = count(1)


class KeptWalk(Walk):
    """A case in memory and in the database; `keep` writes what happened since."""

    def __init__(self, database: Database, **more: Any) -> None:
        super().__init__(calendar=CALENDAR, **more)
        self.database = database
        self.case.reference = f"34-35/2026/{next(_numbers)}"
        with stores(database).write() as store:
            store.add(self.case, self._told(), UNIT, self.procedure)

    def _told(self) -> list[Any]:
        events, self.events = self.events, []
        return [replace(each, reference=self.case.reference) for each in events]

    def keep(self) -> KeptWalk:
        if self.case.new_acts:
            with stores(self.database).write() as store:
                store.locked(self.case.id)
                store.save(self.case, self._told(), UNIT, self.procedure)
        return self

    def to(self, stage: str) -> ProtocolCase:
        super().to(stage)
        self.keep()
        return self.case


def stores(database: Database) -> Stores:
    return Stores(database, Rules())


def stored(database: Database, protocol_id: str) -> ProtocolCase:
    with stores(database).read() as store:
        found = store.get(protocol_id)
    assert found is not None
    return found


class StandingTime(Time):
    """A clock that stands."""

    def __init__(self, on: date) -> None:
        super().__init__()
        self.on = on

    def now(self) -> datetime:
        return moment(self.on)


def service_at(database: Database, on: date) -> ProtocolsService:
    """protocols' own methods over this database, on this day."""
    made = ProtocolsService()
    made.database, made.settings, made.time = database, Settings(), StandingTime(on)
    return made


def events_of(database: Database) -> list[Any]:
    """What was told, in order."""
    with database.read() as connection:
        return list(connection.execute(select(RUNTIME.outbox).order_by(RUNTIME.outbox.c.id)).all())
