"""What is known of an inode besides its names and its content."""

from __future__ import annotations

import errno

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import without_set_id
from chuk_fsspec.engine import content as contents
from chuk_fsspec.engine import xattrs
from chuk_fsspec.engine.clock import now_ns
from chuk_fsspec.engine.conditions import Check
from chuk_fsspec.engine.handle import InodeHandle
from chuk_fsspec.engine.inode import S_IFMT, Directory, Inode
from chuk_fsspec.engine.tree.kinds import regular
from chuk_fsspec.engine.tree.moving import Moving


class Attributes(Moving):
    """The part of ``Tree`` that reads and changes attributes."""

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
        check: Check | None = None,
    ) -> None:
        """Change attributes in one step (chmod(2), chown(2), utimensat(2), truncate(2)).

        A change of owner clears set-user-ID, and set-group-ID of a group executable, as chown(2) does it.
        """
        with self.change:
            self._settle(node)
            if check is not None:
                check()
            now = now_ns()
            if size is not None:
                contents.check_range(size, 0)
                self.store.truncate(regular(node), size, now)
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
