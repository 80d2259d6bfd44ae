"""The notifications service: wiring, no decisions."""

from __future__ import annotations

from services.notifications.service.dispatch import DispatchDesk
from services.notifications.service.hearing import HearingDesk
from services.notifications.service.post import PostDesk
from services.notifications.service.upkeep import UpkeepDesk
from services.notifications.service.webhook import WebhookDesk
from services.runtime.database import Database
from services.runtime.metric import Reading


class NotificationsService(HearingDesk, DispatchDesk, PostDesk, UpkeepDesk, WebhookDesk):
    """Hears the events of the other services and sees to it that everyone who should know knows."""

    name = "notifications"

    @staticmethod
    def readings(database: Database) -> list[Reading]:
        """For the metrics: messages to people, and webhooks."""
        return [
            *DispatchDesk.delivery_readings(database),
            *UpkeepDesk.upkeep_readings(database),
            *WebhookDesk.webhook_readings(database),
        ]
