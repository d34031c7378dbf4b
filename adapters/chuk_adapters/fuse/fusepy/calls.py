"""The calls of libfuse's high-level API, which names files by path, put to inodes."""

# ruff: noqa: D102 - the methods are libfuse's, and <fuse.h> describes them

from __future__ import annotations

import errno
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

from chuk_adapters.fuse.xattr_names import allowed
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.posix import Handle

LOGGER = logging.getLogger("chuk_adapters.fuse")

Caller = Callable[[], tuple[int, int, int]]
"""Gives the uid, gid and pid of whoever made the request that is being answered."""
Times = tuple["int | None", "int | None"]
"""Access and modification time in nanoseconds; None leaves one as it is."""

_HIDDEN = re.compile(r"\.fuse_hidden[0-9a-f]{16}")
_OPEN_FLAGS = os.O_ACCMODE | os.O_APPEND | os.O_TRUNC | os.O_SYNC
# ENODATA for us and on Linux; macOS has an errno of its own for this.
_NO_SUCH_ATTRIBUTE = getattr(errno, "ENOATTR", errno.ENODATA)


class _OpenFile(NamedTuple):
    node: Node
    handle: Handle


class PathCalls:
    """What mfusepy calls, under the names it expects. ``fi`` is libfuse's record of an open file; we use ``fh`` in it.

    libfuse renames a file that loses its last name while it is open, so that there is a path to ask for it by. Such a
    path is kept here and never reaches the filesystem: the name is gone for everybody, as unlink(2) promises.
    """

    use_ns = True
    # Open files are known by their handle: libfuse need not work out their paths.
    flag_nopath = flag_nullpath_ok = flag_utime_omit_ok = True

    def __init__(self, nodes: NodeOperations, caller: Caller, ready: Callable[[], None]) -> None:
        self._nodes = nodes
        self._caller = caller
        self._ready = ready
        self._numbers = count(1)
        self._files: dict[int, _OpenFile] = {}
        self._directories: dict[int, Node] = {}
        self._hidden: dict[str, Node] = {}
        if nodes.stateless:
            # Nothing waits for a close(2). Once told that there is no such call, the kernel stops making it.
            self.flush = None  # type: ignore[assignment, method-assign]

    def init(self, path: str) -> None:
        self._ready()

    # ---- names

    def getattr(self, path: str | None, fi: Any = None) -> Node:
        return self._nodes.getattr(self._node_or_open(path, fi))

    def readlink(self, path: str) -> str:
        return self._nodes.readlink(self._node(path))

    def mknod(self, path: str, mode: int, rdev: int) -> None:
        uid, gid, _ = self._caller()
        self._nodes.create(*self._entry(path), mode, uid, gid, rdev)

    def mkdir(self, path: str, mode: int) -> None:
        uid, gid, _ = self._caller()
        self._nodes.mkdir(*self._entry(path), mode & 0o7777, uid, gid)

    def symlink(self, path: str, target: str) -> None:
        uid, gid, _ = self._caller()
        self._nodes.symlink(*self._entry(path), target, uid, gid)

    def link(self, path: str, existing: str) -> None:
        self._nodes.link(self._node(existing), *self._entry(path))

    def unlink(self, path: str) -> None:
        directory, name = self._entry(path)
        if self._hidden.pop(name, None) is None:
            self._nodes.unlink(directory, name)

    def rmdir(self, path: str) -> None:
        self._nodes.rmdir(*self._entry(path))

    def rename(self, old: str, new: str, flags: int = 0) -> None:
        directory, name = self._entry(old)
        new_directory, new_name = self._entry(new)
        if _HIDDEN.fullmatch(new_name):
            self._hide(directory, name, new_name)
        else:
            self._nodes.rename(directory, name, new_directory, new_name, flags)

    def opendir(self, path: str) -> int:
        number = next(self._numbers)
        self._directories[number] = self._node(path)
        return number

    def readdir(self, path: str | None, number: int) -> Iterator[tuple[str, dict[str, int], int]]:
        directory = self._directories[number]
        dots = ((".", directory), ("..", self._nodes.parent(directory)))
        for name, node in (*dots, *self._nodes.entries(directory)):
            yield name, {"st_ino": node.ino, "st_mode": node.mode}, 0

    def releasedir(self, path: str | None, number: int) -> None:
        del self._directories[number]

    def fsyncdir(self, path: str | None, datasync: int, number: int) -> None:
        self._nodes.fsync(self._directories[number])

    # ---- attributes

    def chmod(self, path: str, mode: int) -> None:
        self._nodes.setattr(self._node(path), mode=mode & 0o7777)

    def chown(self, path: str, uid: int, gid: int) -> None:
        self._nodes.setattr(self._node(path), uid=None if uid == -1 else uid, gid=None if gid == -1 else gid)

    def utimens(self, path: str, times: Times) -> None:
        self._nodes.setattr(self._node(path), atime_ns=times[0], mtime_ns=times[1])

    def truncate(self, path: str | None, size: int, fi: Any = None) -> None:
        handle = self._files[fi.fh].handle if fi else None
        self._nodes.setattr(self._node_or_open(path, fi), size=size, handle=handle)

    def getxattr(self, path: str, name: str, position: int = 0) -> bytes:
        value = self._nodes.getxattr(self._node(path), allowed(name))
        if value is None:
            raise os_error(_NO_SUCH_ATTRIBUTE, path)
        return value

    def setxattr(self, path: str, name: str, value: bytes, flags: int, position: int = 0) -> None:
        self._nodes.setxattr(self._node(path), allowed(name), value, flags)

    def listxattr(self, path: str) -> list[str]:
        return self._nodes.listxattr(self._node(path))

    def removexattr(self, path: str, name: str) -> None:
        node = self._node(path)
        if self._nodes.getxattr(node, allowed(name)) is None:
            raise os_error(_NO_SUCH_ATTRIBUTE, path)
        self._nodes.removexattr(node, name)

    def statfs(self, path: str) -> dict[str, int]:
        found = self._nodes.statvfs()
        return {
            "f_bsize": found.block_size,
            "f_frsize": found.block_size,
            "f_blocks": found.blocks,
            "f_bfree": found.blocks_free,
            "f_bavail": found.blocks_free,
            "f_files": found.files,
            "f_ffree": found.files_free,
            "f_favail": found.files_free,
            "f_namemax": found.name_max,
        }

    # ---- content

    def create(self, path: str, mode: int, fi: Any) -> None:
        directory, name = self._entry(path)
        uid, gid, _ = self._caller()
        try:
            node = self._nodes.create(directory, name, stat.S_IFREG | mode & 0o7777, uid, gid)
        except FileExistsError:
            if fi.flags & os.O_EXCL:
                raise
            node = self._node(path)
        self._open(node, fi)

    def open(self, path: str, fi: Any) -> None:
        self._open(self._node(path), fi)

    def read(self, path: str | None, size: int, offset: int, fi: Any) -> bytes:
        return self._files[fi.fh].handle.pread(size, offset)

    def write(self, path: str | None, data: bytes, offset: int, fi: Any) -> int:
        return self._files[fi.fh].handle.pwrite(data, offset)

    def flush(self, path: str | None, fi: Any) -> None:
        self._files[fi.fh].handle.flush()

    def fsync(self, path: str | None, datasync: int, fi: Any) -> None:
        self._files[fi.fh].handle.fsync()

    def release(self, path: str | None, fi: Any) -> None:
        self._files.pop(fi.fh).handle.close()

    def fallocate(self, path: str | None, mode: int, offset: int, length: int, fi: Any) -> None:
        self._nodes.allocate(self._files[fi.fh].node, offset, length, mode)

    def lseek(self, path: str | None, offset: int, whence: int, fi: Any) -> int:
        return self._nodes.seek(self._files[fi.fh].node, offset, whence)

    # ---- paths to nodes

    def _node(self, path: str) -> Node:
        directory, name = self._entry(path)
        if not name:
            return directory
        node = self._hidden.get(name) or self._nodes.lookup(directory, name)
        if node is None:
            raise os_error(errno.ENOENT, path)
        return node

    def _node_or_open(self, path: str | None, fi: Any) -> Node:
        return self._files[fi.fh].node if path is None else self._node(path)

    def _entry(self, path: str) -> tuple[Node, str]:
        """The directory that holds a path's last name, and this name; the root and nothing for the root."""
        node = self._nodes.root
        *names, last = path.split("/")[1:]
        for name in names:
            found = self._nodes.lookup(node, name)
            if found is None:
                raise os_error(errno.ENOENT, path)
            node = found
        return node, last

    def _open(self, node: Node, fi: Any) -> None:
        handle = self._nodes.open(node, fi.flags & _OPEN_FLAGS)
        fi.fh = next(self._numbers)
        self._files[fi.fh] = _OpenFile(node, handle)

    def _hide(self, directory: Node, name: str, hidden: str) -> None:
        node = self._nodes.lookup(directory, name)
        if node is None:
            raise os_error(errno.ENOENT, name)
        self._nodes.unlink(directory, name)
        self._hidden[hidden] = node


class LoggedCalls:
    """Writes each call and what came of it to the ``chuk_adapters.fuse`` logger."""

    def __init__(self, calls: PathCalls) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._calls, name)
        return _logged(name, found) if callable(found) else found


def _logged(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def logged(*args: Any) -> Any:
        try:
            result = call(*args)
        except OSError as error:
            LOGGER.debug("%s%r: %s", name, args, error)
            raise
        LOGGER.debug("%s%r = %.80r", name, args, result)
        return result

    return logged
