"""What tests of snapshots do to a tree with something of every kind in it, and all that can be seen of it."""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from fsspec import AbstractFileSystem

Change = Callable[[AbstractFileSystem, str], None]
Take = Callable[[], str]

LARGE = bytes(range(256)) * 1024
"""Content that no store keeps with the inode."""


def everything(fs: AbstractFileSystem, root: str) -> dict[str, Any]:
    """All that can be seen below a directory, by path: attributes, contents, targets of links, extended attributes."""
    seen: dict[str, Any] = {}
    for path, info in fs.find(root, withdirs=True, detail=True).items():
        status = fs.posix.lstat(path)
        what: Any = None
        if stat.S_ISLNK(status.st_mode):
            what = fs.posix.readlink(path)
        elif stat.S_ISREG(status.st_mode):
            what = fs.cat_file(path)
        names = [] if stat.S_ISLNK(status.st_mode) else sorted(fs.posix.listxattr(path))
        xattrs = {name: fs.posix.getxattr(path, name) for name in names}
        seen[path] = info, tuple(status), status.st_mtime_ns, status.st_ctime_ns, what, xattrs
    return seen


def replace(fs: AbstractFileSystem, root: str) -> None:
    """Other content for a file."""
    fs.pipe_file(f"{root}/file", b"other")


def replace_large(fs: AbstractFileSystem, root: str) -> None:
    """Little content for a large file."""
    fs.pipe_file(f"{root}/large", b"small now")


def append(fs: AbstractFileSystem, root: str) -> None:
    """More at the end of a file."""
    with fs.open(f"{root}/file", "ab") as file:
        file.write(b"more")


def write_in_place(fs: AbstractFileSystem, root: str) -> None:
    """Bytes in the middle of two files, and past the end of one."""
    for name in ("file", "large"):
        with fs.posix.open_handle(f"{root}/{name}", os.O_RDWR) as handle:
            handle.pwrite(b"!", 1)
            handle.pwrite(b"!", len(LARGE) - 1)


def truncate(fs: AbstractFileSystem, root: str) -> None:
    """Two files cut."""
    fs.posix.truncate(f"{root}/large", 70_000)
    fs.posix.truncate(f"{root}/file", 0)


def add(fs: AbstractFileSystem, root: str) -> None:
    """A directory with a file and a link in it."""
    fs.makedirs(f"{root}/new/below")
    fs.pipe_file(f"{root}/new/below/file", LARGE)
    fs.posix.symlink("file", f"{root}/new/link")


def remove(fs: AbstractFileSystem, root: str) -> None:
    """A file gone, of which another name is left."""
    fs.rm_file(f"{root}/file")


def remove_tree(fs: AbstractFileSystem, root: str) -> None:
    """A directory gone, with all below it."""
    fs.rm(f"{root}/tree", recursive=True)


def remove_empty(fs: AbstractFileSystem, root: str) -> None:
    """An empty directory gone."""
    fs.rmdir(f"{root}/empty")


def move(fs: AbstractFileSystem, root: str) -> None:
    """A directory in another one."""
    fs.posix.rename(f"{root}/tree", f"{root}/empty/moved")


def move_over(fs: AbstractFileSystem, root: str) -> None:
    """A file in the place of another one."""
    fs.posix.rename(f"{root}/tree/a", f"{root}/file")


def swap_kinds(fs: AbstractFileSystem, root: str) -> None:
    """A directory where a file was, and a file where a directory was."""
    fs.rm_file(f"{root}/file")
    fs.mkdir(f"{root}/file")
    fs.rm(f"{root}/tree", recursive=True)
    fs.pipe_file(f"{root}/tree", b"a file now")


def link(fs: AbstractFileSystem, root: str) -> None:
    """One more name for a file, and one gone."""
    fs.posix.link(f"{root}/file", f"{root}/tree/another")
    fs.posix.unlink(f"{root}/hard")


def retarget(fs: AbstractFileSystem, root: str) -> None:
    """A link that leads elsewhere."""
    fs.posix.unlink(f"{root}/link")
    fs.posix.symlink("elsewhere", f"{root}/link")


def set_attributes(fs: AbstractFileSystem, root: str) -> None:
    """Other modes, owners and times."""
    for name in ("file", "tree"):
        fs.posix.chmod(f"{root}/{name}", 0o700)
        fs.posix.chown(f"{root}/{name}", 12, 34)
        fs.posix.utime(f"{root}/{name}", ns=(5, 6))


def set_xattrs(fs: AbstractFileSystem, root: str) -> None:
    """Other extended attributes."""
    fs.posix.setxattr(f"{root}/file", "user.key", b"other")
    fs.posix.setxattr(f"{root}/tree", "user.new", b"")


def change_all(fs: AbstractFileSystem, root: str) -> None:
    """All of that, as far as it still can be done."""
    for change in CHANGES:
        with suppress(OSError):
            change(fs, root)


CHANGES: list[Change] = [
    replace,
    replace_large,
    append,
    write_in_place,
    truncate,
    add,
    set_attributes,
    set_xattrs,
    link,
    retarget,
    move_over,
    move,
    remove_empty,
    remove,
    remove_tree,
    swap_kinds,
]


EACH = [*CHANGES, change_all]


class SnapshotFixtures:
    """A tree to take snapshots of, and what takes them."""

    @pytest.fixture
    def take(self, fs: AbstractFileSystem) -> Iterator[Take]:
        """Takes a snapshot under a name that is free, and returns that; all are deleted afterwards."""
        names: list[str] = []

        def take() -> str:
            names.append(f"suite-{uuid.uuid4().hex}")
            fs.snapshots.create(names[-1])
            return names[-1]

        yield take
        for name in {one.name for one in fs.snapshots.taken()} & set(names):
            fs.snapshots.delete(name)

    @pytest.fixture
    def tree(self, fs: AbstractFileSystem, root: str) -> str:
        """A directory with something of every kind."""
        fs.pipe_file(f"{root}/file", b"content")
        fs.pipe_file(f"{root}/large", LARGE[:-1])
        with fs.posix.open_handle(f"{root}/large", os.O_RDWR) as handle:
            handle.pwrite(LARGE[-1:], len(LARGE) - 1)  # a store may keep what was written in place in another way
        fs.mkdir(f"{root}/empty")
        fs.makedirs(f"{root}/tree/below")
        fs.pipe({f"{root}/tree/a": b"A", f"{root}/tree/below/b": b"B"})
        fs.posix.link(f"{root}/file", f"{root}/hard")
        fs.posix.symlink("file", f"{root}/link")
        fs.posix.setxattr(f"{root}/file", "user.key", b"value")
        fs.posix.chmod(f"{root}/file", 0o640)
        fs.posix.utime(f"{root}/file", ns=(1_000_000_001, 2_000_000_002))
        return root
