"""Requests about attributes: stat, chmod and their kin, extended attributes, the filesystem's figures."""

from __future__ import annotations

import errno
import os
import stat
import time

from chuk_adapters.fuse.kernel.handles import HandleTable
from chuk_adapters.fuse.kernel.protocol import (
    ACCESS_IN,
    GETXATTR_IN,
    HEADER_SIZE,
    SETATTR_IN,
    SETXATTR_IN,
    STATFS_REPLY,
    XATTR_SIZE_REPLY,
    Opcode,
    SetAttr,
)
from chuk_adapters.fuse.kernel.replies import SECOND, Replies
from chuk_adapters.fuse.kernel.request import Handler, name_at
from chuk_adapters.fuse.kernel.table import NodeTable
from chuk_adapters.fuse.xattr_names import allowed
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.posix import without_set_id

_ANY_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_AFTER_XATTR = HEADER_SIZE + GETXATTR_IN.size
_MODE, _UID, _GID, _SIZE = (int(flag) for flag in (SetAttr.MODE, SetAttr.UID, SetAttr.GID, SetAttr.SIZE))
_ATIME, _MTIME, _CTIME, _FH = (int(flag) for flag in (SetAttr.ATIME, SetAttr.MTIME, SetAttr.CTIME, SetAttr.FH))
_ATIME_NOW, _MTIME_NOW = int(SetAttr.ATIME_NOW), int(SetAttr.MTIME_NOW)
_WRITTEN_BACK = _MTIME | _CTIME
_KILL_SUIDGID = int(SetAttr.KILL_SUIDGID)


class Attributes:
    """What ``stat`` and ``getxattr`` show."""

    def __init__(self, nodes: NodeOperations, table: NodeTable, replies: Replies, handles: HandleTable) -> None:
        self._nodes = nodes
        self._replies = replies
        self._handles = handles
        self._node = table.node

    def handlers(self) -> dict[int, Handler]:
        """What answers which request."""
        return {
            Opcode.GETATTR: self.getattr,
            Opcode.SETATTR: self.setattr,
            Opcode.ACCESS: self.access,
            Opcode.READLINK: self.readlink,
            Opcode.STATFS: self.statfs,
            Opcode.SETXATTR: self.setxattr,
            Opcode.GETXATTR: self.getxattr,
            Opcode.LISTXATTR: self.listxattr,
            Opcode.REMOVEXATTR: self.removexattr,
        }

    def getattr(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._replies.attr(unique, self._nodes.getattr(self._node(nodeid)))

    def setattr(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        valid, _, fh, size, _, atime, mtime, ctime, *rest = SETATTR_IN.unpack_from(buffer, HEADER_SIZE)
        atime_nsec, mtime_nsec, ctime_nsec, mode, _, new_uid, new_gid, _ = rest
        node = self._node(nodeid)
        if valid == _WRITTEN_BACK:
            # What the kernel sends after each file it wrote back: its own idea of the times.
            self._nodes.setattr(node, mtime_ns=mtime * SECOND + mtime_nsec, ctime_ns=ctime * SECOND + ctime_nsec)
            self._replies.attr(unique, node)
            return
        if valid & _KILL_SUIDGID and not valid & _MODE:
            valid |= _MODE
            mode = without_set_id(node.mode)
        now = time.time_ns() if valid & (_ATIME_NOW | _MTIME_NOW) else 0
        self._nodes.setattr(
            node,
            mode=mode if valid & _MODE else None,
            uid=new_uid if valid & _UID else None,
            gid=new_gid if valid & _GID else None,
            size=size if valid & _SIZE else None,
            atime_ns=_time(valid & _ATIME, valid & _ATIME_NOW, now, atime, atime_nsec),
            mtime_ns=_time(valid & _MTIME, valid & _MTIME_NOW, now, mtime, mtime_nsec),
            ctime_ns=_time(valid & _CTIME, 0, 0, ctime, ctime_nsec),
            handle=self._handles.get(fh) if valid & _FH else None,
        )
        self._replies.attr(unique, self._nodes.getattr(node))

    def access(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        """access(2) and chdir(2) where the kernel does not check permissions, which is where only root gets in."""
        (wanted,) = ACCESS_IN.unpack_from(buffer, HEADER_SIZE)
        mode = self._nodes.getattr(self._node(nodeid)).mode
        if wanted & os.X_OK and not mode & _ANY_EXECUTE and not stat.S_ISDIR(mode):
            raise os_error(errno.EACCES)
        self._replies.done(unique)

    def readlink(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._replies.data(unique, os.fsencode(self._nodes.readlink(self._node(nodeid))))

    def statfs(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        s = self._nodes.statvfs()
        self._replies.send(
            STATFS_REPLY.pack(
                STATFS_REPLY.size,
                0,
                unique,
                s.blocks,
                s.blocks_free,
                s.blocks_free,
                s.files,
                s.files_free,
                s.block_size,
                s.name_max,
                s.block_size,
                0,
            )
        )

    def setxattr(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        size, flags = SETXATTR_IN.unpack_from(buffer, HEADER_SIZE)
        name, _, value = bytes(buffer[_AFTER_XATTR:length]).partition(b"\0")
        self._nodes.setxattr(self._node(nodeid), allowed(os.fsdecode(name)), value[:size], flags)
        self._replies.done(unique)

    def getxattr(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        size, _ = GETXATTR_IN.unpack_from(buffer, HEADER_SIZE)
        name = allowed(name_at(buffer, _AFTER_XATTR, length))
        value = self._nodes.getxattr(self._node(nodeid), name)
        if value is None:
            self._replies.error(unique, errno.ENODATA)
        else:
            self._sized(unique, size, value)

    def listxattr(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        size, _ = GETXATTR_IN.unpack_from(buffer, HEADER_SIZE)
        names = self._nodes.listxattr(self._node(nodeid))
        self._sized(unique, size, b"".join(os.fsencode(name) + b"\0" for name in names))

    def removexattr(self, unique: int, nodeid: int, uid: int, gid: int, buffer: bytearray, length: int) -> None:
        self._nodes.removexattr(self._node(nodeid), allowed(name_at(buffer, HEADER_SIZE, length)))
        self._replies.done(unique)

    def _sized(self, unique: int, size: int, value: bytes) -> None:
        """Size 0 asks how long the value is; too small a size is ERANGE (getxattr(2))."""
        if size == 0:
            self._replies.send(XATTR_SIZE_REPLY.pack(XATTR_SIZE_REPLY.size, 0, unique, len(value), 0))
        elif size < len(value):
            raise os_error(errno.ERANGE)
        else:
            self._replies.data(unique, value)


def _time(given: int, is_now: int, now: int, seconds: int, nanoseconds: int) -> int | None:
    if is_now:
        return now
    if not given:
        return None
    signed = seconds - (1 << 64) if seconds >> 63 else seconds
    return signed * SECOND + nanoseconds
