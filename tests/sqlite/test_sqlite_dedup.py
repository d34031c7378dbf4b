"""chuksqlite with ``deduplicate=True``: equal chunks are there once, and each file is its own all the same."""

from __future__ import annotations

import gc
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.maintenance import check, measure, repair
from chuk_fsspec.cli.main import main
from tests.sqlite.sqlite_checker import problems

CHUNK = 64 * 1024
DATA = b"".join(bytes([number]) * CHUNK for number in range(10))


@pytest.fixture
def fs(database: str) -> SqliteFileSystem:
    return opened(database, deduplicate=True)


def opened(database: str, **options: Any) -> SqliteFileSystem:
    return SqliteFileSystem(database=database, skip_instance_cache=True, **options)


def ask(database: str, query: str, *values: Any) -> Any:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        return connection.execute(query, values).fetchone()


def blocks(database: str) -> int:
    (count,) = ask(database, "SELECT count(*) FROM block")
    return int(count)


# ---- what is there once


def test_equal_files_take_the_space_of_one(fs: SqliteFileSystem, database: str) -> None:
    for number in range(20):
        fs.pipe_file(f"/{number}", DATA)
    assert blocks(database) == 10
    assert all(fs.cat_file(f"/{number}") == DATA for number in range(20))
    assert fs.posix.stat("/7").st_blocks * 512 == len(DATA), "the space of a file is what it would take alone"
    assert problems(database) == []
    assert check(database).ok


