"""Inode operations: what the VFS offers to doors, and what an engine offers to the VFS directly.

A node is a file, whatever its names. Directory operations take the parent's node and one name, so a path is resolved
once and not once per request, and a file that was renamed or unlinked while open is still the same node.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chuk_fsspec.contract.posix import Buffer, Handle, StatVfs


class Node(Protocol):
    """One inode's attributes, as ``stat`` names them. Times are integer nanoseconds since the epoch."""

    @property
    def ino(self) -> int:
        """Inode number."""

    @property
    def mode(self) -> int:
        """File type and permission bits."""

    @property
    def nlink(self) -> int:
        """How many names it has."""

    @property
    def uid(self) -> int:
        """Owner."""

    @property
    def gid(self) -> int:
        """Group."""

    @property
    def rdev(self) -> int:
        """Device number of a device node, 0 for everything else."""

    @property
    def size(self) -> int:
        """Bytes of content; of a symbolic link, the length of its target."""

    @property
    def allocated(self) -> int:
        """Bytes that the content really takes, holes left out."""

    @property
    def atime_ns(self) -> int:
        """Last access."""

    @property
    def mtime_ns(self) -> int:
        """Last change of content."""

    @property
    def ctime_ns(self) -> int:
        """Last change of content or attributes."""

    @property
    def announced(self) -> bool:
        """Whether watchers hear of every change that somebody else makes to it, so that a door may believe what it saw.

        Where not, others may change it unseen, and a door asks again after a moment.
        """


@dataclass(frozen=True)
class WholeFile:
    """A regular file as it is going to be.

    Attributes:
        name: in its directory.
        data: its content.
        mode: permission bits (0o7777).
        uid: owner.
        gid: group, unless the directory says another one (set-group-ID).
        atime_ns: last access; None for now.
        mtime_ns: last change of content; None for now.
        xattrs: extended attributes.
    """

    name: str
    data: bytes
    mode: int
    uid: int
    gid: int
    atime_ns: int | None = None
    mtime_ns: int | None = None
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


Change = Callable[["Node | None", str, "Node | None"], None]
"""Called after the tree changed through someone else: (directory, name, node).

With a directory, the entry ``name`` in it is new, gone or another one now. With ``None`` for it, the content or the
attributes of ``node`` changed; without one either, anything may have.
"""


