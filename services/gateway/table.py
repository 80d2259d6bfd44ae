"""All routes of the gateway, in the order in which they are documented."""

from __future__ import annotations

from services.gateway import openapi
from services.gateway.api import (
    calendar,
    corrections,
    events,
    expertise,
    identity,
    imports,
    legal_review,
    open_data,
    protocols,
    registry,
    succession,
    system,
    watch,
)
from services.gateway.http import Gateway, Table

TABLE = Table(
    route
    for part in (
        identity,
        registry,
        corrections,
        succession,
        expertise,
        open_data,
        watch,
        imports,
        protocols,
        legal_review,
        calendar,
        events,
        system,
    )
    for route in part.TABLE.routes
)
GATEWAY = Gateway(TABLE, openapi.document)
