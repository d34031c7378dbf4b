"""``fs.posix`` of a filesystem that forwards: each name one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.nodes import NodeOperations
from chuk_fsspec.contract.operations import POSIX
from chuk_fsspec.contract.posix import Handle, Posix, StatVfs

if TYPE_CHECKING:
    from chuk_fsspec.forwarding.surface import ForwardingFileSystem


class ForwardingPosix(Posix):
    """POSIX operations, forwarded as the filesystem says."""

    def __init__(self, fs: ForwardingFileSystem) -> None:
        self._forward = fs._forward

    def stat(self, path: str) -> os.stat_result:
        return cast("os.stat_result", self._forward(POSIX["stat"], path))

    def lstat(self, path: str) -> os.stat_result:
        return cast("os.stat_result", self._forward(POSIX["lstat"], path))

    def symlink(self, target: str, path: str) -> None:
        self._forward(POSIX["symlink"], path, target=target)

    def readlink(self, path: str) -> str:
        return cast("str", self._forward(POSIX["readlink"], path))

    def link(self, source: str, path: str) -> None:
        self._forward(POSIX["link"], source, path)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        self._forward(POSIX["mkdir"], path, mode=mode)

    def rename(self, source: str, path: str, flags: int = 0) -> None:
        self._forward(POSIX["rename"], source, path, flags=flags)

    def unlink(self, path: str) -> None:
        self._forward(POSIX["unlink"], path)

    def rmdir(self, path: str) -> None:
        self._forward(POSIX["rmdir"], path)

    def chmod(self, path: str, mode: int) -> None:
        self._forward(POSIX["chmod"], path, mode=mode)

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool = True) -> None:
        self._forward(POSIX["chown"], path, uid=uid, gid=gid, follow_symlinks=follow_symlinks)

    def utime(self, path: str, *, ns: tuple[int, int] | None = None, follow_symlinks: bool = True) -> None:
        self._forward(POSIX["utime"], path, ns=ns, follow_symlinks=follow_symlinks)

    def truncate(self, path: str, size: int) -> None:
        self._forward(POSIX["truncate"], path, size=size)

    def mknod(self, path: str, mode: int, rdev: int = 0) -> None:
        self._forward(POSIX["mknod"], path, mode=mode, rdev=rdev)

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        self._forward(POSIX["setxattr"], path, name=name, value=value, flags=flags)

    def getxattr(self, path: str, name: str) -> bytes:
        return cast("bytes", self._forward(POSIX["getxattr"], path, name=name))

    def listxattr(self, path: str) -> list[str]:
        return cast("list[str]", self._forward(POSIX["listxattr"], path))

    def removexattr(self, path: str, name: str) -> None:
        self._forward(POSIX["removexattr"], path, name=name)

    def statvfs(self) -> StatVfs:
        return cast("StatVfs", self._forward(POSIX["statvfs"]))

    def open_handle(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> Handle:
        return cast("Handle", self._forward(POSIX["open_handle"], path, flags=flags, mode=mode))

    @property
    def nofollow(self) -> AbstractFileSystem:
        return self._forward(POSIX["nofollow"])

    def reader(self, directory: str) -> Callable[[str], bytes | None]:
        return cast("Callable[[str], bytes | None]", self._forward(POSIX["reader"], directory))

    @property
    def nodes(self) -> NodeOperations:
        return cast("NodeOperations", self._forward(POSIX["nodes"]))
