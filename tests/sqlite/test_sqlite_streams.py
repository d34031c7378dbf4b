"""Large files on chuksqlite: written whole or not at all, without holding them in memory."""

from __future__ import annotations

import errno
import gc
import gzip
import io
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.store import SqliteStore
from chuk_fsspec.engine import spilling
from tests.disks import small_disk
from tests.ecosystem.warm_python import WarmProcess

BLOCK = os.urandom(1 << 20)
LARGE = b"".join(number.to_bytes(8, "big") + BLOCK[8:] for number in range(9))
"""More than is kept in memory, and more than is staged in one transaction."""

MEMORY_PROGRAM = Path(__file__).with_name("sqlite_memory.py")


@pytest.fixture
def fs(database: str) -> SqliteFileSystem:
    return SqliteFileSystem(database=database)


def held(database: str) -> tuple[int, int]:
    """How many chunks a database holds, and how many contents without a file."""
    with sqlite3.connect(database) as connection:
        chunks, loose = connection.execute("SELECT count(*), (SELECT count(*) FROM loose) FROM chunk").fetchone()
    connection.close()
    return chunks, loose


def child(code: str, *arguments: str) -> WarmProcess:
    """Another process that runs ``code`` with a filesystem ``fs`` on the database of its first argument."""
    setup = (
        "import os, sys; from chuk_fsspec.backends.sqlite import SqliteFileSystem as F; fs = F(database=sys.argv[1])\n"
    )
    return WarmProcess(setup + code, *arguments)


def run_child(code: str, *arguments: str) -> str:
    process = child(code, *arguments)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out


# ---- written and read


@pytest.mark.parametrize("mode", ["wb", "xb", "w+b", "x+b", "ab", "a+b"])
@pytest.mark.parametrize("piece", [100_001, 1 << 20, len(LARGE)])
def test_a_large_new_file_is_what_was_written(fs: SqliteFileSystem, database: str, mode: str, piece: int) -> None:
    with fs.open("/d/f", mode) as file:
        for start in range(0, len(LARGE), piece):
            assert file.write(LARGE[start : start + piece]) == len(LARGE[start : start + piece])
        assert file.tell() == len(LARGE)
        assert not fs.exists("/d/f")
    assert fs.size("/d/f") == len(LARGE)
    assert fs.cat("/d/f") == LARGE
    with fs.open("/d/f") as file:
        assert file.read() == LARGE
    assert held(database)[1] == 0


def test_a_large_file_is_edited_from_what_it_holds(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe("/f", LARGE)
    chunks, _ = held(database)
    with fs.open("/f", "r+b") as file:
        assert file.read(10) == LARGE[:10]
        file.seek(-5, os.SEEK_END)
        file.write(b"the end")
        file.seek(0)
        file.write(b"the beginning")
        assert fs.cat("/f") == LARGE
    assert fs.cat("/f") == b"the beginning" + LARGE[13:-5] + b"the end"
    assert held(database) == (chunks + 1, 0)


def test_a_large_file_is_added_to_in_place(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe("/f", LARGE)
    before = fs.info("/f")
    with fs.open("/f", "ab") as file:
        assert file.tell() == len(LARGE)
        file.write(LARGE)
        fs.posix.truncate("/f", 5)
    assert fs.cat("/f") == LARGE[:5] + LARGE
    assert fs.info("/f")["ino"] == before["ino"]
    assert held(database)[1] == 0


def test_what_is_there_keeps_inode_owner_mode_and_names(fs: SqliteFileSystem) -> None:
    fs.pipe("/f", b"old")
    fs.posix.chmod("/f", 0o640)
    fs.posix.link("/f", "/g")
    before = fs.info("/f")
    with fs.open("/f", "wb") as file:
        file.write(LARGE)
    after = fs.info("/f")
    assert [after[key] for key in ("ino", "mode", "uid", "gid", "nlink")] == [
        before[key] for key in ("ino", "mode", "uid", "gid", "nlink")
    ]
    assert after["etag"] != before["etag"]
    assert fs.cat("/g") == LARGE


def test_text_and_compression_lie_above(fs: SqliteFileSystem) -> None:
    line = "ein längerer Satz ohne Ende\n"
    with fs.open("/t", "w", encoding="utf-8") as text:
        text.writelines([line] * 300_000)
    with fs.open("/t", "r", encoding="utf-8") as text:
        assert sum(read == line for read in text) == 300_000
    with fs.open("/g.gz", "wb", compression="infer") as file:
        file.write(LARGE)
    assert gzip.decompress(fs.cat("/g.gz")) == LARGE
    with fs.open("/g.gz", "rb", compression="infer") as file:
        assert file.read() == LARGE


def test_lines_are_read_back_while_it_is_written(fs: SqliteFileSystem) -> None:
    with fs.open("/f", "w+b") as file:
        file.writelines(b"%07d\n" % number for number in range(1_000_000))
        file.seek(4_000_000)
        assert file.readline() == b"0500000\n"
        assert next(iter(file)) == b"0500001\n"
        assert len(file.readlines()) == 499_998


def test_a_file_written_only_is_not_read(fs: SqliteFileSystem) -> None:
    with fs.open("/f", "wb") as file:
        file.write(LARGE)
        assert not file.readable()
        for read in (file.read, file.readline, file.read1, lambda: file.readinto(bytearray(1))):
            with pytest.raises(io.UnsupportedOperation):
                read()
    with pytest.raises(ValueError, match="closed"):
        file.write(b"more")


def test_a_negative_size_is_refused(fs: SqliteFileSystem) -> None:
    with fs.open("/f", "wb") as file:
        file.write(LARGE)
        with pytest.raises(ValueError, match="negative"):
            file.truncate(-1)
    assert fs.cat("/f") == LARGE


Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "read", "seek", "from the end", "truncate", "line"]),
        st.integers(0, 60_000),
        st.integers(0, 25_000),
    ),
    max_size=12,
)


