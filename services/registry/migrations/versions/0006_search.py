"""Words instead of trigrams: what finding by name needs at national size."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"

_COLUMNS = ("folded", "province_code", "form", "standing_permission")


def upgrade() -> None:
    """Index what is there by words; the database keeps the index itself from then on."""
    if op.get_bind().dialect.name == "postgresql":
        _index_postgresql()
    else:
        _index_sqlite()


def _index_postgresql() -> None:
    op.execute("DROP INDEX organisations_by_trigram")
    # No word of a name holds a sign, so marks with one cannot be taken for words: n the first word, p, f, s the filters.
    marks = (
        "'n_' || split_part(folded, ' ', 1)",
        "'p_' || coalesce(province_code, '')",
        "'f_' || form",
        "'s_' || standing_permission",
    )
    op.execute(
        "ALTER TABLE organisations ADD COLUMN search_words tsvector GENERATED ALWAYS AS"
        f" (array_to_tsvector(string_to_array(folded, ' ') || ARRAY[{', '.join(marks)}])) STORED"
    )
    op.execute("CREATE INDEX organisations_by_words ON organisations USING gin (search_words)")


def _index_sqlite() -> None:
    for name in ("added", "removed", "renamed"):
        op.execute(f"DROP TRIGGER organisation_search_{name}")
    op.execute("DROP TABLE organisation_search")
    columns = ", ".join(_COLUMNS)
    # What is a word to this tokenizer is one to services/kernel/turkish.py; forms and standings hold underscores.
    op.execute(
        f"CREATE VIRTUAL TABLE organisation_search USING fts5({columns}, content='organisations',"
        " content_rowid='row_no', tokenize=\"unicode61 remove_diacritics 0 tokenchars '_'\")"
    )
    op.execute("INSERT INTO organisation_search (organisation_search) VALUES ('rebuild')")
    new, old = (", ".join(f"{row}.{name}" for name in _COLUMNS) for row in ("new", "old"))
    added = f"INSERT INTO organisation_search (rowid, {columns}) VALUES (new.row_no, {new});"  # noqa: S608 - our own names
    removed = (
        f"INSERT INTO organisation_search (organisation_search, rowid, {columns})"  # noqa: S608 - our own names
        f" VALUES ('delete', old.row_no, {old});"
    )
    differs = " OR ".join(f"old.{name} IS NOT new.{name}" for name in _COLUMNS)
    for name, when, body in (
        ("added", "AFTER INSERT ON organisations", added),
        ("removed", "AFTER DELETE ON organisations", removed),
        ("changed", f"AFTER UPDATE OF {columns} ON organisations WHEN {differs}", removed + added),
    ):
        op.execute(f"CREATE TRIGGER organisation_search_{name} {when} BEGIN {body} END")
