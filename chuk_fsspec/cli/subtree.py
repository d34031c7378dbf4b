"""Mounting ``chukmem://a/b``: a directory as the root of a tree of its own."""

from __future__ import annotations

import errno
import stat
from typing import Any, cast

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node, NodeOperations


class _Subtree:
    """All operations of a filesystem, seen from one of its directories. The kernel itself keeps ``..`` inside."""

    def __init__(self, nodes: NodeOperations, root: Node) -> None:
        self._nodes = nodes
        self.root = root

    def parent(self, directory: Node) -> Node:
        return self.root if directory.ino == self.root.ino else self._nodes.parent(directory)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nodes, name)


def subtree(nodes: NodeOperations, path: str) -> NodeOperations:
    """The same filesystem with another root.

    Args:
        nodes: a filesystem.
        path: a directory in it, from its root on.

    Returns:
        ``nodes`` itself if the path is the root.

    Raises:
        OSError: ENOENT, ENOTDIR.
    """
    root = nodes.root
    for name in filter(None, path.split("/")):
        found = nodes.lookup(root, name)
        if found is None:
            raise os_error(errno.ENOENT, path, hint="the directory to be mounted does not exist")
        root = found
    if not stat.S_ISDIR(nodes.getattr(root).mode):
        raise os_error(errno.ENOTDIR, path, hint="only a directory can be mounted")
    return nodes if root is nodes.root else cast("NodeOperations", _Subtree(nodes, root))
