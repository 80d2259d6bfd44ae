"""What an e-mail address looks like, wherever one is taken in and where a mail leaves."""

from __future__ import annotations

import re

_ATOM = r"[^\x00- \"(),.:-<>@\[-\]\x7f-\x9f\s]+"
_LABEL = r"[^\x00-,./:-@\[-`{-\x9f\s]"

EMAIL = rf"^{_ATOM}(\.{_ATOM})*@({_LABEL}+\.)+{_LABEL}{{2,63}}$"
"""Atoms and dots, @, a name with at least one dot (RFC 5322, 3.4.1; letters of every language, RFC 6531).

Quoted names, comments and addresses in brackets are not taken: hardly anybody has one, and programs trip over them.
"""

LONGEST_EMAIL = 254
"""Characters (RFC 5321, 4.5.3.1.3)."""

_LONGEST_NAME = 64
_WHOLE = re.compile(EMAIL.removesuffix("$") + r"\Z")


def is_email(text: str) -> bool:
    """Whether the text is an address to which mail can be sent."""
    return (
        len(text) <= LONGEST_EMAIL
        and _WHOLE.match(text) is not None
        and len(text.rpartition("@")[0].encode(errors="replace")) <= _LONGEST_NAME
        # A mail program would read it as other words (RFC 2047).
        and "=?" not in text
    )
