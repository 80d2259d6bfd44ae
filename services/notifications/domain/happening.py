"""An event as notifications hears it, and the notification that comes of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One event. `data` holds JSON values; dates are ISO strings under names ending in `_on`."""

    event_id: str
    event: str
    occurred_at: datetime
    subject_id: str
    subject_version: int
    actor_office: str | None
    data: Mapping[str, Any]

    @property
    def reference(self) -> str:
        """What people call the subject: a case's reference or number, an organisation's registry number or name."""
        known = (self.data.get(name) for name in ("reference", "number", "registry_no", "name"))
        return str(next(filter(None, known), ""))


@dataclass(frozen=True, kw_only=True)
class Notification:
    """What one office is told about one event; its words are found when it is read.

    `topic`: what its holders may choose a stream for. `position`: its place among all, given after the commit.
    """

    id: str
    office: str
    event_id: str
    event: str
    subject_id: str
    reference: str
    template: str
    params: Mapping[str, Any]
    created_at: datetime
    read_at: datetime | None = None
    topic: str = ""
    position: int | None = None


def notification_id(event_id: str, office: str) -> str:
    """The id of the one notification of this office about this event; always the same."""
    return str(uuid.uuid5(uuid.UUID(event_id), office))
