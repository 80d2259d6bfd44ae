"""Engines and transactions, the same for PostgreSQL and SQLite."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any, Literal, cast

# psycopg waits in C by default and would stop every green thread of the process.
os.environ["PSYCOPG_WAIT_FUNC"] = "wait_select"

from eventlet.event import Event
from eventlet.semaphore import Semaphore
from eventlet.timeout import Timeout
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Uuid,
    create_engine,
    event,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.types import TypeDecorator, TypeEngine

from services.kernel.errors import Unavailable
from services.kernel.text import Sentence

STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 10_000
IDLE_IN_TRANSACTION_MS = 30_000
_TRUSTED_SECONDS = 5.0
_BUSY = Sentence("The database is busy. Try again in a moment.")


class Moment(TypeDecorator[datetime]):
    """An aware time; SQLite has no zones, so there it is kept in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC on the way in; a naive time is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "a time without an offset reached the database"
            raise ValueError(message)
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Aware, in UTC, on the way out."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


POSTED = "imece.posted"
"""Key of `Connection.info`: the transaction wrote to the outbox."""

Json = JSON().with_variant(JSONB(), "postgresql")
Serial = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number that counts itself up as a primary key."""
Id: TypeEngine[str] = cast("TypeEngine[str]", Uuid(as_uuid=False))


class Bell:
    """Wakes the green threads that wait for something; a ring with nobody waiting is kept for the next."""

    def __init__(self) -> None:
        """A bell that has not rung."""
        self._event = Event()

    def ring(self) -> None:
        """Wake everyone who waits."""
        if not self._event.ready():
            self._event.send()

    def wait(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds`."""
        with Timeout(seconds, exception=False):
            self._event.wait()
        if self._event.ready():
            self._event = Event()


class Database:
    """One service's database."""

    def __init__(self, url: str, *, pool_size: int = 16) -> None:
        """Connects lazily; `pool_size` is the number of workers, since a worker never needs two connections."""
        self.url = url
        self.dialect: Literal["postgresql", "sqlite"] = "sqlite" if url.startswith("sqlite") else "postgresql"
        self.engine: Engine = _sqlite(url) if self.dialect == "sqlite" else _postgresql(url, pool_size)
        # A look needs no BEGIN and no ROLLBACK: two round trips saved each time.
        self._looking = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite has one writer; waiting green here is cheap, waiting in SQLite stops the process.
        self._writer = Semaphore(1)
        self.posted = Bell()

    @contextmanager
    def write(self, patience: float = LOCK_TIMEOUT_MS / 1000) -> Iterator[Connection]:
        """One transaction, committed at the end of the block, rolled back by any exception.

        Raises Unavailable when the database does not answer, or its one writer (SQLite) is not free
        within `patience` seconds.
        """
        with weathered():
            if self.dialect == "sqlite":
                with self._alone(patience), self.engine.connect() as connection:
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    with _ended(connection):
                        yield connection
                    posted = connection.info.pop(POSTED, False)
            else:
                with self.engine.begin() as connection:
                    yield connection
                    posted = connection.info.pop(POSTED, False)
        if posted:
            self.posted.ring()

    @contextmanager
    def _alone(self, patience: float) -> Iterator[None]:
        if not self._writer.acquire(timeout=patience):
            raise Unavailable(_BUSY)
        try:
            yield
        finally:
            self._writer.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose statements see one state each; never write through it."""
        with weathered(), self._looking.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection all of whose statements see the database as of one moment; never write through it."""
        level = "REPEATABLE READ" if self.dialect == "postgresql" else "SERIALIZABLE"
        with weathered(), self.engine.execution_options(isolation_level=level).connect() as connection:
            if self.dialect == "sqlite":
                connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


_OPEN: dict[str, Database] = {}


def database_at(url: str, *, pool_size: int = 16) -> Database:
    """The process's one Database for this URL: SQLite's single writer must be one for all who write."""
    if url not in _OPEN:
        _OPEN[url] = Database(url, pool_size=pool_size)
    return _OPEN[url]


