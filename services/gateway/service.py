"""The gateway service: wiring, no decisions."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from werkzeug.wrappers import Request, Response

from services.gateway.http import Ports
from services.gateway.identity import application as identity
from services.gateway.identity.application import Desk
from services.gateway.identity.password import Argon2
from services.gateway.identity.repository import SqlStore
from services.gateway.table import GATEWAY
from services.runtime.clockwork import Time
from services.runtime.database import Database
from services.runtime.dependencies import RemoteService, Service
from services.runtime.entrypoints import rpc
from services.runtime.form import Taking
from services.runtime.process import readiness
from services.runtime.settings import SERVICES, Settings
from services.runtime.web import ANNOUNCED, http_door


class GatewayService(Service):
    """The one public door."""

    name = "gateway"

    registry = RemoteService("registry")
    protocols = RemoteService("protocols")
    petitions = RemoteService("petitions")
    notifications = RemoteService("notifications")

    @http_door
    def handle(self, request: Request) -> Response | Taking | None:
        """Every request."""
        settings = self.settings
        ports = Ports(
            registry=self.registry,
            protocols=self.protocols,
            petitions=self.petitions,
            notifications=self.notifications,
            desk=desk(self.database, settings, self.time),
            settings=settings,
            time=self.time,
            readiness=lambda: readiness(settings, SERVICES if settings.mode == "embedded" else (self.name,)),
            move_demo_clock=self._move_demo_clock,
        )
        return GATEWAY.announced(request, ports) if ANNOUNCED in request.environ else GATEWAY.handle(request, ports)

    @rpc
    def holders(self, offices: list[str], on: str) -> dict[str, list[dict[str, Any]]]:
        """Who holds each office on a day (ISO date): `{user_id, email}`, delegates of the whole office included."""
        found = identity.holders(desk(self.database, self.settings, self.time), offices, date.fromisoformat(on))
        return {
            office: [{"user_id": each.id, "email": each.email} for each in people] for office, people in found.items()
        }

    @rpc
    def mailboxes(self, user_ids: list[str]) -> dict[str, str | None]:
        """The e-mail address of each user; null for whoever has none or may no longer sign in."""
        return identity.mailboxes(desk(self.database, self.settings, self.time), user_ids)

    def _move_demo_clock(self, moment: datetime) -> None:
        """The whole system's time; what falls due acts before this returns."""
        self.time.move_to(moment)
        self.protocols.run_due_clocks()
        self.petitions.run_due_clocks()


def desk(database: Database, settings: Settings, time: Time) -> Desk:
    """Identity over the gateway's database; also for the command line and the demo."""
    return Desk(
        store=SqlStore(database),
        passwords=_passwords(),
        # Sign-ins follow the true time, whatever the demo clock says.
        wall=lambda: datetime.now(UTC),
        today=time.today,
        lifetime=timedelta(hours=settings.session_hours),
        idle=timedelta(minutes=settings.session_idle_minutes),
    )


@cache
def _passwords() -> Argon2:
    return Argon2()
