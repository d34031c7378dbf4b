"""The abstract suite that fsspec ships."""

from __future__ import annotations

from pathlib import Path

import pytest

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.testing.fsspec_abstract import FsspecAbstractSuite


class TestFsspecAbstract(FsspecAbstractSuite):
    @pytest.fixture
    def fs(self, tmp_path_factory: pytest.TempPathFactory) -> LocalFileSystem:
        return LocalFileSystem(root=str(tmp_path_factory.mktemp("root")), durable=False)


def test_nothing_is_left_in_the_root(tmp_path: Path) -> None:
    fs = LocalFileSystem(root=str(tmp_path))
    fs.pipe({"/a": b"1", "/b/c": b"2"})
    fs.pipe_file("/a", b"3")
    fs.copy("/b", "/d", recursive=True)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["a", "b", "b/c", "d", "d/c"]
