"""Passwords by argon2id, computed outside the green threads so that nobody waits for another's sign-in."""

from __future__ import annotations

import base64

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw
from eventlet import tpool
from eventlet.semaphore import Semaphore

TIME_COST, MEMORY_KIB, PARALLELISM = 2, 19 * 1024, 1
"""The OWASP minimum for argon2id: about 20 ms and 19 MiB each on the machine of measurements.md."""

AT_ONCE = 4
"""Bounds the memory of many sign-ins at the same time."""


class Argon2:
    """The slow functions of identity; never called inside a transaction, since they let other threads run."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM)
        self._turns = Semaphore(AT_ONCE)
        # What unknown users are checked against, so that they take as long as known ones.
        self._nobody = self._hasher.hash("nobody's password")

    def hash(self, password: str) -> str:
        """The hash to keep."""
        with self._turns:
            hashed: str = tpool.execute(self._hasher.hash, password)
        return hashed

    def matches(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; None, an unknown user, takes as long and is False."""
        with self._turns:
            right: bool = tpool.execute(self._verify, password_hash or self._nobody, password)
        return right and password_hash is not None

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def derive(self, secret: str, salt: bytes) -> str:
        """256 bits from `secret` and `salt`, as costly as a password check; URL-safe text."""
        with self._turns:
            raw: bytes = tpool.execute(
                hash_secret_raw, secret.encode(), salt, TIME_COST, MEMORY_KIB, PARALLELISM, 32, Type.ID
            )
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
