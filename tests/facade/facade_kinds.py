"""Facades over every place that there is, with mounts and with rules."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec import VirtualFileSystem
from tests.wrappers.async_fs import AsyncObjectFileSystem

Arguments = tuple[Any, dict[str, Any]]


def _private_directory() -> Arguments:
    """fsspec's own memory filesystem has one tree for all; a directory of it is a filesystem of its own."""
    return fsspec.filesystem("dir", path=f"/{uuid.uuid4().hex}", fs=fsspec.filesystem("memory")), {}


KINDS: dict[str, Callable[[Path], Arguments]] = {
    "memory": lambda tmp_path: ("memory", {}),
    "sqlite": lambda tmp_path: ("sqlite", {"db_path": tmp_path / "w.db"}),
    "filesystem": lambda tmp_path: ("filesystem", {"root_path": tmp_path / "root", "durable": False}),
    "mounted": lambda tmp_path: ("memory", {"enable_mounts": True}),
    "secured": lambda tmp_path: ("memory", {"security_profile": "testing"}),
    "secured sqlite": lambda tmp_path: ("sqlite", {"db_path": tmp_path / "w.db", "security_profile": "testing"}),
    "mounted and secured": lambda tmp_path: ("memory", {"enable_mounts": True, "security_profile": "testing"}),
    "fsspec's memory": lambda tmp_path: _private_directory(),
    "objects": lambda tmp_path: (AsyncObjectFileSystem(name=uuid.uuid4().hex), {}),
}
"""Provider and options, by name."""

PLAIN = ("fsspec's memory", "objects")
"""Those that declare nothing."""
FULL = [kind for kind in KINDS if kind not in PLAIN]
TREES = [kind for kind in KINDS if kind != "objects"]
"""Those that remove directories; an object store has a way of its own, which the one of the tests has not."""


def arguments(kind: str, tmp_path: Path) -> Arguments:
    return KINDS[kind](tmp_path)


def open_facade(kind: str, tmp_path: Path) -> VirtualFileSystem:
    provider, options = arguments(kind, tmp_path)
    return VirtualFileSystem(provider, **options)


@pytest.fixture(params=list(KINDS))
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualFileSystem]:
    with open_facade(request.param, tmp_path) as facade:
        yield facade


@pytest.fixture(params=FULL)
def full(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualFileSystem]:
    """Those that keep empty directories, times and attributes."""
    with open_facade(request.param, tmp_path) as facade:
        yield facade


@pytest.fixture(params=TREES)
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VirtualFileSystem]:
    with open_facade(request.param, tmp_path) as facade:
        yield facade


def error_of(call: Callable[..., Any], *arguments: Any, **options: Any) -> int | None:
    """The number of an error; filesystems that are not ours may leave it out of a FileNotFoundError."""
    with pytest.raises(OSError) as raised:
        call(*arguments, **options)
    found = raised.value
    return errno.ENOENT if found.errno is None and isinstance(found, FileNotFoundError) else found.errno
