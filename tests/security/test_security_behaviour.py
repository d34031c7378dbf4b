"""With everything allowed, a secured filesystem behaves as the one below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.contract.suite_groups import lacking
from tests.mounted.mounted_trees import four_mounts, stores

RAISED: dict[str, Any] = {
    "max_file_size": 2**62,
    "max_total_size": 2**62,
    "max_files": 10**9,
    "max_path_depth": 4096,
    "hidden_paths": ["/hidden"],
    "denied_paths": ["/denied/deep"],
}
"""Limits and rules that no test meets, and that have to be looked at all the same."""


def secured(name: str, **options: Any) -> SecureFileSystem:
    return SecureFileSystem(target_protocol="chukmem", target_options={"name": name}, profile="testing", **options)


@lacking("snapshots", "whole_files")
class TestRaisedLimits(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return secured(chukmem.name, **RAISED)


@pytest.mark.slow
class TestNoLimits(BehaviourSuite):
    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem) -> AbstractFileSystem:
        return SecureFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name}, profile={})


@pytest.mark.slow
class TestOverMounts(BehaviourSuite):
    @pytest.fixture
    def fs(self) -> Iterator[AbstractFileSystem]:
        with stores(3) as names:
            options = {"mounts": four_mounts(names, None)}
            yield SecureFileSystem(target_protocol="chukmount", target_options=options, profile="testing", **RAISED)


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self) -> AbstractFileSystem:
        return secured("abstract-secured", **RAISED)
