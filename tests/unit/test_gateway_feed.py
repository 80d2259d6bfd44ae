"""The feeds of several services as one: nothing twice, nothing skipped, each in its own order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.feed import merge, read_cursor, write_cursor
from services.kernel.errors import Invalid

SERVICES = ("registry", "protocols")
START = datetime(2026, 5, 22, tzinfo=UTC)


def row(service: str, position: int, minute: int) -> dict[str, Any]:
    return {
        "position": position,
        "id": f"{service} {position}",
        "occurred_at": (START + timedelta(minutes=minute)).isoformat(),
    }


def read(source: dict[str, list[dict[str, Any]]], cursor: str | None, limit: int) -> tuple[list[dict[str, Any]], str]:
    positions = read_cursor(cursor, SERVICES)
    feeds = {
        name: [each for each in source[name] if each["position"] > after][:limit] for name, after in positions.items()
    }
    return merge(feeds, positions, limit)


def test_the_earlier_event_comes_first() -> None:
    source = {"registry": [row("registry", 1, 5)], "protocols": [row("protocols", 1, 3), row("protocols", 2, 7)]}
    items, _ = read(source, None, 10)
    assert ["protocols 1", "registry 1", "protocols 2"] == [each["id"] for each in items]


def test_a_feed_keeps_its_own_order_whatever_its_times_say() -> None:
    source = {"registry": [row("registry", 1, 9), row("registry", 2, 1)], "protocols": [row("protocols", 1, 5)]}
    items, _ = read(source, None, 10)
    assert ["protocols 1", "registry 1", "registry 2"] == [each["id"] for each in items]


feeds = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 50)), max_size=30)


@given(feeds, feeds, st.integers(1, 7), st.booleans())
def test_reading_on_finds_every_event_once(
    registry: list[tuple[int, int]], protocols: list[tuple[int, int]], limit: int, by_item: Any
) -> None:
    source: dict[str, list[dict[str, Any]]] = {}
    for name, steps in (("registry", registry), ("protocols", protocols)):
        position, rows = 0, []
        for step, minute in steps:
            position += step  # gaps are events that the caller may not see
            rows.append(row(name, position, minute))
        source[name] = rows
    cursor, seen = None, []
    while True:
        items, following = read(source, cursor, limit)
        seen += [each["id"] for each in items]
        if not items:
            break
        cursor = items[-1]["cursor"] if by_item else following
    for name, rows in source.items():
        assert [each["id"] for each in rows] == [each for each in seen if each.startswith(name)]
    assert len(set(seen)) == len(seen)


def test_a_cursor_reads_back_what_was_written() -> None:
    assert {"registry": 7, "protocols": 12} == read_cursor(write_cursor({"registry": 7, "protocols": 12}), SERVICES)


def test_a_service_that_is_new_since_the_cursor_begins_at_its_start() -> None:
    assert {"registry": 7, "protocols": 0} == read_cursor(write_cursor({"registry": 7}), SERVICES)


@pytest.mark.parametrize(
    "cursor", ["", "x", "AAAA", "!!!", write_cursor({"strangers": 1}), "cmVnaXN0cnk9LTE", "A" * 300]
)
def test_a_cursor_from_elsewhere_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid):
        read_cursor(cursor, SERVICES)
