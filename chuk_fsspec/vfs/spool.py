"""Files on local disk where content waits while it is edited."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from chuk_fsspec.contract.posix import Buffer

_OWNER_ONLY = 0o600


class SpoolArea:
    """A private directory for spool files, made when the first one is needed.

    Args:
        place: where to make it; None for the system's directory for temporary files. It should be on a disk that has
            room for the largest file that is edited.
    """

    def __init__(self, place: str | None) -> None:
        self._place = place
        self._directory: str | None = None
        self._lock = threading.RLock()

    def new_path(self) -> str:
        """Make an empty file that only its owner may read, and return its path."""
        with self._lock:
            if self._directory is None:
                self._directory = tempfile.mkdtemp(prefix="chuk-fsspec-", dir=self._place)
            fd, path = tempfile.mkstemp(dir=self._directory)
        os.close(fd)
        return path

    @contextmanager
    def borrowed_path(self) -> Iterator[str]:
        """A file that is there only inside the block."""
        path = self.new_path()
        try:
            yield path
        finally:
            os.unlink(path)

    def close(self) -> None:
        """Remove the directory, unless something is kept in it."""
        with self._lock:
            if self._directory is not None:
                with suppress(OSError):
                    os.rmdir(self._directory)
                    self._directory = None


class Spool:
    """The content of one file, on local disk.

    Args:
        path: a file of a ``SpoolArea``, with the content that there is so far.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        # Whoever downloaded into the file may have replaced it with one of usual permissions.
        os.fchmod(self._fd, _OWNER_ONLY)

    @property
    def size(self) -> int:
        """Bytes of content."""
        return os.fstat(self._fd).st_size

    def pread(self, size: int, offset: int) -> bytes:
        """Up to ``size`` bytes from ``offset``."""
        return os.pread(self._fd, size, offset)

    def pwrite(self, data: Buffer, offset: int) -> None:
        """Write all of ``data``. ENOSPC, EFBIG."""
        with memoryview(data) as view, view.cast("B") as rest:
            done = 0
            while done < len(rest):
                done += os.pwrite(self._fd, rest[done:], offset + done)

    def truncate(self, size: int) -> None:
        """Cut, or grow with a hole. EFBIG, EINVAL."""
        os.ftruncate(self._fd, size)

    def discard(self) -> None:
        """Remove the content from the disk."""
        os.close(self._fd)
        with suppress(FileNotFoundError):
            os.unlink(self.path)
