"""Several processes, and threads in them, at work on one chuksqlite file."""

from __future__ import annotations

import errno
import os
import sqlite3
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.ecosystem.warm_python import WarmProcess, run
from tests.sqlite.sqlite_checker import problems
from tests.sqlite.sqlite_other import Other, other_process

CHUNK = 4096
LARGE = 5 * CHUNK
WRITERS = 3
STEPS = 60


@pytest.fixture(params=["wal", "delete"])
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"journal_mode": request.param, "chunk_size": CHUNK}


@pytest.fixture
def fs(database: str, options: dict[str, Any]) -> SqliteFileSystem:
    return SqliteFileSystem(database=database, **options)


@pytest.fixture
def other(fs: SqliteFileSystem, database: str, options: dict[str, Any]) -> Iterator[Other]:
    """Another process that has the database open."""
    with other_process(database, **options) as other:
        yield other


def contents(fs: SqliteFileSystem | Other) -> dict[str, bytes]:
    """All files, as this or another process sees them."""
    if isinstance(fs, Other):
        return {path: fs.call("fs.cat_file", path) for path in fs.call("fs.find", "/")}
    return {path: fs.cat_file(path) for path in fs.find("/")}


def run_all(database: str, options: dict[str, Any], code: str, processes: int) -> list[str]:
    """Run a piece of Python in several processes at once, each with ``fs`` and its ``number``; what they print."""
    head = (
        "import os, sys, threading\n"
        "from chuk_fsspec.backends.sqlite import SqliteFileSystem\n"
        f"fs = SqliteFileSystem(database={database!r}, **{options!r})\n"
        "number = int(sys.argv[1])\n"
    )
    running = [WarmProcess(head + textwrap.dedent(code), str(number)) for number in range(processes)]
    said = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * processes, said
    return [out for out, _ in said]


# ---- nothing is lost


