"""How much memory a stream takes beyond the data itself: run as a program by the tests, on Linux.

    python stream_memory.py KIND WAY DIRECTORY MEBIBYTES

WAY is "write", "awrite", "read" or "aread". It prints how many MiB the peak of the process rose by.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from fsspec import filesystem

from chuk_fsspec.wrappers.streaming import StreamFileSystem

CHUNK = 64 * 1024


def chunks(mebibytes: int) -> Iterator[bytes]:
    for number in range(mebibytes * 16):
        yield bytes([number % 251]) * CHUNK


async def slowly(source: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in source:
        yield chunk


async def read_all(fs: StreamFileSystem, path: str) -> int:
    return sum([len(piece) async for piece in fs.astream_read(path)])


def run(fs: StreamFileSystem, path: str, way: str, mebibytes: int) -> None:
    if way == "write":
        fs.stream_write(path, chunks(mebibytes))
    elif way == "awrite":
        asyncio.run(fs.astream_write(path, slowly(chunks(mebibytes))))
    elif way == "read":
        assert sum(len(piece) for piece in fs.stream_read(path)) == mebibytes * 1024 * 1024
    else:
        assert asyncio.run(read_all(fs, path)) == mebibytes * 1024 * 1024


def peak() -> float:
    """The most memory that this process ever had, in MiB; ru_maxrss would count that of its parent too."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) / 1024


def main(kind: str, way: str, directory: str, mebibytes: int) -> None:
    options = {"chuklocal": {"root": directory}}.get(kind, {})
    fs = StreamFileSystem(filesystem(kind, **options))
    path = f"{directory}/f" if kind == "file" else "/f"
    for warm in ("write", "awrite", "read", "aread"):
        run(fs, path, warm, 4)
    if way.endswith("read"):
        fs.stream_write(path, chunks(mebibytes))
    before = peak()
    run(fs, path, way, mebibytes)
    sys.stdout.write(str(peak() - before))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
