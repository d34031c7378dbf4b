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
_USUAL = 0o644
"""Permission bits of new files where nothing else is said."""


class Writer:
    """Writes files that are not there yet."""

    def __init__(self, fs: AbstractFileSystem, callback: Callback, *, in_place: bool) -> None:
        """Begin.

        Args:
            fs: where to.
            callback: told of each byte of content (``relative_update``).
            in_place: write at once what a transaction would otherwise keep waiting until its end, so that the next step
                finds it. Needs ``random_write``.
        """
        can = capabilities_of(fs)
        self._fs = fs
        self._callback = callback
        self._in_place = in_place
        self._exclusive = can.exclusive_create
        self._keeps_modes = can.attributes

    def write(self, path: str, content: bytes | Stream, mode: int | None) -> None:
        """Write one file; ``finish`` comes next.

        Args:
            path: its path in the filesystem.
            content: all of it.
            mode: permission bits; None for what the filesystem gives new files.

        Raises:
            OSError: EEXIST where the filesystem can tell in one step; ENOSPC and others of writing.
        """
        try:
            if self._in_place:
                self._write_in_place(path, content, _USUAL if mode is None else mode)
            elif isinstance(content, bytes):
                self._fs.pipe_file(path, content, mode="create" if self._exclusive else "overwrite")
            else:
                with self._fs.open(path, "xb" if self._exclusive else "wb") as file:
                    for block in self._blocks(content):
                        file.write(block)
        except Exception as error:
            raise os_error_of(error, path) from error

    def finish(self, path: str, content: bytes | Stream, mode: int | None) -> None:
        """Count what was written at once, and give it the permission bits that it does not have yet."""
        if isinstance(content, bytes):
            self._callback.relative_update(len(content))
        if mode is not None and self._keeps_modes and not self._in_place:
            self._fs.posix.chmod(path, mode)

    def _write_in_place(self, path: str, content: bytes | Stream, mode: int) -> None:
        handle = self._fs.posix.open_handle(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        try:
            try:
                offset = 0
                for block in self._blocks(content):
                    offset += handle.pwrite(block, offset)
            finally:
                handle.close()
        except BaseException:
            self._fs.rm_file(path)
            raise

    def _blocks(self, content: bytes | Stream) -> Iterator[Any]:
        """The content in pieces; those of a stream are counted."""
        if isinstance(content, bytes):
            yield content
            return
        with content.open() as source:
            while block := source.read(_BLOCK):
                yield block
                self._callback.relative_update(len(block))
