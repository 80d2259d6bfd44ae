"""A receiver of webhooks as a process of its own: writes down what it got, and answers as its path says.

`/ok` 200, `/status/503`, `/redirect` to /ok, `/slow/2` seconds, `/endless`, `/drip` a header for ever, `/cut` no answer,
`/refuse/word` 500 for a body that holds the word.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log: Path

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        line = json.dumps({"path": self.path, "headers": dict(self.headers.items()), "body": body})
        with self.log.open("a") as file:
            file.write(line + "\n")
        what, _, more = self.path.strip("/").partition("/")
        if what == "cut":
            self.close_connection = True
            return
        if what == "drip":
            self._drip()
            return
        if what == "slow":
            time.sleep(float(more))
        status = int(more) if what == "status" else 302 if what == "redirect" else 200
        self.send_response(500 if what == "refuse" and more in body else status)
        if what == "redirect":
            self.send_header("Location", "/ok")
        if what == "endless":
            self.end_headers()
            self._pour()
            return
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def _drip(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.wfile.write(b"X-More: 1\r\n")
                time.sleep(0.05)

    def _pour(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(b"x" * 65536)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@dataclass
class Receiver:
    """A receiver that can be taken down and brought back at the same address."""

    folder: Path
    certificate: tuple[Path, Path] | None = None
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / "received.jsonl"
        self.log.touch()

    def start(self) -> None:
        arguments = [sys.executable, __file__, str(self.port), str(self.log)]
        if self.certificate:
            arguments += [str(each) for each in self.certificate]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def url(self, path: str = "/ok", host: str = "127.0.0.1") -> str:
        return f"http{'s' if self.certificate else ''}://{host}:{self.port}{path}"

    @property
    def got(self) -> list[dict[str, Any]]:
        """The requests so far, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def forget(self) -> None:
        self.log.write_text("")


@contextlib.contextmanager
def receiving(folder: Path, certificate: tuple[Path, Path] | None = None) -> Iterator[Receiver]:
    made = Receiver(folder, certificate)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def self_made(folder: Path, *names: str) -> tuple[Path, Path]:
    """A certificate for these names that nobody has signed, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    openssl = shutil.which("openssl")
    assert openssl, "openssl makes the certificates of these tests"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", str(key), "-out", str(certificate), "-subj", f"/CN={names[0]}",
         "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in names)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def main() -> None:
    port, log, *certificate = sys.argv[1:]
    Handler.log = Path(log)
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
