"""Inode operations that take no changes."""

from __future__ import annotations

import errno
import os
from typing import Any, NoReturn

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.forwarding.nodes import ForwardingNodes

_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC


class ReadOnlyNodes(ForwardingNodes):
    """One door's view: what would change something is refused with EROFS."""

    def open(self, node: Node, flags: int) -> Handle:
        if flags & _CHANGING:
            _refuse()
        return super().open(node, flags)

    def create(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def mkdir(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def symlink(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def temporary(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def link(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def unlink(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def rmdir(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def rename(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def setattr(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def write(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def append(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def allocate(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def setxattr(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()

    def removexattr(self, *arguments: Any, **options: Any) -> NoReturn:
        _refuse()


def _refuse() -> NoReturn:
    raise os_error(errno.EROFS)
