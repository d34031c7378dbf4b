"""New files by inode operations, which resolve a directory once and not for each step of each file."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.forwarding.publishing.leftovers import temporary_name
from chuk_fsspec.wrappers.snapshots.entry import Entry, Xattrs

UNWILLING = frozenset((errno.EPERM, errno.EACCES))
"""What answers to an owner that this user may not give."""

_OWN = getattr(os, "geteuid", int)(), getattr(os, "getegid", int)()


class NodeFiles:
    """Makes regular files, each whole and with all attributes before it gets its name."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._nodes: NodeOperations = fs.posix.nodes
        self._last: tuple[str, Node] = "/", self._nodes.root

    def place(self, path: str, entry: Entry, xattrs: Xattrs | None, blocks: Iterable[bytes]) -> bool:
        """Put a new file under a name, whatever file was there.

        Args:
            path: absolute normal path; its directory exists.
            entry: mode, owner and time.
            xattrs: extended attributes; None for none.
            blocks: the content.

        Returns:
            Whether it has the owner that it should have.
        """
        parent, name = split(path)
        directory = self._directory(parent)
        nodes, aside = self._nodes, temporary_name()
        mode = 0o600 if entry.mode is None else stat.S_IMODE(entry.mode)
        node = nodes.create(directory, aside, stat.S_IFREG | (mode & 0o777), *_OWN)
        try:
            handle = nodes.open(node, os.O_WRONLY)
            try:
                offset = 0
                for block in blocks:
                    handle.pwrite(block, offset)
                    offset += len(block)
                is_owned = self._dress(node, handle, entry, mode, xattrs)
            finally:
                handle.close()
            nodes.rename(directory, aside, directory, name)
        except BaseException:
            with suppress(OSError):
                nodes.unlink(directory, aside)
            raise
        return is_owned

    def close(self) -> None:
        """Release what was looked up."""
        self._nodes.close()

    def _dress(self, node: Node, handle: Handle, entry: Entry, mode: int, xattrs: Xattrs | None) -> bool:
        is_owned = True
        changed = entry.uid is not None and entry.gid is not None and (entry.uid, entry.gid) != _OWN
        if changed:
            try:
                self._nodes.setattr(node, uid=entry.uid, gid=entry.gid, handle=handle)
            except OSError as error:
                if error.errno not in UNWILLING:
                    raise
                is_owned = False
        for name, value in xattrs or ():
            self._nodes.setxattr(node, name, value)
        # A new owner takes set-ID bits away, so the mode comes after it.
        bits = mode if changed or mode & ~0o777 else None
        self._nodes.setattr(node, mode=bits, atime_ns=entry.mtime_ns, mtime_ns=entry.mtime_ns, handle=handle)
        return is_owned

    def _directory(self, path: str) -> Node:
        known, node = self._last
        if known == path:
            return node
        node = self._nodes.root
        for name in filter(None, path.split("/")):
            found = self._nodes.lookup(node, name)
            if found is None:
                raise not_found(path)
            node = found
        self._last = path, node
        return node
