"""chukstream over every backend at hand, and sources to feed it with."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem, filesystem

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem
from tests.wrappers.async_fs import AsyncObjectFileSystem

CHUNK = 64 * 1024


class FilelessObjects(AsyncObjectFileSystem):
    """Objects that can be sent and fetched whole, and not opened."""

    protocol = "filelessobjects"
    _open = AbstractFileSystem._open


def _chukmem(tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    return MemoryFileSystem(name=f"stream-{uuid.uuid4().hex}"), "/d"


def _chuklocal(tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    return filesystem("chuklocal", root=str(tmp_path)), "/d"


def _memory(tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    return filesystem("memory"), f"/stream-{uuid.uuid4().hex}"


def _file(tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    return filesystem("file", auto_mkdir=True), f"{tmp_path}/d"


def _dir(tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    return filesystem("dir", path=str(tmp_path), fs=filesystem("file", auto_mkdir=True)), "/d"


def _objects(tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    return AsyncObjectFileSystem(name=uuid.uuid4().hex), "/d"


def _fileless(tmp_path: Path) -> tuple[AbstractFileSystem, str]:
    return FilelessObjects(name=uuid.uuid4().hex), "/d"


KINDS = {
    "chukmem": _chukmem,
    "chuklocal": _chuklocal,
    "memory": _memory,
    "file": _file,
    "dir": _dir,
    "objects": _objects,
    "fileless": _fileless,
}


def open_kind(kind: str, tmp_path: Path) -> tuple[StreamFileSystem, AbstractFileSystem, str]:
    """chukstream, what it stands on, and a directory in both that may not exist yet."""
    inner, root = KINDS[kind](tmp_path)
    return StreamFileSystem(inner), inner, root


class ProducerError(Exception):
    """What a producer fails with."""


def failing_after(chunks: int, size: int = CHUNK) -> Iterator[bytes]:
    """A producer that gives some chunks and then fails."""
    for _ in range(chunks):
        yield b"n" * size
    raise ProducerError


async def in_coroutine(chunks: Any) -> AsyncIterator[Any]:
    """The same chunks from an asynchronous generator."""
    for chunk in chunks:
        yield chunk


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def names(inner: AbstractFileSystem, root: str) -> list[str]:
    """Names in a directory below, hidden ones included; none if it does not exist."""
    inner.invalidate_cache()
    if not inner.exists(root):
        return []
    return sorted(path.rstrip("/").rpartition("/")[2] for path in inner.ls(root, detail=False))
