"""chukstage is a whole POSIX filesystem, whatever it stands on: the behaviour suite and fsspec's own."""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.wrappers.staging import StageFileSystem


class TestOverMemory(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name})


class TestOverLocal(BehaviourSuite):
    @pytest.fixture
    def fs(self, tmp_path: Path) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chuklocal", target_options={"root": str(tmp_path)})


class TestOverPlainFsspec(BehaviourSuite):
    @pytest.fixture
    def fs(self) -> AbstractFileSystem:
        return StageFileSystem(fs=fsspec.filesystem("memory"), name=uuid.uuid4().hex)
