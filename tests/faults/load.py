"""Many clients that move many files at once and never give up."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import eventlet
import requests
from harness import Client, System, until
from sqlalchemy import select, text

from services.notifications.adapters.tables import NOTIFICATIONS
from services.runtime.outbox import OUTBOX

STEPS = {
    "drafting": ("unit", "submit_to_mayor", {}),
    "mayor_review": ("mayor", "return_to_drafting", {"reason": "deneme"}),
}
PATIENCE_SECONDS = 60


@dataclass
class Load:
    """What the clients did: accepted moves by file, and how each request ended."""

    system: System
    wanted: int
    cases: list[dict[str, Any]]
    accepted: Counter[str] = field(default_factory=Counter)
    endings: Counter[int] = field(default_factory=Counter)

    @property
    def done(self) -> int:
        return sum(self.accepted.values())

    def __post_init__(self) -> None:
        for office in ("unit", "mayor"):
            self.system.client(office)

    def run(self, clients: int) -> None:
        threads = [eventlet.spawn(self._client, number) for number in range(clients)]
        for thread in threads:
            thread.wait()

    def _client(self, number: int) -> None:
        own = {name: Client(self.system.url, None) for name in ("unit", "mayor")}
        for name, client in own.items():
            client.session.headers["Authorization"] = self.system.client(name).session.headers["Authorization"]
        turn = number
        while self.done < self.wanted:
            case = self.cases[turn % len(self.cases)]["id"]
            turn += 1
            self._move(own, case)

    def _move(self, own: dict[str, Client], case: str) -> None:
        """One move by its key until it is known to have happened or to be someone else's."""
        seen = self._persist(own["unit"], "GET", f"/protocols/{case}", None, None, None)
        office, move, fields = STEPS[seen.body["stage"]]
        key = str(uuid.uuid4())
        answer = self._persist(
            own[office], "POST", f"/protocols/{case}/moves/{move}", fields, seen.body["version"], key
        )
        if answer.status == 200:
            self.accepted[case] += 1
        else:
            # 412 or 409: another client was faster.
            assert answer.status in (409, 412), f"{answer.status} {answer.body}"

    def _persist(self, client: Client, method: str, path: str, body: Any, version: int | None, key: str | None) -> Any:
        headers = {"Idempotency_Key": key} if key else {}
        for _ in range(PATIENCE_SECONDS * 4):
            try:
                answer = client.ask(method, path, body, version=version, **headers)
            except requests.RequestException:
                self.endings[0] += 1
            else:
                self.endings[answer.status] += 1
                if answer.status < 500:
                    return answer
                assert answer.status == 503, f"{answer.status} {answer.body}"
            eventlet.sleep(0.25)
        message = f"no answer to {method} {path} within {PATIENCE_SECONDS} s"
        raise AssertionError(message)


OFFICES_TOLD = {"submit_to_mayor": 2, "return_to_drafting": 2}
"""How many offices hear of each of the moves: the next one and the organisation; nobody hears of its own act."""


def check(load: Load, events_before: int) -> None:
    """No update lost, no act made twice, every event notified and none doubled."""
    system = load.system
    for case in load.cases:
        seen = system.client("unit").get(f"/protocols/{case['id']}")
        assert case["version"] + load.accepted[case["id"]] == seen["version"]
    assert events_before + load.done == moved_events(system)
    until(lambda: wrongly_told(system) == {}, PATIENCE_SECONDS)
    assert "Every history is whole." in system.command("audit", "verify")


def moved_events(system: System) -> int:
    with system.database("protocols").read() as connection:
        return int(
            connection.execute(text("SELECT count(*) FROM outbox WHERE name = 'protocol.moved.v1'")).scalar_one()
        )


def wrongly_told(system: System) -> dict[str, tuple[int, int]]:
    """Moves of which too few or too many offices were told: event → (expected, found)."""
    with system.database("protocols").read() as connection:
        happened = connection.execute(
            select(OUTBOX.c.event_id, OUTBOX.c.data).where(OUTBOX.c.name == "protocol.moved.v1")
        ).all()
    with system.database("notifications").read() as connection:
        told = Counter(connection.execute(select(NOTIFICATIONS.c.event_id)).scalars())
    expected = {row.event_id: OFFICES_TOLD[row.data["move"]] for row in happened if row.data["move"] in OFFICES_TOLD}
    return {event: (many, told[event]) for event, many in expected.items() if told[event] != many}
