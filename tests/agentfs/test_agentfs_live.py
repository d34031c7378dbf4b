"""A database that other programs write: what they commit shows, and nothing of theirs is touched."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from chuk_fsspec.backends.agentfs import AgentFileSystem
from chuk_fsspec.backends.agentfs.database import Way
from chuk_fsspec.backends.agentfs.store import AgentStore
from tests.agentfs.agentfs_files import FILE, Maker, pattern, state_of

HOLD = """
import fcntl, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
sys.stdin.read()
"""


def way(fs: AgentFileSystem) -> Way:
    assert isinstance(fs.store, AgentStore)
    fs.store.look()
    return fs.store.way


@pytest.fixture(autouse=True)
def temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where private copies are made, of this test alone."""
    path = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    return path


def change_everything(maker: Maker, fs: AgentFileSystem) -> None:
    """Each kind of change by the other program shows at once."""
    ino = maker.file("f", b"one")
    assert fs.cat("/f") == b"one"
    etag = fs.info("/f")["etag"]
    maker.content(ino, b"two")  # same size, same whole seconds
    assert fs.cat("/f") == b"two"
    maker.run("UPDATE fs_inode SET mode = ?, uid = 7 WHERE ino = ?", FILE & ~0o077, ino)
    assert (fs.info("/f")["mode"] & 0o777, fs.info("/f")["uid"]) == (0o600, 7)
    maker.content(ino, b"longer than before")
    assert fs.info("/f")["size"] == 18
    assert fs.info("/f")["etag"] != etag
    sub = maker.directory("sub")
    maker.run("UPDATE fs_dentry SET parent_ino = ?, name = 'moved' WHERE ino = ?", sub, ino)
    assert fs.find("/") == ["/sub/moved"]
    assert fs.cat("/sub/moved") == b"longer than before"
    maker.run("UPDATE fs_dentry SET name = 'renamed' WHERE ino = ?", sub)
    assert not fs.exists("/sub/moved")
    assert fs.exists("/renamed/moved")
    handle = fs.posix.open_handle("/renamed/moved")
    maker.run("DELETE FROM fs_dentry WHERE ino = ?", ino)
    maker.run("DELETE FROM fs_inode WHERE ino = ?", ino)
    maker.run("DELETE FROM fs_data WHERE ino = ?", ino)
    assert fs.find("/") == []
    with pytest.raises(OSError) as caught:
        handle.pread(1, 0)
    assert caught.value.errno == errno.ESTALE
    with pytest.raises(FileNotFoundError):
        handle.stat()
    handle.close()
    maker.run("BEGIN")
    maker.file("uncommitted", b"x")
    assert fs.find("/") == []
    maker.run("ROLLBACK")


