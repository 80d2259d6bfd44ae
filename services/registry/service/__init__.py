"""The registry service: wiring, no decisions."""

from __future__ import annotations

from services.registry.service.record import RecordDesk


class RegistryService(RecordDesk):
    """Organisations, municipalities and the calendar, for the gateway and the other services."""

    name = "registry"
