"""Open files of filesystems that can only replace whole files."""

from __future__ import annotations

import errno
import os

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.vfs import looking
from chuk_fsspec.vfs.content import Content
from chuk_fsspec.vfs.node import stat_result
from chuk_fsspec.vfs.openfiles import OpenFiles
from chuk_fsspec.vfs.reading import Reader
from chuk_fsspec.vfs.volume import Volume


class ContentHandle:
    """An open regular file (``contract.Handle``) on the content that it shares with all other handles of the file."""

    def __init__(self, volume: Volume, files: OpenFiles, content: Content, flags: int) -> None:
        access = flags & os.O_ACCMODE
        self._volume = volume
        self._files = files
        self._content = content
        self._reads = access in (os.O_RDONLY, os.O_RDWR)
        self._writes = access in (os.O_WRONLY, os.O_RDWR)
        self._appends = bool(flags & os.O_APPEND)
        self._stores = self._writes or bool(flags & os.O_TRUNC)
        self._open = True
        self._reader = Reader(volume, content.node)

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``. EBADF, EINVAL, and whatever the filesystem says."""
        self._require(self._reads)
        if size < 0 or offset < 0:
            raise os_error(errno.EINVAL, hint="size and offset cannot be negative")
        content = self._content
        if content.spool is None:
            with self._volume.table.using(content.node) as names:
                # The claim keeps the file from being removed meanwhile; when it is, its content is brought here first.
                if content.spool is None:
                    return self._reader.read(names, size, offset)
        return content.spool.pread(size, offset)

    def pwrite(self, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``, or at the end with O_APPEND. EBADF, EINVAL, ENOSPC, EFBIG."""
        self._require(self._writes)
        if offset < 0:
            raise os_error(errno.EINVAL, hint="an offset cannot be negative")
        if len(data):
            self._content.write(data, None if self._appends else offset)
        return len(data)

    def truncate(self, size: int) -> None:
        """Cut, or grow with zeros. EBADF, EINVAL, EFBIG."""
        self._require(self._writes)
        self._content.truncate(size)

    def flush(self) -> None:
        """Upload what was changed through any handle, unless this one only reads. EBADF, errors of the upload."""
        self._require(True)
        if self._stores:
            self._content.flush()

    def fsync(self) -> None:
        """Upload what was changed through any handle. EBADF, errors of the upload."""
        self._require(True)
        self._content.flush()

    def stat(self) -> os.stat_result:
        """Attributes, also without a name. EBADF."""
        self._require(True)
        spool, node = self._content.spool, self._content.node
        if spool is not None:
            return stat_result(node, spool.size)
        looking.refresh(self._volume, node)
        return stat_result(node, node.size)

    def close(self) -> None:
        """``flush``, and let go whether that fails or not; a second close does nothing."""
        if self._open:
            self._open = False
            self._reader.close()
            try:
                if self._stores:
                    self._content.flush()
            finally:
                self._files.close(self._content)

    def _require(self, allowed: bool) -> None:
        if not (self._open and allowed):
            raise os_error(errno.EBADF, hint="closed, or not opened for this")
