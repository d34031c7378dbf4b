"""A whole AgentFS file through every way of reading, and refused to every way of writing."""

from __future__ import annotations

import errno
import json
import os
import pickle
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from chuk_fsspec.backends.agentfs import AgentFileSystem
from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.vfs import open_vfs
from tests.agentfs.agentfs_files import CHUNK, DIRECTORY, THEN, Maker, pattern

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 100_001]


@pytest.fixture
def maker(tmp_path: Path) -> Iterator[Maker]:
    maker = Maker(tmp_path / "agent.db")
    for size in SIZES:
        maker.file(f"size-{size}", pattern(size))
    sub = maker.directory("sub")
    deep = maker.directory("déjà vu", sub)
    maker.file("f.txt", b"one\ntwo\n", deep)
    maker.directory("empty")
    maker.link("to-file", "sub/déjà vu/f.txt")
    maker.link("to-directory", "/sub")
    maker.link("to-nothing", "nowhere")
    maker.link("round", "round")
    maker.entry(sub, "same", maker.file("shared", b"shared"))
    fifo = maker.entry(1, "fifo", maker.inode(stat.S_IFIFO | 0o600))
    device = maker.entry(1, "device", maker.inode(stat.S_IFCHR | 0o620))
    maker.run("UPDATE fs_inode SET rdev = ? WHERE ino = ?", os.makedev(5, 1), device)
    maker.run("UPDATE fs_inode SET uid = 1000, gid = 100, mtime_nsec = 123456789 WHERE ino = ?", fifo)
    yield maker
    maker.close()


@pytest.fixture
def fs(maker: Maker) -> AgentFileSystem:
    return maker.open()


NAMES = sorted(
    ["device", "empty", "fifo", "round", "shared", "sub", "to-directory", "to-file", "to-nothing"]
    + [f"size-{size}" for size in SIZES]
)


def test_listings(fs: AgentFileSystem) -> None:
    assert fs.ls("/", detail=False) == [f"/{name}" for name in NAMES]
    assert [info["name"] for info in fs.ls("sub")] == ["/sub/déjà vu", "/sub/same"]
    assert fs.ls("/empty") == []
    assert fs.find("/sub") == ["/sub/déjà vu/f.txt", "/sub/same"]
    assert sorted(fs.find("/sub", withdirs=True, detail=True)) == [
        "/sub",
        "/sub/déjà vu",
        "/sub/déjà vu/f.txt",
        "/sub/same",
    ]
    assert [(top, directories, sorted(files)) for top, directories, files in fs.walk("/sub")] == [
        ("/sub", ["déjà vu"], ["same"]),
        ("/sub/déjà vu", [], ["f.txt"]),
    ]
    assert fs.glob("/**/*.txt") == ["/sub/déjà vu/f.txt"]
    assert fs.glob("/size-[01]") == ["/size-0", "/size-1"]
    assert fs.du("/sub") == 8 + 6
    assert "déjà vu" in fs.tree("/")


def test_infos(fs: AgentFileSystem) -> None:
    info = fs.info("/size-4097")
    assert (info["type"], info["size"], info["mtime"], info["mode"]) == ("file", 4097, THEN, stat.S_IFREG | 0o644)
    assert fs.info("/")["type"] == fs.info("/sub")["type"] == "directory"
    assert fs.info("/fifo")["type"] == "other"
    assert fs.info("/fifo")["mtime_ns"] == THEN * 10**9 + 123456789
    assert (fs.info("/fifo")["uid"], fs.info("/fifo")["gid"]) == (1000, 100)
    assert fs.info("/shared")["nlink"] == 2
    assert fs.info("/shared")["ino"] == fs.info("/sub/same")["ino"]
    assert os.minor(fs.posix.lstat("/device").st_rdev) == 1
    assert fs.modified("/sub").timestamp() == THEN
    assert fs.ls("/", detail=True) == [fs.info(f"/{name}") for name in NAMES]
    with pytest.raises(FileNotFoundError):
        fs.info("/none")
    with pytest.raises(NotADirectoryError):
        fs.info("/shared/below")


