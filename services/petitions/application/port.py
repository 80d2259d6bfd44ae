"""What the commands and queries of petitions need of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from services.kernel.actor import Actor
from services.kernel.calendar import Calendar, today_in_istanbul
from services.kernel.events import Event
from services.kernel.workflow import Procedure
from services.petitions.domain.case import PetitionCase
from services.petitions.domain.policy import Policy
from services.petitions.domain.routing import Unit


class Registry(Protocol):
    """What petitions asks the registry; each raises NotFound, and Unavailable when it does not answer."""

    def get_municipality(self, *, code: str) -> dict[str, Any]:
        """{code, name, …}."""

    def get_organisation(self, *, organisation_id: str) -> dict[str, Any]:
        """{id, name, address, state, …}."""


class Cases(Protocol):
    """The petitions and units, within one transaction."""

    def locked(self, petition_id: str) -> PetitionCase | None:
        """The case, held until the transaction ends."""

    def get(self, petition_id: str) -> PetitionCase | None:
        """The case, to read."""

    def open_alike(self, municipality: str, repeat_key: str, ends: Sequence[str]) -> list[PetitionCase]:
        """Open petitions to the municipality with the same words and writer's name, the oldest first."""

    def tracked(self, code: str) -> Mapping[str, Any] | None:
        """What the public may know of a petition, by its tracking code."""

    def relatives(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Id → number, tracking code and municipality of these petitions."""

    def activity(self, activity_id: str) -> Mapping[str, Any] | None:
        """{municipality, code, title, open} of an activity of a strategic plan; None where there is none."""

    def next_reference(self, municipality: str, year: int) -> str:
        """`<municipality>/<year>/D<number>`, each number once and without gaps."""

    def add(
        self, case: PetitionCase, events: Sequence[Event], actor: Actor, procedure: Procedure[PetitionCase]
    ) -> None:
        """Store a new case with its history and events."""

    def save(
        self, case: PetitionCase, events: Sequence[Event], actor: Actor, procedure: Procedure[PetitionCase]
    ) -> None:
        """Store a changed case with its new history and events; each expired clock is claimed once for ever."""

    def copy_files(self, from_id: str, to_id: str) -> None:
        """Give a petition the files of another, as far as they go along with it; contents are shared."""

    def tell(self, case: PetitionCase, events: Sequence[Event], actor: Actor, now: datetime) -> None:
        """Post events of a case that has not changed."""

    def remind(self, case: PetitionCase, procedure: Procedure[PetitionCase], now: datetime, today: date) -> list[Event]:
        """Claim what its clocks have to remind of today; returns the events of it."""

    def calendar(self) -> Calendar:
        """The calendar as known now."""

    def units(self, municipality: str) -> list[Unit]:
        """The municipality's units by name."""

    def unit(self, unit_id: str) -> Unit | None:
        """One unit."""

    def unit_named(self, municipality: str, name: str) -> Unit | None:
        """The municipality's unit of this name."""

    def add_unit(self, unit: Unit) -> None:
        """Store a new unit."""

    def save_unit(self, unit: Unit) -> bool:
        """Store a changed unit; False when it has changed meanwhile."""

    def answered(self, actor: Actor, key: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
        """The first answer to a repeated command, without taking the key."""

    def remembered(self, actor: Actor, key: str, request: Mapping[str, Any], now: datetime) -> dict[str, Any] | None:
        """The first answer to a repeated command."""

    def release(self, actor: Actor, key: str) -> None:
        """Give a taken key back."""

    def remember(self, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
        """Keep the answer."""


Transaction = Callable[[], AbstractContextManager[Cases]]


@dataclass(frozen=True)
class Context:
    """What every command works with: one reading of the time, the table, the stores.

    `language`: of messages where the petitioner names none.
    """

    write: Transaction
    read: Transaction
    registry: Registry
    procedure: Procedure[PetitionCase]
    policy: Policy
    now: datetime
    language: str = "tr"

    @property
    def today(self) -> date:
        """The date in Europe/Istanbul."""
        return today_in_istanbul(self.now)
