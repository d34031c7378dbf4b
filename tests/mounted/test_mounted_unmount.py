"""Mounting and unmounting while the tree is used."""

from __future__ import annotations

import errno
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import fails_with, files_below, in_threads, node_at
from tests.mounted.mounted_trees import chukmem, stores, tree


@pytest.fixture
def fs() -> Iterator[MountedFileSystem]:
    with tree("/", "/m", "/m/deep") as (fs, _):
        fs.pipe({"/m/f": b"content", "/m/deep/f": b"deep"})
        yield fs


def test_what_cannot_be_unmounted(fs: MountedFileSystem) -> None:
    with fails_with(errno.EINVAL, "/missing"):
        fs.unmount("/missing")
    with fails_with(errno.EINVAL, "/m/f"):
        fs.unmount("/m/f")
    for force in (False, True):
        with fails_with(errno.EBUSY, "/m"):
            fs.unmount("/m", force=force)
    fs.unmount("//m/deep/")
    fs.unmount("/m")
    assert fs.find("/") == []
    with fails_with(errno.EINVAL, "/m"):
        fs.unmount("/m")
    fs.unmount("/")
    assert fs.list_mounts() == fs.find("/") == fs.ls("/") == []
    assert fs.info("/")["type"] == "directory"


def test_a_mount_point_is_taken_once(fs: MountedFileSystem) -> None:
    with fails_with(errno.EBUSY, "/m"):
        fs.mount("/m/", "chukmem")
    with fails_with(errno.EBUSY, "/"):
        fs.mount("/", "chukmem")


@pytest.mark.parametrize("kind", ["rb", "wb", "r", "handle", "nodes handle"])
def test_open_files_keep_a_mount(fs: MountedFileSystem, kind: str) -> None:
    if kind == "handle":
        opened: Any = fs.posix.open_handle("/m/deep/f", os.O_RDWR)
    elif kind == "nodes handle":
        nodes = fs.posix.nodes
        opened = nodes.open(node_at(nodes, "/m/deep/f"), os.O_RDWR)
    else:
        opened = fs.open("/m/deep/f", kind)
    with fails_with(errno.EBUSY, "/m/deep"):
        fs.unmount("/m/deep")
    opened.close()
    if kind == "nodes handle":
        del opened
    fs.unmount("/m/deep")


def test_a_file_that_is_forgotten_keeps_nothing(fs: MountedFileSystem) -> None:
    opened = fs.open("/m/deep/f", "rb")
    handle = fs.posix.open_handle("/m/deep/f")
    with fails_with(errno.EBUSY):
        fs.unmount("/m/deep")
    del opened, handle
    gc.collect()
    fs.unmount("/m/deep")


def test_forced_open_files_go_on(fs: MountedFileSystem) -> None:
    with fs.open("/m/deep/f", "rb") as file, fs.open("/m/deep/new", "wb") as new:
        new.write(b"published all the same")
        fs.unmount("/m/deep", force=True)
        assert file.read() == b"deep"
        assert not fs.exists("/m/deep/f")
    assert fs.find("/m/deep") == []


def test_a_transaction_keeps_its_mounts(fs: MountedFileSystem) -> None:
    with fs.transaction:
        with fails_with(errno.EBUSY, "/m/deep"):
            fs.unmount("/m/deep")
        fs.pipe_file("/m/deep/g", b"1")
    fs.unmount("/m/deep")


def test_what_was_remembered_of_paths_is_forgotten(fs: MountedFileSystem) -> None:
    fs.pipe_file("/x/y/f", b"below")
    assert [fs.cat_file("/x/y/f") for _ in range(3)] == [b"below"] * 3
    read = fs.posix.reader("/x/y")
    assert read("f") == b"below"
    with stores(1) as [name]:
        fs.mount("/x/y", chukmem(name))
        with fails_with(errno.ENOENT, "/x/y/f"):
            fs.cat_file("/x/y/f")
        assert read("f") is None
        fs.pipe_file("/x/y/f", b"above")
        assert [fs.cat_file("/x/y/f") for _ in range(3)] == [b"above"] * 3
        above = fs.posix.reader("/x/y")
        fs.unmount("/x/y")
        assert above("f") is None
    assert [fs.cat_file("/x/y/f") for _ in range(3)] == [b"below"] * 3
    assert fs.posix.nofollow.cat_file("/x/y/f") == b"below"


def test_a_reader_shows_nothing_that_is_covered(fs: MountedFileSystem) -> None:
    fs.unmount("/m/deep")
    fs.pipe({"/m/deep": b"a file", "/m/other": b"seen"})
    with stores(1) as [name]:
        fs.mount("/m/deep", chukmem(name))
        read = fs.posix.reader("/m")
        assert (read("deep"), read("other"), read("missing")) == (None, b"seen", None)
        fs.mount("/on/the/way", chukmem(name))
        assert fs.posix.reader("/on/the/way")("x") is None


def test_the_view_without_links_has_the_same_table(fs: MountedFileSystem) -> None:
    view = fs.posix.nofollow
    with stores(1) as [name]:
        fs.mount("/new", chukmem(name))
        view.pipe_file("/new/f", b"1")
        assert fs.cat_file("/new/f") == b"1"
        with view.open("/new/f", "rb"), fails_with(errno.EBUSY):
            fs.unmount("/new")
        fs.unmount("/new")
        assert not view.exists("/new")


def test_others_go_on_while_mounts_come_and_go(fs: MountedFileSystem) -> None:
    fs.pipe({f"/stays/{number}": b"%d" % number for number in range(20)})
    fs.pipe_file("/comes/f", b"below")
    over = threading.Event()
    with stores(1) as [name]:
        fs.mount("/comes", chukmem(name))
        fs.pipe_file("/comes/f", b"above")

        def work(number: int) -> int:
            if number == 0:
                for _ in range(150):
                    fs.unmount("/comes", force=True)
                    fs.mount("/comes", chukmem(name))
                    fs.mount("/stays/in", "chukmem")
                    with suppress(OSError):
                        fs.unmount("/stays/in")
                    with suppress(OSError):
                        fs.unmount("/stays/in", force=True)
                over.set()
                return 0
            rounds = 0
            while not over.is_set():
                rounds += 1
                assert fs.cat_file(f"/stays/{rounds % 20}") == b"%d" % (rounds % 20)
                assert fs.cat_file("/comes/f") in (b"below", b"above")
                assert {f"/stays/{one}" for one in range(20)} <= set(fs.find("/stays"))
                assert fs.isdir("/comes")
                with fs.open("/stays/1", "rb") as file:
                    assert file.read() == b"1"
            return rounds

        assert all(rounds > 0 for rounds in in_threads(4, work)[1:])
        assert fs.cat_file("/comes/f") == b"above"


def test_threads_mount_in_one_tree() -> None:
    fs = MountedFileSystem()
    with stores(8) as names:

        def work(number: int) -> None:
            for step in range(30):
                fs.mount(f"/{number}/{step}", chukmem(names[number], capacity=0))
                fs.pipe_file(f"/{number}/{step}/f", b"%d" % step)
            for step in range(0, 30, 2):
                fs.unmount(f"/{number}/{step}")

        in_threads(8, work)
        assert len(fs.list_mounts()) == 8 * 15
        assert files_below(fs, "").keys() == {f"{n}/{step}/f" for n in range(8) for step in range(1, 30, 2)}
