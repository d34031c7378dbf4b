"""The modes with ``+``, and ``ab``: edited here, in memory or in a temporary file, and then sent whole."""

from __future__ import annotations

import io
import os
import tempfile
from typing import Any

from chuk_fsspec.contract.unpublished import UnpublishedEnd, extend
from chuk_fsspec.remote.files.published import PublishedFile

_MEMORY_MAX = 4 << 20
"""Bytes of a file that are kept in memory; what is larger waits in a temporary file."""


class SpoolingFile(PublishedFile):
    """``r+b``, ``w+b``, ``x+b`` and ``a+b``: a private copy that is published whole when it is closed."""

    def __init__(self, fs: Any, path: str, mode: str, *, autocommit: bool) -> None:
        """Begin with nothing; whoever opens a file that has content writes that into ``body``.

        Args:
            fs: where it will be published.
            path: absolute and normal.
            mode: as Python's ``open``.
            autocommit: publish when closing.
        """
        super().__init__(fs, path, mode, autocommit=autocommit)
        self.body: Any = tempfile.SpooledTemporaryFile(_MEMORY_MAX)  # noqa: SIM115 - closed when this is over

    def seekable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        self._require_readable()
        self._require_open()
        data: bytes = self.body.read(-1 if size is None else size)
        return data

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def write(self, data: Any, /) -> int:
        self._require_open()
        view = memoryview(data).cast("B")
        self.body.write(view)
        return view.nbytes

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._require_open()
        self.body.seek(offset, whence)
        return self.tell()

    def tell(self) -> int:
        self._require_open()
        position: int = self.body.tell()
        return position

    def truncate(self, size: int | None = None, /) -> int:
        self._require_open()
        size = self.tell() if size is None else size
        if size < 0:
            raise ValueError(f"negative size value {size}")
        extend(self.body, size)
        self.body.truncate(size)
        return size

    async def _publish(self) -> str | None:
        etag: str | None = await self.fs._send_body(self)
        return etag

    async def _drop(self) -> None:
        self.body.close()


class AppendingFile(UnpublishedEnd, SpoolingFile):
    """``ab``: what was written is added to the end, wherever that is when the file is closed."""

    def __init__(self, fs: Any, path: str, mode: str, size: int, *, autocommit: bool) -> None:
        """Begin with nothing after a file of so many bytes."""
        SpoolingFile.__init__(self, fs, path, mode, autocommit=autocommit)
        self._base = size

    def read(self, size: int | None = -1, /) -> bytes:
        raise io.UnsupportedOperation("not open for reading")

    async def _publish(self) -> str | None:
        etag: str | None = await self.fs._append_body(self)
        return etag
