"""HTTP/1.1 messages as bytes (RFC 9112), read whole: enough to carry them on, or to break them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_HEAD_BYTE = b"\r\n\r\n"


class MessageError(Exception):
    """The message ends before its end."""


@dataclass(frozen=True)
class Message:
    """A request or a reply.

    Attributes:
        start_line: the first line, without its end.
        headers: names in small letters, and values, in their order.
        body: the content, as it is sent: chunks included.
    """

    start_line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header, by its name in small letters; empty if there is none."""
        return next((value for known, value in self.headers if known == name), "")

    @property
    def says_its_length(self) -> bool:
        """Whether its end can be known while the connection goes on."""
        has_none = self.start_line.split(" ")[1:2] in (["204"], ["304"])
        return has_none or bool(self.header("content-length")) or is_chunked(self)

    def head_with(self, **changed: str) -> bytes:
        """The head, with some headers in place of others."""
        kept = [(name, value) for name, value in self.headers if name not in changed and name != "expect"]
        lines = [self.start_line, *(f"{name}: {value}" for name, value in [*kept, *changed.items()])]
        return "\r\n".join(lines).encode("latin-1") + LAST_HEAD_BYTE

    @property
    def raw(self) -> bytes:
        """All of it, for a connection that goes on."""
        return self.head_with(connection="keep-alive" if self.says_its_length else "close") + self.body

    @classmethod
    def of_reply(cls, data: bytes) -> Message:
        """A reply that was read up to the end of its connection."""
        head, _, body = data.partition(LAST_HEAD_BYTE)
        return _parse(head, body)


def is_chunked(message: Message) -> bool:
    """Whether the content comes in chunks."""
    return message.header("transfer-encoding").lower() == "chunked"


async def read_message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message | None:
    """The next request of a connection; None at its end.

    Args:
        reader: where it comes from.
        writer: where its sender is told to go on, if it waits for that.

    Raises:
        MessageError: the connection ends before the request does.
    """
    try:
        head = await reader.readuntil(LAST_HEAD_BYTE)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise MessageError from error
        return None
    message = _parse(head[: -len(LAST_HEAD_BYTE)], b"")
    if message.header("expect"):
        writer.write(CONTINUE)
        await writer.drain()
    try:
        body = await _read_chunks(reader) if is_chunked(message) else await _read_counted(reader, message)
    except asyncio.IncompleteReadError as error:
        raise MessageError from error
    return Message(message.start_line, message.headers, body)


async def _read_counted(reader: asyncio.StreamReader, message: Message) -> bytes:
    return await reader.readexactly(int(message.header("content-length") or 0))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    """All chunks as they are, up to the end of the last one; trailers are taken with them."""
    parts: list[bytes] = []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.partition(b";")[0], 16)
        parts.append(line)
        if size == 0:
            break
        parts.append(await reader.readexactly(size + 2))
    while parts[-1] != b"\r\n":
        parts.append(await reader.readuntil(b"\r\n"))
    return b"".join(parts)


def _parse(head: bytes, body: bytes) -> Message:
    start_line, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Message(start_line, headers, body)
