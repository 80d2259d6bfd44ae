"""Delivery status notifications (RFC 3464): what a mail server reports of a mail that it could not deliver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import default

_STATUS = re.compile(r"\s*5\.(\d{1,3})\.\d{1,3}")
_POLICY = 7


@dataclass(frozen=True)
class Report:
    """That the mail with this Message-ID failed for good, and the address as the server names it, if it does."""

    message_id: str
    address: str | None


def reports(raw: bytes) -> list[Report]:
    """The permanent failures of a report about one of our mails; none of anything else, however it looks.

    Delays, successes, and refusals for reasons of policy (5.7.x, which say nothing of the address) are left out.
    """
    mail = message_from_bytes(raw, policy=default)
    identifier = _message_id(mail)
    if identifier is None:
        return []
    return [Report(identifier, address) for address in _failed(mail)]


def _failed(mail: Message) -> Iterator[str | None]:
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for block in part.get_payload():
            if not isinstance(block, Message) or str(block.get("Action", "")).strip().lower() != "failed":
                continue
            status = _STATUS.match(str(block.get("Status", "")))
            if status is not None and int(status[1]) != _POLICY:
                named = str(block.get("Original-Recipient") or block.get("Final-Recipient") or "")
                yield named.partition(";")[2].strip() or None


def _message_id(mail: Message) -> str | None:
    """The Message-ID of the mail that came back, from the copy of it or of its headers."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822" and part.is_multipart():
            inner = part.get_payload(0)
            if isinstance(inner, Message) and inner.get("Message-ID"):
                return str(inner["Message-ID"]).strip()
        if kind in ("text/rfc822-headers", "message/rfc822-headers"):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                found = message_from_bytes(content, policy=default).get("Message-ID")
                if found:
                    return str(found).strip()
    return None
