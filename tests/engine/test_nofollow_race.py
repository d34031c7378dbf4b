"""Somebody swaps a directory for a link, and files in it too; whoever uses ``posix.nofollow`` never gets behind one."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from chuk_fsspec.backends.memory import MemoryFileSystem
from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.contract.posix import RENAME_EXCHANGE
from chuk_fsspec.testing.checks import in_threads

SECONDS = 0.5
SECRET = b"SECRET from outside"
INSIDE = b"inside"

Act = Callable[[MemoryFileSystem, str], Any]


@pytest.fixture
def often() -> Iterator[None]:
    """Threads change every few microseconds."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


def by_reader(fs: MemoryFileSystem, below: str) -> Any:
    read = fs.posix.reader(below)
    return SECRET if SECRET in [read("f") for _ in range(5)] else INSIDE


def by_handle(fs: MemoryFileSystem, below: str) -> Any:
    with fs.posix.open_handle(f"{below}/f") as handle:
        return handle.pread(100, 0)


def by_file(fs: MemoryFileSystem, below: str) -> Any:
    with fs.open(f"{below}/f") as file:
        return file.read()


READERS: dict[str, Act] = {
    "cat_file": lambda fs, below: fs.cat_file(f"{below}/f"),
    "open": by_file,
    "handle": by_handle,
    "reader": by_reader,
    "info": lambda fs, below: SECRET if fs.info(f"{below}/f")["size"] == len(SECRET) else INSIDE,
    "exists": lambda fs, below: SECRET if fs.exists(f"{below}/only-outside") else INSIDE,
    "ls": lambda fs, below: SECRET if f"{below}/only-outside" in fs.ls(below, detail=False) else INSIDE,
    "find": lambda fs, below: SECRET if f"{below}/only-outside" in fs.find(below) else INSIDE,
    "xattr": lambda fs, below: fs.posix.getxattr(f"{below}/f", "user.kind"),
}


def write_file(fs: MemoryFileSystem, below: str) -> None:
    with fs.open(f"{below}/written", "wb") as file:
        file.write(b"new")


def append(fs: MemoryFileSystem, below: str) -> None:
    with fs.open(f"{below}/appended", "ab") as file:
        file.write(b"+")


def edit(fs: MemoryFileSystem, below: str) -> None:
    with fs.posix.open_handle(f"{below}/edited", os.O_RDWR | os.O_CREAT) as handle:
        handle.pwrite(b"new", 0)


def move_there_and_back(fs: MemoryFileSystem, below: str) -> None:
    fs.mv("/a/moving", f"{below}/moved")
    fs.mv(f"{below}/moved", "/a/moving")


def in_transaction(fs: MemoryFileSystem, below: str) -> None:
    with fs.transaction:
        fs.pipe_file(f"{below}/transacted", b"new")


WRITERS: dict[str, Act] = {
    "pipe_file": lambda fs, below: fs.pipe_file(f"{below}/piped", b"new"),
    "pipe_file over": lambda fs, below: fs.pipe_file(f"{below}/only-outside", b"new"),
    "open": write_file,
    "append": append,
    "edit": edit,
    "transaction": in_transaction,
    "touch": lambda fs, below: fs.touch(f"{below}/touched"),
    "auto_mkdir": lambda fs, below: fs.pipe_file(f"{below}/x/y/z", b"new"),
    "makedirs": lambda fs, below: fs.makedirs(f"{below}/m/n", exist_ok=True),
    "cp_file": lambda fs, below: fs.cp_file("/a/plain", f"{below}/copied"),
    "mv": move_there_and_back,
    "rm": lambda fs, below: fs.rm(f"{below}/only-outside"),
    "rm tree": lambda fs, below: fs.rm(f"{below}/x", recursive=True),
    "symlink": lambda fs, below: fs.posix.symlink("x", f"{below}/symlink"),
    "unlink": lambda fs, below: fs.posix.unlink(f"{below}/symlink"),
    "mkdir": lambda fs, below: fs.posix.mkdir(f"{below}/directory"),
    "chmod": lambda fs, below: fs.posix.chmod(f"{below}/only-outside", 0o600),
    "setxattr": lambda fs, below: fs.posix.setxattr(f"{below}/only-outside", "user.new", b""),
    "truncate": lambda fs, below: fs.posix.truncate(f"{below}/only-outside", 0),
}

WRITTEN = ("piped", "written", "appended", "edited", "transacted", "touched", "copied", "m")


def swap_directory(fs: MemoryFileSystem, below: str) -> None:
    """Put the link in the directory's place, or back; look through it, so that whoever follows has it in mind."""
    fs.posix.rename("/a/d", "/a/swap", RENAME_EXCHANGE)
    fs.exists(f"{below}/f")


def swap_files(fs: MemoryFileSystem, below: str) -> None:
    """Put links to a file outside in the place of files, for a moment."""
    with suppress(OSError):
        fs.posix.nofollow.posix.rename(f"{below}/f", f"{below}/link", RENAME_EXCHANGE)
    for name in WRITTEN:
        with suppress(OSError):
            fs.posix.nofollow.rm(f"{below}/{name}")
            fs.posix.nofollow.posix.symlink("/outside/only-outside", f"{below}/{name}")


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(("acts", "deep"), [(READERS, ""), (READERS, "/e"), (WRITERS, ""), (WRITERS, "/e")])
def test_nobody_gets_behind_a_swapped_link(chukmem: MemoryFileSystem, acts: dict[str, Act], deep: str) -> None:
    below = f"/a/d{deep}"
    chukmem.pipe({f"{below}/f": INSIDE, "/a/plain": b"plain", "/a/moving": b"moving"})
    chukmem.pipe({f"/outside{deep}/f": SECRET, f"/outside{deep}/only-outside": SECRET, "/outside/only-outside": SECRET})
    chukmem.posix.setxattr(f"{below}/f", "user.kind", INSIDE)
    chukmem.posix.setxattr(f"/outside{deep}/f", "user.kind", SECRET)
    chukmem.posix.symlink("/outside", "/a/swap")
    chukmem.posix.symlink(f"/outside{deep}/f", f"{below}/link")
    before = outside(chukmem)
    end = time.monotonic() + SECONDS
    seen: Counter[str] = Counter()

    def work(number: int) -> set[Any]:
        fs = MemoryFileSystem(name=chukmem.name)
        swap = {0: swap_directory, 1: swap_files}.get(number)
        while swap is not None and time.monotonic() < end:
            swap(fs, below)
        view: MemoryFileSystem = fs.posix.nofollow
        results = set()
        while time.monotonic() < end:
            for act in acts.values():
                try:
                    results.add(act(view, below))
                    seen["done"] += 1
                except LinkInTheWay as error:
                    seen[error.filename] += 1
                except (FileExistsError, FileNotFoundError):
                    seen["missing"] += 1
        return results

    results = set().union(*in_threads(4, work))
    if acts is READERS:
        assert results == {INSIDE}
    assert outside(chukmem) == before
    links = {f"{below}/{name}" for name in ("f", "only-outside", *WRITTEN)}
    assert set(seen) <= {"done", "missing", "/a/d"} | links
    assert seen["done"]
    assert seen["/a/d"], "nobody met the swapped directory"
    assert seen.keys() & links, "nobody met a swapped file"


def outside(fs: MemoryFileSystem) -> dict[str, Any]:
    """All that can be known of the tree behind the link."""
    return {
        path: (info, fs.cat_file(path) if info["type"] == "file" else b"")
        for path, info in fs.find("/outside", withdirs=True, detail=True).items()
    }
