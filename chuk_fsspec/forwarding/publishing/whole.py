"""The writing operations of a filesystem that promises little, each file whole."""

from __future__ import annotations

import os
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.callbacks import DEFAULT_CALLBACK, Callback

from chuk_fsspec.contract.arguments import open_mode
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.forwarding.names import form_of
from chuk_fsspec.forwarding.publishing.opening import open_steady, open_whole

_COPY_BYTES = 1024 * 1024


class WholeFiles:
    """What a wrapper performs itself, in place of the filesystem below. Paths are in the normal form.

    Args:
        fs: the filesystem below.
    """

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs
        self._form = form_of(fs)
        # Asynchronous filesystems are object stores: what they take by one call is whole, and many calls run at once.
        self.operations = frozenset({"open"} if fs.async_impl else {"open", "pipe_file", "pipe", "put"})

    def open(self, path: str, mode: str, **options: Any) -> Any:
        """``open``: new files for writing appear whole, unless they are part of a transaction of the caller's own."""
        path = self._form.inward(path)
        if mode in ("wb", "xb") and "autocommit" not in options:
            return open_whole(self._fs, path, mode, **options)
        if mode == "rb":
            return open_steady(self._fs, path, **options)
        return self._fs.open(path, mode, **options)

    def pipe_file(self, path: str, value: Buffer, mode: str = "overwrite", **options: Any) -> None:
        """One file from bytes."""
        with self.open(path, open_mode(mode), **options) as file:
            file.write(value)

    def pipe(self, paths: list[str], values: list[Buffer], **options: Any) -> None:
        """Many files from bytes."""
        for path, value in zip(paths, values, strict=True):
            self.pipe_file(path, value, **options)

    def put(
        self,
        paths: list[str],
        sources: list[str],
        callback: Callback = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        **options: Any,
    ) -> None:
        """Many files and directories from the host, told to the callback as fsspec does it: files here, bytes below."""
        callback.set_size(len(paths))
        for source, path in callback.wrap(zip(sources, paths, strict=True)):
            with callback.branched(source, path) as child:
                if os.path.isdir(source):
                    self._fs.makedirs(self._form.inward(path), exist_ok=True)
                else:
                    self._put_file(source, path, mode, child, options)

    def _put_file(self, source: str, path: str, mode: str, callback: Callback, options: dict[str, Any]) -> None:
        with open(source, "rb") as content, self.open(path, open_mode(mode), **options) as file:
            callback.set_size(os.fstat(content.fileno()).st_size)
            while data := content.read(_COPY_BYTES):
                callback.relative_update(file.write(data))