def test_files_of_all_processes_and_threads_are_there(
    fs: SqliteFileSystem, database: str, options: dict[str, Any]
) -> None:
    code = f"""
        def work(thread):
            for step in range({STEPS // 2}):
                fs.pipe_file(f"/d/{{number}}-{{thread}}-{{step}}", b"x" * step * 300)
        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(2)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    """
    run_all(database, options, code, WRITERS)
    wanted = {
        f"/d/{number}-{thread}-{step}": b"x" * step * 300
        for number in range(WRITERS)
        for thread in range(2)
        for step in range(STEPS // 2)
    }
    assert contents(fs) == wanted
    assert problems(database, in_use=True) == []


def test_no_append_is_lost(fs: SqliteFileSystem, database: str, options: dict[str, Any]) -> None:
    code = f"""
        with fs.posix.open_handle("/log", os.O_WRONLY | os.O_APPEND | os.O_CREAT) as log:
            for step in range({STEPS}):
                log.pwrite(f"{{number:03}} {{step:03}}\\n".encode(), 0)
    """
    run_all(database, options, code, WRITERS)
    lines = fs.cat_file("/log").decode().splitlines()
    assert sorted(lines) == [f"{number:03} {step:03}" for number in range(WRITERS) for step in range(STEPS)]
    assert [line for line in lines if line.startswith("000")] == [f"000 {step:03}" for step in range(STEPS)]


def test_a_lock_file_that_is_made_exclusively_is_made_by_one(
    fs: SqliteFileSystem, database: str, options: dict[str, Any]
) -> None:
    """Whoever holds it counts up, reading and writing in two steps, through a handle and by path in turn."""
    fs.pipe_file("/count", b"0")
    code = f"""
        import time
        done = 0
        while done < {STEPS // 3}:
            try:
                fs.posix.open_handle("/lock", os.O_CREAT | os.O_EXCL | os.O_WRONLY).close()
            except FileExistsError:
                time.sleep(0.0005)
                continue
            if done % 2:
                fs.pipe_file("/count", b"%d" % (int(fs.cat_file("/count")) + 1))
            else:
                with fs.posix.open_handle("/count", os.O_RDWR) as handle:
                    value = int(handle.pread(20, 0)) + 1
                    handle.truncate(0)
                    handle.pwrite(b"%d" % value, 0)
            fs.rm_file("/lock")
            done += 1
    """
    run_all(database, options, code, WRITERS)
    assert fs.cat_file("/count") == b"%d" % (WRITERS * (STEPS // 3))


def test_of_many_who_make_a_directory_or_move_a_file_one_succeeds(
    fs: SqliteFileSystem, database: str, options: dict[str, Any]
) -> None:
    fs.pipe({f"/from/{step}": b"%d" % step for step in range(STEPS)})
    fs.mkdir("/to")
    code = f"""
        won = 0
        for step in range({STEPS}):
            try:
                fs.posix.rename(f"/from/{{step}}", f"/to/{{step}}")
                won += 1
            except FileNotFoundError:
                pass
            try:
                fs.posix.mkdir(f"/made-{{step}}")
                won += 1
            except FileExistsError:
                pass
            try:
                fs.posix.rmdir(f"/made-{{step - 5}}")
            except FileNotFoundError:
                pass
        print(won)
    """
    won = run_all(database, options, code, WRITERS)
    # A directory may be made anew by who comes five steps after somebody else.
    assert sum(map(int, won)) >= 2 * STEPS
    assert contents(fs) == {f"/to/{step}": b"%d" % step for step in range(STEPS)}
    assert fs.ls("/from") == []
    assert problems(database, in_use=True) == []


@pytest.mark.parametrize("seconds", [0.7, pytest.param(20, marks=pytest.mark.slow)])
def test_no_writer_gives_up_beside_seven_others(
    fs: SqliteFileSystem, database: str, options: dict[str, Any], seconds: float
) -> None:
    """SQLite serves them in no order, and some far more often than others; but none waits for as long as it would."""
    code = f"""
        import time
        end = time.monotonic() + {seconds}
        steps, longest, last = 0, 0.0, time.monotonic()
        while last < end:
            fs.pipe_file(f"/{{number}}", b"x" * 100)
            now = time.monotonic()
            steps, longest, last = steps + 1, max(longest, now - last), now
        print(steps, longest)
    """
    printed = [line.split() for line in run_all(database, options, code, 8)]
    assert min(int(steps) for steps, _ in printed) > 0
    assert max(float(longest) for _, longest in printed) < 15, "half of the default busy_timeout"


# ---- what one process has done, the other sees at once


def test_a_change_is_seen_by_the_very_next_operation(fs: SqliteFileSystem, other: Other) -> None:
    nodes = fs.posix.nodes
    fs.pipe_file("/f", b"0")
    node = nodes.lookup(nodes.root, "f")
    assert node is not None
    handle = fs.posix.open_handle("/f", os.O_RDONLY)
    for size in (1, 10, LARGE, 0, LARGE - 1, CHUNK, 3):
        data = os.urandom(size)
        other.call("fs.pipe_file", "/f", data)
        looks: list[Callable[[], Any]] = [
            lambda: fs.cat_file("/f"),
            lambda: fs.info("/f")["size"],
            lambda: fs.posix.stat("/f").st_size,
            lambda: nodes.getattr(node).size,
            lambda: b"".join(nodes.read(node, LARGE, 0)),
            lambda: handle.pread(LARGE, 0),
            lambda: handle.stat().st_size,
            lambda: fs.ls("/")[0]["size"],
            lambda: fs.open("/f", "rb").read(),
        ]
        for number, look in enumerate(looks):
            assert look() in (data, len(data)), number
            # Each look is the very next operation after a change once.
            data = os.urandom(size)
            other.call("fs.pipe_file", "/f", data)
    handle.close()


def test_names_attributes_and_links_are_seen_at_once(fs: SqliteFileSystem, other: Other) -> None:
    nodes = fs.posix.nodes
    assert not fs.exists("/d/f")
    assert nodes.lookup(nodes.root, "d") is None
    other.call("fs.pipe_file", "/d/f", b"x")
    directory = nodes.lookup(nodes.root, "d")
    assert directory is not None
    assert fs.ls("/d", detail=False) == ["/d/f"]
    other.call("posix.chmod", "/d/f", 0o600)
    assert fs.info("/d/f")["mode"] & 0o777 == 0o600
    other.call("posix.setxattr", "/d/f", "user.a", b"1")
    assert fs.posix.getxattr("/d/f", "user.a") == b"1"
    other.call("posix.link", "/d/f", "/d/g")
    assert [name for name, _ in nodes.entries(directory)] == ["f", "g"]
    assert fs.posix.stat("/d/f").st_nlink == 2
    other.call("posix.symlink", "f", "/d/l")
    assert fs.cat_file("/d/l") == b"x"
    other.call("fs.rm", "/d/l")
    other.call("posix.symlink", "nowhere", "/d/l")
    assert fs.posix.readlink("/d/l") == "nowhere"
    assert not fs.exists("/d/l")
    other.call("fs.rm", "/d", recursive=True)
    assert not fs.exists("/d")
    assert fs.find("/") == []


def test_a_directory_that_another_process_moves_is_not_found_by_its_old_path(
    fs: SqliteFileSystem, other: Other
) -> None:
    fs.pipe_file("/a/b/c/f", b"x")
    for look in (fs.cat_file, fs.info, fs.posix.stat, lambda path: fs.pipe_file(path, b"x", mode="create")):
        assert fs.cat_file("/a/b/c/f") == b"x"
        other.call("fs.mv", "/a/b", "/elsewhere")
        if look.__name__ != "<lambda>":
            with pytest.raises(FileNotFoundError):
                look("/a/b/c/f")
        else:
            look("/a/b/c/f")
            fs.rm("/a/b", recursive=True)
        assert fs.cat_file("/elsewhere/c/f") == b"x"
        other.call("fs.mv", "/elsewhere", "/a/b")
    assert fs.cat_file("/a/b/c/f") == b"x"


def test_a_directory_that_another_process_replaces_by_a_file(fs: SqliteFileSystem, other: Other) -> None:
    nodes = fs.posix.nodes
    fs.pipe_file("/a/b/f", b"x")
    directory = nodes.lookup(nodes.root, "a")
    assert directory is not None
    other.call("fs.rm", "/a", recursive=True)
    other.call("fs.pipe_file", "/a", b"file")
    assert fs.cat_file("/a") == b"file"
    with pytest.raises(NotADirectoryError):
        fs.cat_file("/a/b/f")
    with pytest.raises(NotADirectoryError):
        fs.pipe_file("/a/g", b"x")
    with pytest.raises(FileNotFoundError):
        nodes.create(directory, "g", 0o100644, 0, 0)
    assert nodes.entries(directory) == []
    assert nodes.lookup(directory, "b") is None


# ---- what another process removes


@pytest.mark.parametrize("size", [10, LARGE])
def test_a_file_that_another_process_removes_is_stale_and_never_another_file(
    fs: SqliteFileSystem, other: Other, size: int
) -> None:
    data = os.urandom(size)
    fs.pipe_file("/f", data)
    handle = fs.posix.open_handle("/f", os.O_RDWR)
    other.call("fs.rm_file", "/f")
    for number in range(5):
        other.call("fs.pipe_file", f"/{number}", b"!" * size)
    try:
        assert handle.pread(size, 0) == data
    except OSError as error:
        assert error.errno == errno.ESTALE  # noqa: PT017 - both answers are right
    for change in (
        lambda: handle.pwrite(b"x", 0),
        lambda: handle.pwrite(b"x" * LARGE, 0),
        lambda: handle.truncate(0),
        lambda: handle.truncate(2 * LARGE),
    ):
        with pytest.raises(OSError) as caught:
            change()
        assert caught.value.errno == errno.ESTALE
    assert handle.stat().st_nlink == 0
    handle.close()
    assert contents(fs) == {f"/{number}": b"!" * size for number in range(5)}


def test_a_reader_of_what_another_process_replaces_is_told(fs: SqliteFileSystem, other: Other) -> None:
    """It is opened for reading, so it shows the old content or none: never zeros, never a mixture."""
    fs.pipe_file("/f", b"a" * 64 * LARGE)
    with fs.open("/f", "rb") as file:
        assert file.read(10) == b"a" * 10
        other.call("fs.pipe_file", "/f", b"b" * 64 * LARGE)
        with pytest.raises(OSError) as caught:
            file.read()
        assert caught.value.errno == errno.ESTALE
    assert fs.cat_file("/f") == b"b" * 64 * LARGE


def test_numbers_of_a_transaction_that_was_undone_are_no_other_file(fs: SqliteFileSystem, other: Other) -> None:
    handles = []

    def transact() -> None:
        with fs.transaction:
            for number in range(300):
                handles.append(fs.posix.open_handle(f"/{number}", os.O_CREAT | os.O_RDWR))
                handles[-1].pwrite(b"undone", 0)
            raise RuntimeError("undo")

    with pytest.raises(RuntimeError):
        transact()
    for number in range(400):
        (fs.pipe_file if number % 2 else lambda *what: other.call("fs.pipe_file", *what))(f"/{number}", b"other")
    for handle in handles:
        try:
            assert handle.pread(10, 0) != b"other"
        except OSError as error:
            assert error.errno == errno.ESTALE  # noqa: PT017 - both answers are right
        with pytest.raises(OSError):
            handle.pwrite(b"undone", 0)
    assert set(contents(fs).values()) == {b"other"}


def test_a_file_that_this_process_has_open_outlives_its_name(
    fs: SqliteFileSystem, other: Other, database: str, options: dict[str, Any]
) -> None:
    """Others come and go meanwhile, and remove what killed programs have left, but not this."""
    data = os.urandom(LARGE)
    fs.pipe_file("/f", data)
    with fs.posix.open_handle("/f", os.O_RDWR) as handle:
        fs.rm_file("/f")
        with other_process(database, **options):
            pass
        other.call("fs.pipe_file", "/g", b"x")
        assert handle.pread(LARGE, 0) == data
        handle.pwrite(b"x", 0)
    other.call("fs.pipe_file", "/h", b"x")
    assert problems(database) == []


# ---- everything at once


def test_whole_files_are_read_while_others_replace_them(
    fs: SqliteFileSystem, database: str, options: dict[str, Any]
) -> None:
    """By writing over, by renaming over, and by removing and making anew: always one version, whole."""
    sizes = [100, LARGE, 3 * LARGE + 5]
    code = f"""
        choose = __import__("random").Random(number)
        for step in range({STEPS}):
            version = bytes([choose.randrange(1, 256)])
            data = version * choose.choice({sizes!r})
            how = step % 3
            if how == 0:
                fs.pipe_file("/f", data)
            elif how == 1:
                fs.pipe_file(f"/new-{{number}}", data)
                fs.mv(f"/new-{{number}}", "/f")
            else:
                with fs.open("/f", "wb") as file:
                    file.write(data)
    """
    fs.pipe_file("/f", b"0" * LARGE)
    ends = threading.Event()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while not ends.is_set():
                data = fs.cat_file("/f")
                assert len(data) in sizes
                assert len(set(data)) == 1
                with fs.open("/f", "rb") as file:
                    try:
                        data = file.read()
                    except OSError as error:
                        assert error.errno == errno.ESTALE  # noqa: PT017
                        continue
                    assert len(data) in sizes
                    assert len(set(data)) == 1
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        run_all(database, options, code, 2)
    finally:
        ends.set()
        for reader in readers:
            reader.join()
    assert failures == []
    assert problems(database, in_use=True) == []


def test_a_transaction_of_one_process_shows_whole_or_not_at_all(fs: SqliteFileSystem, other: Other) -> None:
    fs.pipe_file("/a/f", b"1")
    with fs.transaction:
        fs.pipe_file("/a/f", b"2")
        fs.mkdir("/a/d")
        fs.mv("/a", "/b")
        assert fs.cat_file("/b/f") == b"2"
        if fs.inodes.shared.store.session.options.journal_mode == "wal":  # type: ignore[attr-defined]
            assert contents(other) == {"/a/f": b"1"}
        other.begin("fs.pipe_file", "/from-other", b"3")  # it waits
    other.finish()
    assert contents(other) == {"/b/f": b"2", "/from-other": b"3"}
    assert contents(fs) == {"/b/f": b"2", "/from-other": b"3"}


def test_who_waits_for_a_transaction_gives_up_in_the_end(fs: SqliteFileSystem, database: str) -> None:
    impatient = {"journal_mode": fs.storage_options["journal_mode"], "busy_timeout": 0.2}
    fs.pipe_file("/f", b"1")
    with other_process(database, **impatient) as other, fs.transaction:
        fs.mkdir("/d")
        with pytest.raises(OSError, match="busy_timeout") as caught:
            other.call("fs.pipe_file", "/g", b"3")
        assert caught.value.errno == errno.EBUSY
    assert sorted(fs.ls("/", detail=False)) == ["/d", "/f"]


def test_locks_of_the_process_outlive_a_sync_and_a_second_look(fs: SqliteFileSystem, database: str) -> None:
    """Closing any descriptor of the file would drop them, and another process would take the log away on leaving."""
    with fs.posix.open_handle("/f", os.O_CREAT | os.O_RDWR) as handle:
        handle.fsync()
    SqliteFileSystem(database=database, read_only=True, journal_mode=fs.storage_options["journal_mode"]).ls("/")
    code = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute('SELECT 1 FROM inode'); db.close()"
    run(code, database)
    fs.pipe_file("/after", b"kept")
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM dentry WHERE name = 'after'").fetchone() == (1,)
