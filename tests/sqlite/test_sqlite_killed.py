"""Writers of a chuksqlite that are killed: what they were told is done is there, whole, and nothing is left over."""

from __future__ import annotations

import gc
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.maintenance import check
from tests.ecosystem.warm_python import WarmProcess
from tests.sqlite.sqlite_checker import problems

CHUNK = 4096
SIZES = [1, 3000, CHUNK + 1, 20 * CHUNK + 5, 2 << 20]

# Each file is one byte, repeated. What is acknowledged is printed after it was done, what is tried before.
WORKER = """
    import os, random, sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem

    fs = SqliteFileSystem(**eval(sys.argv[1]))
    choose = random.Random(int(sys.argv[2]))
    sizes = eval(sys.argv[3])

    def say(*what):
        os.write(1, (" ".join(map(str, what)) + "\\n").encode())

    def version():
        return bytes([choose.randrange(1, 256)]) * choose.choice(sizes)

    say("ready")
    step = 0
    while True:
        step += 1
        path = f"/kept/{choose.randrange(8)}"
        data = version()
        how = choose.randrange(7)
        if how == 0:
            say("try", path, data[0], len(data))
            fs.pipe_file(path, data)
        elif how == 1:
            say("try", path, data[0], len(data))
            with fs.open(path, "wb") as file:
                for start in range(0, len(data), 100_000):
                    file.write(data[start : start + 100_000])
        elif how == 2:
            fs.pipe_file("/new", data)
            say("try", path, data[0], len(data))
            fs.mv("/new", path)
        elif how == 3:
            other = f"/kept/{choose.randrange(8)}"
            say("try", path, data[0], len(data))
            say("try", other, data[0], len(data))
            with fs.transaction:
                fs.pipe_file(path, data)
                fs.pipe_file(other, data)
                fs.pipe_file("/pair/a", data)
                fs.pipe_file("/pair/b", data)
            say("done", other)
        elif how == 4:
            fs.pipe({f"/tree/{name}/{name}": data for name in range(5)})
            fs.rm("/tree", recursive=True)
            continue
        elif how == 5:
            with fs.posix.open_handle("/handle", os.O_CREAT | os.O_RDWR) as handle:
                fs.rm_file("/handle")
                handle.pwrite(data, choose.randrange(100_000))
            continue
        else:
            say("try", path, data[0], len(data))
            fs.pipe_file("/copied", data)
            fs.cp_file("/copied", path)
        say("done", path)
"""


class Books:
    """What a file may hold, by what its writer has said."""

    def __init__(self) -> None:
        self.may_be: dict[str, list[tuple[int, int] | None]] = {}

    def read(self, lines: list[str]) -> None:
        """Go through what one writer has said, before it was killed."""
        for line in lines:
            word, path, *what = line.split()
            if word == "try":
                byte, size = map(int, what)
                self.may_be.setdefault(path, [None]).append((byte, size))
            else:
                self.may_be[path] = self.may_be[path][-1:]

    def check(self, fs: SqliteFileSystem) -> None:
        """Every file is one of what it may be, whole; and that is what it is from now on."""
        for path, allowed in self.may_be.items():
            found = None
            if fs.exists(path):
                data = fs.cat_file(path)
                assert data == data[:1] * len(data), f"{path} is torn"
                assert data, f"{path} is empty"
                found = data[0], len(data)
            assert found in allowed, f"{path} is {found}, not one of {allowed}"
            self.may_be[path] = [found]


def kill_writers(tmp_path: Path, kills: int, longest: float, **options: Any) -> None:
    database = str(tmp_path / "w.db")
    wanted = {"database": database, "chunk_size": CHUNK, **options}
    choose = random.Random(kills)
    books = Books()
    SqliteFileSystem(**wanted, skip_instance_cache=True).makedirs("/kept")
    gc.collect()
    for number in range(kills):
        writer = WarmProcess(WORKER, repr(wanted), str(number), repr(SIZES))
        assert writer.stdout.readline() == "ready\n"
        time.sleep(choose.random() * longest)
        writer.kill()
        said, _ = writer.communicate()
        books.read([line for line in said.splitlines(keepends=True) if line.endswith("\n")])
        # It is alone with it now, so it removes what is left.
        fs = SqliteFileSystem(**wanted, skip_instance_cache=True)
        books.check(fs)
        pair = [fs.cat_file(path) if fs.exists(path) else b"" for path in ("/pair/a", "/pair/b")]
        assert pair[0] == pair[1]
        names = fs.ls("/tree", detail=False) if fs.exists("/tree") else []
        assert all(fs.cat_file(f"{name}/{name[-1]}") for name in names if fs.exists(f"{name}/{name[-1]}"))
        del fs
        gc.collect()
        assert problems(database, in_use=wanted.get("journal_mode") == "delete") == [], number


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_killed_writer_leaves_whole_files(tmp_path: Path, journal: str) -> None:
    kill_writers(tmp_path, 6, 0.2, journal_mode=journal)


def test_a_killed_writer_leaves_whole_files_where_equal_chunks_are_there_once(tmp_path: Path) -> None:
    kill_writers(tmp_path, 6, 0.2, deduplicate=True)
    assert check(str(tmp_path / "w.db")).ok, "a block that nothing refers to, or one that is missing"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_thousand_killed_writers_leave_whole_files(tmp_path: Path) -> None:
    kill_writers(tmp_path, int(os.environ.get("CHUK_TEST_KILLS", "1000")), 0.15)
