"""Other channels, such as an SMS gateway, by an apprise URL."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import Self
from urllib.parse import quote

from eventlet.timeout import Timeout

from services.notifications.adapters.letter import short
from services.notifications.application.posting import Message
from services.notifications.domain.delivery import CHANNEL_AWAY, NOT_NOW, Tried

logger = logging.getLogger(__name__)

_WHOLE_SECONDS = 20

# What apprise logs may hold the address of a person.
logging.getLogger("apprise").disabled = True


class Apprise:
    """The channel of IMECE_CHANNEL_URL; `{to}` in it is the recipient's address there."""

    def __init__(self, url: str) -> None:
        """Nothing is opened before a message is sent."""
        self._url = url

    def __enter__(self) -> Self:
        """Nothing is kept open between messages."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is left open."""

    def send(self, message: Message) -> Tried:
        """Hand the message to the gateway behind the URL; its answer is yes or no, so every no is tried again."""
        import apprise  # noqa: PLC0415 - slow to import, and only for installations that use it

        line = apprise.Apprise()
        if not line.add(self._url.replace("{to}", quote(message.to, safe=""))):
            logger.warning("IMECE_CHANNEL_URL is no address that apprise can read")
            # It may be this person's address that cannot be read.
            return Tried(CHANNEL_AWAY, answered=True)
        title, body = short(message)
        try:
            with Timeout(_WHOLE_SECONDS, TimeoutError("no answer")):
                return Tried() if line.notify(body=body, title=title) else Tried(NOT_NOW)
        except (OSError, TypeError) as error:
            logger.warning("the other channel cannot be used", extra={"cause": type(error).__name__})
            return Tried(CHANNEL_AWAY, answered=True)
