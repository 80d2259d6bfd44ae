"""The notifications service: wiring, no decisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.contracts.notifications import ListNotifications, MarkRead
from services.contracts.subscriptions import subscriptions_of
from services.kernel.actor import Actor
from services.notifications import application
from services.notifications.adapters.answer import page_shown, shown
from services.notifications.adapters.messages import happening_of
from services.notifications.adapters.repository import Repository
from services.runtime.dependencies import Service
from services.runtime.entrypoints import event_handler, rpc
from services.runtime.envelope import Envelope
from services.runtime.schema import load

Method = Callable[..., Any]


def every_subscribed_event(method: Method) -> Method:
    """One durable handler on `method` for each row of the subscription table."""
    for row in subscriptions_of("notifications"):
        method = event_handler(row.producer, row.event)(method)
    return method


class NotificationsService(Service):
    """Hears the events of the other services and serves what each office was told."""

    name = "notifications"

    @every_subscribed_event
    def hear(self, envelope: Envelope) -> None:
        """Tell the offices concerned: inbox row and effect in one commit."""
        happening = happening_of(envelope)
        if application.is_quiet(happening):
            return
        with self.database.write() as connection:
            application.hear(Repository(connection), happening, self.time.now())

    @rpc
    def list_notifications(self, actor: dict[str, Any], **wanted: Any) -> dict[str, Any]:
        """A page of what the actor's office was told, newest first; `unread` counts all it has not read."""
        asked = load(ListNotifications(), wanted)
        office = Actor.from_plain(actor).office
        page, size = asked["page"], asked["size"]
        with self.database.read() as connection:
            found = application.notifications_of(
                Repository(connection), office, page=page, size=size, unread=asked["unread"]
            )
        return page_shown(found, page=page, size=size, language=asked["language"] or self.settings.language)

    @rpc
    def mark_read(self, actor: dict[str, Any], **wanted: Any) -> dict[str, Any]:
        """The notification, read now or before; NotFound for another office's."""
        asked = load(MarkRead(), wanted)
        office = Actor.from_plain(actor).office
        with self.database.write() as connection:
            found = application.mark_read(
                Repository(connection), office, str(asked["notification_id"]), self.time.now()
            )
        return shown(found, asked["language"] or self.settings.language)
