"""Whoever waits to change a database gets a turn, however fast others go on."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem, turns
from chuk_fsspec.backends.sqlite.turns import Turns
from chuk_fsspec.testing.checks import in_threads

if sys.platform != "linux":
    pytest.skip("elsewhere SQLite alone decides whose turn it is", allow_module_level=True)

HAMMERS = """
    import sys
    from chuk_fsspec.backends.sqlite import SqliteFileSystem

    fs = SqliteFileSystem(database=sys.argv[1])
    print("ready", flush=True)
    number = 0
    while True:
        fs.pipe_file(f"/{sys.argv[2]}/{number % 50}", b"%d" % number)
        number += 1
"""


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Callable[[], Turns]]:
    """Makes what processes have that share a file; locks of one open file are not those of another."""
    file = tmp_path / "file"
    file.write_bytes(b"")
    with ExitStack() as stack:

        def one() -> Turns:
            opened = stack.enter_context(file.open("r+b"))
            made = Turns(patience=5)
            made._line = turns._Line(opened.fileno())
            return made

        yield one


def busy() -> None:
    raise sqlite3.OperationalError("database is locked")


def test_who_is_fast_lets_in_who_waits(pair: Callable[[], Turns]) -> None:
    """With nobody in line it goes on at once; else it waits until that one has had its turn."""
    fast, slow = pair(), pair()
    order: list[str] = []
    fast.take(lambda: order.append("fast"))
    assert slow._line is not None
    assert slow._line.take()
    fast.take(lambda: order.append("fast, in its turn"))
    fast._until = 0

    def leave(number: int) -> None:
        if number:
            time.sleep(0.05)
            order.append("slow")
            assert slow._line is not None
            slow._line.leave()
        else:
            fast.take(lambda: order.append("fast again"))

    in_threads(2, leave)
    assert order == ["fast", "fast, in its turn", "slow", "fast again"]
    assert not slow._line.is_taken()


def test_who_waited_for_a_while_stands_in_line(pair: Callable[[], Turns]) -> None:
    one, other = pair(), pair()
    assert other._line is not None
    tries: list[bool] = []

    def begin() -> None:
        tries.append(other._line is not None and other._line.is_taken())
        if len(tries) < 4:
            busy()

    one.take(begin)
    assert tries == [False, True, True, True]
    assert not other._line.is_taken()


@pytest.mark.parametrize("with_line", [True, False])
def test_patience_ends(pair: Callable[[], Turns], with_line: bool) -> None:
    one, first = pair(), pair()
    if not with_line:
        one._line = None
    one._patience = 0.02
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        one.take(busy)
    if with_line:
        assert first._line is not None
        assert first._line.take()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            one.take(busy)
        first._line.leave()
        assert not first._line.is_taken()


def test_other_errors_come_out_at_once(pair: Callable[[], Turns]) -> None:
    one, other = pair(), pair()

    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="disk"):
            one.take(fail)
        assert other._line is not None
        assert not other._line.is_taken()


def test_who_is_killed_stands_in_line_no_more(tmp_path: Path) -> None:
    database = str(tmp_path / "w.db")
    fs = SqliteFileSystem(database=database)
    fs.touch("/f")
    stands = """
        import sys
        from chuk_fsspec.backends.sqlite import SqliteFileSystem
        fs = SqliteFileSystem(database=sys.argv[1])
        assert fs.store.session._turns._line.take()
        print("ready", flush=True)
        sys.stdin.readline()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(stands), database], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        line = turns._line(database)
        assert line is not None
        assert line.is_taken()
        child.kill()
    assert not line.is_taken()
    fs.touch("/f")


def test_a_late_writer_gets_in(tmp_path: Path) -> None:
    database = str(tmp_path / "w.db")
    fs = SqliteFileSystem(database=database, busy_timeout=30)
    fs.makedirs("/mine")
    with ExitStack() as stack:
        for name in "ab":
            command = [sys.executable, "-c", textwrap.dedent(HAMMERS), database, name]
            child = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE))
            stack.callback(child.kill)
            assert child.stdout is not None
            child.stdout.readline()
        for number in range(20):
            fs.pipe_file(f"/mine/{number}", b"%d" % number)
    assert len(fs.ls("/mine")) == 20


def test_a_file_system_without_such_locks_is_none_the_worse(tmp_path: Path) -> None:
    """As where fcntl(2) knows no F_OFD_SETLK: nobody is ever seen in line, and anybody may be first."""
    fd = os.open(tmp_path, os.O_PATH)  # EBADF for all locks
    try:
        line = turns._Line(fd)
        assert not line.is_taken()
        assert line.take()
        line.leave()
    finally:
        os.close(fd)
