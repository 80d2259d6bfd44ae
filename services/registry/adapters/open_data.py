"""The open data in the database: what is read for them, and which publications there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from services.registry.adapters.repository import facts_of, status_of
from services.registry.adapters.tables import ORGANISATIONS, SNAPSHOTS, STATUSES
from services.registry.application.open_data import Entry, Made
from services.registry.domain.organisation import FACTS
from services.runtime.blob import Store

BATCH = 500
LEASE = timedelta(minutes=10)


def entries(connection: Connection) -> Iterator[list[Entry]]:
    """Every organisation in the order in which they were registered, in batches; two queries a batch."""
    columns = [ORGANISATIONS.c[name] for name in ("row_no", "id", "successors", *FACTS)]
    last = 0
    while True:
        rows = (
            connection.execute(
                select(*columns).where(ORGANISATIONS.c.row_no > last).order_by(ORGANISATIONS.c.row_no).limit(BATCH)
            )
            .mappings()
            .all()
        )
        if not rows:
            return
        known: dict[str, list[Any]] = {row["id"]: [] for row in rows}
        on_record = select(STATUSES).where(
            STATUSES.c.organisation_id.in_(list(known)), STATUSES.c.superseded_at.is_(None)
        )
        for status in connection.execute(on_record.order_by(STATUSES.c.valid_from, STATUSES.c.id)):
            known[status.organisation_id].append(status_of(status))
        yield [Entry(row["id"], facts_of(row), known[row["id"]], row["successors"]) for row in rows]
        last = rows[-1]["row_no"]


class SnapshotRows:
    """The publications in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self) -> tuple[date, datetime, int, dict[str, Made]] | None:
        """The day, the moment, the number of rows and the files of the newest publication."""
        row = self._connection.execute(
            select(SNAPSHOTS).where(SNAPSHOTS.c.holder.is_(None)).order_by(SNAPSHOTS.c.made_on.desc()).limit(1)
        ).one_or_none()
        return row and (row.made_on, row.made_at, row.rows, {name: Made(**each) for name, each in row.files.items()})

    def claim(self, day: date, holder: str, now: datetime) -> bool:
        """Whether the publication of that day is ours to make; it is another's who began less than LEASE ago."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        row = {"made_on": day, "made_at": now, "rows": 0, "files": {}, "holder": holder, "lease_until": now + LEASE}
        statement = dialect.insert(SNAPSHOTS).values(row).on_conflict_do_nothing().returning(SNAPSHOTS.c.made_on)
        if self._connection.execute(statement).one_or_none() is not None:
            return True
        taken_over = (
            update(SNAPSHOTS)
            .where(SNAPSHOTS.c.made_on == day, SNAPSHOTS.c.holder.is_not(None), SNAPSHOTS.c.lease_until < now)
            .values(holder=holder, lease_until=now + LEASE)
        )
        return self._connection.execute(taken_over).rowcount == 1

    def finish(self, day: date, holder: str, now: datetime, *, rows: int, files: Mapping[str, Made]) -> bool:
        """Let the publication be the one of that day; False when another took it over meanwhile."""
        done = (
            update(SNAPSHOTS)
            .where(SNAPSHOTS.c.made_on == day, SNAPSHOTS.c.holder == holder)
            .values(
                made_at=now,
                rows=rows,
                files={name: asdict(each) for name, each in files.items()},
                holder=None,
                lease_until=None,
            )
        )
        return self._connection.execute(done).rowcount == 1

    def alone(self) -> None:
        """Until the transaction ends nobody else finishes or removes a publication."""
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("LOCK TABLE open_data_snapshots IN SHARE ROW EXCLUSIVE MODE"))

    def remove_old(self, store: Store, kept: int) -> int:
        """Throw away all publications but the newest `kept`; how many went."""
        rows = self._connection.execute(
            select(SNAPSHOTS.c.made_on, SNAPSHOTS.c.files)
            .where(SNAPSHOTS.c.holder.is_(None))
            .order_by(SNAPSHOTS.c.made_on.desc())
        ).all()
        old = rows[kept:]
        for sha256 in _contents(old) - _contents(rows[:kept]):
            store.remove(sha256)
        if old:
            self._connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.made_on.in_([row.made_on for row in old])))
        return len(old)


def _contents(rows: Any) -> set[str]:
    return {made[key] for row in rows for made in row.files.values() for key in ("sha256", "gzip_sha256")}
