"""Inodes as nested Python objects: O(1) lookup, rename and removal of a name; nothing looks at the whole tree."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import NAME_MAX
from chuk_fsspec.contract.posix import Buffer, StatVfs
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.inode import DIRECTORY_MODE, S_IFDIR, S_IFMT, S_IFREG, Directory, Inode
from chuk_fsspec.engine.store import Stage, Store

BLOCK = 4096
MAX_INODES = 2**32 - 1

Undo = Callable[[], None]


class MemoryStore(Store):
    """A store in this process. A directory's ``content`` is a dict from name to inode."""

    def __init__(self, capacity: int | None, uid: int, gid: int) -> None:
        """Make an empty store.

        Args:
            capacity: most bytes of content it takes before ENOSPC; None for what memory allows.
            uid: owner of the root directory.
            gid: group of the root directory.
        """
        self.lock = self.change = threading.RLock()
        self._numbers = count(1)
        self._capacity = capacity
        self._used = 0
        self._inodes = 0
        self._journals: dict[int, list[list[Undo]]] = {}
        self._unused: dict[int, Inode] = {}
        root = self.new(DIRECTORY_MODE, uid, gid, None, now_ns())
        assert isinstance(root, Directory)
        root.nlink = 2
        self.root = root

    # ---- inodes and entries

    def new(self, mode: int, uid: int, gid: int, content: Any, now: int) -> Inode:
        if mode & S_IFMT == S_IFREG:
            if content:
                space = len(content) if type(content) is bytes else _space(content)
                if self._capacity is not None:
                    self._require(space)
                self._used += space
            inode = Inode(next(self._numbers), mode, uid, gid, content, now)
        elif mode & S_IFMT == S_IFDIR:
            inode = Directory(next(self._numbers), mode, uid, gid, {}, now)
        else:
            inode = Inode(next(self._numbers), mode, uid, gid, content, now)
        self._inodes += 1
        if self._journals:
            self._record_new(inode)
        return inode

    def free(self, inode: Inode) -> None:
        if self._journals:
            self._unused[inode.ino] = inode
            return
        self._forget(inode)

    def _forget(self, inode: Inode) -> None:
        if inode.mode & S_IFMT == S_IFREG:
            self._used -= _space(inode.content)
        self._inodes -= 1

    def child(self, directory: Inode, name: str) -> Inode | None:
        try:
            return directory.content.get(name)  # type: ignore[no-any-return]
        except AttributeError:
            raise os_error(errno.ENOTDIR, name) from None

    def children(self, directory: Inode) -> list[tuple[str, Inode]]:
        return list(directory.content.items())

    def is_empty(self, directory: Inode) -> bool:
        return not directory.content

    def attach(self, directory: Directory, name: str, inode: Inode, now: int) -> None:
        if self._journals:
            self._record_entry(directory, name)
        directory.content[name] = inode
        directory.mtime_ns = directory.ctime_ns = now

    def detach(self, directory: Directory, name: str, now: int) -> None:
        if self._journals:
            self._record_entry(directory, name)
        del directory.content[name]
        directory.mtime_ns = directory.ctime_ns = now

    def clear(self, directory: Directory) -> list[Inode]:
        if self._journals:
            for name in directory.content:
                self._record_entry(directory, name)
        gone = list(directory.content.values())
        directory.content.clear()
        return gone

    def relink(self, inode: Inode, nlink: int, now: int) -> None:
        if self._journals:
            self._record_fields(inode, {"nlink": nlink, "ctime_ns": now})
        inode.nlink = nlink
        inode.ctime_ns = now

    def stamp(self, inode: Inode, mtime_ns: int, ctime_ns: int) -> None:
        if self._journals:
            self._record_fields(inode, {"mtime_ns": mtime_ns, "ctime_ns": ctime_ns})
        inode.mtime_ns = mtime_ns
        inode.ctime_ns = ctime_ns

    def update(self, inode: Inode, **fields: Any) -> None:
        if self._journals:
            self._record_fields(inode, fields)
        for name, value in fields.items():
            setattr(inode, name, value)

    # ---- content

    def read(self, inode: Inode, size: int, offset: int) -> list[Buffer]:
        return contents.read(inode.content, size, offset)

    def whole(self, inode: Inode) -> bytes | None:
        content = inode.content
        if type(content) is bytes:
            return content
        return bytes(content) if type(content) is bytearray else None

    def pin(self, inode: Inode) -> contents.Extents:
        content = inode.content
        assert type(content) is contents.Extents
        return content

    def write(self, inode: Inode, data: Buffer | Stage, offset: int, now: int) -> None:
        if self._capacity is not None:
            self._require(contents.growth(inode.content, len(data), offset))
        self._edit(inode, now, contents.write, data, offset)

    def truncate(self, inode: Inode, size: int, now: int) -> None:
        self._edit(inode, now, contents.truncate, size)

    def zero(self, inode: Inode, offset: int, length: int, now: int) -> None:
        self._edit(inode, now, contents.zero, offset, length)

    def reserve(self, inode: Inode, offset: int, length: int, now: int) -> None:
        if self._capacity is not None:
            self._require(contents.growth(inode.content, length, offset))
        self._edit(inode, now, contents.reserve, offset, length)

    def replace(self, inode: Inode, content: Any, now: int) -> None:
        more = _space(content) - _space(inode.content)
        self._require(more)
        self._used += more
        if self._journals:
            self._record_content(inode)
        self._stamp_content(inode, content, now)

    def seek(self, inode: Inode, offset: int, whence: int) -> int:
        return contents.seek(inode.content, offset, whence)

    def copy_content(self, inode: Inode) -> Any:
        with self.change:
            return contents.copy(inode.content)

    def _edit(self, inode: Inode, now: int, change: Callable[..., contents.Content], *args: Any) -> None:
        if self._journals:
            self._record_content(inode)
        before = _space(inode.content)
        content = change(inode.content, *args)
        self._used += _space(content) - before
        self._stamp_content(inode, content, now)

    def _stamp_content(self, inode: Inode, content: contents.Content, now: int) -> None:
        inode.content = content
        inode.mtime_ns = inode.ctime_ns = now
        inode.version = next(self._numbers)

    # ---- space

    def statvfs(self) -> StatVfs:
        total = self._capacity if self._capacity is not None else self._used + _available_memory()
        free = max(total - self._used, 0)
        return StatVfs(BLOCK, -(-total // BLOCK), free // BLOCK, MAX_INODES, MAX_INODES - self._inodes, NAME_MAX)

    def sync(self) -> None:
        """Memory is as durable as it gets."""

    def _require(self, more: int) -> None:
        if self._capacity is not None and more > 0 and self._used + more > self._capacity:
            raise os_error(errno.ENOSPC, hint=f"the store's capacity is {self._capacity} bytes")

    # ---- undo

    def begin(self) -> None:
        self._journals.setdefault(threading.get_ident(), []).append([])

    def commit(self) -> None:
        done = self._end_scope()
        for undo in done:
            self._record(undo)
        self._free_unused()

    def rollback(self) -> None:
        for undo in reversed(self._end_scope()):
            undo()
        self._free_unused()

    def _end_scope(self) -> list[Undo]:
        """End the calling thread's innermost scope; returns what was done in it."""
        scopes = self._journals.get(threading.get_ident(), [[]])
        done = scopes.pop()
        if not scopes:
            self._journals.pop(threading.get_ident(), None)
        return done

    def _free_unused(self) -> None:
        """Free what lost its last name while an undo scope might have brought it back."""
        if not self._journals:
            unused, self._unused = self._unused, {}
            for inode in unused.values():
                if inode.nlink == 0:
                    self._forget(inode)

    def _record(self, undo: Undo) -> None:
        scopes = self._journals.get(threading.get_ident())
        if scopes is not None:
            scopes[-1].append(undo)

    def _record_new(self, inode: Inode) -> None:
        def undo() -> None:
            self._unused.pop(inode.ino, None)
            self._forget(inode)

        self._record(undo)

    def _record_entry(self, directory: Directory, name: str) -> None:
        entries, before = directory.content, directory.content.get(name)
        times = directory.mtime_ns, directory.ctime_ns

        def undo() -> None:
            if before is None:
                entries.pop(name, None)
            else:
                entries[name] = before
            directory.mtime_ns, directory.ctime_ns = times

        self._record(undo)

    def _record_fields(self, inode: Inode, fields: dict[str, Any]) -> None:
        before = {name: getattr(inode, name) for name in fields}

        def undo() -> None:
            for name, value in before.items():
                # A count is undone by as much as it was changed, since others may have changed it too.
                undone = inode.nlink + value - fields["nlink"] if name == "nlink" else value
                setattr(inode, name, undone)

        self._record(undo)

    def _record_content(self, inode: Inode) -> None:
        content = contents.copy(inode.content)
        before = inode.mtime_ns, inode.ctime_ns, inode.version

        def undo() -> None:
            self._used += _space(content) - _space(inode.content)
            inode.content = content
            inode.mtime_ns, inode.ctime_ns, inode.version = before

        self._record(undo)


def _space(content: contents.Content) -> int:
    return content.allocated if type(content) is contents.Extents else len(content)


def _available_memory() -> int:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**40
