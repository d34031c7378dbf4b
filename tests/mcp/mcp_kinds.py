"""The filesystems that the tools are tried on."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.mounted import MountedFileSystem


def memory(directory: Path) -> Any:
    return MemoryFileSystem(name=f"mcp-{uuid.uuid4().hex}")


def sqlite(directory: Path) -> Any:
    return SqliteFileSystem(database=str(directory / "w.db"))


def local(directory: Path) -> Any:
    root = directory / "root"
    root.mkdir()
    return LocalFileSystem(root=str(root), durable=False)


def staged(directory: Path) -> Any:
    return memory(directory).stage()


def plain(directory: Path) -> Any:
    """fsspec's own memory filesystem, which keeps no conditions, under a directory of its own."""
    below = fsspec.filesystem("memory")
    top = f"/mcp-{uuid.uuid4().hex}"
    below.makedirs(top)
    return MountedFileSystem({"/": (below, top)})


KINDS: dict[str, Callable[[Path], Any]] = {
    "chuklocal": local,
    "chukmem": memory,
    "chuksqlite": sqlite,
    "chukstage": staged,
}
