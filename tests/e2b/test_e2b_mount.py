"""A sandbox as a directory of this machine: programs here work on its files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from chuk_fsspec.backends.e2b import E2BFileSystem
from tests.remote.programs import work_with_git_and_pytest

pytestmark = [
    pytest.mark.slow,  # a thousand requests
    pytest.mark.mount,
    pytest.mark.skipif(sys.platform != "linux", reason="mounts are those of Linux"),
]


def test_git_and_pytest(fs: E2BFileSystem, tmp_path: Path) -> None:
    work_with_git_and_pytest(fs, tmp_path / "mnt")
    safe = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    assert fs.run(["git", "log", "--format=%s"], env=safe).stdout == "one\n"
    assert fs.run(["git", "status", "--porcelain"], env=safe).stdout == ""
    assert fs.run("ls -l test_it.py").stdout.startswith("-rwxr-xr-x")
