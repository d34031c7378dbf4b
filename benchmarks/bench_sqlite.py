"""chuksqlite beside the least that a filesystem in SQLite can be, in one run.

    python benchmarks/bench_sqlite.py                    # three rounds, about two minutes
    python benchmarks/bench_sqlite.py --rounds 1 --files 1000 --mib 64

Small files hold 1 KiB, 100 a directory; every change is a transaction of its own. Figures are operations per second of
CPU time on /dev/shm, each target in a fresh process, taking turns. "raw SQLite" has the same tables and settings and
does the least: no attributes but a time, no times of directories, no other processes, nothing around it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from measure import Figures, rate, ratio, save, say, table

PER_DIRECTORY = 100
KIB = os.urandom(1024)
PAGE = os.urandom(4096)
CHUNK = 65_536
SAMPLE = 4_000
SMALL = ("create", "overwrite", "read", "info", "ls", "rename_directory")
LARGE = ("write_MBps", "read_MBps", "random_read", "random_write")
FIGURES = (*SMALL, *LARGE)
AIMS = {
    "create": 0.7,
    "read": 0.7,
    "info": 0.7,
    "write_MBps": 0.85,
    "read_MBps": 0.85,
    "random_read": 0.6,
    "random_write": 0.6,
}


class Target(Protocol):
    """What is measured; paths are absolute."""

    def mkdir(self, path: str) -> object: ...
    def write(self, path: str, data: bytes) -> object: ...
    def read(self, path: str) -> bytes: ...
    def info(self, path: str) -> object: ...
    def ls(self, path: str) -> object: ...
    def rename(self, path: str, target: str) -> object: ...
    def opened(self, path: str) -> tuple[Callable[[int], object], Callable[[int], object]]: ...


class Raw:
    """Inodes, entries and chunks in SQLite."""

    def __init__(self, database: str) -> None:
        self.connection = sqlite3.connect(database, isolation_level=None, cached_statements=256)
        self.execute = self.connection.execute
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA cache_size = -32768",
            "PRAGMA wal_autocheckpoint = 2000",
            "PRAGMA mmap_size = 1073741824",
            "CREATE TABLE inode (ino INTEGER PRIMARY KEY, mode INT, size INT, mtime INT, data BLOB)",
            "CREATE TABLE dentry (parent INT, name TEXT, ino INT, PRIMARY KEY (parent, name)) WITHOUT ROWID",
            "CREATE TABLE chunk (ino INT, idx INT, data BLOB, PRIMARY KEY (ino, idx))",
            "INSERT INTO inode VALUES (1, 16877, 0, 0, NULL)",
        ):
            self.execute(statement)
        self.directories = {"": 1}

    def make(self, path: str, mode: int, data: bytes | None, size: int) -> int:
        parent, _, name = path.rpartition("/")
        directory = self.directories[parent]
        found = self.execute("SELECT ino FROM dentry WHERE parent = ? AND name = ?", (directory, name)).fetchone()
        now = time.time_ns()
        if found:
            self.execute("UPDATE inode SET size = ?, mtime = ?, data = ? WHERE ino = ?", (size, now, data, found[0]))
            return int(found[0])
        row = (mode, size, now, data)
        ino = self.execute("INSERT INTO inode (mode, size, mtime, data) VALUES (?, ?, ?, ?)", row).lastrowid
        self.execute("INSERT INTO dentry VALUES (?, ?, ?)", (directory, name, ino))
        assert ino is not None
        return ino

    def mkdir(self, path: str) -> None:
        self.execute("BEGIN IMMEDIATE")
        self.directories[path] = self.make(path, 0o40755, None, 0)
        self.execute("COMMIT")

    def write(self, path: str, data: bytes) -> None:
        self.execute("BEGIN IMMEDIATE")
        ino = self.make(path, 0o100644, data if len(data) <= 4096 else None, len(data))
        if len(data) > 4096:
            view = memoryview(data)
            for start in range(0, len(data), CHUNK):
                self.execute("INSERT INTO chunk VALUES (?, ?, ?)", (ino, start // CHUNK, view[start : start + CHUNK]))
        self.execute("COMMIT")

    def row(self, path: str) -> Any:
        parent, _, name = path.rpartition("/")
        return self.execute(
            "SELECT i.ino, i.mode, i.size, i.mtime, i.data FROM dentry d JOIN inode i USING (ino) "
            "WHERE d.parent = ? AND d.name = ?",
            (self.directories[parent], name),
        ).fetchone()

    def read(self, path: str) -> bytes:
        ino, _, size, _, data = self.row(path)
        if data is not None:
            return bytes(data)
        content, offset = bytearray(size), 0
        for (chunk,) in self.execute("SELECT data FROM chunk WHERE ino = ? ORDER BY idx", (ino,)):
            content[offset : offset + len(chunk)] = chunk
            offset += len(chunk)
        return content

    def info(self, path: str) -> dict[str, Any]:
        ino, mode, size, mtime, _ = self.row(path)
        return {"name": path, "ino": ino, "mode": mode, "size": size, "mtime": mtime}

    def ls(self, path: str) -> list[dict[str, Any]]:
        query = "SELECT d.name, i.mode, i.size, i.mtime FROM dentry d JOIN inode i USING (ino) WHERE d.parent = ?"
        rows = self.execute(query, (self.directories[path],))
        return [
            {"name": f"{path}/{name}", "mode": mode, "size": size, "mtime": time} for name, mode, size, time in rows
        ]

    def rename(self, path: str, target: str) -> None:
        (parent, _, name), (other, _, new) = path.rpartition("/"), target.rpartition("/")
        values = (self.directories[other], new, self.directories[parent], name)
        self.execute("UPDATE dentry SET parent = ?, name = ? WHERE parent = ? AND name = ?", values)

    def opened(self, path: str) -> tuple[Callable[[int], object], Callable[[int], object]]:
        rows = dict(self.execute("SELECT idx, rowid FROM chunk WHERE ino = ?", (self.row(path)[0],)))

        def read(offset: int) -> bytes:
            with self.connection.blobopen("chunk", "data", rows[offset // CHUNK], readonly=True) as blob:
                blob.seek(offset % CHUNK)
                return bytes(blob.read(4096))

        def write(offset: int) -> None:
            self.execute("BEGIN IMMEDIATE")
            with self.connection.blobopen("chunk", "data", rows[offset // CHUNK]) as blob:
                blob.seek(offset % CHUNK)
                blob.write(PAGE)
            self.execute("COMMIT")

        return read, write


class Ours:
    """chuksqlite through the fsspec API, and in-place access through ``posix``."""

    def __init__(self, database: str) -> None:
        import fsspec

        self.fs = fsspec.filesystem("chuksqlite", database=database)
        self.mkdir, self.write, self.read = self.fs.mkdir, self.fs.pipe_file, self.fs.cat_file
        self.info, self.ls, self.rename = self.fs.info, self.fs.ls, self.fs.mv

    def opened(self, path: str) -> tuple[Callable[[int], object], Callable[[int], object]]:
        handle = self.fs.posix.open_handle(path, os.O_RDWR)
        return (lambda offset: handle.pread(4096, offset)), (lambda offset: handle.pwrite(PAGE, offset))


TARGETS: dict[str, Callable[[str], Target]] = {"raw SQLite": Raw, "chuksqlite": Ours}


def measure(target: Target, database: str, files: int, mib: int) -> dict[str, float]:
    """All figures of one target, in this process."""
    rnd = random.Random(1)
    directories = [f"/t/d{number:05d}" for number in range(files // PER_DIRECTORY)]
    paths = [f"{directory}/f{number:02d}" for directory in directories for number in range(PER_DIRECTORY)]
    target.mkdir("/t")
    for directory in directories:
        target.mkdir(directory)
    figures = {"create": rate(lambda path: target.write(path, KIB), paths)}
    sample = [rnd.choice(paths) for _ in range(SAMPLE)]
    figures["overwrite"] = rate(lambda path: target.write(path, KIB), sample)
    figures["read"] = rate(target.read, sample * 3)
    figures["info"] = rate(target.info, sample * 3)
    figures["ls"] = rate(target.ls, [rnd.choice(directories) for _ in range(200)])
    figures["disk_per_file"] = sum(os.stat(database + end).st_size for end in ("", "-wal")) / files
    figures["rename_directory"] = max(rate(lambda _: target.rename("/t", "/u"), [0]), 1)
    megabytes = mib * 1.048576
    large = [("/large", os.urandom(1 << 20) * mib)]
    figures["write_MBps"] = megabytes * rate(lambda file: target.write(*file), large)
    large.clear()
    figures["read_MBps"] = megabytes * rate(target.read, ["/large"])
    offsets = [rnd.randrange(mib * 256) * 4096 for _ in range(SAMPLE)]
    read, write = target.opened("/large")
    figures["random_read"] = rate(read, offsets)
    figures["random_write"] = rate(write, offsets)
    return figures


def worker(name: str, files: int, mib: int) -> None:
    with tempfile.TemporaryDirectory(prefix="chuk-bench-", dir="/dev/shm") as directory:
        database = str(Path(directory, "w.db"))
        say(json.dumps(measure(TARGETS[name](database), database, files, mib)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--mib", type=int, default=256, help="size of the large file in MiB (default 256)")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        worker(chosen.worker, chosen.files, chosen.mib)
        return 0
    figures: Figures = {target: {} for target in TARGETS}
    for number in range(chosen.rounds):
        say(f"round {number + 1} of {chosen.rounds}")
        for target in TARGETS:
            options = ["--files", str(chosen.files), "--mib", str(chosen.mib), "--worker", target]
            done = subprocess.run([sys.executable, __file__, *options], check=True, stdout=subprocess.PIPE, text=True)
            for name, value in json.loads(done.stdout).items():
                figures[target].setdefault(name, []).append(value)
    rows = []
    for name in FIGURES:
        raw, ours = (max(figures[target][name]) for target in TARGETS)
        aim = str(AIMS.get(name, ""))
        rows.append(
            [name, f"{raw:,.4g}", f"{ours:,.4g}", f"**{ratio(figures, 'chuksqlite', 'raw SQLite', name):.2f}**", aim]
        )
    disk = [f"{min(figures[target]['disk_per_file']):,.0f}" for target in TARGETS]
    rows.append(["bytes of disk a file", *disk, "", ""])
    say(table(["", *TARGETS, ": raw", "aim"], rows))
    say(f"raw figures: {save(f'sqlite-{chosen.files}', figures, mib=chosen.mib).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
