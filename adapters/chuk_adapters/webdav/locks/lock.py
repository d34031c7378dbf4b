"""One write lock (RFC 4918, section 6)."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass

from chuk_fsspec.contract.paths import is_inside

TOKEN_PREFIX = "urn:uuid:"  # noqa: S105 - how a lock token begins (RFC 4918, 6.5)

LONGEST = 24 * 3600
"""Seconds that a lock is granted for at most; clients that need it longer refresh it."""
USUAL = 3600
"""Seconds for those that do not say how long."""


@dataclass(frozen=True)
class Lock:
    """A lock that was granted.

    Attributes:
        token: a URI that nobody can guess.
        root: the absolute path that was locked.
        is_collection: whether that is a collection.
        is_deep: whether it holds for all below (``Depth: infinity``).
        is_exclusive: or shared.
        owner: the XML that the client gave for whom to ask; empty for none.
        user: who may use the token; empty for anybody.
        seconds: for how long it was granted.
        expires: seconds since the epoch.
    """

    token: str
    root: str
    is_collection: bool
    is_deep: bool
    is_exclusive: bool
    owner: str
    user: str
    seconds: int
    expires: float

    def has_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires <= time.time()

    def covers(self, path: str) -> bool:
        """Whether it protects what is at an absolute path."""
        return path == self.root or (self.is_deep and is_below(path, self.root))

    def to_json(self) -> bytes:
        """As it is stored."""
        return json.dumps(asdict(self)).encode()


def lock_from_json(data: bytes) -> Lock:
    """The opposite of ``to_json``. ValueError, TypeError for what is none."""
    return Lock(**json.loads(data))


def is_below(path: str, directory: str) -> bool:
    """Whether a path lies below a directory, and is not that itself."""
    return path != directory and is_inside(path, directory)


def seconds_granted(header: str) -> int:
    """For how long a lock is granted, by the ``Timeout`` header (RFC 4918, 10.7): the first choice that can be met."""
    for choice in header.split(","):
        unit, _, text = choice.strip().partition("-")
        if unit.lower() == "infinite":
            return LONGEST
        if unit.lower() == "second" and text.isascii() and text.isdigit() and int(text[:10]) > 0:
            return min(int(text[:10]), LONGEST)
    return USUAL
