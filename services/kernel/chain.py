"""The history of a case as a chain: changing, removing, reordering or cutting off a row breaks it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

GENESIS = "0" * 64


def link(previous: str, content: Mapping[str, Any]) -> str:
    """SHA-256 over the previous link and the row's content, as canonical JSON."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()


def faults(rows: Iterable[tuple[int, str, str, Mapping[str, Any]]]) -> list[str]:
    """What is wrong with the (number, previous, hash, content) rows of one case, in their stored order."""
    found = []
    previous, expected = GENESIS, 1
    for number, stated, own, content in rows:
        if number != expected:
            found.append(f"row {expected} is missing or out of place: row {number} stands there")
            expected = number
        elif stated != previous:
            found.append(f"row {number} does not follow row {number - 1}: rows were changed or reordered")
        if link(stated, content) != own:
            found.append(f"row {number} was changed")
        previous, expected = own, expected + 1
    return found
