"""Tables that people send: CSV in the encodings met in Türkiye, and XLSX.

What a file is, is decided by what is in it, never by its name. However long it is, little of it is
in memory at a time, and what is in it never runs, is never fetched and is never guessed at: a row
that cannot be read is handed on as `Broken`, with the reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from services.kernel.text import Sentence
from services.runtime.sheet.page import MOST_COLUMNS, Broken, Sheet, unreadable
from services.runtime.sheet.text import Text, encoding_of
from services.runtime.sheet.workbook import Workbook

__all__ = ["MOST_COLUMNS", "Broken", "Sheet", "open_sheet"]

_HEAD = 4096
_PIECE = 1024 * 1024
_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MARKUP = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")


def open_sheet(file: BinaryIO, folder: Path | None = None) -> Sheet:
    """The table in `file`, which can be sought and stays open as long as the sheet is used.

    `folder` takes what has to lie on the disk meanwhile, without a name.

    Raises Invalid on the field `file`, saying what to do, when it is no table that can be read.
    """
    file.seek(0)
    head = file.read(_HEAD)
    if not head.strip() and len(head) < _HEAD:
        raise unreadable(Sentence("The file is empty."))
    if head.startswith(_ZIP):
        return Workbook.opened(file, folder)
    _demand_text(file, head)
    return Text.opened(file, encoding_of(file))


def _demand_text(file: BinaryIO, head: bytes) -> None:
    """Name the kinds of files that are sent by mistake."""
    if head.startswith(_OLD_OFFICE):
        if _holds(file, _ENCRYPTED):
            raise unreadable(
                Sentence("The workbook is locked with a password. Take the password off and send it again.")
            )
        raise unreadable(
            Sentence("This is a workbook of the old kind (XLS). Save it as “CSV UTF-8” or as XLSX and send that.")
        )
    if head.startswith(b"%PDF"):
        raise unreadable(Sentence("This is a PDF, not a table. Ask for the table itself, as CSV or XLSX."))
    if head.startswith(_UTF_16):
        raise unreadable(Sentence("This is text in UTF-16. Save it as “CSV UTF-8” or as XLSX and send that."))
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP):
        raise unreadable(
            Sentence(
                "This is a web page or XML, even if its name says otherwise. Open it in a spreadsheet program, "
                "save it as “CSV UTF-8” or as XLSX and send that."
            )
        )


def _holds(file: BinaryIO, mark: bytes) -> bool:
    file.seek(0)
    before = b""
    while piece := file.read(_PIECE):
        if mark in before + piece:
            return True
        before = piece[-len(mark) :]
    return False
