"""A message on its way to one recipient, and what becomes of it after a try."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MAIL, ELSEWHERE = "mail", "elsewhere"
CHANNELS = (MAIL, ELSEWHERE)

WAITING, SENDING, SENT, FAILED, SUPPRESSED = "waiting", "sending", "sent", "failed", "suppressed"
STATES = (WAITING, SENDING, SENT, FAILED, SUPPRESSED)

LEASE = timedelta(seconds=45)
"""So long a delivery belongs to the process that took it, which renews it while it works; then another may send it."""

LONGEST_OUTAGE = timedelta(days=7)
"""So long a message waits for a mail server or a directory that is away; then it is given up."""

# Classes of failure; they name no address and quote no server, which might.
NO_ADDRESS, UNSUBSCRIBED, BOUNCING = "no_address", "unsubscribed", "bouncing"
ADDRESS_REFUSED, MESSAGE_REFUSED, NOT_NOW, CHANNEL_AWAY = (
    "address_refused",
    "message_refused",
    "not_now",
    "channel_away",
)
DIRECTORY_AWAY = "directory_away"
PROCESS_ENDED = "process_ended"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message: which notices, to whom, through which channel.

    `occasion`: `at_once`, `daily` or `weekly`. `attempts`: tries that the mail server answered, or in which the
    process ended. `next_at`: when it is tried; while it is being sent, until when. `cause`: the class of the last
    failure. `address_hash`: the address that was last used, to know it again when it bounces. `holder`: who is
    sending it; a word for each time that it is taken.
    """

    id: str
    recipient: str
    channel: str
    occasion: str
    notices: Sequence[str]
    state: str
    attempts: int
    next_at: datetime | None
    cause: str | None
    created_at: datetime
    sent_at: datetime | None = None
    message_id: str | None = None
    address_hash: str | None = None
    holder: str | None = None


@dataclass(frozen=True)
class Tried:
    """How a try ended; `cause` None means handed over. `answered`: the server refused this message, not only us."""

    cause: str | None = None
    answered: bool = False

    @property
    def is_outage(self) -> bool:
        """Whether the fault lies with the channel or with ourselves, not with this recipient or message."""
        return self.cause in (CHANNEL_AWAY, DIRECTORY_AWAY)


def after(delivery: Delivery, tried: Tried, now: datetime, pauses: Sequence[float]) -> Delivery:
    """The delivery after a try.

    What the recipient's server puts off is tried again after each of `pauses` (seconds), then given up.
    An outage is waited for: it is tried again after the first pause, until LONGEST_OUTAGE has passed since the
    message was made; so mail flows again soon after the outage ends. Where the server answered, the message
    itself may be what it stumbles over: then the pauses grow, so that it stands behind the others next time.
    """
    if tried.cause is None:
        return replace(delivery, state=SENT, attempts=delivery.attempts + 1, next_at=None, cause=None, sent_at=now)
    if tried.cause in (NO_ADDRESS, UNSUBSCRIBED, BOUNCING):
        return replace(delivery, state=SUPPRESSED, next_at=None, cause=tried.cause)
    if tried.is_outage:
        return _waited_out(delivery, tried, now, pauses)
    attempts = delivery.attempts + 1
    if tried.cause == NOT_NOW and attempts <= len(pauses):
        again = now + timedelta(seconds=pauses[attempts - 1])
        return replace(delivery, state=WAITING, attempts=attempts, next_at=again, cause=tried.cause)
    return replace(delivery, state=FAILED, attempts=attempts, next_at=None, cause=tried.cause)


def _waited_out(delivery: Delivery, tried: Tried, now: datetime, pauses: Sequence[float]) -> Delivery:
    attempts, pause = delivery.attempts, pauses[0]
    if tried.answered:
        # The last tries are left for after the outage.
        attempts = max(attempts, min(attempts + 1, len(pauses) - 1))
        pause = pauses[min(max(attempts, 1), len(pauses) - 1)]
    if now - delivery.created_at >= LONGEST_OUTAGE:
        return replace(delivery, state=FAILED, attempts=attempts, next_at=None, cause=tried.cause)
    again = now + timedelta(seconds=pause)
    return replace(delivery, state=WAITING, attempts=attempts, next_at=again, cause=tried.cause)


def ends_processes(delivery: Delivery, pauses: Sequence[float]) -> bool:
    """Whether so many processes ended while they sent this message that it is not tried again."""
    return delivery.cause == PROCESS_ENDED and delivery.attempts > len(pauses)


def folded(address: str) -> str:
    """One spelling of an address: composed letters (NFC), without blanks around it, in small letters.

    By the letter of RFC 5321 the part before the @ may tell capitals apart; no server in use does.
    """
    return unicodedata.normalize("NFC", address.strip()).lower()


def fingerprint(secret: bytes, address: str) -> str:
    """By what an address is known without being kept: nobody without the installation's secret can try addresses."""
    return hmac.new(secret, folded(address).encode(), hashlib.sha256).hexdigest()


def masked(address: str) -> str:
    """An address that its owner recognises and nobody else can write to: `k…@example.org`."""
    name, _, domain = folded(address).rpartition("@")
    return f"{name[:1]}…@{domain}"
