"""The table of files that belong to petitions."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, text

from services.runtime.database import Id, Moment

_TO_CLEAR = text("removed_at IS NOT NULL AND cleared_at IS NULL")


def attachment_tables(metadata: MetaData) -> Table:
    """The table, added to the service's metadata.

    Of a removed file only the row is left, without its title, until its content is gone too.
    """
    table = Table(
        "petition_attachments",
        metadata,
        Column("id", Id, primary_key=True),
        Column("petition_id", Id, nullable=False),
        Column("kind", String(10), nullable=False),
        Column("title", String(200), nullable=False),
        Column("file_name", String(200), nullable=False),
        Column("media_type", String(100), nullable=False),
        Column("size", Integer, nullable=False),
        Column("sha256", String(64), nullable=False),
        Column("added_at", Moment, nullable=False),
        Column("added_by", String(200), nullable=False),
        Column("removed_at", Moment),
        Column("removed_by", String(200)),
        # When its content was thrown away, or found to be another file's too.
        Column("cleared_at", Moment),
    )
    Index("petition_attachments_by_petition", table.c.petition_id, table.c.added_at)
    Index("petition_attachments_by_content", table.c.sha256)
    Index("petition_attachments_to_clear", table.c.removed_at, postgresql_where=_TO_CLEAR, sqlite_where=_TO_CLEAR)
    return table
