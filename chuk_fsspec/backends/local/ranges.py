"""Parts of a file: reserving, zeroing and finding them (fallocate(2), lseek(2))."""

from __future__ import annotations

import errno
import os

from chuk_fsspec.backends.local.handle import SIZE_MAX
from chuk_fsspec.backends.local.syscalls import fallocate
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE


def allocate(fd: int, offset: int, length: int, mode: int) -> None:
    """fallocate(2). EINVAL, EFBIG, ENOSPC; ENOTSUP for modes that the filesystem does not know."""
    if offset < 0 or length <= 0:
        raise os_error(errno.EINVAL, hint="fallocate needs a range of at least one byte")
    if offset + length > SIZE_MAX:
        raise os_error(errno.EFBIG)
    try:
        fallocate(fd, mode, offset, length)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP or not mode & FALLOC_ZERO_RANGE or mode & ~_ZEROING:
            raise
        _zero(fd, offset, length, keeps_size=bool(mode & FALLOC_KEEP_SIZE))


def find_data_or_hole(fd: int, offset: int, whence: int) -> int:
    """lseek(2) for SEEK_DATA and SEEK_HOLE. ENXIO past the end, EINVAL for anything else."""
    if whence not in (os.SEEK_DATA, os.SEEK_HOLE):
        raise os_error(errno.EINVAL, hint="only SEEK_DATA and SEEK_HOLE")
    if offset > SIZE_MAX:
        raise os_error(errno.ENXIO)
    return os.lseek(fd, offset, whence)


_ZEROING = FALLOC_ZERO_RANGE | FALLOC_KEEP_SIZE


def _zero(fd: int, offset: int, length: int, *, keeps_size: bool) -> None:
    """ZERO_RANGE for filesystems that can only punch holes, such as tmpfs."""
    fallocate(fd, FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, offset, length)
    fallocate(fd, FALLOC_KEEP_SIZE if keeps_size else 0, offset, length)
