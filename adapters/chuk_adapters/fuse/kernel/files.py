"""Requests about content: opening, reading, writing, syncing.

A filesystem that is ``stateless`` answers ENOSYS to OPEN once: from then on the kernel opens and closes files without
asking (FUSE_NO_OPEN_SUPPORT), and names no handle. CREATE is answered ENOSYS too, so that the kernel makes files by
MKNOD and has nothing to release.
"""

from __future__ import annotations

import errno
import os
import stat

from chuk_adapters.fuse.kernel.handles import HandleTable, close_quietly
from chuk_adapters.fuse.kernel.notices import Notices
from chuk_adapters.fuse.kernel.protocol import (
    COPY_FILE_RANGE_IN,
    CREATE_IN,
    CREATE_REPLY,
    FALLOCATE_IN,
    FLUSH_IN,
    FSYNC_IN,
    HEADER_SIZE,
    LSEEK_IN,
    LSEEK_REPLY,
    OPEN_IN,
    OPEN_REPLY,
    READ_IN,
    RELEASE_IN,
    WRITE_IN,
    WRITE_KILL_SUIDGID,
    WRITE_REPLY,
    Opcode,
    OpenReply,
)
from chuk_adapters.fuse.kernel.replies import Replies
from chuk_adapters.fuse.kernel.request import Handler, name_at
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.posix import Handle, without_set_id

_AFTER_CREATE = HEADER_SIZE + CREATE_IN.size
_AFTER_WRITE = HEADER_SIZE + WRITE_IN.size
_COPY_AT_ONCE = 16 * 1024 * 1024
_NOT_FOR_NODES = os.O_CREAT | os.O_EXCL


