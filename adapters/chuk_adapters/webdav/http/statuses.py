"""Status codes: their lines, and which one stands for which ``errno``."""

from __future__ import annotations

import errno
from http import HTTPStatus

from chuk_fsspec.contract.errors import PreconditionFailed

_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

_OF_ERRNO = {
    errno.ENOENT: 404,
    errno.EACCES: 403,
    errno.EPERM: 403,
    errno.EROFS: 403,
    errno.ENOTSUP: 403,
    errno.ENOTDIR: 409,
    errno.EISDIR: 409,
    errno.ENOTEMPTY: 409,
    errno.EBUSY: 409,
    errno.ELOOP: 409,
    errno.EEXIST: 412,
    errno.ESTALE: 412,
    errno.EINVAL: 400,
    errno.ENAMETOOLONG: 414,
    errno.EFBIG: 413,
    errno.ENOSPC: 507,
    errno.EDQUOT: 507,
    errno.E2BIG: 507,
    errno.ERANGE: 507,
    errno.EXDEV: 502,
    errno.EAGAIN: 503,
    errno.EMFILE: 503,
    errno.ENFILE: 503,
    errno.ENOMEM: 503,
    errno.ETIMEDOUT: 504,
}


def status_line(status: int) -> str:
    """The code and its phrase, as a status line has them."""
    return _LINES[status]


def status_of(error: OSError) -> int:
    """The status that tells a client of an error of the filesystem; 500 for one that nobody foresaw."""
    if isinstance(error, PreconditionFailed):
        return 412
    return _OF_ERRNO.get(error.errno or 0, 500)
