"""fsspec's own suite on chuksqlite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fsspec.tests import abstract

from chuk_fsspec.backends.sqlite import SqliteFileSystem


class Fixtures(abstract.AbstractFixtures):
    @pytest.fixture(scope="class")
    def fs(self, tmp_path_factory: pytest.TempPathFactory) -> Any:
        return SqliteFileSystem(database=str(tmp_path_factory.mktemp("sqlite") / "w.db"))

    @pytest.fixture
    def fs_path(self) -> str:
        return "/base"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, Fixtures): ...


class TestGet(abstract.AbstractGetTests, Fixtures): ...


class TestPut(abstract.AbstractPutTests, Fixtures): ...


class TestOpen(abstract.AbstractOpenTests, Fixtures): ...


class TestPipe(abstract.AbstractPipeTests, Fixtures): ...
