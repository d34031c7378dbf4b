"""Coroutines of chuksqlite that wait together are committed once, and each fails alone."""

from __future__ import annotations

import asyncio
import errno
import threading
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem, aio_batch
from tests.sqlite.sqlite_async import PATIENCE, fs, in_loop, names_in, other_process, statements, together

__all__ = ["fs"]


@pytest.fixture(autouse=True)
def _batches_end_when_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not after some milliseconds, which on a busy machine are over before the second operation."""
    monkeypatch.setattr(aio_batch, "BATCH_SECONDS", PATIENCE)


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
    first, second = outcomes[1], outcomes[3]
    assert first != second
    assert outcomes == [False, first, b"one", second, ["/f"], None, False]


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
        str,
        FileExistsError,
        FileExistsError,
        FileNotFoundError,
        str,
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
    assert [outcomes[0], outcomes[2]] == [fs.info(path)["etag"] for path in ("/a", "/b")]
    assert outcomes[3] is None
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
    made = {str(number) for number, outcome in enumerate(outcomes) if isinstance(outcome, str)}
    assert {one.errno for one in outcomes if not isinstance(one, str)} == {errno.ENOSPC}
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
    assert outcomes[1:] == [None, fs.info("/f")["etag"]]
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
    written, exists = await together(fs, fs._pipe_file("/g", b""), fs._exists("/g"))
    assert (written, exists) == (fs.info("/g")["etag"], True)


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
    assert [type(one) for one in outcomes] == [str, type(None), FileExistsError, type(None)]
    assert told == [("a", {"d"}), ("d", {"d"}), ("a", {"d"})]
