"""Two replicas of every service: nothing is lost and nothing happens twice, whatever is killed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

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


def _in_the_middle(load: Load, cut: Callable[[], None]) -> None:
    """Make the moves, and `cut` when a third of them is done."""
    running = eventlet.spawn(load.run, CLIENTS)
    while load.done < load.wanted // 3:
        eventlet.sleep(0.05)
    cut()
    assert load.done < load.wanted, "the moves were over before the cut"
    running.wait()


def test_the_broker_restarted_in_the_middle_loses_nothing(doubled: System) -> None:
    load, before = _load(doubled, 500)
    _in_the_middle(load, _restart_broker)
    assert load.endings[503] > 0, "nobody noticed the broker's absence"
    check(load, before)


@pytest.mark.parametrize(("service", "moves"), [("notifications", 300), ("protocols", 300)])
def test_a_process_killed_in_the_middle_loses_nothing(doubled: System, service: str, moves: int) -> None:
    load, before = _load(doubled, moves)

    def kill() -> None:
        for _ in range(2):
            doubled.kill(service)
            doubled.start_one(service)
            eventlet.sleep(0.5)

    _in_the_middle(load, kill)
    check(load, before)
