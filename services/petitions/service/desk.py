"""What every part of the petitions service shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from services.kernel.actor import Actor
from services.runtime.dependencies import RemoteService, Service
from services.runtime.reply import remember, remembered

Plain = dict[str, Any]


class Desk(Service):
    """Transactions of petitions; the parts of its service are built on this."""

    registry = RemoteService("registry")

    def once(
        self,
        actor: Plain,
        key: str,
        command: str,
        request: Mapping[str, Any],
        effect: Callable[[Connection, Actor], Plain],
    ) -> Plain:
        """Run a command in one transaction; the same key of the same caller gives the first answer again."""
        acting = Actor.from_plain(actor)
        asked = {"command": command, **request}
        with self.database.write() as connection:
            known = remembered(connection, acting, key, asked, self.time.now())
            if known is not None:
                return known
            answer = effect(connection, acting)
            remember(connection, acting, key, answer)
        return answer
