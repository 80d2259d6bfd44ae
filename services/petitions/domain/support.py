"""Signing somebody else's petition: once each, confirmed by mail or by an account, taken back whenever wanted.

Only the number of signatures is public. Of a signatory there is a keyed hash, different for each petition; the
address itself is here only as long as a mail may have to go to it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kernel.errors import Invalid, Refused
from services.kernel.mailbox import is_email
from services.kernel.text import Sentence

PENDING, CONFIRMED = "pending", "confirmed"

KEPT = timedelta(days=7)
"""How long an address waits for its confirmation; then both are erased."""
PAUSE = timedelta(minutes=10)
MOST_ASKS = 3
"""So often one address is written to within KEPT, and not within PAUSE: nobody's mailbox is filled with it."""

_TOKEN_BYTES = 17
_TOKEN_LETTERS = 26
"""130 bits in five-bit letters."""


@dataclass(frozen=True)
class Asked:
    """A wish to sign: `mail_hash` and `account_hash` say who, as far as it is known."""

    mail_hash: str | None
    account_hash: str | None
    email: str | None
    language: str


def folded_email(email: str) -> str:
    """The address as it is compared: no case, and no part after a plus, which leads to the same mailbox.

    Raises Invalid when it is none.
    """
    text = unicodedata.normalize("NFKC", email).strip().casefold()
    if not is_email(text):
        raise Invalid.field("email", Sentence("This is not an e-mail address; it looks like name@example.org."))
    local, _, domain = text.rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def mail_hash(secret: bytes, petition_id: str, email: str) -> str:
    """Who signs by mail, known again for this petition alone."""
    return _keyed(secret, f"mail|{petition_id}|{folded_email(email)}")


def account_hash(secret: bytes, petition_id: str, user_id: str) -> str:
    """Who signs by an account, known again for this petition alone."""
    return _keyed(secret, f"account|{petition_id}|{user_id}")


def token_of(secret: bytes, support_id: str) -> str:
    """The word that confirms a signature and takes it back: 130 bits, made anew whenever it is needed."""
    digest = hmac.new(secret, f"token|{support_id}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest[:_TOKEN_BYTES]).decode()[:_TOKEN_LETTERS].lower()


def token_hash(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.strip().lower().encode()).hexdigest()


def _keyed(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def may_write_again(asked_at: datetime, asks: int, now: datetime) -> bool:
    """Whether the same address may get one more mail."""
    return now - asked_at >= KEPT or (asks < MOST_ASKS and now - asked_at >= PAUSE)


def demand_open(*, is_open: bool) -> None:
    """Raises Refused for a petition that takes no signatures any more."""
    if not is_open:
        raise Refused(Sentence("This petition has been dealt with; it takes no signatures any more."))
