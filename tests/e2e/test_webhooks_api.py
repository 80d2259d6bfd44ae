"""Webhooks and dead letters over HTTP, on a whole İmece of each kind."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from harness import Client, System, free_port, until
from receiver import Receiver, receiving
from sqlalchemy import insert, select

from services.cli import main
from services.contracts.subscriptions import queue_name
from services.gateway import feed
from services.gateway.api.events import PRODUCERS
from services.notifications.adapters.tables import NOTIFICATIONS
from services.runtime import amqp
from services.runtime.amqp import Parcel, Publisher
from services.runtime.clockwork import TIME
from services.runtime.entrypoints import PARKED

HOW_TO = Path(__file__).resolve().parents[2] / "docs/how-to/webhooks.md"
MOVED = "protocol.moved.v1"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiving(tmp_path_factory.mktemp("receiver")) as made:
        yield made


@pytest.fixture
def unit(system: System) -> Iterator[Client]:
    """An office without webhooks."""
    client = system.client("unit")
    yield client
    for each in client.get("/webhooks")["items"]:
        assert 204 == client.ask("DELETE", f"/webhooks/{each['id']}").status


def made(client: Client, url: str, *events: str) -> dict[str, Any]:
    return dict(client.post("/webhooks", {"url": url, "events": list(events) or ["*"]}))


def test_what_happens_arrives_at_the_receiver_and_only_what_the_office_sees(
    system: System, unit: Client, receiver: Receiver
) -> None:
    receiver.forget()
    own = made(unit, receiver.url("/own"), "protocol.drafted.v1", MOVED)
    made(system.client("besiktas.unit"), receiver.url("/other"))
    drafted = system.draft()
    unit.move(drafted, "submit_to_mayor")
    got = until(lambda: len(found := [each for each in receiver.got if each["path"] == "/own"]) >= 2 and found)
    events = [json.loads(each["body"]) for each in got]
    assert [("protocol.drafted.v1", drafted["id"]), (MOVED, drafted["id"])] == [
        (each["name"], each["subject_id"]) for each in events
    ]
    assert events[0]["subject_version"] < events[1]["subject_version"]
    assert not [each for each in receiver.got if each["path"] == "/other" and drafted["id"] in each["body"]]
    shown = until(lambda: (one := unit.get(f"/webhooks/{own['id']}"))["last_success_at"] and not one["waiting"] and one)
    assert ("active", 0, False) == (shown["state"], shown["waiting"], "secret" in shown)
    log = unit.get(f"/webhooks/{own['id']}/deliveries")
    assert (2, {"delivered"}) == (log["total"], {each["state"] for each in log["items"]})
    for each in system.client("besiktas.unit").get("/webhooks")["items"]:
        system.client("besiktas.unit").ask("DELETE", f"/webhooks/{each['id']}")


def test_a_test_says_at_once_what_came_of_it_and_its_key_sends_none_twice(
    system: System, unit: Client, receiver: Receiver
) -> None:
    good, bad = made(unit, receiver.url("/good")), made(unit, receiver.url("/redirect"))
    receiver.forget()
    sent = unit.post(f"/webhooks/{good['id']}/test", status=200)
    assert ("webhook.tested.v1", "delivered", 200) == (sent["event"], sent["state"], sent["status"])
    failed = unit.post(f"/webhooks/{bad['id']}/test", status=200)
    assert ("failed", 302, "The receiver points elsewhere with status 302; that is not followed.") == (
        failed["state"], failed["status"], failed["cause"],
    )  # fmt: skip
    key = str(uuid.uuid4())
    once, again = (unit.post(f"/webhooks/{good['id']}/test", status=200, Idempotency_Key=key) for _ in range(2))
    assert once == again
    assert ["/good", "/redirect", "/good"] == [each["path"] for each in receiver.got]


def test_a_receiver_that_is_gone_switches_its_webhook_off_and_activation_brings_what_was_missed(
    system: System, unit: Client, receiver: Receiver
) -> None:
    gone = made(unit, receiver.url("/status/410"), MOVED)
    unit.move(system.draft(), "submit_to_mayor")
    off = until(lambda: (one := unit.get(f"/webhooks/{gone['id']}"))["state"] == "off" and one)
    assert "The receiver answered with status 410: it is gone." == off["switched_off_because"]
    for client in (unit, system.client("admin")):
        until(lambda c=client: [each for each in c.get("/notifications")["items"] if each["subject_id"] == gone["id"]])
    admin = system.client("admin")
    (letter,) = [each for each in admin.get("/dead-letters")["items"] if each["kind"] == "webhook"]
    assert ("unit_officer@34-35", MOVED, 1) == (letter["of"], letter["event"], letter["attempts"])
    on = unit.post(f"/webhooks/{gone['id']}/activation", status=200)
    assert ("active", None) == (on["state"], on["switched_off_because"])
    until(lambda: unit.get(f"/webhooks/{gone['id']}")["state"] == "off")
    assert letter["id"] == admin.post(f"/dead-letters/{letter['id']}/redrive", status=200)["id"]


REFUSED = {
    "http://example.org/": "The address must begin with https://.",
    "https://10.0.0.1/": "10.0.0.1 leads into a network that webhooks may not reach.",
    "https://169.254.169.254/latest": "169.254.169.254 leads into a network that webhooks may not reach.",
    "https://[::1]/": "::1 leads into a network that webhooks may not reach.",
    "https://user@example.org/": "The address may not hold a user name or a password.",
    "https://example.org/#a": "The address may not have a part behind #.",
    "https://no.such.invalid/": "There is no address for no.such.invalid.",
}


def test_addresses_inside_the_network_and_misleading_ones_are_refused(unit: Client) -> None:
    for url, expected in REFUSED.items():
        answer = unit.ask("POST", "/webhooks", {"url": url, "events": ["*"]})
        # An address of numbers needs no resolver; a name may not be found at all where the tests run.
        said = answer.body["errors"][0]["message"]
        assert 422 == answer.status
        assert said == expected or (url.startswith("http://") and "no address" in said), url


def test_only_known_events_can_be_wanted(unit: Client, receiver: Receiver) -> None:
    answer = unit.ask("POST", "/webhooks", {"url": receiver.url(), "events": ["protocol.dreamt.v1"]})
    assert (422, "events.0") == (answer.status, answer.body["errors"][0]["field"])


def test_the_same_key_makes_one_webhook(unit: Client, receiver: Receiver) -> None:
    body, key = {"url": receiver.url(), "events": ["*"]}, str(uuid.uuid4())
    one, two = (unit.post("/webhooks", body, Idempotency_Key=key) for _ in range(2))
    assert (one, 1) == (two, unit.get("/webhooks")["total"])


def test_a_webhook_is_its_offices_alone(system: System, unit: Client, receiver: Receiver) -> None:
    own = made(unit, receiver.url())
    for client in (system.client("besiktas.unit"), system.client("mayor"), system.client("admin")):
        asked = [
            client.ask("GET", f"/webhooks/{own['id']}"),
            client.ask("GET", f"/webhooks/{own['id']}/deliveries"),
            client.ask("POST", f"/webhooks/{own['id']}/test"),
            client.ask("POST", f"/webhooks/{own['id']}/activation"),
            client.ask("DELETE", f"/webhooks/{own['id']}"),
        ]
        assert {404} == {answer.status for answer in asked}
    assert 403 == system.client("auditor").ask("POST", "/webhooks", {"url": receiver.url(), "events": ["*"]}).status


def test_an_office_may_try_out_its_webhooks_ten_times_a_minute(system: System, receiver: Receiver) -> None:
    neighbour = system.client("besiktas.unit")
    path = f"/webhooks/{uuid.uuid4()}/test"
    answers = [neighbour.ask("POST", path) for _ in range(12)]
    assert {404, 429} == {each.status for each in answers}
    refused = answers[-1]
    assert (429, "throttled") == (refused.status, refused.body["code"])
    assert 1 <= int(refused.headers["Retry-After"]) <= 6


def test_the_receiver_of_the_how_to_takes_what_is_genuine_and_nothing_else(
    system: System, unit: Client, tmp_path: Path
) -> None:
    (example,) = re.findall(r"(?ms)^```python\n(.*?)^```", HOW_TO.read_text())
    (tmp_path / "receiver.py").write_text(example)
    port = free_port()
    own = made(unit, f"http://127.0.0.1:{port}/imece", "petition.submitted.v1")
    environment = os.environ | {"WEBHOOK_SECRET": own["secret"]}
    with subprocess.Popen(
        [sys.executable, "receiver.py", str(port)], cwd=tmp_path, env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            until(lambda: unit.ask("POST", f"/webhooks/{own['id']}/test").body.get("status") == 204)
            assert process.stdout is not None
            assert f"webhook.tested.v1 {own['id']} 1" == process.stdout.readline().decode().strip()
            receiver = Client(f"http://127.0.0.1:{port}", None)
            forged = {"Imece-Timestamp": str(int(time.time())), "Imece-Signature": "v1=" + "0" * 64}
            assert [401, 401] == [
                receiver.session.post(receiver.url, data=b"{}", headers=headers).status_code for headers in (forged, {})
            ]
        finally:
            process.kill()


def test_a_dead_letter_is_listed_and_redriven_in_both_modes(system: System) -> None:
    """An event of a file that notifications has not heard of; redriven, it is handled."""
    admin = system.client("admin")
    drafted = system.draft()
    event = next(
        each
        for each in reversed(_feed(system))
        if each["name"] == "protocol.drafted.v1" and each["subject_id"] == drafted["id"]
    )
    envelope = {name: value for name, value in event.items() if name != "cursor"} | {"id": str(uuid.uuid4())}
    queue = queue_name("notifications", envelope["name"])
    _give_up(system, queue, envelope)
    found = until(lambda: [e for e in admin.get("/dead-letters")["items"] if e["event_id"] == envelope["id"]])
    assert [("event", queue, "LookupError: x")] == [(each["kind"], each["of"], each["cause"]) for each in found]
    assert 404 == admin.ask("POST", f"/dead-letters/{uuid.uuid4()}/redrive").status
    admin.post(f"/dead-letters/{found[0]['id']}/redrive", status=200)
    until(lambda: not [e for e in admin.get("/dead-letters")["items"] if e["event_id"] == envelope["id"]])
    assert until(lambda: _offices_told(system, envelope["id"]))


def test_the_command_lists_and_redrives_too(system: System) -> None:
    admin = system.client("admin")
    drafted = system.draft()
    event = next(each for each in reversed(_feed(system)) if each["subject_id"] == drafted["id"])
    envelope = {name: value for name, value in event.items() if name != "cursor"} | {"id": str(uuid.uuid4())}
    _give_up(system, queue_name("notifications", envelope["name"]), envelope)
    for command in (["dead-letters"], ["dead-letters", "list", "--limit", "1000"]):
        (line,) = [each for each in _command(system, *command).splitlines() if envelope["name"] in each]
    found, kind, queue, name, attempts, _, cause = line.split("  ")
    assert ("event", queue_name("notifications", name), "6", "LookupError: x") == (kind, queue, attempts, cause)
    assert "tried again" in _command(system, "dead-letters", "redrive", found)
    assert "no such dead letter" in _command(system, "dead-letters", "redrive", str(uuid.uuid4()), expected=1)
    until(lambda: not [e for e in admin.get("/dead-letters")["items"] if e["event_id"] == envelope["id"]])


def _command(system: System, *arguments: str, expected: int = 0) -> str:
    """The command in this process, which spares its start."""
    unset: dict[str, str | None] = {name: None for name in os.environ if name.startswith("IMECE_")}
    done = CliRunner().invoke(main, arguments, env=unset | system.environment, prog_name="imece")
    assert expected == done.exit_code, done.output
    return done.output


@pytest.mark.parametrize("office", ["unit", "auditor", "registrar"])
def test_dead_letters_are_the_administrators(system: System, office: str) -> None:
    client = system.client(office)
    answers = [client.ask("GET", "/dead-letters"), client.ask("POST", f"/dead-letters/{uuid.uuid4()}/redrive")]
    assert [(403, "wrong_office")] * 2 == [(answer.status, answer.code) for answer in answers]


def test_a_cursor_from_before_petitions_goes_on(system: System) -> None:
    """It was written when there were two producers, and knows their places alone."""
    unit = system.client("unit")
    positions = feed.read_cursor(unit.get("/events?limit=500")["items"][-1]["cursor"], PRODUCERS)
    old = feed.write_cursor({name: positions[name] for name in ("registry", "protocols")})
    answer = unit.ask("GET", f"/events?after={old}")
    assert (200, positions["protocols"]) == (
        answer.status, min(feed.read_cursor(answer.body["next"], PRODUCERS)["protocols"], positions["protocols"]),
    )  # fmt: skip


def _offices_told(system: System, event_id: str) -> list[str]:
    with system.database("notifications").read() as connection:
        found = connection.execute(select(NOTIFICATIONS.c.office).where(NOTIFICATIONS.c.event_id == event_id))
        return list(found.scalars())


def _feed(system: System) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = system.client("auditor").get(f"/events?limit=500{cursor}")
        items += page["items"]
        if len(page["items"]) < 500:
            return items
        cursor = f"&after={page['next']}"


def _give_up(system: System, queue: str, envelope: dict[str, Any]) -> None:
    """As if the consumer had failed with it to the last try."""
    if system.distributed:
        publisher = Publisher(system.settings().amqp_url)
        headers = {"x-imece-cause": "LookupError: x", "x-imece-attempt": 5}
        publisher.publish([Parcel("", amqp.dead_name(queue), amqp.to_json(envelope), headers)])
        publisher.drop()
        return
    with system.database("notifications").write() as connection:
        connection.execute(
            insert(PARKED).values(
                consumer=queue, event_id=envelope["id"], envelope=envelope, cause="LookupError: x", attempts=6,
                retry_at=None, parked_at=TIME.now(),
            )
        )  # fmt: skip
