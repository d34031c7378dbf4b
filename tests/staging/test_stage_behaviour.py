"""chukstage is a whole POSIX filesystem, whatever it stands on: the behaviour suite and fsspec's own.

All of the suite runs where a stage is most capable and where it is least. Others run the groups in which they differ:
what the suite makes is in the stage, and the base is hardly asked. Stages over all bases, with files that are theirs,
are the matter of ``test_stage_commits.py`` and ``test_stage_machine.py``.
"""

from __future__ import annotations

import uuid
from pathlib import Path

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from chuk_fsspec.testing.transactions import Transactions
from chuk_fsspec.wrappers.staging import StageFileSystem
from tests.contract.suite_groups import lacking, only


@lacking("snapshots", "whole_files")
class TestOverMemory(BehaviourSuite):
    """With everything that a stage can do."""

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name})


@lacking(
    "attributes", "conditional_write", "directories", "hardlinks", "snapshots", "special_files", "symlinks", "xattrs"
)
class TestOverPlainFsspec(BehaviourSuite):
    """With what is left over a filesystem that keeps nothing but whole objects."""

    @pytest.fixture
    def fs(self) -> AbstractFileSystem:
        return StageFileSystem(fs=fsspec.filesystem("memory"), name=uuid.uuid4().hex)


@only("ConditionalWrites", "Infos", "PosixAttributes", "PosixStatVfs", "SymbolicLinks", "Urls")
class TestOverLocal(BehaviourSuite):
    """What the disk has a say in: attributes, links, and how much space there is."""

    @pytest.fixture
    def fs(self, tmp_path: Path) -> AbstractFileSystem:
        return StageFileSystem(target_protocol="chuklocal", target_options={"root": str(tmp_path)})


class WhileOthersWait(Transactions):
    """Without what other threads do meanwhile: a transaction is one of the database, and they wait until it ends."""

    test_an_error_while_publishing_undoes_all = None  # type: ignore[assignment]
    test_an_error_at_the_end_undoes_all = None  # type: ignore[assignment]
    test_other_threads_keep_what_they_do_meanwhile = None  # type: ignore[assignment]


@only(
    "Concurrency",
    "ConditionalRaces",
    "ConditionalTransactions",
    "HolesByNode",
    "PosixHandles",
    "PosixNodes",
    "PosixXattrs",
    "RemovingOpenFiles",
    "SparseFiles",
    "Updating",
)
class TestInAFile(BehaviourSuite):
    """What hangs on the filesystem that keeps the changes, which is a chuksqlite database here: inodes and turns."""

    TestTransactions = WhileOthersWait

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem, tmp_path: Path) -> AbstractFileSystem:
        return StageFileSystem(
            target_protocol="chukmem",
            target_options={"name": chukmem.name},
            upper=str(tmp_path / "stage.db"),
        )


@only("ConditionalRaces", "Copying", "Listing", "Nofollow", "PosixNodes", "Urls")
class TestStageOfAStage(BehaviourSuite):
    """What is asked twice: names, links and nodes."""

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        below = {"target_protocol": "chukmem", "target_options": {"name": chukmem.name}}
        return StageFileSystem(target_protocol="chukstage", target_options=below)


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return StageFileSystem(MemoryFileSystem("abstract-staged"))
