"""Processes that are killed in the middle of a stream, and streams much larger than the memory they may take."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no /proc")

MOST_BEYOND = 32
"""MiB that a stream may take beyond the data itself."""


def run(program: str, *arguments: object) -> str:
    """Run a program of this directory to its end."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(HERE / program), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def kill(kind: str, directory: Path, times: int) -> None:
    found = json.loads(run("stream_crash.py", kind, directory, times))
    wrong = {name: found[name] for name in ("failed", "missing", "empty", "torn", "leftovers")}
    assert wrong == dict.fromkeys(wrong, 0), found
    assert found["replaced"] > times / 20, "the file has to be replaced now and then, or nothing is tested"


@needs_proc
@pytest.mark.parametrize("kind", ["chuklocal", "file"])
def test_a_killed_process_leaves_one_content_or_the_other(kind: str, tmp_path: Path) -> None:
    kill(kind, tmp_path, 40)


@needs_proc
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["chuklocal", "file"])
def test_a_thousand_kills(kind: str, tmp_path: Path) -> None:
    kill(kind, tmp_path, 1000)


def memory_beyond(kind: str, way: str, directory: Path, mebibytes: int) -> float:
    taken = float(run("stream_memory.py", kind, way, directory, mebibytes))
    return taken - mebibytes if kind == "chukmem" and way.endswith("write") else taken


@needs_proc
@pytest.mark.parametrize("way", ["write", "awrite", "read", "aread"])
@pytest.mark.parametrize("kind", ["chukmem", "chuklocal", "file"])
def test_memory_beyond_the_data(kind: str, way: str, tmp_path: Path) -> None:
    assert memory_beyond(kind, way, tmp_path, 64) <= MOST_BEYOND


@needs_proc
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", ["write", "awrite", "read", "aread"])
@pytest.mark.parametrize("kind", ["chukmem", "chuklocal"])
def test_memory_beyond_two_gibibytes(kind: str, way: str, tmp_path: Path) -> None:
    assert memory_beyond(kind, way, tmp_path, 2048) <= MOST_BEYOND
