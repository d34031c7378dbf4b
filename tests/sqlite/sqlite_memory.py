"""How much memory large files on chuksqlite take: run as a program by the tests, on Linux.

    python sqlite_memory.py DIRECTORY MEBIBYTES WAY ...

The ways are the functions of this file, done one after the other. For each, a line tells its name, by how many MiB the
peak of the process has risen so far, MiB in the second, and the largest size of the write-ahead log until then, in MiB.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem

CHUNK = 1 << 20


def chunks(mebibytes: int) -> Iterator[bytes]:
    block = os.urandom(CHUNK)
    for number in range(mebibytes):
        yield number.to_bytes(8, "big") + block[8:]


def check(pieces: Iterator[bytes], mebibytes: int) -> None:
    """Every MiB begins with its number."""
    for number in range(mebibytes):
        assert next(pieces)[:8] == number.to_bytes(8, "big")
    assert next(pieces, b"") == b""


class Ways:
    """What can be done with a large file ``/f``."""

    def __init__(self, directory: str, mebibytes: int) -> None:
        self.directory, self.mebibytes = directory, mebibytes
        # What is mapped would be counted, too, though the kernel has it back whenever it likes.
        self.fs = SqliteFileSystem(database=f"{directory}/w.db", mmap_size=0)
        self.local = f"{directory}/local"

    def write(self) -> None:
        with self.fs.open("/f", "wb") as file:
            for chunk in chunks(self.mebibytes):
                file.write(chunk)

    def read(self) -> None:
        with self.fs.open("/f", "rb") as file:
            check(iter(lambda: file.read(CHUNK), b""), self.mebibytes)

    def edit(self) -> None:
        with self.fs.open("/f", "r+b") as file:
            file.seek(CHUNK // 2)
            file.write(b"edited")

    def append(self) -> None:
        with self.fs.open("/appended", "wb") as file:
            file.write(b"old")
        with self.fs.open("/appended", "ab") as file:
            for chunk in chunks(self.mebibytes):
                file.write(chunk)

    def copy(self) -> None:
        self.fs.cp_file("/f", "/copy")

    def get(self) -> None:
        self.fs.get_file("/f", self.local)

    def put(self) -> None:
        self.fs.put_file(self.local, "/put")

    def stream_write(self) -> None:
        StreamFileSystem(self.fs).stream_write("/streamed", chunks(self.mebibytes))

    def stream_read(self) -> None:
        count = sum(len(piece) for piece in StreamFileSystem(self.fs).stream_read("/streamed"))
        assert count == self.mebibytes * CHUNK

    def move(self) -> None:
        """From another mount."""
        Path(self.directory, "mounted").mkdir(exist_ok=True)
        os.rename(self.local, f"{self.directory}/mounted/f")
        local = LocalFileSystem(root=f"{self.directory}/mounted")
        tree = MountedFileSystem({"/db": self.fs, "/local": local})
        tree.mv("/local/f", "/db/moved")
        assert self.fs.size("/moved") == self.mebibytes * CHUNK

    def truncate(self) -> None:
        self.fs.posix.truncate("/copy", CHUNK)

    def replace(self) -> None:
        self.fs.pipe_file("/f", b"small")

    def remove(self) -> None:
        self.fs.rm(self.fs.ls("/", detail=False))


def peak() -> float:
    """The most memory that this process ever had, in MiB; ru_maxrss would count that of its parent too."""
    match = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return int(match[1]) / 1024


def measure(name: str, way: Callable[[], None], log: Path, mebibytes: int, before: float) -> None:
    begun = time.perf_counter()
    way()
    speed = mebibytes / (time.perf_counter() - begun)
    # A log is only ever cut when its database is closed.
    sys.stdout.write(f"{name} {peak() - before:.0f} {speed:.0f} {log.stat().st_size / CHUNK:.0f}\n")


def main(directory: str, mebibytes: str, *names: str) -> None:
    warm = Ways(directory, 1)
    warm.write()
    warm.read()
    before = peak()
    ways = Ways(directory, int(mebibytes))
    for name in names:
        measure(name, getattr(ways, name), Path(directory, "w.db-wal"), int(mebibytes), before)


if __name__ == "__main__":
    main(*sys.argv[1:])
