"""Corrections in the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select, update

from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.registry.adapters.tables import CORRECTIONS
from services.registry.domain.correction import Correction, CorrectionState, FieldState, Proposal

_UNDECIDED = (CorrectionState.OPEN, CorrectionState.PARTLY_DECIDED)


class CorrectionRows:
    """Corrections in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, correction_id: str, *, to_change: bool = False) -> Correction:
        """The correction, in one query. Raises NotFound."""
        try:
            key = str(uuid.UUID(correction_id))
        except ValueError:
            key = None
        row = None
        if key is not None:
            statement = select(CORRECTIONS).where(CORRECTIONS.c.id == key)
            row = self._connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
        if row is None:
            raise NotFound(Sentence("There is no such correction."))
        return _correction(row)

    def pending(self, organisation_id: str) -> list[str]:
        """The fields of the organisation for which a proposal is open."""
        rows = self._connection.execute(
            select(CORRECTIONS).where(
                CORRECTIONS.c.organisation_id == organisation_id, CORRECTIONS.c.state.in_(_UNDECIDED)
            )
        )
        return [name for row in rows for name in _correction(row).fields(FieldState.OPEN)]

    def page(
        self, *, state: str | None, organisation_id: str | None, page: int, size: int
    ) -> tuple[list[Correction], int]:
        """One page of corrections, the newest first, and how many there are."""
        where: list[ColumnElement[bool]] = []
        if state is not None:
            where.append(CORRECTIONS.c.state == state)
        if organisation_id is not None:
            where.append(CORRECTIONS.c.organisation_id == organisation_id)
        total = self._connection.execute(select(func.count()).select_from(CORRECTIONS).where(*where)).scalar_one()
        rows = self._connection.execute(
            select(CORRECTIONS)
            .where(*where)
            .order_by(CORRECTIONS.c.proposed_at.desc(), CORRECTIONS.c.id.desc())
            .limit(size)
            .offset((page - 1) * size)
        )
        return [_correction(row) for row in rows], total

    def add(self, correction: Correction) -> None:
        """Keep a new correction."""
        self._connection.execute(
            insert(CORRECTIONS).values(
                id=correction.id,
                organisation_id=correction.organisation_id,
                note=correction.note,
                proposed_at=correction.proposed_at,
                proposed_by=correction.proposed_by,
                **_changing(correction),
            )
        )

    def save(self, correction: Correction) -> None:
        """Keep what changed of a correction that was read for a change."""
        changed = self._connection.execute(
            update(CORRECTIONS)
            .where(CORRECTIONS.c.id == correction.id, CORRECTIONS.c.version == correction.version - 1)
            .values(_changing(correction))
        )
        if changed.rowcount != 1:
            message = f"correction {correction.id} was changed although it was locked"
            raise RuntimeError(message)


def _changing(correction: Correction) -> dict[str, Any]:
    return {
        "version": correction.version,
        "state": correction.state,
        "proposals": [_kept(each) for each in correction.proposals],
    }


def _kept(proposal: Proposal) -> dict[str, Any]:
    return {**vars(proposal), "decided_at": proposal.decided_at.isoformat() if proposal.decided_at else None}


def _proposals(kept: Sequence[dict[str, Any]]) -> tuple[Proposal, ...]:
    return tuple(
        Proposal(
            **each
            | {
                "state": FieldState(each["state"]),
                "decided_at": datetime.fromisoformat(each["decided_at"]) if each["decided_at"] else None,
            }
        )
        for each in kept
    )


def _correction(row: Row[Any]) -> Correction:
    return Correction(
        id=row.id,
        organisation_id=row.organisation_id,
        note=row.note,
        proposed_at=row.proposed_at,
        proposed_by=row.proposed_by,
        proposals=_proposals(row.proposals),
        version=row.version,
    )
