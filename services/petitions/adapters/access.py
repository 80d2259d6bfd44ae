"""Who has come to a petition, in one query."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, func, select

from services.kernel.actor import Actor
from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.petitions.adapters.tables import CASE, PETITIONS
from services.petitions.domain.access import Admitted
from services.petitions.domain.admission import acts_as


def admitted(
    connection: Connection, actor: Actor, petition_id: str, petition_key: str | None, *, to_change: bool = False
) -> Admitted:
    """The petition and as whom the caller acts in it; held for the transaction if it is to be changed.

    Raises NotFound for all who may not know of it.
    """
    try:
        key = str(uuid.UUID(petition_id))
    except ValueError:
        raise _none() from None
    petitions = PETITIONS.c
    statement = select(
        petitions.id,
        petitions.municipality,
        petitions.organisation_id,
        petitions.key_sha256,
        petitions.stage,
        petitions.submitted_by,
    ).where(petitions.id == key)
    row = connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
    acting = row and acts_as(
        actor,
        petition_key,
        municipality=row.municipality,
        organisation_id=row.organisation_id,
        key_sha256=row.key_sha256,
        submitted_by=row.submitted_by,
    )
    if not row or not acting:
        raise _none()
    acts = CASE.acts.c
    interim = select(func.max(acts.recorded_at)).where(acts.petition_id == row.id, acts.move == "interim_reply")
    return Admitted(row.id, row.municipality, row.stage, acting, connection.execute(interim).scalar_one())


def _none() -> NotFound:
    return NotFound(Sentence("There is no such petition."))
