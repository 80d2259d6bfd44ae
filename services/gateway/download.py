"""Files that others sent, on their way to a browser: to be saved, and never to act in our name."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote


def saved_as(name: str) -> Mapping[str, str]:
    """The headers that make every browser save the file under that name (RFC 6266) and run nothing of it."""
    plain = "".join(each if each.isascii() and (each.isalnum() or each in "._- ") else "_" for each in name)
    return {
        "Content-Disposition": f'attachment; filename="{plain or "document"}"; '
        f"filename*=UTF-8''{quote(name or 'document', safe='')}",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox",
    }
