"""A program that sits in a directory and tries every way to look at a path and to change something, by system calls.

Run as ``python mount_agent.py DIRECTORY``, by root. First it makes the directory its whole world (chroot), so that what
it reaches, it reaches by the filesystem that is mounted there: absolute links and ``..`` lead nowhere else. It takes
pickled ``(function name, arguments)`` from its standard input and answers with pickled ``(result, error)``. It imports
only what every Python has, and all of it before its world shrinks.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import pickle
import re
import shutil
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SOURCE = "/w/source"
TAKEN = "/w/taken"
NEW = b"written by the attacker"
RENAME_EXCHANGE = 2
PATIENCE = 20.0
"""Seconds that a first result may take longer."""
_AT_FDCWD = -100
_libc = ctypes.CDLL(None, use_errno=True)

Way = Callable[[str], Any]


# ---- what the tests ask for


def write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


def read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def remove(path: str) -> None:
    """Remove whatever there is under a path."""
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def mkdir(path: str) -> None:
    os.mkdir(path)


def ensure(path: str) -> None:
    os.makedirs(path, exist_ok=True)


def link(path: str, new: str) -> None:
    os.link(path, new)


def symlink(text: str, path: str) -> None:
    os.symlink(text, path)


def mknod(path: str, mode: int, device: int) -> None:
    os.mknod(path, mode, device)


def open_once(path: str, flags: int) -> None:
    """open(2) and close(2)."""
    os.close(os.open(path, flags))


def rename(path: str, target: str) -> None:
    os.rename(path, target)


def exchange(path: str, other: str) -> None:
    if _libc.renameat2(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)


def attempt_all(
    path: str, plant: list[tuple[Any, ...]], ways: list[str]
) -> list[tuple[str, Any, BaseException | None]]:
    """Try ways: their names, and what each returned or raised.

    Args:
        path: what is attacked.
        plant: calls of functions of this module, made first, and again before each way that changes something.
        ways: which.
    """
    outcomes: list[tuple[str, Any, BaseException | None]] = []
    for number, way in enumerate(ways):
        if number == 0 or way in WRITES or "out" in way:
            _ready()
            for name, *arguments in plant:
                globals()[name](*arguments)
        try:
            outcomes.append((way, try_way(way, path), None))
        except (OSError, ValueError) as error:
            outcomes.append((way, None, error))
    return outcomes


def _ready() -> None:
    """Have a file of one's own, and nothing where things are taken to."""
    remove(TAKEN)
    try:
        intact = stat.S_ISREG(os.lstat(SOURCE).st_mode)
    except FileNotFoundError:
        intact = False
    if not intact:
        remove(SOURCE)
        os.makedirs(os.path.dirname(SOURCE), exist_ok=True)
        write(SOURCE, b"inside")


def swap(path: str, other: str, seconds: float) -> int:
    """Exchange two entries over and over; returns how often it did."""
    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        with suppress(OSError):
            exchange(path, other)
            done += 1
    return done


def hammer(ways: list[str], path: str, seconds: float, sign: str) -> tuple[list[str], int, int]:
    """Try ways over and over, and on a busy machine for longer, until there is a result.

    Returns:
        The results that show a sign, a regular expression, then how many results there were, and how many errors.
    """
    found: list[str] = []
    results = errors = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end or (results == 0 and time.monotonic() < end + PATIENCE):
        with suppress(OSError):  # others are at it too
            _ready()
        for way in ways:
            try:
                result = repr(try_way(way, path))
            except (OSError, ValueError):
                errors += 1
                continue
            results += 1
            if re.search(sign, result):
                found.append(f"{way}: {result[:200]}")
    return found, results, errors


def try_way(way: str, path: str) -> Any:
    return (READS.get(way) or WRITES[way])(path)


# ---- the ways


def _mapped(path: str) -> bytes:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        return bytes(view)


def _stat(found: os.stat_result) -> tuple[Any, ...]:
    return found.st_mode, found.st_size, found.st_mtime


def _listed(path: str) -> Any:
    with os.scandir(path) as entries:
        return [(entry.name, entry.is_dir(), _stat(entry.stat(follow_symlinks=False))) for entry in entries]


def _all_below(path: str) -> Any:
    """Names, attributes and content of what is below a path, links followed, which may go round in circles."""
    if not os.path.isdir(path):
        return _stat(os.stat(path)), read(path) if os.path.isfile(path) else b""
    found: list[Any] = []
    for directory, _, files in os.walk(path, followlinks=True):
        found.append(directory)
        for name in files:
            with suppress(OSError):
                below = f"{directory}/{name}"
                found.append((below, _stat(os.stat(below)), read(below) if os.path.isfile(below) else b""))
        if len(found) > 100:
            break
    return found


def _copied(path: str) -> Any:
    shutil.copy2(path, TAKEN)
    return _all_below(TAKEN)


def _copied_directory(path: str) -> Any:
    names = os.listdir(path)
    os.mkdir(TAKEN)
    for name in names:
        if os.path.isfile(f"{path}/{name}"):
            shutil.copy2(f"{path}/{name}", f"{TAKEN}/{name}")
    return _all_below(TAKEN)


