"""A chuksqlite on a disk that is full, or that must not be written."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.maintenance import check
from tests.disks import small_disk
from tests.sqlite.sqlite_checker import problems
from tests.sqlite.sqlite_other import other_process

MIB = 1 << 20
OLD = b"old" * 20_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MiB."""
    with small_disk(tmp_path / "disk", "8m") as point:
        yield point


def in_place(fs: SqliteFileSystem) -> None:
    with fs.posix.open_handle("/d/f", os.O_RDWR) as handle:
        handle.pwrite(b"new" * 2 * MIB, 10)


def by_file(fs: SqliteFileSystem) -> None:
    with fs.open("/d/f", "wb") as file:
        for _ in range(40):
            file.write(b"new" * 100_000)


def by_transaction(fs: SqliteFileSystem) -> None:
    with fs.transaction:
        fs.rm_file("/d/f")
        fs.pipe_file("/d/new", b"new")
        fs.pipe_file("/d/f", b"new" * 2 * MIB)


def by_appending(fs: SqliteFileSystem) -> None:
    with fs.open("/d/f", "ab") as file:
        file.write(b"new" * 2 * MIB)


def by_reserving(fs: SqliteFileSystem) -> None:
    nodes = fs.posix.nodes
    directory = nodes.lookup(nodes.root, "d")
    assert directory is not None
    node = nodes.lookup(directory, "f")
    assert node is not None
    nodes.allocate(node, 0, 8 * MIB, 0)


def by_copying(fs: SqliteFileSystem) -> None:
    for number in range(200):
        fs.cp_file("/d/f", f"/copy-{number}")


def by_small_files(fs: SqliteFileSystem) -> None:
    for number in range(3000):
        fs.pipe_file(f"/small/{number}", b"x" * 4000)


def by_names(fs: SqliteFileSystem) -> None:
    for number in range(15_000):
        fs.mkdir(f"/{number:0250}")


WAYS: list[Callable[[SqliteFileSystem], object]] = [
    lambda fs: fs.pipe_file("/d/f", b"new" * 2 * MIB),
    lambda fs: fs.pipe_file("/d/new", b"new" * 2 * MIB),
    in_place,
    by_file,
    by_transaction,
    by_appending,
    by_reserving,
    by_copying,
    by_small_files,
    by_names,
]
NAMES = ["over", "new", "place", "file", "transaction", "append", "reserve", "copy", "small", "names"]


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("way", WAYS, ids=NAMES)
def test_nothing_is_half_done_on_a_full_disk(disk: Path, way: Callable[[SqliteFileSystem], None], journal: str) -> None:
    database = str(disk / "w.db")
    options: dict[str, Any] = {"journal_mode": journal, "synchronous": "off"}
    fs = SqliteFileSystem(database=database, **options)
    fs.pipe_file("/d/f", OLD)
    # What is small takes many steps to fill the disk.
    (disk / "ballast").write_bytes(bytes((7 if way in (by_names, by_small_files) else 3) * MIB))
    with pytest.raises(OSError) as caught:
        way(fs)
    assert caught.value.errno == errno.ENOSPC
    assert str(disk) not in str(caught.value)
    assert fs.cat_file("/d/f") == OLD
    assert not fs.exists("/d/new")
    # What could be done before, in operations of their own, is whole.
    assert all(fs.info(path)["size"] in (4000, len(OLD)) for path in fs.find("/"))
    # There is room again. Without any, SQLite can remove nothing: that is a change, too.
    (disk / "ballast").unlink()
    for name in fs.ls("/", detail=False):
        if name != "/d":
            fs.rm(name, recursive=True)
    fs.pipe_file("/d/f", b"after")
    with other_process(database, **options) as other:
        assert other.call("fs.find", "/") == ["/d/f"]
        assert other.call("fs.cat_file", "/d/f") == b"after"
    assert problems(database, in_use=True) == []


def fill(disk: Path) -> None:
    """Leave no room at all."""
    with open(disk / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(4096))


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("way", ["restore", "delete"])
def test_a_snapshot_on_a_full_disk(disk: Path, way: str, journal: str) -> None:
    database = str(disk / "w.db")
    options: dict[str, Any] = {"journal_mode": journal, "synchronous": "off", "chunk_size": 4096}
    fs = SqliteFileSystem(database=database, **options)
    paths = [f"/d{number % 7}/{number}" for number in range(40)]
    states = {}
    for name in ("early", "late", "now"):
        for path in paths[: len(paths) // 2]:
            fs.pipe_file(path, name.encode() * 200)
        for path in paths[len(paths) // 2 :]:
            fs.touch(path, truncate=False)
            with fs.posix.open_handle(path, os.O_RDWR) as handle:
                handle.pwrite(name.encode() * 4000, 10)
        fs.pipe_file(f"/{name}", b"only now")
        states[name] = fs.cat(fs.find("/"))
        if name != "now":
            fs.snapshots.create(name)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fill(disk)
    act = getattr(fs.snapshots, way)
    with pytest.raises(OSError) as caught:
        act("early")
    assert caught.value.errno == errno.ENOSPC
    assert str(disk) not in str(caught.value)
    assert fs.cat(fs.find("/")) == states["now"]
    for name in ("early", "late"):
        past = fs.snapshots.at(name)
        assert past.cat(past.find("/")) == states[name]
    (disk / "ballast").unlink()
    assert problems(database, in_use=True) == []
    act("early")
    assert fs.cat(fs.find("/")) == states["early" if way == "restore" else "now"]
    past = fs.snapshots.at("late")
    assert past.cat(past.find("/")) == states["late"]
    assert check(database).ok


def test_a_database_on_a_disk_that_is_read_only(disk: Path) -> None:
    database = str(disk / "w.db")
    with other_process(database) as other:
        other.call("fs.pipe_file", "/f", b"x")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    fs = SqliteFileSystem(database=database, read_only=True)
    assert fs.cat_file("/f") == b"x"
    with pytest.raises(OSError) as caught:
        fs.pipe_file("/f", b"y")
    assert caught.value.errno == errno.EROFS
    with pytest.raises(OSError) as caught:
        SqliteFileSystem(database=database, skip_instance_cache=True).pipe_file("/f", b"y")
    assert caught.value.errno in (errno.EROFS, errno.EIO, errno.EACCES)
    assert str(disk) not in str(caught.value)


def test_a_new_database_on_a_full_disk(disk: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        (disk / "ballast").write_bytes(bytes(9 * MIB))
    with pytest.raises(OSError) as caught:
        SqliteFileSystem(database=str(disk / "w.db"))
    assert caught.value.errno == errno.ENOSPC
    (disk / "ballast").unlink()
    fs = SqliteFileSystem(database=str(disk / "w.db"))
    fs.pipe_file("/f", b"x")
    assert fs.find("/") == ["/f"]
