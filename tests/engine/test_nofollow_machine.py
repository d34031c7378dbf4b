"""A random tree with links, seen by two: one follows links, the other resolves them first and uses ``posix.nofollow``.

Whatever they do, they have to end with the same result, error and tree. And without resolving first, the second has to
be stopped by exactly the link that is in its way, with nothing done.
"""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.contract.errors import LinkInTheWay, os_error
from chuk_fsspec.contract.paths import join, split

pytestmark = pytest.mark.timeout(900)  # at night, 5,000 examples

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
LINKS_MAX = 40
FILES = ("/c", "/a/c", "/a/b/c", "/b/c")
PLACES = st.sampled_from([f"{directory}/{name}" for directory in ("", "/a", "/a/b", "/b") for name in "lmn"])
PATHS = st.lists(st.sampled_from("abclmlmn"), min_size=1, max_size=4).map(lambda names: "/" + "/".join(names))
RELATIVE = "a b c l a/b a/l ./b ../a ../b/c m/../b a/.. l/.. .. . ../.. b/ c/ l/c m/l missing ../x/y"
ABSOLUTE = "/ /a /b/c /a/b /l /m/b/c /../b /c/. /missing/x"
TARGETS = st.sampled_from([*RELATIVE.split(), *ABSOLUTE.split()])

_numbers = itertools.count()


@dataclass(frozen=True)
class Act:
    """One call with one or two paths, and whether it follows a link that is the last component."""

    name: str
    call: Callable[..., Any]
    follows: bool = True
    paths: int = 1
    false_for: frozenset[int] = frozenset()

    def __repr__(self) -> str:
        return self.name


NOTHING_THERE = frozenset((errno.ENOENT, errno.ENOTDIR))


def append(fs: MemoryFileSystem, path: str) -> None:
    with fs.open(path, "ab") as file:
        file.write(b"appended")


def make(fs: MemoryFileSystem, path: str) -> None:
    with fs.posix.open_handle(path, os.O_RDWR | os.O_CREAT) as handle:
        handle.pwrite(b"made", 1)


def copy(fs: MemoryFileSystem, one: str, two: str) -> None:
    """Copy a file. A directory would be made anew, and mkdir(2) follows no final link."""
    if fs.isdir(one):
        raise os_error(errno.EISDIR, one)
    fs.cp_file(one, two)


def relative(path: str, found: list[str]) -> list[str]:
    return [below.removeprefix(path.rstrip("/")) for below in found]


ACTS = [
    Act("exists", lambda fs, path: fs.exists(path), false_for=NOTHING_THERE | {errno.ELOOP}),
    Act("isdir", lambda fs, path: fs.isdir(path), false_for=NOTHING_THERE | {errno.ELOOP}),
    Act("isfile", lambda fs, path: fs.isfile(path), false_for=NOTHING_THERE | {errno.ELOOP}),
    Act("stat", lambda fs, path: fs.posix.stat(path)[:7]),
    Act("cat_file", lambda fs, path: fs.cat_file(path)),
    Act("open", lambda fs, path: fs.open(path).read()),
    Act("ls", lambda fs, path: relative(path, fs.ls(path, detail=False))),
    Act("pipe_file", lambda fs, path: fs.pipe_file(path, b"piped")),
    Act("append", append),
    Act("touch", lambda fs, path: fs.touch(path)),
    Act("make", make),
    Act("truncate", lambda fs, path: fs.posix.truncate(path, 3)),
    Act("chmod", lambda fs, path: fs.posix.chmod(path, 0o640)),
    Act("setxattr", lambda fs, path: fs.posix.setxattr(path, "user.x", b"1")),
    Act("lexists", lambda fs, path: fs.lexists(path), follows=False, false_for=NOTHING_THERE),
    Act("lstat", lambda fs, path: fs.posix.lstat(path)[:7], follows=False),
    Act("readlink", lambda fs, path: fs.posix.readlink(path), follows=False),
    Act("mkdir", lambda fs, path: fs.posix.mkdir(path), follows=False),
    Act("symlink", lambda fs, path: fs.posix.symlink("../a", path), follows=False),
    Act("create", lambda fs, path: fs.pipe_file(path, b"created", mode="create"), follows=False),
    Act("open xb", lambda fs, path: fs.open(path, "xb").close(), follows=False),
    Act("unlink", lambda fs, path: fs.posix.unlink(path), follows=False),
    Act("rmdir", lambda fs, path: fs.rmdir(path), follows=False),
    Act("rm", lambda fs, path: fs.rm(path, recursive=True), follows=False),
    Act("rename", lambda fs, one, two: fs.posix.rename(one, two), follows=False, paths=2),
    Act("exchange", lambda fs, one, two: fs.posix.rename(one, two, 2), follows=False, paths=2),
    Act("link", lambda fs, one, two: fs.posix.link(one, two), follows=False, paths=2),
    Act("cp_file", copy, paths=2),
]
CALLS = st.sampled_from(ACTS).flatmap(lambda act: st.tuples(st.just(act), st.tuples(*[PATHS] * act.paths)))
LINKS = st.dictionaries(PLACES, TARGETS, min_size=2, max_size=8)


