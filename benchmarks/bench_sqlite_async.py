"""The coroutine methods of chuksqlite beside aiosqlite, and beside plain ``sqlite3`` without coroutines, in one run.

    python benchmarks/bench_sqlite_async.py                          # needs aiosqlite; a minute
    python benchmarks/bench_sqlite_async.py --disk /var/tmp/bench    # a directory on a real disk, for synchronous=full

Files hold 1 KiB, 100 a directory; each target in a fresh process, taking turns. Figures are operations per second of
CPU time, of all threads; those of ``full`` are per second of wall time, for they wait for the disk. All peers have the
tables that a filesystem needs, and no more: "sqlite3" makes its calls where they are, "sqlite3, hop" one executor hop
for each operation, "aiosqlite" a hop for each statement.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from measure import Figures, ratio, save, say, table

KIB = os.urandom(1024)
PER_DIRECTORY = 100
WRITERS = 100
MODE_FILE, MODE_DIRECTORY = 0o100644, 0o40755
PEERS = ("sqlite3", "sqlite3, hop", "aiosqlite")
TARGETS = (*PEERS, "chuksqlite")
FIGURES = ("create, 1", "read, 1", "create, 100", "read, 100")
FULL = "create, 100, full"

TABLES = (
    "CREATE TABLE inode (ino INTEGER PRIMARY KEY, mode, size, mtime, data BLOB)",
    "CREATE TABLE dentry (parent, name, ino, PRIMARY KEY (parent, name)) WITHOUT ROWID",
)
FIND = "SELECT ino FROM dentry WHERE parent = ? AND name = ?"
NEW = "INSERT INTO inode (mode, size, mtime, data) VALUES (?, ?, ?, ?)"
NAME = "INSERT INTO dentry VALUES (?, ?, ?)"
DATA = "SELECT data FROM dentry JOIN inode USING (ino) WHERE parent = ? AND name = ?"


class Target(Protocol):
    """What is measured; paths are ``/directory/file``."""

    async def open(self) -> None: ...
    async def mkdir(self, path: str) -> None: ...
    async def create(self, path: str, data: bytes) -> None: ...
    async def read(self, path: str) -> bytes: ...
    async def close(self) -> None: ...


def connect(database: str, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA cache_size = -32768")
    for statement in TABLES:
        connection.execute(statement)
    return connection


class Plain:
    """The least that keeps files in tables: a transaction an operation, directories known by name."""

    def __init__(self, database: str, synchronous: str) -> None:
        self.connection = connect(database, synchronous)
        self.directories = {"": 1}

    def make(self, path: str, mode: int, data: bytes) -> int:
        parent, _, name = path.rpartition("/")
        directory = self.directories[parent]
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        if execute(FIND, (directory, name)).fetchone() is not None:
            raise FileExistsError(path)
        ino = execute(NEW, (mode, len(data), time.time_ns(), data)).lastrowid
        execute(NAME, (directory, name, ino))
        execute("COMMIT")
        assert ino is not None
        return ino

    def read(self, path: str) -> bytes:
        parent, _, name = path.rpartition("/")
        data: bytes = self.connection.execute(DATA, (self.directories[parent], name)).fetchone()[0]
        return data


class Here:
    """``Plain``, called where it is."""

    def __init__(self, database: str, synchronous: str) -> None:
        self.plain = Plain(database, synchronous)

    async def open(self) -> None: ...

    async def mkdir(self, path: str) -> None:
        self.plain.directories[path] = self.plain.make(path, MODE_DIRECTORY, b"")

    async def create(self, path: str, data: bytes) -> None:
        self.plain.make(path, MODE_FILE, data)

    async def read(self, path: str) -> bytes:
        return self.plain.read(path)

    async def close(self) -> None:
        self.plain.connection.close()


class Hop(Here):
    """``Plain`` in a thread, an executor hop for each operation."""

    async def open(self) -> None:
        self.executor = ThreadPoolExecutor(1)
        self.loop = asyncio.get_running_loop()

    async def create(self, path: str, data: bytes) -> None:
        await self.loop.run_in_executor(self.executor, self.plain.make, path, MODE_FILE, data)

    async def read(self, path: str) -> bytes:
        return await self.loop.run_in_executor(self.executor, self.plain.read, path)

    async def close(self) -> None:
        self.executor.shutdown()
        await super().close()


class Aiosqlite:
    """The same statements through aiosqlite, as its documentation shows it."""

    def __init__(self, database: str, synchronous: str) -> None:
        connect(database, synchronous).close()
        self.database, self.synchronous = database, synchronous
        self.directories = {"": 1}

    async def open(self) -> None:
        aiosqlite: Any = importlib.import_module("aiosqlite")
        self.turn = asyncio.Lock()  # a connection has one transaction at a time
        self.connection: Any = await aiosqlite.connect(self.database, isolation_level=None)
        await self.connection.execute(f"PRAGMA synchronous = {self.synchronous}")
        await self.connection.execute("PRAGMA cache_size = -32768")

    async def make(self, path: str, mode: int, data: bytes) -> int:
        parent, _, name = path.rpartition("/")
        directory = self.directories[parent]
        async with self.turn:
            await self.connection.execute("BEGIN IMMEDIATE")
            if await self.connection.execute_fetchall(FIND, (directory, name)):
                raise FileExistsError(path)
            cursor = await self.connection.execute(NEW, (mode, len(data), time.time_ns(), data))
            await self.connection.execute(NAME, (directory, name, cursor.lastrowid))
            await self.connection.commit()
        return int(cursor.lastrowid)

    async def mkdir(self, path: str) -> None:
        self.directories[path] = await self.make(path, MODE_DIRECTORY, b"")

    async def create(self, path: str, data: bytes) -> None:
        await self.make(path, MODE_FILE, data)

    async def read(self, path: str) -> bytes:
        parent, _, name = path.rpartition("/")
        async with self.connection.execute(DATA, (self.directories[parent], name)) as cursor:
            data: bytes = (await cursor.fetchone())[0]
        return data

    async def close(self) -> None:
        await self.connection.close()


class Chuksqlite:
    """The coroutine methods, whose names fsspec begins with an underscore."""

    def __init__(self, database: str, synchronous: str) -> None:
        from chuk_fsspec.backends.sqlite import SqliteFileSystem

        fs = SqliteFileSystem(database=database, synchronous=synchronous)
        self.mkdir: Callable[[str], Awaitable[None]] = fs._mkdir  # noqa: SLF001
        self.create: Callable[[str, bytes], Awaitable[None]] = fs._pipe_file  # noqa: SLF001
        self.read: Callable[[str], Awaitable[bytes]] = fs._cat_file  # noqa: SLF001

    async def open(self) -> None: ...

    async def close(self) -> None: ...


KINDS: dict[str, Callable[[str, str], Any]] = {
    "sqlite3": Here,
    "sqlite3, hop": Hop,
    "aiosqlite": Aiosqlite,
    "chuksqlite": Chuksqlite,
}


async def rate(
    work: Callable[[str], Awaitable[object]], paths: list[str], tasks: int, clock: Callable[[], float]
) -> float:
    """Operations per second of tasks that each make one call after another."""

    async def one_after_another(part: list[str]) -> None:
        for path in part:
            await work(path)

    start = clock()
    await asyncio.gather(*(one_after_another(paths[number::tasks]) for number in range(tasks)))
    return len(paths) / max(clock() - start, 1e-9)


async def run(name: str, database: str, files: int, full: bool) -> dict[str, float]:
    """All figures of one target, in this process."""
    target: Target = KINDS[name](database, "full" if full else "normal")
    await target.open()
    figures = {}
    directories = [f"/d{number:05d}" for number in range(2 * files // PER_DIRECTORY)]
    for directory in directories:
        await target.mkdir(directory)
    paths = [f"{directory}/f{number:02d}" for directory in directories for number in range(PER_DIRECTORY)]
    halves = {1: paths[:files], WRITERS: paths[files:]}

    async def create(path: str) -> None:
        await target.create(path, KIB)

    if full:
        figures[FULL] = await rate(create, halves[WRITERS], WRITERS, time.perf_counter)
    else:
        for tasks, half in halves.items():
            figures[f"create, {tasks}"] = await rate(create, half, tasks, time.process_time)
            figures[f"read, {tasks}"] = await rate(target.read, half, tasks, time.process_time)
    await target.close()
    return figures


def measure(name: str, directory: str, files: int, full: bool) -> dict[str, float]:
    """The same in a fresh process."""
    place = tempfile.mkdtemp(dir=directory)
    try:
        command = [sys.executable, __file__, "--worker", name, "--files", str(files), "--place", f"{place}/w.db"]
        done = subprocess.run([*command, *(["--full"] if full else [])], check=True, capture_output=True)
        result: dict[str, float] = json.loads(done.stdout)
        return result
    finally:
        shutil.rmtree(place)


def report(figures: Figures) -> str:
    rows = []
    for figure in (*FIGURES, FULL):
        row = [figure]
        for target in TARGETS:
            values = sorted(figures[target].get(figure, []))
            row.append(f"{values[len(values) // 2]:,.4g}" if values else "-")
        row += [f"{ratio(figures, 'chuksqlite', peer, figure):.2f}" for peer in PEERS]
        rows.append(row)
    return table(["", *TARGETS, *(f"chuksqlite : {peer}" for peer in PEERS)], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", default="/dev/shm", help="directory where a sync costs nothing")  # noqa: S108
    parser.add_argument("--disk", default="/var/tmp", help="directory on a real disk")  # noqa: S108
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker:
        sys.stdout.write(json.dumps(asyncio.run(run(chosen.worker, chosen.place, chosen.files, chosen.full))))
        return 0
    figures: Figures = {target: {} for target in TARGETS}
    for number in range(chosen.rounds):
        for target in TARGETS:
            say(f"round {number + 1} of {chosen.rounds}: {target}")
            found = measure(target, chosen.memory, chosen.files, full=False)
            found |= measure(target, chosen.disk, chosen.files // 5, full=True)
            for name, value in found.items():
                figures[target].setdefault(name, []).append(value)
    say(report(figures))
    say(f"raw figures: {save('sqlite-async', figures, files=chosen.files, busy=os.getloadavg()[0]).name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
