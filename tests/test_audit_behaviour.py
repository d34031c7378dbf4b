"""A filesystem on record behaves as it does without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.tests import abstract

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.testing import BehaviourSuite
from chuk_fsspec.wrappers.audit import AuditFileSystem, verify


@pytest.fixture
def audited(chukmem: MemoryFileSystem, tmp_path: Path) -> Iterator[AuditFileSystem]:
    log = str(tmp_path / "audit.jsonl")
    yield AuditFileSystem(target_protocol="chukmem", target_options={"name": chukmem.name}, log=log, reserve=0)
    report = verify(log)
    assert report.ok, report.problems


class TestBehaviour(BehaviourSuite):
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


class AuditFixtures(abstract.AbstractFixtures):
    @pytest.fixture
    def fs(self, audited: AuditFileSystem) -> AuditFileSystem:
        return audited

    @pytest.fixture
    def fs_path(self) -> str:
        return "/base"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, AuditFixtures): ...


class TestGet(abstract.AbstractGetTests, AuditFixtures): ...


class TestPut(abstract.AbstractPutTests, AuditFixtures): ...


class TestPipe(abstract.AbstractPipeTests, AuditFixtures): ...


class TestOpen(abstract.AbstractOpenTests, AuditFixtures): ...
