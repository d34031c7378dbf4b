"""Fixtures and hypothesis profiles of all tests."""

from __future__ import annotations

import gc
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store

# A machine is busy in both cases, so a slow example is no finding. What is found at night can be found by day: CI tries
# the same few examples each time.
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def chukmem() -> Iterator[MemoryFileSystem]:
    """An empty chukmem of its own; its store is forgotten afterwards."""
    name = f"test-{uuid.uuid4().hex}"
    yield MemoryFileSystem(name=name)
    drop_store(name)


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The path of a database that is still to be made."""
    return str(tmp_path / "w.db")


def pytest_collection_finish() -> None:
    """What is imported by now stays, so that a test that collects garbage need not go through all of it."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that mount are left out where nothing can be mounted, with the reason."""
    reason = why_no_mount()
    if reason:
        for item in items:
            if item.get_closest_marker("mount"):
                item.add_marker(pytest.mark.skip(reason=reason))


def why_no_mount() -> str:
    """Why this machine or user cannot mount; empty if it can."""
    if not os.path.exists("/dev/fuse"):
        return "there is no /dev/fuse"
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be opened"
    if os.geteuid() != 0 and shutil.which("fusermount3") is None:
        return "neither root nor fusermount3"
    return ""
