"""Filesystems that templates go to, and what is in them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.wrappers.base import WrapperFileSystem
from chuk_fsspec.wrappers.security import SecureFileSystem
from chuk_fsspec.wrappers.streaming import StreamFileSystem


def mounted(name: str, root: Path) -> AbstractFileSystem:
    """A tree of two filesystems, one of which cannot undo by itself."""
    inside = {"protocol": "chuklocal", "options": {"root": str(root)}}
    return MountedFileSystem({"/": {"protocol": "chukmem", "options": {"name": name}}, "/t/mounted": inside})


def over(kind: type[WrapperFileSystem], protocol: str, options: dict[str, Any], **own: Any) -> AbstractFileSystem:
    """A wrapper given by plain values: then each thread has an inner filesystem of its own."""
    return kind(target_protocol=protocol, target_options=options, **own)


KINDS: dict[str, Callable[[str, Path], AbstractFileSystem]] = {
    "chukmem": lambda name, root: MemoryFileSystem(name),
    "chuksqlite": lambda name, root: SqliteFileSystem(database=f"{root}/w.db"),
    "chuklocal": lambda name, root: LocalFileSystem(str(root)),
    "chukmount": mounted,
    "chuksecure-chukmem": lambda name, root: over(SecureFileSystem, "chukmem", {"name": name}, profile="testing"),
    "chuksecure-chuklocal": lambda name, root: over(
        SecureFileSystem, "chuklocal", {"root": str(root)}, profile="testing"
    ),
    "chukstream": lambda name, root: over(StreamFileSystem, "chukmem", {"name": name}),
}


@pytest.fixture(params=KINDS)
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AbstractFileSystem]:
    """Each of our filesystems, empty."""
    name = f"test-{uuid.uuid4().hex}"
    (tmp_path / "fs").mkdir()
    yield KINDS[request.param](name, tmp_path / "fs")
    drop_store(name)


@pytest.fixture
def plain() -> Iterator[AbstractFileSystem]:
    """fsspec's own memory filesystem, which declares nothing."""
    memory = fsspec.filesystem("memory", skip_instance_cache=True)
    memory.store, memory.pseudo_dirs = {}, [""]
    yield memory
    memory.store.clear()


def state(fs: AbstractFileSystem, root: str = "/") -> dict[str, tuple[Any, ...]]:
    """All that is known of what is below a directory: kinds, contents, targets, modes, and which files they are."""
    view = fs.posix.nofollow if capabilities_of(fs).symlinks else fs
    found: dict[str, tuple[Any, ...]] = {}
    pending = [root]
    while pending:
        for info in view.ls(pending.pop(), detail=True):
            path, kind = info["name"], info["type"]
            if kind == "directory":
                pending.append(path)
                found[path] = (kind, info.get("mode"))
            elif kind == "link":
                found[path] = (kind, info["destination"])
            else:
                found[path] = (kind, view.cat_file(path), info.get("mode"), info.get("ino"), info.get("mtime_ns"))
    return found


def contents(fs: AbstractFileSystem, root: str = "/") -> dict[str, Any]:
    """What is below a directory: bytes of files, ``-> target`` of links, None for directories."""
    shown = {"directory": lambda entry: None, "link": lambda entry: f"-> {entry[1]}", "file": lambda entry: entry[1]}
    start = root.rstrip("/")
    return {path[len(start) :]: shown[entry[0]](entry) for path, entry in state(fs, root).items()}
