"""fsspec's own suite on chuksqlite."""

from __future__ import annotations

from typing import Any

import pytest

from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture(scope="class")
    def fs(self, tmp_path_factory: pytest.TempPathFactory) -> Any:
        return SqliteFileSystem(database=str(tmp_path_factory.mktemp("sqlite") / "w.db"))
