"""The engine's view that follows no links, and its readers by name: what holds beyond the behaviour suite."""

from __future__ import annotations

import errno
import os
import pickle
from collections.abc import Callable
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from chuk_fsspec.backends.memory import MemoryFileSystem, drop_store
from chuk_fsspec.backends.memory.store import MemoryStore
from chuk_fsspec.contract.operations import FSSPEC, POSIX
from chuk_fsspec.engine.inode import Directory, Inode
from chuk_fsspec.engine.shared import SharedState
from chuk_fsspec.testing.checks import failing, fails_with, in_threads, meets_link
from chuk_fsspec.testing.path_acts import FOLLOWING, NOT_FOLLOWING

Read = Callable[[str], bytes | None]


@pytest.fixture
def view(chukmem: MemoryFileSystem) -> MemoryFileSystem:
    nofollow = chukmem.posix.nofollow
    assert isinstance(nofollow, MemoryFileSystem)
    return nofollow


def test_every_operation_on_paths_is_tried_on_links() -> None:
    tried = {name.partition(" ")[0] for name in (*FOLLOWING, *NOT_FOLLOWING)}
    rows = {name for name, row in FSSPEC.items() if row.paths} | {
        f"posix.{name}" for name, row in POSIX.items() if row.paths
    }
    names_only = {"invalidate_cache", "sign", "unstrip_protocol"}
    assert rows - tried - names_only == {"posix.reader"}  # which has tests of its own


# ---- which instance


def test_the_view_is_an_instance_of_the_same_class_and_store(chukmem: MemoryFileSystem, view: MemoryFileSystem) -> None:
    assert type(view) is MemoryFileSystem
    assert view.fsid == chukmem.fsid
    assert view.store is chukmem.store
    assert not view.follow_links
    assert chukmem.follow_links
    assert chukmem.posix.nofollow is view
    assert view.posix.nofollow is view
    assert "follow_links=False" in repr(view)
    assert "follow_links" not in repr(chukmem)


def test_the_view_keeps_the_other_options(chukmem: MemoryFileSystem) -> None:
    strict = MemoryFileSystem(chukmem.name, 0, False)
    with fails_with(errno.ENOENT, "/d/f"):
        strict.posix.nofollow.pipe_file("/d/f", b"")


def test_the_view_is_a_matter_of_plain_options(chukmem: MemoryFileSystem, view: MemoryFileSystem) -> None:
    assert MemoryFileSystem(name=chukmem.name, follow_links=False) is view
    assert fsspec.filesystem("chukmem", name=chukmem.name, follow_links=False) is view
    assert pickle.loads(pickle.dumps(view)) is view
    assert AbstractFileSystem.from_json(view.to_json()) is view
    chukmem.pipe_file("/d/f", b"content")
    chukmem.posix.symlink("d", "/link")
    options = {"name": chukmem.name, "follow_links": False}
    with fsspec.open("chukmem://d/f", **options) as file:
        assert file.read() == b"content"
    with meets_link("/link"), fsspec.open("chukmem://link/f", **options):
        pass
    with meets_link("/link"), fsspec.open("chukmem://link/new", "wb", **options):
        pass


