"""Open files of filesystems that need to know which files are open."""

from __future__ import annotations

import errno
import logging
from itertools import count

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Handle

log = logging.getLogger("chuk_adapters.fuse")


class HandleTable:
    """Handles by the number that the kernel knows them under; 0 is none."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._handles: dict[int, Handle] = {}

    def __len__(self) -> int:
        return len(self._handles)

    def add(self, handle: Handle) -> int:
        """Give a handle its number."""
        fh = next(self._numbers)
        self._handles[fh] = handle
        return fh

    def get(self, fh: int) -> Handle | None:
        """The handle of a number."""
        return self._handles.get(fh)

    def require(self, fh: int) -> Handle:
        """The handle of a number. EBADF."""
        handle = self._handles.get(fh)
        if handle is None:
            raise os_error(errno.EBADF)
        return handle

    def remove(self, fh: int) -> Handle | None:
        """Take a handle out of the table."""
        return self._handles.pop(fh, None)

    def clear(self) -> list[Handle]:
        """Take all handles out of the table."""
        handles = list(self._handles.values())
        self._handles.clear()
        return handles


def close_quietly(handle: Handle) -> None:
    """Close a handle whose user is gone: nobody takes the answer, so an error goes to the log."""
    try:
        handle.close()
    except OSError as error:
        log.error("closing a file failed: %s", error)
