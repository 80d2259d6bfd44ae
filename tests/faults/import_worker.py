"""Processes that work at imports, to be killed: `import_worker.py <database url>`.

Each line of input is a number of seconds; a child is forked that works with such a pause between its batches, and
its process id is written. A fork is there at once, where a new interpreter takes a second.
"""

from __future__ import annotations

import os
import signal
import sys

import eventlet

eventlet.monkey_patch()

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from services.registry.service.intake import Intake
from services.runtime.database import Database


class Nobody:
    """No organisation is anyone's partner."""

    def organisations(self, ids: Collection[str]) -> set[str]:  # noqa: ARG002 - the port's signature
        return set()

    def municipalities(self, codes: Collection[str]) -> set[str]:  # noqa: ARG002 - the port's signature
        return set()


def work(url: str, pause: float) -> None:
    """Work until this process is killed; small batches and a short lease, so that there is much to hit."""
    imports = Intake(
        Database(url),
        lambda: datetime.now(UTC),
        Nobody(),
        breathe=lambda: eventlet.sleep(pause),
        lease=timedelta(seconds=0.1),
        at_once=10,
    )
    while True:
        imports.run()
        eventlet.sleep(0.02)


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # killed children are not waited for
    for line in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            work(sys.argv[1], float(line))
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
