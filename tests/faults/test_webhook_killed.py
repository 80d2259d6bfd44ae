"""The whole process killed while a receiver answers: the same delivery comes again, the rest follows in order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from harness import Client, embedded_system, until
from receiver import receiving
from sqlalchemy import update

from services.notifications.adapters.tables import WEBHOOKS


def test_a_delivery_under_way_comes_again_with_its_id_after_a_kill_and_nothing_is_skipped(tmp_path: Path) -> None:
    with receiving(tmp_path) as receiver, embedded_system(tmp_path) as system:
        unit = system.client("unit")
        body = {"url": receiver.url("/slow/1"), "events": ["protocol.drafted.v1", "protocol.moved.v1"]}
        webhook = unit.post("/webhooks", body)
        drafted = unit.move(system.draft(), "submit_to_mayor")
        until(lambda: len(receiver.got) == 1)
        system.kill("run")
        with system.database("notifications").write() as connection:
            # As if the time of the dead process's lease had passed.
            connection.execute(update(WEBHOOKS).values(free_at=datetime.now(UTC)))
        system.start_one("run")
        system.wait_until_ready()
        until(lambda: unit.get(f"/webhooks/{webhook['id']}")["last_success_at"])
        until(lambda: len(receiver.got) == 3)
        first, again, last = receiver.got
        assert first["headers"]["Imece-Delivery"] == again["headers"]["Imece-Delivery"]
        assert (first["body"], drafted["id"]) == (again["body"], json.loads(first["body"])["subject_id"])
        assert ["protocol.drafted.v1", "protocol.moved.v1"] == [
            each["headers"]["Imece-Event"] for each in (again, last)
        ]
        until(lambda: {"delivered"} == _states(unit, webhook["id"]))


def _states(client: Client, webhook_id: str) -> set[str]:
    found = client.get(f"/webhooks/{webhook_id}/deliveries")["items"]
    return {each["state"] for each in found}
