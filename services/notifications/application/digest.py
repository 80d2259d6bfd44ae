"""Digests: what waits behind each subscriber's cursor, sent together and once.

The cursor is a position, not a time: what is fanned out late stands behind it and goes into the next digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notifications.application.dispatch import deliveries_of
from services.notifications.domain.delivery import Delivery
from services.notifications.domain.preference import Preference


@dataclass(frozen=True)
class Waiting:
    """A digest with something behind its cursor."""

    recipient: str
    stream: str
    position: int


class Basket(Protocol):
    """What making digests needs; everything in one transaction."""

    def due(self, stream: str, moment: datetime, limit: int) -> Sequence[Waiting]:
        """Digests in which something waits since `moment` or longer, kept from others until the transaction ends."""

    def behind(self, waiting: Waiting) -> Sequence[tuple[int, str]]:
        """(position, id) of every notice behind the cursor, in their order."""

    def preferences(self, recipients: Collection[str]) -> Mapping[str, Preference]:
        """What these recipients chose, those who chose something."""

    def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store them."""

    def emptied(self, waiting: Waiting, position: int) -> None:
        """Move the cursor to `position`; nothing waits behind it."""


def send_due(
    basket: Basket, stream: str, moment: datetime, *, channels: Collection[str], now: datetime, limit: int
) -> int:
    """Make the digests of `stream` that were to go out at `moment`; returns how many were looked at.

    An empty one is not sent.
    """
    found = basket.due(stream, moment, limit)
    chosen = basket.preferences([each.recipient for each in found])
    for each in found:
        behind = basket.behind(each)
        if behind:
            notices = [notice for _, notice in behind]
            basket.add_deliveries(
                deliveries_of(each.recipient, chosen.get(each.recipient), stream, notices, channels, now)
            )
        basket.emptied(each, behind[-1][0] if behind else each.position)
    return len(found)
