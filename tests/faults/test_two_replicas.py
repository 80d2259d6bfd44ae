"""Two replicas of every service: nothing is lost and nothing happens twice, whatever is killed."""

from __future__ import annotations

import subprocess

import eventlet
import pytest
from harness import System
from load import Load, check, moved_events

CLIENTS = 16
FILES = 40


def _load(system: System, wanted: int) -> tuple[Load, int]:
    cases = [system.draft() for _ in range(FILES)]
    return Load(system, wanted, cases), moved_events(system)


def test_a_thousand_moves_by_sixteen_clients_lose_no_update(doubled: System) -> None:
    load, before = _load(doubled, 1000)
    load.run(CLIENTS)
    assert load.done >= 1000
    check(load, before)


def _restart_broker() -> None:
    """Stop RabbitMQ for a few seconds and start it again."""
    for command in ("stop_app", "start_app"):
        done = subprocess.run(["rabbitmqctl", "-q", command], capture_output=True, check=False, text=True)
        if done.returncode != 0:
            pytest.fail(f"rabbitmqctl {command}: {done.stderr}")
        eventlet.sleep(2)


def test_the_broker_restarted_in_the_middle_loses_nothing(doubled: System) -> None:
    load, before = _load(doubled, 400)
    running = eventlet.spawn(load.run, CLIENTS)
    eventlet.sleep(2)
    eventlet.tpool.execute(_restart_broker) if hasattr(eventlet, "tpool") else _restart_broker()
    running.wait()
    check(load, before)


@pytest.mark.parametrize("service", ["notifications", "protocols"])
def test_a_process_killed_in_the_middle_loses_nothing(doubled: System, service: str) -> None:
    load, before = _load(doubled, 300)
    running = eventlet.spawn(load.run, CLIENTS)
    eventlet.sleep(1.5)
    doubled.kill(service)
    doubled.start_one(service)
    eventlet.sleep(1)
    doubled.kill(service)
    doubled.start_one(service)
    running.wait()
    check(load, before)
