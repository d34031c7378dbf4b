"""Fixtures and hypothesis profiles of all tests."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store

# A machine is busy in both cases, so a slow example is no finding. What is found at night can be found by day: CI tries
# the same few examples each time.
settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def chukmem() -> Iterator[MemoryFileSystem]:
    """An empty chukmem of its own; its store is forgotten afterwards."""
    name = f"test-{uuid.uuid4().hex}"
    yield MemoryFileSystem(name=name)
    drop_store(name)
