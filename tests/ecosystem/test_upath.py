"""The suite of universal_pathlib, which expects of any filesystem what pathlib promises of the local one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from upath import UPath

from tests.ecosystem.upath_suite import import_cases

BaseTests: Any = import_cases().BaseTests


@pytest.fixture(params=["chukmem", "chuklocal", "chuksqlite"])
def top(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> UPath:
    """A path of an empty filesystem, at which there is nothing yet."""
    if request.param == "chukmem":
        options = request.getfixturevalue("chukmem").storage_options
    elif request.param == "chuklocal":
        options = {"root": str(tmp_path_factory.mktemp("root")), "durable": False}
    else:
        options = {"database": str(tmp_path_factory.mktemp("sqlite") / "w.db")}
    return UPath(f"{request.param}:///top", **options)


# The way in which universal_pathlib says that it has no class of its own for a protocol, and uses the general one.
@pytest.mark.filterwarnings(r"ignore:UPath 'chuk\w+' filesystem not explicitly implemented:UserWarning")
class TestPath(BaseTests):
    @pytest.fixture(autouse=True, name="path")
    def _prepare(self, top: UPath) -> None:
        self.path = top / "base"
        self.prepare_file_system()

    @pytest.fixture
    def local_testdir(self, tmp_path: Path) -> str:
        """The same tree on disk, for comparison."""
        self.path.copy_into(UPath(tmp_path))
        return str(tmp_path / "base")

    @pytest.fixture
    def pathlib_base(self, local_testdir: str) -> Path:
        return Path(local_testdir)

    @pytest.fixture
    def clear_fsspec_memory_cache(self) -> Iterator[None]:
        memory = fsspec.get_filesystem_class("memory")
        store, directories = memory.store.copy(), memory.pseudo_dirs.copy()
        yield
        memory.store, memory.pseudo_dirs = store, directories

    def test_is_correct_class(self, request: pytest.FixtureRequest) -> None:
        assert isinstance(self.path, UPath)
        assert self.path.protocol == request.node.callspec.params["top"]
