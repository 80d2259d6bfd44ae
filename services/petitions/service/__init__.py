"""The petitions service: wiring, no decisions."""

from __future__ import annotations

from services.petitions.service.attachment import AttachmentDesk
from services.petitions.service.contact import ContactDesk
from services.petitions.service.papers import PaperDesk
from services.petitions.service.plan import PlanDesk
from services.petitions.service.writing import WritingDesk


class PetitionsService(AttachmentDesk, PlanDesk, ContactDesk, PaperDesk, WritingDesk):
    """Petitions, the strategic plan and the proposals made to it, for the gateway and the other services."""

    name = "petitions"
