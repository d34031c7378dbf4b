"""Content of files, read so that no file of any kind or size can hurt."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.failures import ToolError, spoken
from chuk_fsspec.contract.errors import os_error

CHUNK = 64 * 1024
"""How many bytes are read at once."""

_BINARY_AFTER = 8 * 1024
_MOST_BROKEN = 0.1
_BYTES_PER_CHARACTER = 4


def file_info(call: Call, path: str, verb: str = "open") -> dict[str, Any]:
    """The info of a regular file that may be read.

    Args:
        call: on whose behalf.
        path: as ``Call.path`` returned it.
        verb: the system call that a failure is told by.

    Raises:
        ToolError: for anything else, such as a FIFO, and for a file that has a name outside.
    """
    with spoken(verb, path):
        info: dict[str, Any] = call.fs.info(path)
    if info["type"] == "directory":
        raise ToolError("EISDIR: illegal operation on a directory, read")
    if info["type"] != "file":
        with spoken("open", path):
            raise os_error(errno.EINVAL, path, hint="not a regular file")
    if not call.workspace.trust_links and info.get("nlink", 1) > call.names_inside.get(info.get("ino"), 1):
        raise ToolError(f"Access denied - the file has other names outside allowed directories (hard links): {path}")
    return info


@contextmanager
def opened(call: Call, path: str, verb: str = "open") -> Iterator[tuple[IO[bytes], dict[str, Any]]]:
    """Open a file to read, and say what it is. ToolError."""
    info = file_info(call, path, verb)
    with spoken("open", path):
        file = cast("IO[bytes]", call.fs.open(path, "rb"))
    with spoken("read", path), file:
        yield file, info


def read_bytes(call: Call, path: str, most: int) -> tuple[bytes, dict[str, Any]]:
    """The content of a file, at most ``most`` bytes of it, and its info. ToolError."""
    info = file_info(call, path)
    with spoken("open", path):
        data: bytes = call.fs.cat_file(path, 0, most) if info["size"] > most else call.fs.cat_file(path)
    return data, info


def read_text(call: Call, path: str) -> str:
    """The text of a file; of a long one as much as an answer can hold, and a little more.

    Args:
        call: on whose behalf.
        path: as ``Call.path`` returned it.

    Raises:
        ToolError: for what is no text, and as ``file_info``.
    """
    data, _ = read_bytes(call, path, _BYTES_PER_CHARACTER * (call.limits.characters + 1))
    return as_text(data, path)


def as_text(data: bytes, path: str) -> str:
    """UTF-8 with replacement characters for a few wrong bytes. ToolError for what is no text."""
    beginning = data[:_BINARY_AFTER]
    broken = beginning.decode("utf-8", "replace").count("\ufffd") - beginning.count("\ufffd".encode())
    if b"\0" in beginning or broken > _MOST_BROKEN * len(beginning) + 1:
        raise ToolError(f"Not a text file: {path} (read_media_file returns any file as it is)")
    return data.decode("utf-8", "replace")


def head(call: Call, path: str, lines: float) -> str:
    """The first lines of a text file, without the line break after the last. ToolError."""
    buffer = b""
    with opened(call, path) as (file, _):
        while buffer.count(b"\n") < lines and len(buffer) <= _BYTES_PER_CHARACTER * call.limits.characters:
            call.check()
            chunk = file.read(CHUNK)
            if not chunk:
                break
            buffer += chunk
    found = as_text(buffer, path).split("\n")
    if found[-1] == "":
        found.pop()
    return "\n".join(found[: _upwards(lines)])


def tail(call: Call, path: str, lines: float) -> str:
    """The last lines of a text file, with line feeds alone between them. ToolError."""
    data = b""
    with opened(call, path, "stat") as (file, info):
        start = int(info["size"])
        while start > 0 and data.count(b"\n") < lines and len(data) <= _BYTES_PER_CHARACTER * call.limits.characters:
            call.check()
            size = min(CHUNK, start)
            start -= size
            file.seek(start)
            data = file.read(size) + data
    found = as_text(data, path).replace("\r\n", "\n").split("\n")
    return "\n".join(found[-int(lines) :]) if lines >= 1 else ""


def _upwards(number: float) -> int:
    return max(0, -int(-number // 1))
