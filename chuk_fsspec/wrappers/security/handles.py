"""Handles for editing in place: each write makes room first for what the file grows by."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from chuk_fsspec.contract.limits import Limits
from chuk_fsspec.contract.posix import Buffer, Handle
from chuk_fsspec.forwarding.files import ForwardingHandle
from chuk_fsspec.wrappers.security.ledger import Ledger

Refuse = Callable[[int, str], OSError]
"""Gives the error for an errno and the name of a limit, noted."""


class ChargedHandle(ForwardingHandle):
    """A handle of ``open_handle`` under a quota. To be made inside ``Ledger.changing``.

    Args:
        handle: the handle below.
        flags: as it was opened.
        ledger: where growth is booked.
        limits: what may not be exceeded.
        refuse: makes the errors.
    """

    def __init__(self, handle: Handle, flags: int, ledger: Ledger, limits: Limits, refuse: Refuse) -> None:
        super().__init__(handle)
        self._ledger = ledger
        self._limits = limits
        self._refuse = refuse
        self._appends = bool(flags & os.O_APPEND)
        self._ino = handle.stat().st_ino
        self._is_open = True
        ledger.opened(self._ino)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, with O_APPEND at the end. EFBIG, EDQUOT."""
        length = memoryview(data).nbytes
        if not length or offset < 0:
            return super().pwrite(data, offset)
        with self._ledger.changing():
            size = self.stat().st_size
            with self._room(size, max(size, (size if self._appends else offset) + length)):
                return super().pwrite(data, offset)

    def truncate(self, size: int) -> None:
        """Cut, or grow with zeros. EFBIG, EDQUOT."""
        with self._ledger.changing(), self._room(self.stat().st_size, size):
            super().truncate(size)

    def close(self) -> None:
        """Let go; a file without a name ends here."""
        with self._ledger.changing():
            super().close()
            if self._is_open:
                self._is_open = False
                self._ledger.closed(self._ino)

    def _room(self, before: int, after: int) -> Growth:
        return Growth(self._ledger, self._limits, self._refuse, self._ino, before, after, lambda: self.stat().st_size)


class Growth:
    """A block in which a file changes its size, with room made before; what fails is measured and given back.

    Args:
        ledger: where it is booked.
        limits: what may not be exceeded.
        refuse: makes the errors.
        ino: the file's number.
        before: its size.
        after: the size that it will have.
        measure: tells its size.
    """

    __slots__ = ("_after", "_before", "_ino", "_ledger", "_measure")

    def __init__(
        self,
        ledger: Ledger,
        limits: Limits,
        refuse: Refuse,
        ino: int,
        before: int,
        after: int,
        measure: Callable[[], int],
    ) -> None:
        self._ledger, self._ino, self._measure = ledger, ino, measure
        self._before, self._after = before, after
        if after > before:
            limit = limits.exceeded(file_size=after)
            if limit:
                raise refuse(errno.EFBIG, limit)
            short = ledger.grow(limits, after - before, 0) if ledger.is_kept else ""
            if short:
                raise refuse(errno.EDQUOT, short)

    def __enter__(self) -> None:
        """Room is made already."""

    def __exit__(self, exc_type: object, *exc_info: object) -> None:
        if self._ledger.is_kept:
            size = self._after if exc_type is None else self._measure()
            self._ledger.book(size - max(self._before, self._after), 0)
            self._ledger.resized(self._ino, size - self._before)
