"""A private copy of a database that another program has for itself.

AgentFS holds a lock that shuts every other program out for as long as it runs, and keeps new commits in a write-ahead
log without the index that other programs would need. So the file and its log are copied as they are at one moment, and
SQLite reads the copy. Nothing is written beside the original. As long as only the log grows, only the log is copied
again.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
import weakref

from chuk_fsspec.backends.agentfs.looks import YOUNG_NS, Stamp, stamp_of
from chuk_fsspec.contract.errors import os_error

_WAL_HEADER = 32
_BLOCK = 1 << 20
_PATIENCE = 5.0
_PAUSE = YOUNG_NS / 1e9 / 4


class Copies:
    """The copy of one database, in a directory that only its owner can enter."""

    def __init__(self, path: str) -> None:
        self._source = path
        self._directory = ""
        self._main: Stamp | None = None

    def renew(self) -> str:
        """Bring the copy up to date; SQLite must not have it open.

        Returns:
            The copy's path.

        Raises:
            OSError: EBUSY if the database is rewritten without a pause; ENOSPC and the like, without a path.
        """
        end = time.monotonic() + _PATIENCE
        try:
            path = self._place()
            while not self._copy(path):
                if time.monotonic() > end:
                    raise os_error(errno.EBUSY, os.path.basename(self._source), hint="it is rewritten without a pause")
                time.sleep(_PAUSE)
        except OSError as error:
            self._main = None
            if error.errno == errno.EBUSY:
                raise
            hint = "no private copy of the database can be made, and another program has it for itself"
            raise os_error(error.errno or errno.EIO, os.path.basename(self._source), hint=hint) from None
        return path

    def drop(self) -> None:
        """Remove the copy."""
        if self._directory:
            self._end()
            self._directory, self._main = "", None

    def _place(self) -> str:
        if not self._directory:
            self._directory = tempfile.mkdtemp(prefix="chuk-agentfs-")
            self._end = weakref.finalize(self, _remove, self._directory, os.getpid())
        return os.path.join(self._directory, "copy.db")

    def _copy(self, path: str) -> bool:
        """Copy once; returns whether it is the state of one moment.

        The log says itself how far it is good. What must not happen meanwhile is that it is moved into the database, or
        begun anew.
        """
        main, header = stamp_of(self._source), self._wal_header()
        if abs(time.time_ns() - main[3]) < YOUNG_NS:
            return False  # a second change in the same tick of the clock would not show
        _copy_file(f"{self._source}-wal", f"{path}-wal")
        if main != self._main:
            self._main = None
            _copy_file(self._source, path)
        if stamp_of(self._source) != main or self._wal_header() != header:
            self._main = None
            return False
        self._main = main
        if os.path.exists(f"{path}-shm"):
            os.unlink(f"{path}-shm")
        return True

    def _wal_header(self) -> bytes:
        try:
            with open(f"{self._source}-wal", "rb") as file:
                return file.read(_WAL_HEADER)
        except FileNotFoundError:
            return b""


def _copy_file(source: str, target: str) -> None:
    """Copy the bytes that a file has now; a missing one becomes an empty one."""
    with open(target, "wb") as out:
        try:
            with open(source, "rb") as file:
                left = os.fstat(file.fileno()).st_size
                while left and (data := file.read(min(left, _BLOCK))):
                    out.write(data)
                    left -= len(data)
        except FileNotFoundError:
            return


def _remove(directory: str, owner: int) -> None:
    if os.getpid() == owner:  # after a fork it is still the parent's
        shutil.rmtree(directory, ignore_errors=True)
