"""A mount that is served by a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import python, started

SERVER = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
from chuk_adapters.fuse import MountOptions, mount
from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
kind, place, point, direct_io = sys.argv[1:]
fs = SqliteFileSystem(database=place) if kind == "sqlite" else LocalFileSystem(root=place)
with mount(fs, point, MountOptions(direct_io=direct_io == "True")):
    print("mounted", flush=True)
    signal.sigwait([signal.SIGTERM])
"""


@contextmanager
def served(kind: str, place: Path, point: Path, *, direct_io: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A directory is made, and a chuksqlite or chuklocal is mounted on it; the process that serves it."""
    point.mkdir()
    with started(python(SERVER, kind, place, point, direct_io)) as (server, line):
        assert line == "mounted"
        yield server
