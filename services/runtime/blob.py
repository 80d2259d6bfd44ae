"""Files that are kept, each once, under the SHA-256 of what is in it.

A store behind one interface: a folder today; whoever adds another (S3, one that lets a virus
scanner look first) implements `Store` and changes `store_of`.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

import eventlet

from services.kernel.errors import Invalid, NotFound
from services.kernel.text import Sentence
from services.runtime.settings import Settings

_PIECE = 256 * 1024
_NAME = re.compile(r"[0-9a-f]{64}\Z")
_ABANDONED_SECONDS = 24 * 3600


class Space(StrEnum):
    """What keeps its files apart from all others, so that none can remove another's."""

    DOCUMENTS = "documents"
    OPEN_DATA = "open-data"


@dataclass(frozen=True)
class Blob:
    """What was put: its SHA-256 in hexadecimal and its size in bytes."""

    sha256: str
    size: int


class Store(Protocol):
    """Keeps files by what is in them. What is put cannot change; the same content is kept once."""

    def put(self, stream: BinaryIO, limit: int) -> Blob:
        """Keep what is left of `stream`; Invalid when that is more than `limit` bytes, and then nothing is kept.

        When it returns, a power cut does not lose the file.
        """

    def open(self, sha256: str) -> BinaryIO:
        """The file for reading, to be closed by the caller; NotFound when it is not kept here."""

    def has(self, sha256: str) -> bool:
        """Whether it is kept here."""

    def remove(self, sha256: str) -> None:
        """Forget the file; nothing happens when it is not kept here."""

    def put_before(self, moment: datetime) -> Iterator[str]:
        """The SHA-256 of each file that was last put before that moment, in no order, found while they are taken."""


def store_of(settings: Settings, space: Space) -> Store:
    """The store of this installation for one kind of files."""
    return Folder(settings.documents / space)


def is_sum(value: object) -> bool:
    """Whether it has the shape of a SHA-256 as stores take it."""
    return isinstance(value, str) and _NAME.match(value) is not None


class Folder:
    """A store in a folder, which several processes may share. Only our own user can read it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def put(self, stream: BinaryIO, limit: int) -> Blob:
        """See `Store`."""
        _make(self._root.parent, self._root, self._incoming)
        self._sweep()
        temporary = self._incoming / secrets.token_hex(16)
        try:
            blob = _written(temporary, stream, limit)
            place = self._place(blob.sha256)
            _make(place.parent.parent, place.parent)
            temporary.replace(place)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        for folder in (place.parent, place.parent.parent, self._root, self._root.parent):
            _sync(folder)
        return blob

    def open(self, sha256: str) -> BinaryIO:
        """See `Store`."""
        try:
            return self._place(sha256).open("rb")
        except FileNotFoundError:
            raise NotFound(Sentence("This document is not kept here.")) from None

    def has(self, sha256: str) -> bool:
        """See `Store`."""
        return self._place(sha256).exists()

    def remove(self, sha256: str) -> None:
        """See `Store`."""
        self._place(sha256).unlink(missing_ok=True)

    def put_before(self, moment: datetime) -> Iterator[str]:
        """See `Store`."""
        for file in self._root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            eventlet.sleep(0)  # there may be many
            with suppress(FileNotFoundError):  # removed meanwhile
                if is_sum(file.name) and file.stat().st_mtime < moment.timestamp():
                    yield file.name

    def _place(self, sha256: str) -> Path:
        if not is_sum(sha256):
            raise NotFound(Sentence("This document is not kept here."))
        # 65,536 folders, so that none holds too many files.
        return self._root / sha256[:2] / sha256[2:4] / sha256

    def _sweep(self) -> None:
        """Remove what processes left that died while they wrote."""
        before = time.time() - _ABANDONED_SECONDS
        for each in self._incoming.iterdir():
            with suppress(FileNotFoundError):  # another process swept it or has just put it in its place
                if each.stat().st_mtime < before:
                    each.unlink()


def _make(*folders: Path) -> None:
    """Make the folders, one inside the other, for our own user alone."""
    for each in folders:
        if not each.exists():
            each.parent.mkdir(parents=True, exist_ok=True)
            each.mkdir(mode=0o700, exist_ok=True)


def _written(path: Path, stream: BinaryIO, limit: int) -> Blob:
    """The stream in a new file, safe from a power cut."""
    size, hashed = 0, hashlib.sha256()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise Invalid.field("file", Sentence("The file is larger than {most} bytes.", most=limit))
            hashed.update(piece)
            file.write(piece)
            eventlet.sleep(0)  # the disk is slow, the others need not wait
        file.flush()
        os.fsync(file.fileno())
    return Blob(hashed.hexdigest(), size)


def _sync(folder: Path) -> None:
    """Make the names in the folder safe from a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
