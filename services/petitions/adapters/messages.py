"""Petitions' events in the form other services read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from services.contracts.petitions import EVENTS
from services.kernel.actor import Actor
from services.kernel.events import Event, Scope
from services.runtime.outbox import Message

_SCHEMAS = {name: schema() for name, schema in EVENTS.items()}
_ENVELOPE = ("subject_id", "subject_version")


def messages(events: Sequence[Event], scope: Scope, actor: Actor, now: datetime) -> list[Message]:
    """The events as outbox messages."""
    return [
        Message(
            name=event.name,
            subject_id=event.subject_id,
            subject_version=event.subject_version,
            data=data_of(event),
            occurred_at=now,
            actor=actor,
            scope=scope,
        )
        for event in events
    ]


def data_of(event: Event) -> dict[str, Any]:
    """The event's `data` as its contract says."""
    told = {each.name: getattr(event, each.name) for each in fields(event) if each.name not in _ENVELOPE}
    dumped: dict[str, Any] = _SCHEMAS[event.name].dump(told)
    return dumped
