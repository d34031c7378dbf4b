"""The abstract suite that fsspec ships."""

from __future__ import annotations

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> MemoryFileSystem:
        return chukmem
