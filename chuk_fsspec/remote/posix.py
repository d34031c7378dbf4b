"""``fs.posix`` of a remote filesystem: what its service can do of it, and ENOTSUP for the rest."""

from __future__ import annotations

import errno
import os
import stat
import time
from typing import TYPE_CHECKING

from chuk_fsspec.contract.attributes import OWN_GID, OWN_UID
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.paths import PATH_MAX, encoded_length
from chuk_fsspec.contract.posix import Posix, without_set_id
from chuk_fsspec.remote.describing import fingerprint, mode_of
from chuk_fsspec.remote.store import Attributes, Entry

if TYPE_CHECKING:
    from chuk_fsspec.remote.filesystem import RemoteFileSystem


class RemotePosix(Posix):
    """System calls by path. Each waits for its requests."""

    def __init__(self, fs: RemoteFileSystem) -> None:
        self._fs = fs

    def stat(self, path: str) -> os.stat_result:
        return self._stat(path, follow=True)

    def lstat(self, path: str) -> os.stat_result:
        return self._stat(path, follow=False)

    def _stat(self, path: str, *, follow: bool) -> os.stat_result:
        fs = self._fs
        return stat_result(fs._wait_briefly(fs._look(fs._strip_protocol(path), follow=follow)))

    def symlink(self, target: str, path: str) -> None:
        fs = self._fs
        if not fs.capabilities.symlinks:
            raise not_supported("symbolic links", path)
        if not target:
            raise os_error(errno.ENOENT, path, hint="a link holds a path")
        if encoded_length(target) >= PATH_MAX:
            raise os_error(errno.ENAMETOOLONG, path, hint=f"a link holds fewer than {PATH_MAX} bytes")
        fs._wait(fs._make_link(fs._strip_protocol(path), target))

    def readlink(self, path: str) -> str:
        fs = self._fs
        if not fs.capabilities.symlinks:
            raise not_supported("symbolic links", path)
        entry = fs._wait_briefly(fs._look(fs._strip_protocol(path)))
        if entry.kind != "link":
            raise os_error(errno.EINVAL, path, hint="not a symbolic link")
        return entry.destination

    @property
    def nofollow(self) -> RemoteFileSystem:
        fs = self._fs
        if not fs.capabilities.symlinks:
            raise not_supported("a view that follows no links")
        view: RemoteFileSystem = type(fs)(*fs.storage_args, **{**fs._for_others(), "follow_links": False})
        return view

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        fs = self._fs
        if not fs.capabilities.directories:
            raise not_supported("directories of their own", path)
        fs.mkdir(path, create_parents=False)
        if fs.capabilities.attributes:
            self.chmod(path, mode)

    def rename(self, source: str, path: str, flags: int = 0) -> None:
        if flags:
            raise not_supported("rename flags", source)
        self._fs._wait(self._fs._rename(source, path))

    def unlink(self, path: str) -> None:
        self._fs.rm_file(path)

    def rmdir(self, path: str) -> None:
        self._fs.rmdir(path)

    def chmod(self, path: str, mode: int) -> None:
        self._change(path, Attributes(mode=stat.S_IMODE(mode)))

    def chown(self, path: str, uid: int, gid: int, follow_symlinks: bool = True) -> None:
        fs, mode = self._fs, None
        if fs.capabilities.attributes:
            mode = without_set_id(stat.S_IMODE(self._stat(path, follow=follow_symlinks).st_mode))
        changed = Attributes(uid=None if uid == -1 else uid, gid=None if gid == -1 else gid, mode=mode)
        self._change(path, changed, follow=follow_symlinks)

    def utime(self, path: str, *, ns: tuple[int, int] | None = None, follow_symlinks: bool = True) -> None:
        self._change(path, Attributes(mtime=time.time() if ns is None else ns[1] / 1e9), follow=follow_symlinks)

    def truncate(self, path: str, size: int) -> None:
        if size < 0:
            raise os_error(errno.EINVAL, path, hint="a size cannot be negative")
        if size > 2**62:
            raise os_error(errno.EFBIG, path)
        with self._fs.open(path, "r+b") as file:
            file.truncate(size)

    def _change(self, path: str, changed: Attributes, *, follow: bool = True) -> None:
        fs = self._fs
        if not fs.capabilities.attributes:
            raise not_supported("permissions, owners and times", path)
        fs._wait(fs._set_attributes(fs._strip_protocol(path), changed, follow=follow))


def stat_result(entry: Entry) -> os.stat_result:
    """What a store knows as the standard library's type; the number of a file is made of its path."""
    number = fingerprint(entry.path) >> 65
    mtime = entry.mtime or 0.0
    size = encoded_length(entry.destination) if entry.kind == "link" else entry.size
    uid, gid = OWN_UID if entry.uid is None else entry.uid, OWN_GID if entry.gid is None else entry.gid
    times = (int(mtime),) * 3
    return os.stat_result(
        (mode_of(entry), number, 0, 1, uid, gid, size, *times),
        {
            **dict.fromkeys(("st_atime", "st_mtime", "st_ctime"), mtime),
            **dict.fromkeys(("st_atime_ns", "st_mtime_ns", "st_ctime_ns"), round(mtime * 1e9)),
            "st_blocks": -(-size // 512),
            "st_blksize": 4096,
            "st_rdev": 0,
        },
    )
