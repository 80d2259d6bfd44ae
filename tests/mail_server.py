"""A real SMTP server for tests, in a process of its own, since eventlet's patches and asyncio do not mix.

`python mail_server.py PORT FOLDER [CERTIFICATE KEY]`: every mail taken becomes a file of JSON in FOLDER. The part
before the @ says how an address behaves: see `REFUSALS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

REFUSALS = {
    "nobody": "550 5.1.1 No such mailbox",
    "moved": "551 User has moved",
    "policy": "550 5.7.1 Relay access denied",
    "full": "452 4.2.2 Mailbox full",
    "greylisted": "451 4.7.1 Try again later",
    "leaving": "421 4.3.2 Going down",
}
AT_DATA = {"spam": "554 5.6.0 Message refused", "later": "451 4.3.0 Not now", "closing": "421 4.3.2 Going down"}
THINKS_SECONDS = 1.0
"""So long the server looks through a mail to `thorough@…` after its final dot."""

REFUSES_US = "refuses-us"
"""While there is a file of this name in the folder, no sender is taken."""


class Keeper:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802, ARG002 - aiosmtpd
        if (self.folder / REFUSES_US).exists():
            return "550 5.7.1 Sender refused"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802, ARG002 - aiosmtpd
        answer = REFUSALS.get(address.partition("@")[0])
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002 - aiosmtpd
        name = envelope.rcpt_tos[0].partition("@")[0]
        if name in AT_DATA:
            return AT_DATA[name]
        if name == "thorough":
            await asyncio.sleep(THINKS_SECONDS)
        self.count += 1
        kept = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "data": envelope.content.decode(),
            "tls": session.ssl is not None,
            "connection": id(session),
        }
        path = self.folder / f"{time.time_ns()}-{self.count}.json"
        path.with_suffix(".part").write_text(json.dumps(kept))
        path.with_suffix(".part").rename(path)
        return "250 OK"


def serve(port: int, folder: Path, certificate: str | None, key: str | None) -> None:
    """Until the process is ended."""
    from aiosmtpd.controller import Controller

    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    controller = Controller(
        Keeper(folder), hostname="127.0.0.1", port=port, tls_context=context, require_starttls=context is not None
    )
    controller.start()
    sys.stdin.read()
    controller.stop()


@dataclass
class Mail:
    """A mail as the server got it."""

    sender: str
    to: list[str]
    message: EmailMessage
    tls: bool
    connection: int
    raw: str

    @property
    def text(self) -> str:
        part = self.message.get_body(("plain",))
        return "" if part is None else str(part.get_content())

    @property
    def html(self) -> str:
        part = self.message.get_body(("html",))
        return "" if part is None else str(part.get_content())


class MailServer:
    """The server as a test sees it: start, stop, what came."""

    def __init__(self, folder: Path, port: int, certificate: Path | None = None, key: Path | None = None) -> None:
        self.folder = folder
        self.port = port
        self._more = [str(certificate), str(key)] if certificate else []
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, str(self.port), str(self.folder), *self._more],
            stdin=subprocess.PIPE,
        )
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                if line.recv(3) == b"220":
                    return
            assert time.monotonic() < deadline, "the mail server does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def mails(self) -> list[Mail]:
        """Everything that came, the oldest first."""
        found = [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]
        return [
            Mail(
                each["from"],
                each["to"],
                message_from_string(each["data"], policy=default),  # type: ignore[arg-type]
                each["tls"],
                each["connection"],
                each["data"],
            )
            for each in found
        ]

    def to(self, address: str) -> list[Mail]:
        """What came for this address."""
        return [mail for mail in self.mails() if address in mail.to]

    def empty(self) -> None:
        for path in self.folder.glob("*.json"):
            path.unlink()


@contextlib.contextmanager
def mail_server(
    folder: Path, port: int, certificate: Path | None = None, key: Path | None = None
) -> Iterator[MailServer]:
    server = MailServer(folder, port, certificate, key)
    server.start()
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), *(sys.argv[3:5] or (None, None)))
