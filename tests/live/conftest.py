"""Tests on real accounts are made where they are asked for by ``-m live``, and nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

LONG = ("TestConcurrency", "longest_path_works", "a_deep_tree", "many_entries", "glob_edge_cases")
"""Of the suite, what makes requests by the thousand."""
PATIENCE = 900
"""Seconds for one test: a service may be on another continent."""

if sys.version_info < (3, 11):
    collect_ignore = ["test_live_e2b.py"]  # the SDK needs Python 3.11


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Markers alone would not do: runs that say ``-m "not slow"`` would select them, and all would wait for them."""
    is_live = collection_path.name.startswith("test_live_")
    return True if is_live and "live" not in config.getoption("markexpr") else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("live"):
            item.add_marker(pytest.mark.timeout(PATIENCE))
            if any(name in item.nodeid for name in LONG):
                item.add_marker(pytest.mark.slow)
