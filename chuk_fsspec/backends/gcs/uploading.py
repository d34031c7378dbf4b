"""An object that is sent in parts: a resumable upload (cloud.google.com/storage/docs/resumable-uploads).

Its parts come in order, and the service has to be told which one is the last. So each part waits here until there is a
further one, or none.
"""

from __future__ import annotations

import re

from chuk_fsspec.backends.gcs.connection import Connection, Reply
from chuk_fsspec.backends.gcs.errors import PRECONDITION, ServiceError
from chuk_fsspec.backends.gcs.resources import key_of
from chuk_fsspec.remote.keys import Guard, Key, Source

_GO_ON = 308
_CANCELLED = 499
_ARRIVED = re.compile(r"bytes=0-(\d+)")


class ResumableUpload:
    """A ``KeyUpload``. The guard is checked when the upload begins, and again when it is finished."""

    def __init__(self, connection: Connection, url: str, guard: Guard | None) -> None:
        """Go on with an upload that has begun.

        Args:
            connection: the way to the service.
            url: of the upload, which whoever knows may send to.
            guard: that it was begun with.
        """
        self._connection = connection
        self._url = url
        self._guard = guard
        self._arrived = 0
        self._next = 0
        self._waiting = b""
        self._is_unsure = False

    async def send(self, number: int, data: bytes) -> None:
        """Send the part before this one, which is kept. The same part again does what is left to do."""
        if number < self._next:
            return
        await self._transmit("*")
        self._waiting = data
        self._next = number + 1

    async def send_copy(self, number: int, source: Source, start: int, stop: int) -> None:
        """Objects of any size are copied in one step here."""
        raise AssertionError("largest_copy has no limit")

    async def finish(self, guard: Guard | None) -> Key:
        """Send what is left, and with it the size."""
        if guard != self._guard:
            raise ServiceError(PRECONDITION, "conditionNotMet")
        reply = await self._transmit(str(self._arrived + len(self._waiting)))
        assert reply is not None
        return key_of(reply.json())

    async def abort(self) -> None:
        """Cancel it; the service says so with a status of its own."""
        await self._connection.request("DELETE", self._url, taken=(_CANCELLED, 404, 410))

    async def _transmit(self, total: str) -> Reply | None:
        """Send what waits; returns the last reply, if there was one.

        Args:
            total: bytes of the whole object, ``*`` while they are not known.
        """
        if self._is_unsure:
            reply = await self._put(f"bytes */{total}", b"")
            if reply.status != _GO_ON:
                return reply
        while self._waiting or total != "*":
            end = self._arrived + len(self._waiting)
            span = f"{self._arrived}-{end - 1}" if self._waiting else "*"
            reply = await self._put(f"bytes {span}/{total}", self._waiting)
            if reply.status != _GO_ON:
                return reply
        return None

    async def _put(self, span: str, data: bytes) -> Reply:
        """One request; afterwards only what has not arrived waits."""
        self._is_unsure = True
        headers = {"Content-Range": span}
        reply = await self._connection.request("PUT", self._url, headers=headers, content=data, taken=(_GO_ON,))
        self._is_unsure = False
        if reply.status == _GO_ON:
            match = _ARRIVED.fullmatch(reply.headers.get("Range", ""))
            arrived = int(match[1]) + 1 if match else 0
            self._waiting = self._waiting[max(arrived - self._arrived, 0) :]
            self._arrived = max(arrived, self._arrived)
        return reply
