"""Tables for spreadsheet programs: CSV that opens with one click where the language is Turkish.

UTF-8 with its mark, since these programs take it for Windows-1254 otherwise, and semicolons, since the comma is
the decimal sign there. What would be a formula is text.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tempfile
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import BinaryIO, cast

from services.gateway.http import Download
from services.kernel.text import guarded

MARK = b"\xef\xbb\xbf"


def lines(rows: Iterable[Sequence[str]]) -> bytes:
    """The rows as they stand in the file."""
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows([[guarded(cell) for cell in row] for row in rows])
    return out.getvalue().encode()


def written(batches: Iterable[Iterable[Sequence[str]]], folder: Path) -> Download:
    """The rows in a file without a name, which is gone after the answer; memory holds one batch."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - closed after the answer
    hashed, size = hashlib.sha256(), 0
    try:
        for piece in chain([MARK], map(lines, batches)):
            file.write(piece)
            hashed.update(piece)
            size += len(piece)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return Download(lambda: file, hashed.hexdigest(), size)
