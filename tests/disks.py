"""Disks of any size, for tests of what happens when they are full."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(point: Path, size: str) -> Iterator[Path]:
    """A disk that is mounted on a new directory; the test is skipped for who may not mount.

    Args:
        point: the directory.
        size: as mount(8) has it, such as "1m".
    """
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("small disks are mounted by root on Linux")
    point.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "chuk-tests", str(point)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)  # some file may be open still
