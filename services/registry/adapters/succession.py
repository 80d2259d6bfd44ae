"""Successions in the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, select

from services.registry.adapters.tables import SUCCESSION_HEIRS, SUCCESSIONS
from services.registry.domain.succession import Record, SuccessionKind

_FIELDS = [column.name for column in SUCCESSIONS.c]


class SuccessionRows:
    """Successions in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, record: Record) -> None:
        """Keep a new one."""
        self._connection.execute(insert(SUCCESSIONS).values({name: getattr(record, name) for name in _FIELDS}))
        heirs = [
            {"succession_id": record.id, "place": place, "organisation_id": heir}
            for place, heir in enumerate(record.successors)
        ]
        if heirs:
            self._connection.execute(insert(SUCCESSION_HEIRS), heirs)

    def of(self, organisation_id: str) -> list[Record]:
        """Those of an organisation, oldest first, in two queries."""
        return self._found(SUCCESSIONS.c.organisation_id == organisation_id)

    def into(self, organisation_id: str) -> list[Record]:
        """Those by which an organisation took another's place, oldest first, in two queries."""
        own = select(SUCCESSION_HEIRS.c.succession_id).where(SUCCESSION_HEIRS.c.organisation_id == organisation_id)
        return self._found(SUCCESSIONS.c.id.in_(own))

    def _found(self, where: ColumnElement[bool]) -> list[Record]:
        rows = self._connection.execute(
            select(SUCCESSIONS).where(where).order_by(SUCCESSIONS.c.recorded_at, SUCCESSIONS.c.id)
        ).all()
        heirs = self._heirs([row.id for row in rows])
        return [_record(row._mapping, heirs.get(row.id, [])) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def _heirs(self, ids: Sequence[str]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if ids:
            rows = self._connection.execute(
                select(SUCCESSION_HEIRS)
                .where(SUCCESSION_HEIRS.c.succession_id.in_(ids))
                .order_by(SUCCESSION_HEIRS.c.succession_id, SUCCESSION_HEIRS.c.place)
            )
            for row in rows:
                found.setdefault(row.succession_id, []).append(row.organisation_id)
        return found


def _record(row: Any, heirs: Sequence[str]) -> Record:
    kept = {name: row[name] for name in _FIELDS}
    return Record(**kept | {"kind": SuccessionKind(kept["kind"]), "successors": tuple(heirs)})
