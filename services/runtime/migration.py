"""Each service's database brought to its newest shape."""

from __future__ import annotations

import importlib
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from services.runtime.database import Database, weathered

ROOT = Path(__file__).resolve().parents[1]
_MIGRATION_LOCK = 7_204_002


def _config(service: str, connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ROOT / service / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(database: Database, service: str, revision: str = "head") -> None:
    """Bring the service's database to `revision`; replicas that start together wait for each other."""
    with database.write() as connection:
        if database.dialect == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        command.upgrade(_config(service, connection), revision)
        seed = getattr(importlib.import_module(f"services.{service}.migrations"), "seed", None)
        if seed is not None and revision == "head":
            seed(connection)


def is_current(connection: Connection, service: str) -> bool:
    """True when the database has the newest shape."""
    newest = ScriptDirectory.from_config(_config(service)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest


def run(metadata: MetaData) -> None:
    """The body of every `migrations/env.py`: run inside the transaction that `upgrade` opened."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,
        transaction_per_migration=False,
    )
    context.run_migrations()


def ensure_database(url: str) -> None:
    """Create the PostgreSQL database of `url` where it is missing and the role may.

    Processes that start together wait for each other. Raises Unavailable when the server does not answer.
    """
    target = make_url(url)
    if not target.drivername.startswith("postgresql"):
        return
    engine = create_engine(
        target.set(database="postgres"),
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        connect_args={"connect_timeout": 5},
    )
    with weathered(), engine.connect() as connection:
        # Held until the connection closes: CREATE DATABASE may not stand in a transaction.
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        known = connection.execute(
            text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": target.database}
        ).one_or_none()
        if known is None:
            quoted = engine.dialect.identifier_preparer.quote(str(target.database))
            connection.execute(text(f"CREATE DATABASE {quoted} TEMPLATE template0 ENCODING 'UTF8'"))
