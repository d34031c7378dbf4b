"""Errors of other people's filesystems, made into ``OSError`` with an errno."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chuk_fsspec.contract.foreign import os_error_of


@contextmanager
def os_errors(path: str) -> Iterator[None]:
    """Turn whatever a filesystem raises inside the block into an ``OSError`` that has an errno.

    Args:
        path: what the operation is about, for the message.

    Raises:
        OSError: as it was if it has an errno; else by its class, see ``os_error_of``; the original is the cause.
    """
    try:
        yield
    except Exception as error:
        found = os_error_of(error, path)
        if found is error:
            raise
        raise found from error
