"""Forms with files: asked about before they are read, kept without a name, limited, and gone with the answer."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eventlet
import pytest
import requests
from harness import free_port, until
from machine import embedded_in, started
from test_runtime_web import Line, chunked
from werkzeug.wrappers import Request, Response

from services.runtime import form, web
from services.runtime.dependencies import Service
from services.runtime.form import Form, Sent, Taking
from services.runtime.web import ANNOUNCED, RECEIVED, http_door

LIMIT = 300_000
SMALL = 16 * 1024
BOUNDARY = "xyz"
HEAD = f"POST /files HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"


class Gateway(Service):
    """Takes forms at /files from those who say that they may."""

    name = "gateway"
    folder = Path()
    seen: list[str] = []  # noqa: RUF012 - one for all workers

    @http_door
    def handle(self, request: Request) -> Any:
        if ANNOUNCED in request.environ:
            self.seen.append("announced")
            if request.path != "/files":
                return None
            return Response("no", 403) if "X-Stranger" in request.headers else Taking(LIMIT, self.folder)
        received = request.environ.get(RECEIVED)
        self.seen.append("answered")
        if not isinstance(received, Form):
            return Response(json.dumps({"bytes": len(request.get_data())}))
        if request.headers.get("X-Slow"):
            eventlet.sleep(0.2)
        return Response(json.dumps([[name, shown(value)] for name, value in received.fields]))


def shown(value: str | Sent) -> Any:
    if isinstance(value, str):
        return value
    content = value.stream.read()
    assert (value.size, value.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    mode = os.fstat(value.stream.fileno()).st_mode & 0o777
    return {"name": value.name, "type": value.media_type, "size": value.size, "mode": mode}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a door with short patience."""
    port = free_port()
    Gateway.folder = tmp_path_factory.mktemp("files") / "documents"
    with pytest.MonkeyPatch.context() as patch, started() as begin:
        patch.setattr(web, "FORM_SECONDS", 0.5)
        patch.setattr(web, "LINGER_SECONDS", 0.3)
        settings = embedded_in(tmp_path_factory.mktemp("door"))
        begin(Gateway, settings, http_address=f"127.0.0.1:{port}", max_body_kilobytes=SMALL // 1024, max_workers=4)
        yield port


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """After every test no file is left: neither a name in the folder nor a descriptor in the process."""
    Gateway.seen.clear()
    yield
    until(lambda: not held())
    assert [] == (list(Gateway.folder.iterdir()) if Gateway.folder.exists() else [])


def held() -> list[str]:
    """The files of the folder that this process has open, with or without a name."""
    folder = str(Gateway.folder)
    found = []
    for each in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(each.readlink()))
        except OSError:
            continue  # the descriptor of this very listing
    return [each for each in found if each.startswith(folder)]


def post(port: int, files: Any, data: Any = None, path: str = "/files", **headers: str) -> requests.Response:
    return requests.post(f"http://127.0.0.1:{port}{path}", files=files, data=data, headers=headers, timeout=20)


def part(name: str, content: str, filename: str | None = None) -> str:
    file = f'; filename="{filename}"' if filename is not None else ""
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{content}\r\n'


END = f"--{BOUNDARY}--\r\n"


def test_a_form_is_taken_with_its_texts_and_files(door: int) -> None:
    found = post(door, {"file": ("Kütük.csv", b"a,b\n" * 1000, "text/csv")}, {"kind": "şu", "note": ""})
    assert [
        ["kind", "şu"],
        ["note", ""],
        ["file", {"name": "Kütük.csv", "type": "text/csv", "size": 4000, "mode": 0o600}],
    ] == found.json()
    assert ["announced", "answered"] == Gateway.seen


def test_a_file_larger_than_any_other_body_is_taken_and_lies_on_the_disk(door: int) -> None:
    asking = eventlet.spawn(post, door, {"file": ("x", b"x" * 250_000)}, None, "/files", **{"X-Slow": "1"})
    until(held)
    assert [] == list(Gateway.folder.iterdir())
    assert 250_000 == asking.wait().json()[0][1]["size"]


def test_a_form_over_several_requests_of_one_connection(door: int) -> None:
    with requests.Session() as session:
        for size in (10, 100_000, 20):
            found = session.post(f"http://127.0.0.1:{door}/files", files={"file": ("x", b"x" * size)}, timeout=20)
            assert size == found.json()[0][1]["size"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Belgeler\\liste.csv", "liste.csv"),
        ("a" * 300 + ".csv", "a" * 196 + ".csv"),
    ],
)
def test_the_name_of_a_file_is_no_path(door: int, given: str, kept: str) -> None:
    body = part("file", "x", given.replace("\\", "\\\\")) + END
    found = Line(door).send(f"{HEAD}Content-Length: {len(body)}\r\n\r\n{body}").answer()
    assert kept == json.loads(found.body)[0][1]["name"]


def test_a_stranger_is_refused_before_the_file_is_sent(door: int) -> None:
    line = Line(door).send(f"{HEAD}X-Stranger: 1\r\nContent-Length: {LIMIT}\r\n\r\n")
    found = line.answer()
    assert (403, "close", b"no") == (found.status, found.headers["connection"], found.body)
    assert line.is_closed()
    assert ["announced"] == Gateway.seen


