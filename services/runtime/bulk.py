"""Many rows of one table at once: COPY on PostgreSQL, one prepared statement on SQLite."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Connection, LargeBinary, Table

from services.runtime.database import Moment

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_EMPTY: dict[Any, str] = {list: "[]", dict: "{}", tuple: "[]"}
_NULL = "\\N"

Encode = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows whose values stand in the order of `columns`, in the caller's transaction.

    Values are of the kinds that the columns' types take; None is NULL, also in a JSON column.
    Much cheaper than `connection.execute(insert(table), rows)`, and no value that SQLAlchemy would
    have filled in by itself is filled in.
    """
    if connection.dialect.name == "postgresql":
        _copy(connection, table, columns, rows)
        return
    encoders = [
        (place, encode)
        for place, name in enumerate(columns)
        if (encode := _sqlite_encoder(connection, table.c[name])) is not None
    ]
    marks = ", ".join("?" * len(columns))
    quoted = ", ".join(_quoted(connection, name) for name in columns)
    encoded = [list(row) for row in rows]
    for row in encoded:
        for place, encode in encoders:
            if row[place] is not None:
                row[place] = encode(row[place])
    if encoded:
        statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})"  # noqa: S608 - names of our own tables
        connection.exec_driver_sql(statement, [tuple(row) for row in encoded])


def _copy(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    encoders = [_copy_encoder(table.c[name]) for name in columns]
    lines = [
        "\t".join([_NULL if value is None else encode(value) for encode, value in zip(encoders, row, strict=True)])
        for row in rows
    ]
    if not lines:
        return
    lines.append("")
    quoted = ", ".join(_quoted(connection, name) for name in columns)
    # SQLAlchemy knows no COPY; the driver's connection is the one of this transaction.
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({quoted}) FROM STDIN") as copy:
        copy.write("\n".join(lines))


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)


def _sqlite_encoder(connection: Connection, column: Column[Any]) -> Encode | None:
    if isinstance(column.type, JSON):
        return _plain_json
    found: Encode | None = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return found


def _copy_encoder(column: Column[Any]) -> Encode:
    if isinstance(column.type, JSON):
        return _json
    if isinstance(column.type, Boolean):
        return _flag
    if isinstance(column.type, LargeBinary):
        return _bytes
    if isinstance(column.type, Moment) or column.type.python_type.__name__ in ("date", "datetime"):
        return _iso
    return _text


def _text(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def _plain_json(value: Any) -> str:
    return _ENCODER.encode(value) if value else _EMPTY.get(type(value)) or _ENCODER.encode(value)


def _json(value: Any) -> str:
    # JSON writes the other signs with a backslash itself.
    return _plain_json(value).replace("\\", "\\\\")


def _flag(value: Any) -> str:
    return "t" if value else "f"


def _bytes(value: Any) -> str:
    return f"\\\\x{value.hex()}"


def _iso(value: Any) -> str:
    return str(value.isoformat())