@pytest.mark.parametrize("size", SIZES)
def test_content(fs: AgentFileSystem, size: int) -> None:
    path, data = f"/size-{size}", pattern(size)
    assert fs.cat(path) == data
    edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, size // 2, size - 1, size, size + 5]
    for start in edges:
        for end in [*edges, None, -1]:
            assert fs.cat_file(path, start, end) == data[start:end], (start, end)
    with fs.open(path) as file:
        assert file.size == size
        assert file.read() == data
        file.seek(max(size - 10, 0))
        assert file.read(3) == data[max(size - 10, 0) :][:3]
    with fs.posix.open_handle(path) as handle:
        assert handle.pread(size + 1, 0) == data
        assert handle.pread(10, size) == b""
        assert handle.stat().st_size == size


def test_more_ways_to_read(fs: AgentFileSystem, tmp_path: Path) -> None:
    assert fs.cat_ranges(["/shared", "/size-4097"], [1, 4095], [3, 5000]) == [b"ha", pattern(4097)[4095:]]
    assert fs.cat(["/shared", "/size-1"]) == {"/shared": b"shared", "/size-1": pattern(1)}
    with fs.open("/to-file", "r", encoding="utf-8") as file:
        assert file.readlines() == ["one\n", "two\n"]
    fs.get("/sub", str(tmp_path / "out"), recursive=True)
    assert (tmp_path / "out" / "déjà vu" / "f.txt").read_bytes() == b"one\ntwo\n"
    with pytest.raises(IsADirectoryError):
        fs.cat_file("/sub")
    with pytest.raises(OSError) as caught:
        fs.open("/fifo")
    assert caught.value.errno == errno.EINVAL


def test_links(fs: AgentFileSystem) -> None:
    assert fs.cat("/to-directory/déjà vu/f.txt") == fs.cat("/to-file") == b"one\ntwo\n"
    assert fs.posix.readlink("/to-directory") == "/sub"
    assert fs.info("/to-file")["destination"] == "sub/déjà vu/f.txt"
    assert (fs.info("/to-file")["type"], fs.info("/to-file")["size"]) == ("file", 8)
    assert fs.info("/to-directory")["type"] == "link"
    assert not fs.exists("/to-nothing")
    assert fs.lexists("/to-nothing")
    with pytest.raises(OSError) as caught:
        fs.cat("/round")
    assert caught.value.errno == errno.ELOOP
    with pytest.raises(OSError) as caught:
        fs.posix.readlink("/shared")
    assert caught.value.errno == errno.EINVAL
    plain = fs.posix.nofollow
    with pytest.raises(LinkInTheWay):
        plain.cat("/to-file")
    assert plain.info("/to-file")["type"] == "link"


