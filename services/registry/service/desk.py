"""What every part of the registry's service shares: its transactions and its remembered answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sqlalchemy import Connection

from services.kernel.actor import SYSTEM, Actor
from services.kernel.errors import Invalid
from services.kernel.events import Event
from services.kernel.text import Sentence
from services.registry.adapters.messages import message_of
from services.registry.adapters.repository import CalendarDayRows, MunicipalityRows, OrganisationRows
from services.registry.application.record import REFRESHED_AT_ONCE, Work, refresh_standings
from services.registry.domain.province import province_code
from services.runtime import outbox
from services.runtime.dependencies import Service
from services.runtime.reply import remember, remembered

Plain = dict[str, Any]


class Desk(Service):
    """Transactions of the registry; the parts of its service are built on this."""

    def work(self, connection: Connection) -> Work:
        """The stores of one transaction at this moment."""
        return Work(
            organisations=OrganisationRows(connection),
            municipalities=MunicipalityRows(connection),
            calendar=CalendarDayRows(connection),
            announce=partial(_announce, connection),
            now=self.time.now(),
        )

    def once(
        self, actor: Plain, key: str, command: str, request: Mapping[str, Any], effect: Callable[[Work, Actor], Plain]
    ) -> Plain:
        """Run a command in one transaction; the same key of the same caller gives the first answer again."""
        return self.once_within(actor, key, command, request, lambda _, work, acting: effect(work, acting))

    def once_within(
        self,
        actor: Plain,
        key: str,
        command: str,
        request: Mapping[str, Any],
        effect: Callable[[Connection, Work, Actor], Plain],
    ) -> Plain:
        """`once` for a part that keeps more than organisations: its effect also gets the transaction's connection."""
        acting = Actor.from_plain(actor)
        asked = {"command": command, **request}
        with self.database.write() as connection:
            work = self.work(connection)
            known = remembered(connection, acting, key, asked, work.now)
            if known is not None:
                return known
            answer = effect(connection, work, acting)
            remember(connection, acting, key, answer)
        return answer

    def bring_standings_to_today(self) -> None:
        """Let what is stored of standings and due dates be today's; others are told of each that changed."""
        with self.database.read() as connection:
            if not OrganisationRows(connection).has_outdated(self.time.today()):
                return
        done = REFRESHED_AT_ONCE
        while done == REFRESHED_AT_ONCE:
            with self.database.write() as connection:
                done = refresh_standings(self.work(connection), SYSTEM)


def _announce(connection: Connection, event: Event, *, actor: Actor, now: Any) -> None:
    outbox.post(connection, [message_of(event, actor=actor, now=now)])


def page_of(items: list[Plain], page: int, size: int, total: int) -> Plain:
    """One page of a list as it is answered."""
    return {"items": items, "page": page, "size": size, "total": total}


def province_of(given: str | None) -> str | None:
    """The plate number that a filter means. Raises Invalid for a province that does not exist."""
    if given is None or not given.strip():
        return None
    code = province_code(given)
    if code is None:
        raise Invalid.field("province", Sentence("Give a province by its name or its plate number, 01 to 81."))
    return code
