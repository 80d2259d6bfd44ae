"""What is kept of messages is forgotten in time; what still waits, and what is shown in İmece, never."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from machine import new_postgres
from sqlalchemy import func, insert, select

from services.notifications.adapters import upkeep
from services.notifications.adapters.tables import DELIVERIES, DIGESTS, METADATA, NOTICES, NOTIFICATIONS, PREFERENCES
from services.notifications.service import NotificationsService
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.migration import upgrade
from services.runtime.settings import Settings

NOW = datetime(2027, 9, 7, 9, tzinfo=UTC)
OLD, RECENT, LAST_YEAR = NOW - timedelta(days=400), NOW - timedelta(days=29), NOW - timedelta(days=364)


class Time:
    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def migrated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        made = Database(f"sqlite:///{tmp_path_factory.mktemp('upkeep') / 'notifications.sqlite'}")
        upgrade(made, "notifications")
        yield made
        made.close()
        return
    with new_postgres(request.getfixturevalue("postgres_server")) as url:
        made = Database(url)
        upgrade(made, "notifications")
        yield made
        made.close()


@pytest.fixture
def database(migrated: Database) -> Database:
    with migrated.write() as connection:
        for table in (DELIVERIES, DIGESTS, NOTICES, NOTIFICATIONS, PREFERENCES):
            connection.execute(METADATA.tables[table.name].delete())
    return migrated


def clean(database: Database) -> None:
    made: Any = NotificationsService()
    made.database, made.settings, made.time = database, replace(Settings(), messages_kept_days=365), Time()
    made.forget_old_messages()


def delivery(recipient: str, at: datetime, state: str = "sent", next_at: datetime | None = None) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "recipient": recipient, "channel": "mail", "occasion": "at_once", "notices": [],
        "state": state, "attempts": 1, "next_at": next_at, "created_at": at, "address_hash": "0" * 64,
    }  # fmt: skip


def notice(recipient: str, at: datetime, stream: str = "at_once", position: int = 1) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "recipient": recipient, "event_id": str(uuid.uuid4()),
        "notification_id": str(uuid.uuid4()), "position": position, "stream": stream, "created_at": at,
    }  # fmt: skip


def choice(recipient: str, *, mail: bool = True) -> dict[str, Any]:
    return {"recipient": recipient, "mail": mail, "streams": {}, "token": str(uuid.uuid4()), "version": 0}


def notification(at: datetime, position: int | None) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()), "office": "mayor@34-35", "event_id": str(uuid.uuid4()), "event": "x.y.v1",
        "subject_id": str(uuid.uuid4()), "reference": "", "template": "x", "params": {}, "created_at": at,
        "position": position,
    }  # fmt: skip


def put(database: Database, table: Any, *rows: dict[str, Any]) -> list[str]:
    with database.write() as connection:
        for row in rows:
            connection.execute(insert(table).values(row))
    return [str(row.get("id") or row.get("recipient")) for row in rows]


def left(database: Database, column: Any) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(column)).scalars())


def test_old_messages_are_forgotten_in_batches_and_those_that_wait_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 2)
    for state in ("sent", "suppressed", "failed", "sent", "sent"):
        put(database, DELIVERIES, delivery("person@1", OLD, state))
    kept = put(
        database, DELIVERIES,
        delivery("person@1", OLD, "waiting", OLD), delivery("person@1", OLD, "sending", NOW), delivery("person@1", LAST_YEAR),
    )  # fmt: skip
    clean(database)
    assert set(kept) == left(database, DELIVERIES.c.id)


def test_a_delivery_knows_its_address_no_longer_than_it_can_bounce(database: Database) -> None:
    recent, waiting, past = put(
        database, DELIVERIES,
        delivery("person@1", RECENT), delivery("person@1", LAST_YEAR, "waiting", NOW), delivery("person@1", LAST_YEAR),
    )  # fmt: skip
    clean(database)
    with database.read() as connection:
        rows = connection.execute(select(DELIVERIES.c.id, DELIVERIES.c.address_hash)).all()
    assert {recent: "0" * 64, waiting: "0" * 64, past: None} == {row.id: row.address_hash for row in rows}


def test_old_notices_go_but_for_those_that_somebody_still_gets(database: Database) -> None:
    put(database, NOTICES, notice("person@1", OLD), notice("person@2", OLD, "weekly", 3))
    gathered, on_its_way, recent = put(
        database, NOTICES,
        notice("person@2", OLD, "weekly", 5), notice("person@3", OLD), notice("person@4", LAST_YEAR),
    )  # fmt: skip
    put(database, DIGESTS, {"recipient": "person@2", "stream": "weekly", "position": 4, "oldest_at": OLD})
    put(database, DELIVERIES, delivery("person@3", OLD, "waiting", OLD))
    clean(database)
    assert {gathered, on_its_way, recent} == left(database, NOTICES.c.id)


def test_choices_of_people_without_an_account_go_with_the_last_that_is_known_of_them(database: Database) -> None:
    put(database, PREFERENCES, choice("petitioner@1"), choice("supporter@2"))
    kept = put(
        database, PREFERENCES,
        choice("person@1"), choice("petitioner@3"), choice("supporter@4"), choice("petitioner@5", mail=False),
    )  # fmt: skip
    put(database, NOTICES, notice("petitioner@1", OLD), notice("petitioner@3", LAST_YEAR))
    put(database, DELIVERIES, delivery("supporter@2", OLD), delivery("supporter@4", LAST_YEAR))
    clean(database)
    assert set(kept) == left(database, PREFERENCES.c.recipient), "whoever stopped the mails gets none later either"


def test_what_is_shown_in_imece_stays(database: Database) -> None:
    put(database, NOTIFICATIONS, notification(OLD, 1))
    clean(database)
    with database.read() as connection:
        assert 1 == connection.execute(select(func.count()).select_from(NOTIFICATIONS)).scalar_one()


def test_the_age_of_what_waits_is_measured_wherever_it_waits(database: Database) -> None:
    def readings() -> tuple[float, float]:
        found = {name: value for name, _, _, value in NotificationsService.readings(database)}
        return found["imece_notices_oldest_seconds"], found["imece_deliveries_put_off_seconds"]

    now = TIME.now()
    assert (0.0, 0.0) == readings()
    put(database, NOTIFICATIONS, notification(now - timedelta(seconds=500), 7))
    assert 500 == pytest.approx(readings()[0], abs=60), "behind the cursor"
    put(database, NOTIFICATIONS, notification(now - timedelta(seconds=900), None))
    assert 900 == pytest.approx(readings()[0], abs=60), "without a place"
    put(database, DELIVERIES, delivery("person@1", now - timedelta(hours=5), "waiting", now + timedelta(hours=1)))
    assert 5 * 3600 == pytest.approx(readings()[1], abs=60), "whatever its attempts"
