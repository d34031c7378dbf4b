"""Errors of other people's filesystems, made into ``OSError`` with an errno."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from fsspec.exceptions import FSTimeoutError

from chuk_fsspec.contract.errors import os_error

_ERRNO_OF: tuple[tuple[type[Exception], int], ...] = (
    (FileNotFoundError, errno.ENOENT),
    (FileExistsError, errno.EEXIST),
    (IsADirectoryError, errno.EISDIR),
    (NotADirectoryError, errno.ENOTDIR),
    (PermissionError, errno.EACCES),
    (TimeoutError, errno.ETIMEDOUT),
    (FSTimeoutError, errno.ETIMEDOUT),
    (NotImplementedError, errno.ENOTSUP),
    (UnicodeError, errno.EILSEQ),
)


@contextmanager
def os_errors(path: str) -> Iterator[None]:
    """Turn whatever a filesystem raises inside the block into an ``OSError`` that has an errno.

    Args:
        path: what the operation is about, for the message.

    Raises:
        OSError: as it was if it has an errno; else by its class (fsspec filesystems raise ``FileNotFoundError(path)``),
            ENOTSUP for ``NotImplementedError``, EIO for everything unknown; the original is the cause.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        code = next((code for kind, code in _ERRNO_OF if isinstance(error, kind)), errno.EIO)
        raise os_error(code, path, hint=f"{type(error).__name__}: {error}") from error
