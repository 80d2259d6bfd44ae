"""An event as it lies on the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True)
class Envelope:
    """What every consumer receives, in either mode; times are aware, `data` is JSON-able."""

    id: str
    name: str
    occurred_at: datetime
    subject_id: str
    subject_version: int
    correlation_id: str | None
    actor: dict[str, str] | None
    data: dict[str, Any]

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "id": self.id,
            "name": self.name,
            "occurred_at": self.occurred_at.isoformat(),
            "subject_id": self.subject_id,
            "subject_version": self.subject_version,
            "correlation_id": self.correlation_id,
            "actor": self.actor,
            "data": self.data,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """The envelope that `to_plain` wrote; KeyError, ValueError or TypeError for anything else."""
        return cls(
            id=str(plain["id"]),
            name=str(plain["name"]),
            occurred_at=datetime.fromisoformat(plain["occurred_at"]),
            subject_id=str(plain["subject_id"]),
            subject_version=int(plain["subject_version"]),
            correlation_id=plain.get("correlation_id"),
            actor=plain.get("actor"),
            data=dict(plain["data"]),
        )
