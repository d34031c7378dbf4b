"""Coroutines of chuksqlite in tests: event loops, batches, and what the database is told and holds."""

from __future__ import annotations

import asyncio
import functools
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem, aio_batch

PATIENCE = 30.0
"""Seconds after which a test that waits has failed."""


@pytest.fixture
def fs(database: str, monkeypatch: pytest.MonkeyPatch) -> SqliteFileSystem:
    """A chuksqlite that does not wait long for others, whose batches end with what waits and not by the clock."""
    monkeypatch.setattr(aio_batch, "BATCH_SECONDS", PATIENCE)
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


def names_in(database: str) -> set[str]:
    """Names that are committed."""
    with other_process(database) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM dentry")} - {"."}