class NodeOperations(Protocol):
    """A filesystem as a graph of nodes. Every method may be called from any thread.

    Names are single components; bytes that are not UTF-8 arrive as surrogate escapes (PEP 383). Errors are ``OSError``
    with the errno of the Linux system call of the same name. Permission bits are kept but not enforced: that is for the
    kernel (``default_permissions``) or for a wrapper.
    """

    @property
    def root(self) -> Node:
        """The root directory."""

    @property
    def stateless(self) -> bool:
        """True if reads and writes need no open handle, and closing a file does nothing."""

    @property
    def announces(self) -> bool:
        """True if every node is ``announced``; where False, each says it for itself."""

    @property
    def slow(self) -> bool:
        """True if an operation may wait for a network, so that a door should not serve requests one after another."""

    def lookup(self, directory: Node, name: str) -> Node | None:
        """The node behind an entry, a link not followed; None if there is none. ENOTDIR."""

    def getattr(self, node: Node) -> Node:
        """The node with current attributes. ENOENT if it was removed behind our back."""

    def parent(self, directory: Node) -> Node:
        """The directory that holds a directory; the root is its own."""

    def entries(self, directory: Node) -> Sequence[tuple[str, Node]]:
        """Names and nodes of a directory at one moment, without ``.`` and ``..``. ENOTDIR."""

    def create(self, directory: Node, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> Node:
        """Make a file, FIFO, socket or device; ``mode`` has the type bits. EEXIST, ENOTDIR, ENOENT, ENAMETOOLONG."""

    def mkdir(self, directory: Node, name: str, mode: int, uid: int, gid: int) -> Node:
        """Make a directory. EEXIST, ENOTDIR, ENOENT, ENAMETOOLONG."""

    def symlink(self, directory: Node, name: str, target: str, uid: int, gid: int) -> Node:
        """Make a symbolic link that holds ``target`` as it is. EEXIST, ENOTDIR, ENOENT, ENAMETOOLONG."""

    def temporary(self, directory: Node, mode: int, uid: int, gid: int) -> Node:
        """Make a regular file without a name, with the group that one made in ``directory`` gets (O_TMPFILE)."""

    def link(self, node: Node, directory: Node, name: str) -> None:
        """Give a file one more name. EEXIST, EPERM for a directory, EMLINK, ENOENT."""

    def unlink(self, directory: Node, name: str) -> None:
        """Remove a name; the file lives on while it has others or is open. ENOENT, EISDIR."""

    def rmdir(self, directory: Node, name: str) -> None:
        """Remove an empty directory. ENOENT, ENOTDIR, ENOTEMPTY."""

    def rename(self, directory: Node, name: str, new_directory: Node, new_name: str, flags: int = 0) -> None:
        """Move an entry, replacing the target as POSIX says; flags are renameat2's NOREPLACE and EXCHANGE."""

    def readlink(self, node: Node) -> str:
        """Where a symbolic link points, as it was given. EINVAL."""

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
        """Change the given attributes in one step; ``size`` truncates or grows with a hole. EFBIG, EISDIR, EINVAL."""

    def open(self, node: Node, flags: int) -> Handle:
        """Open a regular file; ``flags`` are those of open(2), O_CREAT and O_EXCL left out. EISDIR, EINVAL."""

    def read(self, node: Node, size: int, offset: int) -> Sequence[Buffer]:
        """Up to ``size`` bytes from ``offset`` in pieces, without an open handle. Only where ``stateless``."""

    def write(self, node: Node, data: Buffer, offset: int) -> int:
        """Write at ``offset`` without an open handle; all of it or an error. Only where ``stateless``."""

    def append(self, node: Node, data: Buffer) -> int:
        """The same at the end, wherever others have moved that by then (O_APPEND); ``node.size`` is the new end."""

    def allocate(self, node: Node, offset: int, length: int, mode: int) -> None:
        """fallocate(2): 0 and KEEP_SIZE reserve, PUNCH_HOLE and ZERO_RANGE zero. ENOTSUP for other modes."""

    def seek(self, node: Node, offset: int, whence: int) -> int:
        """lseek(2) for SEEK_DATA and SEEK_HOLE. ENXIO past the end."""

    def getxattr(self, node: Node, name: str) -> bytes | None:
        """One extended attribute; None if the node does not have it."""

    def setxattr(self, node: Node, name: str, value: bytes, flags: int = 0) -> None:
        """Set an extended attribute; flags are XATTR_CREATE and XATTR_REPLACE. EEXIST, ENODATA, E2BIG."""

    def listxattr(self, node: Node) -> list[str]:
        """Names of all extended attributes."""

    def removexattr(self, node: Node, name: str) -> None:
        """Remove an extended attribute. ENODATA."""

    def statvfs(self) -> StatVfs:
        """Sizes and free space."""

    def hold(self, table: Container[int]) -> Callable[[], None]:
        """Keep every node whose number is in ``table`` alive, also without a name; returns what ends it.

        A door keeps the table as it goes: the numbers of the nodes that its clients know. ``forget`` tells of each that
        left it.
        """

    def forget(self, node: Node) -> None:
        """Told when a door holds a node no longer, so that an unlinked one may be freed."""

    def fsync(self, node: Node) -> None:
        """Make a file, or the entries of a directory, durable, where the filesystem can. EIO, ENOENT."""

    def sync(self) -> None:
        """Make everything written so far durable, where the filesystem can."""

    def watch(self, callback: Change) -> Callable[[], None]:
        """Call ``callback`` after every change made through anyone but this object; returns what ends it."""

    def close(self) -> None:
        """Release what this object holds; unfinished write-back is finished first. EIO if that fails."""


class WholeFileNodes(NodeOperations, Protocol):
    """What ``posix.nodes`` is where ``whole_files`` is declared."""

    def make_files(self, directory: Node, files: Sequence[WholeFile], *, replace: bool = False) -> Sequence[Node]:
        """Make regular files in one step. Nobody ever sees one with less than its content and attributes.

        Args:
            directory: where.
            files: what they are to be.
            replace: take the place of what has their names, which loses it as by rename(2).

        Returns:
            The new nodes.

        Raises:
            OSError: EEXIST unless ``replace``, and for a name that is given twice; EISDIR for a directory of that name;
                ENOTDIR, ENOENT, ENAMETOOLONG, ENOSPC; E2BIG, ERANGE for an extended attribute. None is made then.
        """
