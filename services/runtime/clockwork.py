"""The one source of the present time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from services.kernel.calendar import today_in_istanbul


@dataclass
class Time:
    """The present, moved forward by `offset` where the demo clock is allowed."""

    offset: timedelta = timedelta()
    kept_in: Path | None = None

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        return datetime.now(UTC) + self.offset

    def today(self) -> date:
        """The present date in Europe/Istanbul, where the offices are."""
        return today_in_istanbul(self.now())

    def move_to(self, moment: datetime) -> None:
        """Let the present be `moment`; time goes on from there, also after a restart when it is kept."""
        self.offset = moment - datetime.now(UTC)
        if self.kept_in is not None:
            self.kept_in.write_text(str(self.offset.total_seconds()))

    def keep_in(self, path: Path) -> None:
        """Go on where an earlier process left the demo clock, and keep later moves there.

        Without it a restart would set the clock back behind acts that are written already.
        """
        self.kept_in = path
        if path.exists():
            self.offset = timedelta(seconds=float(path.read_text()))


TIME = Time()
"""The time of this process."""
