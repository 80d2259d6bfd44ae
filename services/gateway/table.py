"""All routes of the gateway, in the order in which they are documented."""

from __future__ import annotations

from services.gateway import openapi
from services.gateway.api import (
    attachments,
    calendar,
    corrections,
    dead_letters,
    events,
    expertise,
    identity,
    imports,
    legal_review,
    messages,
    open_data,
    petitions,
    plans,
    protocols,
    registry,
    succession,
    supports,
    system,
    watch,
    webhooks,
    writing,
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
        supports,
        plans,
        protocols,
        legal_review,
        petitions,
        writing,
        attachments,
        calendar,
        events,
        messages,
        webhooks,
        dead_letters,
        system,
    )
    for route in part.TABLE.routes
)
GATEWAY = Gateway(TABLE, openapi.document)
