"""POSIX meaning over a file that other processes change as well."""

from __future__ import annotations

from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.shared import SharedState
from chuk_fsspec.engine.tree import Tree


class SqliteTree(Tree):
    """A view that, before it says anything, notices what other processes have committed."""

    announces = False

    def __init__(self, shared: SharedState) -> None:
        super().__init__(shared)
        self._refresh = shared.store.session.refresh  # type: ignore[attr-defined]

    def lookup(self, directory: Inode, name: str) -> Inode | None:
        self._refresh()
        return super().lookup(directory, name)

    def getattr(self, node: Inode) -> Inode:
        self._refresh()
        return node

    def parent(self, directory: Directory) -> Directory:
        self._refresh()
        return super().parent(directory)

    def entries(self, directory: Inode) -> list[tuple[str, Inode]]:
        self._refresh()
        return super().entries(directory)

    def readlink(self, node: Inode) -> str:
        self._refresh()
        return super().readlink(node)

    def getxattr(self, node: Inode, name: str) -> bytes | None:
        self._refresh()
        return super().getxattr(node, name)

    def listxattr(self, node: Inode) -> list[str]:
        self._refresh()
        return super().listxattr(node)

    def read(self, node: Inode, size: int, offset: int) -> list[Buffer]:
        self._refresh()
        return super().read(node, size, offset)
