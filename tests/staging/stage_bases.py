"""Filesystems to stage, and what can be seen of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.memory import MemoryFileSystem as FsspecMemory

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.mounted import MountedFileSystem

_numbers = itertools.count()


def _directory(parent: Path) -> str:
    path = parent / f"base-{next(_numbers)}"
    path.mkdir()
    return str(path)


def _tree(parent: Path) -> AbstractFileSystem:
    below = MemoryFileSystem(f"stage-base-{next(_numbers)}")
    return MountedFileSystem({"/": LocalFileSystem(root=_directory(parent)), "/mem": below})


def _plain() -> AbstractFileSystem:
    """fsspec's own memory filesystem, with files of its own."""
    own = type("OwnMemory", (FsspecMemory,), {"store": {}, "pseudo_dirs": [""], "cachable": False})
    made: AbstractFileSystem = own()
    return made


POSIX: dict[str, Callable[[Path], AbstractFileSystem]] = {
    "chukmem": lambda parent: MemoryFileSystem(f"stage-base-{next(_numbers)}"),
    "chuklocal": lambda parent: LocalFileSystem(root=_directory(parent)),
    "chuksqlite": lambda parent: SqliteFileSystem(database=f"{_directory(parent)}/w.db"),
    "a stage": lambda parent: MemoryFileSystem(f"stage-base-{next(_numbers)}").stage(),
    "a tree of mounts": _tree,
}
"""Ours, by what they are; made below a directory of the test."""

ALL = {**POSIX, "fsspec's memory": lambda parent: _plain()}
"""And one that knows nothing but whole objects."""


def seen(fs: AbstractFileSystem) -> dict[str, tuple[Any, ...]]:
    """All that can be seen of a filesystem, by path: what a commit must carry, and a discarded stage leave alone."""
    found: dict[str, tuple[Any, ...]] = {}
    if not hasattr(fs, "posix") or not fs.capabilities.attributes:
        return {"/" + path.strip("/"): (fs.cat_file(path),) for path in fs.find("/" if fs.root_marker else "")}
    real = fs.posix.nofollow
    first_names: dict[int, str] = {}
    for path, info in real.find("/", withdirs=True, detail=True).items():
        content = real.cat_file(path) if info["type"] == "file" else info.get("destination")
        xattrs = {}
        if fs.capabilities.xattrs and info["type"] in ("file", "directory"):
            xattrs = {name: real.posix.getxattr(path, name) for name in real.posix.listxattr(path)}
        name = first_names.setdefault(info["ino"], path)
        found[path] = (info["mode"], info["uid"], info["gid"], info["mtime_ns"], content, xattrs, name)
    return found


def fill(fs: AbstractFileSystem) -> None:
    """Files, directories, and where there are such things links, modes and extended attributes."""
    fs.pipe({"/a/x": b"hello", "/a/d/y": b"world", "/z": b"zz", "/r/1": b"1", "/r/e/2": b"22", "/k": b"keep"})
    if not hasattr(fs, "posix"):
        return
    fs.mkdir("/empty")
    fs.posix.symlink("a/x", "/l")
    fs.posix.link("/z", "/z2")
    fs.posix.chmod("/k", 0o640)
    fs.posix.setxattr("/k", "user.t", b"1")
    fs.posix.utime("/a", ns=(10**18, 10**18))


def change(fs: AbstractFileSystem) -> None:
    """Something of every kind."""
    fs.pipe_file("/z", b"new!")
    fs.mv("/a", "/q", recursive=True)
    fs.pipe_file("/q/d/y2", b"2")
    fs.rm("/r", recursive=True)
    fs.pipe_file("/n/e/w", b"w")
    if not fs.capabilities.attributes:
        return
    with fs.posix.open_handle("/q/x", 2) as handle:
        handle.pwrite(b"J", 0)
    fs.mv("/q/d/y", "/y")
    fs.rmdir("/empty")
    fs.posix.link("/k", "/k2")
    fs.posix.chmod("/k", 0o600)
    fs.posix.removexattr("/k", "user.t")
    fs.posix.unlink("/l")
    fs.posix.symlink("q", "/ql")
    fs.posix.setxattr("/n/e/w", "user.t", b"1")
    fs.posix.utime("/q/d", ns=(10**18, 10**18))
