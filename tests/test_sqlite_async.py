"""The coroutine methods of chuksqlite: what the synchronous ones do, in batches that are committed once."""

from __future__ import annotations

import asyncio
import errno
import functools
import gc
import inspect
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.backends.sqlite.aio import CoroutineMethods

COROUTINES = sorted(
    name
    for name, method in vars(CoroutineMethods).items()
    if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
)
PATIENCE = 30.0
"""Seconds after which a test that waits has failed."""


@pytest.fixture
def database(tmp_path: Path) -> str:
    return str(tmp_path / "w.db")


@pytest.fixture
def fs(database: str) -> SqliteFileSystem:
    return SqliteFileSystem(database=database, busy_timeout=0.2, skip_instance_cache=True)


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a test in an event loop of its own."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


@asynccontextmanager
async def held(fs: SqliteFileSystem) -> AsyncIterator[None]:
    """Keep the worker busy, so that all that is submitted meanwhile waits together."""
    loop, started, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def wait() -> None:
        loop.call_soon_threadsafe(started.set)
        go_on.wait(PATIENCE)

    waiting = asyncio.ensure_future(fs._look(wait))
    await started.wait()
    try:
        yield
    finally:
        go_on.set()
        await waiting


async def together(fs: SqliteFileSystem, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """The outcomes of calls that make one batch, in order; errors are outcomes."""
    async with held(fs):
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
    return list(await asyncio.gather(*tasks, return_exceptions=True))


@contextmanager
def statements(fs: SqliteFileSystem) -> Iterator[list[str]]:
    """What the database is told meanwhile."""
    told: list[str] = []
    connection = fs._session.connection
    connection.set_trace_callback(told.append)
    try:
        yield told
    finally:
        connection.set_trace_callback(None)


@contextmanager
def other_process(database: str, *script: str) -> Iterator[sqlite3.Connection]:
    """A connection as another process has one."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=0)) as connection:
        for statement in script:
            connection.execute(statement).fetchall()
        yield connection


def contents_of(fs: AbstractFileSystem) -> dict[str, bytes]:
    return {path: fs.cat_file(path) for path in fs.find("/")}


def names_in(database: str) -> set[str]:
    """Names that are committed."""
    with other_process(database) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM dentry")} - {"."}


# ---- the same as the synchronous methods


@pytest.mark.parametrize("name", COROUTINES)
def test_a_coroutine_takes_what_its_synchronous_method_takes(name: str) -> None:
    if name in ("_mv_file", "_expand_path"):  # fsspec's mv_file has two paths; expand_path has more in later releases
        return
    synchronous = inspect.signature(getattr(SqliteFileSystem, name[1:])).parameters.values()
    awaited = inspect.signature(getattr(SqliteFileSystem, name)).parameters.values()
    assert [(one.name, one.kind, one.default) for one in awaited] == [
        (one.name, one.kind, one.default) for one in synchronous
    ]


def test_what_fsspec_awaits_is_there() -> None:
    its = {
        name
        for name, method in vars(AsyncFileSystem).items()
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method)
    }
    assert its - set(COROUTINES) == {"_process_limits", "open_async"}
    assert SqliteFileSystem.async_impl is False


@in_loop
async def test_looking_and_reading_give_what_the_synchronous_methods_give(fs: SqliteFileSystem, tmp_path: Path) -> None:
    fs.pipe({"/a/one": b"first", "/a/b/two": b"second", "/three": bytes(100_000)})
    fs.posix.symlink("/nowhere", "/link")
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("info", ("/a/one",), {}),
        ("info", ("chuksqlite://a",), {}),
        ("ls", ("/a",), {}),
        ("ls", ("/a", False), {}),
        ("find", ("/",), {}),
        ("find", ("/a",), {"maxdepth": 1, "withdirs": True, "detail": True}),
        ("glob", ("/a/**",), {}),
        ("expand_path", (["/a"],), {"recursive": True}),
        ("exists", ("/link",), {}),
        ("lexists", ("/link",), {}),
        ("isfile", ("/three",), {}),
        ("isdir", ("/a",), {}),
        ("size", ("/three",), {}),
        ("sizes", (["/three", "/a/one"],), {}),
        ("du", ("/",), {"total": False}),
        ("created", ("/three",), {}),
        ("modified", ("/three",), {}),
        ("ukey", ("/three",), {}),
        ("checksum", ("/three",), {}),
        ("cat_file", ("/three",), {"start": -10}),
        ("cat", ("/a",), {"recursive": True, "on_error": "omit"}),
        ("cat_ranges", (["/three", "/missing"], [5, 0], [9, 1]), {}),
    ]
    for name, arguments, options in calls:
        awaited = await getattr(fs, f"_{name}")(*arguments, **options)
        assert repr(awaited) == repr(getattr(fs, name)(*arguments, **options)), name
    assert [step async for step in fs._walk("/")] == list(fs.walk("/"))
    await fs._get_file("/a/one", str(tmp_path / "one"))
    await fs._get("/a", str(tmp_path / "copy"), recursive=True)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "copy" / "one").read_bytes() == b"first"


@in_loop
async def test_changing_does_what_the_synchronous_methods_do(fs: SqliteFileSystem, tmp_path: Path) -> None:
    twin = SqliteFileSystem(database=str(tmp_path / "twin.db"), skip_instance_cache=True)
    local = tmp_path / "local"
    local.mkdir()
    (local / "file").write_bytes(b"local")
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("mkdir", ("/d/e",), {}),
        ("makedirs", ("/d/e",), {"exist_ok": True}),
        ("pipe_file", ("/d/small", bytearray(b"small")), {}),
        ("pipe_file", ("/d/small", b"x"), {"mode": "create"}),
        ("pipe", ({"/d/e/one": b"1", "/d/e/two": bytes(100_000)},), {}),
        ("touch", ("/d/empty",), {}),
        ("cp_file", ("/d/e/two", "/d/two"), {}),
        ("copy", ("/d/e", "/copy"), {"recursive": True}),
        ("mv", ("/copy", "/moved"), {"recursive": True}),
        ("mv", ("/d/empty", "/moved/empty"), {}),
        ("rm_file", ("/moved/one",), {}),
        ("rmdir", ("/d",), {}),
        ("rm", ("/d/e",), {"recursive": True}),
        ("rm", ("/missing",), {}),
        ("put_file", (str(local / "file"), "/put"), {}),
        ("put", (str(local), "/all"), {"recursive": True}),
    ]
    for name, arguments, options in calls:
        outcomes = []
        for make in (lambda: getattr(fs, f"_{name}")(*arguments, **options), lambda: None):  # noqa: B023
            try:
                awaitable = make()
                outcomes.append(await awaitable if awaitable else getattr(twin, name)(*arguments, **options))
            except OSError as error:
                outcomes.append((type(error), error.errno, error.filename, error.filename2))
        assert outcomes[0] == outcomes[1], name
    assert fs.find("/", withdirs=True) == twin.find("/", withdirs=True)
    assert contents_of(fs) == contents_of(twin)


PATHS = st.sampled_from(["/a", "/b", "/a/x", "/a/y", "/b/x", "/b/x/deep"])
CONTENTS = st.sampled_from([b"", b"small", bytes(5000), b"z" * 70_000])
CALLS = st.one_of(
    st.tuples(st.just("pipe_file"), PATHS, CONTENTS, st.sampled_from(["overwrite", "create"])),
    st.tuples(st.sampled_from(["mv", "cp_file"]), PATHS, PATHS),
    st.tuples(st.just("rm"), PATHS, st.booleans()),
    st.tuples(st.sampled_from(["mkdir", "makedirs", "rmdir", "rm_file", "cat_file", "isdir", "find", "touch"]), PATHS),
)


@given(calls=st.lists(CALLS, max_size=20))
def test_a_batch_is_what_its_calls_are_one_after_another(calls: list[tuple[Any, ...]]) -> None:
    name = uuid.uuid4().hex
    model = MemoryFileSystem(name=name)
    fs = SqliteFileSystem(database=":memory:", skip_instance_cache=True)
    fs.rm("/", recursive=True)
    wanted: list[Any] = []
    for method, *arguments in calls:
        try:
            wanted.append(getattr(model, method)(*arguments))
        except OSError as error:
            wanted.append((type(error), error.errno))
    found = asyncio.run(together(fs, *(getattr(fs, f"_{method}")(*arguments) for method, *arguments in calls)))
    assert [(type(one), one.errno) if isinstance(one, OSError) else one for one in found] == wanted
    assert fs.find("/", withdirs=True) == model.find("/", withdirs=True)
    assert contents_of(fs) == contents_of(model)
    drop_store(name)


# ---- one commit for all that wait


@in_loop
async def test_a_hundred_writers_share_a_commit(fs: SqliteFileSystem, database: str) -> None:
    with statements(fs) as told:
        await together(fs, *(fs._pipe_file(f"/f{number}", b"data") for number in range(100)))
    assert told.count("COMMIT") == 1
    assert sum(statement.startswith("BEGIN") for statement in told) == 1
    assert not any(statement.startswith("SAVEPOINT") for statement in told)
    assert names_in(database) == {f"f{number}" for number in range(100)}


@in_loop
async def test_writers_that_run_freely_share_commits(fs: SqliteFileSystem) -> None:
    async def write(worker: int) -> None:
        for number in range(20):
            await fs._pipe_file(f"/{worker}-{number}", b"data")

    with statements(fs) as told:
        await asyncio.gather(*(write(worker) for worker in range(50)))
    assert len(fs.ls("/")) == 1000
    assert told.count("COMMIT") < 500


@in_loop
async def test_a_read_sees_the_writes_before_it_and_not_those_after_it(fs: SqliteFileSystem) -> None:
    outcomes = await together(
        fs,
        fs._exists("/f"),
        fs._pipe_file("/f", b"one"),
        fs._cat_file("/f"),
        fs._pipe_file("/f", b"two"),
        fs._find("/"),
        fs._rm_file("/f"),
        fs._exists("/f"),
    )
    assert outcomes == [False, None, b"one", None, ["/f"], None, False]


@in_loop
async def test_nobody_is_told_before_the_commit(fs: SqliteFileSystem, database: str) -> None:
    seen: list[set[str]] = []

    async def write(name: str) -> None:
        await fs._pipe_file(f"/{name}", b"data")
        seen.append(names_in(database))

    async def read() -> None:
        assert await fs._cat_file("/a") == b"data"
        seen.append(names_in(database))

    assert await together(fs, write("a"), read(), write("b")) == [None, None, None]
    assert seen == [{"a", "b"}] * 3


@in_loop
async def test_reading_needs_no_lock_for_writing(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/f", b"data")
    with other_process(database, "BEGIN IMMEDIATE"), statements(fs) as told:
        assert await together(fs, fs._cat_file("/f"), fs._isdir("/"), fs._ls("/", False)) == [
            b"data",
            True,
            ["/f"],
        ]
    assert "BEGIN IMMEDIATE" not in told


@in_loop
async def test_a_database_that_is_only_read(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/f", b"data")
    reader = SqliteFileSystem(database=database, busy_timeout=0.2, read_only=True, skip_instance_cache=True)
    read, written, again = await together(
        reader, reader._cat_file("/f"), reader._pipe_file("/g", b""), reader._exists("/g")
    )
    assert (read, again) == (b"data", False)
    assert isinstance(written, OSError)
    assert written.errno == errno.EROFS


# ---- failures


@in_loop
async def test_an_operation_that_cannot_be_done_fails_alone(fs: SqliteFileSystem, database: str) -> None:
    fs.mkdir("/d")
    with statements(fs) as told:
        outcomes = await together(
            fs,
            fs._pipe_file("/a", b"data"),
            fs._mkdir("/d"),
            fs._pipe_file("/a", b"", "create"),
            fs._rm_file("/missing"),
            fs._pipe_file("/b", b"data"),
        )
    assert [type(one) for one in outcomes] == [
        type(None),
        FileExistsError,
        FileExistsError,
        FileNotFoundError,
        type(None),
    ]
    assert told.count("COMMIT") == 1
    assert "ROLLBACK" not in told
    assert names_in(database) == {"a", "b", "d"}


@in_loop
async def test_an_error_shows_where_it_comes_from(fs: SqliteFileSystem) -> None:
    (error,) = await together(fs, fs._cat_file("/missing"))
    functions = []
    traceback = error.__traceback__
    while traceback is not None:
        functions.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert "_cat_file" in functions
    assert "cat_file" in functions
    assert error.filename == "/missing"


@in_loop
async def test_only_the_one_that_breaks_off_half_way_fails(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/before", b"data")
    pages = fs._session.connection.execute("PRAGMA page_count").fetchone()[0]
    fs._session.connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    outcomes = await together(
        fs,
        fs._pipe_file("/a", b"first"),
        fs._pipe_file("/large", bytes(1 << 20)),
        fs._pipe_file("/b", b"second"),
        fs._rm_file("/before"),
        fs._cat_file("/a"),
    )
    assert outcomes[0] is outcomes[2] is outcomes[3] is None
    assert isinstance(outcomes[1], OSError)
    assert outcomes[1].errno == errno.ENOSPC
    assert outcomes[4] == b"first"
    assert names_in(database) == {"a", "b"}
    assert fs.cat("/b") == b"second"
    assert fs.posix.stat("/").st_nlink == 2
    with other_process(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@in_loop
async def test_a_commit_for_which_there_is_no_space(fs: SqliteFileSystem, database: str) -> None:
    """Small files are written when the batch is committed: then each is tried alone, and those that fit are there."""
    fs.mkdir("/d")
    pages = fs._session.connection.execute("PRAGMA page_count").fetchone()[0]
    fs._session.connection.execute(f"PRAGMA max_page_count = {pages + 20}")
    outcomes = await together(fs, *(fs._pipe_file(f"/d/{number}", bytes(3000)) for number in range(60)))
    made = {str(number) for number, outcome in enumerate(outcomes) if outcome is None}
    assert {one.errno for one in outcomes if one is not None} == {errno.ENOSPC}
    assert made
    assert names_in(database) == {"d", *made}
    assert {path.rpartition("/")[2] for path in fs.find("/d")} == made
    assert all(fs.cat(path) == bytes(3000) for path in fs.find("/d"))


@in_loop
async def test_a_directory_that_was_made_for_a_file_that_failed_stays(fs: SqliteFileSystem) -> None:
    """As it does without a batch; and nobody else pays for it."""
    fs.mkdir("/d")
    with statements(fs) as told:
        outcomes = await together(
            fs, fs._mv("/missing", "/new/place"), fs._cp_file("/d", "/e"), fs._pipe_file("/f", b"")
        )
    assert isinstance(outcomes[0], FileNotFoundError)
    assert outcomes[1:] == [None, None]
    assert told.count("COMMIT") == 1


@in_loop
async def test_a_database_that_stays_locked(fs: SqliteFileSystem, database: str) -> None:
    fs.pipe_file("/f", b"data")
    with other_process(database, "BEGIN IMMEDIATE"):
        calls = [fs._pipe_file("/g", b""), fs._cat_file("/f"), fs._mkdir("/d"), fs._exists("/g")]
        outcomes = await together(fs, *calls)
    assert [one.errno for one in (outcomes[0], outcomes[2])] == [errno.EBUSY] * 2
    assert outcomes[0] is not outcomes[2]
    assert (outcomes[1], outcomes[3]) == (b"data", False)
    assert await together(fs, fs._pipe_file("/g", b""), fs._exists("/g")) == [None, True]


@in_loop
async def test_a_commit_that_is_not_possible(tmp_path: Path) -> None:
    """Without a write-ahead log, who reads keeps those who write from committing."""
    database = str(tmp_path / "journal.db")
    fs = SqliteFileSystem(database=database, busy_timeout=0.1, journal_mode="delete", skip_instance_cache=True)
    fs.pipe_file("/f", b"data")
    with other_process(database, "BEGIN", "SELECT count(*) FROM inode"):
        calls = [fs._pipe_file("/g", b""), fs._exists("/g"), fs._rm_file("/f"), fs._cat_file("/f")]
        outcomes = await together(fs, *calls)
    assert [one.errno for one in (outcomes[0], outcomes[2])] == [errno.EBUSY] * 2
    assert (outcomes[1], outcomes[3]) == (False, b"data")
    assert names_in(database) == {"f"}


@in_loop
async def test_watchers_are_told_after_the_commit_and_before_whoever_awaits(
    fs: SqliteFileSystem, database: str
) -> None:
    told: list[tuple[str, set[str]]] = []
    view = fs.inodes.view()

    def watcher(directory: Any, name: str, node: Any) -> None:
        others = threading.Thread(target=fs.exists, args=(f"/never-asked-for-{len(told)}",))  # needs the scope itself
        others.start()
        others.join(PATIENCE)
        assert not others.is_alive()
        if directory is not None:
            told.append((name, names_in(database)))

    end = view.watch(watcher)
    outcomes = await together(fs, fs._pipe_file("/a", b""), fs._mkdir("/d"), fs._mkdir("/d"), fs._rm_file("/a"))
    end()
    assert [type(one) for one in outcomes] == [type(None), type(None), FileExistsError, type(None)]
    assert told == [("a", {"d"}), ("d", {"d"}), ("a", {"d"})]


# ---- tasks, loops, threads


@in_loop
async def test_what_is_cancelled_before_it_begins_is_not_done(fs: SqliteFileSystem) -> None:
    async with held(fs):
        first = asyncio.ensure_future(fs._pipe_file("/first", b""))
        cancelled = asyncio.ensure_future(fs._pipe_file("/cancelled", b""))
        last = asyncio.ensure_future(fs._pipe_file("/last", b""))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(first, last)
    assert cancelled.cancelled()
    assert fs.ls("/", detail=False) == ["/first", "/last"]


@in_loop
async def test_what_is_cancelled_while_it_runs_is_finished(fs: SqliteFileSystem) -> None:
    loop, started, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def write_slowly() -> None:
        with fs.inodes.change:
            fs.mkdir("/d")
            loop.call_soon_threadsafe(started.set)
            go_on.wait(PATIENCE)
            fs.mkdir("/e")

    task = asyncio.ensure_future(fs._change(write_slowly))
    await started.wait()
    task.cancel()
    go_on.set()
    assert await fs._ls("/", detail=False) == ["/d", "/e"]
    assert task.cancelled()


def test_several_loops_and_threads_at_once(fs: SqliteFileSystem) -> None:
    errors: list[BaseException] = []

    async def write(thread: int) -> None:
        async def one(number: int) -> None:
            path = f"/{thread}/{number}"
            await fs._pipe_file(path, path.encode())
            assert await fs._cat_file(path) == path.encode()

        await asyncio.gather(*(one(number) for number in range(100)))

    def guarded(work: Any) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a thread's error is looked at below
            errors.append(error)

    def write_at_once() -> None:
        for number in range(100):
            fs.pipe_file(f"/sync/{number}", b"data")

    works = [lambda thread=thread: asyncio.run(write(thread)) for thread in range(4)]
    threads = [threading.Thread(target=guarded, args=(work,)) for work in [*works, write_at_once]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not errors
    assert len(fs.find("/")) == 500
    assert sum(thread.name == "chuksqlite" for thread in threading.enumerate()) >= 1


@in_loop
async def test_instances_of_one_database_share_a_thread(fs: SqliteFileSystem, database: str) -> None:
    other = SqliteFileSystem(database=database, busy_timeout=0.2, auto_mkdir=False, skip_instance_cache=True)
    with statements(fs) as told:
        await together(fs, fs._pipe_file("/a", b""), other._pipe_file("/b", b""))
    assert told.count("COMMIT") == 1


@in_loop
async def test_a_transaction_of_the_thread_takes_what_it_awaits(fs: SqliteFileSystem) -> None:
    async def fail_in_transaction() -> None:
        with fs.transaction:
            await fs._mkdir("/d")
            assert await fs._isdir("/d")
            raise KeyError

    with pytest.raises(KeyError):
        await fail_in_transaction()
    assert not await fs._exists("/d")


def test_a_loop_that_is_closed_disturbs_nobody(fs: SqliteFileSystem) -> None:
    release = threading.Event()

    async def leave_behind() -> list[asyncio.Task[Any]]:
        left = [asyncio.ensure_future(fs._look(release.wait, PATIENCE)), asyncio.ensure_future(fs._exists("/"))]
        await asyncio.sleep(0.01)
        return left

    loop = asyncio.new_event_loop()
    left = loop.run_until_complete(leave_behind())
    left[1].cancel()  # the first is running by now
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    release.set()
    assert asyncio.run(fs._exists("/")) is True


def test_the_thread_ends_with_the_last_filesystem(tmp_path: Path) -> None:
    fs = SqliteFileSystem(database=str(tmp_path / "w.db"), skip_instance_cache=True)
    before = set(threading.enumerate())
    asyncio.run(fs._mkdir("/d"))
    (thread,) = set(threading.enumerate()) - before
    del fs
    until = time.monotonic() + PATIENCE
    while thread.is_alive() and time.monotonic() < until:
        gc.collect()  # the thread may still have held the last call
        thread.join(0.05)
    assert not thread.is_alive()


# ---- processes


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


PREAMBLE = """
import asyncio, os, sys
from chuk_fsspec.backends.sqlite import SqliteFileSystem
fs = SqliteFileSystem(database=sys.argv[1])
"""


def test_python_exits_without_ado(database: str) -> None:
    done = run_script(PREAMBLE + "asyncio.run(fs._pipe_file('/f', b'data'))\nprint('done')", database)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert names_in(database) == {"f"}


def test_what_still_waits_at_exit_is_done_and_leaves_no_log_behind(database: str) -> None:
    script = """
async def leave():
    tasks = [asyncio.ensure_future(fs._pipe_file(f'/{number}', b'data')) for number in range(100)]
    await asyncio.sleep(0)
loop = asyncio.new_event_loop()
loop.run_until_complete(leave())
"""
    assert run_script(PREAMBLE + script, database).returncode == 0
    assert not os.path.exists(f"{database}-wal")
    assert names_in(database) == {str(number) for number in range(100)}


def test_a_child_of_a_fork_has_a_thread_of_its_own(database: str) -> None:
    script = """
asyncio.run(fs._pipe_file('/before', b'data'))
child = os.fork()
who = 'parent' if child else 'child'
asyncio.run(fs._pipe_file('/' + who, b'data'))
if child:
    _, status = os.waitpid(child, 0)
    print(status, asyncio.run(fs._ls('/', detail=False)))
"""
    done = run_script(PREAMBLE + script, database)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "0 ['/before', '/child', '/parent']\n"


@pytest.mark.parametrize("delay", [0.01, 0.05, 0.1, 0.2])
def test_what_was_acknowledged_outlives_a_kill(database: str, delay: float) -> None:
    script = """
async def write(worker):
    for number in range(100_000):
        name = f'{worker}-{number}'
        await fs._pipe_file('/' + name, name.encode() * (1000 if number % 7 == 0 else 1))
        os.write(1, (name + '\\n').encode())
async def main():
    await asyncio.gather(*(write(worker) for worker in range(20)))
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", PREAMBLE + script, database], stdout=subprocess.PIPE)
    assert process.stdout is not None
    acknowledged = process.stdout.readline()
    threading.Event().wait(delay)
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read()
    process.wait()
    process.stdout.close()
    names = [name.decode() for name in acknowledged.split(b"\n")[:-1]]
    assert names
    with other_process(database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    fs = SqliteFileSystem(database=database, skip_instance_cache=True)
    for name in names:
        assert fs.cat(f"/{name}") == name.encode() * (1000 if int(name.split("-")[1]) % 7 == 0 else 1)
    for path in fs.find("/"):
        assert fs.size(path) > 0, "a file that is half there"
    assert os.path.exists(database)
