"""Signatures under petitions in the database, and the petitions that are open for them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.kernel.errors import NotFound
from services.kernel.text import Sentence
from services.petitions.adapters.tables import PETITIONS, SUPPORT
from services.petitions.domain.procedure import OPEN
from services.petitions.domain.support import (
    CONFIRMED,
    KEPT,
    PENDING,
    Asked,
    may_write_again,
    token_hash,
    token_of,
)

Plain = dict[str, Any]

PUBLIC = ("registered", "assigned", "awaiting_completion", "proposal_accepted", "answered")
"""Stages at which everyone sees what was opened: not before an office has seen it, nor once it is off the table."""
_CLEARED_AT_ONCE = 500
_ONLY = 1


class SupportRows:
    """Signatures in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def secret(self) -> bytes:
        """What hashes and tokens of this installation are made with; made once, at the first signature."""
        row = self._connection.execute(select(SUPPORT.secrets.c.secret)).one_or_none()
        if row is None:
            dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
            made = {"id": _ONLY, "secret": secrets.token_bytes(32)}
            self._connection.execute(dialect.insert(SUPPORT.secrets).values(made).on_conflict_do_nothing())
            row = self._connection.execute(select(SUPPORT.secrets.c.secret)).one()
        return bytes(row.secret)

    # petitions

    def find(self, petition_id: str) -> Row[Any] | None:
        """A petition that its petitioner opened for signatures, as long as it is public."""
        found: Row[Any] | None = self._connection.execute(
            _public().where(PETITIONS.c.id == petition_id, PETITIONS.c.stage.in_(PUBLIC))
        ).one_or_none()
        return found

    def petition(self, petition_id: str) -> Row[Any]:
        """The same. Raises NotFound for every other."""
        row = self.find(petition_id)
        if row is None:
            raise NotFound(Sentence("There is no such petition open for signatures."))
        return row

    def page(self, municipality: str, page: int, size: int) -> tuple[list[Plain], int]:
        """One page of a municipality's petitions that were opened for signatures, the newest first."""
        mine = (
            PETITIONS.c.municipality == municipality,
            PETITIONS.c.public_title.is_not(None),
            PETITIONS.c.stage.in_(PUBLIC),
        )
        total = self._connection.execute(select(func.count()).select_from(PETITIONS).where(*mine)).scalar_one()
        rows = self._connection.execute(
            _public()
            .where(*mine)
            .order_by(PETITIONS.c.created_at.desc(), PETITIONS.c.id)
            .offset((page - 1) * size)
            .limit(size)
        ).all()
        numbers = supporters_of(self._connection, [row.id for row in rows])
        return [petition_shown(row, numbers.get(row.id, 0)) for row in rows], total

    # signatures

    def sign(self, petition_id: str, asked: Asked, secret: bytes, now: datetime) -> tuple[str, bool]:
        """Note the wish to sign; the signature's id, and whether a mail may go out.

        An account counts at once, also where the same person's address waits for confirmation. Whoever
        signed before is the same signature again.
        """
        if asked.account_hash is not None:
            return self._by_account(petition_id, asked, secret, now), False
        known = self._insert(petition_id, asked, secret, now, PENDING)
        if isinstance(known, str):
            return known, True
        if not may_write_again(known.asked_at, known.asks, now):
            return known.id, False
        asks = 1 if now - known.asked_at >= KEPT else known.asks + 1
        self._change(known.id, email=asked.email, language=asked.language, asked_at=now, asks=asks)
        return known.id, True

    def _by_account(self, petition_id: str, asked: Asked, secret: bytes, now: datetime) -> str:
        known = self._insert(petition_id, asked, secret, now, CONFIRMED)
        if isinstance(known, str):
            return known
        # What is known of the one stays; the hash of the other may belong to a signature of its own.
        if known.account_hash is None:
            self._change(known.id, account_hash=asked.account_hash)
        if known.state != CONFIRMED:
            self.confirm(known.id, now)
        found: str = known.id
        return found

    def _insert(self, petition_id: str, asked: Asked, secret: bytes, now: datetime, state: str) -> str | Row[Any]:
        """The id of a new signature, or the one that is there already, held for the transaction."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        made = str(uuid.uuid4())
        row = {
            "id": made,
            "petition_id": petition_id,
            "state": state,
            "mail_hash": asked.mail_hash,
            "account_hash": asked.account_hash,
            "token_hash": token_hash(token_of(secret, made)),
            "email": asked.email if state == PENDING else None,
            "language": asked.language,
            "asked_at": now,
            "asks": 1,
            "confirmed_at": now if state == CONFIRMED else None,
        }
        statement = dialect.insert(SUPPORT.supports).values(row).on_conflict_do_nothing()
        if self._connection.execute(statement.returning(SUPPORT.supports.c.id)).one_or_none() is not None:
            return made
        supports = SUPPORT.supports.c
        mine = [
            column == value
            for column, value in ((supports.account_hash, asked.account_hash), (supports.mail_hash, asked.mail_hash))
            if value is not None
        ]
        for same in mine:
            statement = select(SUPPORT.supports).where(supports.petition_id == petition_id, same).with_for_update()
            known = self._connection.execute(statement).one_or_none()
            if known is not None:
                return known
        # Taken back between the two statements: the next try finds the place free.
        return self._insert(petition_id, asked, secret, now, state)

    def _change(self, support_id: str, **values: Any) -> None:
        self._connection.execute(update(SUPPORT.supports).where(SUPPORT.supports.c.id == support_id).values(values))

    def of_token(self, token: str, now: datetime, *, to_change: bool = False) -> Row[Any]:
        """The signature that a token speaks for. Raises NotFound for an unknown or outdated token."""
        supports = SUPPORT.supports.c
        statement = select(SUPPORT.supports).where(supports.token_hash == token_hash(token))
        row = self._connection.execute(statement.with_for_update() if to_change else statement).one_or_none()
        if row is None or (row.state == PENDING and row.asked_at <= now - KEPT):
            raise NotFound(Sentence("This link is not valid any more. Sign the petition again to get a new one."))
        return row

    def confirm(self, support_id: str, now: datetime) -> None:
        """Let the signature count."""
        self._change(support_id, state=CONFIRMED, confirmed_at=now, email=None)

    def withdraw(self, support_id: str) -> None:
        """Erase the signature."""
        self._connection.execute(delete(SUPPORT.supports).where(SUPPORT.supports.c.id == support_id))

    def contact(self, support_id: str, now: datetime) -> Plain | None:
        """Where the mail for a signature goes: {email, language, token, number, title}; None when nobody waits."""
        supports = SUPPORT.supports.c
        row = self._connection.execute(
            select(supports.id, supports.email, supports.language, PETITIONS.c.number, PETITIONS.c.public_title)
            .join(PETITIONS, PETITIONS.c.id == supports.petition_id)
            .where(supports.id == support_id, supports.email.is_not(None), supports.asked_at > now - KEPT)
        ).one_or_none()
        return row and {
            "email": row.email,
            "language": row.language,
            "token": token_of(self.secret(), row.id),
            "number": row.number,
            "title": row.public_title,
        }

    def clear(self, now: datetime) -> int:
        """Erase signatures that nobody confirmed in time, and addresses that no mail goes to any more; how many."""
        supports = SUPPORT.supports.c
        old = (
            select(supports.id)
            .where(supports.email.is_not(None), supports.asked_at <= now - KEPT)
            .limit(_CLEARED_AT_ONCE)
        )
        ids = self._connection.execute(old.with_for_update(skip_locked=True)).scalars().all()
        mine = supports.id.in_(ids)
        self._connection.execute(delete(SUPPORT.supports).where(mine, supports.state == PENDING))
        self._connection.execute(update(SUPPORT.supports).where(mine).values(email=None))
        return len(ids)


def supporters_of(connection: Connection, petition_ids: Sequence[str]) -> Mapping[str, int]:
    """How many signed each of the petitions; those that nobody signed are left out."""
    if not petition_ids:
        return {}
    supports = SUPPORT.supports.c
    rows = connection.execute(
        select(supports.petition_id, func.count().label("n"))
        .where(supports.petition_id.in_(petition_ids), supports.state == CONFIRMED)
        .group_by(supports.petition_id)
    )
    return {row.petition_id: row.n for row in rows}


def petition_shown(row: Row[Any], supporters: int) -> Plain:
    """A SupportedPetitionAnswer: the petitioner's own public words, never who wrote or signed them."""
    return {
        "id": row.id,
        "municipality": row.municipality,
        "kind": row.kind,
        "title": row.public_title,
        "text": row.public_text,
        "stage": row.stage,
        "outcome": row.outcome,
        "filed_on": row.filed_on.isoformat(),
        "supporters": supporters,
        "open": row.stage in OPEN,
    }


def _public() -> Any:
    petitions = PETITIONS.c
    return select(
        petitions.id,
        petitions.version,
        petitions.municipality,
        petitions.municipality_name,
        petitions.kind,
        petitions.number,
        petitions.public_title,
        petitions.public_text,
        petitions.stage,
        petitions.outcome,
        petitions.filed_on,
        petitions.organisation_id,
        petitions.organisation_name,
        petitions.petitioner_type,
    ).where(petitions.public_title.is_not(None))