CHANGES: list[Callable[[Any], Any]] = [
    lambda fs: fs.pipe("/new", b"x"),
    lambda fs: fs.pipe_file("/shared", b"x"),
    lambda fs: fs.pipe_file("/a/b/c", b"x"),
    lambda fs: fs.open("/new", "wb"),
    lambda fs: fs.open("/shared", "ab"),
    lambda fs: fs.open("/shared", "r+b"),
    lambda fs: fs.open("/new", "xb"),
    lambda fs: fs.touch("/new"),
    lambda fs: fs.touch("/shared", truncate=False),
    lambda fs: fs.mkdir("/new"),
    lambda fs: fs.makedirs("/new/er"),
    lambda fs: fs.rmdir("/empty"),
    lambda fs: fs.rm("/shared"),
    lambda fs: fs.rm("/sub", recursive=True),
    lambda fs: fs.mv("/shared", "/new"),
    lambda fs: fs.cp_file("/shared", "/new"),
    lambda fs: fs.put_file(__file__, "/new"),
    lambda fs: fs.posix.symlink("x", "/new"),
    lambda fs: fs.posix.link("/shared", "/new"),
    lambda fs: fs.posix.mkdir("/new"),
    lambda fs: fs.posix.rename("/shared", "/new"),
    lambda fs: fs.posix.unlink("/shared"),
    lambda fs: fs.posix.rmdir("/empty"),
    lambda fs: fs.posix.chmod("/shared", 0o600),
    lambda fs: fs.posix.chown("/shared", 1, 1),
    lambda fs: fs.posix.utime("/shared"),
    lambda fs: fs.posix.truncate("/shared", 1),
    lambda fs: fs.posix.mknod("/new", stat.S_IFIFO | 0o600),
    lambda fs: fs.posix.setxattr("/shared", "user.x", b"x"),
    lambda fs: fs.posix.removexattr("/shared", "user.x"),
    lambda fs: fs.posix.open_handle("/shared", os.O_RDWR),
    lambda fs: fs.posix.open_handle("/shared", os.O_TRUNC),
    lambda fs: fs.posix.open_handle("/new", os.O_CREAT | os.O_WRONLY),
]


