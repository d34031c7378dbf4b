"""Adding to the end of a file."""

from __future__ import annotations

import os

from chuk_fsspec.backends.local.handle import append_all

AT_ONCE = 8 * 1024 * 1024
"""Bytes that are added in one step, so that nobody else's come in between."""


def append_content(source: int, target: int) -> None:
    """Add what one file holds to the end of another.

    If that fails half-way, what was added is cut off again, unless somebody else has added more.

    Args:
        source: descriptor of the one, open for reading.
        target: descriptor of the other, open for writing with O_APPEND.

    Raises:
        OSError: ENOSPC, EFBIG, EIO.
    """
    start = os.fstat(target).st_size
    end = start
    try:
        while data := os.pread(source, AT_ONCE, end - start):
            append_all(target, data)
            end += len(data)
    except OSError:
        if start < os.fstat(target).st_size < end + AT_ONCE:
            os.ftruncate(target, start)
        raise
