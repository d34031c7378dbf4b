"""Files in blocks of whole lines, of which no more than one is held at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BLOCK = 4 * 1024 * 1024
"""Bytes of a block. A longer line is cut to so many."""

_LOOKED_AT = 8192
"""A NUL in so many first bytes makes a file a binary one, which has no lines."""


def blocks_of(file: Any, size: int = BLOCK) -> Iterator[bytes]:
    """The text of a file that is open for reading bytes, in blocks that end where a line ends.

    Args:
        file: at its start.
        size: bytes of a block at most, at least 2.

    Returns:
        Blocks without the end of their last line; none for a binary file.
    """
    rest, is_first = b"", True
    while data := file.read(size - len(rest)):
        if is_first and b"\0" in data[:_LOOKED_AT]:
            return
        is_first = False
        block = rest + data
        whole, line_end, rest = block.rpartition(b"\n")
        if line_end:
            yield whole
        elif len(block) >= size:
            yield block
            rest = _after_line(file, size)
    if rest:
        yield rest


def _after_line(file: Any, size: int) -> bytes:
    """What was read behind the end of a line that is too long."""
    while data := file.read(size - 1):
        _, line_end, rest = data.partition(b"\n")
        if line_end:
            found: bytes = rest
            return found
    return b""
