"""The abstract suite that fsspec ships."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fsspec.tests import abstract

from chuk_fsspec.backends.memory import MemoryFileSystem


class MemoryFixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> MemoryFileSystem:
        return chukmem

    @pytest.fixture
    def fs_path(self) -> str:
        return "/base"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, MemoryFixtures): ...


class TestGet(abstract.AbstractGetTests, MemoryFixtures): ...


class TestPut(abstract.AbstractPutTests, MemoryFixtures): ...


class TestPipe(abstract.AbstractPipeTests, MemoryFixtures): ...


class TestOpen(abstract.AbstractOpenTests, MemoryFixtures): ...
