"""Imports: what was sent in, what it would change, what it changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

from services.registry.domain.intake.identity import identity_key, registry_key
from services.runtime.database import Id, Json, Moment

revision = "0003"
down_revision = "0002"

_AT_ONCE = 1000
_COUNTS = ("read", "added", "changed", "unchanged", "vanished", "rejected", "review", "kept")


def _plain(length: int) -> TypeEngine[str]:
    return sa.String(length, collation="C").with_variant(sa.String(length, collation="BINARY"), "sqlite")


def upgrade() -> None:
    """Give organisations the keys by which imports find them, and make the imports' own tables."""
    _add_keys()
    _create_imports()
    _create_rows()


def _add_keys() -> None:
    op.add_column("organisations", sa.Column("registry_key", _plain(50)))
    op.add_column("organisations", sa.Column("identity_key", _plain(450), nullable=False, server_default=""))
    connection = op.get_bind()
    table = sa.table(
        "organisations",
        *(sa.column(name) for name in ("row_no", "name", "registry_no", "province_code", "district")),
        sa.column("registry_key"),
        sa.column("identity_key"),
    )
    fill = (
        sa.update(table)
        .where(table.c.row_no == sa.bindparam("row"))
        .values(registry_key=sa.bindparam("number"), identity_key=sa.bindparam("identity"))
    )
    last = 0
    while True:
        batch = sa.select(table).where(table.c.row_no > last).order_by(table.c.row_no).limit(_AT_ONCE)
        rows = connection.execute(batch).all()
        if not rows:
            break
        last = rows[-1].row_no
        keys = [
            {
                "row": row.row_no,
                "number": registry_key(row.registry_no),
                "identity": identity_key(row.name, row.province_code, row.district),
            }
            for row in rows
        ]
        connection.execute(fill, keys)
    numbered = sa.text("registry_key IS NOT NULL")
    op.create_index(
        "organisations_by_registry_key",
        "organisations",
        ["registry_key"],
        postgresql_where=numbered,
        sqlite_where=numbered,
    )
    op.create_index("organisations_by_identity", "organisations", ["identity_key"])


def _create_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", Id, primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("layout", sa.String(40), nullable=False),
        sa.Column("file_name", sa.String(200)),
        sa.Column("file_sha256", sa.String(64)),
        sa.Column("holds", Json, nullable=False),
        sa.Column("keep", Json, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("phase", sa.String(10)),
        sa.Column("wanted", sa.Boolean, nullable=False),
        sa.Column("requested_at", Moment, nullable=False),
        sa.Column("requested_by", Json, nullable=False),
        sa.Column("acted_by", Json, nullable=False),
        sa.Column("touched_at", Moment, nullable=False),
        sa.Column("parts", sa.Integer),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("of", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _COUNTS),
        sa.Column("problem", Json),
        sa.Column("applied_at", Moment),
        sa.Column("undone_at", Moment),
        sa.Column("applied_no", sa.Integer),
        sa.Column("base_id", Id),
        sa.Column("decisions", Json, nullable=False),
        sa.Column("holder", sa.String(36)),
        sa.Column("lease_until", Moment),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("cleaned_at", Moment),
    )
    running = sa.text("state = 'running'")
    op.create_index(
        "imports_running", "imports", ["kind", "source"], unique=True, postgresql_where=running, sqlite_where=running
    )
    op.create_index("imports_by_age", "imports", ["requested_at", "id"])
    op.create_index("imports_by_source", "imports", ["kind", "source", "applied_no"])
    op.create_table(
        "import_parts",
        sa.Column("import_id", Id, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("first_row", sa.Integer, nullable=False),
        sa.Column("last_row", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )


def _create_rows() -> None:
    op.create_table(
        "import_rows",
        sa.Column("import_id", Id, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("outcome", sa.String(10), nullable=False),
        sa.Column("organisation_id", Id),
        sa.Column("status_id", Id),
        sa.Column("code", sa.String(10)),
        sa.Column("registry_no", sa.String(50)),
        sa.Column("name", sa.String(300)),
        sa.Column("form", sa.String(30)),
        sa.Column("registry_key", _plain(50)),
        sa.Column("identity_key", _plain(450)),
        sa.Column("digest", _plain(32)),
        sa.Column("version_before", sa.Integer),
        sa.Column("version_after", sa.Integer),
        sa.Column("settled", sa.Boolean, nullable=False),
        sa.Column("changes", Json),
        sa.Column("reasons", Json),
        sa.Column("candidates", Json),
    )
    op.create_index("import_rows_by_outcome", "import_rows", ["import_id", "outcome", "place"])
    op.create_index("import_rows_by_organisation", "import_rows", ["import_id", "organisation_id"])
    op.create_index("import_rows_by_digest", "import_rows", ["import_id", "digest"])
    op.create_table(
        "import_doubts",
        sa.Column("import_id", Id, primary_key=True),
        sa.Column("organisation_id", Id, primary_key=True),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("ended_by", Id),
    )
    op.create_index("import_doubts_of_organisation", "import_doubts", ["organisation_id", "source"])
    op.create_index("import_doubts_by_end", "import_doubts", ["ended_by"])
    op.create_table(
        "municipality_removals",
        sa.Column("code", sa.String(10), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("removed_at", Moment, nullable=False),
        sa.Column("removed_by", sa.String(200), nullable=False),
    )
