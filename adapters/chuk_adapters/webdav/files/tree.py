"""The filesystem of a door: what is where, and the changes that every method is made of."""

from __future__ import annotations

import errno
from typing import Any

from fsspec import AbstractFileSystem

from chuk_adapters.webdav.files.facts import Info, with_seconds
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.conditions import Condition, arguments_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import split
from chuk_fsspec.contract.posix import RENAME_NOREPLACE, StatVfs
from chuk_fsspec.facade.stack import whole_files

_NOTHING_THERE = (FileNotFoundError, NotADirectoryError)


class Tree:
    """A filesystem whose files appear whole.

    WebDAV knows files and collections only. A link to a file is that file. A link to a directory is a collection for
    those who ask for it, but no listing shows it: clients that copy a tree would walk in circles. What leads nowhere,
    and what is neither file nor directory, is not there.

    Attributes:
        fs: the filesystem.
        can: what it declares.
    """

    def __init__(self, fs: AbstractFileSystem) -> None:
        self.fs = whole_files(fs)
        self.can = capabilities_of(self.fs)

    # ---- looking

    def find(self, path: str) -> Info | None:
        """What is at an absolute path; None if nothing is."""
        try:
            info: Info = self.fs.info(path)
        except _NOTHING_THERE:
            return None
        kind = info["type"]
        if kind == "link" and self.fs.isdir(path):
            info = {**info, "type": "directory"}
        elif kind not in ("file", "directory"):
            return None
        return info if type(info.get("mtime")) is float else with_seconds(info)

    def require(self, path: str) -> Info:
        """The same. Refusal: 404."""
        info = self.find(path)
        if info is None:
            raise Refusal(404, "there is nothing here")
        return info

    def children(self, path: str) -> list[Info]:
        """What is in a directory, by one call. Refusal: 404 if it is gone by now."""
        try:
            listed: list[Info] = self.fs.ls(path, detail=True)
        except _NOTHING_THERE:
            raise Refusal(404, "there is nothing here") from None
        infos = [info for info in listed if info["type"] in ("file", "directory")]
        return infos if all(type(info.get("mtime")) is float for info in infos) else list(map(with_seconds, infos))

    def require_parent(self, path: str) -> None:
        """Refusal 409 unless a path's parent is a collection (RFC 4918, 9.7.1)."""
        if not self.fs.isdir(split(path)[0]):
            raise Refusal(409, "the collection that it would be in does not exist")

    def space(self) -> StatVfs | None:
        """Sizes and free space; None where nobody knows."""
        return self.fs.posix.statvfs() if self.can.statvfs else None

    # ---- changing

    def conditions(self, condition: Condition | None) -> dict[str, Any]:
        """A condition as arguments of a change; none where the filesystem takes none."""
        return arguments_of(condition) if self.can.conditional_write else {}

    def remove(self, path: str, *, is_directory: bool, condition: Condition | None = None) -> None:
        """Remove a file, or a directory with all that is in it. OSError."""
        if is_directory:
            self.fs.rm(path, recursive=True)
        else:
            self.fs.rm_file(path, **self.conditions(condition))

    def rename(self, source: str, target: str, *, may_replace: bool = True) -> None:
        """Give what is at one path another one, replacing a file there. In one step where the filesystem can.

        Raises:
            OSError: EISDIR or ENOTEMPTY for a directory at the target; EEXIST for anything unless it may be replaced.
        """
        if self.can.rename and self.can.replace:
            flags = 0 if may_replace or not self.can.rename_flags else RENAME_NOREPLACE
            try:
                self.fs.posix.rename(source, target, flags)
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.ENOTSUP):
                    raise
            else:
                return
        if self.fs.isdir(target):
            raise os_error(errno.EISDIR, target)
        if not may_replace and self.fs.exists(target):
            raise os_error(errno.EEXIST, target)
        self.fs.mv(source, target, recursive=True)

    def set_mtime(self, path: str, seconds: float) -> bool:
        """Set the time of the last change; whether the filesystem keeps the times that it is told."""
        if not self.can.attributes:
            return False
        nanoseconds = round(seconds * 1_000_000_000)
        self.fs.posix.utime(path, ns=(nanoseconds, nanoseconds))
        return True
