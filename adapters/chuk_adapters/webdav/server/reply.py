"""The reply to a request: PEP 3333's ``start_response``, and its bytes on the wire."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from email.utils import formatdate
from typing import Any

from chuk_adapters.webdav.server.body import Body
from chuk_adapters.webdav.server.connection import Connection, Pace
from chuk_adapters.webdav.server.head import Head
from chuk_adapters.webdav.server.limits import KIB, MIB, Limits

_SMALL = 64 * KIB
"""Bytes of a body that are worth joining to be sent with the head."""

_NO_BODY = ("1", "204", "304")


class FileReply:
    """``wsgi.file_wrapper``: a file from its position on, sent by the kernel if it has a descriptor (PEP 3333)."""

    def __init__(self, file: Any, block_size: int = MIB) -> None:
        self.file = file
        self.block_size = max(block_size, MIB)

    def __iter__(self) -> Iterator[bytes]:
        while block := self.file.read(self.block_size):
            yield block

    def close(self) -> None:
        """Close the file."""
        close = getattr(self.file, "close", None)
        if close is not None:
            close()


class Reply:
    """One reply in the making.

    Attributes:
        has_begun: whether bytes of it have been sent.
        keep_alive: whether the connection can be used again after it.
    """

    def __init__(self, connection: Connection, head: Head, body: Body | None, limits: Limits) -> None:
        self.has_begun = False
        self.keep_alive = head.keep_alive
        self._connection = connection
        self._head = head
        self._body = body
        self._limits = limits
        self._status = ""
        self._fields: list[tuple[str, str]] = []
        self._written: list[bytes] = []

    def start(self, status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
        """``start_response`` of PEP 3333."""
        if exc_info is not None and self.has_begun:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._status and exc_info is None:
            raise AssertionError("start_response was called twice")
        self._status = status
        self._fields = fields
        return self._written.append

    def send(self, result: Iterable[bytes]) -> None:
        """Send what the application returned.

        Raises:
            OSError: the client is gone or too slow.
        """
        pace = Pace(self._limits)
        if isinstance(result, (list, tuple)):
            self._send_parts([*self._written, *result], pace)
            return
        if isinstance(result, FileReply) and not self._written and self._send_file(result, pace):
            return
        self._send_blocks(result, pace)

    def _send_parts(self, parts: list[bytes], pace: Pace) -> None:
        size = sum(map(len, parts))
        has_body = self._has_body()
        head = self._head_bytes(size if has_body else None)
        self.has_begun = True
        if not has_body:
            self._connection.send([head], pace)
        elif size <= _SMALL:
            self._connection.send([b"".join((head, *parts))], pace)
        else:
            self._connection.send([head, *parts], pace)

    def _send_file(self, reply: FileReply, pace: Pace) -> bool:
        """Whether it could be sent without a copy of each block."""
        size = self._declared()
        if size is None or not self._has_body() or not hasattr(reply.file, "readinto"):
            return False
        self.has_begun = True
        self._connection.send([self._head_bytes(size)], pace)
        place = _place_of(reply.file)
        if place is None:
            sent = self._connection.send_from(reply.file, size, pace)
        else:
            sent = self._connection.send_file(*place, size, pace)
        if sent < size:
            self.keep_alive = False
        return True

    def _send_blocks(self, result: Iterable[bytes], pace: Pace) -> None:
        blocks = iter(result)
        first = b"".join(self._written) or next(blocks, b"")  # it is only now that a generator calls start_response
        while not first and (more := next(blocks, None)) is not None:
            first = more
        if not self._has_body():
            self._send_parts([], pace)
            return
        size = self._declared()
        is_chunked = size is None and self._head.version == "1.1"
        if size is None and not is_chunked:
            self.keep_alive = False
        left = size if size is not None else 0
        head = self._head_bytes(size, is_chunked=is_chunked)
        self.has_begun = True
        parts: list[bytes | memoryview] = [head]
        block: bytes | memoryview | None = first
        while block is not None:
            if is_chunked:
                if block:
                    parts += [b"%x\r\n" % len(block), block, b"\r\n"]
            else:
                if size is not None:
                    block = memoryview(block)[:left]  # nothing beyond Content-Length
                    left -= len(block)
                parts.append(block)
            self._connection.send(parts, pace)
            parts = []
            block = next(blocks, None)
        if is_chunked:
            self._connection.send([b"0\r\n\r\n"], pace)
        elif left:
            self.keep_alive = False

    def _declared(self) -> int | None:
        for name, value in self._fields:
            if name.lower() == "content-length":
                return int(value)
        return None

    def _has_body(self) -> bool:
        return self._head.method != "HEAD" and not self._status.startswith(_NO_BODY)

    def _head_bytes(self, size: int | None, *, is_chunked: bool = False) -> bytes:
        if not self._status:
            raise AssertionError("the application returned without start_response")
        lines = [f"HTTP/1.1 {self._status}"]
        has_length = False
        for name, value in self._fields:
            lower = name.lower()
            if lower in ("connection", "keep-alive", "transfer-encoding", "date", "server"):
                continue
            has_length = has_length or lower == "content-length"
            lines.append(f"{name}: {value}")
        if not has_length and size is not None and not self._status.startswith(_NO_BODY):
            lines.append(f"Content-Length: {size}")
        if is_chunked:
            lines.append("Transfer-Encoding: chunked")
        if self._body is not None and not self._body.discard_received():
            self.keep_alive = False
        if not self.keep_alive:
            lines.append("Connection: close")
        elif self._head.version == "1.0":
            lines.append("Connection: keep-alive")
        text = "\n".join(lines)
        if "\r" in text or text.count("\n") != len(lines) - 1:
            raise ValueError("a field of the reply holds a line break")
        return f"{text}\nDate: {_date(int(time.time()))}\n\n".replace("\n", "\r\n").encode("latin-1")


def _place_of(file: Any) -> tuple[int, int] | None:
    """The descriptor of a file and the position in it; None if it has no descriptor."""
    try:
        return file.fileno(), file.tell()
    except (AttributeError, OSError):
        return None


@functools.lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