def perform(file: Any, step: Step) -> Any:
    act, offset, size = step
    if act == "write":
        return file.write(bytes([offset % 251]) * (size - 1) + b"\n" if size else b"")
    if act == "read":
        return file.read(size)
    if act == "seek":
        return file.seek(offset)
    if act == "from the end":
        return file.seek(-min(offset, file.seek(0, os.SEEK_END)), os.SEEK_END)
    if act == "truncate":
        return file.truncate(offset)
    return file.readline(size)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mode=st.sampled_from(["w+b", "r+b"]), size=st.integers(0, 50_000), steps=STEPS)
def test_any_edits_do_what_a_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, size: int, steps: list[Step]
) -> None:
    monkeypatch.setattr(spilling, "MEMORY_MAX", 10_000)
    monkeypatch.setattr(spilling, "PIECE", 20_000)
    monkeypatch.setattr(spilling, "_BUFFER", 3_000)
    fs = SqliteFileSystem(database=str(tmp_path / "w.db"), chunk_size=4096)
    old = (b"old content\n" * 5_000)[:size]
    model = tmp_path / "model"
    model.write_bytes(old)
    fs.pipe("/f", old)
    with fs.open("/f", mode) as file, open(model, mode) as expected:
        for step in steps:
            assert perform(file, step) == perform(expected, step)
            assert file.tell() == expected.tell()
    assert fs.cat("/f") == model.read_bytes()
    assert held(fs.database)[1] == 0


# ---- not written


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe("/f", b"old")
    for mode in ("wb", "r+b", "ab"):
        with pytest.raises(KeyError), fs.open("/f", mode) as file:  # noqa: PT012 - the block is what fails
            file.write(LARGE)
            assert held(database)[1] == 1
            raise KeyError
        assert fs.cat("/f") == b"old"
        assert held(database) == (0, 0)


def test_a_discarded_file_leaves_nothing(fs: SqliteFileSystem, database: str) -> None:
    file = fs.open("/f", "wb")
    file.write(LARGE)
    file.discard()
    file.close()
    assert not fs.exists("/f")
    assert held(database) == (0, 0)


def test_somebody_was_faster(fs: SqliteFileSystem, database: str) -> None:
    file = fs.open("/f", "xb")
    file.write(LARGE)
    fs.pipe("/f", b"faster")
    with pytest.raises(FileExistsError):
        file.close()
    assert file.closed
    assert fs.cat("/f") == b"faster"
    assert held(database) == (0, 0)


def test_a_file_that_is_let_go_of_ends_as_on_chukmem(fs: SqliteFileSystem, database: str) -> None:
    memory = MemoryFileSystem(store="let-go-of")
    for each in (fs, memory):
        file = each.open("/f", "wb")
        file.write(LARGE)
        del file
        gc.collect()
    assert fs.exists("/f") == memory.exists("/f")
    assert held(database)[1] == 0


def test_a_transaction_publishes_all_or_nothing(fs: SqliteFileSystem, database: str) -> None:
    with fs.transaction:
        with fs.open("/a", "wb") as file:
            file.write(LARGE)
        assert not fs.exists("/a")
        fs.pipe("/b", b"small")
    assert fs.cat("/a") == LARGE
    chunks = held(database)
    with pytest.raises(KeyError), fs.transaction:  # noqa: PT012 - the block is what is undone
        for path in ("/a", "/c"):
            with fs.open(path, "wb") as file:
                file.write(LARGE + LARGE)
        fs.rm("/b")
        raise KeyError
    assert fs.cat("/a") == LARGE
    assert fs.ls("/", detail=False) == ["/a", "/b"]
    assert held(database) == chunks


