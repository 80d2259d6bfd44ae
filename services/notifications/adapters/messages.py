"""Events of other services, read as happenings."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.contracts.notifications import HEARD
from services.notifications.domain.happening import Happening
from services.runtime.envelope import Envelope

# Making a schema costs more than loading with it.
_SCHEMAS = {name: schema() for name, schema in HEARD.items()}


def happening_of(envelope: Envelope) -> Happening:
    """The event with the fields that notifications uses.

    Raises ValidationError for one that lacks them: it is tried again, then kept as a dead letter.
    """
    loaded: dict[str, Any] = _SCHEMAS[envelope.name].load(envelope.data)
    # An organisation's standing is all that is nested; its parts are values like the others.
    standing = loaded.pop("standing", None)
    if standing is not None:
        loaded |= {"permission": standing["permission"], "article": standing["article"], "standing_on": standing["on"]}
    # A sentence cannot take the sign away: days that are over are said as such.
    if loaded.get("days_left", 0) < 0:
        loaded["days_late"] = -loaded["days_left"]
    return Happening(
        event_id=envelope.id,
        event=envelope.name,
        occurred_at=envelope.occurred_at,
        subject_id=envelope.subject_id,
        subject_version=envelope.subject_version,
        actor_office=(envelope.actor or {}).get("office"),
        data={name: value.isoformat() if isinstance(value, date) else value for name, value in loaded.items()},
    )
