"""Whether two entries are the same."""

from __future__ import annotations

import hashlib
import stat

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.transfer.copying import Ends, blocks_of
from chuk_fsspec.transfer.sync.options import SyncOptions

_MICROSECOND = 1_000
_SECOND = 10**9
_TICK = 20_000_000
"""Nanoseconds within which two times say nothing about what came first."""


class Comparison:
    """Compares entries of two filesystems."""

    def __init__(self, ends: Ends, options: SyncOptions) -> None:
        self._ends, self._options = ends, options
        self._keeps_times = capabilities_of(ends.target).attributes

    def same_content(self, source: str, found: Attributes, target: str, there: Attributes) -> bool:
        """Whether two entries of one kind, and no directories, hold the same."""
        if stat.S_ISLNK(found.mode):
            return self._text(self._ends.source, source, found) == self._text(self._ends.target, target, there)
        if not stat.S_ISREG(found.mode):
            return stat.S_ISDIR(found.mode) or self._rdev(source, target)
        if found.sized and there.sized and found.size != there.size:
            return False
        if self._options.checksum or found.mtime_ns is None or there.mtime_ns is None:
            return _digest(self._ends.source, source, found) == _digest(self._ends.target, target, there)
        if self._keeps_times:
            return same_time(found.mtime_ns, there.mtime_ns)
        # Where times cannot be set, that of a copy is when it was made; and clocks stand still for a tick.
        return there.mtime_ns > found.mtime_ns + _TICK

    def same_attributes(self, found: Attributes, there: Attributes) -> bool:
        """Whether the target has nothing to be told besides content."""
        if not self._keeps_times:
            return True
        if found.keeps_mode and not stat.S_ISLNK(found.mode) and stat.S_IMODE(found.mode) != stat.S_IMODE(there.mode):
            return False
        if self._options.owners and found.keeps_mode and (found.uid, found.gid) != (there.uid, there.gid):
            return False
        return found.mtime_ns is None or there.mtime_ns is None or same_time(found.mtime_ns, there.mtime_ns)

    def _text(self, fs: AbstractFileSystem, path: str, link: Attributes) -> str:
        return link.target if link.target is not None else str(fs.posix.readlink(path))

    def _rdev(self, source: str, target: str) -> bool:
        ends = self._ends
        return bool(ends.source.posix.lstat(source).st_rdev == ends.target.posix.lstat(target).st_rdev)


def same_time(one: int, other: int) -> bool:
    """Whether two times in nanoseconds are the same, as far as the coarser one can tell."""
    if one % _SECOND == 0 or other % _SECOND == 0:
        return one // _SECOND == other // _SECOND
    return abs(one - other) <= _MICROSECOND  # a float of seconds is no more exact


def _digest(fs: AbstractFileSystem, path: str, found: Attributes) -> bytes:
    digest = hashlib.sha256()
    for data in blocks_of(fs, path, found):
        digest.update(data)
    return digest.digest()