@contextmanager
def _ended(connection: Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


@contextmanager
def weathered() -> Iterator[None]:
    """A database that is away is Unavailable; every other database error is a bug and stays one."""
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable(_BUSY) from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_outage(error):
            raise Unavailable(Sentence("The database does not answer. Try again in a moment.")) from error
        raise


def _is_outage(error: DBAPIError) -> bool:
    # SQLite calls mistakes in SQL operational too; those alone have this code.
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlite_errorname", "") != "SQLITE_ERROR"


def _postgresql(url: str, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        pool_timeout=10,
        connect_args={
            "connect_timeout": 5,
            "options": (
                f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS}"
                f" -c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_MS} -c timezone=UTC"
            ),
        },
    )

    @event.listens_for(engine, "checkin")
    def _leave(_connection: Any, record: Any) -> None:
        record.info["free_since"] = monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: Any, _proxy: Any) -> None:
        # A ping before every use would cost a fifth of a short transaction; one that worked a moment ago still does.
        if monotonic() - record.info.get("free_since", 0.0) < _TRUSTED_SECONDS:
            return
        try:
            connection.cursor().execute("SELECT 1").close()
            connection.rollback()
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error

    from psycopg import waiting  # noqa: PLC0415 - after the wait function was chosen above

    if waiting.wait is not waiting.wait_select:
        message = "psycopg was imported before PSYCOPG_WAIT_FUNC was set; it would block every green thread"
        raise RuntimeError(message)
    return engine


def _sqlite(url: str) -> Engine:
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, pool_size=5, max_overflow=20, hide_parameters=True, connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by us, not by the driver
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
            connection.execute(f"PRAGMA {pragma}").close()

    return engine


@dataclass(frozen=True)
class RuntimeTables:
    """The tables that the runtime keeps in every service's database."""

    outbox: Table
    inbox: Table
    replies: Table
    cursors: Table
    parked: Table


def runtime_tables(metadata: MetaData) -> RuntimeTables:
    """Outbox, inbox, remembered replies, cursors and parked events, added to a service's metadata."""
    outbox = Table(
        "outbox",
        metadata,
        Column("id", Serial, primary_key=True, autoincrement=True),
        # The place in the public feed, given after the commit: ids are not commit order.
        Column("position", BigInteger),
        Column("event_id", Id, nullable=False, unique=True),
        Column("name", String(100), nullable=False),
        Column("occurred_at", Moment, nullable=False),
        Column("subject_id", Id, nullable=False),
        Column("subject_version", Integer, nullable=False),
        Column("correlation_id", String(100)),
        Column("actor", Json),
        Column("data", Json, nullable=False),
        Column("municipality", String(10)),
        Column("authority", String(10)),
        Column("organisation_id", Id),
        Column("published_at", Moment),
        # The lane of big imports: others pass it.
        Column("bulk", Boolean, nullable=False, server_default=false()),
        sqlite_autoincrement=True,
    )
    Index(
        "outbox_unpublished",
        outbox.c.bulk,
        outbox.c.id,
        postgresql_where=text("published_at IS NULL"),
        sqlite_where=text("published_at IS NULL"),
    )
    Index(
        "outbox_unplaced", outbox.c.id, postgresql_where=text("position IS NULL"), sqlite_where=text("position IS NULL")
    )
    Index("outbox_by_lane", outbox.c.bulk, outbox.c.id)
    Index("outbox_by_position", outbox.c.position, unique=True)
    Index("outbox_by_municipality", outbox.c.municipality, outbox.c.position)
    Index("outbox_by_authority", outbox.c.authority, outbox.c.position)
    Index("outbox_by_organisation", outbox.c.organisation_id, outbox.c.position)
    inbox = Table(
        "inbox",
        metadata,
        Column("consumer", String(150), nullable=False),
        Column("event_id", Id, nullable=False),
        PrimaryKeyConstraint("consumer", "event_id"),
    )
    replies = Table(
        "replies",
        metadata,
        Column("office", String(200), nullable=False),
        Column("key", String(200), nullable=False),
        Column("request_sha256", String(64), nullable=False),
        Column("answer", Json, nullable=False),
        Column("created_at", Moment, nullable=False),
        PrimaryKeyConstraint("office", "key"),
    )
    Index("replies_by_age", replies.c.created_at)
    cursors = Table(
        "cursors",
        metadata,
        Column("consumer", String(150), primary_key=True),
        Column("position", BigInteger, nullable=False),
    )
    parked = Table(
        "parked_events",
        metadata,
        Column("id", Serial, primary_key=True, autoincrement=True),
        Column("consumer", String(150), nullable=False),
        Column("event_id", Id, nullable=False),
        Column("envelope", Json, nullable=False),
        Column("cause", String(500), nullable=False),
        Column("attempts", Integer, nullable=False),
        # When it is tried again; none means it is dead until someone redrives it.
        Column("retry_at", Moment),
        Column("parked_at", Moment, nullable=False),
    )
    Index("parked_events_once", parked.c.consumer, parked.c.event_id, unique=True)
    Index("parked_events_by_retry", parked.c.retry_at)
    return RuntimeTables(outbox, inbox, replies, cursors, parked)
