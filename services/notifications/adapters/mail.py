"""E-mail by SMTP (RFC 5321): TLS is demanded, many messages go over one connection."""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, Policy
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from eventlet.timeout import Timeout

from services.kernel.mailbox import is_email
from services.notifications.adapters.letter import written
from services.notifications.application.posting import Message
from services.notifications.domain.delivery import (
    ADDRESS_REFUSED,
    CHANNEL_AWAY,
    MESSAGE_REFUSED,
    NOT_NOW,
    Tried,
)

logger = logging.getLogger(__name__)

_STEP_SECONDS = 10
_WHOLE_SECONDS = 20
_THINKING_SECONDS = 300
"""After the final dot a server looks through the mail; whoever hangs up meanwhile sends it twice (RFC 5321, 4.5.3.2.6)."""
_ENHANCED = re.compile(rb"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_PORTS = {"smtp": 587, "smtps": 465, "smtp+plain": 25}
_CLOSING = 421
_TOO_LARGE = 552
_POLICY = 7
"""Enhanced codes X.7.X (RFC 3463) speak of our server's standing, not of the address."""


class Smtp:
    """The mail server of the settings; connects with the first message, ends with the block.

    Where no connection can be made, the channel is away. What is refused after the first command of a message may
    be the message's own fault, so that the next one is tried on a new connection.
    """

    def __init__(self, url: str, sender: str, public_url: str) -> None:
        """`url` as IMECE_SMTP_URL; `sender` stands in From and takes the bounces."""
        parts = urlsplit(url)
        self._kind = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or _PORTS[parts.scheme]
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._sender = sender
        self._public_url = public_url
        self._connection: _Patient | None = None

    def __enter__(self) -> Self:
        """Nothing is opened yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say goodbye to the server."""
        self._leave()

    def send(self, message: Message) -> Tried:
        """Hand the message to the mail server."""
        try:
            to = wire_form(message.to)
        except ValueError:
            return Tried(ADDRESS_REFUSED)
        mail = compose(message, self._sender, self._public_url, datetime.now(UTC))
        try:
            with Timeout(_WHOLE_SECONDS, TimeoutError("no answer")):
                connection = self._ready()
        except (OSError, smtplib.SMTPException) as error:
            logger.warning("the mail server cannot be used", extra={"cause": type(error).__name__})
            self._drop()
            return Tried(CHANNEL_AWAY)
        return self._hand_over(connection, mail, to)

    def _hand_over(self, connection: _Patient, mail: EmailMessage, to: str) -> Tried:
        cause = None
        try:
            with Timeout(_WHOLE_SECONDS + _THINKING_SECONDS, TimeoutError("no answer")):
                connection.send_message(mail, self._sender, [to])
        except smtplib.SMTPRecipientsRefused as error:
            cause = self._after(*next(iter(error.recipients.values())), at_recipient=True)
        except smtplib.SMTPSenderRefused as error:
            logger.warning("the mail server refuses our sender", extra={"code": error.smtp_code})
            cause = MESSAGE_REFUSED if error.smtp_code == _TOO_LARGE else CHANNEL_AWAY
        except smtplib.SMTPDataError as error:
            cause = self._after(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError:  # an address in letters that this server cannot take (RFC 6531)
            cause = MESSAGE_REFUSED
        except (OSError, smtplib.SMTPException) as error:
            logger.warning("a mail broke off", extra={"cause": type(error).__name__})
            self._drop()
            # After the final dot the server may have taken it: then it must not come too often.
            cause = NOT_NOW if connection.is_handed_over else CHANNEL_AWAY
        if cause == CHANNEL_AWAY:
            self._drop()
        return Tried(cause, answered=True)

    @staticmethod
    def _after(code: int, text: bytes | str, *, at_recipient: bool = False) -> str:
        """What a refusal means: of the server, for now, of the address, of the message."""
        if code == _CLOSING:
            return CHANNEL_AWAY
        if code < 500:  # noqa: PLR2004 - 4yz is transient (RFC 5321, 4.2.1)
            return NOT_NOW
        found = _ENHANCED.match(text.encode() if isinstance(text, str) else text)
        subject = int(found[2]) if found else None
        if subject == 1 or (at_recipient and subject != _POLICY):
            return ADDRESS_REFUSED
        return MESSAGE_REFUSED

    def _ready(self) -> _Patient:
        """A connection that answers: the one from before, or a new one."""
        if self._connection is not None:
            try:
                if self._connection.rset()[0] == 250:  # noqa: PLR2004 - done
                    return self._connection
            except (OSError, smtplib.SMTPException):
                pass
            self._drop()
        self._connection = self._connected()
        return self._connection

    def _connected(self) -> _Patient:
        context = ssl.create_default_context()
        if self._kind == "smtps":
            made: _Patient = _PatientTls(self._host, self._port, timeout=_STEP_SECONDS, context=context)
        else:
            made = _Patient(self._host, self._port, timeout=_STEP_SECONDS)
        try:
            if self._kind == "smtp":
                made.starttls(context=context)  # raises where the server offers none: nothing goes in the clear
            if self._user:
                made.login(self._user, self._password)
            else:
                made.ehlo_or_helo_if_needed()
        except BaseException:
            made.close()
            raise
        return made

    def _leave(self) -> None:
        if self._connection is not None:
            with suppress(OSError, smtplib.SMTPException), Timeout(_STEP_SECONDS, TimeoutError("no answer")):
                self._connection.quit()
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class _Patient(smtplib.SMTP):
    """A connection on which the server may take its time after the final dot, and then alone."""

    is_handed_over = False
    """Whether the dot of the last mail went out."""

    def data(self, msg: Any) -> tuple[int, bytes]:
        """The mail itself, and the server's answer to it."""
        self.is_handed_over = False
        try:
            return super().data(msg)
        finally:
            if self.sock is not None:
                self.sock.settimeout(_STEP_SECONDS)

    def send(self, s: Any) -> None:
        """As it is; what ends with the dot is waited for longer."""
        super().send(s)
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n") and self.sock is not None:
            self.is_handed_over = True
            self.sock.settimeout(_THINKING_SECONDS)


class _PatientTls(_Patient, smtplib.SMTP_SSL):
    """The same, in TLS from the start."""


class _OneLine(UnstructuredHeader, BaseHeader):
    """A header that is sent as it is: folded, an address would become an encoded word, which no program follows."""

    def fold(self, *, policy: Policy) -> str:
        """The name, the value, the end of the line; RFC 5322 allows 998 characters."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _OneLine)
_HEADERS.map_to_type("to", _OneLine)


def compose(message: Message, sender: str, public_url: str, now: datetime) -> EmailMessage:
    """The mail with its headers. Raises ValueError for an address that is none."""
    words = written(message, public_url)
    to = wire_form(message.to)
    mail = EmailMessage(policy=(SMTP if to.isascii() else SMTPUTF8).clone(header_factory=_HEADERS))
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = " ".join(words.subject.split())  # also in a name there may be a line break
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message.delivery.message_id
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notes in return
    mail["List-Unsubscribe"] = f"<{words.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    mail.set_content(words.text)
    mail.add_alternative(words.html, subtype="html")
    mail["Content-Language"] = message.language  # last: setting the content takes such headers away
    return mail


def wire_form(address: str) -> str:
    """The address as it is sent, its domain in ASCII (IDNA). ValueError for what is no address."""
    name, _, domain = address.strip().rpartition("@")
    sent = f"{name}@{domain if domain.isascii() else domain.encode('idna').decode()}"
    if not is_email(sent):
        raise ValueError
    return sent
