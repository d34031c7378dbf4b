"""The disk under chuklocal, which hands on what that does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A new directory on a disk; those of other tests are in memory by day."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="chuk-tests-", ignore_cleanup_errors=True) as directory:
        yield Path(directory).resolve()
