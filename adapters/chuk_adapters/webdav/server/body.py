"""The body of a request as a file: what arrives is handed on, what is missing is an error."""

from __future__ import annotations

import io
import re
from http import HTTPStatus
from typing import Any

from chuk_adapters.webdav.server.connection import WANTS, Connection, Pace
from chuk_adapters.webdav.server.head import Head
from chuk_adapters.webdav.server.limits import KIB, Limits
from chuk_adapters.webdav.server.refusal import RefusedError, malformed

_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_LONGEST_LINE = 4 * KIB
_MOST_TRAILERS = 32
_DISCARDED = 256 * KIB
"""Bytes that are thrown away to keep a connection whose body nobody wanted."""


class Body(io.RawIOBase):
    """A body that is received as it is read.

    Reading never ends early in silence: it raises ``RefusedError`` where the client left, was too slow, sent too much
    or framed its chunks badly. Then nothing of what was read may be published.

    Attributes:
        error: what reading has failed with.
    """

    def __init__(self, connection: Connection, head: Head, limits: Limits, most: int | None) -> None:
        self.error: RefusedError | None = None
        self._connection = connection
        self._must_continue = head.expects_continue
        self._limits = limits
        self._left_allowed = most
        self._pace = Pace(limits)
        self._is_chunked = head.length is None
        self._in_chunk = head.length or 0
        self._is_over = head.length == 0
        if not self._is_chunked and most is not None and self._in_chunk > most:
            raise _too_large(most)

    @property
    def is_over(self) -> bool:
        """Whether everything has been read."""
        return self._is_over

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes into a writable buffer; 0 at the end of the body.

        Raises:
            RefusedError: see the class.
        """
        if self.error is not None:
            raise self.error
        if self._is_over:
            return 0
        try:
            with memoryview(buffer).cast("B") as view:
                return self._read_some(view)
        except RefusedError as error:
            self.error = error
            raise
        except OSError as error:
            self.error = malformed("the connection broke within the body")
            raise self.error from error

    def discard_received(self) -> bool:
        """Throw away what is left of the body, without waiting for any of it; whether that was all."""
        if self._is_over:
            return True
        if self.error is not None or self._must_continue:
            return False
        connection = self._connection
        for _ in range(_DISCARDED // (64 * KIB)):
            if not self._is_chunked and self._in_chunk <= len(connection.buffer):
                del connection.buffer[: self._in_chunk]
                self._is_over = True
                return True
            try:
                data = connection.sock.recv(64 * KIB)
            except (*WANTS, OSError):
                return False
            if not data:
                return False
            connection.buffer += data
        return False

    def _read_some(self, view: memoryview) -> int:
        if self._is_chunked and not self._in_chunk and not self._begin_chunk():
            return 0
        wanted = min(len(view), self._in_chunk)
        count = self._receive(view[:wanted])
        self._in_chunk -= count
        if self._is_chunked:
            self._count_chunked(count)
            if not self._in_chunk and self._line() != b"\r\n":
                raise malformed("a chunk is longer than it says")
        elif not self._in_chunk:
            self._is_over = True
        return count

    def _receive(self, view: memoryview) -> int:
        buffer = self._connection.buffer
        if buffer:
            count = min(len(view), len(buffer))
            view[:count] = buffer[:count]
            del buffer[:count]
            return count
        self._say_continue()
        count = self._connection.receive_into(view, self._pace)
        if not count:
            raise malformed("the body ends early")
        return count

    def _begin_chunk(self) -> bool:
        match = _CHUNK_SIZE.fullmatch(self._line())
        if match is None:
            raise malformed("a chunk does not begin with its size")
        self._in_chunk = int(match[1], 16)
        if self._in_chunk:
            return True
        for _ in range(_MOST_TRAILERS):
            if self._line() == b"\r\n":
                self._is_over = True
                return False
        raise malformed("too many fields after the body")

    def _count_chunked(self, count: int) -> None:
        if self._left_allowed is not None:
            self._left_allowed -= count
            if self._left_allowed < 0:
                raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is larger than this server takes")

    def _line(self) -> bytes:
        """A line with its end; the bytes after it stay in the connection's buffer."""
        buffer = self._connection.buffer
        looked_at = 0
        while True:
            end = buffer.find(b"\n", looked_at) + 1
            if end:
                line = bytes(buffer[:end])
                del buffer[:end]
                return line
            looked_at = len(buffer)
            if looked_at > _LONGEST_LINE:
                raise malformed("a line of the body's framing is too long")
            self._say_continue()
            received = bytearray(_LONGEST_LINE)
            count = self._connection.receive_into(memoryview(received), self._pace)
            if not count:
                raise malformed("the body ends early")
            buffer += memoryview(received)[:count]

    def _say_continue(self) -> None:
        if self._must_continue:
            self._must_continue = False
            self._connection.send([b"HTTP/1.1 100 Continue\r\n\r\n"], self._pace)


def _too_large(most: int) -> RefusedError:
    return RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body has more than {most} bytes")