@pytest.mark.parametrize("number", range(len(CHANGES)))
def test_every_change_is_refused(fs: AgentFileSystem, maker: Maker, number: int) -> None:
    before = fs.find("/", withdirs=True, detail=True)
    with pytest.raises(OSError) as caught:
        CHANGES[number](fs)
    assert caught.value.errno == errno.EROFS
    assert fs.find("/", withdirs=True, detail=True) == before
    assert maker.run("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_transaction_that_only_reads(fs: AgentFileSystem) -> None:
    with fs.transaction:
        assert fs.cat("/shared") == b"shared"
    with pytest.raises(OSError), fs.transaction:
        fs.pipe("/new", b"x")
    assert fs.cat("/shared") == b"shared"


def test_nodes(fs: AgentFileSystem) -> None:
    nodes = open_vfs(fs)
    assert not nodes.announces
    assert [name for name, _ in nodes.entries(nodes.root)][:2] == ["size-0", "size-1"]
    shared = nodes.lookup(nodes.root, "shared")
    assert shared is not None
    assert not shared.announced
    assert b"".join(nodes.read(shared, 100, 0)) == b"shared"
    assert nodes.getattr(shared).nlink == 2
    assert nodes.lookup(nodes.root, "..") is None
    assert nodes.lookup(nodes.root, "x" * 255) is None
    link = nodes.lookup(nodes.root, "to-file")
    assert link is not None
    assert nodes.readlink(link) == "sub/déjà vu/f.txt"
    with pytest.raises(NotADirectoryError):
        nodes.lookup(shared, "x")
    statvfs = nodes.statvfs()
    assert (statvfs.blocks_free, statvfs.files_free) == (0, 0)
    assert nodes.seek(shared, 0, os.SEEK_HOLE) == 6
    for change in (
        lambda: nodes.create(nodes.root, "n", stat.S_IFREG, 0, 0),
        lambda: nodes.mkdir(nodes.root, "n", 0o700, 0, 0),
        lambda: nodes.write(shared, b"x", 0),
        lambda: nodes.append(shared, b"x"),
        lambda: nodes.setattr(shared, size=0),
        lambda: nodes.allocate(shared, 0, 10, 0),
        lambda: nodes.temporary(nodes.root, 0o600, 0, 0),
        lambda: nodes.unlink(nodes.root, "shared"),
        lambda: nodes.open(shared, os.O_WRONLY),
    ):
        with pytest.raises(OSError) as caught:
            change()
        assert caught.value.errno == errno.EROFS


def test_holes_and_their_edges(maker: Maker, fs: AgentFileSystem) -> None:
    ino = maker.file("sparse", pattern(CHUNK))
    maker.run("INSERT INTO fs_data VALUES (?, 5, ?)", ino, b"tail")
    maker.run("UPDATE fs_inode SET size = ? WHERE ino = ?", 10 * CHUNK, ino)
    assert fs.cat("/sparse") == pattern(CHUNK) + bytes(4 * CHUNK) + b"tail" + bytes(5 * CHUNK - 4)
    nodes = fs.posix.nodes
    node = nodes.lookup(nodes.root, "sparse")
    assert node is not None
    assert nodes.seek(node, 10, os.SEEK_HOLE) == CHUNK
    assert nodes.seek(node, CHUNK + 1, os.SEEK_DATA) == 5 * CHUNK
    with pytest.raises(OSError) as caught:
        nodes.seek(node, 6 * CHUNK, os.SEEK_DATA)
    assert caught.value.errno == errno.ENXIO


# ---- how it is opened


def test_chained_urls(maker: Maker, fs: AgentFileSystem) -> None:
    with fsspec.open(f"chukagentfs://sub/same::file://{maker.path}") as file:
        assert file.read() == b"shared"
    found, path = fsspec.core.url_to_fs(f"chukagentfs://sub::file://{maker.path}")
    assert found.ls(path) == fs.ls("/sub")
    assert found.fsid == fs.fsid


def test_pickles_and_json(fs: AgentFileSystem) -> None:
    again = pickle.loads(pickle.dumps(fs))
    assert again.cat("/shared") == b"shared"
    decoded = fsspec.AbstractFileSystem.from_json(fs.to_json())
    assert decoded.cat("/shared") == b"shared"
    assert "agent.db" in json.loads(fs.to_json())["database"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "needs one database"),
        ({"database": "agent.db"}, "absolute"),
        ({"database": "/a", "fo": "/b"}, "needs one database"),
        ({"fo": "/a", "target_protocol": "s3"}, "file of this machine"),
    ],
)
def test_arguments_are_checked(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        AgentFileSystem(**options)


def test_missing_files_show_no_host_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        AgentFileSystem(database=str(tmp_path / "none.db"))
    assert str(tmp_path) not in str(caught.value)
    assert "none.db" in str(caught.value)
    with pytest.raises(IsADirectoryError):
        AgentFileSystem(database=str(tmp_path))


def test_many_threads_read_at_once(maker: Maker, fs: AgentFileSystem) -> None:
    problems: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(20):
                for size in SIZES:
                    assert fs.cat(f"/size-{size}") == pattern(size)
                found = fs.find("/")
                assert len(found) == len(set(found)) >= 14
        except BaseException as error:  # noqa: BLE001 - handed to the test
            problems.append(error)

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(20):
        maker.file(f"more-{number}", b"x")
    for thread in threads:
        thread.join()
    assert not problems


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_reads_with_a_connection_of_its_own(maker: Maker, fs: AgentFileSystem) -> None:
    assert fs.cat("/shared") == b"shared"
    pid = os.fork()
    if not pid:
        os._exit(0 if fs.cat("/shared") == b"shared" and fs.cat("/size-4097") == pattern(4097) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    maker.content(maker.run("SELECT ino FROM fs_dentry WHERE name = 'shared'").fetchone()[0], b"other")
    assert fs.cat("/shared") == b"other"


def test_a_deep_path_and_a_wide_directory(maker: Maker, fs: AgentFileSystem) -> None:
    parent = 1
    maker.run("BEGIN")
    for _ in range(200):
        parent = maker.directory("d", parent)
    maker.file("bottom", b"deep", parent)
    wide = maker.directory("wide")
    for number in range(3000):
        maker.entry(wide, f"{number:04}", maker.inode(DIRECTORY if number % 100 == 0 else stat.S_IFREG | 0o644))
    maker.run("COMMIT")
    assert fs.cat("/" + "d/" * 200 + "bottom") == b"deep"
    assert len(fs.ls("/wide")) == 3000
    assert len(fs.find("/wide")) == 2970
