"""The store of files on a server that speaks S3: Amazon's, or one of the house such as MinIO, Ceph or Garage.

Each file is the object `<space>/<aa>/<bb>/<sha256>`. Every question has an end and is repeated once
at most; a server that does not answer is Unavailable, and its words, which may hold keys, go nowhere.
"""

from __future__ import annotations

import base64
import io
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qs, unquote, urlsplit

import eventlet
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from eventlet.timeout import Timeout
from urllib3.exceptions import HTTPError

from services.kernel.errors import Unavailable
from services.kernel.text import Sentence
from services.runtime.blob import Blob, Putting, demand_sum, is_sum, not_kept

logger = logging.getLogger(__name__)
# On DEBUG it writes whole requests with what signs them.
logging.getLogger("botocore").setLevel(logging.WARNING)

ANSWER_SECONDS = 8.0
"""For a question without a file, all tries together: shorter than a service waits for another."""
CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 20.0
"""Between two pieces of a file."""
_BYTES_A_SECOND = 500_000
"""The slowest line that a file may come over."""
_TRIES = 2
_LISTED_AT_ONCE = 1000
_BUFFER = 64 * 1024
_REGION = "us-east-1"
"""What servers without regions take."""
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})


class Bucket(Putting):
    """A store in a bucket, which must exist and which several installations must not share."""

    def __init__(self, url: str, space: str, incoming: Path, look: Callable[[Path], None] | None = None) -> None:
        """`url` as IMECE_DOCUMENTS_URL has it; files wait in the folder `incoming` until they are sent."""
        super().__init__(incoming, look)
        parts = urlsplit(url)
        self._server = parts._replace(path="").geturl()
        self._name = parts.path.strip("/")
        self._space = space

    def _keep(self, file: Path, blob: Blob) -> None:
        whole = base64.b64encode(bytes.fromhex(blob.sha256)).decode()
        with _answered("put", SILENCE_SECONDS + blob.size / _BYTES_A_SECOND), _Sending(file) as body:
            # The sum lets the server refuse what did not arrive as it left here.
            self._client.put_object(
                Bucket=self._name,
                Key=self._key(blob.sha256),
                Body=body,
                ContentLength=blob.size,
                ChecksumSHA256=whole,
            )

    def open(self, sha256: str) -> BinaryIO:
        """See `Store`; read as it comes, and asked for again from another place when the reader jumps."""
        key = self._key(sha256)

        def ask(position: int) -> Any:
            # An empty object has no byte that a range could begin with.
            part = {"Range": f"bytes={position}-"} if position else {}
            try:
                with _answered("open"):
                    return self._client.get_object(Bucket=self._name, Key=key, **part)
            except _Missing:
                raise not_kept() from None

        return cast("BinaryIO", io.BufferedReader(_Remote(ask), _BUFFER))

    def has(self, sha256: str) -> bool:
        """See `Store`."""
        key = self._key(sha256)
        try:
            with _answered("has"):
                self._client.head_object(Bucket=self._name, Key=key)
        except _Missing:
            return False
        return True

    def remove(self, sha256: str) -> None:
        """See `Store`."""
        with suppress(_Missing), _answered("remove"):
            self._client.delete_object(Bucket=self._name, Key=self._key(sha256))

    def put_before(self, moment: datetime) -> Iterator[str]:
        """See `Store`; by the server's clock."""
        after = f"{self._space}/"
        while True:
            with _answered("list"):
                page = self._client.list_objects_v2(
                    Bucket=self._name, Prefix=f"{self._space}/", StartAfter=after, MaxKeys=_LISTED_AT_ONCE
                )
            listed = page.get("Contents", ())
            for each in listed:
                after = each["Key"]
                name = after.rpartition("/")[2]
                if is_sum(name) and each["LastModified"] < moment:
                    yield name
            if not listed or not page.get("IsTruncated"):
                return

    @property
    def _client(self) -> Any:
        return _client(self._server)

    def _key(self, sha256: str) -> str:
        demand_sum(sha256)
        return f"{self._space}/{sha256[:2]}/{sha256[2:4]}/{sha256}"


class _Missing(Exception):
    """The server has no such object."""


class _Sending(io.FileIO):
    """A file on its way out, whose reader lets others work in between."""

    def read(self, size: int | None = -1, /) -> bytes:
        eventlet.sleep(0)
        return super().read(-1 if size is None else size)


class _Remote(io.RawIOBase):
    """An object as a file: what is not read need not come, and the reader may jump."""

    def __init__(self, ask: Callable[[int], Any]) -> None:
        """`ask` gives the server's answer from a position to the end."""
        super().__init__()
        answer = ask(0)
        self._ask = ask
        self._size = int(answer["ContentLength"])
        self._body: Any = answer["Body"]
        self._came = 0  # where the body stands
        self._position = 0  # where the reader stands

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(offset)
        self._position = start + offset
        return self._position

    def readinto(self, buffer: Any, /) -> int:
        if self._position >= self._size:
            return 0
        if self._came != self._position:
            self._drop()
        if self._body is None:
            self._body = self._ask(self._position)["Body"]
            self._came = self._position
        with _answered("read", SILENCE_SECONDS):
            data = self._body.read(len(buffer))
        if not data:
            raise _away("read", "it broke off")
        buffer[: len(data)] = data
        self._position = self._came = self._came + len(data)
        return len(data)

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        body, self._body = getattr(self, "_body", None), None  # none yet where the object was not found
        if body is not None:
            body.close()


@contextmanager
def _answered(doing: str, seconds: float = ANSWER_SECONDS) -> Iterator[None]:
    """One question to the server; _Missing when it has no such object, Unavailable when it gives no answer."""
    limit = Timeout(seconds)
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _MISSING:
            raise _Missing from None
        raise _away(doing, code) from None
    except (BotoCoreError, HTTPError, OSError) as error:
        raise _away(doing, type(error).__name__) from None
    except Timeout as end:
        if end is not limit:
            raise
        raise _away(doing, "no end") from None
    finally:
        limit.cancel()


def _away(doing: str, cause: str) -> Unavailable:
    logger.error("the store of documents gave no answer", extra={"doing": doing, "cause": cause})
    return Unavailable(Sentence("The store of documents does not answer. Try again in a moment."))


@cache
def _client(server: str) -> Any:
    """The process's one client for this server; it keeps connections, and making one takes a tenth of a second."""
    parts = urlsplit(server)
    # What lies in the home folder of whoever runs İmece, or names a profile there, is meant for other programs.
    elsewhere: Any = {
        "profile": (None, None, None, None),
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    scheme = "https" if parts.scheme == "s3s" else "http"
    return Session(session_vars=elsewhere).create_client(
        "s3",
        region_name=parse_qs(parts.query).get("region", [_REGION])[0],
        endpoint_url=f"{scheme}://{parts.netloc.rpartition('@')[2]}",
        aws_access_key_id=unquote(parts.username or ""),
        aws_secret_access_key=unquote(parts.password or ""),
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=SILENCE_SECONDS,
            retries={"total_max_attempts": _TRIES, "mode": "standard"},
            s3={"addressing_style": "path"},
            # Other makers' servers do not know the newest ways of adding sums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
