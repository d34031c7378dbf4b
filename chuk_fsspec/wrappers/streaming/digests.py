"""Checksums taken while bytes pass."""

from __future__ import annotations

import errno
import hashlib
import hmac

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer


class Digest:
    """A checksum of what passes; without an algorithm it does nothing.

    Args:
        algorithm: a name that ``hashlib`` knows, such as "sha256", or None.
        expected: what the checksum has to be in the end, in hexadecimal; None for no opinion.

    Raises:
        ValueError: for an unknown algorithm, or ``expected`` without one or of another length.
    """

    def __init__(self, algorithm: str | None, expected: str | None = None) -> None:
        if algorithm is None and expected is not None:
            raise ValueError("expected needs checksum, the name of the algorithm, such as 'sha256'")
        self._algorithm = algorithm
        self._expected = None if expected is None else expected.lower()
        self._hash = None if algorithm is None else _new(algorithm)
        if self._hash is not None and expected is not None and len(expected) != self._hash.digest_size * 2:
            raise ValueError(f"expected must have {self._hash.digest_size * 2} hexadecimal digits for {algorithm}")

    @property
    def is_wanted(self) -> bool:
        """Whether there is an algorithm."""
        return self._hash is not None

    def update(self, data: Buffer) -> None:
        """Take in what passes."""
        if self._hash is not None:
            self._hash.update(data)

    def result(self) -> str | None:
        """The checksum so far, in hexadecimal; None without an algorithm."""
        return None if self._hash is None else self._hash.hexdigest()

    def verify(self, path: str) -> None:
        """Compare with what is expected. OSError EIO if it differs."""
        found = self.result()
        if self._expected is not None and found is not None and not hmac.compare_digest(found, self._expected):
            raise os_error(errno.EIO, path, hint=f"{self._algorithm} is {found}, expected {self._expected}")


def _new(algorithm: str) -> hashlib._Hash:
    try:
        made = hashlib.new(algorithm, usedforsecurity=False)
    except (ValueError, TypeError):
        raise ValueError(f"checksum {algorithm!r} is not one that hashlib knows, such as 'sha256'") from None
    if not made.digest_size:
        raise ValueError(f"checksum {algorithm!r} has no length of its own")
    return made
