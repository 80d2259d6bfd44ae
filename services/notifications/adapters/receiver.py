"""Sends one delivery to a receiver that anybody may have chosen, without letting it lead us into the house.

A name is resolved here at each connection, every address it has is checked, and the
connection goes to exactly a checked address: what the name says a moment later changes
nothing. TLS is checked against the name. No redirect is followed, no proxy used.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import Any

import certifi
from eventlet.timeout import Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util.ssl_ import create_urllib3_context

from services.kernel.text import Sentence
from services.notifications.domain.network import Address, Network, is_inside, may_be_reached, read_address
from services.notifications.domain.webhook import Destination, Outcome, outcome_of

SECONDS = 10.0
"""The whole time that a receiver has for its answer."""
RESOLVE_SECONDS = 5.0
_MOST_READ = 4_096
"""Bytes of an answer that are read before the connection is closed; nobody looks at them."""
AGENT = "Imece-Webhooks/1"

Resolve = Callable[[str, int], Sequence[str]]
"""(host, port) → its addresses; raises OSError when it has none."""


class Unreachable(Exception):
    """The receiver may not or cannot be reached; `cause` is for the webhook's owner."""

    def __init__(self, cause: Sentence) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _TooLong(Exception):
    """The receiver took longer than it may."""


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, by the resolver of this machine; raises OSError when there is none."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Post:
    """Sends to receivers on the open internet, and to those `inside` the house that are allowed by name."""

    def __init__(self, inside: Sequence[Network], resolver: Resolve = resolve) -> None:
        """`resolver` is asked anew for every connection."""
        self._inside = tuple(inside)
        self._resolve = resolver

    def check(self, destination: Destination) -> None:
        """Raise Unreachable when this destination cannot be a webhook's as its name stands now."""
        try:
            with Timeout(RESOLVE_SECONDS, _TooLong()):
                self.addresses(destination.scheme, destination.host, destination.port)
        except _TooLong:
            raise Unreachable(_not_found(destination.host)) from None

    def addresses(self, scheme: str, host: str, port: int) -> list[Address]:
        """The addresses of the host, every one of which may be reached. Raises Unreachable otherwise."""
        try:
            found = [read_address(each) for each in dict.fromkeys(self._resolve(host, port))]
        except (OSError, ValueError, UnicodeError):
            raise Unreachable(_not_found(host)) from None
        if not found:
            raise Unreachable(_not_found(host))
        # One closed address among open ones is refused too: an honest name has none.
        if not all(may_be_reached(each, self._inside) for each in found):
            raise Unreachable(Sentence("{host} leads into a network that webhooks may not reach.", host=host))
        if scheme != "https" and not all(is_inside(each, self._inside) for each in found):
            raise Unreachable(Sentence("The address must begin with https://."))
        return found

    @contextmanager
    def line(self, destination: Destination) -> Iterator[Line]:
        """A line to one receiver, on which several deliveries may go; hung up at the end of the block."""
        connect = partial(self._connect, destination.scheme)
        pool: HTTPConnectionPool
        if destination.scheme == "https":
            pool = _TlsPool(connect, destination.host, destination.port, ssl_context=_trust())
        else:
            pool = _PlainPool(connect, destination.host, destination.port)
        try:
            yield Line(pool, destination)
        finally:
            pool.close()

    def _connect(self, scheme: str, host: str, port: int) -> socket.socket:
        """A connection to a checked address; the next one where the first does not answer."""
        addresses = self.addresses(scheme, host, port)
        for address in addresses:
            with suppress(OSError):
                return socket.create_connection((str(address), port), SECONDS / len(addresses))
        raise Unreachable(Sentence("The receiver cannot be connected to."))


class Line:
    """A line to one receiver; several green threads may send on it."""

    def __init__(self, pool: HTTPConnectionPool, destination: Destination) -> None:
        """Connects at the first delivery."""
        self._pool = pool
        self._destination = destination

    def send(self, headers: Mapping[str, str], body: bytes, seconds: float = SECONDS) -> Outcome:
        """Send one delivery; what came of it within `seconds`, whatever happens on the way."""
        try:
            with Timeout(seconds, _TooLong()):
                return outcome_of(self._ask(headers, body))
        except (_TooLong, Unreachable, HTTPError, OSError, ValueError) as error:
            return Outcome(cause=_cause(error, seconds))

    def _ask(self, headers: Mapping[str, str], body: bytes) -> int:
        answer: Any = self._pool.urlopen(
            "POST",
            self._destination.target,
            body=body,
            headers={
                "User-Agent": AGENT,
                "Content-Type": "application/json",
                "Accept-Encoding": "identity",
                **headers,
            },
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            # Ours ends first and counts everything together.
            timeout=2 * SECONDS,
        )
        try:
            rest = answer.read(_MOST_READ + 1)
        except (HTTPError, OSError, ValueError):
            rest = None  # it has said its status; the rest is of no use
        if rest is None or len(rest) > _MOST_READ:
            answer.close()
        else:
            answer.release_conn()
        return int(answer.status)


def _cause(error: Exception, seconds: float) -> Sentence:
    """Why a try came to nothing, for the webhook's owner; addresses inside the house are not told."""
    if isinstance(error, Unreachable):
        return error.cause
    if isinstance(error, _TooLong):
        return Sentence("The receiver did not answer within {seconds} seconds.", seconds=f"{seconds:g}")
    if isinstance(error, (SSLError, ssl.SSLError)):
        return Sentence("No safe connection: the receiver's certificate or its TLS was not accepted.")
    return Sentence("The connection to the receiver broke off before its answer.")


def _not_found(host: str) -> Sentence:
    return Sentence("There is no address for {host}.", host=host)


Connect = Callable[[str, int], socket.socket]


class _Plain(HTTPConnection):
    """A connection made by `connect` alone."""

    connect_to: Connect

    def _new_conn(self) -> socket.socket:
        return self.connect_to(self.host, self.port)


class _Tls(HTTPSConnection):
    """The same under TLS; name and certificate are checked by urllib3 against the host of the address."""

    connect_to: Connect

    def _new_conn(self) -> socket.socket:
        return self.connect_to(self.host, self.port or self.default_port)


class _PlainPool(HTTPConnectionPool):
    def __init__(self, connect: Connect, host: str, port: int) -> None:
        self._connect_to = connect
        super().__init__(host, port, maxsize=8)

    def _new_conn(self) -> Any:
        made: Any = super()._new_conn()
        made.connect_to = self._connect_to
        return made

    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    def __init__(self, connect: Connect, host: str, port: int, *, ssl_context: ssl.SSLContext) -> None:
        self._connect_to = connect
        super().__init__(host, port, maxsize=8, ssl_context=ssl_context)

    def _new_conn(self) -> Any:
        made: Any = super()._new_conn()
        made.connect_to = self._connect_to
        return made

    ConnectionCls = _Tls


@cache
def _trust() -> ssl.SSLContext:
    """Who is believed: the usual authorities, and those that this machine knows besides (a house's own)."""
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    context.load_default_certs()
    return context
