"""A mount over a service: what git and pytest do with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chuk_adapters.fuse import mount
from tests.remote.dict_store import DictFileSystem

pytestmark = [
    pytest.mark.mount,
    pytest.mark.skipif(sys.platform != "linux", reason="this is how Linux mounts"),
]


def run(*command: str, at: Path) -> str:
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def git(*arguments: str, at: Path) -> str:
    return run("git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false", *arguments, at=at)


@pytest.mark.parametrize("kind", ["bucket", "tree"])
def test_git_and_pytest(name: str, kind: str, tmp_path: Path) -> None:
    fs = DictFileSystem(name, kind)
    fs.service.latency = 0.001
    point = tmp_path / "mnt"
    point.mkdir()
    with mount(fs, point):
        (point / "src").mkdir()
        (point / "src" / "test_it.py").write_text("def test_it(tmp_path):\n    assert tmp_path.exists()\n")
        git("init", "-q", at=point)
        git("add", "src", at=point)
        git("commit", "-q", "-m", "first", at=point)
        (point / "src" / "test_it.py").rename(point / "src" / "test_renamed.py")
        assert "renamed" in git("status", "--short", "-uall", at=point)
        git("add", "-A", at=point)
        git("commit", "-q", "-m", "second", at=point)
        git("fsck", "--strict", at=point)
        assert git("log", "--oneline", at=point).count("\n") == 2
        tests = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "src", at=point)
        assert "1 passed" in tests
    assert fs.cat_file("/src/test_renamed.py").startswith(b"def test_it")
    assert not fs.service.uploads
