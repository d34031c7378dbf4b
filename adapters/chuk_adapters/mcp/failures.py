"""What goes wrong, in words that a model can use."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager


class ToolError(Exception):
    """The text of an answer that is an error."""


_TEXTS = {
    errno.EACCES: "permission denied",
    errno.EBUSY: "resource busy or locked",
    errno.EDQUOT: "disk quota exceeded",
    errno.EEXIST: "file already exists",
    errno.EFBIG: "file too large",
    errno.EINVAL: "invalid argument",
    errno.EIO: "i/o error",
    errno.EISDIR: "illegal operation on a directory",
    errno.ELOOP: "too many symbolic links encountered",
    errno.EMFILE: "too many open files",
    errno.ENAMETOOLONG: "name too long",
    errno.ENOENT: "no such file or directory",
    errno.ENOSPC: "no space left on device",
    errno.ENOTDIR: "not a directory",
    errno.ENOTEMPTY: "directory not empty",
    errno.ENOTSUP: "operation not supported on socket",
    errno.EPERM: "operation not permitted",
    errno.EROFS: "read-only file system",
    errno.ETIMEDOUT: "connection timed out",
    errno.EXDEV: "cross-device link not permitted",
}
"""libuv's words (its uv_strerror), which are those of the reference server."""

_CLEAR = frozenset((errno.EEXIST, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR))
"""Errors whose words say it all, without the hint of the filesystem."""


def code_of(error: OSError) -> str:
    """The name of an error's errno, such as ENOENT."""
    return errno.errorcode.get(error.errno or 0, "EIO")


def text_of(error: OSError, verb: str = "", *paths: str) -> str:
    """What a model is told of an error of the filesystem.

    Args:
        error: any; its hint, if it has one, is told too.
        verb: the system call that the reference server makes here, such as ``open``.
        paths: the paths it was about, in place of those of the error; none are named without a verb.

    Returns:
        ``ENOENT: no such file or directory, open '/a'``.
    """
    code = error.errno or errno.EIO
    words = _TEXTS.get(code, os.strerror(code).lower())
    hint = "" if code in _CLEAR else str(error.strerror or "").partition(": ")[2]
    named = [str(path) for path in (paths or (error.filename, error.filename2)) if path] if verb or not paths else []
    ends = " -> ".join(f"'{path}'" for path in named)
    subject = " ".join(part for part in (verb, ends) if part)
    return f"{code_of(error)}: {words}" + (f", {subject}" if subject else "") + (f" ({hint})" if hint else "")


@contextmanager
def spoken(verb: str, *paths: str) -> Iterator[None]:
    """Make an OSError of the block a ToolError.

    Args:
        verb: as for ``text_of``.
        paths: as for ``text_of``.
    """
    try:
        yield
    except OSError as error:
        raise ToolError(text_of(error, verb, *paths)) from error
