"""Logs and audited filesystems."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.wrappers.audit import AuditFileSystem, verify
from tests.audit.audit_logs import LINES, SUFFIXES, Make, copied, write_log


@pytest.fixture
def make(chukmem: MemoryFileSystem, tmp_path: Path) -> Make:
    """Makes an audited chukmem."""

    def make(**options: Any) -> AuditFileSystem:
        return AuditFileSystem(**{"fs": chukmem, "log": str(tmp_path / "audit.jsonl"), **options})

    return make


@pytest.fixture
def fs(make: Make) -> Iterator[AuditFileSystem]:
    fs = make()
    yield fs
    assert verify(fs.audit_log).ok


@pytest.fixture(params=SUFFIXES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"audit{request.param}"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "audit.jsonl"
    write_log(path, LINES - 1).close()
    return path


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return copied(original, tmp_path)