class Files:
    """Content of regular files."""

    def __init__(
        self,
        nodes: NodeOperations,
        table: NodeTable,
        replies: Replies,
        handles: HandleTable,
        notices: Notices,
        *,
        keeps_handles: bool,
        direct_io: bool,
        kernel_owns_sizes: bool,
    ) -> None:
        self._nodes = nodes
        self._replies = replies
        self._handles = handles
        self._node = table.node
        self._notices = notices
        self._keeps_handles = keeps_handles
        # With its write-back cache on, the kernel alone knows where a file ends.
        self._append_flag = 0 if kernel_owns_sizes else os.O_APPEND
        self._open_reply = int(OpenReply.DIRECT_IO if direct_io else OpenReply.KEEP_CACHE if nodes.announces else 0)

    def handlers(self) -> dict[int, Handler]:
        """What answers which request."""
        handlers: dict[int, Handler] = {
            Opcode.READ: self.read,
            Opcode.WRITE: self.write,
            Opcode.RELEASE: self.release,
            Opcode.FSYNC: self.fsync,
            Opcode.FSYNCDIR: self.fsync,
            Opcode.FALLOCATE: self.fallocate,
            Opcode.TMPFILE: self.tmpfile,
        }
        if self._keeps_handles:
            handlers |= {Opcode.OPEN: self.open, Opcode.CREATE: self.create, Opcode.FLUSH: self.flush}
        if self._nodes.stateless:
            handlers |= {Opcode.LSEEK: self.lseek, Opcode.COPY_FILE_RANGE: self.copy_file_range}
        return handlers

    def open(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        flags, _ = OPEN_IN.unpack_from(buffer, HEADER_SIZE)
        fh = self._handles.add(self._nodes.open(self._node(nodeid), flags & ~_NOT_FOR_NODES))
        try:
            self._replies.send(OPEN_REPLY.pack(OPEN_REPLY.size, 0, unique, fh, self._open_reply, 0))
        except OSError:
            # The request was taken back meanwhile: nobody is going to close what nobody has.
            self._close(fh)
            raise

    def create(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        flags, mode, _, _ = CREATE_IN.unpack_from(buffer, HEADER_SIZE)
        name = name_at(buffer, _AFTER_CREATE, length)
        directory = self._node(nodeid)
        node = self._nodes.lookup(directory, name)
        if node is not None and flags & os.O_EXCL:
            raise os_error(errno.EEXIST)
        if node is None:
            node = self._nodes.create(directory, name, mode, uid, gid)
        self._reply_created(unique, node, self._nodes.open(node, flags & ~_NOT_FOR_NODES), nodeid, name)

    def tmpfile(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        flags, mode, _, _ = CREATE_IN.unpack_from(buffer, HEADER_SIZE)
        node = self._nodes.temporary(self._node(nodeid), stat.S_IMODE(mode), uid, gid)
        handle = self._nodes.open(node, flags & os.O_ACCMODE) if self._keeps_handles else None
        self._reply_created(unique, node, handle, nodeid, "")

    def _reply_created(self, unique: int, node: Node, handle: Handle | None, parent_id: int, name: str) -> None:
        entry = self._replies.entry_fields(node, parent_id, name)
        fh = 0 if handle is None else self._handles.add(handle)
        self._replies.send(CREATE_REPLY.pack(CREATE_REPLY.size, 0, unique, *entry, fh, self._open_reply, 0))

    def read(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        fh, offset, size, _, _, _, _ = READ_IN.unpack_from(buffer, HEADER_SIZE)
        handle = self._handles.get(fh) if fh else None
        if handle is None:
            self._replies.pieces(unique, self._nodes.read(self._node(nodeid), size, offset))
        else:
            self._replies.data(unique, handle.pread(size, offset))

    def write(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        fh, offset, size, write_flags, _, flags, _ = WRITE_IN.unpack_from(buffer, HEADER_SIZE)
        node = self._node(nodeid)
        handle = self._handles.get(fh) if fh else None
        data = memoryview(buffer)[_AFTER_WRITE : _AFTER_WRITE + size]
        if handle is not None:
            handle.pwrite(data, offset)
        elif flags & self._append_flag:
            self._append(node, data, offset)
        else:
            self._nodes.write(node, data, offset)
        if write_flags & WRITE_KILL_SUIDGID:
            self._nodes.setattr(node, mode=without_set_id(node.mode))
        self._replies.send(WRITE_REPLY.pack(WRITE_REPLY.size, 0, unique, size, 0))

    def _append(self, node: Node, data: memoryview, offset: int) -> None:
        """Write at the end, which may lie elsewhere by now than where the kernel has put the data in its page cache."""
        self._nodes.append(node, data)
        if node.size != offset + len(data):
            self._notices.written_elsewhere(node, offset)

    def flush(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        fh, _, _, _ = FLUSH_IN.unpack_from(buffer, HEADER_SIZE)
        self._handles.require(fh).flush()
        self._replies.done(unique)

    def fsync(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        fh, _, _ = FSYNC_IN.unpack_from(buffer, HEADER_SIZE)
        handle = self._handles.get(fh) if fh else None
        if handle is None:
            self._nodes.fsync(self._node(nodeid))
        else:
            handle.fsync()
        self._replies.done(unique)

    def release(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        fh, _, _, _ = RELEASE_IN.unpack_from(buffer, HEADER_SIZE)
        self._close(fh)
        self._replies.done(unique)

    def _close(self, fh: int) -> None:
        handle = self._handles.remove(fh)
        if handle is not None:
            close_quietly(handle)

    def fallocate(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        _, offset, size, mode, _ = FALLOCATE_IN.unpack_from(buffer, HEADER_SIZE)
        self._nodes.allocate(self._node(nodeid), offset, size, mode)
        self._replies.done(unique)

    def lseek(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        _, offset, whence, _ = LSEEK_IN.unpack_from(buffer, HEADER_SIZE)
        found = self._nodes.seek(self._node(nodeid), offset, whence)
        self._replies.send(LSEEK_REPLY.pack(LSEEK_REPLY.size, 0, unique, found))

    def copy_file_range(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        _, start, target_id, _, offset, size, _ = COPY_FILE_RANGE_IN.unpack_from(buffer, HEADER_SIZE)
        source, target = self._node(nodeid), self._node(target_id)
        data = b"".join(self._nodes.read(source, min(size, _COPY_AT_ONCE), start))
        self._nodes.write(target, data, offset)
        self._replies.send(WRITE_REPLY.pack(WRITE_REPLY.size, 0, unique, len(data), 0))
