"""Inode operations with rules and quotas. What may be done with a node was decided when it was looked up."""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial

from chuk_fsspec.contract.nodes import Change, Node, NodeOperations
from chuk_fsspec.contract.operations import Effect
from chuk_fsspec.contract.posix import FALLOC_KEEP_SIZE, RENAME_EXCHANGE, Buffer, Handle, StatVfs
from chuk_fsspec.forwarding.node_paths import path_of
from chuk_fsspec.forwarding.nodes import ForwardingNodes
from chuk_fsspec.wrappers.security.books import Books
from chuk_fsspec.wrappers.security.charges import NodeCharges
from chuk_fsspec.wrappers.security.gate import WHERE_IT_GOES, Gate
from chuk_fsspec.wrappers.security.grants import Found, Grant, Grants
from chuk_fsspec.wrappers.security.ledger import NOTHING
from chuk_fsspec.wrappers.security.policy import Scope
from chuk_fsspec.wrappers.security.space import within

LIST, READ, WRITE, DELETE, RENAME = Effect.LIST, Effect.READ, Effect.WRITE, Effect.DELETE, Effect.RENAME


class SecureNodes(ForwardingNodes):
    """One door's view of a filesystem with rules (``contract.NodeOperations``).

    Args:
        inner: the inode operations below.
        gate: checks and notes.
        books: what is stored.
    """

    def __init__(self, inner: NodeOperations, gate: Gate, books: Books) -> None:
        super().__init__(inner)
        self._gate = gate
        self._limits = books.limits
        self._grants = Grants(gate.policy, inner)
        self._charges = NodeCharges(books, inner, lambda node: self._grants.known(node).path())
        self._known = self._grants.paths.known
        self._callbacks: list[Change] = []
        self._handles: weakref.WeakKeyDictionary[Handle, Handle] = weakref.WeakKeyDictionary()
        self._end_watching = weakref.finalize(self, inner.watch(_weakly(self._changed)))

    def _grant(self, node: Node) -> Grant:
        """What may be done with a node."""
        known = self._known.get(node.ino)
        if known is not None and known.note is not None:
            return known.note
        return self._grants.of(node)

    def _directory(self, node: Node) -> tuple[Found, Grant]:
        """A directory and what may be done with it."""
        known = self._known.get(node.ino)
        if known is not None and (grant := known.note) is not None:
            return known, grant
        return self._grants.known(node), self._grants.of(node)

    def _require(self, operation: str, node: Node, effect: Effect) -> None:
        """Check an effect on a node."""
        grant = self._grant(node)
        if effect not in grant.allows:
            raise self._refusal(operation, node, effect, grant)

    def _refusal(self, operation: str, node: Node, effect: Effect, grant: Grant) -> OSError:
        return self._gate.refusal(operation, self._grants.known(node).path(), effect, grant)

    def _entry(
        self, operation: str, directory: Node, name: str, effect: Effect, *, creates: bool = False
    ) -> tuple[Found, Scope]:
        """Check an effect on an entry; returns the directory and what may be done with the entry."""
        above, grant = self._directory(directory)
        below = grant.below(name)
        if effect not in below.allows:
            raise self._gate.refusal(operation, path_of(above, name), effect, below, creates=creates)
        return above, below

    # ---- looking

    def lookup(self, directory: Node, name: str) -> Node | None:
        above, grant = self._directory(directory)
        below = grant.below(name)
        if not below.may_list:
            if below.hidden:
                return None
            raise self._gate.refusal("lookup", path_of(above, name), LIST, below)
        node = self._inner.lookup(directory, name)
        if node is None:
            return None
        known = self._known.get(node.ino)
        if known is None or known.parent is not above or known.name != name:
            if self._grants.moved(directory, name, node):
                self._tell(None, "", None)
            known = self._grants.paths.saw(above, name, node)
            if known.note is None and not known.others:
                known.note = below
        return node

    def getattr(self, node: Node) -> Node:
        grant = self._grant(node)
        if not grant.may_list:
            raise self._refusal("getattr", node, LIST, grant)
        return self._inner.getattr(node)

    def entries(self, directory: Node) -> Sequence[tuple[str, Node]]:
        above, grant = self._directory(directory)
        if not grant.may_list:
            raise self._refusal("entries", directory, LIST, grant)
        found = self._inner.entries(directory)
        if not grant.is_uniform:
            found = [(name, node) for name, node in found if grant.below(name).may_list]
        self._grants.paths.listed(above, found)
        return found

    def readlink(self, node: Node) -> str:
        self._require("readlink", node, LIST)
        return self._inner.readlink(node)

    # ---- making

    def create(self, directory: Node, name: str, mode: int, uid: int, gid: int, rdev: int = 0) -> Node:
        make = partial(self._inner.create, directory, name, mode, uid, gid, rdev)
        return self._make("mknod", directory, name, make)

    def mkdir(self, directory: Node, name: str, mode: int, uid: int, gid: int) -> Node:
        return self._make("mkdir", directory, name, partial(self._inner.mkdir, directory, name, mode, uid, gid))

    def symlink(self, directory: Node, name: str, target: str, uid: int, gid: int) -> Node:
        return self._make("symlink", directory, name, partial(self._inner.symlink, directory, name, target, uid, gid))

    def _make(self, operation: str, directory: Node, name: str, make: Callable[[], Node]) -> Node:
        above, below = self._entry(operation, directory, name, WRITE, creates=True)
        node = self._charges.make_one(operation, lambda: path_of(above, name), make)
        self._grants.paths.saw(above, name, node).note = below
        return node

    def temporary(self, directory: Node, mode: int, uid: int, gid: int) -> Node:
        above, grant = self._directory(directory)
        if not grant.may_write:
            raise self._refusal("temporary", directory, WRITE, grant)
        make = partial(self._inner.temporary, directory, mode, uid, gid)
        node = self._charges.make_without_name(above.path, make)
        self._grants.paths.saw(above, "", node).note = grant
        return node

    def link(self, node: Node, directory: Node, name: str) -> None:
        self._require("link", node, WRITE)
        above, below = self._entry("link", directory, name, WRITE, creates=True)
        if below.allows - self._grant(node).allows - {DELETE, RENAME}:
            path = self._grants.known(node).path()
            raise self._gate.refused("link", path, WRITE, WHERE_IT_GOES, path_of(above, name))
        with self._charges.turn():
            self._inner.link(node, directory, name)
            self._charges.ledger.got_name(node.ino)
        self._grants.paths.saw(above, name, node)

    # ---- removing and moving

    def unlink(self, directory: Node, name: str) -> None:
        self._remove("unlink", directory, name, self._inner.unlink)

    def rmdir(self, directory: Node, name: str) -> None:
        self._remove("rmdir", directory, name, self._inner.rmdir)

    def _remove(self, operation: str, directory: Node, name: str, remove: Callable[[Node, str], None]) -> None:
        above, _ = self._entry(operation, directory, name, DELETE)
        with self._charges.turn():
            node = self._inner.lookup(directory, name)
            lost = self._charges.lost_by_removing(node)
            remove(directory, name)
            self._charges.lost(node, lost)
        if node is not None and (known := self._known.get(node.ino)) is not None and known.others:
            self._grants.paths.left(above, name, node)

    def rename(self, directory: Node, name: str, new_directory: Node, new_name: str, flags: int = 0) -> None:
        swaps = bool(flags & RENAME_EXCHANGE)
        above, here = self._entry("rename", directory, name, RENAME)
        beyond, there = self._entry("rename", new_directory, new_name, RENAME, creates=not swaps)
        with self._charges.turn():
            node = self._inner.lookup(directory, name)
            other = self._inner.lookup(new_directory, new_name)
            if here is not there:
                self._require_movable(node, path_of(above, name), path_of(beyond, new_name))
                if swaps:
                    self._require_movable(other, path_of(beyond, new_name), path_of(above, name))
            is_same = node is None or other is None or node.ino == other.ino
            lost = NOTHING if swaps or is_same else self._charges.lost_by_removing(other)
            self._inner.rename(directory, name, new_directory, new_name, flags)
            self._charges.lost(other, lost)
        if node is not None and other is None and here is there and self._grants.paths.renamed(beyond, new_name, node):
            return
        changed = False
        if node is not None:
            changed = self._grants.moved(new_directory, new_name, node)
            self._grants.paths.left(above, name, node)
        if other is not None and not is_same:
            changed = (swaps and self._grants.moved(directory, name, other)) or changed
            self._grants.paths.left(beyond, new_name, other)
        if changed:
            self._tell(None, "", None)

    def _require_movable(self, node: Node | None, source: str, target: str) -> None:
        if node is not None:
            below = self._paths_below(node, source) if stat.S_ISDIR(node.mode) else ()
            self._gate.require_movable("rename", source, target, below)

    def _paths_below(self, directory: Node, path: str) -> Iterator[str]:
        """The paths of all that a directory holds."""
        pending = [(directory, path)]
        while pending:
            above, prefix = pending.pop()
            for name, node in self._inner.entries(above):
                yield f"{prefix}/{name}"
                if stat.S_ISDIR(node.mode):
                    pending.append((node, f"{prefix}/{name}"))

    # ---- attributes and content

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
        self._require("setattr", node, WRITE)
        change = partial(
            self._inner.setattr,
            node,
            mode=mode,
            uid=uid,
            gid=gid,
            size=size,
            atime_ns=atime_ns,
            mtime_ns=mtime_ns,
            ctime_ns=ctime_ns,
            handle=None if handle is None else self._handles.get(handle, handle),
        )
        if size is not None and self._charges.counts_sizes:
            self._charges.resize("setattr", node, lambda before: size, change)
        else:
            self._charges.alter("setattr", node, change)

    def open(self, node: Node, flags: int) -> Handle:
        access = flags & os.O_ACCMODE
        if access != os.O_WRONLY:
            self._require("open", node, READ)
        if access != os.O_RDONLY or flags & os.O_TRUNC:
            self._require("open", node, WRITE)
        if not self._charges.counts_sizes:
            return self._inner.open(node, flags)

        def act() -> Handle:
            inner = self._inner.open(node, flags)
            handle = self._charges.opened(inner, node, flags)
            self._handles[handle] = inner
            return handle

        if access == os.O_RDONLY and not flags & os.O_TRUNC:
            with self._charges.turn():
                return act()
        return self._charges.resize("open", node, lambda before: 0 if flags & os.O_TRUNC else before, act)

    def read(self, node: Node, size: int, offset: int) -> Sequence[Buffer]:
        grant = self._grant(node)
        if not grant.may_read:
            raise self._refusal("read", node, READ, grant)
        return self._inner.read(node, size, offset)

    def write(self, node: Node, data: Buffer, offset: int) -> int:
        """As below. ENOSPC for a used up quota: a kernel that writes back later makes EIO of any other errno."""
        end = offset + len(data)
        return self._write(node, data, partial(self._inner.write, node, data, offset), lambda before: max(before, end))

    def append(self, node: Node, data: Buffer) -> int:
        """As below. ENOSPC for a used up quota, as ``write``."""
        return self._write(node, data, partial(self._inner.append, node, data), lambda before: before + len(data))

    def _write(self, node: Node, data: Buffer, write: Callable[[], int], becomes: Callable[[int], int]) -> int:
        grant = self._grant(node)
        if not grant.may_write:
            raise self._refusal("write", node, WRITE, grant)
        if not self._charges.counts_sizes or not data:
            return write()
        return self._charges.resize("write", node, becomes, write, errno.ENOSPC)

    def allocate(self, node: Node, offset: int, length: int, mode: int) -> None:
        self._require("allocate", node, WRITE)
        allocate = partial(self._inner.allocate, node, offset, length, mode)
        if mode & FALLOC_KEEP_SIZE or not self._charges.counts_sizes:
            self._charges.alter("allocate", node, allocate)
        else:
            self._charges.resize("allocate", node, lambda before: max(before, offset + length), allocate)

    def seek(self, node: Node, offset: int, whence: int) -> int:
        self._require("seek", node, READ)
        return self._inner.seek(node, offset, whence)

    def getxattr(self, node: Node, name: str) -> bytes | None:
        self._require("getxattr", node, READ)
        return self._inner.getxattr(node, name)

    def setxattr(self, node: Node, name: str, value: bytes, flags: int = 0) -> None:
        self._require("setxattr", node, WRITE)
        self._charges.alter("setxattr", node, partial(self._inner.setxattr, node, name, value, flags))

    def listxattr(self, node: Node) -> list[str]:
        self._require("listxattr", node, LIST)
        return self._inner.listxattr(node)

    def removexattr(self, node: Node, name: str) -> None:
        self._require("removexattr", node, WRITE)
        self._charges.alter("removexattr", node, partial(self._inner.removexattr, node, name))

    # ---- the whole

    def statvfs(self) -> StatVfs:
        figures = self._inner.statvfs()
        return figures if not self._limits.counts else within(self._limits, self._charges.books.usage(), figures)

    def hold(self, table: Container[int]) -> Callable[[], None]:
        endings = (self._inner.hold(table), self._charges.ledger.hold(table), self._grants.paths.hold(table))

        def end() -> None:
            for one in endings:
                one()

        return end

    def forget(self, node: Node) -> None:
        self._inner.forget(node)
        self._grants.paths.forget(node)
        self._charges.forgotten(node)

    def watch(self, callback: Change) -> Callable[[], None]:
        self._callbacks.append(callback)

        def end() -> None:
            self._callbacks[:] = [kept for kept in self._callbacks if kept is not callback]

        return end

    def close(self) -> None:
        self._end_watching()
        self._inner.close()

    def _changed(self, directory: Node | None, name: str, node: Node | None) -> None:
        """Somebody else changed something: what is known is corrected, and doors hear of what they may see."""
        everything = directory is None and node is None
        if everything:
            self._grants.check_all()
        elif directory is not None and node is not None and self._grants.moved(directory, name, node):
            everything = True
        if everything:
            self._tell(None, "", None)
        elif self._shows(directory, name, node):
            self._tell(directory, name, node)

    def _shows(self, directory: Node | None, name: str, node: Node | None) -> bool:
        """Whether a door may know of a change."""
        where = directory if directory is not None else node
        known = None if where is None else self._grants.paths.find(where)
        if known is None:
            return False
        grant = known.note or self._grants.of(known.node)
        if directory is None:
            return grant.may_list
        return grant.below(name).may_list

    def _tell(self, directory: Node | None, name: str, node: Node | None) -> None:
        for callback in list(self._callbacks):
            tell = partial(callback, directory, name, node)
            if not self._charges.ledger.turns.whole.keeps_back(tell):
                tell()


def _weakly(method: Callable[[Node | None, str, Node | None], None]) -> Change:
    """A callback that does not keep its object alive."""
    reference = weakref.WeakMethod(method)

    def call(directory: Node | None, name: str, node: Node | None) -> None:
        alive = reference()
        if alive is not None:
            alive(directory, name, node)

    return call
