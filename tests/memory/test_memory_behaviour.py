from __future__ import annotations

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite


class TestMemory(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> MemoryFileSystem:
        return chukmem
