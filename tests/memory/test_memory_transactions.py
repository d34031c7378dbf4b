"""Random blocks of work on chukmem: undone they leave no trace, kept they do what they do without a transaction."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.testing.checks import failing

pytestmark = pytest.mark.timeout(900)  # at night, 10,000 examples each

Step = tuple[str, Callable[[MemoryFileSystem], Any]]

_numbers = itertools.count()

PATHS = st.sampled_from(["/a", "/b", "/d", "/d/a", "/d/b", "/d/e", "/d/e/a", "/link", "/link/a", "/new/x/y"])
CONTENT = st.sampled_from([b"", b"short", b"x" * 5_000, b"y" * 70_000, b"z" * 200_000])


def steps(name: str, act: Callable[..., Any], *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """One kind of step, shown by its name and arguments."""
    return st.tuples(*arguments).map(lambda given: (f"{name}{given!r:.80}", lambda fs: act(fs, *given)))


def append(fs: MemoryFileSystem, path: str, data: bytes) -> None:
    with fs.open(path, "ab") as file:
        file.write(data)


def edit(fs: MemoryFileSystem, path: str, data: bytes, offset: int) -> None:
    with fs.posix.open_handle(path, os.O_RDWR | os.O_CREAT) as handle:
        handle.pwrite(data, offset)
        handle.truncate(max(offset, 10))


BY_FSSPEC = st.one_of(
    steps("pipe", lambda fs, path, data: fs.pipe_file(path, data), PATHS, CONTENT),
    steps("create", lambda fs, path, data: fs.pipe_file(path, data, mode="create"), PATHS, CONTENT),
    steps("append", append, PATHS, CONTENT),
    steps("touch", lambda fs, path: fs.touch(path), PATHS),
    steps("cp", lambda fs, one, two: fs.cp_file(one, two), PATHS, PATHS),
    steps("cp tree", lambda fs, one, two: fs.copy(one, two, recursive=True), PATHS, PATHS),
    steps("mv", lambda fs, one, two: fs.mv(one, two), PATHS, PATHS),
    steps("rm", lambda fs, path: fs.rm(path, recursive=True), PATHS),
    steps("mkdir", lambda fs, path: fs.mkdir(path), PATHS),
    steps("rmdir", lambda fs, path: fs.rmdir(path), PATHS),
)
BY_POSIX = st.one_of(
    steps("edit", edit, PATHS, CONTENT, st.sampled_from([0, 3, 65_530, 150_000])),
    steps("truncate", lambda fs, path, size: fs.posix.truncate(path, size), PATHS, st.sampled_from([0, 7, 100_000])),
    steps("chmod", lambda fs, path: fs.posix.chmod(path, 0o600), PATHS),
    steps("chown", lambda fs, path: fs.posix.chown(path, 1, 2), PATHS),
    steps("utime", lambda fs, path: fs.posix.utime(path, ns=(1, 2)), PATHS),
    steps("setxattr", lambda fs, path: fs.posix.setxattr(path, "user.x", b"new"), PATHS),
    steps("symlink", lambda fs, path: fs.posix.symlink("d", path), PATHS),
    steps("link", lambda fs, one, two: fs.posix.link(one, two), PATHS, PATHS),
    steps("rename", lambda fs, one, two, flags: fs.posix.rename(one, two, flags), PATHS, PATHS, st.integers(0, 2)),
    steps("unlink", lambda fs, path: fs.posix.unlink(path), PATHS),
    steps("mknod", lambda fs, path: fs.posix.mknod(path, 0o010644), PATHS),
)


@contextmanager
def furnished() -> Iterator[MemoryFileSystem]:
    """A store with files of all kinds, large and edited ones too."""
    name = f"transactions-{next(_numbers)}"
    fs = MemoryFileSystem(name=name, capacity=1 << 30)
    fs.pipe({"/a": b"A" * 100, "/d/a": b"DA" * 50_000, "/d/e/a": b"DEA"})
    edit(fs, "/b", b"B" * 100_000, 10_000)
    fs.posix.symlink("d/e", "/link")
    fs.posix.link("/a", "/d/b")
    fs.posix.setxattr("/a", "user.x", b"old")
    yield fs
    drop_store(name)


def seen(fs: MemoryFileSystem) -> dict[str, Any]:
    """All that can be seen of a tree."""
    state: dict[str, Any] = {"space": fs.posix.statvfs()}
    for path, info in fs.find("/", withdirs=True, detail=True).items():
        followed = fs.exists(path)
        xattrs = {key: fs.posix.getxattr(path, key) for key in fs.posix.listxattr(path)} if followed else {}
        content = fs.cat_file(path) if fs.isfile(path) else None
        state[path] = info, tuple(fs.posix.lstat(path)), xattrs, content
    return state


def shape(fs: MemoryFileSystem) -> dict[str, Any]:
    """What two stores can have in common: names, kinds and content."""
    infos = fs.find("/", withdirs=True, detail=True)
    return {
        path: (info["type"], info["mode"], info["nlink"], fs.cat_file(path) if fs.isfile(path) else None)
        for path, info in infos.items()
    }


def perform(fs: MemoryFileSystem, work: list[Step]) -> None:
    for _, act in work:
        with suppress(OSError):
            act(fs)


@given(st.lists(st.one_of(BY_FSSPEC, BY_POSIX), max_size=12))
def test_a_failed_block_leaves_no_trace(work: list[Step]) -> None:
    with furnished() as fs:
        before = seen(fs)
        with failing(fs.transaction):
            perform(fs, work)
        assert seen(fs) == before
        fs.rm("/*", recursive=True)
        found = fs.posix.statvfs()
        assert (found.blocks_free, found.files_free) == (found.blocks, found.files - 1), "space or inodes leaked"


@given(st.lists(BY_POSIX, max_size=12))
def test_a_block_that_ends_well_is_as_good_as_none(work: list[Step]) -> None:
    with furnished() as fs, furnished() as plain:
        with fs.transaction:
            perform(fs, work)
        perform(plain, work)
        assert shape(fs) == shape(plain)
        assert fs.posix.statvfs() == plain.posix.statvfs()


def test_transactions_of_two_views_in_one_thread_nest() -> None:
    with furnished() as fs:
        view = fs.posix.nofollow
        before = seen(fs)
        with failing(fs.transaction):
            fs.rm("/a")
            with view.transaction:
                view.rm("/d", recursive=True)
            fs.rm("/b")
        assert seen(fs) == before
        with fs.transaction:
            fs.mkdir("/kept")
            with failing(view.transaction):
                view.rm("/d", recursive=True)
            fs.mkdir("/kept/too")
        assert fs.isdir("/kept/too")
        assert fs.exists("/d/e/a")


def test_a_block_inside_a_block_of_the_same_filesystem() -> None:
    with furnished() as fs:
        before = seen(fs)
        with failing(fs.transaction):
            fs.rm("/a")
            with fs.transaction:
                fs.rm("/b")
            fs.rm("/d", recursive=True)
        assert seen(fs) == before
        with fs.transaction, fs.transaction:
            fs.pipe_file("/new", b"new")
        assert fs.cat_file("/new") == b"new"
        with failing(fs.transaction):
            fs.rm("/new")
        assert fs.cat_file("/new") == b"new"
