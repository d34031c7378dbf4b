"""Questions about one path that are not about a listing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import datetime, timezone
from hashlib import sha256
from typing import Any, NoReturn

from chuk_fsspec.contract.errors import LinkInTheWay, not_found, os_error
from chuk_fsspec.contract.operations import FSSPEC, POSIX, Operation
from chuk_fsspec.contract.posix import StatVfs
from chuk_fsspec.mounted.access import Access, call
from chuk_fsspec.mounted.describing import Describing
from chuk_fsspec.mounted.table import Point

_LEADS_NOWHERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP))
_STAT_FIELDS = (
    *("st_atime", "st_mtime", "st_ctime", "st_atime_ns", "st_mtime_ns", "st_ctime_ns"),
    *("st_blocks", "st_blksize", "st_rdev"),
)


class Looking:
    """What is there, when it changed, and how it is to be told from others."""

    def __init__(self, access: Access, describing: Describing) -> None:
        self._access = access
        self._tree = access.tree
        self._describing = describing

    def exists(self, path: str, **options: Any) -> bool:
        """Whether a path leads to something; a link to nothing, or in a circle, does not."""
        return self._is("exists", path, True, options)

    def isdir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        return self._is("isdir", path, True, {})

    def isfile(self, path: str) -> bool:
        """Whether a path leads to a regular file."""
        return self._is("isfile", path, False, {})

    def lexists(self, path: str, **options: Any) -> bool:
        """Whether there is an entry of this path, be it a link to nothing."""
        try:
            return self._access.through(lambda real: self._answer("lexists", real, True, options), path)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def created(self, path: str) -> datetime:
        """When a file was made, in UTC."""
        moment: datetime = self._ask("created", path, lambda info: _utc(info["created"]))
        return moment

    def modified(self, path: str) -> datetime:
        """When a file's content last changed, in UTC."""
        moment: datetime = self._ask("modified", path, lambda info: _utc(info["mtime"]))
        return moment

    def checksum(self, path: str) -> Any:
        """A number that changes with the content."""
        return self._ask("checksum", path, lambda info: int(_token(info), 16))

    def ukey(self, path: str) -> str:
        """A string that stands for this content of this file."""
        return str(self._ask("ukey", path, _token))

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a directory and its parents; one that exists is an error unless ``exist_ok``."""
        if self._tree.table.point(path) is not None:
            if not exist_ok:
                raise os_error(errno.EEXIST, path)
            return
        self._access.ask(FSSPEC["makedirs"], path, exist_ok=exist_ok)

    def stat(self, path: str) -> os.stat_result:
        """Attributes of a path, links followed."""
        return self._stat(POSIX["stat"], path)

    def lstat(self, path: str) -> os.stat_result:
        """Attributes of a path, a final link not followed."""
        return self._stat(POSIX["lstat"], path)

    def listxattr(self, path: str) -> list[str]:
        """The names of all extended attributes; a directory that only mounts make has none."""
        return list(self._unless_made(POSIX["listxattr"], path, list))

    def getxattr(self, path: str, name: str) -> bytes:
        """The value of an extended attribute. ENODATA."""

        def none() -> NoReturn:
            raise os_error(errno.ENODATA, path, hint=name)

        return bytes(self._unless_made(POSIX["getxattr"], path, none, name=name))

    def statvfs(self) -> StatVfs:
        """Sizes and free space of the filesystem that is mounted at the root."""
        top = self._tree.table.top.mount
        if top is None:
            raise os_error(errno.ENOTSUP, "/", hint="statvfs: nothing is mounted at the root")
        found: StatVfs = call(top, POSIX["statvfs"], (), ())
        return found

    def renumbered(self, found: os.stat_result, mount: int) -> os.stat_result:
        """The same attributes with the inode number that the file has in the tree."""
        number = self._tree.numbers.of(mount, found.st_ino)
        if number == found.st_ino:
            return found
        extra = {name: getattr(found, name) for name in _STAT_FIELDS if hasattr(found, name)}
        return os.stat_result((found[0], number, *found[2:10]), extra)

    # ---- steps

    def _is(self, name: str, path: str, of_directories: bool, options: dict[str, Any]) -> bool:
        try:
            return self._access.through(lambda real: self._answer(name, real, of_directories, options), path)
        except OSError as error:
            if error.errno in _LEADS_NOWHERE and not isinstance(error, LinkInTheWay):
                return False
            raise

    def _answer(self, name: str, real: str, of_directories: bool, options: dict[str, Any]) -> bool:
        mount, inner, point, _ = self._tree.table.route(real)
        if point is not None:
            return of_directories
        return mount is not None and bool(call(mount, FSSPEC[name], (inner,), (real,), **options))

    def _ask(self, name: str, path: str, of_point: Callable[[dict[str, Any]], Any]) -> Any:
        def attempt(real: str) -> Any:
            mount, inner, point, _ = self._tree.table.route(real)
            if point is not None:
                return of_point(self._describing.of_point(point, real))
            if mount is None:
                raise not_found(real)
            return call(mount, FSSPEC[name], (inner,), (real,))

        return self._access.through(attempt, path)

    def _unless_made(self, operation: Operation, path: str, of_made: Callable[[], Any], **options: Any) -> Any:
        point = self._tree.table.point(path)
        if point is not None and self._is_made(point):
            return of_made()
        return self._access.ask(operation, path, **options)

    def _is_made(self, point: Point) -> bool:
        """Whether no filesystem has a directory of its own there."""
        return bool(self._describing.of_point(point, point.path)["ino"] == self._tree.numbers.of_made(point.path))

    def _stat(self, operation: Operation, path: str) -> os.stat_result:
        def attempt(real: str) -> os.stat_result:
            mount, inner, point, _ = self._tree.table.route(real)
            if point is not None:
                return self._stat_of_point(point)
            if mount is None:
                raise not_found(real)
            return self.renumbered(call(mount, operation, (inner,), (real,)), mount.number)

        return self._access.through(attempt, path)

    def _stat_of_point(self, point: Point) -> os.stat_result:
        """Attributes of a directory that a mount makes: those of the filesystem there, if it keeps some."""
        mount = point.lies_in
        if mount is not None and mount.can.attributes and not self._is_made(point):
            inner = mount.names.inward(point.path)
            return self.renumbered(call(mount, POSIX["lstat"], (inner,), (point.path,)), mount.number)
        info = self._describing.of_point(point, point.path)
        seconds = int(info["mtime"])
        return os.stat_result(
            (info["mode"], info["ino"], 0, info["nlink"], info["uid"], info["gid"], 0, seconds, seconds, seconds),
            {
                **dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), info["mtime"]),
                **dict.fromkeys(("st_atime_ns", "st_mtime_ns", "st_ctime_ns"), info["mtime_ns"]),
            },
        )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=timezone.utc)


def _token(info: dict[str, Any]) -> str:
    return sha256(f"{info['name']} {info['mtime']}".encode()).hexdigest()