def test_each_thread_has_a_view_of_its_own_on_the_same_files(chukmem: MemoryFileSystem, view: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    views = in_threads(3, lambda _: MemoryFileSystem(chukmem.name).posix.nofollow)
    assert len({id(one) for one in (view, *views)}) == 4
    assert all(one.cat_file("/f") == b"content" for one in views)


def test_a_store_that_was_dropped_keeps_its_view(chukmem: MemoryFileSystem) -> None:
    chukmem.pipe_file("/f", b"content")
    drop_store(chukmem.name)
    again = MemoryFileSystem(chukmem.name)
    assert chukmem.posix.nofollow.cat_file("/f") == b"content"
    assert not again.exists("/f")
    assert again.posix.nofollow.ls("/") == []


def test_a_store_of_another_process_refuses_in_its_view_too() -> None:
    fs = MemoryFileSystem("nofollow-foreign")
    rebuild, (cls, arguments, options, _, pid) = fs.__reduce__()
    foreign = rebuild(cls, arguments, options, "another process", pid + 1)
    nofollow = foreign.posix.nofollow
    for one in (foreign, nofollow, pickle.loads(pickle.dumps(nofollow))):
        with fails_with(errno.ENXIO):
            one.ls("/")
        with fails_with(errno.ENXIO):
            one.posix.reader("/")
    assert nofollow.fsid == foreign.fsid != fs.fsid
    drop_store("nofollow-foreign")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
class TestFork:
    def test_the_child_has_no_view(self, chukmem: MemoryFileSystem, view: MemoryFileSystem) -> None:
        chukmem.pipe_file("/d/f", b"content")
        assert view.exists("/d/f")
        acts: list[Callable[[], Any]] = [
            lambda: view.cat_file("/d/f"),
            lambda: view.exists("/d/f"),
            lambda: view.pipe_file("/d/f", b""),
            lambda: chukmem.posix.nofollow.ls("/"),
            lambda: chukmem.posix.reader("/d"),
        ]
        assert holds_in_fork(lambda: all(fails_with_enxio(act) for act in acts))
        assert view.cat_file("/d/f") == b"content"

    @pytest.mark.parametrize("directory", ["/", "/d"])
    def test_the_child_has_no_readers(self, chukmem: MemoryFileSystem, directory: str) -> None:
        chukmem.pipe({"/f": b"content", "/d/f": b"content"})
        read = chukmem.posix.reader(directory)
        assert holds_in_fork(lambda: read("f") is None)
        assert read("f") == b"content"


def fails_with_enxio(act: Callable[[], Any]) -> bool:
    try:
        act()
    except OSError as error:
        return error.errno == errno.ENXIO
    return False


def holds_in_fork(check: Callable[[], bool]) -> bool:
    """Whether a check holds in a forked child."""
    pid = os.fork()
    if pid == 0:
        try:
            held = check()
        except BaseException:  # noqa: BLE001 - the child must not return into pytest
            held = False
        os._exit(0 if held else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


# ---- readers


@pytest.fixture(params=[True, False], ids=["following", "nofollow"])
def either(request: pytest.FixtureRequest, chukmem: MemoryFileSystem, view: MemoryFileSystem) -> MemoryFileSystem:
    return chukmem if request.param else view


def test_a_reader_gives_the_very_bytes(either: MemoryFileSystem) -> None:
    content = b"x" * 300_000
    either.pipe({"/d/f": content, "/d/empty": b"", "/top": b"top"})
    read = either.posix.reader("/d")
    assert read("f") is content
    assert read("empty") == b""
    assert either.posix.reader("/")("top") == b"top"
    assert either.posix.reader("chukmem://d/")("f") is content


def test_a_reader_leaves_large_edited_content_to_the_long_way(either: MemoryFileSystem) -> None:
    either.pipe({"/d/small": b"x" * 10, "/d/large": b"x" * 300_000})
    read = either.posix.reader("/d")
    for name in ("small", "large"):
        with either.posix.open_handle(f"/d/{name}", os.O_RDWR) as handle:
            handle.pwrite(b"edit", 3)
    assert read("small") == b"xxxeditxxx"
    assert read("large") is None
    either.pipe_file("/d/large", b"whole again")
    assert read("large") == b"whole again"


def test_a_reader_outlives_what_does_not_concern_directories(
    chukmem: MemoryFileSystem, either: MemoryFileSystem
) -> None:
    either.pipe({"/d/f": b"content", "/other/f": b""})
    read = either.posix.reader("/d")
    chukmem.posix.symlink("d", "/link")
    assert chukmem.cat_file("/link/f") == b"content"
    chukmem.posix.symlink("other", "/new")
    chukmem.posix.rename("/new", "/link")
    chukmem.rm_file("/link")
    chukmem.mv("/other/f", "/d/g")
    chukmem.rmdir("/other")
    chukmem.mkdir("/other")
    assert read("f") == b"content"
    assert read("g") == b""


MOVES: dict[str, Callable[[MemoryFileSystem], Any]] = {
    "rename": lambda fs: fs.posix.rename("/a/d", "/moved"),
    "rename above": lambda fs: fs.posix.rename("/a", "/moved"),
    "exchange": lambda fs: fs.posix.rename("/a/d", "/other", 2),
    "exchange with a file": lambda fs: fs.posix.rename("/file", "/a/d", 2),
    "exchange with a link": lambda fs: fs.posix.rename("/link", "/a", 2),
    "remove": lambda fs: fs.rm("/a/d", recursive=True),
    "remove above": lambda fs: fs.rm("/a", recursive=True),
    "mv": lambda fs: fs.mv("/a/d", "/other"),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_reader_ends_when_its_directory_moves_or_goes(
    chukmem: MemoryFileSystem, either: MemoryFileSystem, move: str
) -> None:
    chukmem.pipe({"/a/d/f": b"content", "/other/f": b"other", "/file": b""})
    chukmem.posix.symlink("other", "/link")
    read = either.posix.reader("/a/d")
    assert read("f") == b"content"
    MOVES[move](chukmem)
    assert read("f") is None
    chukmem.pipe_file("/a/d/f", b"new") if not chukmem.isfile("/a/d") else None
    assert read("f") is None


def test_a_reader_does_not_come_back_with_an_undone_removal(
    chukmem: MemoryFileSystem, either: MemoryFileSystem
) -> None:
    chukmem.pipe_file("/d/e/f", b"content")
    chukmem.mkdir("/empty")
    reads = [either.posix.reader("/d/e"), either.posix.reader("/empty")]
    with failing(chukmem.transaction):
        chukmem.rm("/d", recursive=True)
        chukmem.rmdir("/empty")
        assert [read("f") for read in reads] == [None, None]
    chukmem.pipe_file("/empty/f", b"new")
    assert chukmem.cat_file("/d/e/f") == b"content"
    assert [read("f") for read in reads] == [None, None]


def test_what_was_resolved_inside_an_undone_transaction_is_forgotten(
    chukmem: MemoryFileSystem, view: MemoryFileSystem
) -> None:
    chukmem.pipe({"/d/f": b"content", "/other/f": b"other"})
    with failing(chukmem.transaction):
        chukmem.mv("/d", "/moved")
        chukmem.mv("/other", "/d")
        reads = [one.posix.reader("/d") for one in (chukmem, view)]
        assert chukmem.cat_file("/moved/f") == view.cat_file("/moved/f") == b"content"
        assert chukmem.cat_file("/d/f") == view.cat_file("/d/f") == b"other"
    for fs in (chukmem, view):
        assert fs.cat_file("/d/f") == b"content"
        with fails_with(errno.ENOENT, "/moved/f"):
            fs.cat_file("/moved/f")
    assert [read("f") for read in reads] == [None, None]


# ---- the moment in which a directory moves


class ObservedStore(MemoryStore):
    """Lets a test look at the filesystem whenever an entry changes."""

    look: Callable[[], None] | None = None

    def attach(self, directory: Directory, name: str, inode: Inode, now: int) -> None:
        if self.look is not None:
            self.look()
        super().attach(directory, name, inode, now)
        if self.look is not None:
            self.look()

    def detach(self, directory: Directory, name: str, now: int) -> None:
        if self.look is not None:
            self.look()
        super().detach(directory, name, now)
        if self.look is not None:
            self.look()


@pytest.mark.parametrize("move", MOVES)
def test_nothing_is_found_by_its_old_path_while_it_moves(chukmem: MemoryFileSystem, move: str) -> None:
    """Lookups take no lock, so that what was resolved has to be forgotten before the tree changes, not after."""
    store = ObservedStore(None, 0, 0)
    shared = SharedState(store)
    chukmem.stand_on(shared)
    chukmem.pipe({"/a/d/f": b"content", "/other/f": b"other", "/file": b""})
    chukmem.posix.symlink("other", "/link")
    read = chukmem.posix.reader("/a/d")
    assert chukmem.cat_file("/a/d/f") == chukmem.posix.nofollow.cat_file("/a/d/f") == read("f") == b"content"
    seen: list[object] = []

    def look() -> None:
        seen.extend((read("f"), *shared.path_cache.current, *shared.real_paths.current))

    store.look = look
    MOVES[move](chukmem)
    store.look = None
    assert set(seen) == {None}
