"""Who acts: an office, held by someone, perhaps for someone else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

MUNICIPAL_ROLES = ("unit_officer", "registry_clerk", "mayor", "commission_rapporteur")
AUTHORITY_ROLES = ("authority_clerk", "authority_head")
ORGANISATION_ROLES = ("organisation_representative",)
CENTRAL_ROLES = ("registrar", "auditor", "administrator")
ROLES = MUNICIPAL_ROLES + AUTHORITY_ROLES + ORGANISATION_ROLES + CENTRAL_ROLES

PETITIONER = "petitioner"
"""Whoever wrote a petition, with or without a sign-in; no office."""


@dataclass(frozen=True)
class Actor:
    """The office that acts.

    `municipality`, `authority`, `organisation_id`: the tenant, one of them or none.
    `acting_for`: the membership whose work is done under a delegation.
    `scope`: the moves a delegation allows; empty means all.
    """

    role: str
    user_id: str | None = None
    membership_id: str | None = None
    municipality: str | None = None
    authority: str | None = None
    organisation_id: str | None = None
    acting_for: str | None = None
    scope: tuple[str, ...] = ()

    @property
    def tenant(self) -> str:
        """`34-35`, `K34-35`, an organisation's id, or `-` for a central office."""
        return self.municipality or self.authority or self.organisation_id or "-"

    @property
    def office(self) -> str:
        """The office's key, the same whoever holds it: `<role>@<tenant>`."""
        return f"{self.role}@{self.tenant}"

    def to_plain(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {k: v for k, v in asdict(self).items() if v}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Actor:
        """The actor that `to_plain` wrote."""
        return cls(**{**plain, "scope": tuple(plain.get("scope", ()))})


SYSTEM = Actor(role="system")
