"""chukstage is a whole POSIX filesystem, whatever it stands on: the behaviour suite and fsspec's own."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.tests import abstract

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.wrappers.staging import StageFileSystem
from tests.test_sqlite_behaviour import DEVIATIONS


class TestOverMemory(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name})


class TestOverLocal(BehaviourSuite):
    @pytest.fixture
    def fs(self, tmp_path: Path) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chuklocal", target_options={"root": str(tmp_path)})


class TestInAFile(BehaviourSuite):
    """The changes are kept in a chuksqlite database, whose transactions keep other threads waiting."""

    deviations: ClassVar[dict[str, str]] = DEVIATIONS

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem, tmp_path: Path) -> AbstractFileSystem:
        return StageFileSystem(
            target_protocol="chukmem",
            target_options={"name": chukmem.name},
            upper=str(tmp_path / "stage.db"),
            upper_options={"busy_timeout": 2.0},
        )


class TestStageOfAStage(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        below = {"target_protocol": "chukmem", "target_options": {"name": chukmem.name}}
        return StageFileSystem(target_protocol="chukstage", target_options=below)


class TestOverPlainFsspec(BehaviourSuite):
    @pytest.fixture
    def fs(self) -> AbstractFileSystem:
        return StageFileSystem(fs=fsspec.filesystem("memory"), name=uuid.uuid4().hex)


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return StageFileSystem(MemoryFileSystem("abstract-staged"))

    @pytest.fixture
    def fs_path(self) -> str:
        return "/staged"

    @pytest.fixture
    def fs_join(self) -> Any:
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, Fixtures): ...


class TestGet(abstract.AbstractGetTests, Fixtures): ...


class TestPut(abstract.AbstractPutTests, Fixtures): ...


class TestPipe(abstract.AbstractPipeTests, Fixtures): ...


class TestOpen(abstract.AbstractOpenTests, Fixtures): ...
