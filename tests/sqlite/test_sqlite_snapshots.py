"""Snapshots of a chuksqlite file: several programs, what they cost in the file, and how they end."""

from __future__ import annotations

import errno
import gc
import os
import sqlite3
import time
from contextlib import closing
from typing import Any

import fsspec
import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem, schema
from chuk_fsspec.backends.sqlite.maintenance import check, measure, repair, vacuum
from chuk_fsspec.testing.checks import fails_with
from tests.sqlite.sqlite_checker import problems
from tests.sqlite.sqlite_files import run, start
from tests.sqlite.sqlite_other import other_process

MIB = 1 << 20
LEAVES_ITS_FILE_OPEN = """
    import os, sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem
    fs = SqliteFileSystem(database=sys.argv[1])
    handle = fs.posix.open_handle("/f", os.O_RDWR)
    fs.rm_file("/f")
    os._exit(0)
"""
WRITES_PAIRS = """
    import sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem
    fs = SqliteFileSystem(database=sys.argv[1])
    number = 0
    while not fs.exists("/stop"):
        number += 1
        with fs.transaction:
            fs.pipe({f"/{sys.argv[2]}/{name}": b"%d" % number for name in ("first", "second")})
"""


@pytest.fixture(params=[False, True], ids=["own", "shared"])
def fs(request: pytest.FixtureRequest, database: str) -> SqliteFileSystem:
    """A filesystem of small chunks, each with its own data or shared."""
    return SqliteFileSystem(database=database, chunk_size=4096, deduplicate=request.param)


def asked(fs: SqliteFileSystem, query: str) -> Any:
    with closing(sqlite3.connect(fs.database)) as connection:
        return connection.execute(query).fetchall()


def tables(fs: SqliteFileSystem) -> set[tuple[str, str]]:
    return set(asked(fs, "SELECT name, sql FROM sqlite_schema"))


def bytes_in_past(fs: SqliteFileSystem) -> int:
    """Of contents that were copied, for they were changed in place."""
    return int(asked(fs, "SELECT coalesce(sum(length(data)), 0) FROM past_chunk")[0][0])


# ---- the file


