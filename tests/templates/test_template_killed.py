"""A process that is killed while it applies a template, and a disk that fills up meanwhile."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.templates import TemplateLoader
from tests.disks import small_disk
from tests.templates.template_kinds import contents, state

CODE = """
import os, signal, sys
import fsspec
from chuk_fsspec.templates import TemplateLoader

class Killer(fsspec.Callback):
    def relative_update(self, inc=1):
        self.value += 1
        if self.value == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)

fs = fsspec.filesystem(sys.argv[1], **{sys.argv[2].partition("=")[0]: sys.argv[2].partition("=")[2]})
files = [{"path": f"d{n}/f{n}", "content": "new", "mode": "0640" if n % 2 else None} for n in range(20)]
TemplateLoader(fs, on_existing="replace").apply_template({"files": files}, "/t", callback=Killer())
"""


def killed(protocol: str, option: str, at: int) -> None:
    """Let a process be killed when it has written so many files."""
    done = subprocess.run([sys.executable, "-c", CODE, protocol, option, str(at)], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize("at", [1, 10, 20])
def test_a_filesystem_with_transactions_is_as_it_was(tmp_path: Path, at: int) -> None:
    def opened() -> AbstractFileSystem:
        return fsspec.filesystem("chuksqlite", database=f"{tmp_path}/w.db", skip_instance_cache=True)

    fs = opened()
    fs.pipe({"/t/d0/f0": b"old", "/t/d9/f9": b"old", "/other": b"other"})
    before = state(fs)
    killed("chuksqlite", f"database={tmp_path}/w.db", at)
    assert state(opened()) == before


@pytest.mark.parametrize("at", [1, 10, 20])
def test_elsewhere_nothing_is_lost(tmp_path: Path, at: int) -> None:
    fs = fsspec.filesystem("chuklocal", root=str(tmp_path))
    fs.pipe({"/t/d0/f0": b"old", "/t/d9/f9": b"old", "/other": b"other"})
    killed("chuklocal", f"root={tmp_path}", at)
    there = contents(fs, "/t")
    aside = sorted(path for path in there if "before-" in path)
    assert [there.pop(path) for path in aside] == [b"old"] * (2 if at >= 10 else 1)
    assert {content for content in there.values() if content is not None} <= {b"new", b"old"}
    assert sum(content == b"new" for content in there.values()) == at
    assert fs.cat_file("/other") == b"other"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    with small_disk(tmp_path / "disk", "1m") as point:
        yield point


def test_a_disk_that_fills_up_is_as_it_was(disk: Path, tmp_path: Path) -> None:
    fs = fsspec.filesystem("chuklocal", root=str(disk))
    fs.pipe({"/t/f3": b"old", "/t/keep": b"kept"})
    before = state(fs)
    loader = TemplateLoader(fs, on_existing="replace")
    with pytest.raises(OSError) as caught:
        loader.quick_load({f"f{n}": b"x" * 200_000 for n in range(9)}, "/t")
    assert caught.value.errno == errno.ENOSPC
    assert state(fs) == before
    (tmp_path / "big").mkdir()
    (tmp_path / "big/file").write_bytes(b"x" * (2 << 20))
    with pytest.raises(OSError) as caught:
        loader.preload_directory(tmp_path / "big", "/new")
    assert caught.value.errno == errno.ENOSPC
    assert state(fs) == before
    assert loader.quick_load({f"f{n}": b"x" * 100_000 for n in range(6)}, "/t") == 6
