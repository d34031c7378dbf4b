"""POSIX meaning over a database that others change and nobody changes here."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.readonly import ReadOnlyTree

if TYPE_CHECKING:
    from chuk_fsspec.backends.agentfs.store import AgentStore


class AgentTree(ReadOnlyTree):
    """One view (``contract.NodeOperations``). What would change something is refused with EROFS.

    It wants files to be opened, though it could do without: a door then drops what it knows of their content. Nothing
    else may show that it changed, for AgentFS notes times in whole seconds.
    """

    announces = False
    stateless = False

    def getattr(self, node: Inode) -> Inode:
        cast("AgentStore", self.store).bring_up_to_date(node)
        return node

    def parent(self, directory: Directory) -> Directory:
        return directory.parent

    def readlink(self, node: Inode) -> str:
        return super().readlink(self.getattr(node))
