"""The ways in which chuklocal finds its files, and a directory outside that none of them may reach."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chuk_fsspec.backends.local import LocalFileSystem, support

WAYS = ("kernel", "walking", "by name")
SECRET = b"the secret of the outside"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """As Linux does it, as it is done without openat2(2), and as it is done without /proc as well."""
    if request.param != "kernel":
        monkeypatch.setattr(support, "has_openat2", lambda: False)
    if request.param == "by name":
        monkeypatch.setattr(support, "can_hold", lambda: False)
    name: str = request.param
    return name


@dataclass(frozen=True)
class Outside:
    """A directory of the host with a secret in it, beside the root."""

    path: Path

    def assert_untouched(self) -> None:
        """Nothing here is new, gone or another one."""
        assert sorted(os.listdir(self.path)) == ["d", "secret"]
        assert os.listdir(self.path / "d") == ["below"]
        assert (self.path / "secret").read_bytes() == (self.path / "d" / "below").read_bytes() == SECRET
        found = os.stat(self.path / "secret")
        assert (found.st_mode & 0o7777, found.st_mtime_ns, found.st_nlink) == (0o640, 1, 1)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    """The outside; in the end it is as it was."""
    canary = Outside(tmp_path / "outside")
    (canary.path / "d").mkdir(parents=True)
    for name in ("secret", "d/below"):
        (canary.path / name).write_bytes(SECRET)
    os.chmod(canary.path / "secret", 0o640)
    os.utime(canary.path / "secret", ns=(1, 1))
    yield canary
    canary.assert_untouched()


@pytest.fixture
def fs(tmp_path: Path) -> LocalFileSystem:
    """A chuklocal beside the outside."""
    (tmp_path / "root").mkdir()
    return LocalFileSystem(root=str(tmp_path / "root"), durable=False, skip_instance_cache=True)


EXCHANGER = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
one, other = (os.fsencode(path) for path in sys.argv[1:])
print("ready", flush=True)
while True:
    libc.renameat2(-100, one, -100, other, 2)
"""


@contextmanager
def exchanging(one: Path, other: Path) -> Iterator[None]:
    """Another process swaps two names all the time."""
    command = [sys.executable, "-c", EXCHANGER, str(one), str(other)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()
