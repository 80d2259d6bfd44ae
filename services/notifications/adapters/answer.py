"""A notification as it is shown: its words in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.contracts.notifications import NotificationAnswer
from services.notifications.application.posting import Suppression
from services.notifications.application.telling import Page
from services.notifications.domain import template
from services.notifications.domain.delivery import Delivery
from services.notifications.domain.happening import Notification
from services.notifications.domain.preference import TOPICS, Preference
from services.runtime.language import say


def shown(notification: Notification, language: str) -> dict[str, Any]:
    """The notification with its title and body in `language`."""
    answer: dict[str, Any] = NotificationAnswer().dump(
        {
            "id": notification.id,
            "event_id": notification.event_id,
            "event": notification.event,
            "subject_id": notification.subject_id,
            "reference": notification.reference,
            "title": say(template.title(notification.template), language),
            "body": " ".join(say(each, language) for each in template.body(notification.template, notification.params)),
            "created_at": notification.created_at,
            "read_at": notification.read_at,
        }
    )
    return answer


def preference_shown(preference: Preference, channels: Sequence[str]) -> dict[str, Any]:
    """A choice with every topic; labels in both languages. `channels`: those that are set up."""
    return {
        "language": preference.language,
        "mail": preference.mail,
        "elsewhere": preference.elsewhere,
        "channels": list(channels),
        "version": preference.version,
        "events": [
            {
                "event": topic.name,
                "label": topic.label.to_plain(),
                "default": topic.default,
                "stream": preference.stream_of(topic.name),
            }
            for topic in TOPICS
        ],
    }


def delivery_shown(delivery: Delivery) -> dict[str, Any]:
    """A line of the log; no address, no text."""
    return {
        "id": delivery.id,
        "recipient": delivery.recipient,
        "channel": delivery.channel,
        "occasion": delivery.occasion,
        "notices": len(delivery.notices),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "cause": delivery.cause,
        "next_at": _moment(delivery.next_at),
        "created_at": _moment(delivery.created_at),
        "sent_at": _moment(delivery.sent_at),
    }


def suppression_shown(suppression: Suppression) -> dict[str, Any]:
    """A suppressed address, masked."""
    return {
        "id": suppression.id,
        "address": suppression.masked,
        "recipient": suppression.recipient,
        "cause": suppression.cause,
        "since": _moment(suppression.since),
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def page_shown(found: Page, *, page: int, size: int, language: str) -> dict[str, Any]:
    """A page of notifications in `language`, with the number of unread ones."""
    return {
        "items": [shown(each, language) for each in found.items],
        "page": page,
        "size": size,
        "total": found.total,
        "unread": found.unread,
    }
