"""One entry of an archive, whatever its format."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from chuk_fsspec.contract.posix import Buffer

FILE_MODE = 0o644
DIRECTORY_MODE = 0o755


class Kind(Enum):
    """What an entry is, in the words of messages."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symbolic link"
    HARD_LINK = "hard link"
    FIFO = "FIFO"
    SOCKET = "socket"
    CHARACTER = "character device"
    BLOCK = "block device"


SPECIAL = frozenset((Kind.FIFO, Kind.SOCKET, Kind.CHARACTER, Kind.BLOCK))

_KINDS = {
    stat.S_IFREG: Kind.FILE,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFIFO: Kind.FIFO,
    stat.S_IFSOCK: Kind.SOCKET,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
}
FORMAT_BITS = {kind: bits for bits, kind in _KINDS.items()}
"""The file type bits of ``st_mode`` for each kind that has some."""


def kind_of_mode(mode: int) -> Kind | None:
    """The kind that the file type bits of a mode say; None for bits that say nothing."""
    return _KINDS.get(stat.S_IFMT(mode))


@dataclass(frozen=True)
class Member:
    """One entry.

    Attributes:
        path: names with ``/`` between them, from the top of the archive; other bytes than UTF-8 are surrogate escapes.
        kind: what it is.
        mode: permission bits, 0o7777.
        uid: number of the owner, 0 where the format does not tell.
        gid: number of the group.
        mtime_ns: last change, in nanoseconds since 1970; None where the format does not tell.
        size: bytes of content; None where only reading tells.
        target: the text of a symbolic link; of a hard link, the path of an earlier member.
        rdev: number of a device.
        xattrs: extended attributes.
    """

    path: str
    kind: Kind
    mode: int = FILE_MODE
    uid: int = 0
    gid: int = 0
    mtime_ns: int | None = None
    size: int | None = 0
    target: str = ""
    rdev: int = 0
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


Entry = tuple[Member, Iterable[Buffer]]
"""A member and its content, in pieces. It has to be read to its end before the next one is asked for."""
