"""Files that are kept, each once, under the SHA-256 of what is in it.

Behind one interface: a folder, or a server that speaks S3 (`services.runtime.bucket`). Either takes
a file to the disk of this machine first, lets the virus scanner look at it there, and keeps it then.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Protocol

import eventlet

from services.kernel.errors import Invalid, NotFound
from services.kernel.text import Sentence
from services.runtime.scan import scanner_of
from services.runtime.settings import Settings

_PIECE = 256 * 1024
_NAME = re.compile(r"[0-9a-f]{64}\Z")
_ABANDONED_SECONDS = 24 * 3600
_INCOMING = "incoming"


class Space(StrEnum):
    """What keeps its files apart from all others, so that none can remove another's."""

    DOCUMENTS = "documents"
    PETITIONS = "petitions"
    OPEN_DATA = "open-data"


_OUR_OWN = frozenset({Space.OPEN_DATA})
"""Spaces of files that İmece wrote itself; no scanner need look at them."""


@dataclass(frozen=True)
class Blob:
    """What was put: its SHA-256 in hexadecimal and its size in bytes."""

    sha256: str
    size: int


class Store(Protocol):
    """Keeps files by what is in them. What is put cannot change; the same content is kept once."""

    def put(self, stream: BinaryIO, limit: int) -> Blob:
        """Keep what is left of `stream`; when it returns, a power cut does not lose the file.

        Invalid when that is more than `limit` bytes or infected, Unavailable when the scanner or the store
        does not answer; then nothing of it is kept. The caller closes `stream`.
        """

    def open(self, sha256: str) -> BinaryIO:
        """The file for reading in any order, to be closed by the caller; NotFound when it is not kept here."""

    def has(self, sha256: str) -> bool:
        """Whether it is kept here."""

    def remove(self, sha256: str) -> None:
        """Forget the file; nothing happens when it is not kept here."""

    def put_before(self, moment: datetime) -> Iterator[str]:
        """The SHA-256 of each file that was last put before that moment, in no order, found while they are taken."""


def store_of(settings: Settings, space: Space) -> Store:
    """The store of this installation for one kind of files."""
    look = None if space in _OUR_OWN else scanner_of(settings.scan_command)
    folder = settings.documents / space
    if not settings.documents_url:
        return Folder(folder, look)
    from services.runtime.bucket import Bucket  # noqa: PLC0415 - its library is large, and most have a folder

    return Bucket(settings.documents_url, space, folder / _INCOMING, look)


def is_sum(value: object) -> bool:
    """Whether it has the shape of a SHA-256 as stores take it."""
    return isinstance(value, str) and _NAME.match(value) is not None


def demand_sum(value: str) -> None:
    """Raise NotFound unless it has the shape of a SHA-256: nothing is kept under another name."""
    if not is_sum(value):
        raise not_kept()


def not_kept() -> NotFound:
    """What a store says of a file that it does not have."""
    return NotFound(Sentence("This document is not kept here."))


class Putting(ABC):
    """The way of every file into a store: to our own disk, past the scanner, and only then kept."""

    def __init__(self, incoming: Path, look: Callable[[Path], None] | None) -> None:
        """`look` raises for a file that must not be kept."""
        self._incoming = incoming
        self._look = look

    def put(self, stream: BinaryIO, limit: int) -> Blob:
        """See `Store`."""
        _make(self._incoming.parent.parent, self._incoming.parent, self._incoming)
        self._sweep()
        temporary = self._incoming / secrets.token_hex(16)
        try:
            blob = _written(temporary, stream, limit)
            if self._look is not None:
                self._look(temporary)
            self._keep(temporary, blob)
        finally:
            temporary.unlink(missing_ok=True)  # a folder has moved it away
        return blob

    @abstractmethod
    def _keep(self, file: Path, blob: Blob) -> None:
        """Keep the file, which may be moved away or left."""

    def _sweep(self) -> None:
        """Remove what processes left that died while they wrote."""
        before = time.time() - _ABANDONED_SECONDS
        for each in self._incoming.iterdir():
            with suppress(FileNotFoundError):  # another process swept it or has just put it in its place
                if each.stat().st_mtime < before:
                    each.unlink()


class Folder(Putting):
    """A store in a folder, which several processes may share. Only our own user can read it."""

    def __init__(self, root: Path, look: Callable[[Path], None] | None = None) -> None:
        super().__init__(root / _INCOMING, look)
        self._root = root

    def _keep(self, file: Path, blob: Blob) -> None:
        place = self._place(blob.sha256)
        _make(place.parent.parent, place.parent)
        file.replace(place)
        for folder in (place.parent, place.parent.parent, self._root, self._root.parent):
            _sync(folder)

    def open(self, sha256: str) -> BinaryIO:
        """See `Store`."""
        try:
            return self._place(sha256).open("rb")
        except FileNotFoundError:
            raise not_kept() from None

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
        demand_sum(sha256)
        # 65,536 folders, so that none holds too many files.
        return self._root / sha256[:2] / sha256[2:4] / sha256


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
