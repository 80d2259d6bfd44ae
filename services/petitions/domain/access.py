"""A petition as its files know it: where it stands, and who has come to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from services.kernel.actor import PETITIONER, Actor


@dataclass(frozen=True)
class Admitted:
    """Someone who may see a petition.

    `actor`: the office as which they act; the petitioner's is their key's. `interim_at`: when the newest interim
    reply was given, None where there was none.
    """

    id: str
    municipality: str
    stage: str
    actor: Actor
    interim_at: datetime | None = None

    @property
    def is_petitioner(self) -> bool:
        """Whether they wrote the petition, with or without an account."""
        return self.actor.role == PETITIONER or self.actor.organisation_id is not None

    @property
    def office(self) -> str:
        """The office's key; a petitioner's without an account is of this petition alone."""
        return f"{PETITIONER}@{self.id}" if self.actor.role == PETITIONER else self.actor.office
