"""What is mounted for ``chukmem://a/b``: a directory as the root of a tree of its own."""

from __future__ import annotations

import errno
import stat
from typing import Any, cast

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.vfs import open_vfs


def open_directory(fs: AbstractFileSystem, path: str, cache_timeout: float | None = None) -> NodeOperations:
    """A directory of a filesystem as inodes, itself the root.

    Args:
        fs: any fsspec filesystem.
        path: a directory in it, in the filesystem's own form.
        cache_timeout: seconds for which names and attributes are believed, as for ``open_vfs``.

    Raises:
        OSError: ENOENT, ENOTDIR.
    """
    if capabilities_of(fs).nodes:
        return _subtree(open_vfs(fs), path)
    if path.strip("/") and not fs.isdir(path):
        raise os_error(errno.ENOTDIR if fs.exists(path) else errno.ENOENT, path, hint="only a directory can be mounted")
    return open_vfs(fs, root=path, cache_timeout=cache_timeout)


class _Subtree:
    """All operations of a filesystem, seen from one of its directories. The kernel itself keeps ``..`` inside."""

    def __init__(self, nodes: NodeOperations, root: Node) -> None:
        self._nodes = nodes
        self.root = root

    def parent(self, directory: Node) -> Node:
        return self.root if directory.ino == self.root.ino else self._nodes.parent(directory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nodes, name)


def _subtree(nodes: NodeOperations, path: str) -> NodeOperations:
    root = nodes.root
    for name in filter(None, path.split("/")):
        found = nodes.lookup(root, name)
        if found is None:
            raise os_error(errno.ENOENT, path, hint="only a directory can be mounted")
        root = found
    if not stat.S_ISDIR(root.mode):
        raise os_error(errno.ENOTDIR, path, hint="only a directory can be mounted")
    return nodes if root is nodes.root else cast("NodeOperations", _Subtree(nodes, root))
