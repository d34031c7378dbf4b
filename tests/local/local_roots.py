"""Directories of the host for the tests of chuklocal."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

SHARED = Path("/dev/shm")


@pytest.fixture(scope="session")
def tmpfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory on a tmpfs: one that nobody else uses for root, that of the machine for all others.

    It has extended attributes of any size, and nothing waits for a disk.
    """
    if os.geteuid() == 0 and shutil.which("mount"):
        point = tmp_path_factory.mktemp("tmpfs")
        command = ["mount", "-t", "tmpfs", "-o", "size=1g", "chuk-tests", str(point)]
        if subprocess.run(command, check=False, capture_output=True).returncode == 0:
            yield point
            subprocess.run(["umount", "-l", str(point)], check=True)
            return
    if not os.access(SHARED, os.W_OK):
        pytest.skip("there is no tmpfs, and none can be mounted")
    with tempfile.TemporaryDirectory(dir=SHARED, prefix="chuk-tests-") as directory:
        yield Path(directory)


@pytest.fixture
def root(tmpfs: Path) -> Iterator[Path]:
    """An empty directory on the tmpfs."""
    path = Path(tempfile.mkdtemp(dir=tmpfs))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)
