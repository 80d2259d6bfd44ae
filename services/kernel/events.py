"""What happened, as the services tell each other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

_CLASS = re.compile(r"^(?P<subject>[A-Z][a-z0-9]*)(?P<past>[A-Z][A-Za-z0-9]*?)V(?P<version>[1-9]\d*)$")


def wire_name(class_name: str) -> str:
    """`ProtocolMovedV1` → `protocol.moved.v1`; `OrganisationStatusGrantedV1` → `organisation.status_granted.v1`.

    Raises ValueError for a name of another shape.
    """
    match = _CLASS.match(class_name)
    if match is None:
        message = f"{class_name} is not <Subject><PastTense>V<n>"
        raise ValueError(message)
    past = re.sub(r"(?<!^)(?=[A-Z])", "_", match["past"]).lower()
    return f"{match['subject'].lower()}.{past}.v{match['version']}"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact about one subject, in the past tense; subclasses add what happened.

    A subclass whose name ends in a version is an event and gets its wire name; any other is a shape.
    A new optional field keeps the version; anything else makes a V2 beside V1.
    """

    name: ClassVar[str]
    subject_id: str
    subject_version: int

    def __init_subclass__(cls) -> None:
        if cls.__name__[-1].isdigit():
            cls.name = wire_name(cls.__name__)


@dataclass(frozen=True)
class Scope:
    """Who may see an event in the feed: the offices of these tenants; all None means every signed-in office."""

    municipality: str | None = None
    authority: str | None = None
    organisation_id: str | None = None
