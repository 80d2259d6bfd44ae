"""Several services' event feeds as one, without ever skipping an event."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.kernel.errors import Invalid
from services.kernel.text import Sentence

_CURSOR = re.compile(r"([a-z]+=\d{1,18})(,[a-z]+=\d{1,18})*\Z", re.ASCII)


def write_cursor(positions: Mapping[str, int]) -> str:
    """The positions of all feeds as one opaque text."""
    text = ",".join(f"{service}={position}" for service, position in positions.items())
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_cursor(cursor: str | None, services: Sequence[str]) -> dict[str, int]:
    """The position in each service's feed; a service that the cursor does not know begins at its start.

    Raises Invalid for a text that `write_cursor` did not write.
    """
    positions = dict.fromkeys(services, 0)
    if cursor is None:
        return positions
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        text = ""
    if _CURSOR.match(text) is None:
        raise _unreadable()
    for part in text.split(","):
        service, _, position = part.partition("=")
        if service not in positions:
            raise _unreadable()
        positions[service] = int(position)
    return positions


def merge(
    feeds: Mapping[str, Sequence[Mapping[str, Any]]], positions: Mapping[str, int], limit: int
) -> tuple[list[dict[str, Any]], str]:
    """The oldest `limit` events of the feeds, each with its cursor, and the cursor to go on from.

    Each feed keeps its own order; between feeds the earlier event comes first. What does
    not fit stays behind the cursor and comes with the next call.
    """
    waiting = {service: list(reversed(rows)) for service, rows in feeds.items()}
    reached = dict(positions)
    items: list[dict[str, Any]] = []
    while len(items) < limit and any(waiting.values()):
        service = min((name for name, rows in waiting.items() if rows), key=lambda name: _moment(waiting[name][-1]))
        row = waiting[service].pop()
        reached[service] = row["position"]
        items.append({**row, "cursor": write_cursor(reached)})
    return items, write_cursor(reached)


def _moment(row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(row["occurred_at"])


def _unreadable() -> Invalid:
    return Invalid.field("after", Sentence("This cursor was not given by this address. Begin without one."))
