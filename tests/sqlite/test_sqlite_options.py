"""Every option of chuksqlite does what it says, by whatever way it is given."""

from __future__ import annotations

import errno
import gc
import json
import os
import pickle
import sqlite3
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.core import url_to_fs

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.testing.checks import fails_with, in_threads
from tests.sqlite.sqlite_files import everything, meanwhile, run, start

HOLDS_THE_LOCK = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("ready", flush=True)
    sys.stdin.readline()
"""
WRITES = """
    import sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem
    fs = SqliteFileSystem(database=sys.argv[1])
    fs.pipe_file("/from-another", b"process")
    print("ready", flush=True)
    sys.stdin.readline()
"""


def opened(database: str, **options: Any) -> SqliteFileSystem:
    return SqliteFileSystem(database=database, skip_instance_cache=True, **options)


def pragma(fs: SqliteFileSystem, name: str) -> Any:
    session = fs.inodes.shared.store.session  # type: ignore[attr-defined]
    with session.lock:
        return session.connection.execute(f"PRAGMA {name}").fetchone()[0]


# ---- what SQLite is asked for


@pytest.mark.parametrize(("synchronous", "number"), [("off", 0), ("normal", 1), ("full", 2)])
def test_synchronous(database: str, synchronous: str, number: int) -> None:
    assert pragma(opened(database, synchronous=synchronous), "synchronous") == number


@pytest.mark.parametrize("mode", ["wal", "delete", "truncate", "persist", "memory"])
def test_journal_mode(database: str, mode: str) -> None:
    fs = opened(database, journal_mode=mode)
    fs.pipe_file("/d/f", b"content")
    assert pragma(fs, "journal_mode") == mode
    del fs
    gc.collect()
    again = opened(database)
    assert pragma(again, "journal_mode") == "wal"
    assert again.cat_file("/d/f") == b"content"


@pytest.mark.parametrize("size", [4096, 16384, 1 << 20])
def test_chunk_size(database: str, size: int) -> None:
    fs = opened(database, chunk_size=size)
    fs.pipe_file("/f", bytes(range(256)) * 8200)
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT max(length(data)), count(*) FROM chunk").fetchone() == (
            min(size, 256 * 8200),
            -(-256 * 8200 // size),
        )
    connection.close()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("options", "is_mapped"),
    [({}, True), ({"mmap_size": 0}, False), ({"mmap_size": 1 << 20}, True), ({"journal_mode": "delete"}, False)],
    ids=str,
)
def test_mmap_size(database: str, options: dict[str, Any], is_mapped: bool) -> None:
    content = os.urandom(3 << 20)
    fs = opened(database, **options)
    fs.pipe_file("/f", content)
    fs.pipe_file("/g", content[::-1])
    assert fs.cat_file("/f") == content
    mapped = [line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines()]
    assert (database in mapped) == is_mapped


def test_a_file_keeps_its_chunk_size(database: str) -> None:
    fs = opened(database, chunk_size=8192)
    assert opened(database).inodes.shared is fs.inodes.shared
    with pytest.raises(ValueError, match="chunk_size: this database has 8192, not 4096; 0 takes"):
        opened(database, chunk_size=4096)
    del fs
    gc.collect()
    with pytest.raises(ValueError, match="chunk_size: this database has 8192, not 4096; 0 takes"):
        opened(database, chunk_size=4096)
    assert opened(database, chunk_size=8192).inodes.shared.store.chunk_size == 8192  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "bad",
    [
        {"synchronous": "always"},
        {"synchronous": ""},
        {"journal_mode": "off"},
        {"journal_mode": "WAL; DROP TABLE inode"},
        {"chunk_size": -1},
        {"chunk_size": 2048},
        {"chunk_size": 65537},
        {"chunk_size": 1 << 21},
        {"busy_timeout": -1},
        {"busy_timeout": float("inf")},
        {"busy_timeout": float("nan")},
        {"mmap_size": -1},
    ],
    ids=str,
)
def test_bad_values_are_named(database: str, bad: dict[str, Any]) -> None:
    (name,) = bad
    with pytest.raises(ValueError, match=f"^{name} must be "):
        opened(database, **bad)
    assert not os.path.exists(database)


def test_one_process_opens_a_file_in_one_way(database: str) -> None:
    fs = opened(database)
    with pytest.raises(
        ValueError, match=r"^synchronous: this process has this database open with 'normal', not 'full'"
    ):
        opened(database, synchronous="full")
    assert opened(database, auto_mkdir=False).inodes.shared is fs.inodes.shared


@pytest.mark.parametrize("timeout", [0, 0.2])
def test_busy_timeout(database: str, timeout: float) -> None:
    fs = opened(database, busy_timeout=timeout)
    fs.pipe_file("/f", b"old")
    with meanwhile(HOLDS_THE_LOCK, database):
        with fails_with(errno.EBUSY):
            fs.pipe_file("/f", b"new")
        assert fs.cat_file("/f") == b"old"
    fs.pipe_file("/f", b"new")
    assert fs.cat_file("/f") == b"new"


def test_create(database: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        opened(database, create=False)
    assert "'w.db' does not exist" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert everything(tmp_path) == {}
    opened(database).pipe_file("/f", b"content")
    assert opened(database, create=False).cat_file("/f") == b"content"


def test_a_filesystem_that_nobody_has_any_more_is_collected_while_its_file_is_opened_again(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = os.pread

    def collect_and_read(*arguments: int) -> bytes:
        gc.collect()
        return read(*arguments)

    gc.disable()
    try:
        opened(database).pipe_file("/f", b"content")
        monkeypatch.setattr(os, "pread", collect_and_read)
        assert opened(database).cat_file("/f") == b"content"
    finally:
        gc.enable()


def test_a_missing_directory_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        opened(str(tmp_path / "missing" / "w.db"))
    assert "'w.db'" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


# ---- read_only


def _append(fs: SqliteFileSystem) -> None:
    with fs.open("/d/f", "ab") as file:
        file.write(b"more")


def _overwrite(fs: SqliteFileSystem) -> None:
    with fs.open("/d/f", "r+b") as file:
        file.write(b"other")


def _in_a_transaction(fs: SqliteFileSystem) -> None:
    with fs.transaction:
        fs.pipe_file("/d/f", b"other")


def _pwrite(fs: SqliteFileSystem) -> None:
    with fs.posix.open_handle("/d/f", os.O_WRONLY) as handle:
        handle.pwrite(b"other", 0)


CHANGES: dict[str, Callable[[SqliteFileSystem], Any]] = {
    "pipe_file": lambda fs: fs.pipe_file("/new", b""),
    "pipe": lambda fs: fs.pipe({"/d/f": b"", "/d/g": b""}),
    "open w": lambda fs: fs.open("/d/f", "wb").close(),
    "open x": lambda fs: fs.open("/new", "xb").close(),
    "open a": _append,
    "open r+": _overwrite,
    "touch": lambda fs: fs.touch("/d/f"),
    "touch new": lambda fs: fs.touch("/new"),
    "mkdir": lambda fs: fs.mkdir("/new"),
    "makedirs": lambda fs: fs.makedirs("/new/a/b"),
    "rmdir": lambda fs: fs.rmdir("/empty"),
    "rm_file": lambda fs: fs.rm_file("/d/f"),
    "rm": lambda fs: fs.rm("/d", recursive=True),
    "cp_file": lambda fs: fs.cp_file("/d/f", "/new"),
    "copy": lambda fs: fs.copy("/d", "/new", recursive=True),
    "mv": lambda fs: fs.mv("/d/f", "/d/g"),
    "put_file": lambda fs: fs.put_file(__file__, "/new"),
    "transaction": _in_a_transaction,
    "symlink": lambda fs: fs.posix.symlink("f", "/new"),
    "link": lambda fs: fs.posix.link("/d/f", "/new"),
    "chmod": lambda fs: fs.posix.chmod("/d/f", 0o600),
    "chown": lambda fs: fs.posix.chown("/d/f", 1, 1),
    "utime": lambda fs: fs.posix.utime("/d/f", ns=(1, 1)),
    "truncate": lambda fs: fs.posix.truncate("/d/f", 1),
    "mknod": lambda fs: fs.posix.mknod("/new", 0o100644, 0),
    "setxattr": lambda fs: fs.posix.setxattr("/d/f", "user.a", b""),
    "removexattr": lambda fs: fs.posix.removexattr("/d/f", "user.x"),
    "posix.mkdir": lambda fs: fs.posix.mkdir("/new"),
    "posix.rmdir": lambda fs: fs.posix.rmdir("/empty"),
    "posix.unlink": lambda fs: fs.posix.unlink("/d/f"),
    "posix.rename": lambda fs: fs.posix.rename("/d/f", "/d/g"),
    "open_handle O_CREAT": lambda fs: fs.posix.open_handle("/new", os.O_CREAT | os.O_WRONLY),
    "open_handle O_TRUNC": lambda fs: fs.posix.open_handle("/d/f", os.O_TRUNC | os.O_WRONLY),
    "pwrite": _pwrite,
}


def filled(database: str) -> None:
    """A database with a few files, closed again."""
    fs = opened(database)
    fs.pipe({"/d/f": b"content", "/large": b"x" * 200_000})
    fs.mkdir("/empty")
    fs.posix.setxattr("/d/f", "user.x", b"1")
    del fs
    gc.collect()
    assert os.listdir(os.path.dirname(database)) == [os.path.basename(database)]


@pytest.mark.parametrize("change", CHANGES)
def test_read_only_refuses_every_change(database: str, tmp_path: Path, change: str) -> None:
    filled(database)
    before = Path(database).read_bytes()
    fs = opened(database, read_only=True)
    with fails_with(errno.EROFS):
        CHANGES[change](fs)
    assert sorted(fs.find("/", withdirs=True)) == ["/", "/d", "/d/f", "/empty", "/large"]
    assert fs.cat_file("/d/f") == b"content"
    assert len(fs.cat_file("/large")) == 200_000
    assert fs.posix.listxattr("/d/f") == ["user.x"]
    del fs
    gc.collect()
    assert Path(database).read_bytes() == before


def test_read_only_makes_nothing(database: str, tmp_path: Path) -> None:
    with fails_with(errno.ENOENT):
        opened(database, read_only=True)
    Path(database).touch()
    with pytest.raises(ValueError, match=r"'w\.db' is not a chuksqlite file"):
        opened(database, read_only=True)
    assert everything(tmp_path) == {"w.db": b""}


def test_read_only_sees_what_others_write(database: str) -> None:
    filled(database)
    fs = opened(database, read_only=True)
    assert not fs.exists("/from-another")
    with meanwhile(WRITES, database):
        assert fs.cat_file("/from-another") == b"process"
    writer = opened(database)
    writer.pipe_file("/from-here", b"too")
    assert fs.cat_file("/from-here") == b"too"


def let_others_look(database: str) -> None:
    """Open the closed directories above a file to other users: pytest makes them for its owner alone."""
    for directory in Path(database).parents:
        if not directory.stat().st_mode & stat.S_IXOTH:
            directory.chmod(0o755)


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody who may not write")
def test_read_only_in_a_directory_of_others(database: str, tmp_path: Path) -> None:
    let_others_look(database)
    filled(database)
    before = everything(tmp_path)
    reads = """
        import os, sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem
        import chuk_fsspec.backends.sqlite.shared
        os.setgroups([])
        os.setuid(65534)
        fs = SqliteFileSystem(database=sys.argv[1], read_only=True)
        print(fs.cat_file("/d/f").decode(), len(fs.cat_file("/large")), fs.exists("/from-another"), flush=True)
        with open("/proc/self/maps") as maps:
            assert sys.argv[1] not in maps.read()  # nothing holds others from cutting it off
        sys.stdin.readline()
        print(fs.cat_file("/from-another").decode() if fs.exists("/from-another") else "unchanged")
    """
    process = start(reads, database)
    assert process.stdout is not None
    assert process.stdout.readline() == "content 200000 False\n"
    assert everything(tmp_path) == before
    with meanwhile(WRITES, database):
        out, _ = process.communicate("\n", timeout=60)
    assert out == "process\n"
    assert process.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody who may not write")
def test_a_log_that_nobody_here_can_read_is_not_passed_over(database: str) -> None:
    let_others_look(database)
    killed = """
        import os, sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem
        SqliteFileSystem(database=sys.argv[1]).pipe_file("/f", b"content")
        os._exit(0)
    """
    run(killed, database)
    os.remove(database + "-shm")
    reads = """
        import os, sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem, shared
        os.setgroups([])
        os.setuid(65534)
        try:
            SqliteFileSystem(database=sys.argv[1], read_only=True)
        except OSError as error:
            print(error.strerror)
    """
    assert run(reads, database).endswith("w.db was not closed; open it once as somebody who may write there")


# ---- where the file is


def test_a_chained_url(database: str) -> None:
    url = f"chuksqlite://a/b::file://{database}"
    with fsspec.open(url, "w") as file:
        file.write("content")
    fs, path = url_to_fs(url)
    assert isinstance(fs, SqliteFileSystem)
    assert path == "/a/b"
    assert fs.cat_file(path) == b"content"
    assert fs.inodes.shared is opened(database).inodes.shared
    with fsspec.open(f"chuksqlite://a/b::{database}") as file:
        assert file.read() == b"content"
    with fsspec.open(url, chuksqlite={"busy_timeout": 30.0}) as file:
        assert file.read() == b"content"


def test_options_by_url(database: str) -> None:
    fs, _ = url_to_fs(f"chuksqlite://::file://{database}", chuksqlite={"synchronous": "full"})
    assert pragma(fs, "synchronous") == 2
    fs, path = url_to_fs("chuksqlite:///a", database=database, synchronous="full")
    assert (fs.database, path) == (database, "/a")


@pytest.mark.parametrize("path", ["w.db", "./w.db", "~/w.db", "~", "../w.db"])
def test_a_path_must_be_absolute(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="database must be an absolute path"):
        opened(path)
    assert everything(tmp_path) == {}


def test_one_file_must_be_named(database: str) -> None:
    with pytest.raises(ValueError, match="chuksqlite needs one file"):
        SqliteFileSystem()
    with pytest.raises(ValueError, match="chuksqlite needs one file"):
        SqliteFileSystem(database=database, fo=database)
    with pytest.raises(ValueError, match="must be a file of this machine"):
        url_to_fs("chuksqlite://a::memory://w.db")


def test_in_memory_ends_with_its_last_user() -> None:
    fs = opened(":memory:")
    fs.pipe_file("/f", b"content")
    assert opened(":memory:").cat_file("/f") == b"content"
    assert fs.fsid.startswith("chuksqlite-memory-")
    del fs
    SqliteFileSystem.clear_instance_cache()
    gc.collect()
    assert not opened(":memory:").exists("/f")


def test_a_name_with_anything_in_it(tmp_path: Path) -> None:
    path = str(tmp_path / "odd ?#%&=é.db")
    opened(path).pipe_file("/f", b"content")
    assert opened(path, read_only=True).cat_file("/f") == b"content"
    assert min(os.listdir(tmp_path)) == "odd ?#%&=é.db"


def test_a_link_to_a_file_is_the_file(database: str, tmp_path: Path) -> None:
    os.symlink("w.db", tmp_path / "link")
    fs = opened(database)
    assert opened(str(tmp_path / "link")).inodes.shared is fs.inodes.shared


# ---- instances


def test_an_instance_pickles(database: str) -> None:
    fs = SqliteFileSystem(database=database, synchronous="full", busy_timeout=5.0)
    fs.pipe_file("/f", b"content")
    again = pickle.loads(pickle.dumps(fs))
    assert again == fs
    assert again.cat_file("/f") == b"content"
    code = """
        import pickle, sys
        fs = pickle.loads(bytes.fromhex(sys.argv[1]))
        print(fs.cat_file("/f").decode(), fs.inodes.shared.options.synchronous)
    """
    assert run(code, pickle.dumps(fs).hex()) == "content full"


def test_an_instance_goes_through_json(database: str) -> None:
    for fs in (SqliteFileSystem(database=database), url_to_fs(f"chuksqlite://::file://{database}")[0]):
        text = fs.to_json()
        assert json.loads(text)["protocol"] == "chuksqlite"
        assert fsspec.AbstractFileSystem.from_json(text).inodes.shared is fs.inodes.shared


def test_threads_share_one_database(database: str) -> None:
    shared = []

    def write(number: int) -> None:
        fs = SqliteFileSystem(database=database)
        shared.append(fs.inodes.shared)
        fs.pipe_file(f"/t/{number}", b"x" * number)

    in_threads(8, write)
    assert len(set(map(id, shared))) == 1
    assert SqliteFileSystem(database=database).du("/t") == sum(range(8))


def test_a_representation_shows_no_directories(database: str, tmp_path: Path) -> None:
    assert repr(opened(database)) == "SqliteFileSystem('w.db')"


@pytest.mark.parametrize("ending", ["pass", "import sys; sys.exit(0)", "raise KeyboardInterrupt"])
def test_a_process_that_ends_leaves_one_file(database: str, ending: str) -> None:
    """Whoever copies the file next has all of it."""
    code = f"""
        import gc, sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem
        gc.disable()
        fs = SqliteFileSystem(database=sys.argv[1])
        fs.pipe_file("/f", b"content")
        file = fs.open("/f")
        fs.circle = fs, file
        try:
            {ending}
        except KeyboardInterrupt:
            pass
    """
    assert run(code, database) == ""
    assert os.listdir(os.path.dirname(database)) == ["w.db"]


# ---- files that SQLite has open are not opened beside it


def test_syncing_keeps_the_locks(database: str) -> None:
    """Closing a descriptor drops the locks of a process on a file: who comes then would take the log away."""
    fs = opened(database)
    fs.pipe_file("/f", b"content")
    with fs.posix.open_handle("/f", os.O_RDWR) as handle:
        handle.fsync()
    reader = opened(database, read_only=True)
    code = """
        import sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem
        print(*SqliteFileSystem(database=sys.argv[1]).find("/"))
    """
    assert run(code, database) == "/f"
    fs.pipe_file("/after", b"content")
    assert run(code, database) == "/after /f"
    assert reader.cat_file("/after") == b"content"


def test_what_nobody_has_any_more_is_closed(database: str) -> None:
    fs: Any = SqliteFileSystem(database=database, skip_instance_cache=True)
    fs.touch("/f")
    connection = fs.store.session.connection
    del fs
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")
    assert not Path(f"{database}-wal").exists()
