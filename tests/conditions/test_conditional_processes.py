"""Several real processes change one file on conditions: no update is lost, also beside programs that know of none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem

COUNTING = Path(__file__).with_name("conditional_counting.py")
PROCESSES = 3


@pytest.fixture(params=["chuklocal", "chuksqlite", "chuksqlite without a log"])
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, Any]]:
    """A protocol and its options."""
    if request.param == "chuklocal":
        return "chuklocal", {"root": str(tmp_path)}
    mode = "delete" if "without" in request.param else "wal"
    return "chuksqlite", {"database": str(tmp_path / "w.db"), "journal_mode": mode}


@pytest.fixture
def fs(stack: tuple[str, dict[str, Any]]) -> AbstractFileSystem:
    return fsspec.filesystem(stack[0], **stack[1])


def start(way: str, stack: tuple[str, dict[str, Any]], path: str, times: int) -> subprocess.Popen[str]:
    protocol, options = stack
    command = [sys.executable, str(COUNTING), way, protocol, json.dumps(options), path, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> str:
    said, complained = process.communicate(timeout=100)
    assert process.returncode == 0, complained
    return said


def test_no_update_is_lost(fs: AbstractFileSystem, stack: tuple[str, dict[str, Any]]) -> None:
    fs.pipe_file("/d/counter", b"0")
    running = [start("count", stack, "/d/counter", 30) for _ in range(PROCESSES)]
    for process in running:
        ended(process)
    assert fs.cat_file("/d/counter") == b"%d" % (30 * PROCESSES)
    assert fs.find("/") == ["/d/counter"]


def test_killed_writers(fs: AbstractFileSystem, stack: tuple[str, dict[str, Any]]) -> None:
    fs.pipe_file("/d/counter", b"0")
    counted = 0
    for number in range(6):
        process = start("count", stack, "/d/counter", 10_000)
        with process:
            assert process.stdout is not None
            assert process.stdout.readline()
            time.sleep(0.01 * number)
            process.kill()
            counted += 1 + process.stdout.read().count("counted")
    # One that was killed may have counted without having told.
    assert counted <= int(fs.cat_file("/d/counter")) <= counted + 6
    fs.pipe_file("/d/counter", b"0", if_match=fs.info("/d/counter")["etag"])
    type(fs)(**stack[1], skip_instance_cache=True)  # the restart, which cleans up
    assert fs.find("/") == ["/d/counter"]


def test_a_program_that_asks_for_nothing_loses_nothing(tmp_path: Path) -> None:
    stack = "chuklocal", {"root": str(tmp_path)}
    (tmp_path / "file").write_bytes(b"")
    writers = [start("extend", stack, "/file", 400) for _ in range(2)]
    assert ended(start("replace_unasked", stack, "/file", 400)) == ""
    for writer in writers:
        ended(writer)
    LocalFileSystem(root=str(tmp_path), skip_instance_cache=True)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_another_process_wrote_is_noticed_at_once(database: str) -> None:
    fs = SqliteFileSystem(database=database)
    etag = fs.pipe_file("/counter", b"0")
    ended(start("count", ("chuksqlite", {"database": database}), "/counter", 1))
    with pytest.raises(OSError, match="Precondition failed"):
        fs.pipe_file("/counter", b"mine", if_match=etag)
    assert fs.cat_file("/counter") == b"1"
