"""The registry service: wiring, no decisions."""

from __future__ import annotations

from services.registry.service.correction import CorrectionDesk
from services.registry.service.expertise import ExpertiseDesk
from services.registry.service.intake import IntakeDesk
from services.registry.service.open_data import OpenDataDesk
from services.registry.service.record import RecordDesk
from services.registry.service.succession import SuccessionDesk
from services.registry.service.watch import WatchDesk


class RegistryService(RecordDesk, IntakeDesk, CorrectionDesk, SuccessionDesk, WatchDesk, ExpertiseDesk, OpenDataDesk):
    """Organisations, municipalities and the calendar, for the gateway and the other services."""

    name = "registry"
