"""Open files for positioned reads and in-place writes."""

from __future__ import annotations

import errno
import os

from chuk_fsspec.backends.local.content import CHUNK, read_range, write_all
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.shared import SharedRoot, View
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer

SIZE_MAX = 2**63 - 1


class LocalHandle:
    """An open regular file (``contract.Handle``): it follows the inode through renames and outlives its last name.

    Args:
        shared: the root, whose views hear of what is written.
        opened: the file.
        flags: those of open(2).
        path: what errors call it.
        view: the view that is not told, since it does this itself.
    """

    def __init__(
        self, shared: SharedRoot, opened: Descriptor, flags: int, path: str | None, view: View | None = None
    ) -> None:
        access = flags & os.O_ACCMODE
        self._shared = shared
        self._view = view
        self._path = path
        self._reads = access in (os.O_RDONLY, os.O_RDWR)
        self._writes = access in (os.O_WRONLY, os.O_RDWR)
        self._appends = bool(flags & os.O_APPEND)
        self._opened: Descriptor | None = opened

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``. EBADF, EINVAL."""
        opened = self._require(self._reads)
        if size < 0 or offset < 0:
            raise os_error(errno.EINVAL, self._path, hint="size and offset cannot be negative")
        if offset > SIZE_MAX:
            return b""
        if size > CHUNK:  # room is made before it is known how much there is
            size = max(min(size, os.fstat(opened.number).st_size - offset), 0)
        with named(self._path):
            return read_range(opened.number, size, offset)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, or at the end with O_APPEND. EBADF, EINVAL, EFBIG, ENOSPC."""
        opened = self._require(self._writes)
        if offset < 0:
            raise os_error(errno.EINVAL, self._path, hint="the offset cannot be negative")
        length = memoryview(data).nbytes
        if not length:
            return 0
        if offset + length > SIZE_MAX:
            raise os_error(errno.EFBIG, self._path)
        with named(self._path):
            if self._appends:
                append_all(opened.number, data)
            else:
                write_all(opened.number, data, offset)
        self._shared.content_changed(self, self._view)
        return length

    def truncate(self, size: int) -> None:
        """Cut, or grow with a hole. EBADF, EINVAL, EFBIG."""
        opened = self._require(self._writes)
        check_size(size, self._path)
        with named(self._path):
            os.ftruncate(opened.number, size)
        self._shared.content_changed(self, self._view)

    def flush(self) -> None:
        """Hear of errors that a network filesystem tells when a file is closed (close(2)). EBADF."""
        opened = self._require(True)
        if self._writes:
            with named(self._path):
                os.close(os.dup(opened.number))

    def fsync(self) -> None:
        """Make content and attributes durable (fsync(2)). EBADF, EIO."""
        opened = self._require(True)
        with named(self._path):
            os.fsync(opened.number)

    def stat(self) -> os.stat_result:
        """Attributes, also without a name. EBADF."""
        opened = self._require(True)
        return os.fstat(opened.number)

    def fileno(self) -> int:
        """The descriptor, for system calls that are not here; it is open for as long as this handle is. EBADF."""
        return self._require(True).number

    def close(self) -> None:
        """``flush`` and let go; a second close does nothing."""
        if self._opened is not None:
            try:
                self.flush()
            finally:
                self._opened = None

    def __enter__(self) -> LocalHandle:  # noqa: PYI034 - typing.Self needs Python 3.11
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _require(self, allowed: bool) -> Descriptor:
        opened = self._opened
        if opened is None or not allowed:
            raise os_error(errno.EBADF, self._path, hint="closed, or not opened for this")
        return opened


def append_all(fd: int, data: Buffer) -> None:
    """Write all of a buffer at the end of a file that is open with O_APPEND: in one step, unless the disk is full."""
    view = memoryview(data).cast("B")
    while view:
        view = view[os.write(fd, view) :]


def check_size(size: int, path: str | None) -> None:
    """EINVAL for a negative size of a file, EFBIG for one that no file can have."""
    if size < 0:
        raise os_error(errno.EINVAL, path, hint="a size cannot be negative")
    if size > SIZE_MAX:
        raise os_error(errno.EFBIG, path)
