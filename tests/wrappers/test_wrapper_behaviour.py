"""Wrappers that let everything pass behave as what they wrap, also three deep."""

from __future__ import annotations

from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from chuk_fsspec.wrappers.base import WrapperFileSystem
from tests.contract.suite_groups import by_day, lacking
from tests.wrappers.passing_fs import PassingFileSystem


class NarrowFileSystem(WrapperFileSystem):
    """Takes no part in inode operations and readers."""

    protocol = "chuknarrow"


def over(kind: type[WrapperFileSystem], protocol: str, **options: Any) -> AbstractFileSystem:
    """A wrapper given by plain values, as a URL gives it: then each thread has inner filesystems of its own."""
    return kind(target_protocol=protocol, target_options=options)


fsspec.register_implementation("chukpassing", PassingFileSystem, clobber=True)
fsspec.register_implementation("chuknarrow", NarrowFileSystem, clobber=True)


@by_day("Concurrency", "HolesByNode", "PosixNodes", "Readers")
class TestPassing(BehaviourSuite):
    """By day, the groups that are not whole three deep: inode operations, readers, and threads that use both."""

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return over(PassingFileSystem, "chukmem", name=chukmem.name)


@lacking("nodes", "snapshots", "whole_files")
class TestThreeDeep(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        inner = {"target_protocol": "chukmem", "target_options": {"name": chukmem.name}}
        return over(PassingFileSystem, "chuknarrow", target_protocol="chukpassing", target_options=inner)


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return PassingFileSystem(NarrowFileSystem(MemoryFileSystem("abstract-wrapped")))
