"""The filesystems that the VFS is tested on, and a short way to speak to it by path."""

from __future__ import annotations

import dataclasses
import os
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from chuk_fsspec.backends import memory as chukmem
from chuk_fsspec.contract import Capabilities, Handle
from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.vfs import PathVFS, open_vfs
from chuk_fsspec.vfs.node import DirectoryNode, PathNode
from tests.wrappers.object_fs import ObjectFileSystem, RenamingObjectFileSystem

UID = getattr(os, "getuid", int)()
GID = getattr(os, "getgid", int)()


class PrivateMemory(MemoryFileSystem):
    """fsspec's memory filesystem, but each one for itself."""

    cachable = False

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.store: dict[str, Any] = {}
        self.pseudo_dirs = [""]


class DirectMemory(chukmem.MemoryFileSystem):
    """chukmem by path: handles in place and everything else POSIX has, without nodes."""

    capabilities = dataclasses.replace(chukmem.MemoryFileSystem.capabilities, nodes=False)


class WholeMemory(chukmem.MemoryFileSystem):
    """chukmem as a backend that keeps attributes and links, and replaces whole files."""

    capabilities = Capabilities(
        write=True,
        directories=True,
        rename=True,
        replace=True,
        exclusive_create=True,
        symlinks=True,
        hardlinks=True,
        attributes=True,
        xattrs=True,
        statvfs=True,
    )


class World:
    """A VFS on a filesystem, and that filesystem itself to see what really arrived."""

    def __init__(self, fs: AbstractFileSystem, spool: Path, *, root: str = "", **options: Any) -> None:
        self.fs = fs
        self.base = root
        self.spool = spool
        self.options = {"root": root, "cache_timeout": 0.0, "spool_dir": str(spool), **options}
        self.vfs = self.another_vfs()

    def another_vfs(self) -> PathVFS:
        vfs = open_vfs(self.fs, **self.options)
        assert isinstance(vfs, PathVFS)
        return vfs

    # ---- what is really there

    def stored(self, path: str) -> bytes:
        data: bytes = self.fs.cat_file(self.base + path)
        return data

    def store(self, path: str, data: bytes) -> None:
        """As somebody else would."""
        self.fs.pipe_file(self.base + path, data)

    def exists(self, path: str) -> bool:
        try:
            self.fs.info(self.base + path)
        except FileNotFoundError:
            return False
        return True

    def spooled(self) -> list[Path]:
        """Spool files that there are now."""
        return sorted(path for directory in self.spool.iterdir() for path in directory.iterdir())

    # ---- the VFS by path

    def find(self, path: str) -> PathNode:
        node: PathNode = self.vfs.root
        for name in path.split("/"):
            if name:
                found = self.vfs.lookup(node, name)
                if found is None:
                    raise not_found(path)
                node = found
        return node

    def place(self, path: str) -> tuple[PathNode, str]:
        parent, _, name = path.rpartition("/")
        return self.find(parent), name

    def create(self, path: str, mode: int = 0o644) -> PathNode:
        return self.vfs.create(*self.place(path), stat.S_IFREG | mode, UID, GID)

    def mkdir(self, path: str, mode: int = 0o755) -> DirectoryNode:
        return self.vfs.mkdir(*self.place(path), mode, UID, GID)

    def open(self, path: str, flags: int = os.O_RDWR) -> Handle:
        return self.vfs.open(self.find(path), flags)

    def make(self, path: str, data: bytes = b"") -> PathNode:
        """Create a file with content, and close it."""
        node = self.create(path)
        handle = self.vfs.open(node, os.O_WRONLY)
        handle.pwrite(data, 0)
        handle.close()
        return node

    def read(self, path: str) -> bytes:
        handle = self.open(path, os.O_RDONLY)
        try:
            return handle.pread(1 << 20, 0)
        finally:
            handle.close()

    def size(self, path: str) -> int:
        return self.vfs.getattr(self.find(path)).size

    def names(self, path: str = "") -> list[str]:
        return sorted(name for name, _ in self.vfs.entries(self.find(path)))

    def unlink(self, path: str) -> None:
        self.vfs.unlink(*self.place(path))

    def rmdir(self, path: str) -> None:
        self.vfs.rmdir(*self.place(path))

    def rename(self, path: str, new_path: str, flags: int = 0) -> None:
        self.vfs.rename(*self.place(path), *self.place(new_path), flags)


KINDS: dict[str, Callable[[Path], World]] = {
    "objects": lambda spool: World(ObjectFileSystem(), spool),
    "objects-cached": lambda spool: World(ObjectFileSystem(), spool, cache_timeout=60.0),
    "objects-below": lambda spool: World(ObjectFileSystem(), spool, root="bucket/prefix"),
    "renaming": lambda spool: World(RenamingObjectFileSystem(), spool),
    "memory": lambda spool: World(PrivateMemory(), spool),
    "local": lambda spool: World(LocalFileSystem(), spool, root=tempfile.mkdtemp(dir=spool.parent)),
    "direct": lambda spool: World(DirectMemory(name=uuid.uuid4().hex), spool),
    "whole": lambda spool: World(WholeMemory(name=uuid.uuid4().hex), spool),
}
"""Every kind of filesystem on which a file being edited means the same."""

SPOOLED = [kind for kind in KINDS if kind != "direct"]
OBJECTS = ["objects", "objects-cached", "objects-below", "renaming"]


@contextmanager
def lent(kind: str, directory: Path) -> Iterator[World]:
    """A world of one kind; when it is closed, nothing may be left of its spool files."""
    spool = directory / "spool"
    spool.mkdir()
    world = KINDS[kind](spool)
    yield world
    world.vfs.close()
    assert not list(spool.iterdir())
