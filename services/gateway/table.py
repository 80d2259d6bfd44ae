"""All routes of the gateway, in the order in which they are documented."""

from __future__ import annotations

from services.gateway import openapi
from services.gateway.api import calendar, events, identity, protocols, registry, system
from services.gateway.http import Gateway, Table

TABLE = Table(
    route for part in (identity, registry, protocols, calendar, events, system) for route in part.TABLE.routes
)
GATEWAY = Gateway(TABLE, openapi.document)
