"""Others change the base without a stage while stages are committed: nobody's update is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.backends.sqlite import SqliteFileSystem
from chuk_fsspec.contract.errors import PreconditionFailed
from chuk_fsspec.testing.checks import in_threads
from chuk_fsspec.wrappers.staging import CommitIncomplete, StageConflict, stage
from chuk_fsspec.wrappers.staging.applying import Applying
from chuk_fsspec.wrappers.staging.conflicts import conflicts_of
from tests.conditions.test_conditional_processes import ended, start
from tests.staging.stage_bases import POSIX, fill, seen

SHARED = {name: make for name, make in POSIX.items() if name != "chuksqlite"}
"""Bases without a transaction that keeps others out."""

Act = Callable[[AbstractFileSystem], Any]

BETWEEN: dict[str, tuple[Act, Act, dict[str, str]]] = {
    "content that is replaced": (
        lambda staged: staged.pipe_file("/a/x", b"mine"),
        lambda fs: fs.pipe_file("/a/x", b"their"),
        {"/a/x": "was changed"},
    ),
    "a part of a file": (
        lambda staged: staged.posix.open_handle("/a/x", 2).pwrite(b"J", 0),
        lambda fs: fs.pipe_file("/a/x", b"their"),
        {"/a/x": "was changed"},
    ),
    "a file that is written is gone": (
        lambda staged: staged.pipe_file("/a/x", b"mine"),
        lambda fs: fs.rm_file("/a/x"),
        {"/a/x": "was removed"},
    ),
    "a new name": (
        lambda staged: staged.pipe_file("/new", b"mine"),
        lambda fs: fs.pipe_file("/new", b"theirs"),
        {"/new": "appeared"},
    ),
    "a new directory": (
        lambda staged: staged.mkdir("/new"),
        lambda fs: fs.pipe_file("/new", b"theirs"),
        {"/new": "appeared"},
    ),
    "a file that is removed": (
        lambda staged: staged.rm_file("/k"),
        lambda fs: fs.pipe_file("/k", b"theirs"),
        {"/k": "was changed"},
    ),
    "a link that is removed": (
        lambda staged: staged.posix.unlink("/l"),
        lambda fs: (fs.posix.unlink("/l"), fs.pipe_file("/l", b"theirs")),
        {"/l": "was changed"},
    ),
    "a directory that is removed": (
        lambda staged: staged.rm("/r", recursive=True),
        lambda fs: fs.pipe_file("/r/e/theirs", b"theirs"),
        {"/r/e/theirs": "appeared"},
    ),
    "a file that is renamed": (
        lambda staged: staged.mv("/k", "/k2"),
        lambda fs: fs.pipe_file("/k", b"theirs"),
        {"/k": "was changed"},
    ),
    "a name that something is given": (
        lambda staged: staged.mv("/k", "/k2"),
        lambda fs: fs.pipe_file("/k2", b"theirs"),
        {"/k2": "appeared"},
    ),
    "a name that a directory is given": (
        lambda staged: staged.mv("/a", "/b", recursive=True),
        lambda fs: fs.mkdir("/b"),
        {"/b": "appeared"},
    ),
    "a file of another kind": (
        lambda staged: (staged.rm_file("/k"), staged.posix.symlink("z", "/k")),
        lambda fs: fs.pipe_file("/k", b"theirs"),
        {"/k": "was changed"},
    ),
}
"""What is done in the stage, what somebody does between check and commit, and what that is told as."""


@pytest.fixture(params=SHARED)
def base(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractFileSystem:
    fs = SHARED[request.param](tmp_path)
    fill(fs)
    return fs


def but_for_times(fs: AbstractFileSystem) -> dict[str, tuple[Any, ...]]:
    """What is there; what was made by somebody else has times of its own."""
    return {path: (*facts[:3], *facts[4:]) for path, facts in seen(fs).items()}


@pytest.mark.parametrize("between", BETWEEN)
def test_somebody_comes_between_check_and_commit(
    base: AbstractFileSystem, between: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, theirs, told = BETWEEN[between]
    base.pipe_file("/own/file", b"old")
    staged = stage(base)
    change(staged)
    staged.pipe_file("/own/file", b"new")
    staged.pipe_file("/aa/first", b"first")
    staged.pipe_file("/zz/last", b"last")
    changed = [one.path for one in staged.diff()]
    after: list[dict[str, tuple[Any, ...]]] = []

    def check_and_be_overtaken(*arguments: Any) -> dict[str, str]:
        found = conflicts_of(*arguments)
        theirs(base)
        after.append(but_for_times(base))
        return found

    with monkeypatch.context() as patch:
        patch.setattr("chuk_fsspec.wrappers.staging.committing.conflicts_of", check_and_be_overtaken)
        with pytest.raises(StageConflict) as caught:
            staged.commit()
    assert caught.value.conflicts == told
    assert but_for_times(base) == after[0]
    assert [one.path for one in staged.diff()] == changed
    # What was taken back is as it was, so that it can be committed.
    others = ["/aa", "/own", "/zz"]
    assert {one.path for one in staged.commit(others)} == {"/aa", "/aa/first", "/own/file", "/zz", "/zz/last"}
    assert [base.cat_file(path) for path in ("/aa/first", "/own/file", "/zz/last")] == [b"first", b"new", b"last"]
    assert len(staged.diff()) == len(changed) - 5


def test_somebody_writes_before_the_stage_has_settled(
    base: AbstractFileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is found in the base after a commit need not be what was committed."""
    staged = stage(base)
    staged.pipe_file("/k", b"mine")
    finish = Applying.finish

    def finish_and_be_overtaken(applying: Any) -> None:
        finish(applying)
        base.pipe_file("/k", b"theirs")

    with monkeypatch.context() as patch:
        patch.setattr(Applying, "finish", finish_and_be_overtaken)
        staged.commit()
    staged.pipe_file("/k", b"mine again")
    with pytest.raises(StageConflict):
        staged.commit()
    assert base.cat_file("/k") == b"theirs"