def test_a_file_without_snapshots_has_nothing_of_them(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/f", b"first")
    before = tables(fs)
    fs.snapshots.create("a")
    assert asked(fs, "PRAGMA user_version") == [(schema.VERSION | schema.HAS_SNAPSHOTS,)]
    fs.snapshots.create("b")
    fs.pipe_file("/f", b"second")
    fs.snapshots.delete("a")
    assert len(tables(fs)) > len(before)
    fs.snapshots.delete("b")
    assert tables(fs) == before
    assert asked(fs, "PRAGMA user_version") == [(schema.VERSION,)]
    assert asked(fs, "SELECT count(*) FROM setting WHERE name = 'newest_snapshot'") == [(0,)]


def test_a_library_that_knows_of_no_snapshots_refuses_the_file(fs: SqliteFileSystem) -> None:
    fs.snapshots.create("a")
    assert asked(fs, "PRAGMA user_version") > [(schema.VERSION,)]


def test_taking_one_writes_as_much_whatever_there_is(database: str) -> None:
    written = []
    for count in (10, 3000):
        fs = SqliteFileSystem(database=f"{database}{count}", skip_instance_cache=True)
        with fs.transaction:
            fs.pipe({f"/d/{number}": b"x" for number in range(count)})
        fs.snapshots.create("first")
        asked(fs, "PRAGMA wal_checkpoint(TRUNCATE)")
        fs.snapshots.create("second")
        written.append(os.stat(f"{fs.database}-wal").st_size)
    assert written[0] == written[1] < 50_000


def test_what_is_replaced_or_removed_is_not_copied(fs: SqliteFileSystem) -> None:
    for name in "abc":
        fs.pipe_file(f"/{name}", os.urandom(MIB))
    was = fs.cat("/*")
    fs.snapshots.create("a")
    fs.pipe_file("/a", b"new" * 10_000)
    fs.rm_file("/b")
    fs.posix.truncate("/c", 0)
    assert bytes_in_past(fs) == 0
    assert fs.snapshots.at("a").cat("/*") == was
    fs.snapshots.restore("a")
    assert fs.cat("/*") == was
    assert bytes_in_past(fs) == 0
    assert check(fs.database).ok


def test_a_chunk_that_is_changed_in_place_is_copied_once(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/f", os.urandom(MIB))
    was = fs.cat_file("/f")
    fs.snapshots.create("a")
    with fs.posix.open_handle("/f", os.O_RDWR) as handle:
        for _ in range(10):
            handle.pwrite(b"x", 100_000)
    assert bytes_in_past(fs) == 4096
    assert fs.snapshots.at("a").cat_file("/f") == was


def test_deleting_frees_the_space(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/f", os.urandom(4 * MIB))
    fs.snapshots.create("a")
    fs.snapshots.create("b")
    fs.rm_file("/f")
    size = measure(fs.database)
    assert (size.snapshots, size.kept) == (2, 4 * MIB)
    fs.snapshots.delete("a")
    assert measure(fs.database).kept == 4 * MIB
    free = measure(fs.database).free
    fs.snapshots.delete("b")
    assert measure(fs.database).free > free + 4 * MIB
    fs.store.session.close()  # type: ignore[attr-defined]
    vacuum(fs.database)
    assert os.stat(fs.database).st_size < MIB
    assert fs.ls("/") == []


def test_a_file_with_snapshots_is_vacuumed(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/f", b"first" * 10_000)
    fs.snapshots.create("a")
    fs.pipe_file("/f", b"second" * 10_000)
    fs.store.session.close()  # type: ignore[attr-defined]
    vacuum(fs.database)
    assert fs.snapshots.at("a").cat_file("/f") == b"first" * 10_000
    assert check(fs.database).ok


def test_hundreds_of_snapshots_are_each_what_they_were(fs: SqliteFileSystem) -> None:
    def assert_past(numbers: range) -> None:
        for number in numbers:
            past = fs.snapshots.at(str(number))
            assert past.cat_file("/log") == b"%d" % number
            assert past.cat_file(f"/d/{number % 7}") == b"%d" % number * 2000
        assert check(fs.database).ok

    for number in range(300):
        fs.pipe_file("/log", b"%d" % number)
        fs.pipe_file(f"/d/{number % 7}", b"%d" % number * 2000)
        fs.snapshots.create(str(number))
    assert_past(range(0, 300, 7))
    for number in range(0, 300, 2):
        fs.snapshots.delete(str(number))
    assert_past(range(1, 300, 8))
    for number in range(1, 201, 2):
        fs.snapshots.delete(str(number))
    assert_past(range(201, 300, 8))
    fs.snapshots.restore("201")
    assert fs.cat_file("/log") == b"201"
    assert_past(range(201, 300, 8))


def test_each_snapshot_is_one_moment_while_other_programs_write(fs: SqliteFileSystem) -> None:
    fs.pipe({f"/{program}/{name}": b"0" for program in (0, 1) for name in ("first", "second")})
    writers = [start(WRITES_PAIRS, fs.database, str(program)) for program in (0, 1)]
    while b"0" in fs.cat(["/0/first", "/1/first"]).values():
        time.sleep(0.01)  # until both have begun
    names = [str(number) for number in range(40)]
    for name in names:
        fs.snapshots.create(name)
    fs.touch("/stop")
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    for program in (0, 1):
        numbers = []
        for name in names:
            past = fs.snapshots.at(name)
            assert past.cat_file(f"/{program}/first") == past.cat_file(f"/{program}/second")
            numbers.append(int(past.cat_file(f"/{program}/first")))
        assert numbers == sorted(numbers)
    for name in names:
        fs.snapshots.delete(name)
    assert check(fs.database).ok


# ---- several programs


def test_what_another_program_has_numbered_before_a_snapshot_is_not_used_after_it(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/old", b"old")  # takes many numbers at once
    with other_process(fs.database, chunk_size=4096) as other:
        other.call("fs.pipe_file", "/old-too", b"old")
        other_snapshots = other.call("fs.__getattribute__", "snapshots")
        other.method(other_snapshots, "create", "a")
        fs.pipe_file("/new", b"new" * 5000)
        fs.makedirs("/d/e")
        other.call("fs.pipe_file", "/new-too", b"new")
        fs.snapshots.restore("a")
        assert other.call("fs.find", "/", withdirs=True) == ["/", "/old", "/old-too"]
        fs.pipe_file("/newer", b"newer")
        other.method(other_snapshots, "restore", "a")
        assert fs.find("/", withdirs=True) == ["/", "/old", "/old-too"]
    assert check(fs.database).ok


def test_a_program_keeps_to_the_snapshot_of_another_at_once(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/f", b"old" * 10_000)
    with fs.posix.open_handle("/f", os.O_RDWR) as handle, other_process(fs.database, chunk_size=4096) as other:
        handle.pwrite(b"new", 0)
        other.method(other.call("fs.__getattribute__", "snapshots"), "create", "a")
        handle.pwrite(b"newer", 0)
    assert fs.snapshots.at("a").cat_file("/f") == b"new" + (b"old" * 10_000)[3:]


def test_what_plain_sql_changes_is_kept(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe({"/changed": b"early", "/removed": b"early"})
    for name in "ab":
        fs.snapshots.create(name)
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            ino = fs.info("/changed")["ino"]
            connection.execute("UPDATE inode SET mode = 0, past = 0 WHERE ino = ?", (ino,))
            change = "UPDATE inode SET mode = 33152, data = ?, size = 5 WHERE ino = ?"
            connection.execute(change, (f"sql {name}".encode(), ino))
            connection.execute("DELETE FROM dentry WHERE name = 'removed'")
            connection.execute("DELETE FROM inode WHERE ino NOT IN (SELECT ino FROM dentry)")
    assert fs.cat("/*") == {"/changed": b"sql b"}
    assert fs.snapshots.at("b").cat("/*") == {"/changed": b"sql a"}
    assert fs.snapshots.at("a").cat("/*") == {"/changed": b"early", "/removed": b"early"}
    assert check(database).ok
    for name, content in (("b", b"sql a"), ("a", b"early")):
        fs.snapshots.restore(name)
        assert fs.cat_file("/changed") == content
    assert fs.cat_file("/removed") == b"early"


def test_a_snapshot_that_another_program_has_deleted_is_stale(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/d/f", b"old" * 10_000)
    fs.snapshots.create("a")
    past = fs.snapshots.at("a")
    assert past.cat_file("/d/f") == b"old" * 10_000
    with past.open("/d/f") as file, other_process(fs.database, chunk_size=4096) as other:
        snapshots = other.call("fs.__getattribute__", "snapshots")
        other.method(snapshots, "delete", "a")
        for look in (past.info, past.cat_file, past.exists):
            with fails_with(errno.ESTALE):
                look("/d/f")
        with fails_with(errno.ESTALE):
            past.ls("/")
        with fails_with(errno.ESTALE):
            file.read()
        other.method(snapshots, "create", "a")
    assert fs.snapshots.at("a").cat_file("/d/f") == b"old" * 10_000


def test_read_only_programs_see_snapshots_and_take_none(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/f", b"old")
    taken = fs.snapshots.create("a", "of the old")
    fs.pipe_file("/f", b"new")
    reader = SqliteFileSystem(database=fs.database, read_only=True)
    assert reader.snapshots.taken() == [taken]
    assert reader.snapshots.at("a").cat_file("/f") == b"old"
    for change in (reader.snapshots.create, reader.snapshots.restore, reader.snapshots.delete):
        with fails_with(errno.EROFS):
            change("a")


def test_the_past_by_url(fs: SqliteFileSystem) -> None:
    fs.pipe_file("/f", b"old")
    fs.snapshots.create("a")
    fs.pipe_file("/f", b"new")
    with fsspec.open("chuksqlite://f", database=fs.database, at="a") as file:
        assert file.read() == b"old"
    with fails_with(errno.ENOENT):
        fsspec.filesystem("chuksqlite", database=fs.database, at="b")


def test_a_child_reads_the_past_of_its_parent(database: str) -> None:
    said = run(
        """
        import os, sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem
        fs = SqliteFileSystem(database=sys.argv[1])
        fs.pipe_file("/f", b"old")
        fs.snapshots.create("a")
        past = fs.snapshots.at("a")
        fs.pipe_file("/f", b"new")
        child = os.fork()
        if not child:
            fs.snapshots.create("b")
            print(past.cat_file("/f"), fs.cat_file("/f"), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(past.cat_file("/f"), [one.name for one in fs.snapshots.taken()])
        """,
        database,
    )
    assert said == "b'old' b'new'\nb'old' ['a', 'b']"


# ---- what is open


def test_a_reader_goes_on_when_the_last_snapshot_of_its_content_goes(fs: SqliteFileSystem) -> None:
    data = os.urandom(MIB)
    fs.pipe_file("/f", data)
    fs.snapshots.create("a")
    with fs.open("/f", block_size=4096) as file:
        fs.pipe_file("/f", b"new")
        assert file.read(10) == data[:10]
        fs.snapshots.delete("a")
        assert file.read() == data[10:]
    del file
    gc.collect()
    fs.pipe_file("/other", b"x")
    assert check(fs.database).leftovers == 0
    assert problems(fs.database) == []


def test_what_is_written_while_a_snapshot_is_taken_belongs_to_the_next_one(fs: SqliteFileSystem) -> None:
    data = os.urandom(20 * MIB)
    with fs.open("/f", "wb") as file:
        file.write(data[: 10 * MIB])
        fs.snapshots.create("before")
        file.write(data[10 * MIB :])
    fs.snapshots.create("after")
    with fs.posix.open_handle("/f", os.O_RDWR) as handle:
        handle.pwrite(b"x", 0)
    assert fs.snapshots.at("after").cat_file("/f") == data
    assert fs.snapshots.at("before").ls("/") == []
    fs.snapshots.restore("before")
    fs.snapshots.restore("after")
    assert fs.cat_file("/f") == data
    fs.rm_file("/f")
    fs.snapshots.delete("after")
    assert asked(fs, "SELECT count(*) FROM chunk") == [(0,)], "no other snapshot has anything of it"
    assert check(fs.database).ok


def test_what_a_killed_program_had_open_is_still_in_the_snapshot(database: str) -> None:
    fs = SqliteFileSystem(database=database, skip_instance_cache=True)
    fs.pipe_file("/f", b"content" * 5000)
    fs.snapshots.create("a")
    del fs
    gc.collect()
    run(LEAVES_ITS_FILE_OPEN, database)
    assert check(database).leftovers == 1
    fs = SqliteFileSystem(database=database, skip_instance_cache=True)  # alone with it: it removes what is left
    assert check(database).leftovers == 0
    assert fs.snapshots.at("a").cat_file("/f") == b"content" * 5000
    fs.snapshots.restore("a")
    assert fs.cat_file("/f") == b"content" * 5000


# ---- damage


def damaged(fs: SqliteFileSystem, statement: str) -> str:
    fs.store.session.close()  # type: ignore[attr-defined]
    with closing(sqlite3.connect(fs.database, isolation_level=None)) as connection:
        connection.execute(statement)
    return fs.database


@pytest.fixture
def kept(database: str) -> SqliteFileSystem:
    """A filesystem with a snapshot, and changes since."""
    fs = SqliteFileSystem(database=database, chunk_size=4096)
    fs.pipe({f"/d/{name}": os.urandom(50_000) for name in "abc"})
    fs.snapshots.create("a")
    with fs.posix.open_handle("/d/a", os.O_RDWR) as handle:
        handle.pwrite(b"new", 0)
    fs.rm_file("/d/b")
    assert check(database).ok
    return fs


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TRIGGER entry_removed", "the trigger 'entry_removed' is missing"),
        ("DELETE FROM past_inode WHERE cid IS NOT NULL AND mode IS NOT NULL", "led nowhere"),
        ("UPDATE past_chunk SET data = x'00'", "is said to take"),
        ("UPDATE past_inode SET mode = 1 WHERE mode IS NOT NULL", "what it was cannot be"),
    ],
)
def test_check_sees_what_is_wrong_with_snapshots(kept: SqliteFileSystem, statement: str, message: str) -> None:
    report = check(damaged(kept, statement))
    assert not report.ok
    assert any(message in str(problem) for problem in report.problems), report.problems


def test_repair_puts_right_what_it_can(kept: SqliteFileSystem) -> None:
    database = damaged(kept, "UPDATE setting SET value = 1 WHERE name = 'newest_snapshot'")
    assert [problem.kind for problem in check(database).problems] == ["snapshot"]
    assert repair(database).ok
    assert damaged(kept, "INSERT INTO past_chunk VALUES (100 << 28, 1, x'00')")
    assert not check(database).ok
    assert repair(database).ok
    assert kept.snapshots.at("a").exists("/d/b")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE inode SET past = 0",
        "DELETE FROM past_gone",
        "UPDATE past_inode SET past = 0",
        "UPDATE past_gone SET past = 1",
    ],
)
def test_repair_leads_rows_to_their_past_again(kept: SqliteFileSystem, statement: str) -> None:
    before = {name: kept.cat_file(f"/d/{name}") for name in "ac"}
    kept.snapshots.create("b")
    kept.pipe_file("/d/a", b"newest")
    kept.rm_file("/d/c")
    early = kept.snapshots.at("a").cat("/d/*")
    database = damaged(kept, statement)
    report = check(database)
    assert {problem.kind for problem in report.problems} == {"snapshot"}
    assert "of its past instead of" in str(report.problems[0])
    assert repair(database).ok
    fs = SqliteFileSystem(database=database, skip_instance_cache=True)
    assert fs.snapshots.at("a").cat("/d/*") == early
    assert fs.snapshots.at("b").cat("/d/*") == {f"/d/{name}": data for name, data in before.items()}
