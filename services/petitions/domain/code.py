"""Codes that nobody guesses: the tracking code of a petition, and the petitioner's key.

Each holds 130 bits, written as 26 letters of Crockford's base 32 in groups. Read back, small letters,
missing hyphens and the usual slips (O for 0, I and L for 1) do not matter.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from itertools import pairwise

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
BITS = 5 * LENGTH
SALT_BYTES = 16

_GROUPS = (0, 5, 10, 15, 20, 26)
_SLIPS = str.maketrans("OIL", "011", "- ")


def new_code() -> str:
    """A fresh code from the system's own source of chance."""
    return _written(secrets.randbits(BITS))


def new_salt() -> str:
    """128 fresh bits, hexadecimal."""
    return secrets.token_hex(SALT_BYTES)


def derived(secret: str, salt: str) -> str:
    """The code that always follows from this secret and this salt, and from neither alone.

    So a repeated request gets its key again without the key being stored. It is as hard to guess as the
    salt is for whoever does not see the database, and as the secret for whoever does.
    """
    digest = hmac.new(bytes.fromhex(salt), secret.encode(), hashlib.sha256).digest()
    return _written(int.from_bytes(digest, "big") >> (8 * len(digest) - BITS))


def normal(text: str) -> str | None:
    """The code as it is stored; None when the text cannot be one."""
    letters = text.upper().translate(_SLIPS)
    if len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return _grouped(letters)


def sha256_of(code: str) -> str:
    """What is stored of a code that must stay secret."""
    return hashlib.sha256((normal(code) or "").encode()).hexdigest()


def opens(given: str | None, key_sha256: str | None) -> bool:
    """Whether the given key is the one; compared in constant time."""
    if given is None or key_sha256 is None or normal(given) is None:
        return False
    return hmac.compare_digest(sha256_of(given), key_sha256)


def _written(number: int) -> str:
    return _grouped("".join(ALPHABET[(number >> shift) & 31] for shift in range(BITS - 5, -1, -5)))


def _grouped(letters: str) -> str:
    return "-".join(letters[start:end] for start, end in pairwise(_GROUPS))