def test_disks_that_keep_no_conditions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network disks rename, but not on conditions: there a commit is what it can be."""
    base = LocalFileSystem(root=str(tmp_path))
    fill(base)
    staged = stage(base)
    staged.pipe_file("/a/x", b"mine")
    staged.mv("/k", "/k2")
    staged.rm("/r", recursive=True)
    shown = seen(staged)

    def renameat2(*_: Any) -> None:
        raise OSError(22, "Invalid argument")

    for module in ("conditions", "entries", "temporary"):
        monkeypatch.setattr(f"chuk_fsspec.backends.local.{module}.renameat2", renameat2)
    staged.commit()
    assert seen(base) == shown


# ---- with real threads and processes


def add_one(fs: AbstractFileSystem, path: str) -> bool:
    """Add one to the number in a file, on the condition that nobody else does."""
    etag = fs.info(path)["etag"]
    with suppress(PreconditionFailed, FileNotFoundError):
        fs.pipe_file(path, b"%d" % (int(fs.cat_file(path)) + 1), if_match=etag)
        return True
    return False


def add_one_each(fs: AbstractFileSystem, *paths: str) -> list[str]:
    """The same to several files in a stage; returns those to which it was done: all or none of them.

    But for one that somebody has added something to before another one was refused. That is told.
    """
    with stage(fs) as staged:
        for path in paths:
            staged.pipe_file(path, b"%d" % (int(staged.cat_file(path)) + 1))
        try:
            staged.commit()
        except StageConflict:
            return []
        except CommitIncomplete as error:
            fs.rm(error.kept.split(", "), recursive=True)
            return [what.removesuffix(" written") for what in error.applied]
    return list(paths)


def make(fs: AbstractFileSystem, path: str) -> None:
    """Make a file, also if its directory is removed meanwhile."""
    while not fs.exists(path):
        with suppress(FileNotFoundError):
            fs.pipe_file(path, b"")
            return


def test_threads_that_count(base: AbstractFileSystem) -> None:
    paths = [f"/counters/{number}" for number in range(4)]
    base.pipe(dict.fromkeys(paths, b"0"))

    def work(number: int) -> Counter[str]:
        chance, done = random.Random(number), Counter[str]()
        for _ in range(30):
            if number % 2:
                path = chance.choice(paths)
                done[path] += add_one(base, path)
            else:
                done.update(add_one_each(base, *chance.sample(paths, 2)))
        return done

    counted = sum(in_threads(4, work), Counter[str]())
    assert {path: int(base.cat_file(path)) for path in paths} == {path: counted[path] for path in paths}
    assert not [path for path in base.ls("/", detail=False) if "chukstage" in path]


def test_threads_that_make_and_take(base: AbstractFileSystem) -> None:
    """Files that some make are fetched by others, who remove their directory in a stage: each is fetched once."""
    base.mkdir("/post")

    def work(number: int) -> list[str]:
        fetched: list[str] = []
        for one in range(25):
            if number % 2:
                make(base, f"/post/{number}/{one}")
                continue
            with stage(base) as staged, suppress(OSError):
                found = staged.find("/post")
                if found:
                    staged.rm("/post", recursive=True)
                    staged.commit()
                    fetched += found
        return fetched

    fetched = [path for some in in_threads(4, work) for path in some]
    left = base.find("/post") if base.exists("/post") else []
    assert sorted(fetched + left) == sorted(f"/post/{number}/{one}" for number in (1, 3) for one in range(25))


@pytest.mark.parametrize("protocol", ["chuklocal", "chuksqlite"])
def test_processes_that_count(protocol: str, tmp_path: Path) -> None:
    """Two that know of no stages, and stages of this one."""
    options = {"root": str(tmp_path)} if protocol == "chuklocal" else {"database": str(tmp_path / "w.db")}
    fs: AbstractFileSystem = {"chuklocal": LocalFileSystem, "chuksqlite": SqliteFileSystem}[protocol](**options)
    fs.pipe({"/counter": b"0", "/mine": b"0"})
    running = [start("count", (protocol, options), "/counter", 40) for _ in range(2)]
    done = 0
    while any(process.poll() is None for process in running) or done < 5:
        done += bool(add_one_each(fs, "/mine", "/counter"))
    for process in running:
        ended(process)
    assert (fs.cat_file("/counter"), fs.cat_file("/mine")) == (b"%d" % (80 + done), b"%d" % done)
