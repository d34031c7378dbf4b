"""The filesystem under a stage: what is asked of it, and how it is told apart from what it was before."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.changes import facts_of
from chuk_fsspec.contract.conditions import given
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.foreign import os_error_of
from chuk_fsspec.contract.paths import SPECIAL_NAMES
from chuk_fsspec.contract.posix import RENAME_NOREPLACE, Handle
from chuk_fsspec.forwarding.conditions import etag_in
from chuk_fsspec.forwarding.names import form_of
from chuk_fsspec.wrappers.staging.record import Seen

_ETAGS = ("etag", "ETag", "md5", "generation")
_STAMPS = ("LastModified", "last_modified", "updated", "mtime_ns", "mtime", "created", "ino")

_PASSING = frozenset((errno.ENOENT, errno.ENOTDIR))
_NO_GUARD = frozenset((errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP))
"""What renameat2(2) answers on a disk that renames, but not on conditions."""

Result = TypeVar("Result")


class Base:
    """One fsspec filesystem, asked by absolute normal paths. Links in it are never followed, where it lets them be.

    Attributes:
        fs: the filesystem as it was given.
        capabilities: what it declares.
        guards: whether files are moved and replaced on conditions: if they are still what was seen.
    """

    def __init__(self, fs: AbstractFileSystem) -> None:
        self.fs = fs
        self.capabilities = capabilities_of(fs)
        self.guards = all(getattr(self.capabilities, name) for name in ("conditional_write", "etags", "rename"))
        self._form = form_of(fs)
        self.real: AbstractFileSystem = _without_links(fs) if self.capabilities.symlinks else fs

    def path(self, path: str) -> str:
        """A normal path as the filesystem wants it."""
        inward: str = self._form.inward(path)
        return inward

    # ---- looking

    def entries(self, path: str) -> dict[str, Mapping[str, Any]]:
        """The info dicts of a directory's entries by name. ENOENT, ENOTDIR.

        Where an object store has both an object ``a`` and objects below ``a/``, the directory is shown.
        """
        with _named(path):
            self.fs.invalidate_cache(self.path(path))
            infos = self.real.ls(self.path(path), detail=True)
        own = path.strip("/")
        found: dict[str, Mapping[str, Any]] = {}
        for info in infos:
            full = info["name"].strip("/")
            name = full.rpartition("/")[2]
            if name not in SPECIAL_NAMES and full != own and (name not in found or info["type"] == "directory"):
                found[name] = info
        return found

    def info(self, path: str) -> Mapping[str, Any] | None:
        """The info dict of a path; None if there is nothing."""
        try:
            with _named(path):
                self.fs.invalidate_cache(self.path(path))
                info: Mapping[str, Any] = self.real.info(self.path(path))
        except OSError as error:
            if error.errno in _PASSING:
                return None
            raise
        return info

    def look(self, path: str) -> Seen | None:
        """What there is at a path at this moment; None if there is nothing."""
        info = self.info(path)
        return None if info is None else seen(info)

    def xattrs(self, path: str) -> dict[str, bytes]:
        """All extended attributes of a file or directory; none if it is there no more."""
        if self.info(path) is None or not self.capabilities.xattrs:
            return {}
        posix = self.real.posix
        with _named(path):
            return {name: posix.getxattr(path, name) for name in posix.listxattr(path)}

    def device(self, path: str) -> int:
        """The device number of a device node."""
        with _named(path):
            return int(self.real.posix.lstat(path).st_rdev)

    def names(self, path: str) -> list[str]:
        """The names in a directory; none if there is no such directory."""
        try:
            return sorted(self.entries(path))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def times(self, path: str) -> tuple[int, int] | None:
        """When a directory was read and changed last, in nanoseconds; None if it is not there, or nobody keeps that."""
        if not self.capabilities.attributes or self.info(path) is None:
            return None
        found = self.real.posix.lstat(path)
        return found.st_atime_ns, found.st_mtime_ns

    def stamp(self, path: str, times: tuple[int, int]) -> None:
        """Give a file, link or directory its times, where the base keeps them."""
        if self.capabilities.attributes:
            with _named(path):
                self.real.posix.utime(path, ns=times, follow_symlinks=False)

    # ---- changing names

    def mkdir(self, path: str) -> None:
        """Make a directory, where the base has such a thing. EEXIST, ENOENT."""
        with _named(path):
            self.real.mkdir(self.path(path), create_parents=False)

    def rmdir(self, path: str) -> None:
        """Remove an empty directory; where they are only known by their files, there is none any more. ENOTEMPTY."""
        try:
            with _named(path):
                self.real.rmdir(self.path(path))
        except (FileNotFoundError, NotADirectoryError):
            if self.capabilities.directories:
                raise

    def remove(self, path: str, etag: str | None = None) -> None:
        """Remove a file or link, if it has this etag. ENOENT; PreconditionFailed."""
        with _named(path):
            self._guarded(lambda **asked: self.real.rm_file(self.path(path), **asked), if_match=etag)

    def remove_tree(self, path: str) -> None:
        """Remove a directory with all it holds. ENOENT."""
        with _named(path):
            self.real.rm(self.path(path), recursive=True)

    def move(self, path: str, target: str) -> bool:
        """Move a file, link or directory to a free name; returns whether it is a copy, on another disk. EEXIST."""
        try:
            self.rename(path, target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            with _named(path):
                self.real.mv(self.path(path), self.path(target), recursive=True)
            return True
        return False

    def rename(self, path: str, target: str) -> None:
        """Move a file, link or directory to a free name of the same disk. ENOENT, EEXIST, EXDEV."""
        with _named(path):
            if not self.capabilities.attributes:
                self.real.mv(self.path(path), self.path(target), recursive=True)
                return
            try:
                self.real.posix.rename(path, target, RENAME_NOREPLACE if self.capabilities.rename_flags else 0)
            except OSError as error:
                if error.errno not in _NO_GUARD:
                    raise
                self.real.posix.rename(path, target)

    def take(self, path: str, place: str, etag: str | None) -> bool:
        """Move what is at a path to a hidden name, if it has this etag; False if that is on another disk. ENOENT."""

        def move(**asked: str) -> None:
            if asked:
                self.real.mv(self.path(path), self.path(place), **asked)
            else:
                self.rename(path, place)

        try:
            with _named(path):
                self._guarded(move, if_match=etag)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return False
        return True

    def copy(self, path: str, target: str, etag: str | None = None) -> str | None:
        """Copy a file to a free name, or over the file with this etag; returns the new one. ENOENT, ENOSPC."""
        with _named(path):
            copied: str | None = self._guarded(
                lambda **asked: self.real.cp_file(self.path(path), self.path(target), **asked), if_match=etag
            )
        return copied

    def publish(self, path: str, pieces: Callable[[], Iterator[bytes]], mode: str, etag: str | None) -> str | None:
        """Write a whole file, which appears when it is closed.

        Args:
            path: where to.
            pieces: gives its content, once more if it is asked twice.
            mode: "wb" or "xb".
            etag: that of the file that is replaced, if it has to be that one.

        Returns:
            Its new etag, where it is known.

        Raises:
            OSError: EEXIST, ENOSPC.
            PreconditionFailed: with nothing done.
        """

        def write(**asked: str) -> str | None:
            with self.real.open(self.path(path), mode, **asked) as target:
                for piece in pieces():
                    target.write(piece)
            return etag_in(getattr(target, "etag", None))

        with _named(path):
            return self._guarded(write, if_match=etag)

    def _guarded(self, act: Callable[..., Result], **conditions: str | None) -> Result:
        """Make a change on conditions, or without where there is no telling, or the disk below can keep none."""
        asked = given(**conditions) if self.guards else {}
        if asked:
            try:
                return act(**asked)
            except OSError as error:
                if error.errno not in _NO_GUARD:
                    raise
        return act()

    # ---- content

    def open(self, path: str) -> Callable[[int, int], bytes]:
        """Open a file; returns what reads so many bytes from an offset, and closes it when nobody has it any more."""
        with _named(path):
            if self.capabilities.random_write:
                return _ByHandle(self.real.posix.open_handle(path, os.O_RDONLY)).pread
            return _ByFile(self.fs, self.path(path)).pread


def seen(info: Mapping[str, Any]) -> Seen:
    """What an info dict says, and what tells it from another one."""
    facts = facts_of(info)
    if facts.type == "directory":
        identity = "directory"
    elif facts.type == "link":
        identity = f"link {facts.target}"
    else:
        identity = next((f"{key} {info[key]}" for key in _ETAGS if info.get(key)), "")
        if not identity:
            stamps = [f"{key} {_moment(info[key])}" for key in _STAMPS if info.get(key) is not None]
            identity = ", ".join([f"size {facts.size}", *stamps])
    return Seen(facts, identity, int(info.get("ino") or 0), int(info.get("nlink") or 1))


def _moment(value: Any) -> Any:
    """A time in the one form: fsspec's memory filesystem gives now a number, now a ``datetime``."""
    return value.timestamp() if isinstance(value, datetime) else value


class _ByHandle:
    """Reads a file through a handle, which keeps what was opened."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def pread(self, size: int, offset: int) -> bytes:
        return self._handle.pread(size, offset)

    def __del__(self) -> None:
        self._handle.close()


class _ByFile:
    """Reads ranges of a file of a filesystem that has no handles: whole objects never change, they are replaced."""

    def __init__(self, fs: AbstractFileSystem, path: str) -> None:
        self._fs, self._path = fs, path

    def pread(self, size: int, offset: int) -> bytes:
        with _named(self._path):
            data: bytes = self._fs.cat_file(self._path, start=offset, end=offset + size)
        return data


def _without_links(fs: AbstractFileSystem) -> AbstractFileSystem:
    return fs.posix.nofollow


@contextmanager
def about(path: str) -> Iterator[None]:
    """A block whose errors are about a path, whatever was touched for its sake."""
    try:
        yield
    except OSError as error:
        error.filename = path
        raise


@contextmanager
def _named(path: str) -> Iterator[None]:
    """Errors of the base in the one form that there is, about the path that the stage knows."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise os_error_of(error, path) from error
        if error.filename is None:
            raise os_error(error.errno, path) from error
        raise
    except Exception as error:
        raise os_error_of(error, path) from error
