"""Symbolic links in a tree of mounts: absolute ones count from the root of the tree, and any may lead across."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.errors import LinkInTheWay, os_error
from chuk_fsspec.forwarding.links import through_links
from chuk_fsspec.mounted import MountedFileSystem
from chuk_fsspec.testing.checks import fails_with, files_below, meets_link, names_below
from tests.mounted.mounted_trees import chukmem, stores, tree


@pytest.fixture
def fs() -> Iterator[MountedFileSystem]:
    with tree("/", "/m", "/m/deep", "/other") as (fs, _):
        fs.pipe({"/f": b"root", "/d/f": b"in d", "/m/f": b"in m", "/m/d/e/f": b"in e", "/m/deep/f": b"in deep"})
        yield fs


@pytest.mark.parametrize(
    ("link", "target", "content"),
    [
        ("/l", "/m/f", b"in m"),
        ("/l", "m/f", b"in m"),
        ("/l", "./m/../m/deep/f", b"in deep"),
        ("/m/l", "/f", b"root"),
        ("/m/l", "../f", b"root"),
        ("/m/l", "../../../../f", b"root"),
        ("/m/l", "f", b"in m"),
        ("/m/l", "/m/d/e/../../f", b"in m"),
        ("/m/d/l", "../deep/../../d/f", b"in d"),
        ("/m/deep/l", "..//f", b"in m"),
        ("/m/deep/l", "../d/e/./f", b"in e"),
        ("/other/l", "/m/deep/f", b"in deep"),
    ],
)
def test_where_a_link_leads(fs: MountedFileSystem, link: str, target: str, content: bytes) -> None:
    fs.posix.symlink(target, link)
    assert fs.posix.readlink(link) == target
    assert fs.cat_file(link) == content
    assert fs.isfile(link)
    info = fs.info(link)
    assert (info["name"], info["type"], info["size"]) == (link, "file", len(content))
    assert (info["islink"], info["destination"]) == (True, target)
    assert info in fs.ls(link.rpartition("/")[0] or "/")
    assert fs.find(link, detail=True) == {link: info}
    assert fs.ls(link) == [info]
    with fs.open(link, "rb") as file:
        assert file.read() == content
    assert fs.posix.stat(link).st_size == len(content)
    assert fs.cat([link, "/f"]) == {link: content, "/f": b"root"}
    fs.pipe_file(link, b"through the link")
    assert [path for path, data in files_below(fs, "").items() if data == b"through the link"] != []
    assert fs.posix.readlink(link) == target
    with meets_link(link):
        fs.posix.nofollow.cat_file(link)


def test_directories_behind_links(fs: MountedFileSystem) -> None:
    fs.posix.symlink("/m", "/other/m")
    fs.posix.symlink("m/d", "/other/down")
    fs.posix.symlink("../deep", "/m/d/deep")
    assert fs.cat_file("/other/m/f") == b"in m"
    assert fs.cat_file("/other/m/deep/f") == b"in deep"
    assert fs.cat_file("/other/down/e/f") == b"in e"
    assert fs.cat_file("/other/down/deep/f") == b"in deep"
    assert fs.ls("/other/m", detail=False) == ["/other/m/d", "/other/m/deep", "/other/m/f"]
    assert fs.find("/other/m") == ["/other/m/d/deep", "/other/m/d/e/f", "/other/m/deep/f", "/other/m/f"]
    assert fs.info("/other/m/d")["name"] == "/other/m/d"
    assert (fs.info("/other/m")["type"], fs.info("/other/down")["type"]) == ("link", "link")
    assert names_below(fs, "/other") == ["down", "m"]
    fs.pipe_file("/other/down/e/new", b"1")
    fs.mkdir("/other/m/deep/made")
    fs.posix.mkdir("/other/down/deep/made/too", 0o700)
    assert fs.isdir("/m/deep/made/too")
    assert fs.cat_file("/m/d/e/new") == b"1"
    fs.rm("/other/down/e", recursive=True)
    assert not fs.exists("/m/d/e")
    with fails_with(errno.EBUSY):
        fs.rm("/other/m/deep", recursive=True)


def test_two_paths_through_links(fs: MountedFileSystem) -> None:
    fs.posix.symlink("/m/d", "/to-d")
    fs.posix.symlink("/other", "/m/to-other")
    fs.posix.rename("/to-d/e/f", "/m/d/f")
    with fails_with(errno.EXDEV, "/to-d/f", "/d/g"):
        fs.posix.rename("/to-d/f", "/d/g")
    with fails_with(errno.EXDEV, "/to-d/f", "/m/to-other/f"):
        fs.posix.link("/to-d/f", "/m/to-other/f")
    fs.posix.link("/to-d/f", "/m/linked")
    fs.mv("/to-d/f", "/m/to-other/f")
    assert fs.cat_file("/other/f") == b"in e"
    fs.cp_file("/m/to-other/f", "/to-d/copied")
    assert fs.cat_file("/m/d/copied") == fs.cat_file("/m/linked") == b"in e"
    fs.mv("/to-d", "/other/moved")
    assert fs.posix.readlink("/other/moved") == "/m/d"
    assert fs.isdir("/m/d")


def test_loops_and_dead_ends(fs: MountedFileSystem) -> None:
    fs.posix.symlink("/m/b", "/a")
    fs.posix.symlink("/a", "/m/b")
    fs.posix.symlink("/m/missing", "/nowhere")
    fs.posix.symlink("/f/x", "/through-a-file")
    fs.posix.symlink("/f/../f", "/up-from-a-file")
    fs.posix.symlink("/m/missing/../f", "/up-from-nothing")
    fs.posix.symlink("f/", "/a-file-with-a-slash")
    for path, code in (
        ("/a", errno.ELOOP),
        ("/a/x", errno.ELOOP),
        ("/nowhere", errno.ENOENT),
        ("/through-a-file", errno.ENOTDIR),
        ("/up-from-a-file", errno.ENOTDIR),
        ("/up-from-nothing", errno.ENOENT),
        ("/a-file-with-a-slash", errno.ENOTDIR),
    ):
        with fails_with(code, path):
            fs.cat_file(path)
        assert not fs.exists(path)
        assert not fs.isfile(path)
        if "x" not in path:
            assert fs.lexists(path)
            assert fs.info(path)["type"] == "link"
    assert len(fs.ls("/")) == 10
    fs.pipe_file("/nowhere", b"made through it")
    assert fs.cat_file("/m/missing") == b"made through it"


def test_forty_links_across_mounts(fs: MountedFileSystem) -> None:
    for number in range(41):
        here, there = ("/m", "/other") if number % 2 else ("/other", "/m")
        fs.posix.symlink(f"{there}/{number - 1}" if number else "/f", f"{here}/{number}")
    assert fs.cat_file("/m/39") == b"root"
    with fails_with(errno.ELOOP, "/other/40"):
        fs.cat_file("/other/40")


def test_a_link_shows_what_a_new_mount_covers(fs: MountedFileSystem) -> None:
    fs.posix.symlink("/m/d/e", "/l")
    assert fs.cat_file("/l/f") == b"in e"
    with stores(1) as [name]:
        fs.mount("/m/d", chukmem(name))
        assert not fs.exists("/l/f")
        fs.pipe_file("/m/d/e/f", b"in the new one")
        assert fs.cat_file("/l/f") == b"in the new one"
        fs.unmount("/m/d")
    assert fs.cat_file("/l/f") == b"in e"


def test_links_stay_inside_a_root(fs: MountedFileSystem) -> None:
    """Only a part of a store is mounted: its links lead to places of the tree, never to the rest of the store."""
    with stores(1) as [name]:
        store = MemoryFileSystem(name)
        store.pipe({"/secret": b"outside", "/part/f": b"inside"})
        for number, target in enumerate(["../secret", "/secret", "../../secret", "x/../../secret"]):
            store.posix.symlink(target, f"/part/l{number}")
        store.mkdir("/part/x")
        fs.mount("/p", {**chukmem(name), "root": "/part"})
        for number in range(4):
            with fails_with(errno.ENOENT, f"/p/l{number}"):
                fs.cat_file(f"/p/l{number}")
            with pytest.raises(OSError):
                fs.posix.nofollow.cat_file(f"/p/l{number}")
        fs.pipe_file("/secret", b"of the tree")
        assert {fs.cat_file(f"/p/l{number}") for number in range(4)} == {b"of the tree"}
        assert store.cat_file("/secret") == b"outside"


# ---- the resolver by itself


def test_an_operation_without_links_runs_once() -> None:
    calls: list[str] = []
    assert through_links(calls.append, "/a", readlink=_never, is_directory=_never) is None
    assert calls == ["/a"]


def test_each_path_has_its_own_links() -> None:
    links = {"/l": "/real"}

    def operation(one: str, other: str) -> tuple[str, str]:
        for path in (one, other):
            if path.startswith("/l/"):
                raise LinkInTheWay(errno.ELOOP, "links", "/l")
        return one, other

    found = through_links(operation, "/l", "/l/x", readlink=links.__getitem__, is_directory=_never)
    assert found == ("/l", "/real/x")  # the first is the link itself, which was not in the way


def test_a_link_that_vanishes_is_asked_for_again() -> None:
    seen: list[str] = []

    def operation(path: str) -> str:
        seen.append(path)
        if len(seen) == 1:
            raise LinkInTheWay(errno.ELOOP, "links", "/l")
        return path

    def readlink(path: str) -> str:
        raise os_error(errno.EINVAL, path)

    assert through_links(operation, "/l/x", readlink=readlink, is_directory=_never) == "/l/x"


def test_a_link_that_nobody_asked_about_is_an_error() -> None:
    def operation(path: str) -> None:
        raise LinkInTheWay(errno.ELOOP, "links", "/elsewhere")

    with pytest.raises(LinkInTheWay):
        through_links(operation, "/a", readlink=_never, is_directory=_never)


def _never(path: str) -> Any:
    raise AssertionError(path)
