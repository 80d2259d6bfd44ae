"""Forms with files, read as they come: a file goes to the disk and never whole into memory.

The files have no name while they are here, so that a process that dies leaves nothing behind:
what people send holds names of persons.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import eventlet
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wrappers import Request

MIMETYPE = "multipart/form-data"

_MOST_PARTS = 40
_FIELD_BYTES = 256 * 1024
"""A text field and what the parser holds at once together; its own buffer is 64 KiB."""
_YIELD_EVERY = 1024 * 1024
_LONGEST_NAME = 200
_REPLACED = "\ufffd"


@dataclass(frozen=True)
class Sent:
    """A file that came with a form.

    `stream` stands at the file's beginning and is closed after the answer. `name` and
    `media_type` are the sender's words and prove nothing.
    """

    stream: BinaryIO
    name: str
    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Form:
    """The fields of a form in the order in which they came: text, or a file."""

    fields: Sequence[tuple[str, str | Sent]]

    def close(self) -> None:
        """Give the files' room back."""
        for _, value in self.fields:
            if isinstance(value, Sent):
                value.stream.close()


class Unreadable(Exception):
    """The form breaks off, or is none."""


class NoRoom(Exception):
    """The disk did not take a file."""


def receive(request: Request, limit: int, folder: Path) -> Form:
    """Read the request's form; its files are kept without a name in `folder`.

    `limit` is the size of the whole body in bytes. Raises werkzeug's RequestEntityTooLarge when it is
    passed, also by chunks, Unreadable when the form breaks off, and NoRoom. Nothing of it remains then.
    """
    length = request.content_length
    if length is not None and length > limit:
        raise RequestEntityTooLarge
    kept: list[_Kept] = []

    def keep(*_: object, **__: object) -> IO[bytes]:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            kept.append(_Kept(folder))
        except OSError as error:
            raise NoRoom from error
        return cast("IO[bytes]", kept[-1])

    parser = FormDataParser(
        stream_factory=keep, max_form_memory_size=_FIELD_BYTES, max_form_parts=_MOST_PARTS, silent=False
    )
    body = _Body(request.environ["wsgi.input"], limit, None if "wsgi.input_terminated" in request.environ else length)
    try:
        _, texts, files = parser.parse(cast("IO[bytes]", body), MIMETYPE, length, dict(request.mimetype_params))
        if any(_REPLACED in text for _, text in texts.items(multi=True)):
            raise ValueError(_REPLACED)  # noqa: TRY301 - not UTF-8; the parser puts this for what it cannot read
    except BaseException as error:
        for each in kept:
            each.close()
        # A boundary that is not ASCII, a part without a header, text in no known encoding, a body that breaks off.
        if isinstance(error, (ValueError, EOFError)):
            raise Unreadable from error
        raise
    return Form(
        [
            *texts.items(multi=True),
            *(
                (name, each.stream.sent(each.filename or "", each.mimetype))  # type: ignore[attr-defined]
                for name, each in files.items(multi=True)
            ),
        ]
    )


class _Body(io.RawIOBase):
    """The body of a request: never more than `limit` bytes, and all of `length` where that was announced."""

    def __init__(self, stream: Any, limit: int, length: int | None) -> None:
        self._stream, self._limit, self._length = stream, limit, length
        self._position = self._yielded = 0

    def read(self, size: int = -1) -> bytes:
        if self._length is not None:
            left = self._length - self._position
            size = left if size < 0 else min(size, left)
        if size == 0:
            return b""
        data: bytes = self._stream.read(size)
        self._position += len(data)
        if self._position > self._limit:
            raise RequestEntityTooLarge
        if not data and self._length is not None:
            raise EOFError
        if self._position - self._yielded >= _YIELD_EVERY:
            self._yielded = self._position
            eventlet.sleep(0)  # a sender on a fast line would hold up all the others
        return data


class _Kept:
    """A file without a name, that counts and hashes what is written."""

    def __init__(self, folder: Path) -> None:
        # The owner alone may open it, by whatever way the system keeps files without a name.
        self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed after the answer
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        try:
            return self._file.write(data)
        except OSError as error:
            raise NoRoom from error

    def seek(self, position: int) -> int:
        try:
            return self._file.seek(position)  # writes what was still held back
        except OSError as error:
            raise NoRoom from error

    def close(self) -> None:
        with suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()

    def sent(self, name: str, media_type: str) -> Sent:
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(0)
        return Sent(self._file, _base(name), media_type, size, self._hash.hexdigest())


def _base(name: str) -> str:
    """The last part of a path of any system, short and without what cannot be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(each for each in last if each.isprintable()).strip()[-_LONGEST_NAME:]


@dataclass(frozen=True)
class Taking:
    """What a service says to a form before it is read: it may have `limit` bytes, and its files lie in `folder`."""

    limit: int
    folder: Path
