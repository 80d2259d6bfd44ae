"""What a file is, by what is in it: the kinds of documents that offices exchange, and nothing else.

Own tables and not a library: those that exist name a file after its first bytes, and what matters
here is that it is one thing only, whole, and runs nothing when it is opened.
"""

from __future__ import annotations

import codecs
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Collection
from typing import BinaryIO

import eventlet

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
TIFF = "image/tiff"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
TEXT = "text/plain"

ENDINGS = {
    PDF: ("pdf",),
    PNG: ("png",),
    JPEG: ("jpg", "jpeg"),
    TIFF: ("tif", "tiff"),
    DOCX: ("docx",),
    XLSX: ("xlsx",),
    ODT: ("odt",),
    TEXT: ("txt",),
}
"""The endings of names that go with each kind."""

_SIGNATURES = {
    b"%PDF-": PDF,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"\xff\xd8\xff": JPEG,
    b"II*\x00": TIFF,
    b"MM\x00*": TIFF,
}
_ZIP = b"PK\x03\x04"
_LONGEST_SIGNATURE = 8
_PIECE = 256 * 1024

_PDF_BEGINS_WITHIN = 1024
"""Readers of PDF look for its beginning so far into a file."""
_END_OF_ZIP = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_LONGEST_COMMENT = 65_535

_MOST_PARTS = 5_000
_MOST_UNPACKED = 512 * 1024 * 1024
_PACKED_TIGHTEST = 200
"""Times that a whole document may grow when it is unpacked; real ones with many empty cells reach about 50."""
_ALWAYS_FINE = 32 * 1024 * 1024
_LONGEST_LIST = 1024 * 1024
_ENCRYPTED = 1
_RUNS = re.compile(
    r"(^|/)vbaProject\.bin$|^xl/macrosheets/|(^|/)activeX/|^(Basic|Scripts|Dialogs)/"
    r"|^META-INF/MANIFEST\.MF$|\.(class|exe|dll|js|vbs|hta)$",
    re.IGNORECASE,
)
_MAIN = {
    DOCX: ("word/document.xml", b"officedocument.wordprocessingml.document.main+xml"),
    XLSX: ("xl/workbook.xml", b"officedocument.spreadsheetml.sheet.main+xml"),
}
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def media_type(file: BinaryIO, among: Collection[str] = ENDINGS) -> str | None:
    """What the file is; None when it is none of `among`, two things at once, packed to burst, or may run something.

    `file` can be read in any order. It is not unpacked, and never held in memory as a whole.
    """
    start = file.read(_LONGEST_SIGNATURE)
    if start.startswith(_ZIP):
        kind = _zipped_kind(file)
    else:
        kind = next((kind for signature, kind in _SIGNATURES.items() if start.startswith(signature)), TEXT)
        if kind not in among or _is_more_than_one(file, kind) or not _CHECKS[kind](file):
            return None
    return kind if kind in among else None


def agrees(kind: str, name: str) -> bool:
    """Whether a file of that kind may have that name, by its ending."""
    stem, _, ending = name.rpartition(".")
    return bool(stem) and ending.lower() in ENDINGS[kind]


def _is_tiff(file: BinaryIO) -> bool:
    """Whether the first directory lies inside the file."""
    file.seek(0)
    head = file.read(8)
    place = int.from_bytes(head[4:], "little" if head.startswith(b"II") else "big")
    return len(head) <= place < file.seek(0, 2)


def _is_png(file: BinaryIO) -> bool:
    """Whether the picture's header comes first, as it must."""
    file.seek(12)
    return file.read(4) == b"IHDR"


def _is_more_than_one(file: BinaryIO, kind: str) -> bool:
    """Whether a file that is no archive could be opened as an archive, or one that is no PDF as a PDF."""
    file.seek(0)
    if kind != PDF and b"%PDF-" in file.read(_PDF_BEGINS_WITHIN):
        return True
    return _end_of_zip(file) is not None


def _end_of_zip(file: BinaryIO) -> int | None:
    """Where the last record of an archive begins that ends with the file; None when there is none."""
    size = file.seek(0, 2)
    tail = min(size, _END_OF_ZIP.size + _LONGEST_COMMENT)
    file.seek(size - tail)
    read = file.read(tail)
    place = read.rfind(_END_SIGNATURE)
    while place >= 0:
        if place + _END_OF_ZIP.size <= tail:
            comment = _END_OF_ZIP.unpack_from(read, place)[-1]
            if place + _END_OF_ZIP.size + comment == tail:
                return size - tail + place
        place = read.rfind(_END_SIGNATURE, 0, place)
    return None


def _is_text(file: BinaryIO) -> bool:
    """Whether it is text in UTF-8 all through; an empty file is none."""
    file.seek(0)
    decoder, length = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        while piece := file.read(_PIECE):
            length += len(piece)
            if _NO_TEXT.search(decoder.decode(piece)):
                return False
            eventlet.sleep(0)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return length > 0


_CHECKS: dict[str, Callable[[BinaryIO], bool]] = {
    PDF: lambda _: True,
    JPEG: lambda _: True,
    PNG: _is_png,
    TIFF: _is_tiff,
    TEXT: _is_text,
}


def _zipped_kind(file: BinaryIO) -> str | None:
    """The kind of a document that is an archive; only the list of its parts and two short ones are read."""
    if _end_of_zip(file) is None:
        return None
    size = file.seek(0, 2)
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
            if not _is_plain(parts, size):
                return None
            names = {part.filename for part in parts}
            for kind, (main, stated) in _MAIN.items():
                if {"[Content_Types].xml", main} <= names:
                    types = _short(archive, "[Content_Types].xml")
                    return kind if types is not None and stated in types and b"macroEnabled" not in types else None
            if {"mimetype", "content.xml"} <= names:
                return ODT if (_short(archive, "mimetype") or b"").strip() == ODT.encode() else None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, ValueError, EOFError, struct.error):
        return None
    return None


def _is_plain(parts: list[zipfile.ZipInfo], size: int) -> bool:
    """Whether the archive begins with the file, each part lies in it once, unlocked, and none of them runs."""
    unpacked = sum(part.file_size for part in parts)
    return (
        0 < len(parts) <= _MOST_PARTS
        and len({part.filename for part in parts}) == len(parts)
        and min(part.header_offset for part in parts) == 0
        and sum(part.compress_size for part in parts) <= size
        and unpacked <= min(_MOST_UNPACKED, max(_ALWAYS_FINE, size * _PACKED_TIGHTEST))
        and not any(part.flag_bits & _ENCRYPTED or _RUNS.search(part.filename) for part in parts)
    )


def _short(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """A part of the archive; None when it is too long for what it should be."""
    with archive.open(name) as part:
        content = part.read(_LONGEST_LIST + 1)
    return content if len(content) <= _LONGEST_LIST else None
