"""Small files that are read whole, with their attributes, and made whole in directories that are looked up once."""

from __future__ import annotations

import errno
import stat
from collections.abc import Sequence
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.contract.nodes import Node, NodeOperations, WholeFile
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.posix import without_set_id
from chuk_fsspec.forwarding.publishing.attributes import tried
from chuk_fsspec.forwarding.publishing.leftovers import temporary_name
from chuk_fsspec.transfer.copying import changed_meanwhile
from chuk_fsspec.transfer.nodes import directory_at, read_whole, writer


class WholeReader:
    """Reads files of one filesystem. Where it has nodes, a file is looked up once, in a directory that is open."""

    def __init__(self, fs: AbstractFileSystem, *, xattrs: bool) -> None:
        """Begin.

        Args:
            fs: any filesystem.
            xattrs: whether extended attributes are wanted.
        """
        can = capabilities_of(fs)
        self._fs = without_links(fs)
        self._xattrs = xattrs and can.xattrs
        self._directories = Directories(fs.posix.nodes) if can.nodes else None

    def read(self, path: str, found: Attributes) -> WholeFile:
        """A regular file, with the attributes that it was found with.

        Args:
            path: of the file.
            found: what is known of it; its size among that.

        Raises:
            OSError: EBUSY if it is another one by now; ENOENT.
        """
        if self._directories is None:
            data, xattrs = self._by_path(path)
        else:
            data, xattrs = self._by_node(self._directories, path, found.size)
        if len(data) != found.size:
            raise changed_meanwhile(path)
        mode = stat.S_IMODE(found.mode)
        return WholeFile(split(path)[1], data, mode, found.uid, found.gid, found.atime_ns, found.mtime_ns, xattrs)

    def _by_path(self, path: str) -> tuple[bytes, dict[str, bytes]]:
        data: bytes = self._fs.cat_file(path)
        posix = self._fs.posix if self._xattrs else None
        return data, {} if posix is None else {name: posix.getxattr(path, name) for name in posix.listxattr(path)}

    def _by_node(self, directories: Directories, path: str, size: int) -> tuple[bytes, dict[str, bytes]]:
        nodes = directories.nodes
        above, name = split(path)
        node = nodes.lookup(directories.at(above), name)
        if node is None:
            raise os_error(errno.ENOENT, path)
        if not stat.S_ISREG(node.mode):
            raise changed_meanwhile(path)
        try:
            data = read_whole(nodes, node, size)
            return data, self._xattrs_of(nodes, node) if self._xattrs else {}
        finally:
            nodes.forget(node)

    @staticmethod
    def _xattrs_of(nodes: NodeOperations, node: Node) -> dict[str, bytes]:
        values = ((name, nodes.getxattr(node, name)) for name in nodes.listxattr(node))
        return {name: value for name, value in values if value is not None}


class WholeWriter:
    """Makes files in one filesystem that has nodes.

    Attributes:
        at_once: whether several files are made in one step; else each gets its name when it is whole.
    """

    def __init__(self, fs: AbstractFileSystem) -> None:
        """Begin.

        Args:
            fs: a filesystem with ``nodes``.
        """
        can = capabilities_of(fs)
        self.at_once = can.whole_files
        self._nodes: Any = fs.posix.nodes
        self._xattrs = can.xattrs
        self._directories = Directories(self._nodes)

    def make(self, directory: str, files: Sequence[WholeFile], *, replace: bool) -> None:
        """Make files in a directory that is there.

        Args:
            directory: path of it.
            files: what they are to be; one, unless ``at_once``.
            replace: take the place of what is there.

        Raises:
            OSError: EEXIST unless ``replace``; EISDIR; whatever the filesystem says. None is made then.
        """
        above = self._directories.at(directory)
        if self.at_once:
            self._nodes.make_files(above, files, replace=replace)
        else:
            (file,) = files
            self._make_in_steps(above, file, replace=replace)

    def _make_in_steps(self, directory: Node, file: WholeFile, *, replace: bool) -> None:
        nodes = self._nodes
        at = temporary_name() if replace else file.name
        plain = without_set_id(file.mode)
        made = nodes.create(directory, at, stat.S_IFREG | plain, file.uid, file.gid)
        try:
            if file.data:
                with writer(nodes, made) as write:
                    write(file.data, 0)
            for key, value in file.xattrs.items() if self._xattrs else ():
                tried(nodes.setxattr, made, key, value)
            mode = file.mode if file.mode != plain else None
            nodes.setattr(made, mode=mode, atime_ns=file.atime_ns, mtime_ns=file.mtime_ns)
            if replace:
                nodes.rename(directory, at, directory, file.name)
        except OSError:
            nodes.unlink(directory, at)
            raise


class Directories:
    """The directories of a filesystem by path: the same one for many files in a row is looked up once."""

    def __init__(self, nodes: NodeOperations) -> None:
        self.nodes = nodes
        self._last: tuple[str, Node] | None = None

    def at(self, path: str) -> Node:
        """The directory at a path without symbolic links. ENOENT, ENOTDIR."""
        if self._last is None or self._last[0] != path:
            self._last = path, directory_at(self.nodes, path)
        return self._last[1]
