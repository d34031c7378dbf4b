"""Databases for the tests of chuksqlite, and other processes that use them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import python


def everything(directory: Path) -> dict[str, bytes | None]:
    """The content of each file of a directory, None for what is no file."""
    return {entry.name: entry.read_bytes() if entry.is_file() else None for entry in sorted(directory.iterdir())}


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another Python, which runs a piece of code with arguments."""
    return subprocess.Popen(
        python(code, *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )


def run(code: str, *arguments: str) -> str:
    """What another Python says that runs a piece of code."""
    process = start(code, *arguments)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out.strip()


@contextmanager
def meanwhile(code: str, *arguments: str) -> Iterator[None]:
    """Another Python, while it waits: its code says "ready" on a line, and then reads one."""
    process = start(code, *arguments)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.communicate("\n", timeout=60)
    assert process.returncode == 0