def test_who_waits_to_be_asked_for_the_file_is_refused_without_being_asked(door: int) -> None:
    line = Line(door).send(f"{HEAD}X-Stranger: 1\r\nExpect: 100-continue\r\nContent-Length: {LIMIT}\r\n\r\n")
    assert 403 == line.answer().status
    line = Line(door).send(f"{HEAD}Expect: 100-continue\r\nContent-Length: {len(END)}\r\n\r\n")
    assert b"100 Continue" in line.socket.recv(100)


def test_a_form_where_none_is_taken_has_the_limit_of_every_body(door: int) -> None:
    assert SMALL > post(door, {"file": ("x", b"x" * 100)}, path="/other").json()["bytes"] > 100
    assert 413 == post(door, {"file": ("x", b"x" * SMALL)}, path="/other").status_code


def test_a_form_that_says_it_is_too_large_is_refused_before_it_is_sent(door: int) -> None:
    line = Line(door).send(f"{HEAD}Content-Length: {LIMIT + 1}\r\n\r\n")
    assert (413, "payload_too_large") == ((found := line.answer()).status, found.plain["code"])
    assert line.is_closed()


def test_a_form_in_chunks_is_taken_and_has_the_same_limit(door: int) -> None:
    head = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n"
    body = part("file", "x" * 50_000, "x") + END
    found = Line(door).send(head + chunked(body[:7], body[7:40_000], body[40_000:])).answer()
    assert 50_000 == json.loads(found.body)[0][1]["size"]
    line = Line(door).send(head + chunked(part("file", "x" * LIMIT, "x")))
    assert 413 == line.answer().status
    assert line.is_closed()


def test_a_form_that_comes_drop_by_drop_is_refused_while_others_are_served(door: int) -> None:
    lines = [
        Line(door).send(f"{HEAD}Content-Length: 900\r\n\r\n{part('file', 'x', 'x')}") for _ in range(web.MOST_FORMS)
    ]
    assert 200 == post(door, None, path="/other").status_code
    for line in lines:
        assert (408, "request_timeout") == ((found := line.answer()).status, found.plain["code"])
        assert line.is_closed()


def test_more_forms_at_once_than_allowed_are_sent_away(door: int) -> None:
    begun = f"{HEAD}Content-Length: 200000\r\n\r\n{part('file', 'x' * 100_000, 'x')}"
    lines = [Line(door).send(begun) for _ in range(web.MOST_FORMS)]
    until(lambda: len(held()) == web.MOST_FORMS)
    found = post(door, {"file": ("x", b"x")})
    assert (503, "unavailable") == (found.status_code, found.json()["code"])
    for line in lines:
        line.close()
    until(lambda: post(door, {"file": ("x", b"x")}).status_code == 200)


@pytest.mark.parametrize("length", [900, None])
def test_a_form_that_breaks_off_reaches_nobody(door: int, length: int | None) -> None:
    framing = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
    beginning = part("file", "x" * 100, "x")
    line = Line(door).send(
        f"{HEAD}{framing}\r\n\r\n" + (beginning if length else f"{len(beginning):x}\r\n{beginning}\r\n")
    )
    line.socket.shutdown(socket.SHUT_WR)
    assert line.answer().status in (0, 400)
    assert "answered" not in Gateway.seen


def test_a_sender_who_goes_away_leaves_nothing(door: int) -> None:
    line = Line(door).send(f"{HEAD}Content-Length: 200000\r\n\r\n" + part("file", "x" * 100_000, "x"))
    until(held)
    line.close()
    until(lambda: not held())
    assert "answered" not in Gateway.seen


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nothing that is a form",
        f"--{BOUNDARY}\r\nno header here\r\n",
        part("file", "x", "x"),
        part("kind", "ş") .encode().replace("ş".encode(), b"\xfe").decode("latin-1") + END,
        "".join(part(f"f{n}", "x") for n in range(60)) + END,
        part("kind", "x" * 290_000) + END,
    ],
    ids=["nothing", "no form", "no header", "no end", "no text", "too many parts", "too long a text"],
)  # fmt: skip
def test_what_is_no_form_is_refused(door: int, body: str) -> None:
    line = Line(door).send(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body.encode("latin-1"))
    found = line.answer()
    assert (found.status, found.plain["code"]) in ((400, "bad_request"), (413, "payload_too_large"))
    assert "answered" not in Gateway.seen


def test_a_form_without_a_boundary_is_refused(door: int) -> None:
    head = HEAD.replace(f"; boundary={BOUNDARY}", "")
    assert 400 == Line(door).send(f"{head}Content-Length: 5\r\n\r\nhello").answer().status


def test_a_full_disk_is_said_as_such(door: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise form.NoRoom from OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(form._Kept, "write", full)  # noqa: SLF001 - a disk cannot be filled for a test
    found = post(door, {"file": ("x", b"x")})
    assert (503, "unavailable") == (found.status_code, found.json()["code"])
