"""How requests reach their handlers."""

from __future__ import annotations

import os
from collections.abc import Callable

Handler = Callable[[int, int, int, int, bytearray, int], None]
"""(unique, nodeid, uid, gid, buffer, length): answers one request, or raises ``OSError`` to have its errno sent.

The request's body is ``buffer[40:length]``. The buffer is the reader's own and is overwritten by its next request.
"""


def name_at(buffer: bytearray, start: int, length: int) -> str:
    """The NUL-terminated name that ends a request; bytes that are not UTF-8 become surrogate escapes (PEP 383)."""
    return buffer[start : length - 1].decode("utf-8", "surrogateescape")


def two_names_at(buffer: bytearray, start: int, length: int) -> tuple[str, str]:
    """Two NUL-terminated names that end a request."""
    first, _, second = bytes(buffer[start : length - 1]).partition(b"\0")
    return os.fsdecode(first), os.fsdecode(second)
