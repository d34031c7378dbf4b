"""Inodes of an AgentFS database: rows of ``fs_inode`` with what the engine asks of them."""

from __future__ import annotations

import hashlib
import stat
import time
from collections.abc import Sequence
from typing import Any, Protocol

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.inode import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Directory, Inode

ROOT_INO = 1
DEPTH_MAX = 2048
"""A path of 4096 bytes, the longest there is, goes no deeper."""

_SIZE_MAX = 2**63 - 1
_LINK_TARGET_MAX = 4095
_KINDS = frozenset((S_IFREG, S_IFDIR, S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK))
_FIRST_SECOND, _LAST_SECOND = -62_135_510_400, 253_402_214_400
"""The years 1 to 9999, which all of Python's clocks can show, but for a day at each end."""
_YOUNG_NS = 2 * 10**9


class DamagedError(Exception):
    """An entry or inode breaks the rules of the specification; the text says which one."""


class ContentSource(Protocol):
    """Where a file's bytes come from."""

    @property
    def epoch(self) -> int:
        """Another number after each time that the path led to another database."""

    def read_content(self, ino: int, epoch: int, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces."""


class FileContent:
    """The bytes of one file, which stay in the database until they are asked for (``engine.store.Readable``)."""

    __slots__ = ("_epoch", "_ino", "_source", "size")

    def __init__(self, source: ContentSource, ino: int, size: int) -> None:
        self._source = source
        self._ino = ino
        self._epoch = source.epoch
        self.size = size

    def __len__(self) -> int:
        return self.size

    @property
    def allocated(self) -> int:
        return self.size

    def read(self, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces."""
        return self._source.read_content(self._ino, self._epoch, size, offset)


class AgentInode(Inode):
    """A file, link or special file. Others may change it unseen, so a mount asks again after a moment."""

    __slots__ = ("__weakref__", "generation")
    announced = False
    generation: int


class AgentDirectory(Directory):
    """A directory, with the place where it was found first."""

    __slots__ = ("__weakref__", "depth", "generation", "name")
    announced = False
    generation: int
    depth: int
    name: str


AnyInode = AgentInode | AgentDirectory


def make_inode(row: Sequence[Any], source: ContentSource, salt: bytes) -> AnyInode:
    """An inode from a row of ``Schema.inode``, its number of names where those are counted.

    Args:
        row: the row.
        source: where content is read.
        salt: marks the version of what changed so lately that it may change again without a new time.

    Raises:
        DamagedError: for a row that means nothing.
    """
    ino, mode = _whole(row[0], "inode number"), _whole(row[1], "mode")
    kind = mode & S_IFMT
    if kind not in _KINDS:
        raise DamagedError(f"inode {ino} has the mode {mode:#o}, which is no kind of file")
    content = _content(row, ino, kind, source)
    make = AgentDirectory if kind == S_IFDIR else AgentInode
    inode = make(ino, 0, 0, 0, content, 0)
    assert isinstance(inode, (AgentInode, AgentDirectory))
    if isinstance(inode, AgentDirectory):
        inode.depth, inode.name = 0, ""
    _fill(inode, row, mode, salt)
    return inode


def update_inode(inode: AnyInode, row: Sequence[Any], source: ContentSource, salt: bytes) -> bool:
    """Bring an inode up to date. DamagedError.

    Returns:
        False, with nothing done, if it is another kind of file by now.
    """
    mode = _whole(row[1], "mode")
    if (mode ^ inode.mode) & S_IFMT:
        return False
    inode.content = _content(row, inode.ino, mode & S_IFMT, source)
    _fill(inode, row, mode, salt)
    return True


def _fill(inode: AnyInode, row: Sequence[Any], mode: int, salt: bytes) -> None:
    _, _, nlink, uid, gid, size, *times, _, target = row
    inode.mode = mode & 0o177777
    inode.nlink = min(max(_whole(nlink, "number of links"), 1), 2**32 - 1)
    inode.uid, inode.gid = _whole(uid, "owner") & 0xFFFFFFFF, _whole(gid, "group") & 0xFFFFFFFF
    inode.atime_ns = _nanoseconds(times[0], times[3])
    inode.mtime_ns = _nanoseconds(times[1], times[4])
    inode.ctime_ns = _nanoseconds(times[2], times[5])
    # The specification calls ctime the time of creation and of change: what is older than it was made is impossible.
    inode.btime_ns = min(inode.ctime_ns, inode.mtime_ns)
    changed = max(inode.mtime_ns, inode.ctime_ns)
    parts = [inode.ino, size, inode.mtime_ns, inode.ctime_ns, target]
    if abs(time.time_ns() - changed) < _YOUNG_NS:
        parts.append(salt)  # some programs write whole seconds only
    inode.version = int.from_bytes(
        hashlib.blake2b(repr(parts).encode("utf-8", "replace"), digest_size=7).digest(), "big"
    )


def _content(row: Sequence[Any], ino: int, kind: int, source: ContentSource) -> Any:
    if kind == S_IFREG:
        size = _whole(row[5], "size")
        if not 0 <= size <= _SIZE_MAX:
            raise DamagedError(f"inode {ino} has a size of {size} bytes")
        return FileContent(source, ino, size)
    if kind == S_IFLNK:
        return _target(row[-1], ino)
    return None if kind == S_IFDIR else _whole(row[-2], "device number") & 0xFFFFFFFF


def _target(target: object, ino: int) -> str:
    if not isinstance(target, str) or not target or "\0" in target:
        raise DamagedError(f"the symbolic link of inode {ino} has no target")
    if len(target.encode("utf-8", "surrogateescape")) > _LINK_TARGET_MAX:
        raise DamagedError(f"the symbolic link of inode {ino} has a target of more than {_LINK_TARGET_MAX} bytes")
    return target


def _nanoseconds(seconds: object, nanoseconds: object) -> int:
    whole = min(max(_whole(seconds, "time"), _FIRST_SECOND), _LAST_SECOND)
    return whole * 10**9 + min(max(_whole(nanoseconds, "time"), 0), 999_999_999)


def _whole(value: object, what: str) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float) and value == value and abs(value) < 2**63:  # noqa: PLR0124 - not a number
        return int(value)
    raise DamagedError(f"the {what} of an inode is no number")
