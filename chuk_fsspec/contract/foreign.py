"""Errors of other people's filesystems, made into ``OSError`` with an errno."""

from __future__ import annotations

import errno

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


def os_error_of(error: Exception, path: str, *, shows_text: bool = True) -> OSError:
    """The ``OSError`` that an exception of any filesystem amounts to.

    Args:
        error: what was raised.
        path: what the operation is about, for the message.
        shows_text: whether the exception's own text is quoted; it may hold the filesystem's own paths.

    Returns:
        The same exception if it has an errno; else one by its class (fsspec filesystems raise
        ``FileNotFoundError(path)``), ENOTSUP for ``NotImplementedError``, EIO for everything unknown. Raise it ``from``
        the original.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return error
    code = next((code for kind, code in _ERRNO_OF if isinstance(error, kind)), errno.EIO)
    name = type(error).__name__
    if shows_text:
        return os_error(code, path, hint=f"{name}: {error}")
    return os_error(code, path, hint=name if code == errno.EIO else "")
