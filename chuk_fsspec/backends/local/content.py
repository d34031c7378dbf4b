"""Copying content between open files, holes left out."""

from __future__ import annotations

import errno
import os
from typing import Any

CHUNK = 1024 * 1024

_FICLONE = 0x40049409
# Another filesystem, an old kernel, a kind of file that cannot: then it is read and written.
_CANNOT = frozenset((errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.ENOTTY, errno.EBADF))


def copy_content(source: int, target: int) -> None:
    """Make an empty file hold what another one holds.

    Args:
        source: descriptor of a regular file, open for reading.
        target: descriptor of an empty one, open for writing.

    Raises:
        OSError: ENOSPC, EIO.
    """
    if _share(source, target):
        return
    size = os.fstat(source).st_size
    os.ftruncate(target, size)
    offset = 0
    while offset < size:
        start, stop = _next_data(source, offset, size)
        _copy_range(source, target, start, stop)
        offset = stop


def write_all(fd: int, data: Any, offset: int) -> None:
    """Write all of a buffer at an offset. ENOSPC, EFBIG."""
    view = memoryview(data).cast("B")
    while view:
        written = os.pwrite(fd, view, offset)
        view = view[written:]
        offset += written


def read_all(fd: int, offset: int = 0) -> bytes:
    """A whole file, or all from ``offset`` on, also if it grows meanwhile or does not know its size."""
    data = os.pread(fd, max(os.fstat(fd).st_size - offset, 0) + 1, offset)
    pieces = [data]
    done = len(data)
    while data and (data := os.pread(fd, CHUNK, offset + done)):
        pieces.append(data)
        done += len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def read_range(fd: int, size: int, offset: int) -> bytes:
    """Up to ``size`` bytes from ``offset``, fewer only at the end of the file."""
    data = os.pread(fd, size, offset)
    pieces = [data]
    done = len(data)
    while data and done < size and (data := os.pread(fd, size - done, offset + done)):
        pieces.append(data)
        done += len(data)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _share(source: int, target: int) -> bool:
    """Let two files share their blocks until one of them changes, where the filesystem can (ioctl_ficlone(2))."""
    try:
        from fcntl import ioctl

        ioctl(target, _FICLONE, source)
    except (ImportError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT:
            raise
        return False
    return True


def _next_data(source: int, offset: int, size: int) -> tuple[int, int]:
    """Where the next data begins and ends, from an offset on; ``(size, size)`` if there is none."""
    if not hasattr(os, "SEEK_DATA"):
        return offset, size
    try:
        start = os.lseek(source, offset, os.SEEK_DATA)
        return start, min(os.lseek(source, start, os.SEEK_HOLE), size)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        if error.errno == errno.EINVAL:  # a filesystem without the notion
            return offset, size
        raise


def _copy_range(source: int, target: int, start: int, stop: int) -> None:
    while start < stop:
        copied = _copy_some(source, target, start, stop - start)
        if not copied:
            return  # the source became shorter meanwhile
        start += copied


def _copy_some(source: int, target: int, offset: int, length: int) -> int:
    if hasattr(os, "copy_file_range"):
        try:
            return os.copy_file_range(source, target, min(length, 1 << 30), offset, offset)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
    data = os.pread(source, min(length, CHUNK), offset)
    write_all(target, data, offset)
    return len(data)