def test_a_writer_with_a_rollback_journal(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db")
    fs = maker.open()
    assert way(fs) is Way.STILL
    change_everything(maker, fs)
    maker.close()
    assert sorted(os.listdir(tmp_path)) == ["agent.db"]


def test_a_writer_with_a_write_ahead_log(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "agent.db", journal_mode="wal")
    fs = maker.open()
    assert way(fs) is Way.SHARED
    change_everything(maker, fs)
    maker.run("PRAGMA wal_checkpoint(TRUNCATE)")
    assert fs.find("/") == []
    maker.file("after", b"x")
    assert fs.find("/") == ["/after"]
    maker.close()
    assert fs.cat("/after") == b"x"


def test_a_log_without_an_index_is_read_from_a_copy(tmp_path: Path, temporary: Path) -> None:
    """As AgentFS leaves it when it is killed, and has it while it runs."""
    maker = Maker(tmp_path / "made.db", journal_mode="wal")
    maker.file("f", pattern(10_000))
    for ending in ("", "-wal"):
        shutil.copy(f"{maker.path}{ending}", f"{tmp_path / 'agent.db'}{ending}")
    maker.close()
    before = state_of(tmp_path)
    fs = AgentFileSystem(database=str(tmp_path / "agent.db"), skip_instance_cache=True)
    assert fs.cat("/f") == pattern(10_000)
    assert way(fs) is Way.COPIED
    assert state_of(tmp_path) == before
    (copy,) = temporary.iterdir()
    assert copy.stat().st_mode & 0o777 == 0o700
    del fs
    gc.collect()
    assert not list(temporary.iterdir())


def test_without_room_for_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = Maker(tmp_path / "made.db", journal_mode="wal")
    for ending in ("", "-wal"):
        shutil.copy(f"{maker.path}{ending}", f"{tmp_path / 'agent.db'}{ending}")
    maker.close()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(OSError, match="no private copy") as caught:
        AgentFileSystem(database=str(tmp_path / "agent.db"), skip_instance_cache=True)
    assert str(tmp_path) not in str(caught.value)


def test_the_copy_follows_a_log_that_grows_and_begins_anew(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "made.db", journal_mode="wal")

    def publish() -> None:
        for ending in ("", "-wal"):
            shutil.copy(f"{maker.path}{ending}", f"{tmp_path / 'agent.db'}{ending}")

    maker.file("f0", b"0")
    publish()
    fs = AgentFileSystem(database=str(tmp_path / "agent.db"), skip_instance_cache=True)
    for number in range(1, 6):
        maker.file(f"f{number}", b"x" * number)
        if number == 3:
            maker.run("PRAGMA wal_checkpoint(RESTART)")
            maker.file("begins-the-log-anew", b"")
        publish()
        assert fs.cat(f"/f{number}") == b"x" * number
        assert way(fs) is Way.COPIED
    maker.close()


@pytest.mark.skipif(sys.platform == "win32", reason="locks of POSIX")
def test_a_file_that_a_program_has_for_itself(tmp_path: Path) -> None:
    """AgentFS locks the whole file for as long as it runs."""
    maker = Maker(tmp_path / "made.db", journal_mode="wal")
    maker.file("f", b"locked")
    for ending in ("", "-wal", "-shm"):
        shutil.copy(f"{maker.path}{ending}", f"{tmp_path / 'agent.db'}{ending}")
    maker.close()
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "agent.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert held.stdout is not None
    assert held.stdout.readline() == b"locked\n"
    try:
        fs = AgentFileSystem(database=str(tmp_path / "agent.db"), skip_instance_cache=True)
        assert way(fs) is Way.COPIED
        assert fs.cat("/f") == b"locked"
    finally:
        held.communicate(timeout=10)


def test_on_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    maker = Maker(tmp_path / "agent.db", journal_mode="wal")
    maker.file("f", b"x")
    maker.close()
    tmp_path.chmod(0o500)
    try:
        assert maker.open().cat("/f") == b"x"
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_reading_a_closed_database_writes_nothing(tmp_path: Path, journal_mode: str) -> None:
    maker = Maker(tmp_path / "agent.db", journal_mode=journal_mode)
    maker.file("f", pattern(5000))
    maker.close()
    before = state_of(tmp_path)
    fs = maker.open()
    assert fs.cat("/f") == pattern(5000)
    assert fs.find("/") == ["/f"]
    assert way(fs) is Way.STILL
    assert state_of(tmp_path) == before


def test_another_file_in_its_place(tmp_path: Path) -> None:
    old, new = Maker(tmp_path / "agent.db"), Maker(tmp_path / "new.db")
    ino = old.file("f", b"old")
    assert new.file("other", b"new") == ino
    old.close()
    new.close()
    fs = old.open()
    file = fs.posix.open_handle("/f")
    fsid = fs.fsid
    os.replace(new.path, old.path)
    assert fs.find("/") == ["/other"]
    assert fs.cat("/other") == b"new"
    assert fs.fsid != fsid
    with pytest.raises(OSError) as caught:
        file.pread(3, 0)
    assert caught.value.errno == errno.ESTALE
    os.unlink(old.path)
    assert fs.cat("/other") == b"new"  # what is open stays, as with any file
    old.path.write_text("no database")
    with pytest.raises(OSError) as caught:
        fs.cat("/other")
    assert caught.value.errno in (errno.EINVAL, errno.ESTALE)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("journal_mode", ["delete", "wal"])
def test_every_read_is_of_one_state(tmp_path: Path, journal_mode: str) -> None:
    """A writer replaces content of many chunks again and again; nobody sees half of it."""
    maker = Maker(tmp_path / "agent.db", journal_mode=journal_mode)
    ino = maker.file("f", b"0" * 50_000)
    maker.close()
    done = threading.Event()

    def write() -> None:
        writer = sqlite3.connect(maker.path, isolation_level=None, timeout=10)
        writer.execute("PRAGMA synchronous = OFF")
        number = 0
        while not done.is_set():
            number += 1
            data = str(number % 10).encode() * (20_000 + number % 30_000)
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("DELETE FROM fs_data WHERE ino = ?", (ino,))
            for index, start in enumerate(range(0, len(data), 4096)):
                writer.execute("INSERT INTO fs_data VALUES (?, ?, ?)", (ino, index, data[start : start + 4096]))
            writer.execute("UPDATE fs_inode SET size = ? WHERE ino = ?", (len(data), ino))
            writer.execute("COMMIT")
            time.sleep(0.003)
        writer.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        fs = maker.open()
        seen = set()
        for _ in range(60):
            with fs.posix.open_handle("/f") as handle:
                data = handle.pread(100_000, 0)
            for found in (data, fs.cat_file("/f")):
                assert len(set(found)) == 1
                assert 20_000 <= len(found) <= 50_000
            assert len(set(fs.cat_file("/f", -20_000))) == 1
            seen.add(len(data))
        assert len(seen) > 3
    finally:
        done.set()
        thread.join()
