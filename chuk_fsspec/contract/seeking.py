"""Where a file object goes when it is told to."""

from __future__ import annotations

import os


def sought(offset: int, whence: int, *, position: int, size: int) -> int:
    """Where ``seek`` leads (lseek(2)), which may be behind the end.

    Args:
        offset: bytes.
        whence: ``os.SEEK_SET``, ``os.SEEK_CUR`` or ``os.SEEK_END``.
        position: where the file is.
        size: bytes that it has.

    Raises:
        ValueError: for a place before the beginning, or another ``whence``.
    """
    bases = {os.SEEK_SET: 0, os.SEEK_CUR: position, os.SEEK_END: size}
    if whence not in bases:
        raise ValueError(f"whence is {whence}, and not 0, 1 or 2")
    if bases[whence] + offset < 0:
        raise ValueError(f"negative seek position {bases[whence] + offset}")
    return bases[whence] + offset
