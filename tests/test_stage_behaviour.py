"""chukstage is a whole POSIX filesystem, whatever it stands on: the behaviour suite and fsspec's own."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.tests import abstract

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.transactions import Transactions
from chuk_fsspec.wrappers.staging import StageFileSystem


class TestOverMemory(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name})


class TestOverLocal(BehaviourSuite):
    @pytest.fixture
    def fs(self, tmp_path: Path) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chuklocal", target_options={"root": str(tmp_path)})


class WhileOthersWait(Transactions):
    """Without what other threads do meanwhile: a transaction is one of the database, and they wait until it ends."""

    test_an_error_while_publishing_undoes_all = None  # type: ignore[assignment]
    test_an_error_at_the_end_undoes_all = None  # type: ignore[assignment]
    test_other_threads_keep_what_they_do_meanwhile = None  # type: ignore[assignment]


class TestInAFile(BehaviourSuite):
    """The changes are kept in a chuksqlite database."""

    TestTransactions = WhileOthersWait

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem, tmp_path: Path) -> AbstractFileSystem:
        return StageFileSystem(
            target_protocol="chukmem",
            target_options={"name": chukmem.name},
            upper=str(tmp_path / "stage.db"),
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
