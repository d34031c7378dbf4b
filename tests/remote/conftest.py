"""Fixtures of the tests of the remote base."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.remote.dict_store import SERVICES


@pytest.fixture
def name() -> Iterator[str]:
    """The name of a service of its own for each test."""
    name = uuid4().hex
    yield name
    SERVICES.pop(name, None)
