"""Nothing leads out of the root: no path, no link, and no exchange of the two at the wrong moment."""

from __future__ import annotations

import errno
import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

if sys.platform != "linux":
    pytest.skip("links and exchanges are made as Linux makes them", allow_module_level=True)

from chuk_fsspec.backends.local import LocalFileSystem
from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.testing.checks import fails_with, in_threads
from tests.local.local_ways import SECRET, Outside, exchanging, fs, outside, way

__all__ = ["fs", "outside", "way"]
pytestmark = pytest.mark.usefixtures("way")


# ---- links that point out

# Each with what {out} is: the absolute path of the outside on the host.
WAYS_OUT = [
    "{out}/secret",
    "{out}",
    "../outside/secret",
    "../outside",
    "../../../../../../../..{out}/secret",
    "/../../..{out}/secret",
    "/proc/self/root{out}/secret",
    "/proc/self/cwd",
    "/etc/passwd",
    "d/../../outside/secret",
]

ACTS: dict[str, Callable[[LocalFileSystem, str], Any]] = {
    "cat_file": lambda fs, path: fs.cat_file(path),
    "cat_range": lambda fs, path: fs.cat_file(path, start=0, end=10),
    "cat": lambda fs, path: fs.cat(path),
    "open rb": lambda fs, path: fs.open(path, "rb").read(),
    "open wb": lambda fs, path: fs.open(path, "wb").close(),
    "open ab": lambda fs, path: fs.open(path, "ab").close(),
    "open r+b": lambda fs, path: fs.open(path, "r+b").close(),
    "pipe_file": lambda fs, path: fs.pipe_file(path, b"x"),
    "create": lambda fs, path: fs.pipe_file(path, b"x", mode="create"),
    "touch": lambda fs, path: fs.touch(path),
    "cp_file from": lambda fs, path: fs.cp_file(path, "/copy"),
    "cp_file to": lambda fs, path: fs.cp_file("/mine", path),
    "mv from": lambda fs, path: fs.mv(path, "/moved"),
    "mv to": lambda fs, path: fs.mv("/mine", path),
    "mkdir": lambda fs, path: fs.mkdir(path),
    "makedirs": lambda fs, path: fs.makedirs(path, exist_ok=True),
    "rmdir": lambda fs, path: fs.rmdir(path),
    "ls": lambda fs, path: fs.ls(path),
    "find": lambda fs, path: [fs.cat_file(found) for found in fs.find(path)],
    "glob": lambda fs, path: fs.glob(f"{path}/*"),
    "rm -r": lambda fs, path: fs.rm(path, recursive=True),
    "stat": lambda fs, path: fs.posix.stat(path),
    "chmod": lambda fs, path: fs.posix.chmod(path, 0o777),
    "chown": lambda fs, path: fs.posix.chown(path, os.getuid(), os.getgid()),
    "utime": lambda fs, path: fs.posix.utime(path),
    "truncate": lambda fs, path: fs.posix.truncate(path, 0),
    "getxattr": lambda fs, path: fs.posix.getxattr(path, "user.a"),
    "setxattr": lambda fs, path: fs.posix.setxattr(path, "user.a", b"x"),
    "link": lambda fs, path: fs.posix.link(path, "/linked"),
    "rename": lambda fs, path: fs.posix.rename("/mine", path),
    "symlink": lambda fs, path: fs.posix.symlink("x", path),
    "mknod": lambda fs, path: fs.posix.mknod(path, 0o644),
    "open_handle": lambda fs, path: fs.posix.open_handle(path).pread(99, 0),
    "open_handle rw": lambda fs, path: fs.posix.open_handle(path, os.O_RDWR).pwrite(b"x", 0),
    "open_handle creat": lambda fs, path: fs.posix.open_handle(path, os.O_RDWR | os.O_CREAT).pwrite(b"x", 0),
    "open_handle trunc": lambda fs, path: fs.posix.open_handle(path, os.O_WRONLY | os.O_TRUNC),
    "open_handle tmpfile": lambda fs, path: fs.posix.open_handle(path, os.O_TMPFILE | os.O_RDWR).pwrite(b"x", 0),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_link_out_leads_nowhere(fs: LocalFileSystem, outside: Outside, act: str) -> None:
    for number, target in enumerate(WAYS_OUT):
        for below in ("", "/secret", "/new"):
            fs.pipe({"/mine": b"mine", "/d/f": b""})
            link = f"/link{number}"
            if not fs.lexists(link):
                fs.posix.symlink(target.format(out=outside.path), link)
            result: Any = None
            try:
                result = ACTS[act](fs, link + below)
            except OSError as error:
                assert_tells_nothing(error, outside)
            assert SECRET not in repr(result).encode()
            outside.assert_untouched()


def test_an_absolute_link_counts_from_the_root(fs: LocalFileSystem, outside: Outside) -> None:
    fs.pipe_file(f"{outside.path}/secret", b"a file of the same path inside")
    fs.posix.symlink(f"{outside.path}/secret", "/link")
    fs.posix.symlink(str(outside.path), "/directory")
    assert fs.cat_file("/link") == b"a file of the same path inside"
    fs.pipe_file("/link", b"changed")
    fs.pipe_file("/directory/new", b"new")
    assert fs.find(str(outside.path)) == [f"{outside.path}/new", f"{outside.path}/secret"]
    assert fs.cat_file(f"{outside.path}/secret") == b"changed"


def test_going_up_stops_at_the_root(fs: LocalFileSystem, outside: Outside) -> None:
    fs.pipe_file("/f", b"content")
    fs.mkdir("/a/b")
    fs.posix.symlink("../../../../f", "/a/b/up")
    fs.posix.symlink("../../../..", "/a/b/top")
    assert fs.cat_file("/a/b/up") == b"content"
    assert fs.cat_file("/a/b/top/f") == b"content"
    assert fs.ls("/a/b/top", detail=False) == ["/a/b/top/a", "/a/b/top/f"]


def test_links_are_named_where_none_is_followed(fs: LocalFileSystem, outside: Outside) -> None:
    fs.posix.symlink(str(outside.path), "/link")
    fs.mkdir("/d")
    fs.posix.symlink("../link", "/d/second")
    view = fs.posix.nofollow
    for path, link in (
        ("/link/secret", "/link"),
        ("/link", "/link"),
        ("/d/second", "/d/second"),
        ("/d/second/x/y", "/d/second"),
    ):
        for act in (view.cat_file, view.exists, view.isdir, view.ls, lambda path: view.pipe_file(path, b"")):
            with pytest.raises(LinkInTheWay) as met:
                act(path)
            assert met.value.filename == link
    assert view.info("/link")["type"] == "link"


def test_a_path_of_the_host_is_a_path_of_the_root(fs: LocalFileSystem, outside: Outside) -> None:
    assert not fs.exists(f"{outside.path}/secret")
    assert not fs.exists("/etc/passwd")
    with fails_with(errno.ENOENT, "/proc/self/environ"):
        fs.cat_file("/proc/self/environ")


# ---- what errors tell


def assert_tells_nothing(error: BaseException | None, outside: Outside) -> None:
    """No path of the host is in an error, or in what led to it; and it has one of the filesystem."""
    assert not isinstance(error, OSError) or error.filename is None or str(error.filename).startswith("/")
    while error is not None:
        text = f"{error} {error!r}"
        assert str(outside.path.parent / "root") not in text
        assert "/proc/self/fd" not in text
        assert ".chuk-tmp" not in text
        error = error.__cause__ or error.__context__


FAILURES: dict[str, Callable[[LocalFileSystem], Any]] = {
    "missing": lambda fs: fs.cat_file("/missing"),
    "missing directory": lambda fs: fs.ls("/missing/d"),
    "a file as a directory": lambda fs: fs.cat_file("/f/below"),
    "a directory as a file": lambda fs: fs.pipe_file("/d", b""),
    "rmdir of a full one": lambda fs: fs.rmdir("/d"),
    "mkdir of an old one": lambda fs: fs.mkdir("/d"),
    "rename": lambda fs: fs.posix.rename("/f", "/d"),
    "mv": lambda fs: fs.mv("/d", "/d/below/x"),
    "link": lambda fs: fs.posix.link("/f", "/d"),
    "symlink": lambda fs: fs.posix.symlink("x", "/f"),
    "chmod": lambda fs: fs.posix.chmod("/missing", 0),
    "getxattr": lambda fs: fs.posix.getxattr("/f", "user.missing"),
    "setxattr": lambda fs: fs.posix.setxattr("/f", "user.x", b"", os.XATTR_REPLACE),
    "truncate": lambda fs: fs.posix.truncate("/d", 0),
    "open_handle": lambda fs: fs.posix.open_handle("/d", os.O_RDWR),
    "create": lambda fs: fs.open("/f", "xb"),
    "loop": lambda fs: fs.cat_file("/loop"),
    "long": lambda fs: fs.pipe_file("/" + "x" * 256, b""),
    "cp": lambda fs: fs.cp_file("/f", "/d"),
    "too large": lambda fs: fs.posix.open_handle("/f", os.O_RDWR).pwrite(b"x", 2**63 - 2),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_errors_name_the_path_inside_and_no_other(fs: LocalFileSystem, outside: Outside, failure: str) -> None:
    fs.pipe({"/f": b"content", "/d/below": b""})
    fs.posix.symlink("loop", "/loop")
    with pytest.raises(OSError) as caught:
        FAILURES[failure](fs)
    assert_tells_nothing(caught.value, outside)
    assert caught.value.filename
    assert caught.value.errno


# ---- races

SECONDS = 0.5


def at_least(seconds: float, is_enough: Callable[[], bool]) -> Iterator[int]:
    """Count for some seconds, and on until it is enough: how far a race gets is up to the machine."""
    end = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < end or not is_enough(), itertools.count())


@pytest.mark.parametrize("nofollow", [False, True], ids=["following", "nofollow"])
def test_a_directory_that_is_swapped_for_a_link_out(
    fs: LocalFileSystem, outside: Outside, nofollow: bool, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    fs.pipe({"/d/secret": b"mine", "/d/d/below": b"mine"})
    (root / "trap").symlink_to(outside.path)
    view = fs.posix.nofollow if nofollow else fs

    def overwrite(step: int) -> None:
        with view.posix.open_handle("/d/secret", os.O_RDWR) as handle:
            handle.pwrite(b"mine", 0)

    reads: list[Callable[[int], Any]] = [
        lambda step: view.cat_file(("/d/secret", "/d/d/below")[step % 2]) == b"mine",
        lambda step: view.posix.open_handle("/d/secret").pread(99, 0) == b"mine",
        lambda step: {view.cat_file(path) for path in view.find("/d") if "secret" in path} <= {b"mine"},
    ]
    writes: list[Callable[[int], Any]] = [
        lambda step: view.pipe_file("/d/secret", b"mine"),
        overwrite,
        lambda step: view.pipe_file(f"/d/new-{step % 5}", b"x"),
        lambda step: view.mv(f"/d/new-{step % 5}", f"/d/moved-{step % 5}"),
        lambda step: view.posix.chmod("/d/secret", 0o600 + step % 8),
        lambda step: view.rm(f"/d/moved-{step % 5}"),
        lambda step: view.makedirs("/d/made/below", exist_ok=True),
        lambda step: view.rm("/d/made", recursive=True),
    ]

    def work(number: int) -> None:
        acts = writes if number % 2 else reads
        done: set[int] = set()
        for step in at_least(SECONDS, lambda: len(done) == len(acts)):
            for index, act in enumerate(acts):
                with suppress(OSError):
                    assert act(step) is not False
                    done.add(index)

    with exchanging(root / "d", root / "trap"):
        in_threads(4, work)
    outside.assert_untouched()


def test_a_tree_is_removed_while_its_directories_become_links(
    fs: LocalFileSystem, outside: Outside, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    (root / "trap").symlink_to(outside.path / "d")
    end = time.monotonic() + 0.5
    with exchanging(root / "tree" / "d", root / "trap"):
        while time.monotonic() < end:
            with suppress(OSError):
                fs.pipe({f"/tree/d/{name}": b"" for name in ("below", "x", "y/z")})
            with suppress(OSError):
                fs.rm("/tree", recursive=True)
    outside.assert_untouched()


def test_an_entry_that_is_a_file_and_a_link_by_turns(fs: LocalFileSystem, outside: Outside, tmp_path: Path) -> None:
    root = tmp_path / "root"
    fs.pipe_file("/f", b"mine")
    (root / "trap").symlink_to(outside.path / "secret")
    end = time.monotonic() + 0.5
    with exchanging(root / "f", root / "trap"):
        while time.monotonic() < end:
            with suppress(OSError):
                assert fs.cat_file("/f") == b"mine"
            with suppress(OSError):
                fs.pipe_file("/f", b"mine")
            with suppress(OSError), fs.posix.open_handle("/f", os.O_WRONLY | os.O_TRUNC) as handle:
                handle.pwrite(b"mine", 0)
            with suppress(OSError):
                fs.posix.chmod("/f", 0o600)
                fs.posix.truncate("/f", 4)
    outside.assert_untouched()


# ---- systems that refuse openat2(2)

# A filter that answers it with an errno, as container runtimes have them, and then the program itself.
FILTERED = """
import ctypes, os, struct, sys
code, root, out = int(sys.argv[1]), sys.argv[2], sys.argv[3]
program = b"".join(struct.pack("HBBI", *parts) for parts in (
    (0x20, 0, 0, 0), (0x15, 0, 1, 437), (0x06, 0, 0, 0x00050000 | code), (0x06, 0, 0, 0x7FFF0000)))
buffer = ctypes.create_string_buffer(program)
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, struct.pack("HxxxxxxQ", 4, ctypes.addressof(buffer)), 0, 0) == 0, ctypes.get_errno()

from chuk_fsspec.backends.local import LocalFileSystem, support
assert not support.has_openat2()
fs = LocalFileSystem(root=root)
fs.pipe_file("/d/f", b"content")
fs.posix.symlink("/d", "/inside")
fs.posix.symlink(out, "/outside")
assert fs.cat_file("/inside/f") == b"content"
assert not fs.exists("/outside/secret")
print("done")
"""


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EPERM])
def test_where_the_kernel_is_not_to_be_asked(way: str, outside: Outside, tmp_path: Path, code: int) -> None:
    if way != "kernel":
        pytest.skip("once is enough")
    (tmp_path / "root").mkdir()
    command = [sys.executable, "-c", FILTERED, str(code), str(tmp_path / "root"), str(outside.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "AssertionError" in done.stderr and "prctl" in done.stderr:
        pytest.skip("this process may set no filter")
    assert done.stdout == "done\n", done.stderr
