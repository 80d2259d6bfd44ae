"""What notifications hears, and what each office was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.contracts.notifications import ListNotifications, MarkRead
from services.contracts.subscriptions import subscriptions_of
from services.kernel.actor import Actor
from services.notifications.adapters.answer import page_shown, shown
from services.notifications.adapters.messages import happening_of
from services.notifications.adapters.repository import Repository
from services.notifications.application import telling
from services.runtime.dependencies import Service
from services.runtime.entrypoints import event_handler, rpc
from services.runtime.envelope import Envelope
from services.runtime.schema import load

Method = Callable[..., Any]

_TOGETHER = 50


def every_subscribed_event(method: Method) -> Method:
    """One durable handler on `method` for each row of the subscription table."""
    for row in subscriptions_of("notifications"):
        method = event_handler(row.producer, row.event, together=_TOGETHER)(method)
    return method


class HearingDesk(Service):
    """Hears the events of the other services and serves what each office was told."""

    @every_subscribed_event
    def hear(self, envelopes: list[Envelope]) -> None:
        """Tell the offices concerned: inbox rows and effects in one commit."""
        happenings = [each for each in map(happening_of, envelopes) if not telling.is_quiet(each)]
        if not happenings:
            return
        # In one order everywhere, so that two replicas wait for each other and do not lock up.
        happenings.sort(key=lambda each: (str(each.data.get("organisation_id")), each.subject_id, each.subject_version))
        with self.database.write() as connection:
            for happening in happenings:
                telling.hear(Repository(connection), happening, self.time.now())

    @rpc
    def list_notifications(self, actor: dict[str, Any], **wanted: Any) -> dict[str, Any]:
        """A page of what the actor's office was told, newest first; `unread` counts all it has not read."""
        asked = load(ListNotifications(), wanted)
        page, size = asked["page"], asked["size"]
        with self.database.read() as connection:
            found = telling.notifications_of(
                Repository(connection), Actor.from_plain(actor), page=page, size=size, unread=asked["unread"]
            )
        return page_shown(found, page=page, size=size, language=asked["language"] or self.settings.language)

    @rpc
    def mark_read(self, actor: dict[str, Any], **wanted: Any) -> dict[str, Any]:
        """The notification, read now or before; NotFound for another office's."""
        asked = load(MarkRead(), wanted)
        with self.database.write() as connection:
            found = telling.mark_read(
                Repository(connection), Actor.from_plain(actor), str(asked["notification_id"]), self.time.now()
            )
        return shown(found, asked["language"] or self.settings.language)
