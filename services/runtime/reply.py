"""Remembered answers, so that a repeated command answers as before and does nothing twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, MetaData, Row, and_, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from services.kernel.actor import Actor
from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.runtime.database import runtime_tables

REPLIES = runtime_tables(MetaData()).replies


def answered(connection: Connection, actor: Actor, key: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first answer to this key, or None, without taking the key; for a look before the real work.

    Raises Invalid as `remembered` does.
    """
    row = connection.execute(
        select(REPLIES.c.request_sha256, REPLIES.c.answer).where(_is(actor, key))
    ).one_or_none()
    return None if row is None else _same(row, _digest(request))


def remembered(
    connection: Connection, actor: Actor, key: str, request: Mapping[str, Any], now: datetime
) -> dict[str, Any] | None:
    """The first answer to this key of this caller; None when it is new, and then the key is taken.

    A copy of the request that runs at the same time waits here for the first one to end.
    Raises Invalid `idempotency_key_reused` when the key came with another request.
    """
    digest = _digest(request)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    claim = dialect.insert(REPLIES).values(
        office=_owner(actor), key=key, request_sha256=digest, answer={}, created_at=now
    )
    if connection.execute(claim.on_conflict_do_nothing().returning(REPLIES.c.key)).one_or_none() is not None:
        return None
    row = connection.execute(
        select(REPLIES.c.request_sha256, REPLIES.c.answer).where(_is(actor, key))
    ).one()
    return _same(row, digest)


def _same(row: Row[Any], digest: str) -> dict[str, Any]:
    if row.request_sha256 != digest:
        raise Invalid(
            Sentence("This Idempotency-Key was used before with another request. Use a new key."),
            code="idempotency_key_reused",
        )
    answer: dict[str, Any] = row.answer
    return answer


def remember(connection: Connection, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
    """Keep the answer to a key that `remembered` took, in the transaction of the effect."""
    connection.execute(update(REPLIES).where(_is(actor, key)).values(answer=dict(answer)))


def forget(connection: Connection, before: datetime) -> int:
    """Remove answers older than `before`, at most 1,000; returns how many went."""
    old = select(REPLIES.c.office, REPLIES.c.key).where(REPLIES.c.created_at < before).limit(1000)
    return connection.execute(delete(REPLIES).where(tuple_(REPLIES.c.office, REPLIES.c.key).in_(old))).rowcount


def _is(actor: Actor, key: str) -> ColumnElement[bool]:
    return and_(REPLIES.c.office == _owner(actor), REPLIES.c.key == key)


def _owner(actor: Actor) -> str:
    """Keys belong to the person in the office, so that two callers may use the same key."""
    return f"{actor.office}/{actor.user_id or '-'}"


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
