"""Writing new files with all of their content and their permission bits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import Callback

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.foreign import os_error_of
from chuk_fsspec.templates.planned import Stream

_BLOCK = 1 << 20


class Writer:
    """Writes files that are not there yet."""

    def __init__(self, fs: AbstractFileSystem, callback: Callback, *, defers: bool) -> None:
        """Begin.

        Args:
            fs: where to.
            callback: told of each byte of streams (``relative_update``).
            defers: whether a transaction is open, in which what is written whole has no name before its end, so that it
                cannot be given a mode.
        """
        capabilities = capabilities_of(fs)
        self._fs = fs
        self._callback = callback
        self._defers = defers
        self._exclusive = capabilities.exclusive_create
        self._mode = "create" if self._exclusive else "overwrite"
        self._waiting: dict[str, bytes] = {}
        self.sets_modes = capabilities.attributes and (capabilities.random_write or not defers)

    def write(self, path: str, content: bytes | Stream, mode: int | None) -> None:
        """Write one file.

        Args:
            path: its path in the filesystem.
            content: all of it.
            mode: permission bits that ``set_mode`` gives it next. A file in a transaction has them from the beginning.

        Raises:
            OSError: EEXIST where the filesystem can tell in one step; ENOSPC and others of writing.
        """
        try:
            if mode is not None and self._defers and self.sets_modes:
                self._write_in_place(path, content, mode)
            else:
                self._write_whole(path, content)
        except Exception as error:
            raise os_error_of(error, path) from error

    def set_mode(self, path: str, mode: int | None) -> None:
        """Give a file that was written its permission bits; None for those that the filesystem gave it."""
        if mode is not None and self.sets_modes and not self._defers:
            self._fs.posix.chmod(path, mode)

    def finish(self) -> None:
        """Write what waits: in a transaction, many files in one call cost less than as many calls.

        Raises:
            OSError: as ``write``.
        """
        waiting, self._waiting = self._waiting, {}
        if waiting:
            self._fs.pipe(waiting, mode=self._mode)

    def _write_whole(self, path: str, content: bytes | Stream) -> None:
        if isinstance(content, bytes) and self._defers:
            self._waiting[path] = content
            return
        if isinstance(content, bytes):
            self._fs.pipe_file(path, content, mode=self._mode)
            return
        with self._fs.open(path, "xb" if self._exclusive else "wb") as file:
            for block in self._blocks(content):
                file.write(block)

    def _write_in_place(self, path: str, content: bytes | Stream, mode: int) -> None:
        handle = self._fs.posix.open_handle(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            offset = 0
            for block in self._blocks(content):
                offset += handle.pwrite(block, offset)
        finally:
            handle.close()

    def _blocks(self, content: bytes | Stream) -> Iterator[Any]:
        """The content in pieces; those of a stream are counted."""
        if isinstance(content, bytes):
            yield content
            return
        with content.open() as source:
            while block := source.read(_BLOCK):
                yield block
                self._callback.relative_update(len(block))
