"""What a new version of a plan changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.petitions.domain.plan.model import Figure, Item, Level, Plan


class Outcome(StrEnum):
    """What becomes of a line."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"


@dataclass(frozen=True)
class Change:
    """One line and what becomes of it."""

    level: Level
    code: str
    title: str
    outcome: Outcome


@dataclass(frozen=True)
class Difference:
    """What becomes of the lines, the removed ones last, and how many figures are new or other than before."""

    changes: Sequence[Change]
    figures: int

    @property
    def counts(self) -> Mapping[Outcome, int]:
        """How many of each."""
        found = Counter(change.outcome for change in self.changes)
        return {outcome: found[outcome] for outcome in Outcome}


def differences(
    old: Plan | None, old_figures: Sequence[Figure], new: Plan, new_figures: Sequence[Figure]
) -> Difference:
    """What `new` and its figures change."""
    known = set(old_figures)
    return Difference(
        tuple(_changes({item.code: item for item in old.items} if old else {}, new)),
        sum(figure not in known for figure in new_figures),
    )


def _changes(old: Mapping[str, Item], new: Plan) -> Iterator[Change]:
    for item in new.items:
        before = old.get(item.code)
        outcome = Outcome.ADDED if before is None else Outcome.UNCHANGED if before == item else Outcome.CHANGED
        yield Change(item.level, item.code, item.title, outcome)
    staying = {item.code for item in new.items}
    for code, item in old.items():
        if code not in staying:
            yield Change(item.level, code, item.title, Outcome.REMOVED)
