"""Requests about names: looking up, making, removing, moving, and forgetting."""

from __future__ import annotations

import stat

from chuk_adapters.fuse.kernel.protocol import (
    BATCH_FORGET_IN,
    FORGET_IN,
    FORGET_ONE,
    HEADER_SIZE,
    LINK_IN,
    MKDIR_IN,
    MKNOD_IN,
    RENAME2_IN,
    RENAME_IN,
    Opcode,
)
from chuk_adapters.fuse.kernel.replies import Replies
from chuk_adapters.fuse.kernel.request import Handler, name_at, two_names_at
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_fsspec.contract.nodes import Node, NodeOperations

_AFTER_MKNOD = HEADER_SIZE + MKNOD_IN.size
_AFTER_MKDIR = HEADER_SIZE + MKDIR_IN.size
_AFTER_LINK = HEADER_SIZE + LINK_IN.size
_AFTER_RENAME = HEADER_SIZE + RENAME_IN.size
_AFTER_RENAME2 = HEADER_SIZE + RENAME2_IN.size


class Names:
    """Directory entries."""

    def __init__(self, nodes: NodeOperations, table: NodeTable, replies: Replies) -> None:
        self._nodes = nodes
        self._table = table
        self._replies = replies
        self._node = table.node
        self._lookup = nodes.lookup

    def handlers(self) -> dict[int, Handler]:
        """What answers which request."""
        return {
            Opcode.LOOKUP: self.lookup,
            Opcode.FORGET: self.forget,
            Opcode.BATCH_FORGET: self.batch_forget,
            Opcode.MKNOD: self.mknod,
            Opcode.MKDIR: self.mkdir,
            Opcode.SYMLINK: self.symlink,
            Opcode.LINK: self.link,
            Opcode.UNLINK: self.unlink,
            Opcode.RMDIR: self.rmdir,
            Opcode.RENAME: self.rename,
            Opcode.RENAME2: self.rename2,
        }

    def lookup(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        name = buffer[HEADER_SIZE : length - 1].decode("utf-8", "surrogateescape")
        directory = self._node(nodeid)
        node = self._lookup(directory, name)
        if node is None:
            self._replies.no_entry(unique, directory)
            return
        try:
            self._replies.entry(unique, node, nodeid, name)
        except OSError:
            # The request was taken back meanwhile, so that the kernel will never forget what it has not heard of.
            if (known := self._table.current(node)) is not None:
                self._forget(known.nodeid, 1)
            raise

    def forget(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._forget(nodeid, FORGET_IN.unpack_from(buffer, HEADER_SIZE)[0])

    def batch_forget(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        count, _ = BATCH_FORGET_IN.unpack_from(buffer, HEADER_SIZE)
        start = HEADER_SIZE + BATCH_FORGET_IN.size
        for one, lookups in FORGET_ONE.iter_unpack(buffer[start : start + count * FORGET_ONE.size]):
            self._forget(one, lookups)

    def _forget(self, nodeid: int, lookups: int) -> None:
        node = self._table.forget(nodeid, lookups)
        if node is not None:
            self._nodes.forget(node)

    def mknod(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        mode, rdev, _, _ = MKNOD_IN.unpack_from(buffer, HEADER_SIZE)
        name = name_at(buffer, _AFTER_MKNOD, length)
        node = self._nodes.create(self._node(nodeid), name, mode, uid, gid, rdev)
        self._replies.entry(unique, node, nodeid, name)

    def mkdir(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        mode, _ = MKDIR_IN.unpack_from(buffer, HEADER_SIZE)
        name = name_at(buffer, _AFTER_MKDIR, length)
        node = self._nodes.mkdir(self._node(nodeid), name, mode, uid, gid)
        self._replies.entry(unique, node, nodeid, name)

    def symlink(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        name, target = two_names_at(buffer, HEADER_SIZE, length)
        node = self._nodes.symlink(self._node(nodeid), name, target, uid, gid)
        self._replies.entry(unique, node, nodeid, name)

    def link(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        (existing_id,) = LINK_IN.unpack_from(buffer, HEADER_SIZE)
        name = name_at(buffer, _AFTER_LINK, length)
        node = self._node(existing_id)
        self._nodes.link(node, self._node(nodeid), name)
        self._replies.entry(unique, node, nodeid, name)

    def unlink(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._nodes.unlink(self._node(nodeid), name_at(buffer, HEADER_SIZE, length))
        self._replies.done(unique)

    def rmdir(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        directory, name = self._node(nodeid), name_at(buffer, HEADER_SIZE, length)
        removed = self._nodes.lookup(directory, name)
        self._nodes.rmdir(directory, name)
        self._retire(removed)
        self._replies.done(unique)

    def rename(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        (new_id,) = RENAME_IN.unpack_from(buffer, HEADER_SIZE)
        name, new_name = two_names_at(buffer, _AFTER_RENAME, length)
        self._rename(nodeid, name, new_id, new_name, 0)
        self._replies.done(unique)

    def rename2(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        new_id, flags, _ = RENAME2_IN.unpack_from(buffer, HEADER_SIZE)
        name, new_name = two_names_at(buffer, _AFTER_RENAME2, length)
        self._rename(nodeid, name, new_id, new_name, flags)
        self._replies.done(unique)

    def _rename(self, nodeid: int, name: str, new_id: int, new_name: str, flags: int) -> None:
        new_directory = self._node(new_id)
        replaced = self._nodes.lookup(new_directory, new_name) if not flags else None
        self._nodes.rename(self._node(nodeid), name, new_directory, new_name, flags)
        self._retire(replaced)

    def _retire(self, removed: Node | None) -> None:
        """The kernel finds nothing any more in a directory that it has removed, not even once that has come back."""
        if removed is not None and stat.S_ISDIR(removed.mode) and (known := self._table.current(removed)) is not None:
            self._table.retire(known)