def test_no_space_leaves_the_old_file_and_nothing_else(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe("/f", LARGE[: 1 << 20])
    before = held(database)
    assert isinstance(fs.store, SqliteStore)
    execute = fs.store.session.connection.execute
    (pages,) = execute("PRAGMA page_count").fetchone()
    execute(f"PRAGMA max_page_count = {pages + 5000}")
    for mode in ("wb", "r+b", "ab"):
        with pytest.raises(OSError, match="space") as caught, fs.open("/f", mode) as file:
            file.write(LARGE * 4)
        assert caught.value.errno == errno.ENOSPC
        assert fs.cat("/f") == LARGE[: 1 << 20]
        assert held(database) == before
    with pytest.raises(OSError, match="space"):
        fs.copy(["/f"] * 30, [f"/copy{number}" for number in range(30)], on_error="raise")
    execute("PRAGMA max_page_count = 0x7fffffff")
    fs.rm(fs.glob("/copy*"))
    fs.pipe("/g", LARGE)  # what was dropped can be used again
    assert held(database) == (before[0] + 144, 0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB."""
    with small_disk(tmp_path / "disk", "48m") as point:
        yield point


def test_large_files_leave_a_full_disk_usable(disk: Path) -> None:
    fs = SqliteFileSystem(database=str(disk / "w.db"))
    fs.pipe("/f", LARGE)
    before = held(fs.database)
    for mode in ("wb", "r+b", "ab"):
        with pytest.raises(OSError, match="space") as caught, fs.open("/f", mode) as file:
            file.write(LARGE * 6)
        assert caught.value.errno == errno.ENOSPC
        assert fs.cat("/f") == LARGE
        assert held(fs.database) == before
    fs.pipe("/small", b"small")
    fs.rm("/f")
    fs.pipe("/g", LARGE)
    assert fs.cat("/g") == LARGE
    assert fs.cat("/small") == b"small"


# ---- several processes

WRITE_SLOWLY = """
file = fs.open("/f", "wb")
for _ in range(20):
    file.write(os.urandom(1 << 20))
print("written", flush=True)
sys.stdin.read()
"""


def test_a_killed_writer_leaves_nothing_once_everybody_has_closed(database: str) -> None:
    other = child("fs.pipe('/f', b'old'); print('open', flush=True); sys.stdin.read()", database)
    assert other.stdout.readline() == "open\n"
    writer = child(WRITE_SLOWLY, database)
    assert writer.stdout.readline() == "written\n"
    writer.kill()
    writer.communicate()
    assert run_child("print(fs.cat('/f'))", database) == "b'old'\n"
    assert held(database)[1] == 1, "somebody has the database open, whose file it may be"
    other.communicate()
    assert run_child("print(fs.cat('/f'))", database) == "b'old'\n"
    assert held(database) == (0, 0)
    with sqlite3.connect(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_others_write_between_two_pieces(database: str) -> None:
    writer = child(WRITE_SLOWLY + "file.close()\n", database)
    fs = SqliteFileSystem(database=database)
    assert writer.stdout.readline() == "written\n"
    fs.pipe("/g", b"meanwhile")
    assert fs.ls("/", detail=False) == ["/g"]
    writer.communicate()
    assert fs.ls("/", detail=False) == ["/f", "/g"]
    assert fs.size("/f") == 20 << 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_drops_nothing_of_its_parent(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe("/read", LARGE)
    with fs.open("/f", "wb") as file, fs.open("/read", "rb") as reader:
        file.write(LARGE)
        fs.pipe("/read", b"new")
        process = multiprocessing.get_context("fork").Process(target=drop_and_write, args=(fs, file, reader))
        process.start()
        process.join()
        assert process.exitcode == 0
        assert reader.read() == LARGE
    assert fs.cat("/f") == LARGE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_what_was_taken_for_a_leftover_is_an_error_and_not_zeros(fs: SqliteFileSystem, database: str) -> None:
    """A fork closes the connection for a moment: whoever opens the database just then believes to be alone."""
    file = fs.open("/f", "wb")
    file.write(LARGE)
    store: Any = fs.store
    store.session.close()
    run_child("fs.ls('/')", database)
    with pytest.raises(OSError, match="write the file again") as caught:
        file.close()
    assert caught.value.errno == errno.ESTALE
    assert fs.ls("/") == []
    assert held(database) == (0, 0)


def test_a_fork_leaves_what_is_being_written(fs: SqliteFileSystem, database: str) -> None:
    file = fs.open("/f", "wb")
    file.write(LARGE)
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()
    run_child("fs.ls('/')", database)
    file.close()
    assert fs.cat("/f") == LARGE


def drop_and_write(fs: SqliteFileSystem, file: Any, reader: Any) -> None:
    file._staged.stage.__del__()
    reader._content.__del__()
    fs.pipe("/child", b"child")


# ---- read


def test_a_reader_keeps_what_it_has_opened(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe("/f", LARGE)
    chunks = held(database)
    with fs.open("/f", "rb") as file:
        assert file.read(10) == LARGE[:10]
        with fs.open("/f", "wb") as writer:
            writer.write(bytes(len(LARGE)))
        assert fs.cat("/f") == bytes(len(LARGE))
        file.seek(0)
        assert file.read() == LARGE
        fs.rm("/f")
        file.seek(5 << 20)
        assert file.read(8) == LARGE[5 << 20 :][:8]
    del file, writer
    gc.collect()
    fs.pipe("/g", b"what is used no more is dropped with the next change")
    assert held(database) == (0, 0), chunks


@pytest.mark.parametrize("change", ["fs.pipe('/f', bytes(1 << 20))", "fs.rm('/f')", "fs.pipe('/f', b'small')"])
def test_what_another_process_has_taken_away_is_no_zeros(fs: SqliteFileSystem, database: str, change: str) -> None:
    fs.pipe("/f", LARGE)
    with fs.open("/f", "rb") as file, fs.posix.open_handle("/f") as handle:
        assert file.read(10) == handle.pread(10, 0) == LARGE[:10]
        run_child(change, database)
        file.seek(5 << 20)
        with pytest.raises(OSError, match="another process") as caught:
            file.read(10)
        assert caught.value.errno == errno.ESTALE
        if "rm" in change:
            with pytest.raises(OSError, match="another process") as caught:
                handle.pread(10, 0)
            assert caught.value.errno == errno.ESTALE
        else:
            assert handle.pread(10, 0) == fs.cat_file("/f", 0, 10)


def test_edits_in_place_by_another_process_are_seen(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe("/f", LARGE)
    with fs.open("/f", "rb") as file:
        run_child("fs.posix.open_handle('/f', os.O_RDWR).pwrite(b'edited', 5 << 20)", database)
        file.seek(5 << 20)
        assert file.read(6) == b"edited"


def test_a_copy_is_of_one_moment(fs: SqliteFileSystem, database: str) -> None:
    """Copying in pieces begins anew if somebody writes between two of them."""
    fs.pipe("/f", bytes(32 << 20))
    writer = child(
        """
print("ready", flush=True)
handle = fs.posix.open_handle("/f", os.O_RDWR)
for number in range(1, 200):
    handle.pwrite(bytes([number]), 0)
    handle.pwrite(bytes([number]), (32 << 20) - 1)
""",
        database,
    )
    assert writer.stdout.readline() == "ready\n"
    for _ in range(3):
        fs.cp_file("/f", "/g")
        first, last = fs.cat_file("/g", 0, 1)[0], fs.cat_file("/g", -1)[0]
        assert first - last in (0, 1)
    writer.communicate()
    gc.collect()
    fs.rm("/g")
    assert held(database)[1] == 0


# ---- memory


def rises(directory: Path, mebibytes: int, *ways: str) -> Iterator[tuple[str, int, int]]:
    """Way, MiB by which the peak of memory rose, MiB of the write-ahead log."""
    command = [sys.executable, "-W", "error", str(MEMORY_PROGRAM), str(directory), str(mebibytes), *ways]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines():
        way, rise, _, log = line.split()
        yield way, int(rise), int(log)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "ways",
    [
        ("write", "read", "edit", "copy", "truncate", "replace", "remove"),
        ("stream_write", "stream_read"),
        pytest.param(("write", "get", "put", "get", "move"), marks=pytest.mark.slow),
    ],
)
def test_large_files_take_little_memory_and_a_small_log(tmp_path: Path, ways: tuple[str, ...]) -> None:
    for way, rise, log in rises(tmp_path, 64, *ways):
        assert rise < 70, way
        assert log < 32, way


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_adding_much_takes_little_memory(tmp_path: Path) -> None:
    for way, rise, _ in rises(tmp_path, 64, "append"):
        assert rise < 70, way


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_4_gib_take_100_mib(tmp_path: Path) -> None:
    for way, rise, log in rises(tmp_path, 4096, "write", "read", "edit", "remove"):
        assert rise < 100, way
        assert log < 64, way
