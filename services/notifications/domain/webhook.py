"""A webhook: which events an office wants sent where, how a delivery is signed, retried and given up."""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from services.kernel.errors import Invalid
from services.kernel.text import Sentence

EVERY_EVENT = "*"
TESTED = "webhook.tested.v1"
SWITCHED_OFF = "webhook.switched_off.v1"
UNCONFIRMED = "webhook.switched_off.v1/unconfirmed"
MOST_OF_AN_OFFICE = 10

ACTIVE, OFF = "active", "off"
WAITING, DELIVERED, GIVEN_UP = "waiting", "delivered", "given_up"
SENDING, FAILED = "sending", "failed"
"""States of a test, which is sent once and not tried again."""

_LONGEST = 2_000
_WRITTEN = re.compile(r"[\x21-\x7e]+\Z", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}\Z|[0-9A-Fa-f:.]{2,45}\Z", re.ASCII)
_GOOD = range(200, 300)
_ELSEWHERE = range(300, 400)
_GONE = 410


@dataclass(frozen=True)
class Destination:
    """A webhook's address, taken apart."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def shown(self) -> str:
        """What people are told of it: the rest of an address may hold a secret."""
        return self.host


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """What an office asked for.

    `owner`: the office as an actor without a person; it is what decides which events are sent.
    `secret`: what deliveries are signed with. `confirmed_by`: see `confirmation`; None where nobody is asked for.
    """

    id: str
    office: str
    owner: Mapping[str, Any]
    url: str
    events: Sequence[str]
    secret: str
    state: str
    created_at: datetime
    last_success_at: datetime | None = None
    failing_since: datetime | None = None
    switched_off_at: datetime | None = None
    switched_off_because: Mapping[str, Any] | None = None
    confirmed_by: str | None = None

    @property
    def destination(self) -> Destination:
        """Where it sends to."""
        return destination(self.url)

    def wants(self, event: str) -> bool:
        """Whether this event is to be sent."""
        return EVERY_EVENT in self.events or event in self.events


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One event on its way to one webhook. `id` is the same at every try; `body` goes away once it has arrived."""

    id: str
    webhook_id: str
    event_id: str
    event: str
    subject_id: str
    body: str | None
    state: str
    attempts: int
    status: int | None = None
    cause: Mapping[str, Any] | None = None
    created_at: datetime
    tried_at: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of one try; `status` is the receiver's, `cause` says why it was none of success."""

    status: int | None = None
    cause: Sentence | None = None

    @property
    def arrived(self) -> bool:
        """Whether the receiver took it."""
        return self.cause is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more of it."""
        return self.status == _GONE

    @property
    def answered(self) -> bool:
        """Whether anybody answered at all."""
        return self.status is not None


def outcome_of(status: int) -> Outcome:
    """What a receiver's status means."""
    if status in _GOOD:
        return Outcome(status)
    if status in _ELSEWHERE:
        return Outcome(
            status,
            Sentence("The receiver points elsewhere with status {status}; that is not followed.", status=status),
        )
    if status == _GONE:
        return Outcome(status, Sentence("The receiver answered with status 410: it is gone."))
    return Outcome(status, Sentence("The receiver answered with status {status}.", status=status))


def destination(url: str) -> Destination:
    """The address taken apart. Raises Invalid for one that a webhook cannot have."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _unfit(Sentence("This is no address of the web.")) from None
    host = (parts.hostname or "").rstrip(".")
    if len(url) > _LONGEST or _WRITTEN.match(url) is None or not _HOST.match(host) or "\\" in url:
        raise _unfit(Sentence("This is no address of the web."))
    if parts.scheme not in ("https", "http"):
        raise _unfit(Sentence("The address must begin with https://."))
    if "@" in parts.netloc:
        raise _unfit(Sentence("The address may not hold a user name or a password."))
    if "#" in url:
        raise _unfit(Sentence("The address may not have a part behind #."))
    if port == 0:
        raise _unfit(Sentence("This is no address of the web."))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), target)


def _unfit(why: Sentence) -> Invalid:
    return Invalid.field("url", why)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of Imece-Signature: HMAC-SHA-256 over `<timestamp>.<body>`, in hexadecimal."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"v1={digest}"


def delivery_id(webhook_id: str, event_id: str) -> str:
    """The id of the one delivery of this event to this webhook; always the same."""
    return str(uuid.uuid5(uuid.UUID(webhook_id), event_id))


def confirmation(webhook_id: str, user_id: str) -> str:
    """The fingerprint of whoever set the webhook up or last switched it on: of this webhook alone, and no name."""
    return hashlib.sha256(f"{webhook_id} {user_id}".encode()).hexdigest()


def next_try(attempts: int, pauses: Sequence[float], now: datetime) -> datetime | None:
    """When a delivery that failed `attempts` times is tried again; None: it is given up."""
    return now + timedelta(seconds=pauses[attempts - 1]) if attempts <= len(pauses) else None
