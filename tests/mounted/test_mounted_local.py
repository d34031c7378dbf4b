"""The tree of the issue: a chukmem at the root, another one, one nested in that, and a directory of this machine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import by_day
from tests.local.local_roots import tmpfs
from tests.local.test_local_behaviour import DEVIATIONS
from tests.mounted.mounted_trees import four_mounts, stores

__all__ = ["tmpfs"]


@pytest.fixture(scope="session")
def directory(tmpfs: Path) -> Path:
    path = tmpfs / f"mounted-{uuid.uuid4().hex}"
    path.mkdir()
    return path


@by_day("Concurrency", "ConditionalWrites", "Copying", "Infos", "PosixAttributes", "RenameFlags", "Transactions")
class TestAtTheRoot(BehaviourSuite):
    """What all four can, at the root. By day, the groups in which they differ."""

    @pytest.fixture
    def fs(self, directory: Path) -> Iterator[AbstractFileSystem]:
        with stores(3) as names:
            yield MountedFileSystem(four_mounts(names, directory))


@pytest.mark.slow
class TestInTheLocalMount(TestAtTheRoot):
    deviations: ClassVar[dict[str, str]] = {
        **DEVIATIONS,
        "TestPosixNodes::test_a_temporary_file_can_be_given_a_name": "made at the root, it cannot be linked here",
        "TestPosixStatVfs::test_files_are_counted": "the figures are those of the root",
        "TestPosixStatVfs::test_content_takes_space_until_it_is_removed": "the figures are those of the root",
    }

    @pytest.fixture
    def root(self, fs: AbstractFileSystem) -> str:
        path = f"/local/behaviour-{uuid.uuid4().hex}"
        fs.makedirs(path)
        return path


class TestFsspecAbstract(FsspecAbstractSuite):
    """fsspec's own suite, with a part of the paths in each of the four mounts."""

    @pytest.fixture(scope="class", params=["/base", "/local/base"])
    def fs_and_path(self, request: pytest.FixtureRequest, directory: Path) -> Iterator[Any]:
        with stores(3) as names:
            yield MountedFileSystem(four_mounts(names, directory)), request.param

    @pytest.fixture(scope="class")
    def fs(self, fs_and_path: Any) -> Any:
        return fs_and_path[0]

    @pytest.fixture
    def fs_path(self, fs_and_path: Any) -> str:
        return str(fs_and_path[1])
