"""A notification as it is shown: its words in the reader's language."""

from __future__ import annotations

from typing import Any

from services.contracts.notifications import NotificationAnswer
from services.notifications.application import Page
from services.notifications.domain import template
from services.notifications.domain.happening import Notification
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


def page_shown(found: Page, *, page: int, size: int, language: str) -> dict[str, Any]:
    """A page of notifications in `language`, with the number of unread ones."""
    return {
        "items": [shown(each, language) for each in found.items],
        "page": page,
        "size": size,
        "total": found.total,
        "unread": found.unread,
    }
