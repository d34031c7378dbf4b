"""A filesystem on record behaves as it does without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite
from chuk_fsspec.wrappers.audit import AuditFileSystem, verify
from tests.contract.suite_groups import at_night, lacking


@pytest.fixture
def audited(chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[AuditFileSystem]:
    log = str(tmp_path / "audit.jsonl")
    yield AuditFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name}, log=log, reserve=0)
    report = verify(log)
    assert report.ok, report.problems


@lacking("snapshots", "whole_files")
@at_night("Nofollow", "Paths")
class TestBehaviour(BehaviourSuite):
    """By day without what a wrapper has from its base class: `tests/wrappers` runs that."""

    @pytest.fixture
    def fs(self, audited: AuditFileSystem) -> AuditFileSystem:
        return audited


@pytest.mark.slow
class TestBehaviourOfADatabase(BehaviourSuite):
    """With intents and everything else that costs."""

    @pytest.fixture
    def fs(self, chukmem: MemoryFileSystem, tmp_path: Path) -> Any:
        options = {"log": str(tmp_path / "audit.db"), "intents": True, "reserve": 0}
        return fsspec.url_to_fs("chukaudit::chukmem://", chukaudit=options, chukmem={"name": chukmem.name})[0]


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture
    def fs(self, audited: AuditFileSystem) -> AuditFileSystem:
        return audited
