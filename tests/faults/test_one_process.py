"""Embedded mode killed, restarted and starved of disk."""

from __future__ import annotations

import json
import random
import resource
from pathlib import Path

import eventlet
import pytest
from harness import System, embedded_system, until
from load import Load, check, moved_events
from sqlalchemy import text


@pytest.fixture
def single(tmp_path: Path):
    with embedded_system(tmp_path, IMECE_RETRY_DELAYS="0.2,0.5,1") as system:
        yield system


def test_a_process_killed_at_random_moments_loses_nothing_and_repeats_nothing(single: System) -> None:
    before = moved_events(single)
    load = Load(single, 150, [single.draft() for _ in range(8)])
    running = eventlet.spawn(load.run, 6)
    for _ in range(3):
        eventlet.sleep(random.uniform(0.3, 1.2))
        single.kill("run")
        single.start_one("run")
        single.wait_until_ready()
    running.wait()
    check(load, before)


def test_what_was_committed_but_not_handled_is_handled_after_the_restart(single: System) -> None:
    case = single.client("unit").move(single.draft(), "submit_to_mayor")
    until(lambda: notified(single, case["id"]) == 2)
    single.kill("run")
    # As if the process had died between the commit and the delivery of its last event.
    with single.database("notifications").write() as connection:
        connection.execute(text("DELETE FROM notifications WHERE event = 'protocol.moved.v1'"))
        connection.execute(text("DELETE FROM inbox WHERE consumer LIKE '%protocol.moved%'"))
        connection.execute(text("DELETE FROM cursors WHERE consumer = 'notifications.on.protocols'"))
    single.start_one("run")
    single.wait_until_ready()
    until(lambda: notified(single, case["id"]) == 2)


def notified(system: System, subject: str) -> int:
    with system.database("notifications").read() as connection:
        return int(
            connection.execute(
                text("SELECT count(DISTINCT event_id) FROM notifications WHERE subject_id = :s"),
                {"s": subject.replace("-", "")},
            ).scalar_one()
        )


def test_a_full_disk_refuses_clearly_and_leaves_nothing_half_written(single: System) -> None:
    case = single.draft()
    process = single.processes["run"][0]
    size = max(each.stat().st_size for each in single.folder.glob("*.sqlite*"))
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size // 2, resource.RLIM_INFINITY))
    refused = single.client("unit").ask("POST", f"/protocols/{case['id']}/moves/submit_to_mayor", {}, version=1)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert 503 == refused.status, json.dumps(refused.body)
    assert 1 == single.client("unit").get(f"/protocols/{case['id']}")["version"]
    assert "mayor_review" == single.client("unit").move(case, "submit_to_mayor")["stage"]
    assert "Every history is whole." in single.command("audit", "verify")
