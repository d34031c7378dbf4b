"""From an AgentFS database into any filesystem."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import fsspec
from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.capabilities import Capabilities, capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.paths import join
from chuk_fsspec.contract.reports import Report, Tally
from chuk_fsspec.transfer.batches import Batches
from chuk_fsspec.transfer.nodes import BLOCK, blocks, directory_at, writer
from chuk_fsspec.vfs import open_vfs

_OWNER = getattr(os, "getuid", int)(), getattr(os, "getgid", int)()
"""Of what is made, until its attributes are set."""
_CANNOT = frozenset((errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP))


@dataclass(frozen=True)
class ImportReport(Report):
    """What was imported.

    Attributes:
        copied_links: further names of files that became files of their own, for the target has no hard links.
        without_attributes: entries whose permission bits and times the target does not keep.
        without_owners: entries whose owner the target did not take.
        kv_entries: entries of AgentFS's key-value store, which are no files and stay behind.
        tool_calls: recorded tool calls, which stay behind too.
        overlay_base: the directory whose changes the database holds; the files of that are not in it. Empty for none.
        whiteouts: files of that directory that had been deleted.
        changed_meanwhile: whether another program changed the database while it was read.
    """

    copied_links: int
    without_attributes: int
    without_owners: int
    kv_entries: int
    tool_calls: int
    overlay_base: str
    whiteouts: int
    changed_meanwhile: bool


def import_agentfs(
    database: str | os.PathLike[str],
    fs: AbstractFileSystem,
    path: str = "/",
    *,
    callback: Callback = DEFAULT_CALLBACK,
) -> ImportReport:
    """Copy all files of an AgentFS database into a filesystem, with modes, owners, times and links.

    Content passes through 1 MiB of memory. Where the filesystem has transactions, many entries share one.

    Args:
        database: path of the database; it is only read.
        fs: any fsspec filesystem.
        path: a directory in it that is empty or missing.
        callback: told of each byte of content (``relative_update``).

    Returns:
        What was copied, and what the target could not take.

    Raises:
        ValueError: if the file is not an AgentFS database, or one of a newer version.
        OSError: ENOTEMPTY for ``path``; whatever the filesystem says. What had been copied is removed again.
    """
    source = fsspec.filesystem("chukagentfs", database=os.path.abspath(database))
    facts, before = source.facts(), source.state
    fs.makedirs(path, exist_ok=True)
    target = open_vfs(fs)
    try:
        top = directory_at(target, fs._strip_protocol(path))
        if target.entries(top):
            raise os_error(errno.ENOTEMPTY, path, hint="import into a new directory")
        copy = _Copy(source.posix.nodes, target, capabilities_of(fs), callback)
        try:
            with Batches(fs) as batches:
                copy.run(top, batches)
        except BaseException:
            _empty(fs, path)
            raise
    finally:
        target.close()
    for damaged in source.left_out():
        copy.tally.leave_out(damaged.path, damaged.reason)
    return ImportReport(
        **copy.tally.figures(),
        kv_entries=facts.kv_entries,
        tool_calls=facts.tool_calls,
        overlay_base=facts.base or ("unknown" if facts.is_overlay else ""),
        whiteouts=facts.whiteouts,
        changed_meanwhile=source.state != before,
    )


@dataclass
class _ImportTally(Tally):
    copied_links: int = 0
    without_attributes: int = 0
    without_owners: int = 0


class _SourceError(Exception):
    """The database cannot give what it should; the cause is the ``OSError``."""


class _Copy:
    """One import."""

    def __init__(
        self, source: NodeOperations, target: NodeOperations, capabilities: Capabilities, callback: Callback
    ) -> None:
        self.tally = _ImportTally()
        self._source = source
        self._target = target
        self._can = capabilities
        self._callback = callback
        self._linked: dict[int, Node] = {}

    def run(self, top: Node, batches: Batches) -> None:
        """Copy everything into a directory. Attributes of a directory are set when it has all its entries."""
        pending: list[Iterator[tuple[str, Node, Node]]] = [self._entries("/", self._source.root, top)]
        open_directories: list[tuple[str, Node, Node]] = [("/", self._source.root, top)]
        while pending:
            entry = next(pending[-1], None)
            if entry is None:
                pending.pop()
                batches.step(0)
                _, found, made = open_directories.pop()
                self._set_attributes(found, made)
                continue
            path, found, parent = entry
            batches.step(found.size)
            if not stat.S_ISDIR(found.mode):
                self._copy(path, found, parent)
                continue
            self.tally.directories += 1
            made = self._target.mkdir(parent, _name(path), 0o700, *_OWNER)
            open_directories.append((path, found, made))
            pending.append(self._entries(path, found, made))

    def _entries(self, path: str, directory: Node, made: Node) -> Iterator[tuple[str, Node, Node]]:
        for name, node in self._source.entries(directory):
            yield join(path, name), node, made

    def _copy(self, path: str, found: Node, parent: Node) -> None:
        first = self._linked.get(found.ino)
        if first is not None:
            if self._can.hardlinks:
                self._target.link(first, parent, _name(path))
                self.tally.hard_links += 1
                return
            self.tally.copied_links += 1
        try:
            made = self._make(path, found, parent)
        except _SourceError as error:
            self._target.unlink(parent, _name(path))
            self.tally.leave_out(path, str(error))
            return
        if made is None:
            return
        self._set_attributes(found, made)
        if found.nlink > 1:
            self._linked[found.ino] = made

    def _make(self, path: str, found: Node, parent: Node) -> Node | None:
        """Make what is no directory; None, with a note, where the target has no such thing."""
        name = _name(path)
        if stat.S_ISREG(found.mode):
            made = self._target.create(parent, name, stat.S_IFREG | 0o600, *_OWNER)
            self._copy_content(found, made)
            self.tally.files += found.ino not in self._linked
            return made
        is_link = stat.S_ISLNK(found.mode)
        if not (self._can.symlinks if is_link else self._can.special_files):
            self.tally.leave_out(path, f"the target has no {_kind(found)}s")
            return None
        try:
            if is_link:
                made = self._target.symlink(parent, name, self._source.readlink(found), *_OWNER)
                self.tally.symlinks += 1
            else:
                made = self._target.create(parent, name, found.mode, *_OWNER, found.rdev)
                self.tally.special_files += 1
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self.tally.leave_out(path, f"the target refuses a {_kind(found)}: {error.strerror}")
            return None
        return made

    def _copy_content(self, found: Node, made: Node) -> None:
        """Copy what was written of a file; its holes become holes, or zeros where the target has none."""
        position = 0
        with writer(self._target, made) as write:
            for start, stop in self._pieces(found):
                position = start
                for data in self._read(found, start, stop):
                    write(data, position)
                    position += len(data)
                    self.tally.bytes += len(data)
                    self._callback.relative_update(len(data))
        if position < found.size:
            self._target.setattr(made, size=found.size)

    def _pieces(self, found: Node) -> Iterator[tuple[int, int]]:
        """Where a file has data: from, up to. In a small one nobody looks for holes."""
        if found.size <= BLOCK:
            yield 0, found.size
            return
        offset = 0
        while offset < found.size:
            try:
                start = self._source.seek(found, offset, os.SEEK_DATA)
                offset = self._source.seek(found, start, os.SEEK_HOLE)
            except OSError as error:
                if error.errno == errno.ENXIO:
                    return
                raise _SourceError(error.strerror) from error
            yield start, offset

    def _read(self, found: Node, start: int, stop: int) -> Iterator[bytes]:
        try:
            yield from blocks(self._source, found, start, stop, BLOCK)
        except OSError as error:
            raise _SourceError(error.strerror) from error

    def _set_attributes(self, found: Node, made: Node) -> None:
        if not self._can.attributes:
            self.tally.without_attributes += 1
            return
        mode = None if stat.S_ISLNK(found.mode) else found.mode & 0o7777
        atime_ns, mtime_ns = found.atime_ns, found.mtime_ns
        change = self._target.setattr
        try:
            change(made, mode=mode, uid=found.uid, gid=found.gid, atime_ns=atime_ns, mtime_ns=mtime_ns)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            self.tally.without_owners += 1
            change(made, mode=mode, atime_ns=atime_ns, mtime_ns=mtime_ns)


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _kind(node: Node) -> str:
    kinds = {stat.S_IFLNK: "symbolic link", stat.S_IFIFO: "FIFO", stat.S_IFSOCK: "socket"}
    return kinds.get(stat.S_IFMT(node.mode), "device node")


def _empty(fs: AbstractFileSystem, path: str) -> None:
    """Remove what a failed import has left. What cannot be removed stays; the error itself matters more."""
    with suppress(OSError):
        for entry in fs.ls(path, detail=False):
            fs.rm(entry, recursive=True)
