"""How often one address may come without a sign-in, and one office to what takes long.

Counted in this process alone: several gateways allow as many times as much, which is enough
against guessing and flooding, and needs no shared store.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.gateway.errors import Throttled
from services.runtime.settings import Settings

_MOST_ADDRESSES = 50_000
_HAIR = 1e-9


@dataclass(frozen=True)
class Rate:
    """So many requests in `seconds`, spread evenly after the first burst (a token bucket)."""

    limit: Callable[[Settings], int]
    seconds: int

    def take(self, name: str, address: str, settings: Settings) -> None:
        """Count one request. Raises Throttled, with the seconds until the next is allowed."""
        wait = self._wait(f"{name} {network_of(address)}", settings)
        if wait:
            raise Throttled(wait, requests=True)

    def take_for_office(self, name: str, office: str, settings: Settings) -> None:
        """Count one request of an office, wherever it comes from. Raises Throttled as `take` does."""
        wait = self._wait(f"{name} {office}", settings)
        if wait:
            raise Throttled(wait, office=True)

    def _wait(self, bucket: str, settings: Settings) -> int:
        wait = _BUCKETS.take(bucket, self.limit(settings), self.seconds, time.monotonic())
        return max(1, -int(-wait // 1)) if wait > 0 else 0


class Buckets:
    """The buckets of all addresses; the ones not seen for longest are forgotten first."""

    def __init__(self, most: int = _MOST_ADDRESSES) -> None:
        """`most`: how many addresses are remembered, so that memory stays flat."""
        self._most = most
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, limit: int, seconds: float, now: float) -> float:
        """Take one from the bucket of `name`; 0, or the seconds until there is one again."""
        left, at = self._buckets.pop(name, (float(limit), now))
        left = min(float(limit), left + (now - at) * limit / seconds)
        # Whoever waited as told is let in, also where the sum of fractions falls short of one by a hair.
        wait = 0.0 if left >= 1 - _HAIR else (1 - left) * seconds / limit
        self._buckets[name] = (left - 1 if not wait else left, now)
        while len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return wait


_BUCKETS = Buckets()


def network_of(address: str) -> str:
    """The address, or the /64 that one IPv6 household has; one name for all that are no address.

    An IPv4 address is itself also in the clothes of IPv6: a socket that takes both hands it over like that,
    and all of them lie in one /64.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unreadable"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return str(found)
