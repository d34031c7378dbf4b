"""POSIX meaning over a store: what each operation on inodes checks, stamps and counts, defined here and only here.

Threads: every change happens in the store's scope for changes, which one thread has at a time. Lookups take no lock,
since a store's ``child`` is safe beside a writer. Watchers are told after the scope has ended, for a mount that is told
waits for its kernel, which may be waiting for this scope: so whoever is in it must not call a method here that changes
something.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Container
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Change
from chuk_fsspec.contract.paths import check_name, encoded_length
from chuk_fsspec.contract.posix import (
    FALLOC_KEEP_SIZE,
    FALLOC_PUNCH_HOLE,
    FALLOC_ZERO_RANGE,
    RENAME_EXCHANGE,
    RENAME_NOREPLACE,
    Buffer,
    StatVfs,
    without_set_id,
)
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine import xattrs
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.handle import InodeHandle
from chuk_fsspec.engine.inode import FILE_MODE, LINK_MODE, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, Directory, Inode
from chuk_fsspec.engine.shared import SharedState, remove_identical
from chuk_fsspec.engine.store import Stage

LINK_TARGET_MAX = 4095

Place = Callable[[str], tuple[Directory, str]]


class Tree:
    """One user's view of the inodes (``contract.NodeOperations``): a door's, or a filesystem object's.

    Views of one filesystem share everything; each is told only of the changes that the others make.
    """

    stateless = True
    announces = True
    slow = False

    def __init__(self, shared: SharedState) -> None:
        self.shared = shared
        self.store = shared.store
        self.lock = shared.lock
        self.change = shared.change
        self.root = shared.store.root
        self._child = shared.store.child
        self._settle = shared.store.settle
        self._others: tuple[Change, ...] = ()
        shared.add_view(self)

    def view(self) -> Tree:
        """Another view of the same filesystem."""
        with self.lock:
            return type(self)(self.shared)

    # ---- looking

    def lookup(self, directory: Inode, name: str) -> Inode | None:
        """The inode behind an entry, a link not followed; None if there is none. ENOTDIR, ENAMETOOLONG."""
        inode = self._child(directory, name)
        if inode is None and len(name) > 63 and encoded_length(name) > 255:
            raise os_error(errno.ENAMETOOLONG, name)
        return inode

    def getattr(self, node: Inode) -> Inode:
        """The inode itself: its fields are always current."""
        self._settle(node)
        return node

    def parent(self, directory: Directory) -> Directory:
        """The directory that holds a directory; the root is its own."""
        self._settle(directory)
        return directory.parent

    def entries(self, directory: Inode) -> list[tuple[str, Inode]]:
        """Names and inodes of a directory at one moment. ENOTDIR."""
        return self.store.children(_directory(directory))

    # ---- making

    def create(self, directory: Inode, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> Inode:
        """Make a file, FIFO, socket or device node (open(2) with O_EXCL, mknod(2))."""
        with self.change:
            parent = self._free_slot(directory, name)
            if parent.mode & stat.S_ISGID:
                gid = parent.gid
            content: Any = b"" if mode & S_IFMT == S_IFREG else rdev
            inode = self._make(parent, name, mode, uid, gid, content)
        if self._others:
            self._announce(directory, name, inode)
        return inode

    def mkdir(self, directory: Inode, name: str, mode: int, uid: int, gid: int) -> Directory:
        """Make a directory (mkdir(2))."""
        with self.change:
            parent = self._free_slot(directory, name)
            mode = stat.S_IFDIR | mode & 0o1777
            if parent.mode & stat.S_ISGID:
                gid, mode = parent.gid, mode | stat.S_ISGID
            inode = _directory(self.store.new(mode, uid, gid, None, now_ns()))
            self.store.update(inode, nlink=2, parent=parent)
            self.store.attach(parent, name, inode, inode.btime_ns)
            self.store.update(parent, nlink=parent.nlink + 1)
        if self._others:
            self._announce(directory, name, inode)
        return inode

    def symlink(self, directory: Inode, name: str, target: str, uid: int, gid: int) -> Inode:
        """Make a symbolic link that holds ``target`` as it is (symlink(2)). EINVAL for an empty target or NUL."""
        if not target or "\0" in target:
            raise os_error(errno.ENOENT if not target else errno.EINVAL, name, hint="a link needs a target")
        if encoded_length(target) > LINK_TARGET_MAX:
            raise os_error(errno.ENAMETOOLONG, name, hint=f"a link target may have {LINK_TARGET_MAX} bytes")
        with self.change:
            parent = self._free_slot(directory, name)
            if parent.mode & stat.S_ISGID:
                gid = parent.gid
            inode = self._make(parent, name, LINK_MODE, uid, gid, target)
        if self._others:
            self._announce(directory, name, inode)
        return inode

    def temporary(self, directory: Inode, mode: int, uid: int, gid: int) -> Inode:
        """Make a regular file without a name, on the terms of a directory (O_TMPFILE)."""
        with self.change:
            self._settle(directory)
            if directory.mode & stat.S_ISGID:
                gid = directory.gid
            return self.store.new(S_IFREG | mode & 0o7777, uid, gid, b"", now_ns())

    def put(self, place: Place, path: str, content: Any, uid: int, gid: int, exclusive: bool) -> Inode | None:
        """Publish whole content under a name in one step, keeping inode, owner and mode of a file that is there.

        Args:
            place: finds directory and name of the path; it is called in the step itself, so that they still stand.
            path: where to.
            content: ``bytes``, or what ``Store.copy_content`` gives.
            uid: owner of a new file.
            gid: group of a new file.
            exclusive: fail with EEXIST if the name exists.

        Returns:
            The file; None, with nothing done, if the name is a symbolic link: whoever asks decides whether to follow.

        Raises:
            OSError: EEXIST, EISDIR, EINVAL for a special file, ENOENT if the directory was removed, ENOSPC.
        """
        with self.change:
            directory, name = place(path)
            inode = self._child(directory, name)
            if inode is None:
                if directory.nlink == 0:
                    raise os_error(errno.ENOENT, name, hint="the directory was removed")
                check_name(name)
                if directory.mode & stat.S_ISGID:
                    gid = directory.gid
                now = now_ns()
                inode = self.store.new(FILE_MODE, uid, gid, content, now)
                inode.nlink = 1
                self.store.attach(directory, name, inode, now)
            elif exclusive:
                raise os_error(errno.EEXIST, name)
            elif inode.mode & S_IFMT == S_IFLNK:
                return None
            else:
                self.store.replace(_regular(inode), content, now_ns())
        if self._others:
            self._announce(directory, name, inode)
            self._announce(None, "", inode)
        return inode

    def link(self, node: Inode, directory: Inode, name: str) -> None:
        """Give a file one more name (link(2))."""
        with self.change:
            parent = self._free_slot(directory, name)
            if isinstance(node, Directory):
                raise os_error(errno.EPERM, name, hint="a directory cannot have a second name")
            self._settle(node)
            now = now_ns()
            self.store.relink(node, node.nlink + 1, now)
            self.store.attach(parent, name, node, now)
        if self._others:
            self._announce(directory, name, node)

    # ---- removing and moving

    def unlink(self, directory: Inode, name: str) -> None:
        """Remove a name; the file lives on while it has others or is open (unlink(2)). EISDIR for a directory."""
        with self.change:
            inode = self._existing(directory, name)
            if isinstance(inode, Directory):
                raise os_error(errno.EISDIR, name)
            self._forget_paths_through(inode)
            now = now_ns()
            self.store.detach(_directory(directory), name, now)
            self._drop_link(inode, now)
        if self._others:
            self._announce(directory, name, None)

    def rmdir(self, directory: Inode, name: str) -> None:
        """Remove an empty directory (rmdir(2))."""
        with self.change:
            inode = _directory(self._existing(directory, name))
            if not self.store.is_empty(inode):
                raise os_error(errno.ENOTEMPTY, name)
            self._drop_directory(_directory(directory), name, inode)
        if self._others:
            self._announce(directory, name, None)

    def remove_tree(self, directory: Inode, name: str) -> None:
        """Remove an entry and everything below it in one step; links are removed, not followed."""
        with self.change:
            inode = self._existing(directory, name)
            self._forget_paths_through(inode)
            if isinstance(inode, Directory):
                self._drop_directory(_directory(directory), name, inode)
                self._drop_below(inode)
            else:
                now = now_ns()
                self.store.detach(_directory(directory), name, now)
                self._drop_link(inode, now)
        if self._others:
            self._announce(directory, name, None)

    def rename(self, directory: Inode, name: str, new_directory: Inode, new_name: str, flags: int = 0) -> None:
        """Move an entry (rename(2)), or swap two (RENAME_EXCHANGE), or refuse to replace (RENAME_NOREPLACE)."""
        if flags not in (0, RENAME_NOREPLACE, RENAME_EXCHANGE):
            raise os_error(errno.EINVAL, name, new_name)
        with self.change:
            source, target_directory = _directory(directory), _directory(new_directory)
            inode = self._existing(source, name)
            target = self.lookup(target_directory, new_name)
            if target is None and flags == RENAME_EXCHANGE:
                raise os_error(errno.ENOENT, name, new_name)
            if target is not None and flags == RENAME_NOREPLACE:
                raise os_error(errno.EEXIST, name, new_name)
            if target is inode:
                return
            if target is not None and flags == RENAME_EXCHANGE:
                self._exchange(source, name, inode, target_directory, new_name, target)
            else:
                self._move(source, name, inode, target_directory, new_name, target)
        if self._others:
            self._announce(directory, name, target if flags == RENAME_EXCHANGE else None)
            self._announce(new_directory, new_name, inode)

    def _move(
        self, source: Directory, name: str, inode: Inode, destination: Directory, new_name: str, target: Inode | None
    ) -> None:
        moves_directory = isinstance(inode, Directory)
        if destination.nlink == 0:
            raise os_error(errno.ENOENT, name, new_name)
        if moves_directory:
            self._refuse_loop(inode, destination, name)
        if self._is_above(target, source):
            raise os_error(errno.ENOTEMPTY, name, new_name)
        if target is None:
            check_name(new_name)
        elif isinstance(target, Directory):
            if not moves_directory:
                raise os_error(errno.EISDIR, name, new_name)
            if not self.store.is_empty(target):
                raise os_error(errno.ENOTEMPTY, name, new_name)
        elif moves_directory:
            raise os_error(errno.ENOTDIR, name, new_name)
        self._forget_paths_through(inode, target)
        now = now_ns()
        if isinstance(target, Directory):
            self._drop_directory(destination, new_name, target)
        self.store.detach(source, name, now)
        self.store.attach(destination, new_name, inode, now)
        if target is not None and not isinstance(target, Directory):
            self._drop_link(target, now)
        if moves_directory and source is not destination:
            self._adopt(inode, source, destination)
        self.store.relink(inode, inode.nlink, now)

    def _exchange(
        self, first: Directory, name: str, inode: Inode, second: Directory, other_name: str, other: Inode
    ) -> None:
        if isinstance(inode, Directory):
            self._refuse_loop(inode, second, name)
        if isinstance(other, Directory):
            self._refuse_loop(other, first, other_name)
        self._forget_paths_through(inode, other)
        now = now_ns()
        self.store.attach(first, name, other, now)
        self.store.attach(second, other_name, inode, now)
        if first is not second:
            if isinstance(inode, Directory):
                self._adopt(inode, first, second)
            if isinstance(other, Directory):
                self._adopt(other, second, first)
        self.store.relink(inode, inode.nlink, now)
        self.store.relink(other, other.nlink, now)

    def _refuse_loop(self, moved: Inode, destination: Directory, name: str) -> None:
        """EINVAL if a directory would come to lie inside itself."""
        if self._is_above(moved, destination):
            raise os_error(errno.EINVAL, name, hint="a directory cannot move into itself")

    def _is_above(self, inode: Inode | None, directory: Directory) -> bool:
        """Whether a directory is an inode, or lies somewhere below it."""
        if not isinstance(inode, Directory):
            return False
        self._settle(directory)
        while directory is not inode and directory is not directory.parent:
            directory = directory.parent
            self._settle(directory)
        return directory is inode

    def _adopt(self, moved: Inode, old: Directory, new: Directory) -> None:
        self.store.update(moved, parent=new)
        self.store.update(old, nlink=old.nlink - 1)
        self.store.update(new, nlink=new.nlink + 1)

    # ---- attributes

    def readlink(self, node: Inode) -> str:
        """Where a symbolic link points. EINVAL for anything else."""
        if not node.is_link:
            raise os_error(errno.EINVAL, hint="not a symbolic link")
        return str(node.content)

    def setattr(
        self,
        node: Inode,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        size: int | None = None,
        atime_ns: int | None = None,
        mtime_ns: int | None = None,
        ctime_ns: int | None = None,
        handle: InodeHandle | None = None,
    ) -> None:
        """Change attributes in one step (chmod(2), chown(2), utimensat(2), truncate(2)).

        A change of owner clears set-user-ID, and set-group-ID of a group executable, as chown(2) does it.
        """
        with self.change:
            self._settle(node)
            now = now_ns()
            if size is not None:
                contents.check_range(size, 0)
                self.store.truncate(_regular(node), size, now)
            if mode is not None or uid is not None or gid is not None:
                self._set_owner(node, mode, uid, gid)
            if atime_ns is not None:
                self.store.update(node, atime_ns=atime_ns)
            self.store.stamp(
                node, node.mtime_ns if mtime_ns is None else mtime_ns, now if ctime_ns is None else ctime_ns
            )
        if self._others:
            self._announce(None, "", node)

    def _set_owner(self, node: Inode, mode: int | None, uid: int | None, gid: int | None) -> None:
        uid = node.uid if uid is None else uid
        gid = node.gid if gid is None else gid
        if mode is not None:
            mode = node.mode & S_IFMT | mode & 0o7777
        else:
            mode = node.mode if isinstance(node, Directory) else without_set_id(node.mode)
        self.store.update(node, mode=mode, uid=uid, gid=gid)

    def getxattr(self, node: Inode, name: str) -> bytes | None:
        """One extended attribute; None if the inode does not have it. ERANGE."""
        self._settle(node)
        value = (node.xattrs or {}).get(name)
        if value is None:
            xattrs.check_name(name)
        return value

    def setxattr(self, node: Inode, name: str, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute (setxattr(2)). EEXIST and ENODATA by flags, ERANGE, E2BIG, EPERM."""
        with self.change:
            self._settle(node)
            self.store.update(node, xattrs=xattrs.with_value(node, name, value, flags), ctime_ns=now_ns())

    def listxattr(self, node: Inode) -> list[str]:
        """Names of all extended attributes."""
        self._settle(node)
        return list(node.xattrs or ())

    def removexattr(self, node: Inode, name: str) -> None:
        """Remove an extended attribute (removexattr(2)). ENODATA, ERANGE, EPERM."""
        with self.change:
            self._settle(node)
            self.store.update(node, xattrs=xattrs.without(node, name), ctime_ns=now_ns())

    # ---- content

    def open(self, node: Inode, flags: int) -> InodeHandle:
        """Open a regular file; O_TRUNC empties it, even with O_RDONLY, as on Linux. EISDIR, EINVAL."""
        handle = InodeHandle(self, _regular(node), flags)
        if flags & os.O_TRUNC:
            self.setattr(node, size=0)
        return handle

    def read(self, node: Inode, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces that stay valid while others write."""
        return self.store.read(node, size, offset)

    def write(self, node: Inode, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``. EFBIG, ENOSPC."""
        return self._write(node, data, offset)

    def append(self, node: Inode, data: Buffer | Stage) -> int:
        """Write all of ``data`` at the end, wherever that is by then."""
        return self._write(node, data, None)

    def _write(self, node: Inode, data: Buffer | Stage, offset: int | None) -> int:
        length = len(data)
        if length:
            with self.change:
                if offset is None:
                    self._settle(node)
                    offset = node.size
                contents.check_range(offset, length)
                self.store.write(node, data, offset, now_ns())
            if self._others:
                self._announce(None, "", node)
        return length

    def allocate(self, node: Inode, offset: int, length: int, mode: int) -> None:
        """fallocate(2): mode 0, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, or ZERO_RANGE with or without KEEP_SIZE."""
        if offset < 0 or length <= 0:
            raise os_error(errno.EINVAL, hint="fallocate needs a range of at least one byte")
        contents.check_range(offset, length)
        keeps = mode & FALLOC_KEEP_SIZE
        kind = mode & ~FALLOC_KEEP_SIZE
        if kind not in (0, FALLOC_PUNCH_HOLE, FALLOC_ZERO_RANGE) or (kind == FALLOC_PUNCH_HOLE and not keeps):
            raise os_error(errno.ENOTSUP, hint=f"fallocate mode {mode:#x}")
        with self.change:
            self._settle(node)
            inode, now = _regular(node), now_ns()
            if kind:
                self.store.zero(inode, offset, length, now)
            inside = max(min(length, inode.size - offset), 0) if keeps else length
            if kind != FALLOC_PUNCH_HOLE and inside:
                self.store.reserve(inode, offset, inside, now)
            elif not kind:
                self.store.stamp(inode, now, now)  # nothing is kept past the end, but asking for it counts
        if self._others:
            self._announce(None, "", node)

    def seek(self, node: Inode, offset: int, whence: int) -> int:
        """lseek(2) for SEEK_DATA and SEEK_HOLE. ENXIO, EINVAL."""
        if whence not in (os.SEEK_DATA, os.SEEK_HOLE):
            raise os_error(errno.EINVAL, hint="only SEEK_DATA and SEEK_HOLE")
        with self.lock:
            return self.store.seek(_regular(node), offset, whence)

    # ---- lifetime

    def hold(self, table: Container[int]) -> Callable[[], None]:
        """Keep every inode whose number is in ``table`` alive after its last name is gone; returns what ends it."""
        self.shared.holders.append(table)
        return lambda: remove_identical(self.shared.holders, table)

    def opened(self, node: Inode) -> None:
        """Count one more open handle."""
        with self.lock:
            counts = self.shared.open_counts
            counts[node.ino] = counts.get(node.ino, 0) + 1

    def closed(self, node: Inode) -> None:
        """Count one open handle less, and free the inode if nothing holds it any more."""
        with self.lock:
            counts = self.shared.open_counts
            counts[node.ino] -= 1
            if counts[node.ino]:
                return
            del counts[node.ino]
        self.forget(node)

    def forget(self, node: Inode) -> None:
        """Free the inode if it has no name left and nobody holds it."""
        self._settle(node)
        if node.nlink == 0:
            with self.change:
                self._free_if_unused(node)

    def statvfs(self) -> StatVfs:
        """Sizes and free space."""
        return self.store.statvfs()

    def fsync(self, node: Inode) -> None:
        """Make an inode durable, where that means something: the store does it for all at once."""
        self.store.sync()

    def sync(self) -> None:
        """Make everything durable, where that means something."""
        self.store.sync()

    def find_watchers(self) -> None:
        """Look up again whom to tell of changes, until nobody has come or gone meanwhile."""
        shared, watched = self.shared, None
        while watched is not shared.watched:
            watched = shared.watched
            self._others = shared.callbacks_for(self)

    def watch(self, callback: Change) -> Callable[[], None]:
        """Call ``callback`` after every change made through another view; returns what ends it."""
        return self.shared.watch(self, callback)

    def close(self) -> None:
        """Nothing is held by a view itself."""

    def announce_all(self) -> None:
        """Tell watchers that anything may have changed."""
        self._announce(None, "", None)

    def forget_paths(self) -> None:
        """Drop all resolved directory paths. To be called under the lock, and before they turn wrong."""
        self.shared.forget_paths()

    # ---- shared steps, all under the lock

    def _announce(self, directory: Inode | None, name: str, inode: Inode | None) -> None:
        for callback in self._others:
            callback(directory, name, inode)

    def _free_slot(self, directory: Inode, name: str) -> Directory:
        """The directory, if a new entry of this name may be made in it."""
        parent = _directory(directory)
        if self._child(parent, name) is not None:
            raise os_error(errno.EEXIST, name)
        if parent.nlink == 0:
            raise os_error(errno.ENOENT, name, hint="the directory was removed")
        check_name(name)
        return parent

    def _make(self, parent: Directory, name: str, mode: int, uid: int, gid: int, content: Any) -> Inode:
        inode = self.store.new(mode, uid, gid, content, now_ns())
        inode.nlink = 1
        self.store.attach(parent, name, inode, inode.btime_ns)
        return inode

    def _existing(self, directory: Inode, name: str) -> Inode:
        inode = self.lookup(_directory(directory), name)
        if inode is None:
            raise os_error(errno.ENOENT, name)
        return inode

    def _forget_paths_through(self, *inodes: Inode | None) -> None:
        """Drop the paths that inodes may be part of, before they move or go away."""
        kinds = {inode.mode & S_IFMT for inode in inodes if inode is not None}
        if S_IFDIR in kinds:
            self.shared.forget_paths()
        elif S_IFLNK in kinds:
            self.shared.path_cache.forget_all()

    def _drop_link(self, inode: Inode, now: int) -> None:
        self.store.relink(inode, inode.nlink - 1, now)
        if inode.nlink == 0:
            self._free_if_unused(inode)

    def _drop_directory(self, parent: Directory, name: str, inode: Directory) -> None:
        self.store.detach(parent, name, now_ns())
        self.store.update(parent, nlink=parent.nlink - 1)
        self.store.update(inode, nlink=0)
        self._free_if_unused(inode)

    def _drop_below(self, top: Directory) -> None:
        """Drop everything below a directory that has lost its name."""
        now = now_ns()
        pending = [top]
        while pending:
            gone = pending.pop()
            for child in self.store.clear(gone):
                if isinstance(child, Directory):
                    self.store.update(child, nlink=0)
                    pending.append(child)
                else:
                    self._drop_link(child, now)
            if gone is not top:
                self._free_if_unused(gone)

    def _free_if_unused(self, inode: Inode) -> None:
        if not self.shared.is_held(inode):
            self.store.free(inode)


def _directory(inode: Inode) -> Directory:
    if not isinstance(inode, Directory):
        raise os_error(errno.ENOTDIR)
    return inode


def _regular(inode: Inode) -> Inode:
    if inode.mode & S_IFMT != S_IFREG:
        raise os_error(errno.EISDIR if isinstance(inode, Directory) else errno.EINVAL, hint="not a regular file")
    return inode
