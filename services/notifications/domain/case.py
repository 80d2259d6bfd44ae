"""What notifications remembers of a protocol: enough to know whom an organisation's news concerns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.notifications.domain.happening import Happening

CLOSED = frozenset({"withdrawn", "rejected", "lapsed", "abandoned", "terminated", "annulled", "expired"})
"""Stages after which nothing more happens to a case."""

_STAGE_FIELD = {"protocol.drafted.v1": "stage", "protocol.moved.v1": "to", "protocol.partner_changed.v1": "stage"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A protocol as the newest of its events showed it.

    `version`: of that event; an older one changes nothing but `first_at`.
    `first_at`, `last_at`: when the earliest and the newest known event occurred.
    """

    protocol_id: str
    reference: str
    title: str
    municipality: str
    authority: str | None
    organisation_id: str
    organisation_name: str
    stage: str
    version: int
    first_at: datetime
    last_at: datetime

    def was_open_at(self, moment: datetime) -> bool:
        """Whether the case had begun and not yet ended; unknown ends count as open."""
        return self.first_at <= moment and (self.stage not in CLOSED or self.last_at > moment)


def case_shown_by(happening: Happening) -> Case | None:
    """The case as this event shows it; None for an event that tells no stage."""
    field = _STAGE_FIELD.get(happening.event)
    if field is None:
        return None
    data: dict[str, Any] = dict(happening.data)
    return Case(
        protocol_id=data["protocol_id"],
        reference=data["reference"],
        title=data["title"],
        municipality=data["municipality"],
        authority=data["authority"],
        organisation_id=data["organisation_id"],
        organisation_name=data["organisation_name"],
        stage=data[field],
        version=happening.subject_version,
        first_at=happening.occurred_at,
        last_at=happening.occurred_at,
    )
