"""What inode operations do to the books: room is made first, and what fails gives it back."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from chuk_fsspec.contract.nodes import Node, NodeOperations
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.wrappers.security.books import Books
from chuk_fsspec.wrappers.security.handles import ChargedHandle, Growth
from chuk_fsspec.wrappers.security.ledger import NOTHING, Usage
from chuk_fsspec.wrappers.security.turns import Turn

Result = TypeVar("Result")


class NodeCharges:
    """The books of one store, as the inode operations of one door keep them.

    Args:
        books: the books.
        nodes: the inode operations below.
        path_of: the path of a node, for refusals.
    """

    def __init__(self, books: Books, nodes: NodeOperations, path_of: Callable[[Node], str]) -> None:
        self.books = books
        self.ledger = books.ledger
        self._limits = books.limits
        self._nodes = nodes
        self._path_of = path_of

    @property
    def counts_sizes(self) -> bool:
        """Whether a change of a file's size is anybody's business."""
        return self.ledger.is_kept or self._limits.max_file_size > 0

    def turn(self) -> Turn:
        """A block in which nobody else changes anything; what is stored has been counted."""
        if self.ledger.is_kept:
            self.ledger.ensure_counted(self.books.scan)
        return self.ledger.turns.whole

    # ---- files

    def make_one(self, operation: str, path_of: Callable[[], str], make: Callable[[], Result]) -> Result:
        """Make one more file, directory or link, if there is room for it. EDQUOT."""
        if not self.ledger.is_kept:
            return make()
        with self.turn():
            short = self.ledger.grow(self._limits, 0, 1)
            if short:
                raise self.books.refusal(operation, path_of(), short)
            try:
                return make()
            except BaseException:
                self.ledger.book(0, -1)
                raise

    def make_without_name(self, path_of: Callable[[], str], make: Callable[[], Node]) -> Node:
        """The same for a file without a name. EDQUOT."""
        with self.turn():
            node = self.make_one("temporary", path_of, make)
            if self.ledger.is_kept:
                self.ledger.book(0, -1)
                self.ledger.made_without_name(node.ino)
            return node

    def lost_by_removing(self, node: Node | None) -> Usage:
        """What goes off the books with a name of a node."""
        if node is None or not self.ledger.is_kept or (node.nlink > 1 and not stat.S_ISDIR(node.mode)):
            return NOTHING
        return Usage(node.size if stat.S_ISREG(node.mode) else 0, 1)

    def lost(self, node: Node | None, lost: Usage) -> None:
        """Take what has lost its last name off the books, unless somebody still uses it."""
        if node is not None and lost.files:
            self.ledger.book(-lost.size, -lost.files)
            self.ledger.lost_name(node.ino, lost.size)

    def forgotten(self, node: Node) -> None:
        """A door holds a node no longer."""
        if self.ledger.is_nameless(node.ino):
            with self.ledger.turns.whole:
                self.ledger.released(node.ino)

    # ---- content

    def alter(self, operation: str, node: Node, act: Callable[[], Result]) -> Result:
        """Run what changes a file, if there is room for the copy that may have to be made first. EDQUOT."""
        if not (self.books.may_copy and self.ledger.is_kept and node.nlink > 1 and stat.S_ISREG(node.mode)):
            return act()
        with self.turn():
            size, names = node.size, node.nlink
            short = self.ledger.grow(self._limits, size, 1)
            if short:
                raise self.books.refusal(operation, self._path_of(node), short)
            try:
                return act()
            finally:
                if self._nodes.getattr(node).nlink == names:
                    self.ledger.book(-size, -1)

    def resize(
        self,
        operation: str,
        node: Node,
        becomes: Callable[[int], int],
        act: Callable[[], Result],
        used_up: int = errno.EDQUOT,
    ) -> Result:
        """Run what changes a file's size, if there is room for it.

        Args:
            operation: its name, for the log.
            node: the file.
            becomes: the size that it will have, from the one that it has.
            act: changes it.
            used_up: the errno of a used up quota.

        Raises:
            OSError: EFBIG; ``used_up``; as ``act``.
        """
        with self.turn():
            before = self._nodes.getattr(node).size
            after = becomes(before)
            if after == before:
                return self.alter(operation, node, act)
            refuse = partial(self._refuse, operation, node, used_up)
            with Growth(self.ledger, self._limits, refuse, node.ino, before, after, partial(self._size, node)):
                return self.alter(operation, node, act)

    def opened(self, handle: Handle, node: Node, flags: int) -> Handle:
        """A handle whose writes are charged. To be called inside ``turn``."""
        return ChargedHandle(
            handle, flags, self.ledger, self._limits, partial(self._refuse, "open", node, errno.EDQUOT)
        )

    def _size(self, node: Node) -> int:
        return self._nodes.getattr(node).size

    def _refuse(self, operation: str, node: Node, used_up: int, code: int, limit: str) -> OSError:
        return self.books.refusal(operation, self._path_of(node), limit, used_up if code == errno.EDQUOT else code)
