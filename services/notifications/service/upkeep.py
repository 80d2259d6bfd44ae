"""What is known of messages to people is forgotten in time (6698/7, 4-2-ç)."""

from __future__ import annotations

from datetime import timedelta

from services.notifications.adapters import upkeep
from services.notifications.adapters.upkeep import Forget
from services.runtime.clockwork import TIME
from services.runtime.database import Database
from services.runtime.dependencies import Service
from services.runtime.entrypoints import every
from services.runtime.metric import Reading

BOUNCE_WINDOW = timedelta(days=30)
"""A mail server that took a mail reports within this that it could not deliver it."""


class UpkeepDesk(Service):
    """Forgets, and says how old what waits is."""

    @staticmethod
    def upkeep_readings(database: Database) -> list[Reading]:
        """For the metrics: the age of what people were not told yet, and of the oldest message that waits."""
        notice, message = upkeep.oldest_waiting(database, TIME.now())
        labels = {"service": "notifications"}
        return [
            ("imece_notices_oldest_seconds", "Age of the oldest notification not passed on to people.", labels, notice),
            ("imece_deliveries_put_off_seconds", "Age of the oldest message that waits, however often it was tried.",
             labels, message),
        ]  # fmt: skip

    @every("housekeeping_interval")
    def forget_old_messages(self) -> None:
        """Remove what is kept of old messages; never what still waits, and no notification in İmece."""
        kept = timedelta(days=self.settings.messages_kept_days)
        steps: list[tuple[Forget, timedelta]] = [
            (upkeep.forget_addresses, BOUNCE_WINDOW),
            (upkeep.forget_deliveries, kept),
            (upkeep.forget_notices, kept),
            (upkeep.forget_strangers, kept),
        ]
        for forget, age in steps:
            while self._some(forget, age) == upkeep.AT_ONCE:
                continue

    def _some(self, forget: Forget, age: timedelta) -> int:
        with self.database.write() as connection:
            return forget(connection, self.time.now() - age)
