"""What must stay out of reach: a directory whose names, content and attributes show themselves wherever they appear."""

from __future__ import annotations

import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

MARK = "canary-9b1e"
"""In the content, and in a name that nobody can guess."""
SIZE = 48_611
MTIME = 1_111_111_111
CONTENT = MARK.encode().ljust(SIZE, b".")
FILES = ("file", "sub/file", f"{MARK}-name", ".env")
"""What a canary holds; ``file`` and ``sub`` are known to the attacker."""

SIGNS = rf"{MARK}|(?<![\d.]){SIZE}\b|{MTIME}|2005, 3, 18"
"""What of a canary may appear in the text of a result, as a regular expression; the last is its time."""

State = dict[str, tuple[Any, ...]]


def shown_of_canary(result: object) -> str:
    """What a result holds of a canary: content, secret name, size or time, with what is around it; or nothing."""
    text = repr(result)
    found = re.search(SIGNS, text)
    return text[max(0, found.start() - 100) : found.end() + 20] if found else ""


def differing(before: State, after: State) -> list[str]:
    """Paths that are not the same in both."""
    return [path for path in {**before, **after} if before.get(path) != after.get(path)]


class Canary(Protocol):
    """A directory that is watched."""

    def build(self) -> None:
        """Make it, or make it anew."""

    def state(self) -> State:
        """All that an attack could change, by path."""


@dataclass
class HostCanary:
    """A directory of the host.

    Args:
        path: where.
        linked: its files get names elsewhere on purpose, so links may come and go.
    """

    path: Path
    linked: bool = False

    def build(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        for name in FILES:
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(CONTENT)
            os.utime(file, (MTIME, MTIME))

    def state(self) -> State:
        return {str(path): self._seen(path) for path in [self.path, *sorted(self.path.rglob("*"))]}

    def _seen(self, path: Path) -> tuple[Any, ...]:
        found = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(found.st_mode) else b""
        seen = (found.st_ino, found.st_mode, found.st_uid, found.st_gid, found.st_size, found.st_mtime_ns, content)
        attributes = tuple((name, os.getxattr(path, name)) for name in sorted(os.listxattr(path)))
        links = () if self.linked else (found.st_nlink, found.st_ctime_ns)
        return (*seen, attributes, *links)


@dataclass
class StoreCanary:
    """A directory of a filesystem with ``posix``, looked at from below all rules and mounts.

    Args:
        fs: the filesystem.
        path: the directory.
        secret: whether it may not even be read; the content of what is only to stay as it is carries no mark.
        names: the files in it that matter, where others may come and go.
    """

    fs: Any
    path: str
    secret: bool = True
    names: tuple[str, ...] = ()

    def build(self) -> None:
        if self.path != "/" and self.fs.lexists(self.path):
            self.fs.rm(self.path, recursive=True)
        for name in self.names or FILES:
            path = f"{self.path.rstrip('/')}/{name.lstrip('/')}"
            if self.secret:
                self.fs.pipe_file(path, CONTENT)
                self.fs.posix.utime(path, ns=(MTIME * 10**9, MTIME * 10**9))
            elif MARK not in name:
                self.fs.pipe_file(path, b"fixed")

    def state(self) -> State:
        paths = [path for path in self.names if self.fs.lexists(path)] or self.fs.find(self.path, withdirs=True)
        return {path: self._seen(path) for path in paths}

    def contents(self) -> list[bytes]:
        """What it holds, wherever it was moved."""
        return [data for path in self.fs.find("/") if shown_of_canary(data := self.fs.cat_file(path))]

    def _seen(self, path: str) -> tuple[Any, ...]:
        found = self.fs.posix.lstat(path)
        content = self.fs.cat_file(path) if stat.S_ISREG(found.st_mode) else b""
        attributes = tuple((name, self.fs.posix.getxattr(path, name)) for name in self.fs.posix.listxattr(path))
        return (
            *(found.st_ino, found.st_mode, found.st_uid, found.st_gid, found.st_size),
            *(found.st_mtime_ns, found.st_ctime_ns, found.st_nlink, content, attributes),
        )
