"""POSIX meaning over a file that other processes change as well."""

from __future__ import annotations

from functools import partial

from chuk_fsspec.backends.sqlite.session import Session
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.shared import SharedState
from chuk_fsspec.engine.tree import Tree


class SqliteTree(Tree):
    """A view that, before it says anything, notices what other processes have committed."""

    announces = False

    def __init__(self, shared: SharedState) -> None:
        super().__init__(shared)
        self._session: Session = shared.store.session  # type: ignore[attr-defined]
        self._refresh = self._session.refresh

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
        if type(node.content) is bytes:  # what is not at hand is read as it is now anyway
            self._refresh()
        return super().read(node, size, offset)

    def _announce(self, directory: Inode | None, name: str, inode: Inode | None) -> None:
        if self._session.is_batching:
            self._session.announcements.append(partial(super()._announce, directory, name, inode))
        else:
            super()._announce(directory, name, inode)
