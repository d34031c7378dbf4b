"""Trees of mounts for tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.mounted import MountedFileSystem


@contextmanager
def stores(count: int) -> Iterator[list[str]]:
    """Names of empty chukmem stores, which are forgotten afterwards."""
    names = [f"mounted-{uuid.uuid4().hex}" for _ in range(count)]
    yield names
    for name in names:
        drop_store(name)


def chukmem(name: str, **options: Any) -> dict[str, Any]:
    """What mounts a chukmem store."""
    return {"protocol": "chukmem", "options": {"name": name, **options}}


def four_mounts(names: list[str], local: Path | None) -> dict[str, Any]:
    """A chukmem at the root, one more, one nested in that, and a directory of this machine."""
    mounts = {"/": chukmem(names[0]), "/mem2": chukmem(names[1]), "/mem2/deep/nested": chukmem(names[2])}
    if local is not None:
        mounts["/local"] = {"protocol": "chuklocal", "options": {"root": str(local)}}
    return mounts


@contextmanager
def tree(*points: str) -> Iterator[tuple[MountedFileSystem, dict[str, MemoryFileSystem]]]:
    """A tree of chukmem filesystems, and each of them by its mount point."""
    with stores(len(points)) as names:
        fs = MountedFileSystem({point: chukmem(name) for point, name in zip(points, names, strict=True)})
        yield fs, {point: MemoryFileSystem(name) for point, name in zip(points, names, strict=True)}
