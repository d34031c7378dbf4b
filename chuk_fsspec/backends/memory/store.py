"""Inodes as nested Python objects: O(1) lookup, rename and removal of a name; nothing looks at the whole tree."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from chuk_fsspec.backends.memory.inode import (
    FREED,
    AnyInode,
    Gone,
    MemoryDirectory,
    MemoryInode,
    set_entry,
    space_of,
)
from chuk_fsspec.backends.memory.past_store import PastStore
from chuk_fsspec.backends.memory.space import Space
from chuk_fsspec.backends.memory.timeline import Timeline, own_space
from chuk_fsspec.backends.memory.undo import Journals
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import NAME_MAX
from chuk_fsspec.contract.posix import Buffer, StatVfs
from chuk_fsspec.contract.snapshots import Snapshot
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.inode import DIRECTORY_MODE, S_IFDIR, S_IFMT, S_IFREG, Inode
from chuk_fsspec.engine.store import Stage, Store

BLOCK = 4096
MAX_INODES = 2**32 - 1
TRANSACTION_WAIT = 10.0
"""Seconds that a snapshot waits for the transactions of other threads."""

Own = Any
"""An inode that this store has made, which is all that it is ever handed back."""


class MemoryStore(Store):
    """A store in this process. A directory's ``content`` is a dict from name to inode."""

    root: MemoryDirectory

    def __init__(self, capacity: int | None, uid: int, gid: int) -> None:
        """Make an empty store.

        Args:
            capacity: most bytes of content it takes before ENOSPC; None for what memory allows.
            uid: owner of the root directory.
            gid: group of the root directory.
        """
        self.lock = self.change = threading.RLock()
        self._quiet = threading.Condition(self.lock)
        self._numbers = count(1)
        self._space = Space(capacity)
        self._journals = Journals(self._space, self._forget)
        self._scopes = self._journals.scopes
        self.timeline = Timeline(self.lock, self._space, self.free)
        self._restores = self.timeline.restores.pending
        root = self.new(DIRECTORY_MODE, uid, gid, None, now_ns())
        assert isinstance(root, MemoryDirectory)
        root.nlink = 2
        self.root = root

    # ---- inodes and entries

    def new(self, mode: int, uid: int, gid: int, content: Any, now: int) -> Inode:
        inode: AnyInode
        if mode & S_IFMT == S_IFDIR:
            inode = MemoryDirectory(next(self._numbers), mode, uid, gid, {}, now)
        else:
            if content and mode & S_IFMT == S_IFREG:
                space = len(content) if type(content) is bytes else space_of(content)
                if self._space.capacity is not None:
                    self._require(space)
                self._space.used += space
            inode = MemoryInode(next(self._numbers), mode, uid, gid, content, now)
        inode.epoch = self.timeline.epoch
        inode.past = None
        inode.shares = False
        self._space.inodes += 1
        if self._scopes:
            self._journals.record_new(inode)
        return inode

    def free(self, inode: Own) -> None:
        if self._scopes:
            self._journals.free_later(inode)
        else:
            self._forget(inode)

    def _forget(self, inode: AnyInode) -> None:
        if inode.version == FREED:
            return
        if inode.mode & S_IFMT == S_IFREG:
            if not inode.shares:
                self._space.used -= space_of(inode.content)
            if inode.past is not None:
                inode.content = Gone()
        inode.version = FREED
        self._space.inodes -= 1

    def child(self, directory: Own, name: str) -> Inode | None:
        if self._restores:
            return self._settled_child(directory, name)
        try:
            return directory.content.get(name)  # type: ignore[no-any-return]
        except AttributeError:
            raise os_error(errno.ENOTDIR, name) from None

    def _settled_child(self, directory: Own, name: str) -> Inode | None:
        self.settle(directory)
        if not isinstance(directory, MemoryDirectory):
            raise os_error(errno.ENOTDIR, name)
        inode: Inode | None = directory.content.get(name)
        if inode is not None:
            self.settle(inode)
        return inode

    def children(self, directory: Own) -> list[tuple[str, Inode]]:
        if not self.timeline.epoch:
            return list(directory.content.items())
        with self.lock:  # a restore brings one entry after the other
            self.settle(directory)
            entries = list(directory.content.items())
            if self._restores:
                for _, inode in entries:
                    self.settle(inode)
            return entries

    def is_empty(self, directory: Own) -> bool:
        return not directory.content

    def attach(self, directory: Own, name: str, inode: Own, now: int) -> None:
        if directory.epoch != self.timeline.now:
            self.timeline.begin_change(directory)
        if self._scopes:
            self._journals.record_entry(directory, name)
        if directory.past is None:
            directory.content[name] = inode
        else:
            set_entry(directory, name, inode)
        directory.mtime_ns = directory.ctime_ns = now

    def detach(self, directory: Own, name: str, now: int) -> None:
        if directory.epoch != self.timeline.now:
            self.timeline.begin_change(directory)
        if self._scopes:
            self._journals.record_entry(directory, name)
        set_entry(directory, name, None)
        directory.mtime_ns = directory.ctime_ns = now

    def clear(self, directory: Own) -> list[Inode]:
        gone = self.children(directory)
        if directory.epoch != self.timeline.now:
            self.timeline.begin_change(directory)
        if directory.past is None and not self._scopes:
            directory.content.clear()
        else:
            for name, _ in gone:
                self._journals.record_entry(directory, name)
                set_entry(directory, name, None)
        return [inode for _, inode in gone]

    def relink(self, inode: Own, nlink: int, now: int) -> None:
        if inode.epoch != self.timeline.now:
            self.timeline.begin_change(inode)
        if self._scopes:
            self._journals.record_fields(inode, {"nlink": nlink, "ctime_ns": now})
        inode.nlink = nlink
        inode.ctime_ns = now

    def stamp(self, inode: Own, mtime_ns: int, ctime_ns: int) -> None:
        if inode.epoch != self.timeline.now:
            self.timeline.begin_change(inode)
        if self._scopes:
            self._journals.record_fields(inode, {"mtime_ns": mtime_ns, "ctime_ns": ctime_ns})
        inode.mtime_ns = mtime_ns
        inode.ctime_ns = ctime_ns

    def update(self, inode: Own, **fields: Any) -> None:
        if inode.epoch != self.timeline.now:
            self.timeline.begin_change(inode)
        if self._scopes:
            self._journals.record_fields(inode, fields)
        for name, value in fields.items():
            setattr(inode, name, value)

    # ---- content

    def read(self, inode: Own, size: int, offset: int) -> list[Buffer]:
        if self._restores:
            self.settle(inode)
        return contents.read(inode.content, size, offset)

    def whole(self, inode: Own) -> bytes | None:
        if self._restores:
            self.settle(inode)
        content = inode.content
        if type(content) is bytes:
            return content
        return bytes(content) if type(content) is bytearray else None

    def pin(self, inode: Own) -> contents.Extents:
        self.settle(inode)
        content = inode.content
        assert type(content) is contents.Extents
        return content

    def write(self, inode: Own, data: Buffer | Stage, offset: int, now: int) -> None:
        self._edit(inode, now, contents.write, data, offset, grows_by=(len(data), offset))

    def truncate(self, inode: Own, size: int, now: int) -> None:
        self._edit(inode, now, contents.truncate, size)

    def zero(self, inode: Own, offset: int, length: int, now: int) -> None:
        self._edit(inode, now, contents.zero, offset, length)

    def reserve(self, inode: Own, offset: int, length: int, now: int) -> None:
        self._edit(inode, now, contents.reserve, offset, length, grows_by=(length, offset))

    def replace(self, inode: Own, content: Any, now: int) -> None:
        if inode.epoch != self.timeline.now:
            self.timeline.begin_change(inode)
        more = space_of(content) - own_space(inode)
        if self._space.capacity is not None:
            self._require(more)
        if self._scopes:
            self._journals.record_content(inode)
        self._space.used += more
        self._stamp_content(inode, content, now)

    def seek(self, inode: Own, offset: int, whence: int) -> int:
        self.settle(inode)
        return contents.seek(inode.content, offset, whence)

    def copy_content(self, inode: Own) -> Any:
        with self.change:
            self.settle(inode)
            return contents.copy(inode.content)

    def _edit(
        self,
        inode: Own,
        now: int,
        change: Callable[..., contents.Content],
        *args: Any,
        grows_by: tuple[int, int] = (0, 0),
    ) -> None:
        if inode.epoch != self.timeline.now:
            self.timeline.begin_change(inode)
        before = own_space(inode)
        if self._space.capacity is not None:
            self._require(contents.growth(inode.content, *grows_by) + space_of(inode.content) - before)
        if self._scopes:
            self._journals.record_content(inode)
        content = change(inode.content, *args)
        self._space.used += space_of(content) - before
        self._stamp_content(inode, content, now)

    def _stamp_content(self, inode: Own, content: contents.Content, now: int) -> None:
        inode.content = content
        inode.mtime_ns = inode.ctime_ns = now
        inode.version = next(self._numbers)
        inode.shares = False

    # ---- snapshots

    def snapshots(self) -> list[Snapshot]:
        return [kept.snapshot for kept in self.timeline.kept]

    def await_transactions(self) -> None:
        if self._journals.is_mine:
            raise os_error(errno.EBUSY, hint="end the transaction first")
        if not self._quiet.wait_for(lambda: not self._scopes, TRANSACTION_WAIT):
            hint = f"a transaction of another thread is open for more than {TRANSACTION_WAIT:g} seconds"
            raise os_error(errno.EBUSY, hint=hint)

    def take_snapshot(self, snapshot: Snapshot) -> None:
        self.timeline.take(snapshot)

    def drop_snapshot(self, snapshot: Snapshot) -> None:
        self.timeline.drop(self.timeline.find(snapshot))

    def restore_snapshot(self, snapshot: Snapshot, is_held: Callable[[Inode], bool]) -> None:
        self.timeline.restores.add(self.timeline.find(snapshot), is_held)
        self.settle(self.root)

    def past(self, snapshot: Snapshot) -> PastStore:
        return PastStore(self, self.timeline.find(snapshot))

    def settle(self, inode: Own) -> None:
        self.timeline.settle(inode)

    # ---- space

    def statvfs(self) -> StatVfs:
        with self.lock:
            self.timeline.restores.finish()
            space = self._space
            total = space.total
            free = max(total - space.used, 0)
            return StatVfs(BLOCK, -(-total // BLOCK), free // BLOCK, MAX_INODES, MAX_INODES - space.inodes, NAME_MAX)

    def sync(self) -> None:
        """Memory is as durable as it gets."""

    def _require(self, more: int) -> None:
        if not self._space.has_room(more):
            self.timeline.restores.finish()  # which frees what was made since
            if not self._space.has_room(more):
                raise os_error(errno.ENOSPC, hint=f"the store's capacity is {self._space.capacity} bytes")

    # ---- undo

    def begin(self) -> None:
        self._journals.begin()

    def commit(self) -> None:
        with self.lock:
            self._journals.commit()
            self._quiet.notify_all()

    def rollback(self) -> None:
        with self.lock:
            self._journals.rollback()
            self._quiet.notify_all()
