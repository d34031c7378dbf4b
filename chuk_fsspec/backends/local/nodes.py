"""Inode operations on a directory of the host (``contract.NodeOperations``), for doors.

Nodes are inodes, found by device and number, and reached by one name in one open directory after the other, never
through a link. No descriptor is kept for a node as such: recently used ones have some, and those that lost their last
name. A node that others removed or moved away is ESTALE, on which a door looks its name up again.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Callable, Container
from contextlib import suppress
from typing import TYPE_CHECKING

from chuk_fsspec.backends.local import entries
from chuk_fsspec.backends.local.beneath import Place, open_beneath
from chuk_fsspec.backends.local.content import write_all
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_DIRECTORY, O_NOATIME, O_TMPFILE
from chuk_fsspec.backends.local.handle import SIZE_MAX, LocalHandle, check_size
from chuk_fsspec.backends.local.inode import HeldInode, Inode, OpenInode, inode_at, require_file
from chuk_fsspec.backends.local.listed import JustListed
from chuk_fsspec.backends.local.names import is_reserved
from chuk_fsspec.backends.local.node import LocalNode
from chuk_fsspec.backends.local.nodetable import NodeTable, open_unnoticed
from chuk_fsspec.backends.local.opening import KEPT_FLAGS, changes
from chuk_fsspec.backends.local.ranges import allocate, find_data_or_hole
from chuk_fsspec.backends.local.scan import names_in
from chuk_fsspec.backends.local.shared import Identity
from chuk_fsspec.backends.local.volume import statvfs_of, sync_directory, sync_filesystem
from chuk_fsspec.backends.local.walk import open_directory
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Change
from chuk_fsspec.contract.paths import SPECIAL_NAMES, check_name
from chuk_fsspec.contract.posix import RENAME_EXCHANGE, Buffer, StatVfs

if TYPE_CHECKING:
    from chuk_fsspec.backends.local.filesystem import LocalFileSystem

_PERMISSIONS = 0o7777
_DIRECTORY_PERMISSIONS = 0o1777


class LocalNodes:
    """One door's view of a root.

    Args:
        fs: the filesystem. Links are not followed here, whatever it does.
    """

    stateless = True
    announces = False
    slow = False

    def __init__(self, fs: LocalFileSystem) -> None:
        self._fs = fs
        self._shared = fs.shared
        self._table = NodeTable(fs.owner, self)
        self._listed = JustListed()
        self._watchers: list[Change] = []
        self._kept: weakref.WeakValueDictionary[tuple[Identity, str], LocalNode] = weakref.WeakValueDictionary()
        self.root = self._table.root
        self._shared.add_view(self)

    # ---- looking

    def lookup(self, directory: LocalNode, name: str) -> LocalNode | None:
        """The node behind an entry, a link not followed; None if there is none. ENOTDIR, ENAMETOOLONG, ESTALE."""
        node = self._listed.take(directory, name)
        if node is not None:
            return node
        if not _is_name(name):
            return None
        above = self._table.directory(directory)
        try:
            found = os.stat(name, dir_fd=above.number, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return self._table.seen(directory, name, found)

    def getattr(self, node: LocalNode) -> LocalNode:
        """The node with current attributes. ESTALE if others removed it or moved it away."""
        self._table.look(node)
        return node

    def parent(self, directory: LocalNode) -> LocalNode:
        """The directory that holds a directory; the root is its own."""
        return directory.parent or self.root

    def entries(self, directory: LocalNode) -> list[tuple[str, LocalNode]]:
        """Names and nodes of a directory at one moment. ENOTDIR, ESTALE."""
        above = self._table.directory(directory)
        seen: list[tuple[str, LocalNode]] = []
        for name in names_in(open_unnoticed(HeldInode(above), os.O_RDONLY | O_DIRECTORY)):
            with suppress(FileNotFoundError):  # gone by now
                found = os.stat(name, dir_fd=above.number, follow_symlinks=False)
                seen.append((name, self._table.seen(directory, name, found)))
        self._listed.remember(directory, seen)
        return seen

    # ---- making

    def create(self, directory: LocalNode, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> LocalNode:
        """Make a file, FIFO, socket or device (open(2) with O_EXCL, mknod(2))."""
        place = self._new(directory, name)
        permissions = mode & _PERMISSIONS
        if not stat.S_ISREG(mode):
            os.mknod(name, mode, rdev, dir_fd=place.directory.number)
            return self._made(directory, place, inode_at(place.directory, name), permissions, uid, gid)
        opened = open_beneath(place, os.O_CREAT | os.O_EXCL | os.O_RDWR | O_NOATIME, permissions)
        node = self._made(directory, place, OpenInode(opened), permissions, uid, gid)
        self._table.opened(node, opened)
        return node

    def mkdir(self, directory: LocalNode, name: str, mode: int, uid: int, gid: int) -> LocalNode:
        """Make a directory (mkdir(2))."""
        place = self._new(directory, name)
        permissions = mode & _DIRECTORY_PERMISSIONS
        os.mkdir(name, permissions, dir_fd=place.directory.number)
        held = open_directory(place.directory, name)
        node = self._made(directory, place, HeldInode(held), permissions, uid, gid)
        self._table.held(node, held)
        return node

    def symlink(self, directory: LocalNode, name: str, target: str, uid: int, gid: int) -> LocalNode:
        """Make a symbolic link that holds ``target`` as it is (symlink(2)). ENOENT for an empty target."""
        if "\0" in target:
            raise os_error(errno.EINVAL, name, hint="a path cannot hold a NUL character")
        place = self._new(directory, name)
        os.symlink(target, name, dir_fd=place.directory.number)
        return self._made(directory, place, inode_at(place.directory, name), None, uid, gid)

    def temporary(self, directory: LocalNode, mode: int, uid: int, gid: int) -> LocalNode:
        """Make a regular file without a name, on the terms of a directory (O_TMPFILE). EOPNOTSUPP."""
        self._fs.require_write()
        above = self._table.directory(directory)
        opened = open_beneath(Place(above, "."), O_TMPFILE | os.O_RDWR | O_NOATIME, mode & _PERMISSIONS)
        belong(OpenInode(opened), above, mode & _PERMISSIONS, uid, gid)
        return self._table.nameless(opened)

    def link(self, node: LocalNode, directory: LocalNode, name: str) -> None:
        """Give a file one more name (link(2)). EPERM for a directory."""
        place = self._new(directory, name)
        if node.is_directory:
            raise os_error(errno.EPERM, name, hint="a directory cannot have a second name")
        inode = self._table.inode(node)
        entries.link(self._shared, inode, place, self)
        node.refresh(inode.stat())
        node.reached(directory, name)

    # ---- removing and moving

    def unlink(self, directory: LocalNode, name: str) -> None:
        """Remove a name; the file lives on while a door has its node (unlink(2)). EISDIR for a directory."""
        self._remove(directory, name, entries.unlink)

    def rmdir(self, directory: LocalNode, name: str) -> None:
        """Remove an empty directory (rmdir(2))."""
        self._remove(directory, name, entries.rmdir)

    def _remove(self, directory: LocalNode, name: str, remove: Callable[..., None]) -> None:
        place = self._existing(directory, name)
        node = self._table.pin(place.directory, name)
        remove(self._shared, place, self)
        if node is not None:
            node.lost(directory, name)

    def rename(self, directory: LocalNode, name: str, new_directory: LocalNode, new_name: str, flags: int = 0) -> None:
        """Move an entry (rename(2)), or swap two (RENAME_EXCHANGE), or refuse to replace (RENAME_NOREPLACE)."""
        source, place = self._existing(directory, name), self._new(new_directory, new_name)
        moved = self._table.at(source)
        replaced = self._table.at(place) if flags & RENAME_EXCHANGE else self._table.pin(place.directory, new_name)
        entries.rename(self._shared, source, place, flags, self)
        if moved is replaced and moved is not None:
            return  # two names of one file both stay
        if replaced is not None:
            replaced.lost(new_directory, new_name)
            if flags & RENAME_EXCHANGE:
                replaced.reached(directory, name)
        if moved is not None:
            moved.lost(directory, name)
            moved.reached(new_directory, new_name)

    # ---- attributes

    def readlink(self, node: LocalNode) -> str:
        """Where a symbolic link points. EINVAL for anything else."""
        return self._table.inode(node).readlink()

    def setattr(
        self,
        node: LocalNode,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        size: int | None = None,
        atime_ns: int | None = None,
        mtime_ns: int | None = None,
        ctime_ns: int | None = None,
        handle: LocalHandle | None = None,
    ) -> None:
        """Change attributes (truncate(2), chown(2), chmod(2), utimensat(2)); ``ctime_ns`` is for the host to stamp."""
        self._fs.require_write()
        if size is not None:
            check_size(size, node.name)
            opened = self._table.writing(node)
            os.ftruncate(opened.number, size)
        inode = self._table.own(node, self._table.inode(node))
        if uid is not None or gid is not None:
            inode.chown(-1 if uid is None else uid, -1 if gid is None else gid)
        if mode is not None and not stat.S_ISLNK(node.mode):  # a kernel tells the mode of a link that gets a new owner
            inode.chmod(mode & _PERMISSIONS)
        if atime_ns is not None or mtime_ns is not None:
            found = inode.stat()
            inode.utime(
                (
                    found.st_atime_ns if atime_ns is None else atime_ns,
                    found.st_mtime_ns if mtime_ns is None else mtime_ns,
                )
            )
        node.refresh(inode.stat())
        self._shared.content_changed(inode, self)

    def getxattr(self, node: LocalNode, name: str) -> bytes | None:
        """One extended attribute; None if the inode does not have it. ERANGE, ENOTSUP."""
        try:
            return self._table.inode(node).getxattr(name)
        except OSError as error:
            if error.errno == errno.ENODATA:
                return None
            raise

    def setxattr(self, node: LocalNode, name: str, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute (setxattr(2)). EEXIST and ENODATA by flags, ERANGE, E2BIG, EPERM, ENOTSUP."""
        self._changing(node).setxattr(name, value, flags)

    def listxattr(self, node: LocalNode) -> list[str]:
        """Names of all extended attributes. ENOTSUP."""
        return self._table.inode(node).listxattr()

    def removexattr(self, node: LocalNode, name: str) -> None:
        """Remove an extended attribute (removexattr(2)). ENODATA, EPERM, ENOTSUP."""
        self._changing(node).removexattr(name)

    # ---- content

    def open(self, node: LocalNode, flags: int) -> LocalHandle:
        """Open a regular file; O_TRUNC empties it. EISDIR, EINVAL, EROFS, ESTALE."""
        require_file(self._table.inode(node))
        inode = self._changing(node) if changes(flags) else self._table.inode(node)
        handle = LocalHandle(self._shared, inode.open(flags & KEPT_FLAGS), flags, node.name, self)
        if flags & os.O_TRUNC:
            self._shared.content_changed(handle, self)
        return handle

    def read(self, node: LocalNode, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``. EISDIR, EINVAL, ESTALE."""
        opened = self._table.reading(node)
        return [os.pread(opened.number, size, offset)]

    def write(self, node: LocalNode, data: Buffer, offset: int) -> int:
        """Write all of ``data`` at ``offset``. EFBIG, ENOSPC, EROFS, ESTALE."""
        self._fs.require_write()
        length = len(data)
        if offset + length > SIZE_MAX:
            raise os_error(errno.EFBIG, node.name)
        opened = self._table.writing(node)
        if os.pwrite(opened.number, data, offset) != length:
            write_all(opened.number, data, offset)
        self._shared.content_changed(opened, self)
        return length

    def append(self, node: LocalNode, data: Buffer) -> int:
        """Write all of ``data`` at the end: in one step, unless the disk is full. EFBIG, ENOSPC, EROFS, ESTALE."""
        self._fs.require_write()
        opened = self._table.writing(node)
        left = memoryview(data)
        while left:  # RWF_APPEND: the offset is not looked at (pwritev2(2))
            left = left[os.pwritev(opened.number, (left,), 0, os.RWF_APPEND) :]
        node.refresh(os.fstat(opened.number))
        self._shared.content_changed(opened, self)
        return len(data)

    def allocate(self, node: LocalNode, offset: int, length: int, mode: int) -> None:
        """fallocate(2). EINVAL, EFBIG, ENOSPC; ENOTSUP for modes that the filesystem does not know."""
        self._fs.require_write()
        opened = self._table.writing(node)
        allocate(opened.number, offset, length, mode)
        self._shared.content_changed(opened, self)

    def seek(self, node: LocalNode, offset: int, whence: int) -> int:
        """lseek(2) for SEEK_DATA and SEEK_HOLE. ENXIO, EINVAL."""
        opened = self._table.reading(node)
        return find_data_or_hole(opened.number, offset, whence)

    # ---- lifetime

    def hold(self, table: Container[int]) -> Callable[[], None]:
        """Nothing to do: an inode lives for as long as anyone has its node, with or without a name."""
        return _nothing

    def forget(self, node: LocalNode) -> None:
        """Close what is open of a node, so that one without a name is freed."""
        self._table.forget(node)

    def statvfs(self) -> StatVfs:
        """Sizes and free space."""
        return statvfs_of(self._shared.directory)

    def fsync(self, node: LocalNode) -> None:
        """Make a file, or the entries of a directory, durable (fsync(2)). EIO, ESTALE."""
        if node.is_directory:
            sync_directory(self._table.directory(node))
        elif stat.S_ISREG(node.mode):
            opened = node.writing or self._table.reading(node)
            os.fsync(opened.number)

    def sync(self) -> None:
        """Make everything durable (syncfs(2)). EIO."""
        sync_filesystem(self._shared.directory)

    def close(self) -> None:
        """Close what is open for speed."""
        self._table.clear()

    # ---- what others do

    def watch(self, callback: Change) -> Callable[[], None]:
        """Call ``callback`` after every change that others make through this process; returns what ends it."""
        self._watchers = [*self._watchers, callback]

        def end() -> None:
            self._watchers = [one for one in self._watchers if one is not callback]

        return end

    def keep(self, directory: Descriptor, name: str) -> None:
        """The entry is about to lose its inode (``shared.View``)."""
        node = self._table.pin(directory, name)
        if node is not None:
            self._kept[_identity(directory), name] = node

    def entry_changed(self, directory: Descriptor, name: str) -> None:
        """The entry is new, gone or another one now (``shared.View``)."""
        self._listed.forget()
        kept = self._kept.pop((_identity(directory), name), None)
        above = self._table.known(os.fstat(directory.number))
        try:
            found = os.stat(name, dir_fd=directory.number, follow_symlinks=False)
        except FileNotFoundError:
            found = None
        if above is None:
            if found is not None and self._table.known(found) is not None:
                self._moved_out_of_sight(directory, name)
            return
        node = None if found is None else self._table.seen(above, name, found)
        if kept is not None and kept is not node:
            kept.lost(above, name)
            self._tell(None, "", kept)
        self._tell(above, name, node)

    def _moved_out_of_sight(self, directory: Descriptor, name: str) -> None:
        """An inode that this view knows is in a directory that it has not met: have it looked up from the root."""
        above: LocalNode | None = self.root
        for part in self._table.names_to(directory):
            above = None if above is None else self.lookup(above, part)
        node = None if above is None else self.lookup(above, name)
        if node is None:
            self._tell(None, "", None)  # others have moved it on
        else:
            self._tell(above, name, node)

    def content_changed(self, found: os.stat_result) -> None:
        """Content or attributes of an inode changed (``shared.View``)."""
        node = self._table.known(found)
        if node is not None:
            self._tell(None, "", node)

    def _tell(self, directory: LocalNode | None, name: str, node: LocalNode | None) -> None:
        for callback in self._watchers:
            callback(directory, name, node)

    # ---- steps

    def _existing(self, directory: LocalNode, name: str) -> Place:
        """The place of an entry that is to be removed or moved. ENOENT, ENOTDIR, EROFS, ESTALE."""
        self._fs.require_write()
        self._listed.forget()
        if not _is_name(name):
            raise os_error(errno.ENOENT, name)
        return Place(self._table.directory(directory), name)

    def _new(self, directory: LocalNode, name: str) -> Place:
        """The place of an entry that is to be made. EINVAL for what can be no name, ENOTDIR, EROFS, ESTALE."""
        self._fs.require_write()
        self._listed.forget()
        if is_reserved(check_name(name)):
            raise os_error(errno.EINVAL, name, hint="names of this form are kept for temporary files")
        return Place(self._table.directory(directory), name)

    def _made(
        self, directory: LocalNode, place: Place, inode: Inode, permissions: int | None, uid: int, gid: int
    ) -> LocalNode:
        """Make a new inode what was asked for, or remove it again. EPERM."""
        try:
            found = belong(inode, place.directory, permissions, uid, gid)
        except OSError:
            (os.rmdir if stat.S_ISDIR(inode.stat().st_mode) else os.unlink)(place.name, dir_fd=place.directory.number)
            raise
        node = self._table.seen(directory, place.name, found)
        self._shared.entry_changed(place.directory, place.name, self)
        return node

    def _changing(self, node: LocalNode) -> Inode:
        """The inode of a node, to be changed in place."""
        self._fs.require_write()
        return self._table.own(node, self._table.inode(node))


def belong(inode: Inode, directory: Descriptor, permissions: int | None, uid: int, gid: int) -> os.stat_result:
    """Give a new inode its owner, the group that its directory says, and exactly the permissions asked for. EPERM.

    Args:
        inode: just made, by this process.
        directory: where; with set-group-ID, its group counts.
        permissions: mode bits, from which the umask of this process has taken some; None for a link, which has none.
        uid: owner.
        gid: group.

    Returns:
        The attributes afterwards.
    """
    found = inode.stat()
    if gid != found.st_gid and os.fstat(directory.number).st_mode & stat.S_ISGID:
        gid = found.st_gid
    if (uid, gid) != (found.st_uid, found.st_gid):
        inode.chown(uid, gid)
        found = inode.stat()
    if permissions is None:
        return found
    if stat.S_ISDIR(found.st_mode):
        permissions |= found.st_mode & stat.S_ISGID
    if stat.S_IMODE(found.st_mode) != permissions:
        inode.chmod(permissions)
        found = inode.stat()
    return found


def _is_name(name: str) -> bool:
    """Whether an entry of this name can be seen here."""
    return name not in SPECIAL_NAMES and "/" not in name and "\0" not in name and not is_reserved(name)


def _identity(directory: Descriptor) -> Identity:
    found = os.fstat(directory.number)
    return found.st_dev, found.st_ino


def _nothing() -> None: ...