@contextmanager
def stores() -> Iterator[tuple[MemoryFileSystem, MemoryFileSystem]]:
    """A filesystem that follows links, and the view of another one that does not."""
    names = [f"nofollow-machine-{next(_numbers)}" for _ in range(2)]
    first, second = (MemoryFileSystem(name, auto_mkdir=False) for name in names)
    yield first, second.posix.nofollow
    for name in names:
        drop_store(name)


def furnish(fs: MemoryFileSystem, links: dict[str, str]) -> None:
    """Two directories with a third in one of them, a file in each, and links."""
    fs.makedirs("/a/b")
    fs.makedirs("/b")
    fs.pipe({path: path.encode() for path in FILES})
    for path, target in links.items():
        fs.posix.symlink(target, path)


def state(view: MemoryFileSystem) -> dict[str, tuple[Any, ...]]:
    """Everything about the tree but its times."""
    return {
        path: (
            info["type"],
            info["ino"],
            info["nlink"],
            info["mode"],
            info.get("destination"),
            view.cat_file(path) if info["type"] == "file" else None,
            view.posix.listxattr(path) if info["type"] != "link" else None,
        )
        for path, info in view.find("/", withdirs=True, detail=True).items()
    }


def first_link(view: MemoryFileSystem, path: str, follows: bool) -> str | None:
    """The link that is in the way of a path."""
    names = path[1:].split("/")
    for depth in range(1, len(names) + follows):
        above = "/" + "/".join(names[:depth])
        with suppress(OSError):
            view.posix.readlink(above)
            return above
    return None


def realpath(view: MemoryFileSystem, path: str, follows: bool) -> str:
    """The path without links, step by step as path_resolution(7) has it; the last component need not exist."""
    pending = path[1:].split("/")[::-1]
    place = "/"
    links = 0
    while pending:
        name = pending.pop()
        if name in ("", "."):
            continue
        if name == "..":
            place = split(place)[0]
            continue
        step = join(place, name)
        last = not pending
        try:
            target = view.posix.readlink(step)
        except OSError as error:
            if error.errno == errno.EINVAL and (last or view.isdir(step)):
                place = step
            elif error.errno == errno.ENOENT and last:
                return step
            else:
                raise os_error(errno.ENOTDIR if error.errno == errno.EINVAL else error.errno or 0, path) from None
            continue
        if last and not follows:
            return step
        links += 1
        if links > LINKS_MAX:
            raise os_error(errno.ELOOP, path)
        if target.startswith("/"):
            place = "/"
        pending += target.split("/")[::-1]
    return place


def outcome(act: Act, fs: MemoryFileSystem, *paths: str) -> tuple[str, Any]:
    try:
        return "returned", act.call(fs, *paths)
    except LinkInTheWay as error:
        return "link", error.filename
    except OSError as error:
        return "failed", error.errno


def resolved(act: Act, view: MemoryFileSystem, *paths: str) -> tuple[str, Any]:
    """What an act does with the paths without links."""
    try:
        real = [realpath(view, path, act.follows) for path in paths]
    except OSError as error:
        return ("returned", False) if error.errno in act.false_for else ("failed", error.errno)
    return outcome(act, view, *real)


@settings(max_examples=5000 if NIGHTLY else 200)
@given(LINKS, st.lists(CALLS, min_size=1, max_size=10))
def test_resolving_first_is_following(links: dict[str, str], calls: list[tuple[Act, tuple[str, ...]]]) -> None:
    with stores() as (follower, view):
        furnish(follower, links)
        furnish(view, links)
        for act, paths in calls:
            met = {link for path in paths if (link := first_link(view, path, act.follows))}
            before = state(view)
            followed = outcome(act, follower, *paths)
            plain = outcome(act, view, *paths)
            if met:
                # Of two paths, the first may fail before the second one is looked at.
                assert plain[0] == "link" or (act.paths == 2 and plain == followed)
                assert plain[0] != "link" or plain[1] in met
                assert state(view) == before
                through = resolved(act, view, *paths)
            else:
                through = plain
            # Of two bad paths, either may be told first.
            assert followed == through or (act.paths == 2 and followed[0] == through[0] == "failed")
            assert state(follower.posix.nofollow) == state(view)
