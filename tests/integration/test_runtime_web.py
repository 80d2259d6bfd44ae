"""The HTTP door stands strangers: too much, too slow, not HTTP at all; the others are served meanwhile."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import eventlet
import pytest
from harness import free_port, until
from machine import embedded_in, started
from werkzeug.wrappers import Request, Response

from services.kernel.errors import Refused
from services.runtime import log, web
from services.runtime.dependencies import Service
from services.runtime.settings import Settings
from services.runtime.web import http_door

SECRET = "the citizen's number is 12345"
LIMIT = 16 * 1024


class Gateway(Service):
    """Answers what it was asked."""

    name = "gateway"

    @http_door
    def handle(self, request: Request) -> Response:
        if request.path == "/bug":
            raise LookupError(SECRET)
        if request.path == "/refused":
            raise Refused(SECRET)
        if request.path == "/stray":
            raise eventlet.Timeout
        if request.path == "/slow":
            eventlet.sleep(0.3)
        told = {"path": request.path, "length": len(request.get_data()), "correlation_id": log.correlation_id()}
        return Response(json.dumps(told), mimetype="application/json")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a door with short patience."""
    port = free_port()
    with pytest.MonkeyPatch.context() as patch, started() as begin:
        patch.setattr(web, "HEADER_SECONDS", 0.3)
        patch.setattr(web, "BODY_SECONDS", 0.3)
        patch.setattr(web, "IDLE_SECONDS", 1.0)
        patch.setattr(web, "LINGER_SECONDS", 0.3)
        patch.setattr(web, "MOST_CONNECTIONS", 20)
        settings = embedded_in(tmp_path_factory.mktemp("door"))
        begin(Gateway, settings, http_address=f"127.0.0.1:{port}", max_body_kilobytes=LIMIT // 1024, max_workers=4)
        yield port


class Line:
    """A connection to the door, by hand."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)

    def send(self, text: str | bytes) -> Line:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)
        return self

    def answer(self) -> Answer:
        """The next answer on this connection."""
        head = b""
        while b"\r\n\r\n" not in head:
            if not (more := self.socket.recv(65536)):
                return Answer(0, {}, b"")
            head += more
        head, _, body = head.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.socket.recv(65536)
        return Answer(int(first.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Whether the other side closes, within the socket's time limit."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self.socket.close()


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def plain(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


def ask(port: int, path: str = "/", *headers: str, method: str = "GET", body: str = "") -> Answer:
    line = Line(port)
    lengths = [f"Content-Length: {len(body)}"] if body else []
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers, *lengths, "", body]
    found = line.send("\r\n".join(lines)).answer()
    line.close()
    return found


def test_a_request_is_answered(door: int) -> None:
    found = ask(door, "/x", method="POST", body="abc")
    assert (200, "/x", 3) == (found.status, found.plain["path"], found.plain["length"])


def test_several_requests_go_over_one_connection(door: int) -> None:
    line = Line(door)
    for path in ("/a", "/b"):
        found = line.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi").answer()
        assert (path, 2) == (found.plain["path"], found.plain["length"])


def test_a_body_of_the_largest_size_is_taken_and_a_larger_one_is_not(door: int) -> None:
    assert [200, 413] == [ask(door, method="POST", body="x" * size).status for size in (LIMIT, LIMIT + 1)]


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(door: int) -> None:
    line = Line(door).send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n")
    found = line.answer()
    assert (413, "payload_too_large", "close") == (found.status, found.plain["code"], found.headers.get("connection"))
    assert line.is_closed()


def chunked(*parts: str) -> str:
    return "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts) + "0\r\n\r\n"


CHUNKED = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_body_in_chunks_is_read_whole(door: int) -> None:
    assert 7 == Line(door).send(CHUNKED + chunked("abc", "defg")).answer().plain["length"]


def test_a_body_in_chunks_has_the_same_limit(door: int) -> None:
    line = Line(door).send(CHUNKED + chunked("x" * LIMIT, "y"))
    assert 413 == line.answer().status
    assert line.is_closed()


@pytest.mark.parametrize("body", ["zz\r\nabc\r\n0\r\n\r\n", "-5\r\nabc\r\n0\r\n\r\n"])
def test_chunks_that_are_none_are_refused(door: int, body: str) -> None:
    line = Line(door).send(CHUNKED + body)
    assert line.answer().status in (400, 408)
    assert line.is_closed()


@pytest.mark.parametrize("length", ["-1", "many", "1.5", ""])
def test_a_length_that_is_none_is_refused_or_means_nothing(door: int, length: str) -> None:
    found = Line(door).send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\nabc").answer()
    assert 400 == found.status


def test_a_body_and_chunks_at_once_are_refused(door: int) -> None:
    text = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked("abc")
    assert 400 == Line(door).send(text).answer().status


@pytest.mark.parametrize(
    "text", ["\x00\x01\x02\r\n\r\n", "GET\r\n\r\n", "x" * 9000 + "\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_refused_and_the_door_stays_open(door: int, text: str) -> None:
    line = Line(door).send(text)
    assert line.answer().status in (0, 400, 414, 505)
    assert line.is_closed()
    assert 200 == ask(door).status


def test_headers_without_end_are_refused(door: int) -> None:
    line = Line(door).send("GET / HTTP/1.1\r\n")
    try:
        for n in range(2000):
            line.send(f"X-{n}: {'x' * 100}\r\n")
    except OSError:
        pass  # closed while we were still sending
    assert 200 == ask(door).status


@pytest.mark.parametrize("begin", ["GET", "GET / HTTP/1.1\r\nHost: x\r\n"], ids=["request line", "header"])
def test_a_head_that_comes_drop_by_drop_is_cut_off(door: int, begin: str) -> None:
    line = Line(door).send(begin)

    def drip() -> None:
        try:
            while True:
                line.send("X")
                eventlet.sleep(0.05)
        except OSError:
            return

    dripping = eventlet.spawn(drip)
    assert line.is_closed()
    dripping.kill()


def test_a_connection_that_says_nothing_is_cut_off(door: int) -> None:
    assert Line(door).is_closed()


def test_a_body_that_comes_drop_by_drop_is_refused_while_others_are_served(door: int) -> None:
    # More slow bodies than there are workers.
    slow = [Line(door).send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc") for _ in range(8)]
    assert 200 == ask(door).status
    for line in slow:
        found = line.answer()
        assert (408, "request_timeout", "close") == (found.status, found.plain["code"], found.headers.get("connection"))
        assert line.is_closed()


def test_a_client_that_sends_on_after_its_refusal_is_cut_off(door: int) -> None:
    line = Line(door).send(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {10**12}\r\n\r\n")

    def send_on() -> None:
        while True:
            line.send("x" * 1000)
            eventlet.sleep(0.01)

    with pytest.raises(OSError, match=r"(?i)pipe|reset"):
        send_on()


def test_a_body_that_ends_early_reaches_nobody(door: int) -> None:
    line = Line(door).send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc")
    line.socket.shutdown(socket.SHUT_WR)
    assert line.answer().status in (0, 400)
    assert 200 == ask(door).status


def test_a_client_that_goes_away_ends_nothing(door: int) -> None:
    for text in ("", "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab"):
        Line(door).send(text).close()
    assert 200 == ask(door, "/slow").status


@pytest.mark.parametrize("path", ["/bug", "/refused", "/stray"])
def test_whatever_is_raised_is_a_problem_without_its_text(door: int, path: str) -> None:
    found = ask(door, path)
    assert (500, "internal_error", "application/problem+json") == (
        found.status, found.plain["code"], found.headers["content-type"].partition(";")[0],
    )  # fmt: skip
    assert SECRET not in found.body.decode()
    assert found.headers["x-correlation-id"] in found.plain["detail"]


def test_a_bug_does_not_close_the_connection(door: int) -> None:
    line = Line(door)
    assert [500, 200] == [
        line.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").answer().status for path in ("/bug", "/")
    ]


def test_a_correlation_id_is_taken_from_the_caller_and_given_back(door: int) -> None:
    found = ask(door, "/", "X-Correlation-Id: abc-123")
    assert ("abc-123", "abc-123") == (found.headers["x-correlation-id"], found.plain["correlation_id"])


@pytest.mark.parametrize("given", ["", "a b", "ş", "x" * 65, "a;b", "<script>", "-"])
def test_a_correlation_id_that_is_not_plain_is_replaced(door: int, given: str) -> None:
    found = ask(door, "/", f"X-Correlation-Id: {given}")
    made = found.headers["x-correlation-id"]
    assert (made, 32, True) == (found.plain["correlation_id"], len(made), made.isalnum())


def test_every_request_has_a_correlation_id_of_its_own(door: int) -> None:
    assert 5 == len({ask(door).headers["x-correlation-id"] for _ in range(5)})


def test_more_requests_than_workers_are_all_answered(door: int) -> None:
    threads = [eventlet.spawn(ask, door, "/slow") for _ in range(12)]
    assert [200] * 12 == [thread.wait().status for thread in threads]


def test_more_connections_than_allowed_are_closed_and_the_others_are_served(door: int) -> None:
    lines = [Line(door) for _ in range(20)]
    eventlet.sleep(0.05)
    too_many = Line(door)
    assert too_many.is_closed()
    assert 200 == lines[0].send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").answer().status
    for line in lines:
        line.close()
    until(lambda: ask_quietly(door) == 200)


def ask_quietly(port: int) -> int:
    try:
        return ask(port).status
    except OSError:
        return 0


def test_a_door_that_stops_finishes_the_request_in_its_hands(embedded: Settings) -> None:
    port = free_port()
    with started() as begin:
        container = begin(Gateway, embedded, http_address=f"127.0.0.1:{port}")
        asking = eventlet.spawn(ask, port, "/slow")
        eventlet.sleep(0.1)
        container.stop()
        assert 200 == asking.wait().status
        with pytest.raises(OSError, match="REFUSED"):
            Line(port)


def test_an_embedded_address_is_not_shared_with_another_process(embedded: Settings) -> None:
    port = free_port()
    with started() as begin:
        begin(Gateway, embedded, http_address=f"127.0.0.1:{port}")
        with pytest.raises(OSError, match="in use"):
            begin(Gateway, embedded, http_address=f"127.0.0.1:{port}")
