"""A server that speaks S3, in a process of its own: moto's, since no other comes by pip alone."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from harness import free_port, until

from services.runtime.bucket import Bucket

PROGRAM = """
import sys, threading
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

moto, turn = DomainDispatcherApplication(create_backend_app), threading.Lock()

def one_at_a_time(environ, start_response):
    with turn:
        return list(moto(environ, start_response))

port, *pair = sys.argv[1:]
run_simple("127.0.0.1", int(port), one_at_a_time, threaded=True, ssl_context=tuple(pair) or None)
"""
"""moto's server, that answers one after the other: two writers of one key break it, as they break no real server."""

SECRET = "very/secret+key"


@dataclass
class S3:
    """The server and how to reach it; each bucket is a test's own."""

    process: subprocess.Popen[bytes]
    port: int
    scheme: str = "s3"

    def address(self, bucket: str) -> str:
        return f"{self.scheme}://imece:very%2Fsecret%2Bkey@127.0.0.1:{self.port}/{bucket}"

    def new_bucket(self) -> str:
        """The address of an empty bucket."""
        name = f"imece-{uuid.uuid4().hex[:12]}"
        client(self.address(name)).create_bucket(Bucket=name)
        return self.address(name)


def client(address: str) -> Any:
    """boto's client, as the store has it."""
    return Bucket(address, "any", Path("/nowhere"))._client  # noqa: SLF001 - what the test looks at is on the server


@contextlib.contextmanager
def s3_process(folder: Path, *pair: str, port: int | None = None) -> Iterator[S3]:
    """A server that ends with the block. `pair`: files of a certificate and its key, where it speaks TLS."""
    scheme = "s3s" if pair else "s3"
    port = port or free_port()
    with (folder / f"moto-{port}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(port), *pair],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        until(lambda: _answers(f"{'http' if scheme == 's3' else 'https'}://127.0.0.1:{port}/moto-api/"))
        yield S3(process, port, scheme)
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5, verify=False).ok
    except requests.RequestException:
        return False


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """One server for the whole run."""
    with s3_process(tmp_path_factory.mktemp("s3")) as server:
        yield server
