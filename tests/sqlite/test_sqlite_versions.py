"""Files of other versions and of other programs, and several processes that make or migrate one file at once."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem, schema
from chuk_fsspec.backends.sqlite.maintenance import check
from chuk_fsspec.backends.sqlite.migrations import Migration
from chuk_fsspec.testing.checks import fails_with
from tests.sqlite.sqlite_files import everything, meanwhile, start

FILLS_ITS_LOG = """
    import os, sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("CREATE TABLE t (a)")
    connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    os._exit(0)
"""
STAYS_OPEN = """
    import sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem
    fs = SqliteFileSystem(database=sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
"""


def opened(database: str, **options: Any) -> SqliteFileSystem:
    return SqliteFileSystem(database=database, skip_instance_cache=True, **options)


def made(database: str) -> None:
    """A database with one file, closed again."""
    fs = opened(database)
    fs.pipe_file("/d/f", b"content")
    del fs
    gc.collect()
    assert not os.path.exists(database + "-wal")


def stamp_version(database: str, version: int) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


def version_in(database: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_file_says_what_it_is(database: str) -> None:
    fs = opened(database)
    with open(database, "rb") as file:
        header = file.read(100)
    assert struct.unpack_from(">I", header, 60)[0] == schema.VERSION
    assert header[68:72] == b"chuk"
    del fs


# ---- files that are refused


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("has_log", [False, True])
def test_a_later_version_is_refused(database: str, tmp_path: Path, read_only: bool, has_log: bool) -> None:
    made(database)
    stamp_version(database, schema.VERSION + 1)
    if has_log:
        start(FILLS_ITS_LOG, database).communicate(timeout=60)
    before = everything(tmp_path)
    assert len(before) == (3 if has_log else 1)
    with pytest.raises(ValueError, match=r"later version of chuk-fsspec .* install a newer chuk-fsspec") as caught:
        opened(database, read_only=read_only)
    assert str(tmp_path) not in str(caught.value)
    assert everything(tmp_path) == before


def test_a_version_that_is_later_by_its_log_is_refused(database: str) -> None:
    made(database)
    code = f"""
        import os, sqlite3, sys
        connection = sqlite3.connect(sys.argv[1], isolation_level=None)
        connection.execute("PRAGMA user_version = {schema.VERSION + 1}")
        os._exit(0)
    """
    start(code, database).communicate(timeout=60)
    with pytest.raises(ValueError, match="later version"):
        opened(database)
    assert version_in(database) == schema.VERSION + 1


def _other_database(path: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")


OTHERS: dict[str, Callable[[str], Any]] = {
    "another database": _other_database,
    "another database with a log": lambda path: start(FILLS_ITS_LOG, path).communicate(timeout=60),
    "text": lambda path: Path(path).write_text("hello\n"),
    "long text": lambda path: Path(path).write_text("hello\n" * 1000),
    "the beginning of a database": lambda path: Path(path).write_bytes(b"SQLite format 3\0"),
    "zeros": lambda path: Path(path).write_bytes(bytes(8192)),
    "a FIFO": os.mkfifo,
    "a device": lambda path: os.symlink("/dev/null", path),
}


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("other", OTHERS)
def test_what_is_not_ours_is_refused(database: str, tmp_path: Path, other: str, read_only: bool) -> None:
    OTHERS[other](database)
    before = everything(tmp_path)
    with pytest.raises(ValueError, match=r"' is not a (chuksqlite|regular) file") as caught:
        opened(database, read_only=read_only)
    assert str(tmp_path) not in str(caught.value)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("entry", [None, "f"])
def test_a_directory_is_refused(database: str, tmp_path: Path, entry: str | None) -> None:
    os.mkdir(database)
    if entry:
        (tmp_path / "w.db" / entry).touch()
    with fails_with(errno.EISDIR):
        opened(database)
    assert os.listdir(database) == ([entry] if entry else [])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(database: str) -> None:
    made(database)
    os.chmod(database, 0)
    with fails_with(errno.EACCES):
        opened(database)


def test_an_empty_file_becomes_a_database(database: str) -> None:
    Path(database).touch(mode=0o600)
    opened(database).pipe_file("/f", b"content")
    assert opened(database).cat_file("/f") == b"content"
    assert os.stat(database).st_mode & 0o777 == 0o600


# ---- versions 1 and 2


def test_a_file_of_version_2_gets_the_triggers_of_today(database: str) -> None:
    fs = opened(database)
    fs.pipe_file("/f", b"early")
    fs.snapshots.create("a")
    del fs
    gc.collect()
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER inode_changed_unsaid")
    stamp_version(database, 2 | schema.HAS_SNAPSHOTS)
    fs = opened(database)
    assert version_in(database) == schema.VERSION | schema.HAS_SNAPSHOTS
    assert check(database).ok
    fs.pipe_file("/f", b"late")
    assert fs.snapshots.at("a").cat_file("/f") == b"early"


def test_a_file_of_version_1_keeps_its_snapshots(database: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.executescript((Path(__file__).parent / "version_1.sql").read_text())
    large = bytearray(b"large" * 840)
    early = {"/d/small": b"first", "/d/gone": b"gone", "/d/large": bytes(large), "/moved": b"moved"}
    large[4190:4195] = b"SMALL"
    late = {"/d/small": b"second", "/d/large": bytes(large), "/d/moved": b"moved", "/new": b"new"}
    fs = opened(database)
    assert version_in(database) == schema.VERSION | schema.HAS_SNAPSHOTS
    assert check(database).ok
    assert fs.cat(fs.find("/")) == {**late, "/d/small": b"third", "/new": b"newer", "/late": b"late"}
    for name, files in (("a", early), ("b", late)):
        past = fs.snapshots.at(name)
        assert past.cat(past.find("/")) == files
        assert past.isdir("/empty")
    fs.snapshots.create("c")
    for name, files in (("a", early), ("b", late), ("a", early)):
        fs.snapshots.restore(name)
        assert fs.cat(fs.find("/")) == files
        assert fs.info("/empty")["mode"] & 0o777 == (0o755 if name == "a" else 0o700)
        assert check(database).ok
    for name in "bac":
        fs.snapshots.delete(name)
        assert check(database).ok


# ---- several at once


def test_several_processes_make_one_file(database: str) -> None:
    code = """
        import sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem
        sys.stdin.readline()
        fs = SqliteFileSystem(database=sys.argv[1])
        fs.pipe_file(f"/d/{sys.argv[2]}", sys.argv[2].encode())
    """
    processes = [start(code, database, str(number)) for number in range(4)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    fs = opened(database)
    assert fs.cat("/d/*") == {f"/d/{number}": str(number).encode() for number in range(4)}


# ---- older versions


def migration(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE setting ADD COLUMN note TEXT")
    connection.execute("UPDATE setting SET note = 'migrated'")


def another_migration(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE later (a)")


def notes(database: str) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {row[0] for row in connection.execute("SELECT note FROM setting")}


@pytest.fixture
def migrations(monkeypatch: pytest.MonkeyPatch) -> dict[int, Migration]:
    """Two later versions of the schema, each with one migration to it."""
    mine: dict[int, Migration] = {
        schema.VERSION: migration,
        schema.VERSION + 1: another_migration,
    }
    monkeypatch.setattr("chuk_fsspec.backends.sqlite.migrations.MIGRATIONS", mine)
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 2)
    return mine


def test_an_older_file_is_brought_up_to_date(
    database: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(database)
    request.getfixturevalue("migrations")
    with pytest.raises(ValueError, match="older version; open it once without read_only"):
        opened(database, read_only=True)
    fs = opened(database)
    assert fs.cat_file("/d/f") == b"content"
    with open(database, "rb") as file:
        assert struct.unpack_from(">I", file.read(100), 60)[0] == schema.VERSION  # the file itself says it, not the log
    assert notes(database) == {"migrated"}
    assert opened(database, read_only=True).cat_file("/d/f") == b"content"


def test_a_migration_that_fails_changes_nothing(
    database: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(database)
    before = everything(tmp_path)
    version = schema.VERSION
    mine = request.getfixturevalue("migrations")

    def fails(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE later (a)")
        connection.execute("SELECT nothing FROM nowhere")

    whole, mine[version + 1] = mine[version + 1], fails
    with fails_with(errno.EIO):
        opened(database)
    assert everything(tmp_path) == before
    assert version_in(database) == version
    mine[version + 1] = whole
    assert opened(database).cat_file("/d/f") == b"content"


def test_a_file_in_use_is_not_migrated(database: str, request: pytest.FixtureRequest) -> None:
    made(database)
    version = schema.VERSION
    with meanwhile(STAYS_OPEN, database):
        request.getfixturevalue("migrations")
        with fails_with(errno.EBUSY):
            opened(database, busy_timeout=0.1)
        assert version_in(database) == version
    assert opened(database, busy_timeout=0.1).cat_file("/d/f") == b"content"


def test_two_processes_migrate_at_once(database: str) -> None:
    made(database)
    code = """
        import sys, time
        from chuk_fsspec.backends.sqlite import SqliteFileSystem, migrations, schema
        def migration(connection):
            connection.execute("ALTER TABLE setting ADD COLUMN note TEXT DEFAULT 'migrated'")
            time.sleep(0.2)
        migrations.MIGRATIONS[schema.VERSION] = migration
        schema.VERSION += 1
        sys.stdin.readline()
        fs = SqliteFileSystem(database=sys.argv[1])
        fs.pipe_file(f"/d/{sys.argv[2]}", fs.cat_file("/d/f"))
    """
    processes = [start(code, database, str(number)) for number in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert notes(database) == {"migrated"}
    assert version_in(database) == schema.VERSION + 1
    with closing(sqlite3.connect(database)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM dentry WHERE name IN ('0', '1', '2')").fetchone()
    assert count == 3


def test_a_file_that_was_exchanged_is_looked_at_again(database: str, tmp_path: Path) -> None:
    """After a fork the file is opened anew, and may be another one by then."""
    made(database)
    fs = opened(database)
    fs.inodes.shared.store.session.close()  # type: ignore[attr-defined]
    shutil.move(database, tmp_path / "aside")
    Path(database).write_text("something else\n")
    with pytest.raises(ValueError, match="not a chuksqlite file"):
        fs.ls("/")
    assert Path(database).read_text() == "something else\n"
