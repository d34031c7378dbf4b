"""``wb`` and ``xb``: sent in parts while it is written, published whole when it is closed, or not at all."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.remote.files.published import PublishedFile
from chuk_fsspec.remote.sending import Order, Sending
from chuk_fsspec.remote.store import Attributes

_GATHERED = 1 << 20
"""Bytes that are kept before they are handed to the event loop, which takes a while each time."""


class WritingFile(PublishedFile):
    """A file on its way. It keeps at most the bytes of one request, and the parts that are being sent."""

    def __init__(self, fs: Any, path: str, mode: str, besides: Attributes, *, autocommit: bool) -> None:
        """Begin without a request.

        Args:
            fs: where to.
            path: absolute and normal.
            mode: "wb" or "xb".
            besides: what is kept with the content.
            autocommit: publish when closing.
        """
        super().__init__(fs, path, mode, autocommit=autocommit)
        self._besides = besides
        self._sending: Sending | None = None
        self._gathered = bytearray()
        self._position = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._require_readable()
        return b""

    def tell(self) -> int:
        self._require_open()
        return self._position

    def write(self, data: Any, /) -> int:
        self._require_open()
        view = memoryview(data).cast("B")
        self._gathered += view
        self._position += view.nbytes
        if len(self._gathered) >= _GATHERED:
            self.fs._wait(self._send())
        return view.nbytes

    async def _send(self) -> None:
        """Hand on what was gathered."""
        if self._sending is None:
            order = Order(self.path, self._besides, self.condition, is_new="x" in self.mode)
            self._sending = Sending(self.fs, order)
        gathered, self._gathered = self._gathered, bytearray()
        await self._sending.write(gathered)

    async def _publish(self) -> str | None:
        await self._send()
        sending, self._sending = self._sending, None
        assert sending is not None
        try:
            return await sending.finish()
        except BaseException as error:
            await sending.abort_for(error)
            raise

    async def _drop(self) -> None:
        self._gathered = bytearray()
        sending, self._sending = self._sending, None
        if sending is not None:
            await sending.abort()
