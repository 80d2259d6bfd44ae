"""The chained history."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from protocol_builder import Walk

from services.kernel.casework import ActRecord
from services.kernel.chain import faults


def history() -> list[ActRecord]:
    walk = Walk()
    walk.to("in_force")
    return walk.case.new_acts


def found(acts: list[ActRecord]) -> list[str]:
    return faults((act.number, act.previous_hash, act.hash, act.content()) for act in acts)


HISTORY = history()
places = st.integers(0, len(HISTORY) - 1)


def test_an_untouched_history_is_whole() -> None:
    assert [] == found(HISTORY)


@given(places)
def test_a_changed_row_is_named(place: int) -> None:
    acts = list(HISTORY)
    acts[place] = replace(acts[place], fields={"note": "başka"})
    assert f"row {place + 1} was changed" in found(acts)


@given(places.filter(lambda place: place < len(HISTORY) - 1))
def test_a_removed_row_is_named(place: int) -> None:
    acts = HISTORY[:place] + HISTORY[place + 1 :]
    assert any(f"row {place + 1} is missing" in fault for fault in found(acts))


@given(places, places)
def test_reordered_rows_are_found(one: int, other: int) -> None:
    acts = list(HISTORY)
    acts[one], acts[other] = acts[other], acts[one]
    assert (one == other) == (found(acts) == [])
