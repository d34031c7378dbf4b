"""What chuklocal is opened with: roots, URLs, chains, pickles, and options that change what it does."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.testing.checks import failing, fails_with

# ---- the root


def test_a_root_by_option(tmp_path):
    (tmp_path / "a.txt").write_text("content")
    with fsspec.open("chuklocal://a.txt", root=str(tmp_path)) as file:
        assert file.read() == b"content"
    fs, path = url_to_fs("chuklocal://d/b.txt", root=str(tmp_path))
    assert (type(fs), path) == (LocalFileSystem, "/d/b.txt")
    fs.pipe_file(path, b"new")
    assert (tmp_path / "d" / "b.txt").read_bytes() == b"new"


def test_a_root_by_chained_url(tmp_path):
    (tmp_path / "a.txt").write_text("content")
    url = f"chuklocal://a.txt::file://{tmp_path}"
    with fsspec.open(url) as file:
        assert file.read() == b"content"
    with fsspec.open_files(f"chuklocal://*.txt::file://{tmp_path}", "r") as files:
        assert [file.read() for file in files] == ["content"]
    first, path = url_to_fs(url)
    assert path == "/a.txt"
    again, _ = url_to_fs(f"chuklocal://other::file://{tmp_path}")
    assert again is first
    other, _ = url_to_fs(f"chuklocal://a.txt::file://{tmp_path.parent}")
    assert other is not first


def test_a_root_may_be_a_path_object(tmp_path):
    fs = LocalFileSystem(tmp_path)
    fs.pipe_file("/a", b"1")
    assert (tmp_path / "a").read_bytes() == b"1"
    assert AbstractFileSystem.from_json(fs.to_json()).cat_file("/a") == b"1"


def test_a_chained_filesystem_comes_back_from_pickle_and_json(tmp_path):
    fs, _ = url_to_fs(f"chuklocal://a::file://{tmp_path}")
    fs.pipe_file("/a", b"1")
    for again in (pickle.loads(pickle.dumps(fs)), AbstractFileSystem.from_json(fs.to_json())):
        assert again == fs
        assert again.cat_file("/a") == b"1"


def test_it_works_in_another_process(tmp_path):
    fs = LocalFileSystem(root=str(tmp_path))
    program = "import pickle, sys; pickle.loads(sys.stdin.buffer.read()).pipe_file('/from-child', b'1')"
    subprocess.run([sys.executable, "-c", program], input=pickle.dumps(fs), check=True)
    assert fs.cat_file("/from-child") == b"1"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({}, "root="),
        ({"root": "relative/path"}, "absolute"),
        ({"root": "~"}, "absolute"),
        ({"root": "/a", "fo": "/b"}, "one directory"),
        ({"fo": "/a", "target_protocol": "memory"}, "memory"),
    ],
)
def test_a_bad_root_is_refused_with_what_to_do(options, word):
    with pytest.raises(ValueError, match=word):
        LocalFileSystem(**options)


def test_a_missing_root_is_refused_unless_it_is_to_be_made(tmp_path):
    root = tmp_path / "new" / "root"
    with fails_with(errno.ENOENT):
        LocalFileSystem(root=str(root))
    fs = LocalFileSystem(root=str(root), create=True)
    assert fs.ls("/") == []
    (tmp_path / "file").touch()
    with fails_with(errno.ENOTDIR):
        LocalFileSystem(root=str(tmp_path / "file"))
    with fails_with(errno.EEXIST):
        LocalFileSystem(root=str(tmp_path / "file"), create=True)


def test_a_root_that_is_removed_and_made_again_is_found(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    fs = LocalFileSystem(root=str(root))
    fs.pipe_file("/old", b"")
    shutil.rmtree(root)
    assert not fs.exists("/old")
    root.mkdir()
    (root / "new").write_bytes(b"1")
    assert fs.ls("/", detail=False) == ["/new"]
    assert fs.cat_file("/new") == b"1"


def test_a_root_that_is_moved_stays_the_root(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    fs = LocalFileSystem(root=str(root))
    root.rename(tmp_path / "moved")
    fs.pipe_file("/a", b"1")
    assert (tmp_path / "moved" / "a").read_bytes() == b"1"


def test_two_roots_are_two_filesystems(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    a, b = (LocalFileSystem(root=str(tmp_path / name)) for name in "ab")
    a.pipe_file("/f", b"1")
    assert not b.exists("/f")
    assert a.fsid != b.fsid
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert LocalFileSystem(root=str(tmp_path / "link")).fsid == a.fsid
    assert LocalFileSystem(root=str(tmp_path / "link")).cat_file("/f") == b"1"


def test_a_fork_goes_on(tmp_path):
    fs = LocalFileSystem(root=str(tmp_path))
    fs.pipe_file("/a", b"1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other tests may have left threads behind
        child = os.fork()
    if not child:
        fs.pipe_file("/b", fs.cat_file("/a"))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert fs.cat_file("/b") == b"1"


# ---- reading only

CHANGES: dict[str, Callable[[LocalFileSystem], Any]] = {
    "pipe_file": lambda fs: fs.pipe_file("/new", b""),
    "open wb": lambda fs: fs.open("/f", "wb"),
    "open ab": lambda fs: fs.open("/f", "ab"),
    "open r+b": lambda fs: fs.open("/f", "r+b"),
    "touch": lambda fs: fs.touch("/new"),
    "touch old": lambda fs: fs.touch("/f", truncate=False),
    "cp_file": lambda fs: fs.cp_file("/f", "/new"),
    "mkdir": lambda fs: fs.mkdir("/new"),
    "makedirs": lambda fs: fs.makedirs("/new/below"),
    "rm": lambda fs: fs.rm("/f"),
    "rm -r": lambda fs: fs.rm("/d", recursive=True),
    "rm_file": lambda fs: fs.rm_file("/f"),
    "rmdir": lambda fs: fs.rmdir("/d"),
    "mv": lambda fs: fs.mv("/f", "/new"),
    "posix.symlink": lambda fs: fs.posix.symlink("f", "/new"),
    "posix.link": lambda fs: fs.posix.link("/f", "/new"),
    "posix.mkdir": lambda fs: fs.posix.mkdir("/new"),
    "posix.mknod": lambda fs: fs.posix.mknod("/new", stat.S_IFREG),
    "posix.rename": lambda fs: fs.posix.rename("/f", "/new"),
    "posix.unlink": lambda fs: fs.posix.unlink("/f"),
    "posix.rmdir": lambda fs: fs.posix.rmdir("/d"),
    "posix.chmod": lambda fs: fs.posix.chmod("/f", 0),
    "posix.chown": lambda fs: fs.posix.chown("/f", -1, -1),
    "posix.utime": lambda fs: fs.posix.utime("/f"),
    "posix.truncate": lambda fs: fs.posix.truncate("/f", 0),
    "posix.setxattr": lambda fs: fs.posix.setxattr("/f", "user.a", b""),
    "posix.removexattr": lambda fs: fs.posix.removexattr("/f", "user.a"),
    "posix.open_handle": lambda fs: fs.posix.open_handle("/f", os.O_RDWR),
    "posix.open_handle trunc": lambda fs: fs.posix.open_handle("/f", os.O_TRUNC),
    "posix.open_handle creat": lambda fs: fs.posix.open_handle("/new", os.O_CREAT),
    "posix.open_handle tmpfile": lambda fs: fs.posix.open_handle("/", os.O_TMPFILE | os.O_RDWR),
    "nodes.create": lambda fs: fs.posix.nodes.create(fs.posix.nodes.root, "new", stat.S_IFREG, 0, 0),
    "nodes.unlink": lambda fs: fs.posix.nodes.unlink(fs.posix.nodes.root, "f"),
    "nodes.setattr": lambda fs: fs.posix.nodes.setattr(fs.posix.nodes.root, mode=0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_read_only_refuses_every_change(tmp_path, change):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_bytes(b"content")
    before = os.stat(tmp_path / "f")
    fs = LocalFileSystem(root=str(tmp_path), read_only=True)
    assert not fs.capabilities.write
    with fails_with(errno.EROFS):
        CHANGES[change](fs)
    assert sorted(os.listdir(tmp_path)) == ["d", "f"]
    assert os.stat(tmp_path / "f")[:9] == before[:9]
    assert fs.cat_file("/f") == b"content"
    assert fs.posix.nofollow.read_only


# ---- other options


def test_auto_mkdir_can_be_left_out(tmp_path):
    fs = LocalFileSystem(root=str(tmp_path), auto_mkdir=False)
    for act in (
        lambda: fs.pipe_file("/d/f", b""),
        lambda: fs.open("/d/f", "wb"),
        lambda: fs.open("/d/f", "ab"),
        lambda: fs.open("/d/f", "xb"),
    ):
        with fails_with(errno.ENOENT, "/d/f"):
            act()
    fs.pipe_file("/f", b"")
    with fails_with(errno.ENOENT, "/f", "/d/f"):
        fs.mv("/f", "/d/f")
    assert os.listdir(tmp_path) == ["f"]


def test_the_umask_counts_for_what_is_made(tmp_path):
    fs = LocalFileSystem(root=str(tmp_path))
    old = os.umask(0o077)
    try:
        fs.pipe_file("/private", b"")
        fs.mkdir("/d")
        with fs.open("/written", "wb") as file:
            file.write(b"x")
    finally:
        os.umask(old)
    assert [stat.S_IMODE(os.stat(tmp_path / name).st_mode) for name in ("private", "d", "written")] == [
        0o600,
        0o700,
        0o600,
    ]


def test_it_shows_no_path_of_the_host(tmp_path):
    root = tmp_path / "work"
    root.mkdir()
    fs = LocalFileSystem(root=str(root))
    assert repr(fs) == "LocalDirectoryFileSystem('work')"
    assert repr(fs.posix.nofollow) == "LocalDirectoryFileSystem('work', follow_links=False)"
    assert str(tmp_path) not in fs._repr_html_()


def test_the_view_that_follows_no_links_has_the_same_root(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    fs = LocalFileSystem(root=str(root))
    root.rename(tmp_path / "moved")
    root.mkdir()
    fs.pipe_file("/a", b"1")
    assert fs.posix.nofollow.cat_file("/a") == b"1"


@pytest.mark.skipif(sys.platform == "win32", reason="this is how it is on Windows")
def test_a_system_without_openat_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "supports_dir_fd", set())
    with fails_with(errno.ENOTSUP):
        LocalFileSystem(root=str(tmp_path))


def test_a_file_of_a_transaction_appears_at_its_end(tmp_path):
    fs = LocalFileSystem(root=str(tmp_path))
    with fs.transaction:
        fs.pipe_file("/a", b"1")
        with fs.open("/d/b", "wb") as file:
            file.write(b"2")
        assert os.listdir(tmp_path) == []
    assert fs.cat_file("/a") + fs.cat_file("/d/b") == b"12"
    with failing(fs.transaction):
        fs.pipe_file("/a", b"lost")
    assert fs.cat_file("/a") == b"1"
    assert sorted(os.listdir(tmp_path)) == ["a", "d"]
