"""The thread behind the coroutines of chuksqlite: tasks, event loops, threads, forks and killed processes."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from tests.sqlite.sqlite_async import PATIENCE, fs, held, in_loop, names_in, other_process, statements, together

__all__ = ["fs"]


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
