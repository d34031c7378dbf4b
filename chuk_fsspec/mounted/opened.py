"""Open files of a mount: they keep it from being unmounted, and their errors name the paths of the tree."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from chuk_fsspec.contract.posix import Buffer, Handle
from chuk_fsspec.forwarding.files import ForwardingFile, ForwardingHandle
from chuk_fsspec.mounted.names import Named, Names


class MountedFile(ForwardingFile):
    """A binary file of ``open``.

    Args:
        file: the file below.
        path: absolute normal path, as the tree names it.
        mode: as it was opened.
        names: translates the paths of the filesystem below.
    """

    def __init__(self, file: Any, path: str, mode: str, names: Names) -> None:
        super().__init__(file, path, mode)
        self._named = Named(names, path)
        self.let_go: Callable[[], None] = _nothing

    def read(self, size: int | None = -1, /) -> bytes:
        with self._named:
            return super().read(size)

    def read1(self, size: int = -1, /) -> bytes:
        with self._named:
            return super().read1(size)

    def readline(self, size: int | None = -1, /) -> bytes:
        with self._named:
            return super().readline(size)

    def readinto(self, buffer: Any, /) -> int:
        with self._named:
            return super().readinto(buffer)

    def write(self, data: Buffer, /) -> int:  # type: ignore[override]
        with self._named:
            return super().write(data)

    def flush(self) -> None:
        with self._named:
            super().flush()

    def close(self) -> None:
        try:
            with self._named:
                super().close()
        finally:
            self.let_go()


class MountedHandle(ForwardingHandle):
    """A handle of ``posix.open_handle``.

    Args:
        handle: the handle below.
        renumbered: gives attributes the inode number that the file has in the tree.
    """

    def __init__(self, handle: Handle, renumbered: Callable[[os.stat_result], os.stat_result]) -> None:
        super().__init__(handle)
        self._renumbered = renumbered
        self.let_go: Callable[[], None] = _nothing

    def stat(self) -> os.stat_result:
        return self._renumbered(super().stat())

    def close(self) -> None:
        try:
            super().close()
        finally:
            self.let_go()


def _nothing() -> None: ...
