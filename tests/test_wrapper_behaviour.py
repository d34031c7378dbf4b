"""Wrappers that let everything pass behave as what they wrap, also three deep."""

from __future__ import annotations

from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.tests import abstract

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.wrappers.base import WrapperFileSystem
from tests.passing_fs import PassingFileSystem


class NarrowFileSystem(WrapperFileSystem):
    """Takes no part in inode operations and readers."""

    protocol = "chuknarrow"


def over(kind: type[WrapperFileSystem], protocol: str, **options: Any) -> AbstractFileSystem:
    """A wrapper given by plain values, as a URL gives it: then each thread has inner filesystems of its own."""
    return kind(target_protocol=protocol, target_options=options)


fsspec.register_implementation("chukpassing", PassingFileSystem, clobber=True)
fsspec.register_implementation("chuknarrow", NarrowFileSystem, clobber=True)


class TestPassing(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return over(PassingFileSystem, "chukmem", name=chukmem.name)


class TestThreeDeep(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        inner = {"target_protocol": "chukmem", "target_options": {"name": chukmem.name}}
        return over(PassingFileSystem, "chuknarrow", target_protocol="chukpassing", target_options=inner)


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return PassingFileSystem(NarrowFileSystem(MemoryFileSystem("abstract-wrapped")))

    @pytest.fixture
    def fs_path(self) -> str:
        return "/wrapped"

    @pytest.fixture
    def fs_join(self) -> Any:
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, Fixtures): ...


class TestGet(abstract.AbstractGetTests, Fixtures): ...


class TestPut(abstract.AbstractPutTests, Fixtures): ...


class TestPipe(abstract.AbstractPipeTests, Fixtures): ...


class TestOpen(abstract.AbstractOpenTests, Fixtures): ...
