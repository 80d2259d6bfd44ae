"""What differs between two records, field by field.

A record is a mapping of JSON-able values in which a field that is not recorded is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

Record = Mapping[str, Any]


class Change(NamedTuple):
    """One field before and after; None: not recorded."""

    field: str
    old: Any
    new: Any


def diff(old: Record, new: Record) -> tuple[Change, ...]:
    """The changes that make `new` of `old`: `apply(diff(a, b), a) == b`."""
    names = dict.fromkeys((*old, *new))
    return tuple(Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def apply(changes: Iterable[Change], old: Record) -> dict[str, Any]:
    """The record after the changes."""
    new = dict(old)
    for change in changes:
        if change.new is None:
            new.pop(change.field, None)
        else:
            new[change.field] = change.new
    return new


def new_record(record: Record, changes: Iterable[Change]) -> dict[str, Any]:
    """The record after the changes, with None for what is not recorded any more, as commands take it."""
    return {**record, **{change.field: change.new for change in changes}}


def reverse(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes that lead back: `apply(reverse(diff(a, b)), b) == a`."""
    return tuple(Change(change.field, change.new, change.old) for change in changes)


def still_standing(changes: Iterable[Change], now: Record) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """The changes whose field has the value that they gave it, and those whose field has another by now."""
    standing: list[Change] = []
    overtaken: list[Change] = []
    for change in changes:
        (standing if now.get(change.field) == change.new else overtaken).append(change)
    return tuple(standing), tuple(overtaken)
