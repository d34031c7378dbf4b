"""INTERRUPT: somebody pressed Ctrl-C while a request was under way.

A request that only looks can be answered EINTR at once, and what comes of it later is dropped. One that changes
something is left to finish, so that its caller learns what really happened.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chuk_adapters.fuse.kernel.protocol import Opcode
from chuk_adapters.fuse.kernel.replies import Replies

_ONLY_LOOKS = frozenset(
    (Opcode.READ, Opcode.READDIR, Opcode.GETATTR, Opcode.READLINK, Opcode.GETXATTR, Opcode.LISTXATTR, Opcode.STATFS)
)


class Interrupts:
    """Which requests are under way, for mounts with several workers."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._under_way: set[int] = set()
        self._lock = threading.RLock()

    @contextmanager
    def under_way(self, unique: int, opcode: int) -> Iterator[None]:
        """Mark a request as one that may be interrupted while the block runs.

        The kernel refuses a second answer to one request with ENOENT, which the session passes over: that is how a late
        result is dropped.
        """
        if opcode not in _ONLY_LOOKS:
            yield
            return
        with self._lock:
            self._under_way.add(unique)
        try:
            yield
        finally:
            with self._lock:
                self._under_way.discard(unique)

    def interrupt(self, unique: int) -> None:
        """Answer a request EINTR if it is under way and only looks."""
        with self._lock:
            waiting = unique in self._under_way
            self._under_way.discard(unique)
        if waiting:
            self._replies.error(unique, errno.EINTR)