def test_a_file_that_is_streamed_is_found_to_be_equal(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/whole", DATA)
    with fs.open("/streamed", "wb") as file:
        for start in range(0, len(DATA), 10_000):
            file.write(DATA[start : start + 10_000])
    assert fs.cat_file("/streamed") == DATA
    assert blocks(database) == 10


def test_chunks_of_one_file_are_found_to_be_equal(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/zeros", bytes(50 * CHUNK))
    assert blocks(database) == 1
    assert fs.cat_file("/zeros") == bytes(50 * CHUNK)


def test_a_copy_shares_all_blocks(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/a", os.urandom(len(DATA)))
    fs.copy("/a", "/b")
    assert fs.cat_file("/b") == fs.cat_file("/a")
    assert blocks(database) == 10


# ---- what is of each file alone


def test_a_change_of_one_leaves_the_others(fs: SqliteFileSystem, database: str) -> None:
    for name in "abc":
        fs.pipe_file(f"/{name}", DATA)
    with fs.posix.open_handle("/b", os.O_RDWR) as handle:
        handle.pwrite(b"here", 5 * CHUNK + 100)
        assert blocks(database) == 11
        handle.truncate(3 * CHUNK + 10)
    changed = fs.cat_file("/b")
    assert changed == DATA[: 3 * CHUNK + 10]
    assert blocks(database) == 11, "the one cut is new, and the written one is gone"
    with fs.posix.open_handle("/c", os.O_RDWR) as handle:
        handle.pwrite(b"there", CHUNK - 2)
    assert fs.cat_file("/c") == DATA[: CHUNK - 2] + b"there" + DATA[CHUNK + 3 :]
    assert fs.cat_file("/a") == DATA
    assert check(database).ok


def test_what_is_changed_back_is_shared_again(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/a", DATA)
    fs.pipe_file("/b", DATA)
    with fs.posix.open_handle("/b", os.O_RDWR) as handle:
        handle.pwrite(b"x", 0)
        assert blocks(database) == 11
        handle.pwrite(DATA[:1], 0)
    assert blocks(database) == 10


def test_removal_frees_what_nobody_else_has(fs: SqliteFileSystem, database: str) -> None:
    other = DATA[: 3 * CHUNK] + os.urandom(CHUNK)
    fs.pipe_file("/a", DATA)
    fs.pipe_file("/b", other)
    assert blocks(database) == 11
    fs.rm_file("/a")
    assert blocks(database) == 4
    assert fs.cat_file("/b") == other
    fs.pipe_file("/b", b"small")
    assert blocks(database) == 0


def test_what_a_transaction_undoes_leaves_no_blocks(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/a", DATA)

    def fail() -> None:
        with fs.transaction:
            fs.pipe_file("/b", os.urandom(len(DATA)))
            fs.rm_file("/a")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert fs.cat_file("/a") == DATA
    assert not fs.exists("/b")
    assert blocks(database) == 10
    assert check(database).ok


def test_a_reader_keeps_what_it_reads(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/a", DATA)
    with fs.open("/a", "rb") as file:
        fs.rm_file("/a")
        assert file.read() == DATA
    del file
    gc.collect()
    fs.touch("/b")
    assert blocks(database) == 0


# ---- the option


def test_it_is_said_once(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/a", DATA)
    del fs
    gc.collect()
    for options in ({}, {"deduplicate": True}, {"deduplicate": None}):
        again = opened(database, **options)
        again.pipe_file("/b", DATA)
        assert blocks(database) == 10
        del again
        gc.collect()


@pytest.mark.parametrize("made", [True, False])
def test_another_value_is_refused(database: str, made: bool) -> None:
    opened(database, deduplicate=made).touch("/a")
    gc.collect()
    with pytest.raises(ValueError, match=f"deduplicate: this database was made with {made}, not {not made}"):
        opened(database, deduplicate=not made)


def test_a_file_without_it_has_no_tables_for_it(tmp_path: Path) -> None:
    names = []
    for number, options in enumerate(({}, {"deduplicate": False})):
        database = str(tmp_path / f"{number}.db")
        opened(database, **options).pipe_file("/a", DATA)
        with closing(sqlite3.connect(database)) as connection:
            names.append(connection.execute("SELECT type, name FROM sqlite_master ORDER BY name").fetchall())
            assert connection.execute("SELECT name FROM setting").fetchall() == [("chunk_size",), ("next_number",)]
    assert names[0] == names[1]
    assert ("table", "chunk") in names[0]
    assert not any(name in ("block", "reference") for _, name in names[0])


# ---- care


def test_size_says_what_is_saved(fs: SqliteFileSystem, database: str, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(5):
        fs.pipe_file(f"/{number}", DATA)
    size = measure(database)
    assert (size.stored, size.saved) == (5 * len(DATA), 4 * len(DATA))
    assert main(["sqlite", "size", database]) == 0
    assert "of equal chunks kept once" in capsys.readouterr().out


def test_size_says_nothing_of_it_without(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    opened(database).pipe_file("/a", DATA)
    assert measure(database).saved is None
    assert main(["sqlite", "size", database]) == 0
    assert "equal" not in capsys.readouterr().out


FAULTS = {
    "a missing block": ("DELETE FROM block WHERE id = (SELECT block FROM reference LIMIT 1)", "not there", False),
    "a wrong reference": ("UPDATE reference SET block = 4000 WHERE id & 268435455 = 2", "not there", False),
    "other bytes": ("UPDATE block SET data = zeroblob(65536) WHERE id = 3", "is not what was written", False),
    "an unused block": ("INSERT INTO block (hash, data) VALUES (x'00', x'00')", "nothing refers to block", True),
    "bytes past the end": ("UPDATE inode SET size = size - 100 WHERE cid IS NOT NULL", "bytes past the end", True),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_check_and_repair(database: str, fault: str) -> None:
    statement, message, can_be_repaired = FAULTS[fault]
    fs = opened(database, deduplicate=True)
    data = os.urandom(5 * CHUNK)
    fs.pipe_file("/dir/file", data)
    fs.copy("/dir/file", "/copy")
    del fs
    gc.collect()
    ask(database, statement)
    report = check(database)
    found = [problem for problem in report.problems if message in str(problem)]
    assert found, report
    if not can_be_repaired:
        assert "/dir/file" in " ".join(problem.where for problem in found)
        assert not repair(database).ok
        return
    assert repair(database).ok
    assert check(database).ok
    size = len(data) - 100 if fault == "bytes past the end" else len(data)
    assert opened(database).cat_file("/copy") == data[:size]
    assert blocks(database) == 5
