"""Filesystems that a WebDAV door stands on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem

from chuk_adapters.webdav import WebDAVAdapter
from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from tests.webdav.calling import Caller

STACKS = ("chukmem", "chuksqlite", "chuklocal", "mounted", "secured")


def stack(name: str, chukmem: MemoryFileSystem, tmp_path: Path) -> AbstractFileSystem:
    """An empty filesystem of a kind. The tree of ``mounted`` has a second filesystem at ``/other``."""
    if name == "chukmem":
        return chukmem
    if name == "chuksqlite":
        return SqliteFileSystem(database=str(tmp_path / "w.db"))
    if name == "chuklocal":
        (tmp_path / "root").mkdir()
        return LocalFileSystem(root=str(tmp_path / "root"))
    if name == "mounted":
        return MountedFileSystem({"/": chukmem, "/other": SqliteFileSystem(database=str(tmp_path / "w.db"))})
    return SecureFileSystem(chukmem)


@pytest.fixture(params=STACKS)
def fs(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, tmp_path: Path) -> AbstractFileSystem:
    """A filesystem of each kind."""
    return stack(request.param, chukmem, tmp_path)


@pytest.fixture
def call(chukmem: MemoryFileSystem) -> Caller:
    """A client of a door to ``chukmem``."""
    return Caller(chukmem)


@pytest.fixture
def adapter(chukmem: MemoryFileSystem) -> Iterator[WebDAVAdapter]:
    """An anonymous server of a ``chukmem`` with a file ``/a`` in it."""
    chukmem.pipe_file("/a", b"content")
    with WebDAVAdapter(chukmem, port=0) as served:
        yield served
