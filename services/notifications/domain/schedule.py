"""When digests go out: at one hour of the day, or of one day of the week, in Türkiye."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.notifications.domain.preference import WEEKLY

ISTANBUL = ZoneInfo("Europe/Istanbul")


@dataclass(frozen=True)
class Schedule:
    """`hour` 0–23, `weekday` 1 (Monday) – 7, both in Europe/Istanbul."""

    hour: int
    weekday: int

    def latest(self, stream: str, now: datetime) -> datetime:
        """The last moment up to `now` at which digests of this stream were to go out.

        A digest is due when something in it was there by then. So one that was missed goes out once,
        whenever somebody looks again, and what came later waits for the next.
        """
        local = now.astimezone(ISTANBUL)
        found = local.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        step = timedelta(days=1)
        while found > local or (stream == WEEKLY and found.isoweekday() != self.weekday):
            found -= step
        return found
