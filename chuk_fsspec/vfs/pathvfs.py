"""Inode operations over filesystems that know only paths."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Container

from chuk_fsspec.contract.errors import not_a_file, not_supported, os_error
from chuk_fsspec.contract.nodes import Change, Node
from chuk_fsspec.contract.paths import NAME_MAX
from chuk_fsspec.contract.posix import Buffer, Handle, StatVfs
from chuk_fsspec.vfs import changing, looking, moving, naming, opening
from chuk_fsspec.vfs.direct import DirectHandle
from chuk_fsspec.vfs.errors import os_errors
from chuk_fsspec.vfs.handle import ContentHandle
from chuk_fsspec.vfs.node import DirectoryNode, PathNode
from chuk_fsspec.vfs.openfiles import OpenFiles
from chuk_fsspec.vfs.volume import Volume

_BLOCK = 4096
_PLENTY = 1 << 38


class PathVFS:
    """A filesystem of paths as a graph of nodes (``contract.NodeOperations``).

    Files are edited in place where the filesystem can (``random_write``). Elsewhere reading fetches ranges, and writing
    goes to a spool file that replaces the whole file at ``flush``, ``fsync`` and ``close``.

    What the filesystem cannot hold is kept here, for as long as this object lives: permission bits, owners and times;
    and empty directories, where it knows directories only by their files.

    Known limits: a change made by somebody else shows when ``cache_timeout`` is over, and is lost if the same file is
    edited here; without the ``rename`` capability a rename is not atomic.
    """

    stateless = False
    announces = False

    def __init__(self, volume: Volume, *, slow: bool) -> None:
        self._volume = volume
        self._table = volume.table
        self._backend = volume.backend
        self._capabilities = volume.backend.capabilities
        self._files = OpenFiles(volume)
        self.slow = slow

    @property
    def root(self) -> PathNode:
        """The root directory."""
        return self._table.root

    # ---- looking

    def lookup(self, directory: Node, name: str) -> PathNode | None:
        """The node behind an entry, a link not followed; None if there is none. ENOTDIR, ENAMETOOLONG."""
        return looking.lookup(self._volume, _directory(directory), name)

    def getattr(self, node: Node) -> PathNode:
        """The node with current attributes. ENOENT if it was removed behind our back."""
        return looking.refresh(self._volume, _known(node))

    def parent(self, directory: Node) -> DirectoryNode:
        """The directory that holds a directory; the root is its own."""
        return _known(directory).parent

    def entries(self, directory: Node) -> list[tuple[str, PathNode]]:
        """Names and nodes of a directory at one moment. ENOTDIR, ENOENT."""
        return looking.entries(self._volume, _directory(directory))

    # ---- making

    def create(self, directory: Node, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> PathNode:
        """Make a file; it is there for everybody at once, and empty. EPERM for special files that cannot be kept."""
        return naming.create(self._volume, _directory(directory), name, mode, uid, gid, rdev)

    def mkdir(self, directory: Node, name: str, mode: int, uid: int, gid: int) -> DirectoryNode:
        """Make a directory."""
        return naming.mkdir(self._volume, _directory(directory), name, mode, uid, gid)

    def symlink(self, directory: Node, name: str, target: str, uid: int, gid: int) -> PathNode:
        """Make a symbolic link. EPERM where the filesystem has none."""
        return naming.symlink(self._volume, _directory(directory), name, target, uid, gid)

    def temporary(self, directory: Node, mode: int, uid: int, gid: int) -> PathNode:
        """ENOTSUP: a file without a name has no path."""
        raise not_supported("files without a name")

    def link(self, node: Node, directory: Node, name: str) -> None:
        """Give a file one more name. EPERM where the filesystem has no hard links."""
        naming.link(self._volume, _known(node), _directory(directory), name)

    # ---- removing and moving

    def unlink(self, directory: Node, name: str) -> None:
        """Remove a name; an open file lives on, and nothing more of it is written back. ENOENT, EISDIR."""
        naming.unlink(self._volume, self._files, _directory(directory), name)

    def rmdir(self, directory: Node, name: str) -> None:
        """Remove a directory in which the filesystem lists nothing. ENOENT, ENOTDIR, ENOTEMPTY."""
        naming.rmdir(self._volume, _directory(directory), name)

    def rename(self, directory: Node, name: str, new_directory: Node, new_name: str, flags: int = 0) -> None:
        """Move an entry, replacing the target as POSIX says (``moving.rename``)."""
        source, target = (_directory(directory), name), (_directory(new_directory), new_name)
        moving.rename(self._volume, self._files, source, target, flags)

    # ---- attributes

    def readlink(self, node: Node) -> str:
        """Where a symbolic link points. EINVAL for anything else."""
        return naming.readlink(self._volume, _known(node))

    def setattr(
        self,
        node: Node,
        *,
        mode: int | None = None,
        uid: int | None = None,
        gid: int | None = None,
        size: int | None = None,
        atime_ns: int | None = None,
        mtime_ns: int | None = None,
        ctime_ns: int | None = None,
        handle: Handle | None = None,
    ) -> None:
        """Change attributes. A size given without a handle is written back at once. EFBIG, EISDIR, EINVAL, EROFS."""
        known = _known(node)
        self._backend.require_write(self._table.names(known))
        if size is not None:
            opening.truncate(self._volume, self._files, _regular(node), size, handle)
        given = {
            "mode": mode,
            "uid": uid,
            "gid": gid,
            "atime_ns": atime_ns,
            "mtime_ns": mtime_ns,
            "ctime_ns": ctime_ns,
        }
        changing.change(self._volume, known, {name: value for name, value in given.items() if value is not None})

    def getxattr(self, node: Node, name: str) -> bytes | None:
        """One extended attribute; None if the node does not have it. ENOTSUP."""
        try:
            with changing.xattrs(self._volume, _known(node)) as (posix, path):
                return posix.getxattr(path, name)
        except OSError as error:
            if error.errno != errno.ENODATA:
                raise
            return None

    def setxattr(self, node: Node, name: str, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute. ENOTSUP, EEXIST, ENODATA, E2BIG."""
        with changing.xattrs(self._volume, _known(node)) as (posix, path):
            posix.setxattr(path, name, value, flags)

    def listxattr(self, node: Node) -> list[str]:
        """Names of all extended attributes. ENOTSUP."""
        with changing.xattrs(self._volume, _known(node)) as (posix, path):
            return posix.listxattr(path)

    def removexattr(self, node: Node, name: str) -> None:
        """Remove an extended attribute. ENOTSUP, ENODATA."""
        with changing.xattrs(self._volume, _known(node)) as (posix, path):
            posix.removexattr(path, name)

    # ---- content

    def open(self, node: Node, flags: int) -> ContentHandle | DirectHandle:
        """Open a regular file; O_TRUNC empties it. EISDIR, EINVAL, ENOENT, EROFS."""
        return opening.open_file(self._volume, self._files, _regular(node), flags)

    def read(self, node: Node, size: int, offset: int) -> list[Buffer]:
        """ENOTSUP: reading needs an open handle here."""
        raise not_supported("reading without an open handle")

    def write(self, node: Node, data: Buffer, offset: int) -> int:
        """ENOTSUP: writing needs an open handle here."""
        raise not_supported("writing without an open handle")

    def append(self, node: Node, data: Buffer) -> int:
        """ENOTSUP, as ``write``: an open handle appends if O_APPEND was given."""
        raise not_supported("writing without an open handle")

    def allocate(self, node: Node, offset: int, length: int, mode: int) -> None:
        """fallocate(2): growing a file and writing zeros; nothing can be reserved. ENOTSUP for other modes, EINVAL."""
        opening.allocate(self._volume, self._files, _regular(node), offset, length, mode)

    def seek(self, node: Node, offset: int, whence: int) -> int:
        """lseek(2) for SEEK_DATA and SEEK_HOLE: all is data, up to the end. ENXIO, EINVAL."""
        size = self.getattr(_regular(node)).size
        if whence not in (os.SEEK_DATA, os.SEEK_HOLE):
            raise os_error(errno.EINVAL, hint="only SEEK_DATA and SEEK_HOLE")
        if not 0 <= offset < size:
            raise os_error(errno.ENXIO)
        return offset if whence == os.SEEK_DATA else size

    # ---- the whole

    def statvfs(self) -> StatVfs:
        """Sizes and free space; figures that stop nobody, where the filesystem does not tell."""
        if not self._capabilities.statvfs:
            return StatVfs(_BLOCK, _PLENTY, _PLENTY, _PLENTY, _PLENTY, NAME_MAX)
        with os_errors("/"):
            return self._backend.posix.statvfs()

    def hold(self, table: Container[int]) -> Callable[[], None]:
        """Nothing to do: a node lives for as long as anyone has it, with or without a name."""
        return _nothing

    def forget(self, node: Node) -> None:
        """Nothing to do, for the same reason."""

    def fsync(self, node: Node) -> None:
        """``sync``: what is unwritten goes together."""
        self.sync()

    def sync(self) -> None:
        """Write back what is open and changed. The error names every file that failed and where its content is kept."""
        self._files.flush_all()

    def watch(self, callback: Change) -> Callable[[], None]:
        """Never calls: such filesystems do not tell what others change."""
        return _nothing

    def close(self) -> None:
        """``sync``, and remove the spool directory unless something had to be kept in it. Errors as ``sync``."""
        try:
            self._files.flush_all()
        finally:
            self._volume.spools.close()


def _nothing() -> None: ...


def _known(node: Node) -> PathNode:
    if not isinstance(node, PathNode):
        raise os_error(errno.EINVAL, hint="a node of another filesystem")
    return node


def _directory(node: Node) -> DirectoryNode:
    if not isinstance(node, DirectoryNode):
        raise os_error(errno.ENOTDIR, _known(node).name)
    return node


def _regular(node: Node) -> PathNode:
    known = _known(node)
    if not known.is_file:
        raise not_a_file(known.name, is_directory=isinstance(known, DirectoryNode))
    return known
