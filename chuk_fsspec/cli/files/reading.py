"""Contents of files for commands that read: from any filesystem, or from standard input; in pieces, never whole."""

from __future__ import annotations

import base64
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from chuk_fsspec.cli.files.each import for_each
from chuk_fsspec.cli.files.location import Location, open_location
from chuk_fsspec.cli.output import say_json
from chuk_fsspec.cli.urls import PIPE
from chuk_fsspec.contract.attributes import Attributes
from chuk_fsspec.transfer.copying import blocks_of
from chuk_fsspec.transfer.nodes import BLOCK

LINE_MAX = 1 << 20
"""Bytes of a line that are waited for; a longer one is written, or looked at, in pieces."""

Blocks = Iterable[bytes]
"""Content in pieces of at most 1 MiB."""

_LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""


class Source:
    """A file to read, or a stream: standard input, or what a shell gives for ``<(command)``."""

    def __init__(self, text: str, options: Mapping[str, Any]) -> None:
        """Begin.

        Args:
            text: as it was typed; ``-`` for standard input.
            options: storage options.
        """
        self.text = text
        self.location: Location | None = None if _is_stream(text) else open_location(text, options)

    @property
    def title(self) -> str:
        """How it is called in what is written."""
        return "standard input" if self.text == PIPE else self.text

    def attributes(self) -> Attributes | None:
        """What is known of the file; None of a stream. ENOENT."""
        return self.location.attributes() if self.location else None

    def blocks(self) -> Blocks:
        """All of it."""
        if self.location is None:
            return _blocks_of_stream(self.text)
        return blocks_of(self.location.fs, self.location.path, self.location.attributes())

    def range(self, start: int, end: int) -> bytes:
        """Bytes of a file, from ``start`` on and before ``end``."""
        assert self.location is not None
        data: bytes = self.location.fs.cat_file(self.location.path, start=start, end=end)
        return data


def for_each_source(texts: Iterable[str], options: Mapping[str, Any], act: Callable[[Source], object]) -> int:
    """Do something for each source; the exit code is 1 if one failed."""
    return for_each(texts or [PIPE], lambda text: act(Source(text, options)))


def lines_of(blocks: Blocks, longest: int | None = None) -> Iterator[bytes]:
    """Lines with their ends.

    Args:
        blocks: the content.
        longest: bytes after which the next block is waited for no longer, so that a line that is longer comes in
            pieces. None for whole lines, whatever they take.
    """
    begun: list[bytes] = []
    for block in blocks:
        lines = _split(block)
        if begun and lines and lines[0].endswith(b"\n"):
            lines[0] = b"".join((*begun, lines[0]))
            begun = []
        if lines and not lines[-1].endswith(b"\n"):
            begun.append(lines.pop())
        yield from lines
        if longest and sum(map(len, begun)) >= longest:
            yield b"".join(begun)
            begun = []
    if begun:
        yield b"".join(begun)


def write(text: str, blocks: Blocks, *, as_json: bool) -> None:
    """Write content to standard output: as it is, or as JSON objects of ``path``, ``offset`` and ``text``.

    Bytes that are no UTF-8 are in ``base64`` in place of ``text``.

    Args:
        text: how the file is called.
        blocks: the content.
        as_json: whether programs read it.
    """
    if not as_json:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return
    offset, rest = 0, b""
    for block in blocks:
        whole, rest = _whole_characters(rest + block)
        say_json({"path": text, "offset": offset, **content_record(whole)})
        offset += len(whole)
    if rest:
        say_json({"path": text, "offset": offset, **content_record(rest)})


def content_record(data: bytes) -> dict[str, str]:
    """Content for programs: ``text`` if it is UTF-8, otherwise ``base64``."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _is_stream(text: str) -> bool:
    """Whether it is standard input, or a pipe or device of this machine."""
    if text == PIPE:
        return True
    try:
        mode = os.stat(text).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _blocks_of_stream(text: str) -> Iterator[bytes]:
    with open(sys.stdin.fileno() if text == PIPE else text, "rb", buffering=0, closefd=text != PIPE) as stream:
        while data := stream.read(BLOCK):
            yield data


def _split(data: bytes) -> list[bytes]:
    """Lines as files have them: ``splitlines`` would end one at a carriage return, too."""
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return [*lines, parts[-1]] if parts[-1] else lines


def _whole_characters(data: bytes) -> tuple[bytes, bytes]:
    """Content up to its last whole character of UTF-8, and the bytes after that."""
    for count in range(1, min(_LONGEST_CHARACTER, len(data)) + 1):
        byte = data[-count]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return (data[:-count], data[-count:]) if count < needed else (data, b"")
    return data, b""
