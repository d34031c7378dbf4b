"""One name in a directory, as a snapshot keeps it, and the text in which a directory is stored."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from chuk_fsspec.contract.changes import Facts
from chuk_fsspec.contract.info import FileType

Xattrs = tuple[tuple[str, bytes], ...]


class Entry(NamedTuple):
    """A file, link or directory; None where the filesystem keeps no such thing. A tuple, for there may be millions.

    Attributes:
        name: one path component; empty for the root.
        type: as fsspec names it.
        size: bytes of content; 0 for a directory.
        mode: type and permission bits.
        uid: owner.
        gid: group.
        mtime_ns: last change of content, in nanoseconds since 1970.
        target: where a symbolic link points.
        ino: the filesystem's own number of the file.
        nlink: how many names the file has; of a directory, what stat(2) says; 1 where the filesystem has no hard links.
        rdev: device number of a device node.
        version: changes with content and attributes; empty where nothing says so for sure.
        xattrs: extended attributes in the order of their names; None where they are not known.
        content: ids of the blocks of a stored file.
        tree: id of a stored directory.
    """

    name: str
    type: FileType
    size: int = 0
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    mtime_ns: int | None = None
    target: str | None = None
    ino: int | None = None
    nlink: int = 1
    rdev: int = 0
    version: str = ""
    xattrs: Xattrs | None = None
    content: tuple[str, ...] = ()
    tree: str = ""

    @property
    def is_directory(self) -> bool:
        """Whether it holds other entries."""
        return self.type == "directory"

    @property
    def is_file(self) -> bool:
        """Whether it has content."""
        return self.type == "file"

    @property
    def has_more_names(self) -> bool:
        """Whether it is a file that other names may lead to as well."""
        return self.nlink > 1 and self.ino is not None and not self.is_directory

    @property
    def facts(self) -> Facts:
        """What a diff shows of it."""
        return Facts(self.type, self.size, self.mode, self.uid, self.gid, self.mtime_ns, self.target)


class Tree(Protocol):
    """A filesystem at one moment, or as it is now. Paths are absolute normal ones."""

    @property
    def path(self) -> str:
        """The absolute normal path of the directory that the snapshots are of."""

    @property
    def root(self) -> Entry:
        """The directory that the snapshots are of. ENOENT, ENOTDIR."""

    def entries(self, path: str, entry: Entry) -> list[Entry]:
        """What a directory holds, in the order of names. ENOENT, ENOTDIR."""

    def xattrs(self, path: str, entry: Entry) -> Xattrs | None:
        """Extended attributes in the order of their names; None where they are not known."""

    def blocks(self, path: str, entry: Entry) -> Iterable[bytes]:
        """The content of a file in blocks of ``BLOCK`` bytes; only the last one may be shorter. ENOENT, EIO."""

    def require(self, wanted: Iterable[tuple[str, Entry]]) -> None:
        """See that the content of some files is there, by path, without reading it. EIO for the first that is not."""


BLOCK = 1 << 20
"""Bytes of the blocks that files are cut into."""


def encode(entries: Iterable[Entry]) -> bytes:
    """A directory as text: the same entries always give the same bytes."""
    rows = [
        [
            *entry[:12],
            None if entry.xattrs is None else [[name, value.decode("latin-1")] for name, value in entry.xattrs],
            "".join(entry.content),
            entry.tree,
        ]
        for entry in sorted(entries)
    ]
    return json.dumps(rows, separators=(",", ":")).encode()


def decode(data: bytes | str) -> list[Entry]:
    """The entries of a directory, in the order of names."""
    return [
        Entry._make(
            (
                *row[:12],
                None if row[12] is None else tuple((name, value.encode("latin-1")) for name, value in row[12]),
                tuple(row[13][start : start + 64] for start in range(0, len(row[13]), 64)),
                row[14],
            )
        )
        for row in json.loads(data)
    ]
