"""Remembered answers, so that a repeated command answers as before and does nothing twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, MetaData, and_, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from services.kernel.actor import Actor
from services.kernel.errors import Invalid
from services.kernel.text import Sentence
from services.runtime.database import runtime_tables

REPLIES = runtime_tables(MetaData()).replies

# Built once: building a statement costs more than sending it.
_THIS = and_(REPLIES.c.office == bindparam("own_office"), REPLIES.c.key == bindparam("own_key"))
_FIND = select(REPLIES.c.request_sha256, REPLIES.c.answer).where(_THIS)
_KEEP = update(REPLIES).where(_THIS).values(answer=bindparam("new_answer", type_=REPLIES.c.answer.type))
_DROP = delete(REPLIES).where(_THIS)
_TAKE = {
    name: dialect.insert(REPLIES).on_conflict_do_nothing().returning(REPLIES.c.key)
    for name, dialect in (("postgresql", postgresql), ("sqlite", sqlite))
}


def answered(connection: Connection, actor: Actor, key: str, request: Mapping[str, Any]) -> dict[str, Any] | None:
    """The first answer to this key, or None, without taking the key; for a look before the real work.

    Raises Invalid as `remembered` does.
    """
    row = connection.execute(_FIND, _this(actor, key)).one_or_none()
    return None if row is None else _same(row, _digest(request))


def remembered(
    connection: Connection, actor: Actor, key: str, request: Mapping[str, Any], now: datetime
) -> dict[str, Any] | None:
    """The first answer to this key of this caller; None when it is new, and then the key is taken.

    A copy of the request that runs at the same time waits here for the first one to end.
    Raises Invalid `idempotency_key_reused` when the key came with another request.
    """
    digest = _digest(request)
    claim = {"office": _owner(actor), "key": key, "request_sha256": digest, "answer": {}, "created_at": now}
    if connection.execute(_TAKE[connection.dialect.name], claim).one_or_none() is not None:
        return None
    row = connection.execute(_FIND, _this(actor, key)).one()
    return _same(row, digest)


def _same(row: Any, digest: str) -> dict[str, Any]:
    if row.request_sha256 != digest:
        raise Invalid(
            Sentence("This Idempotency-Key was used before with another request. Use a new key."),
            code="idempotency_key_reused",
        )
    answer: dict[str, Any] = row.answer
    return answer


def remember(connection: Connection, actor: Actor, key: str, answer: Mapping[str, Any]) -> None:
    """Keep the answer to a key that `remembered` took, in the transaction of the effect."""
    connection.execute(_KEEP, _this(actor, key) | {"new_answer": dict(answer)})


def release(connection: Connection, actor: Actor, key: str) -> None:
    """Give back a key that `remembered` took, when its transaction is to commit without an answer."""
    connection.execute(_DROP, _this(actor, key))


def forget(connection: Connection, before: datetime) -> int:
    """Remove answers older than `before`, at most 1,000; returns how many went."""
    old = select(REPLIES.c.office, REPLIES.c.key).where(REPLIES.c.created_at < before).limit(1000)
    return connection.execute(delete(REPLIES).where(tuple_(REPLIES.c.office, REPLIES.c.key).in_(old))).rowcount


def _this(actor: Actor, key: str) -> dict[str, Any]:
    return {"own_office": _owner(actor), "own_key": key}


def _owner(actor: Actor) -> str:
    """Keys belong to the person in the office, so that two callers may use the same key."""
    return f"{actor.office}/{actor.user_id or '-'}"


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
