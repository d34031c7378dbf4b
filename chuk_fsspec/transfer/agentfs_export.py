"""From any filesystem into a new AgentFS database."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.paths import join
from chuk_fsspec.contract.reports import Report, Tally
from chuk_fsspec.transfer.agentfs_database import CHUNK_SIZE, ROOT_INO, AgentDatabase
from chuk_fsspec.transfer.nodes import BLOCK, blocks, directory_at
from chuk_fsspec.vfs import open_vfs

_CHUNK_SIZE_MAX = 1 << 30


@dataclass(frozen=True)
class ExportReport(Report):
    """What was exported.

    Attributes:
        xattrs: extended attributes, for which AgentFS has no place.
        with_xattrs: entries that have some.
    """

    xattrs: int
    with_xattrs: int


def export_agentfs(
    fs: AbstractFileSystem,
    path: str,
    database: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    chunk_size: int = CHUNK_SIZE,
    callback: Callback = DEFAULT_CALLBACK,
) -> ExportReport:
    """Write a directory of any filesystem to a new AgentFS database (specification 0.4).

    Content passes through 1 MiB of memory. The database appears under its name when it is whole. Holes of files become
    zeros, as the specification asks.

    Args:
        fs: any fsspec filesystem.
        path: a directory in it, which becomes the root.
        database: path of the database.
        overwrite: whether it may take the place of a file that is there.
        chunk_size: bytes in a chunk of content; 4096 is what all AgentFS programs expect.
        callback: told of each byte of content (``relative_update``).

    Returns:
        What was written, and what AgentFS has no place for.

    Raises:
        ValueError: for a chunk size that is not positive, or above 1 GiB.
        FileExistsError: if there is a file, and ``overwrite`` is not set.
        OSError: ENOENT, ENOTDIR for ``path``; EBUSY if a program has the database open; ENOSPC. Nothing is left then.
    """
    if not 0 < chunk_size <= _CHUNK_SIZE_MAX:
        raise ValueError(f"chunk_size must be from 1 to {_CHUNK_SIZE_MAX} bytes, not {chunk_size}")
    with closing(open_vfs(fs)) as nodes:
        top = directory_at(nodes, fs._strip_protocol(path))
        with AgentDatabase(os.path.abspath(database), overwrite=overwrite, chunk_size=chunk_size) as target:
            export = _Export(nodes, target, capabilities_of(fs).xattrs, callback)
            export.run(top)
    return ExportReport(**export.tally.figures())


@dataclass
class _ExportTally(Tally):
    xattrs: int = 0
    with_xattrs: int = 0


class _Export:
    """One export."""

    def __init__(self, nodes: NodeOperations, target: AgentDatabase, has_xattrs: bool, callback: Callback) -> None:
        self.tally = _ExportTally()
        self._nodes = nodes
        self._target = target
        self._has_xattrs = has_xattrs
        self._callback = callback
        self._block = max(BLOCK // target.chunk_size, 1) * target.chunk_size
        self._linked: dict[int, tuple[int, int]] = {}

    def run(self, top: Node) -> None:
        """Write everything from a directory down."""
        self._note(ROOT_INO, top, 0)
        pending = [self._entries("/", top, ROOT_INO)]
        while pending:
            entry = next(pending[-1], None)
            if entry is None:
                pending.pop()
                continue
            path, node, parent = entry
            if self._add(path, node, parent) and stat.S_ISDIR(node.mode):
                pending.append(self._entries(path, node, self._target.last_ino))
        for ino, count in self._linked.values():
            if count > 1:
                self._target.set_names(ino, count)

    def _entries(self, path: str, directory: Node, ino: int) -> Iterator[tuple[str, Node, int]]:
        for name, node in sorted(self._nodes.entries(directory), key=lambda entry: entry[0]):
            yield join(path, name), node, ino

    def _add(self, path: str, node: Node, parent: int) -> bool:
        """Write one entry; False if it was left out, or is one more name of a file."""
        name = path.rpartition("/")[2]
        if not _is_text(name):
            self.tally.leave_out(path, "its name is not UTF-8")
            return False
        ino, count = self._linked.get(node.ino, (0, 0))
        if count:
            self._linked[node.ino] = ino, count + 1
            self._target.add_entry(parent, name, ino)
            self.tally.hard_links += 1
            return False
        target = self._nodes.readlink(node) if stat.S_ISLNK(node.mode) else ""
        if not _is_text(target):
            self.tally.leave_out(path, "the link leads to a path that is not UTF-8")
            return False
        ino = self._target.new_ino()
        self._target.add_entry(parent, name, ino)
        self._note(ino, node, self._add_content(ino, node, target))
        if node.nlink > 1 and not stat.S_ISDIR(node.mode):
            self._linked[node.ino] = ino, 1
        return True

    def _add_content(self, ino: int, node: Node, target: str) -> int:
        """Write what an inode holds; returns how many bytes that is."""
        if stat.S_ISREG(node.mode):
            self.tally.files += 1
            return self._add_bytes(ino, node)
        if stat.S_ISLNK(node.mode):
            self.tally.symlinks += 1
            self._target.add_target(ino, target)
            return len(target.encode())
        if stat.S_ISDIR(node.mode):
            self.tally.directories += 1
        else:
            self.tally.special_files += 1
        return 0

    def _add_bytes(self, ino: int, node: Node) -> int:
        size = 0
        for data in blocks(self._nodes, node, 0, None, self._block):
            self._target.add_content(ino, size, data)
            size += len(data)
            self._callback.relative_update(len(data))
        self.tally.bytes += size
        return size

    def _note(self, ino: int, node: Node, size: int) -> None:
        self._target.add_inode(ino, node, size)
        if self._has_xattrs:
            count = len(self._nodes.listxattr(node))
            self.tally.xattrs += count
            self.tally.with_xattrs += count > 0


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
