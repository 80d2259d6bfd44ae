"""Files of petitions: their rows in the database, their contents in the store."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from services.petitions.adapters.tables import ATTACHMENTS
from services.petitions.domain.attachment import Attachment, Kind, no_such_file
from services.runtime.blob import Store
from services.runtime.contents import Contents


class AttachmentRows:
    """Rows of files in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, petition_id: str, attachment_id: str, *, to_change: bool = False) -> Attachment:
        """One file of the petition. Raises NotFound."""
        try:
            key = str(uuid.UUID(attachment_id))
        except ValueError:
            raise no_such_file() from None
        statement = _kept(petition_id).where(ATTACHMENTS.c.id == key)
        row = self._connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
        if row is None:
            raise no_such_file()
        return _attachment(row)

    def of(self, petition_id: str) -> list[Attachment]:
        """The petition's files in the order in which they were added."""
        statement = _kept(petition_id).order_by(ATTACHMENTS.c.added_at, ATTACHMENTS.c.id)
        return [_attachment(row) for row in self._connection.execute(statement)]

    def add(self, attachment: Attachment) -> None:
        """Keep it."""
        self._connection.execute(insert(ATTACHMENTS).values(vars(attachment)))

    def remove(self, attachment: Attachment, *, now: datetime, by: str) -> None:
        """Take it away; its content goes with the next housekeeping."""
        self._connection.execute(
            update(ATTACHMENTS)
            .where(ATTACHMENTS.c.id == attachment.id)
            .values(removed_at=now, removed_by=by, title="", file_name="")
        )


class AttachmentFiles(Contents):
    """The contents of petitions' files."""

    def __init__(self, connection: Connection, store: Store) -> None:
        super().__init__(connection, store, ATTACHMENTS)


def _kept(petition_id: str) -> Any:
    return select(ATTACHMENTS).where(ATTACHMENTS.c.petition_id == petition_id, ATTACHMENTS.c.removed_at.is_(None))


def _attachment(row: Row[Any]) -> Attachment:
    return Attachment(
        id=row.id,
        petition_id=row.petition_id,
        kind=Kind(row.kind),
        title=row.title,
        file_name=row.file_name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        added_at=row.added_at,
        added_by=row.added_by,
    )
