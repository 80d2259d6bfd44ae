"""The open data, made every night and described to whoever serves them."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
import uuid
from contextlib import ExitStack
from datetime import date
from typing import BinaryIO, cast

import eventlet

from services.kernel.calendar import ISTANBUL
from services.kernel.errors import NotFound, Unavailable
from services.kernel.text import Sentence
from services.registry.adapters.open_data import SnapshotRows, entries
from services.registry.application.open_data import CSV_FILE, JSON_FILE, KEPT, MEDIA, PACKAGE_FILE, Made, package, write
from services.registry.service.desk import Desk, Plain
from services.runtime.blob import Space, Store, store_of
from services.runtime.entrypoints import every, rpc

_LARGEST = 2 * 1024**3
"""Bytes; more than the registry of the country by far."""
_PIECE = 256 * 1024


class OpenDataDesk(Desk):
    """The newest publication, and the work of the night."""

    @rpc
    def open_data(self, name: str) -> Plain:
        """Where a file of the newest publication is in the store. Raises NotFound, Unavailable before the first."""
        if name not in MEDIA:
            raise NotFound(Sentence("There is nothing at this address."))
        with self.database.read() as connection:
            newest = SnapshotRows(connection).newest()
        if newest is None:
            raise Unavailable(Sentence("The open data are being made for the first time. Try again in a minute."))
        made_on, made_at, rows, files = newest
        return {
            "name": name,
            "media_type": MEDIA[name],
            "made_on": made_on.isoformat(),
            "made_at": made_at.isoformat(),
            "rows": rows,
            **vars(files[name]),
        }

    @every("scheduler_interval")
    def publish_open_data(self) -> None:
        """Make the open data of the day when their hour has come, or at once where there are none; one replica does."""
        now, today = self.time.now(), self.time.today()
        with self.database.read() as connection:
            newest = SnapshotRows(connection).newest()
        if newest is not None and (newest[0] >= today or now.astimezone(ISTANBUL).hour < self.settings.open_data_hour):
            return
        holder = str(uuid.uuid4())
        with self.database.write() as connection:
            if not SnapshotRows(connection).claim(today, holder, now):
                return
        self._publish(today, holder)

    @every("housekeeping_interval")
    def remove_old_open_data(self) -> None:
        """Keep the newest publications alone."""
        with self.database.write() as connection:
            snapshots = SnapshotRows(connection)
            snapshots.alone()
            snapshots.remove_old(store_of(self.settings, Space.OPEN_DATA), KEPT)

    def _publish(self, today: date, holder: str) -> None:
        store = store_of(self.settings, Space.OPEN_DATA)
        files: dict[str, Made] = {}
        with ExitStack() as held:
            self.settings.documents.mkdir(parents=True, exist_ok=True, mode=0o700)

            def temporary() -> BinaryIO:
                return cast("BinaryIO", held.enter_context(tempfile.TemporaryFile(dir=self.settings.documents)))

            table, objects = temporary(), temporary()
            with self.database.snapshot() as connection:
                rows = write(entries(connection), today, table, objects, lambda: eventlet.sleep(0))
            for name, file in ((CSV_FILE, table), (JSON_FILE, objects)):
                files[name] = _kept(store, file, temporary())
            described = package(files, rows, today, self.time.now())
            text = json.dumps(described, ensure_ascii=False, indent=2) + "\n"
            files[PACKAGE_FILE] = _kept(store, io.BytesIO(text.encode()), temporary())
        with self.database.write() as connection:
            snapshots = SnapshotRows(connection)
            snapshots.alone()
            if not all(store.has(sha256) for made in files.values() for sha256 in (made.sha256, made.gzip_sha256)):
                # Housekeeping threw away an old publication with the same content; the lease ends and it is made again.
                raise Unavailable(Sentence("The open data were removed while they were made."))
            snapshots.finish(today, holder, self.time.now(), rows=rows, files=files)


def _kept(store: Store, file: BinaryIO, compressed: BinaryIO) -> Made:
    """The file and its compressed twin in the store."""
    file.seek(0)
    with gzip.GzipFile(filename="", mode="wb", fileobj=compressed, mtime=0) as out:
        while piece := file.read(_PIECE):
            out.write(piece)
            eventlet.sleep(0)
    file.seek(0)
    compressed.seek(0)
    plain, small = store.put(file, _LARGEST), store.put(compressed, _LARGEST)
    return Made(plain.sha256, plain.size, small.sha256, small.size)
