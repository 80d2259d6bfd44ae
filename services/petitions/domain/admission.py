"""Who sees a petition, its words and its writer, and as whom they act."""

from __future__ import annotations

from services.kernel.actor import PETITIONER, Actor
from services.petitions.domain.case import SEES
from services.petitions.domain.code import opens


def acts_as(
    actor: Actor,
    petition_key: str | None,
    *,
    municipality: str,
    organisation_id: str | None,
    key_sha256: str | None,
    submitted_by: str | None,
) -> Actor | None:
    """The office as which the caller acts in a petition; None for those to whom it does not exist.

    Whoever holds the petition's key is the petitioner, from whatever office they come; so is the account that
    submitted it without an office.
    """
    if opens(petition_key, key_sha256):
        return Actor(PETITIONER, actor.user_id)
    if actor.role in ("auditor", "system"):
        return actor
    if actor.role in SEES and actor.municipality == municipality:
        return actor
    if actor.organisation_id is not None and actor.organisation_id == organisation_id:
        return actor
    if submitted_by is not None and actor.user_id == submitted_by:
        return Actor(PETITIONER, actor.user_id)
    return None
