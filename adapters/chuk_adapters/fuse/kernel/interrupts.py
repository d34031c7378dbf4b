"""INTERRUPT: a signal has come for somebody whose request is under way.

If the signal is to end the program, a request that only looks is answered EINTR at once, and what comes of it later is
dropped. One that changes something is left to finish, so that its caller learns what really happened. Other signals, of
timers or children, interrupt nothing: programs do not expect that of files.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chuk_adapters.fuse.kernel.protocol import HEADER_SIZE, OPEN_IN, Opcode
from chuk_adapters.fuse.kernel.replies import Replies

_ONLY_LOOKS = frozenset(
    (
        Opcode.LOOKUP,
        Opcode.READ,
        Opcode.READDIR,
        Opcode.READDIRPLUS,
        Opcode.GETATTR,
        Opcode.READLINK,
        Opcode.GETXATTR,
        Opcode.LISTXATTR,
        Opcode.STATFS,
    )
)


def _mask(*signals: int) -> int:
    return sum(1 << number - 1 for number in signals)


_ENDS = _mask(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL)
"""Ask a program to end, also where it has a handler for them."""
_STOPS = _mask(signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class Interrupts:
    """Which requests are under way, for mounts with several workers."""

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._under_way: dict[int, int] = {}
        self._looking = 0
        self._lock = threading.RLock()

    @contextmanager
    def under_way(self, unique: int, opcode: int, thread: int, buffer: bytearray) -> Iterator[None]:
        """Mark a request as one that may be interrupted while the block runs.

        The kernel refuses a second answer to one request with ENOENT, which the session passes over: that is how a late
        result is dropped.

        Args:
            unique: its number.
            opcode: what it asks for.
            thread: which one asks, 0 if that cannot be told.
            buffer: holds the whole request.
        """
        if not _only_looks(opcode, buffer):
            yield
            return
        with self._lock:
            self._under_way[unique] = thread
            self._looking += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way.pop(unique, None)
                self._looking -= 1

    def count(self) -> int:
        """How many requests are under way that only look, answered already or not."""
        return self._looking

    def interrupt(self, unique: int) -> None:
        """Answer a request EINTR if it is under way, only looks, and whoever asks is to end."""
        with self._lock:
            thread = self._under_way.get(unique)
        if thread is not None and is_to_end(thread):
            self._end(unique)

    def end_orphans(self) -> None:
        """The same for all who are gone: what was read ahead for them would keep a mount from its end."""
        with self._lock:
            asked = list(self._under_way.items())
        for unique, thread in asked:
            if thread and is_to_end(thread):
                self._end(unique)

    def _end(self, unique: int) -> None:
        with self._lock:
            thread = self._under_way.pop(unique, None)
        if thread is None:
            return
        # ENOENT: somebody else was faster; ENODEV: the mount is over.
        try:
            self._replies.error(unique, errno.EINTR)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                raise


def _only_looks(opcode: int, buffer: bytearray) -> bool:
    if opcode == Opcode.OPEN:
        return not OPEN_IN.unpack_from(buffer, HEADER_SIZE)[0] & os.O_TRUNC
    return opcode in _ONLY_LOOKS


def is_to_end(thread: int) -> bool:
    """Whether a signal that a thread has got will end its program, or asks it to; True if that cannot be told.

    See proc_pid_status(5). Of signals without a handler, the kernel wakes nobody for those that do nothing.
    """
    try:
        lines = Path(f"/proc/{thread}/status").read_text().splitlines()
    except OSError:
        return True
    masks = {
        name: value for name, _, value in (line.partition(":") for line in lines) if name.startswith(("Sig", "Shd"))
    }
    pending, for_all, blocked, ignored, caught = (
        int(masks[name], 16) for name in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")
    )
    arrived = (pending | for_all) & ~blocked & ~_STOPS
    return bool(arrived & (_ENDS | ~(caught | ignored)))
