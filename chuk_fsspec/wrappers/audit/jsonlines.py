"""A log as a text file: JSON Lines, only ever added to, one write for each record.

No record in it is ever cut or overwritten, so the file may be made append-only (``chattr +a``). A torn last line is
closed off by a newline, and the record after it says what it was.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.wrappers.audit.lines import BEGINNING, LINE_MAX, read_line
from chuk_fsspec.wrappers.audit.naming import segment_path, segments_of
from chuk_fsspec.wrappers.audit.record import START, Head, Record
from chuk_fsspec.wrappers.audit.sink import Tail

_USUAL_TAIL = 4096
_OWNER_ONLY = 0o600
_BINARY = getattr(os, "O_BINARY", 0)
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | _BINARY
_NO_LOG = "log: this file is there already and is no audit log; choose another name"


class JsonLines:
    """The file, for its writer.

    Args:
        path: of the file that is written.
        rotate_at: bytes from which on the file is put aside and a new one begun; 0 for never.
    """

    def __init__(self, path: str, rotate_at: int) -> None:
        self._path = path
        self._rotate_at = rotate_at
        self._fd = -1
        self._identity = (-1, -1)
        self._end = -1
        self._segment = 0
        self._tail = Tail()
        self._needs_newline = False
        self.reopen()

    def before_fork(self) -> None:
        """Nothing: the child opens the file again."""

    def reopen(self) -> None:
        """Open the file of this path, whatever was open before. ValueError if it is no regular file."""
        self.close()
        self._fd = os.open(self._path, _FLAGS, _OWNER_ONLY)
        status = os.fstat(self._fd)
        self._identity = (status.st_dev, status.st_ino)
        self._end = -1
        self._segment = 0
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise ValueError(_NO_LOG)

    def tail(self) -> Tail:
        """How the log ends; a full file is put aside first. ValueError, EBADMSG if this is no log."""
        if self._was_replaced():
            self.reopen()
        size = os.fstat(self._fd).st_size
        if size != self._end:
            self._tail = self._read_tail(size)
            self._end = os.fstat(self._fd).st_size
        if self._rotate_at and self._end >= self._rotate_at and not self._tail.torn:
            self._rotate()
        return self._tail

    def append(self, lines: Sequence[tuple[bytes, Head]]) -> int:
        """Add lines, one write for each."""
        kept = 0
        for line, head in lines:
            data = b"\n" + line if self._needs_newline else line
            try:
                _write(self._fd, data)
            except OSError:
                self._end = -1
                if kept:
                    break
                raise
            self._end += len(data)
            self._needs_newline = False
            self._tail = Tail(head, b"", self._tail.segment, is_new=False)
            kept += 1
        return kept

    def first_line(self) -> bytes:
        """The first line of the file that is written now."""
        line, newline, _ = _read(self._fd, LINE_MAX, 0).partition(b"\n")
        return line + newline

    def descriptor(self) -> int | None:
        """A descriptor to fsync."""
        return os.dup(self._fd) if self._fd >= 0 else None

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _was_replaced(self) -> bool:
        """Whether the path leads to another file by now: somebody has put this one aside, or removed it."""
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return True
        return (status.st_dev, status.st_ino) != self._identity

    def _read_tail(self, size: int) -> Tail:
        self._needs_newline = False
        first = self.first_line() if size and not self._segment else b""
        if first and not first.endswith(b"\n"):
            self._drop_torn_start(first)
            size = 0
        if size == 0:
            return self._after_segments()
        self._segment = self._segment or _segment_of(first)
        last, rest = _last_record(self._fd, size)
        self._needs_newline = bool(rest)
        whole = _record_or_none(rest + b"\n")
        torn = rest if whole is None else b""
        return Tail((whole or last).head, torn, self._segment, is_new=False)

    def _drop_torn_start(self, rest: bytes) -> None:
        """Begin a file anew that never got its first record. ValueError if it is not ours."""
        if not (rest.startswith(BEGINNING) or BEGINNING.startswith(rest)):
            raise ValueError(_NO_LOG)
        os.ftruncate(self._fd, 0)

    def _after_segments(self) -> Tail:
        """The tail of an empty file: where the last one that was put aside ends."""
        segments = segments_of(self._path)
        if not segments:
            self._segment = 1
            return Tail()
        number, path = segments[-1]
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | _BINARY)
        try:
            last, _ = _last_record(fd, os.fstat(fd).st_size)
        finally:
            os.close(fd)
        self._segment = number + 1
        return Tail(last.head, b"", number + 1, is_new=True)

    def _rotate(self) -> None:
        """Put the file aside under its number, and begin a new one. EEXIST if there is one of that number."""
        number = self._tail.segment
        aside = segment_path(self._path, number)
        if os.path.lexists(aside):
            raise os_error(errno.EEXIST, hint=f"file number {number} of the audit log was put aside before")
        os.fsync(self._fd)
        os.rename(self._path, aside)
        self.reopen()
        self._end = 0
        self._segment = number + 1
        self._tail = Tail(self._tail.head, b"", number + 1, is_new=True)


def _last_record(fd: int, size: int) -> tuple[Record, bytes]:
    """The last whole record of a file, and what follows the last newline. EBADMSG if no record ends it."""
    for length in (_USUAL_TAIL, 2 * LINE_MAX):
        *lines, rest = _read(fd, length, max(0, size - length)).split(b"\n")
        for line in reversed(lines):
            record = _record_or_none(line + b"\n")
            if record is not None:
                return record, rest
    raise os_error(errno.EBADMSG, hint="the audit log does not end in a record; verify shows where it went wrong")


def _record_or_none(line: bytes) -> Record | None:
    try:
        return read_line(line)
    except ValueError:
        return None


def _segment_of(line: bytes) -> int:
    """Which file of a log begins with this line. ValueError if none does."""
    record = _record_or_none(line)
    if record is None or record.entry.operation != START:
        raise ValueError(_NO_LOG)
    return int(record.entry.detail["segment"])


def _read(fd: int, size: int, offset: int) -> bytes:
    os.lseek(fd, offset, os.SEEK_SET)
    return os.read(fd, size)


def _write(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]
