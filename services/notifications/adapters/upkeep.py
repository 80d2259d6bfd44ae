"""What is known of messages is forgotten in time; and how old what waits is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, or_, select, update

from services.kernel.actor import PETITIONER
from services.notifications.adapters.post import CURSOR
from services.notifications.adapters.tables import DELIVERIES, DIGESTS, NOTICES, NOTIFICATIONS, PREFERENCES, RUNTIME
from services.notifications.domain.audience import SUPPORTER
from services.runtime.database import Database

AT_ONCE = 500
"""Rows that one transaction touches."""

Forget = Callable[[Connection, datetime], int]
"""Forget some of what is older than the moment; returns how many rows."""

_FINAL = DELIVERIES.c.next_at.is_(None)


def forget_addresses(connection: Connection, before: datetime) -> int:
    """Deliveries made before then no longer know the fingerprint of their address."""
    which = (
        select(DELIVERIES.c.id)
        .where(DELIVERIES.c.address_hash.is_not(None), DELIVERIES.c.created_at < before, _FINAL)
        .limit(AT_ONCE)
    )
    statement = update(DELIVERIES).where(DELIVERIES.c.id.in_(which), _FINAL).values(address_hash=None)
    return connection.execute(statement).rowcount


def forget_deliveries(connection: Connection, before: datetime) -> int:
    """Remove deliveries made before then; not those that still wait."""
    which = (
        select(DELIVERIES.c.id)
        .where(DELIVERIES.c.created_at < before, _FINAL)
        .order_by(DELIVERIES.c.created_at)
        .limit(AT_ONCE)
    )
    return connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id.in_(which), _FINAL)).rowcount


def forget_notices(connection: Connection, before: datetime) -> int:
    """Remove notices made before then; not those that wait for a digest or whose reader has a message on its way."""
    gathered = exists().where(
        DIGESTS.c.recipient == NOTICES.c.recipient,
        DIGESTS.c.stream == NOTICES.c.stream,
        DIGESTS.c.position < NOTICES.c.position,
        DIGESTS.c.oldest_at.is_not(None),
    )
    on_its_way = exists().where(DELIVERIES.c.recipient == NOTICES.c.recipient, DELIVERIES.c.next_at.is_not(None))
    which = (
        select(NOTICES.c.id)
        .where(NOTICES.c.created_at < before, ~gathered, ~on_its_way)
        .order_by(NOTICES.c.created_at)
        .limit(AT_ONCE)
    )
    return connection.execute(delete(NOTICES).where(NOTICES.c.id.in_(which))).rowcount


def forget_strangers(connection: Connection, _before: datetime) -> int:
    """Remove the choices of petitioners and signatories of whom nothing else is left.

    One that stopped the mails stays: what its owner said holds as long as there may be something to send.
    """
    told = exists().where(NOTICES.c.recipient == PREFERENCES.c.recipient)
    written_to = exists().where(DELIVERIES.c.recipient == PREFERENCES.c.recipient)
    without_account = or_(*(PREFERENCES.c.recipient.like(f"{office}@%") for office in (PETITIONER, SUPPORTER)))
    which = (
        select(PREFERENCES.c.recipient)
        .where(without_account, PREFERENCES.c.mail.is_(True), ~told, ~written_to)
        .limit(AT_ONCE)
    )
    gone = delete(PREFERENCES).where(PREFERENCES.c.recipient.in_(which), PREFERENCES.c.mail.is_(True))
    return connection.execute(gone).rowcount


def oldest_waiting(database: Database, now: datetime) -> tuple[float, float]:
    """Ages in seconds: of the oldest notification that people were not told of, and of the oldest message that waits.

    A message is as old as it is, however often it was put off.
    """
    cursor = select(RUNTIME.cursors.c.position).where(RUNTIME.cursors.c.consumer == CURSOR).scalar_subquery()
    placed = NOTIFICATIONS.c.position
    statements: list[Any] = [
        select(func.min(NOTIFICATIONS.c.created_at)).where(placed.is_(None)),
        # Places follow time, but for what commits at the same moment.
        select(NOTIFICATIONS.c.created_at).where(placed > cursor).order_by(placed).limit(1),
        select(func.min(DELIVERIES.c.created_at)).where(DELIVERIES.c.next_at.is_not(None)),
    ]
    with database.read() as connection:
        found = [connection.execute(each).scalar() for each in statements]
    unplaced, behind, message = ((now - each).total_seconds() if each else 0.0 for each in found)
    return max(0.0, unplaced, behind), max(0.0, message)
