"""What a filesystem over a real protocol shows by night: by day, ``tests/remote`` has it of the base, over a dict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

BASE_GROUPS = (
    "TestAppending",
    "TestConcurrency",
    "TestErrors",
    "TestInfos",
    "TestMoving",
    "TestNofollow",
    "TestPaths",
    "TestReaders",
    "TestTextAndCompression",
    "TestTransactions",
    "TestUpdating",
    "TestUrls",
)
"""Groups of the behaviour suite about what the base does by itself, whatever its store."""


def mark_slow(items: Iterable[pytest.Item], room: Path, names: Sequence[str]) -> None:
    """Leave tests to the night.

    Args:
        items: all that were collected.
        room: the directory of tests that is meant.
        names: parts of their names.
    """
    for item in items:
        if item.path.parent == room and any(name in item.nodeid for name in names):
            item.add_marker(pytest.mark.slow)
