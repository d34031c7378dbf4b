"""The half of a store that changes something, for one that takes no changes."""

from __future__ import annotations

import errno
from typing import Any, NoReturn

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.store import Stage, Store

HINT = "an AgentFS database is only read; import it to change its files"


class NoChange:
    """The scope for changes, which nobody gets into: EROFS."""

    def __enter__(self) -> NoReturn:
        refuse()

    def __exit__(self, *exc_info: object) -> None: ...


class ReadOnlyStore(Store):
    """Every change raises EROFS. A transaction has nothing to keep and nothing to undo."""

    def __init__(self) -> None:
        self.change = NoChange()

    def new(self, mode: int, uid: int, gid: int, content: Any, now: int) -> Inode:
        refuse()

    def free(self, inode: Inode) -> None:
        refuse()

    def attach(self, directory: Directory, name: str, inode: Inode, now: int) -> None:
        refuse()

    def detach(self, directory: Directory, name: str, now: int) -> None:
        refuse()

    def clear(self, directory: Directory) -> list[Inode]:
        refuse()

    def relink(self, inode: Inode, nlink: int, now: int) -> None:
        refuse()

    def stamp(self, inode: Inode, mtime_ns: int, ctime_ns: int) -> None:
        refuse()

    def update(self, inode: Inode, **fields: Any) -> None:
        refuse()

    def write(self, inode: Inode, data: Buffer | Stage, offset: int, now: int) -> None:
        refuse()

    def replace(self, inode: Inode, content: Any, now: int) -> None:
        refuse()

    def truncate(self, inode: Inode, size: int, now: int) -> None:
        refuse()

    def zero(self, inode: Inode, offset: int, length: int, now: int) -> None:
        refuse()

    def reserve(self, inode: Inode, offset: int, length: int, now: int) -> None:
        refuse()

    def copy_content(self, inode: Inode) -> Any:
        refuse()

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def sync(self) -> None: ...


def refuse() -> NoReturn:
    """Raise EROFS."""
    raise os_error(errno.EROFS, hint=HINT)
