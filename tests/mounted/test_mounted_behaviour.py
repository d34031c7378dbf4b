"""A tree of mounts behaves as one filesystem: at its root, and inside each mount."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from tests.contract.suite_groups import by_day, lacking
from tests.mounted.mounted_trees import chukmem, four_mounts, stores


class OfChukmem(BehaviourSuite):
    """Everything that chukmem can, a tree of nothing but chukmem can."""

    @pytest.fixture
    def fs(self) -> Iterator[AbstractFileSystem]:
        with stores(3) as names:
            yield MountedFileSystem(four_mounts(names, None))


class InsideAMount(OfChukmem):
    """The tests' directory lies in a mount, and not at the root."""

    place = ""
    deviations: ClassVar = {
        "TestPosixNodes::test_a_temporary_file_can_be_given_a_name": "made at the root, it cannot be linked here",
        "TestPosixStatVfs::test_files_are_counted": "the figures are those of the root",
        "TestPosixStatVfs::test_content_takes_space_until_it_is_removed": "the figures are those of the root",
    }

    @pytest.fixture
    def root(self, fs: AbstractFileSystem) -> str:
        path = f"{self.place}/behaviour-{uuid.uuid4().hex}"
        fs.makedirs(path)
        return path


@by_day("Listing", "Nofollow", "PosixNodes", "PosixStatVfs", "Snapshots", "Urls")
class TestAtTheRoot(OfChukmem):
    """By day, what is not the same as in a mount: what lies beside mounts, and what the root answers for all."""


@lacking("snapshots", "whole_files")
class TestInAMount(InsideAMount):
    place = "/mem2"


@pytest.mark.slow
class TestInANestedMount(InsideAMount):
    place = "/mem2/deep/nested"


@pytest.mark.slow
class TestOnTheWayToAMount(InsideAMount):
    """A directory that only mounts make takes files all the same: it is made where it lies."""

    place = "/mem2/deep"


@pytest.mark.slow
class TestWithoutARoot(InsideAMount):
    """Nothing is mounted at the root; the tests run in a mount that shows a directory of its filesystem."""

    deviations: ClassVar = {
        "TestPosixNodes::test_a_temporary_file_can_be_given_a_name": "at the root, there is nothing to make it in",
    }

    place = "/some/where"

    @pytest.fixture
    def fs(self) -> Iterator[AbstractFileSystem]:
        with stores(2) as names:
            yield MountedFileSystem({"/some/where": {**chukmem(names[0]), "root": "/a/b"}, "/other": chukmem(names[1])})


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self) -> Iterator[Any]:
        with stores(3) as names:
            yield MountedFileSystem(four_mounts(names, None))
