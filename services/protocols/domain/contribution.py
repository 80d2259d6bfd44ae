"""What each side brings, and where it looks like aid instead of a joint service project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.kernel.text import Sentence

AID_ARTICLE = "5393/75; 5018/29"

# (kind, recipient) of a municipality's contribution → what a clerk should know; other lines are in order.
_LOOKS_LIKE_AID: dict[tuple[str, str], Sentence] = {
    ("cash", "organisation"): Sentence(
        "Money paid to the organisation looks like aid. Let the municipality pay the project's costs itself."
    ),
    ("in_kind", "organisation"): Sentence(
        "Goods given to the organisation look like a gift. Let them serve the project, and say who owns them at the end."
    ),
    ("staff", "organisation"): Sentence(
        "Staff lent to the organisation look like aid. Let them work in the project, under the municipality."
    ),
    ("premises", "organisation"): Sentence(
        "Premises may be allocated to public bodies only. Let the project use them for its duration."
    ),
    ("service", "organisation"): Sentence(
        "A service for the organisation itself looks like aid. Describe what the project's beneficiaries receive."
    ),
}


def warnings(contributions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One warning per line that looks like aid: {line, code, article, message}; lines count from 1."""
    found = []
    for line, each in enumerate(contributions, start=1):
        if each["party"] != "municipality":
            continue
        said = _LOOKS_LIKE_AID.get((each["kind"], each["recipient"]))
        if said is not None:
            found.append({"line": line, "code": "looks_like_aid", "article": AID_ARTICLE, "message": said.to_plain()})
    return found
