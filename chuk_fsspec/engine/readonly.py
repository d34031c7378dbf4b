"""The half of a store and of a tree that changes something, for files that take no changes."""

from __future__ import annotations

import errno
import os
from typing import Any, NoReturn

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.handle import InodeHandle
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.store import Stage, Store
from chuk_fsspec.engine.tree import Tree

_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC


class NoChange:
    """The scope for changes, which nobody gets into: EROFS with a hint."""

    def __init__(self, hint: str) -> None:
        self._hint = hint

    def __enter__(self) -> NoReturn:
        raise os_error(errno.EROFS, hint=self._hint)

    def __exit__(self, *exc_info: object) -> None: ...


class ReadOnlyStore(Store):
    """Every change raises EROFS. A transaction has nothing to keep and nothing to undo.

    A subclass says in ``refusal`` why, and what to do instead.
    """

    def __init__(self) -> None:
        self.change = NoChange(self.refusal)

    def new(self, mode: int, uid: int, gid: int, content: Any, now: int) -> Inode:
        self.refuse()

    def free(self, inode: Inode) -> None:
        self.refuse()

    def attach(self, directory: Directory, name: str, inode: Inode, now: int) -> None:
        self.refuse()

    def detach(self, directory: Directory, name: str, now: int) -> None:
        self.refuse()

    def clear(self, directory: Directory) -> list[Inode]:
        self.refuse()

    def relink(self, inode: Inode, nlink: int, now: int) -> None:
        self.refuse()

    def stamp(self, inode: Inode, mtime_ns: int, ctime_ns: int) -> None:
        self.refuse()

    def update(self, inode: Inode, **fields: Any) -> None:
        self.refuse()

    def write(self, inode: Inode, data: Buffer | Stage, offset: int, now: int) -> None:
        self.refuse()

    def replace(self, inode: Inode, content: Any, now: int) -> None:
        self.refuse()

    def truncate(self, inode: Inode, size: int, now: int) -> None:
        self.refuse()

    def zero(self, inode: Inode, offset: int, length: int, now: int) -> None:
        self.refuse()

    def reserve(self, inode: Inode, offset: int, length: int, now: int) -> None:
        self.refuse()

    def copy_content(self, inode: Inode) -> Any:
        self.refuse()

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def sync(self) -> None: ...

    def refuse(self) -> NoReturn:
        """Raise EROFS."""
        raise os_error(errno.EROFS, hint=self.refusal)


class ReadOnlyTree(Tree):
    """A tree over a ``ReadOnlyStore``: nothing is opened to be written, and nothing is freed."""

    def open(self, node: Inode, flags: int) -> InodeHandle:
        if flags & _CHANGING:
            raise os_error(errno.EROFS, hint=self.store.refusal)
        return super().open(node, flags)

    def forget(self, node: Inode) -> None:
        """Whoever changes the files frees what nobody has any more."""
