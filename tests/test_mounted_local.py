"""The tree of the issue: a chukmem at the root, another one, one nested in that, and a directory of this machine."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fsspec import AbstractFileSystem
from fsspec.tests import abstract

from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing import BehaviourSuite
from tests.local_roots import tmpfs
from tests.mounted_trees import four_mounts, stores
from tests.test_local_behaviour import DEVIATIONS

__all__ = ["tmpfs"]


@pytest.fixture(scope="session")
def directory(tmpfs: Path) -> Path:
    path = tmpfs / f"mounted-{uuid.uuid4().hex}"
    path.mkdir()
    return path


class TestAtTheRoot(BehaviourSuite):
    """What all four can, at the root."""

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


class Fixtures(abstract.AbstractFixtures):
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

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, Fixtures): ...


class TestGet(abstract.AbstractGetTests, Fixtures): ...


class TestPut(abstract.AbstractPutTests, Fixtures): ...


class TestPipe(abstract.AbstractPipeTests, Fixtures): ...


class TestOpen(abstract.AbstractOpenTests, Fixtures): ...
