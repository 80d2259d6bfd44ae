"""Embedded mode: RPC by direct call and outboxes as queues, all in one process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from services.kernel.errors import Unavailable
from services.kernel.text import Sentence

Call = Callable[[dict[str, Any], str | None], str]
"""(arguments, correlation id) → the answer as it would travel, in JSON."""


class Switchboard:
    """Finds the method that answers a question, inside this process."""

    def __init__(self) -> None:
        """Nobody is connected yet."""
        self._lines: dict[tuple[str, str], Call] = {}

    def connect(self, service: str, method: str, call: Call) -> None:
        """`call` answers `service.method` from now on."""
        self._lines[service, method] = call

    def disconnect(self, service: str, method: str) -> None:
        """Nobody answers `service.method` any more."""
        self._lines.pop((service, method), None)

    def ask(self, service: str, method: str, arguments: dict[str, Any], correlation_id: str | None) -> dict[str, Any]:
        """The answer; Unavailable when nobody answers. Arguments and answer are copied through JSON, as on a wire."""
        line = self._lines.get((service, method))
        if line is None:
            raise Unavailable(Sentence("The service {service} is not running.", service=service))
        answer: dict[str, Any] = json.loads(line(json.loads(json.dumps(arguments)), correlation_id))
        return answer


SWITCHBOARD = Switchboard()
"""The switchboard of this process."""
