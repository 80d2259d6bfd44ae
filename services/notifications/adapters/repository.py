"""Notifications, cases and organisations' news in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from services.contracts.subscriptions import queue_name
from services.notifications.adapters.tables import CASES, NEWS, NOTIFICATIONS
from services.notifications.application.telling import Page
from services.notifications.domain.case import Case
from services.notifications.domain.happening import Happening, Notification
from services.runtime import inbox
from services.runtime.database import POSTED

CONSUMER = "notifications"


class Repository:
    """Both ports of the application over one connection; the caller owns the transaction."""

    def __init__(self, connection: Connection) -> None:
        """Works inside the transaction of `connection`."""
        self._connection = connection
        self._dialect = connection.dialect.name

    def first_time(self, happening: Happening) -> bool:
        """True when this event was not heard before."""
        return inbox.first_time(self._connection, queue_name(CONSUMER, happening.event), happening.event_id)

    def tell(self, notifications: Sequence[Notification]) -> None:
        """Store all in one statement; one that is there already stays as it is. The commit wakes the dispatcher."""
        if notifications:
            self._connection.execute(_insert_all(self._dialect), [vars(each) for each in notifications]).close()
            self._connection.info[POSTED] = True

    def reference_of(self, office: str) -> str:
        """The reference of what this office was told last; empty when it was told nothing."""
        newest = (
            select(NOTIFICATIONS.c.reference)
            .where(NOTIFICATIONS.c.office == office)
            .order_by(NOTIFICATIONS.c.created_at.desc(), NOTIFICATIONS.c.id)
            .limit(1)
        )
        return str(self._connection.execute(newest).scalar() or "")

    def remember(self, case_: Case) -> None:
        """Keep what is newer of the case: the newest stage, and the earliest and latest times."""
        self._connection.execute(_upsert_case(self._dialect), vars(case_))

    def cases_of(self, organisation_id: str) -> Sequence[Case]:
        """All known cases with the organisation."""
        rows = self._connection.execute(select(CASES).where(CASES.c.organisation_id == organisation_id))
        return [Case(**row) for row in rows.mappings()]

    def keep_news(self, news: Happening) -> None:
        """Keep an organisation's news for cases that become known later."""
        row = vars(news) | {"organisation_id": news.data["organisation_id"]}
        self._connection.execute(_insert(self._dialect)(NEWS).on_conflict_do_nothing(), row)

    def news_of(self, organisation_id: str, since: datetime) -> Sequence[Happening]:
        """The organisation's news that happened at `since` or after, oldest first."""
        rows = self._connection.execute(
            select(*(column for column in NEWS.c if column is not NEWS.c.organisation_id))
            .where(NEWS.c.organisation_id == organisation_id, NEWS.c.occurred_at >= since)
            .order_by(NEWS.c.occurred_at, NEWS.c.event_id)
        )
        return [Happening(**row) for row in rows.mappings()]

    def alone_with(self, organisation_id: str) -> None:
        """Let nobody else work on the organisation's news until the transaction ends.

        Without it a draft and a status that commit at the same time would not see each other.
        SQLite has one writer anyway.
        """
        if self._dialect == "postgresql":
            key = func.hashtextextended(organisation_id, 0)
            self._connection.execute(select(func.pg_advisory_xact_lock(key)))

    def page(self, offices: Sequence[str], *, page: int, size: int, unread: bool) -> Page:
        """A page of what these were told, newest first."""
        own = NOTIFICATIONS.c.office.in_(list(offices))
        not_read = own & NOTIFICATIONS.c.read_at.is_(None)
        total, unread_total = self._connection.execute(
            select(func.count(), func.count().filter(NOTIFICATIONS.c.read_at.is_(None)))
            .select_from(NOTIFICATIONS)
            .where(own)
        ).one()
        rows = self._connection.execute(
            select(NOTIFICATIONS)
            .where(not_read if unread else own)
            .order_by(NOTIFICATIONS.c.created_at.desc(), NOTIFICATIONS.c.id)
            .limit(size)
            .offset((page - 1) * size)
        )
        items = [Notification(**row) for row in rows.mappings()]
        return Page(items=items, total=unread_total if unread else total, unread=unread_total)

    def mark_read(self, offices: Sequence[str], notification_id: str, now: datetime) -> Notification | None:
        """Their notification, read now or before; None when they have none of this id."""
        row = (
            self._connection.execute(
                update(NOTIFICATIONS)
                .where(NOTIFICATIONS.c.id == notification_id, NOTIFICATIONS.c.office.in_(list(offices)))
                .values(read_at=func.coalesce(NOTIFICATIONS.c.read_at, now))
                .returning(NOTIFICATIONS)
            )
            .mappings()
            .one_or_none()
        )
        return None if row is None else Notification(**row)


def _insert(dialect: str) -> Any:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


@cache
def _insert_all(dialect: str) -> Any:
    # RETURNING makes SQLAlchemy send all rows in one statement that it need not compile again.
    return _insert(dialect)(NOTIFICATIONS).on_conflict_do_nothing().returning(NOTIFICATIONS.c.id)


@cache
def _upsert_case(dialect: str) -> Any:
    insert = _insert(dialect)(CASES)
    new = insert.excluded
    newer = new.version > CASES.c.version
    changed: dict[str, Any] = {
        column.name: case((newer, new[column.name]), else_=column)
        for column in CASES.c
        if column not in {CASES.c.protocol_id, CASES.c.first_at}
    }
    changed["first_at"] = case((new.first_at < CASES.c.first_at, new.first_at), else_=CASES.c.first_at)
    return insert.on_conflict_do_update(index_elements=[CASES.c.protocol_id], set_=changed)