def _linked(path: str) -> Any:
    os.link(path, TAKEN)
    found = _all_below(TAKEN)
    write(TAKEN, NEW)
    return found


def _linked_behind(path: str) -> Any:
    os.link(path, TAKEN, follow_symlinks=True)
    found = _all_below(TAKEN)
    write(TAKEN, NEW)
    return found


def _renamed(path: str) -> Any:
    os.rename(path, TAKEN)
    return _all_below(TAKEN)


def _exchanged(path: str) -> Any:
    exchange(path, SOURCE)
    return _all_below(SOURCE)


def _written(path: str, mode: str) -> None:
    with open(path, mode) as file:
        file.write(NEW)


def _opened(path: str, flags: int) -> None:
    fd = os.open(path, flags, 0o666)
    try:
        os.write(fd, NEW)
    finally:
        os.close(fd)


def _grown(path: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.posix_fallocate(fd, 0, 100)
    finally:
        os.close(fd)


READS: dict[str, Way] = {
    "read": read,
    "mmap": _mapped,
    "listdir": os.listdir,
    "scandir": _listed,
    "walk": _all_below,
    "stat": lambda path: _stat(os.stat(path)),
    "lstat": lambda path: _stat(os.lstat(path)),
    "readlink": os.readlink,
    "realpath": os.path.realpath,
    "access": lambda path: os.access(path, os.R_OK) and None,
    "listxattr": os.listxattr,
    "getxattr": lambda path: os.getxattr(path, "user.attacker"),
    "below": lambda path: _all_below(f"{path}/file"),
    "above": lambda path: os.listdir(f"{path}/.."),
    "copy out": _copied,
    "copy directory out": _copied_directory,
}

WRITES: dict[str, Way] = {
    "link out": _linked,
    "link behind": _linked_behind,
    "setxattr": lambda path: os.setxattr(path, "user.attacker", b"1"),
    "chmod": lambda path: os.chmod(path, 0o4777),
    "chown": lambda path: os.chown(path, 1234, 1234),
    "lchown": lambda path: os.lchown(path, 1234, 1234),
    "utime": lambda path: os.utime(path, ns=(1, 1)),
    "open ab": lambda path: _written(path, "ab"),
    "open r+b": lambda path: _written(path, "r+b"),
    "open wb": lambda path: _written(path, "wb"),
    "open xb": lambda path: _written(path, "xb"),
    "open O_CREAT": lambda path: _opened(path, os.O_WRONLY | os.O_CREAT),
    "open O_NOFOLLOW": lambda path: _opened(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW),
    "open O_TMPFILE": lambda path: _opened(path, os.O_WRONLY | os.O_TMPFILE),
    "truncate": lambda path: os.truncate(path, 3),
    "fallocate": _grown,
    "copy in": lambda path: shutil.copy2(SOURCE, path),
    "makedirs": lambda path: os.makedirs(f"{path}/attacker/deep", exist_ok=True),
    "rename in": lambda path: os.rename(SOURCE, path),
    "rename into": lambda path: os.rename(SOURCE, f"{path}/file"),
    "link in": lambda path: os.link(SOURCE, path),
    "link into": lambda path: os.link(SOURCE, f"{path}/attacker"),
    "symlink": lambda path: os.symlink("nowhere", path),
    "symlink into": lambda path: os.symlink("nowhere", f"{path}/attacker"),
    "mkdir": os.mkdir,
    "mkdir into": lambda path: os.mkdir(f"{path}/attacker"),
    "mkfifo": os.mkfifo,
    "mknod": lambda path: os.mknod(path, 0o100644),
    "write into": lambda path: write(f"{path}/attacker", NEW),
    "exchange": _exchanged,
    "rename out": _renamed,
    "rename out of": lambda path: _renamed(f"{path}/file"),
    "unlink": os.unlink,
    "unlink in": lambda path: os.unlink(f"{path}/file"),
    "rmdir": os.rmdir,
    "rmtree": shutil.rmtree,
    "rmtree in": lambda path: shutil.rmtree(f"{path}/sub"),
}
CORE = frozenset(
    (
        *("read", "scandir", "stat", "below", "copy out", "link out", "setxattr", "chmod", "open ab", "open O_CREAT"),
        *(
            "truncate",
            "rename into",
            "symlink into",
            "mkdir into",
            "write into",
            "rename out",
            "unlink in",
            "rmtree in",
        ),
    )
)
"""As ``api_ways.CORE``."""


def main() -> None:
    """Answer until nobody asks any more."""
    os.chdir(sys.argv[1])
    os.chroot(".")
    sys.setrecursionlimit(10_000)  # the standard library makes directories by recursion
    asking, answering = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            name, arguments = pickle.load(asking)
        except EOFError:
            return
        answer: tuple[Any, BaseException | None]
        try:
            answer = globals()[name](*arguments), None
        except (OSError, ValueError) as error:
            answer = None, error
        pickle.dump(answer, answering)
        answering.flush()


if __name__ == "__main__":
    main()
