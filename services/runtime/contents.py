"""The contents of files that rows speak of: in a store, beside the transactions that add and remove the rows.

A row names its content by `sha256`. Several rows may name the same; with the last of them it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy import Connection, Table, select, text, update

from services.runtime.blob import Store
from services.runtime.database import Database

_NAMED_AT_ONCE = 100
REGISTERED_WITHIN = timedelta(days=1)
"""What came in and no row names after this time is thrown away."""


class Contents:
    """The contents that the rows of one table name, in one transaction.

    The table has `id`, `sha256`, `removed_at` and `cleared_at`: a removed row stays, its content does not.
    """

    def __init__(self, connection: Connection, store: Store, table: Table) -> None:
        """Two tables must not share a space of the store: what one of them does not know would go."""
        self.store = store
        self._connection = connection
        self._rows = table

    def hold(self, sha256: str) -> bool:
        """Whether the content is kept; until the transaction ends nobody throws it away."""
        self._lock(sha256)
        return self.store.has(sha256)

    def let_go(self, sha256: str) -> None:
        """Throw the content away unless a row has it."""
        self._lock(sha256)
        rows = self._rows.c
        used = select(rows.id).where(rows.sha256 == sha256, rows.removed_at.is_(None)).limit(1)
        if self._connection.execute(used).first() is None:
            self.store.remove(sha256)

    def unknown(self, names: Collection[str]) -> list[str]:
        """Those of the contents that no row has, in one query."""
        rows = self._rows.c
        used = select(rows.sha256).where(rows.sha256.in_(names), rows.removed_at.is_(None))
        return sorted(set(names).difference(self._connection.execute(used).scalars()))

    def clear(self, now: datetime) -> bool:
        """Throw away the content of one removed row; False when there is none left.

        One only: the store may be slow, and the row stays locked meanwhile.
        """
        rows = self._rows.c
        removed = (rows.removed_at.is_not(None), rows.cleared_at.is_(None))
        statement = select(rows.id, rows.sha256).where(*removed).order_by(rows.sha256, rows.id).limit(1)
        row = self._connection.execute(statement.with_for_update(skip_locked=True)).one_or_none()
        if row is None:
            return False
        self.let_go(row.sha256)
        self._connection.execute(update(self._rows).where(rows.id == row.id).values(cleared_at=now))
        return True

    def _lock(self, sha256: str) -> None:
        # SQLite has one writer at a time anyway.
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:content, 0))"), {"content": sha256}
            )


Opened = Callable[[Connection, Store], Contents]


def clear_removed(database: Database, store: Store, opened: Opened, now: datetime) -> None:
    """Throw away the contents of all removed rows."""
    done = True
    while done:
        with database.write() as connection:
            done = opened(connection, store).clear(now)


def clear_unknown(database: Database, store: Store, opened: Opened, now: datetime) -> None:
    """Throw away contents that came in more than a day ago and that no row has."""
    old = store.put_before(now - REGISTERED_WITHIN)
    while names := list(islice(old, _NAMED_AT_ONCE)):
        with database.read() as connection:
            unknown = opened(connection, store).unknown(names)
        for sha256 in unknown:
            with database.write() as connection:
                opened(connection, store).let_go(sha256)
