"""Trees to synchronise: made from a description, and described again."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.contract import capabilities_of
from tests.wrappers.async_fs import AsyncObjectFileSystem

KINDS = ("chukmem", "chuksqlite", "chuklocal", "chukmount", "memory", "object store")
DECLARED = KINDS[:4]
"""Those that keep modes, times and links."""


@contextmanager
def a_filesystem(kind: str, where: Path) -> Iterator[AbstractFileSystem]:
    """One to copy from or to."""
    where.mkdir(exist_ok=True)
    if kind == "chukmem":
        yield fsspec.filesystem("chukmem", name=str(where))
    elif kind == "chuksqlite":
        fs = fsspec.filesystem("chuksqlite", database=str(where / "w.db"))
        yield fs
    elif kind == "chuklocal":
        yield LocalFileSystem(root=str(where), durable=False)
    elif kind == "chukmount":
        mounts = {"/": {"protocol": "chukmem", "options": {"name": f"{where}-root"}}}
        yield fsspec.filesystem("chukmount", mounts=mounts)
    elif kind == "memory":
        fs = fsspec.filesystem("memory", skip_instance_cache=True)
        fs.store, fs.pseudo_dirs = {}, [""]
        yield fs
    else:
        yield AsyncObjectFileSystem(str(where))


def plant(fs: AbstractFileSystem, top: str, tree: Mapping[str, Any]) -> None:
    """Make a tree: bytes are files, strings are links, None is a directory."""
    fs.makedirs(top, exist_ok=True)
    for path, what in tree.items():
        place = f"{top}/{path}"
        fs.makedirs(fs._parent(place), exist_ok=True)
        if what is None:
            fs.makedirs(place, exist_ok=True)
        elif isinstance(what, str):
            fs.posix.symlink(what, place)
        else:
            fs.pipe_file(place, what)


def shown(fs: AbstractFileSystem, top: str, *, attributes: bool = True) -> dict[str, Any]:
    """The tree that is there, in the same form; with ``attributes``, modes and times too where they are kept."""
    keeps = attributes and capabilities_of(fs).attributes
    has_links = capabilities_of(fs).symlinks
    tree: dict[str, Any] = {}
    for path, info in fs.find(top, withdirs=True, detail=True).items():
        name = path[len(top) :].strip("/")
        if not name:
            continue
        if has_links and info.get("islink"):
            tree[name] = fs.posix.readlink(path)
            continue
        what = fs.cat_file(path) if info["type"] == "file" else info["type"]
        status = fs.posix.lstat(path) if keeps else None
        tree[name] = what if status is None else (what, stat.S_IMODE(status.st_mode), status.st_mtime_ns)
    return tree
