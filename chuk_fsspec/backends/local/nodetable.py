"""From nodes to inodes: which are known, and how each is reached."""

from __future__ import annotations

import errno
import itertools
import os
import stat
import threading
import weakref

from chuk_fsspec.backends.local.beneath import Place, open_beneath
from chuk_fsspec.backends.local.descriptor import Descriptor
from chuk_fsspec.backends.local.flags import O_NOATIME, O_PATH
from chuk_fsspec.backends.local.inode import HeldInode, OpenInode
from chuk_fsspec.backends.local.node import LocalNode, RecentlyUsed
from chuk_fsspec.backends.local.owning import Owner
from chuk_fsspec.backends.local.shared import Identity, View
from chuk_fsspec.backends.local.support import way_to
from chuk_fsspec.backends.local.walk import open_directory
from chuk_fsspec.contract.errors import not_a_file, os_error
from chuk_fsspec.contract.paths import PATH_MAX

_SPARE_NUMBERS = 1 << 62
_GONE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE))


class NodeTable:
    """The nodes of one view, for as long as anybody has them.

    Args:
        owner: of the root.
        view: whose nodes they are.
    """

    def __init__(self, owner: Owner, view: View) -> None:
        self._owner = owner
        self._view = view
        self._by_identity: weakref.WeakValueDictionary[Identity, LocalNode] = weakref.WeakValueDictionary()
        self._lent_numbers: weakref.WeakValueDictionary[int, LocalNode] = weakref.WeakValueDictionary()
        self._spare_numbers = itertools.count(_SPARE_NUMBERS)
        self._lock = threading.RLock()
        self._recent = RecentlyUsed()
        root = owner.shared.directory
        self._device = root.stat().st_dev
        self.root = self._new(root.stat(), None, "")
        self.root.held, self.root.pinned = root, True

    def known(self, found: os.stat_result) -> LocalNode | None:
        """The node of an inode, if anybody has it."""
        node = self._by_identity.get((found.st_dev, found.st_ino))
        return node if node is not None and is_behind(node, found) else None

    def seen(self, directory: LocalNode, name: str, found: os.stat_result) -> LocalNode:
        """The node of an inode that was just looked at under a name."""
        node = self.known(found)
        if node is None:
            return self._new(found, directory, name)
        node.refresh(found)
        node.reached(directory, name)
        if node.pinned:  # it had lost its name, and has one again
            node.pinned = False
            self._recent.use(node)
        return node

    def nameless(self, opened: Descriptor) -> LocalNode:
        """The node of a new file without a name."""
        node = self._new(opened.stat(), None, "")
        node.held = node.reading = node.writing = opened
        node.pinned = True
        return node

    def _new(self, found: os.stat_result, directory: LocalNode | None, name: str) -> LocalNode:
        identity = found.st_dev, found.st_ino
        with self._lock:
            node = self._by_identity.get(identity)
            if node is not None and is_behind(node, found):
                return node  # another thread was faster
            if node is not None:
                self._lent_numbers[node.ino] = node  # its door has it for as long as it likes
            is_free = found.st_dev == self._device and found.st_ino not in self._lent_numbers
            number = found.st_ino if is_free else next(self._spare_numbers)
            node = self._by_identity[identity] = LocalNode(number, found, directory, name)
            return node

    # ---- reaching

    def directory(self, node: LocalNode) -> Descriptor:
        """Hold a directory. ENOTDIR; ESTALE if it is not where it was."""
        held = node.held
        if held is None:
            return self._reach(node)
        if not node.is_directory:
            raise os_error(errno.ENOTDIR, node.name)
        if not node.pinned:
            self._recent.use(node)
        return held

    def _reach(self, node: LocalNode) -> Descriptor:
        if not node.is_directory:
            raise os_error(errno.ENOTDIR, node.name)
        names: list[str] = []
        above = node
        while (held := above.held) is None:
            if above.parent is None or len(names) > PATH_MAX:  # others moved directories into one another
                raise os_error(errno.ESTALE, node.name)
            names.append(above.name)
            above = above.parent
        try:
            for name in reversed(names):
                held = open_directory(held, name)
        except OSError as error:
            raise os_error(errno.ESTALE if error.errno in _GONE else error.errno or errno.EIO, node.name) from None
        if not is_behind(node, held.stat()):
            raise os_error(errno.ESTALE, node.name)
        node.held = held
        self._recent.use(node)
        return held

    def inode(self, node: LocalNode) -> HeldInode:
        """Hold an inode of any kind. ESTALE if it is behind none of its names any more."""
        if node.is_directory:
            return HeldInode(self.directory(node))
        opened = node.writing or node.reading
        return OpenInode(opened) if opened is not None else HeldInode(node.held or self._by_name(node))

    def _by_name(self, node: LocalNode) -> Descriptor:
        for directory, name in node.names():
            with _unless_gone():
                held = open_beneath(Place(self.directory(directory), name), O_PATH)
                if is_behind(node, held.stat()):
                    return held
        raise os_error(errno.ESTALE, node.name)

    def look(self, node: LocalNode) -> None:
        """Take over current attributes. ESTALE."""
        held = node.held or node.writing or node.reading
        if held is not None:
            node.refresh(held.stat())
            return
        for directory, name in node.names():
            with _unless_gone():
                above = self.directory(directory)
                found = os.stat(name, dir_fd=above.number, follow_symlinks=False)
                if is_behind(node, found):
                    node.refresh(found)
                    return
        raise os_error(errno.ESTALE, node.name)

    def at(self, place: Place) -> LocalNode | None:
        """The node behind an entry, if anybody has it."""
        try:
            return self.known(os.stat(place.name, dir_fd=place.directory.number, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def names_to(self, directory: Descriptor) -> list[str]:
        """The names from the root to a directory, as the kernel tells them just now; none if it lies outside by now."""
        assert self.root.held is not None
        top, path = (os.readlink(way_to(one.number)) for one in (self.root.held, directory))
        prefix = f"{top.rstrip('/')}/"
        return path[len(prefix) :].split("/") if path.startswith(prefix) else []

    def held(self, node: LocalNode, held: Descriptor) -> None:
        """A node is held already."""
        node.held = held
        self._recent.use(node)

    def opened(self, node: LocalNode, opened: Descriptor) -> None:
        """A node's content is open already, for reading and writing."""
        node.reading = node.writing = opened
        self._recent.use(node)

    def pin(self, directory: Descriptor, name: str) -> LocalNode | None:
        """Hold the inode of an entry that is about to lose it, if anybody has its node, and until that is forgotten."""
        try:
            found = os.stat(name, dir_fd=directory.number, follow_symlinks=False)
            node = self.known(found)
            if node is None:
                return None
            if not node.pinned:
                held = node.held or node.writing or node.reading
                if held is None:
                    held = open_beneath(Place(directory, name), O_PATH)
                    if not is_behind(node, held.stat()):
                        return None
                node.held, node.pinned = held, True
        except FileNotFoundError:
            return None
        return node

    def forget(self, node: LocalNode) -> None:
        """Nobody works with a node any more."""
        if node is not self.root:
            node.pinned = False
            self._recent.forget(node)
            node.let_go()

    def clear(self) -> None:
        """Let go of everything but what has no name."""
        self._recent.clear()

    # ---- content

    def reading(self, node: LocalNode) -> Descriptor:
        """A regular file's content, open for reading. EISDIR, EINVAL, EACCES, ESTALE."""
        opened = node.reading
        if opened is None:
            opened = node.reading = self._open(node, os.O_RDONLY)
        if not node.pinned:
            self._recent.use(node)
        return opened

    def writing(self, node: LocalNode) -> Descriptor:
        """A regular file's content, open for writing: all its names lie inside then. EISDIR, EINVAL, EACCES, ESTALE."""
        opened = node.writing
        if opened is None:
            try:
                opened = self._open(node, os.O_RDWR)
            except PermissionError:
                opened = self._open(node, os.O_WRONLY)
            inode = OpenInode(opened)
            if self.own(node, inode) is not inode:
                return self.writing(node)
            node.writing = opened
        if not node.pinned:
            self._recent.use(node)
        return opened

    def _open(self, node: LocalNode, flags: int) -> Descriptor:
        """Open what was a regular file when it was last looked at. EISDIR, EINVAL, EACCES, ESTALE."""
        if not stat.S_ISREG(node.mode):
            raise not_a_file(node.name, is_directory=node.is_directory)
        held = node.held or node.writing or node.reading
        if held is not None:
            return open_unnoticed(HeldInode(held), flags)
        for directory, name in node.names():
            with _unless_gone():
                opened = open_beneath_unnoticed(Place(self.directory(directory), name), flags)
                if is_behind(node, opened.stat()):
                    return opened
        raise os_error(errno.ESTALE, node.name)

    def own(self, node: LocalNode, inode: HeldInode) -> HeldInode:
        """The inode of a node, which may be changed in place: if it has unknown names, a copy under the known ones."""
        if self._owner.is_own(inode):
            return inode
        places = [Place(self.directory(directory), name) for directory, name in node.names()]
        if not places:
            raise os_error(errno.EPERM, hint="it has other names, which may lie outside the root")
        self._owner.replace_by_copy(inode, places, by=self._view)
        held = open_beneath(places[0], O_PATH)
        with self._lock:
            if self._by_identity.get(node.identity) is node:
                del self._by_identity[node.identity]
            node.became(held.stat())
            self._by_identity[node.identity] = self._lent_numbers[node.ino] = node
        return HeldInode(held)


def open_unnoticed(inode: HeldInode, flags: int) -> Descriptor:
    """Open an inode so that reading leaves its time of access alone, as mounts of doors do, where this user may."""
    try:
        return inode.open(flags | O_NOATIME)
    except PermissionError:
        if not O_NOATIME:
            raise
        return inode.open(flags)


def open_beneath_unnoticed(place: Place, flags: int) -> Descriptor:
    """As ``open_unnoticed``, by name; what is no regular file any more is opened without waiting for anybody."""
    try:
        return open_beneath(place, flags | O_NOATIME)
    except PermissionError:
        if not O_NOATIME:
            raise
        return open_beneath(place, flags)


class _unless_gone:  # noqa: N801 - it is used as a statement
    """``with _unless_gone():`` goes on behind the block if there is nothing behind a name any more."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, exc_type: object, error: BaseException | None, traceback: object) -> bool:
        return isinstance(error, OSError) and error.errno in _GONE


def is_behind(node: LocalNode, found: os.stat_result) -> bool:
    """Whether an inode that was found is the node's. One of another kind has only been given the same number."""
    return (found.st_dev, found.st_ino) == node.identity and not stat.S_IFMT(node.mode ^ found.st_mode)
