"""Content on its way from one mount to another: in chunks, hashed on the way, and read back before it counts."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from chuk_fsspec.contract.conditions import Condition, etag_at
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.info import mode_of
from chuk_fsspec.forwarding.publishing import open_whole
from chuk_fsspec.mounted.ends import End

CHUNK = 4 * 1024 * 1024
"""Bytes that are held at a time."""

_NOT_KEPT = frozenset((errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM, errno.EACCES, errno.EINVAL))


@dataclass(frozen=True)
class Content:
    """What was read or written.

    Attributes:
        size: bytes.
        digest: BLAKE2b of them.
        etag: of the file, where it is known.
    """

    size: int
    digest: bytes
    etag: str | None = field(default=None, compare=False)


def read_back(end: End) -> Content:
    """What a file holds now."""
    digest, size = hashlib.blake2b(digest_size=32), 0
    for chunk in chunks(end):
        digest.update(chunk)
        size += len(chunk)
    return Content(size, digest.digest())


def chunks(end: End) -> Iterator[bytes]:
    """The content of a file."""
    with end.named:
        file = end.mount.fs.open(end.inner, "rb")
    with end.named, file:
        while chunk := file.read(CHUNK):
            yield chunk


def publish(source: End, target: End, wanted: Condition | None = None, **conditions: Any) -> Content:
    """Copy a file's content to where readers see the old one or the new one, whole.

    Args:
        source: the file.
        target: where to.
        wanted: what the source has to be, before and after it is read.
        conditions: ``if_match`` and ``if_none_match`` of the target, which keeps them.
    """
    with target.named:
        file = open_whole(target.mount.fs, target.inner, "wb", **conditions)
    try:
        written = _copy(source, target, file.write)
        if wanted is not None:
            wanted.require(source.path, etag_at(source.mount.fs, source.inner))
    except BaseException:
        file.discard()
        file.close()
        raise
    with target.named:
        file.close()
    return replace(written, etag=getattr(file, "etag", None))


def write_aside(source: End, target: End) -> Content:
    """Copy a file's content to a name that nobody knows, in place and at once, also within a transaction."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    handle = target.ask_posix("open_handle", flags=flags, mode=0o600)
    position = 0

    def write(chunk: bytes) -> None:
        nonlocal position
        position += handle.pwrite(chunk, position)

    try:
        written = _copy(source, target, write)
        with target.named:
            handle.fsync()
    finally:
        with target.named:
            handle.close()
    return written


def verify(target: End, written: Content) -> None:
    """Check that a file holds what was written. EIO if not."""
    found = read_back(target)
    if found.size != written.size:
        raise _wrong(target, f"{found.size} of {written.size} bytes")
    if found != written:
        raise _wrong(target, "other bytes than were written")


def _wrong(target: End, what: str) -> OSError:
    return os_error(errno.EIO, target.path, hint=f"read back, it holds {what}")


def keep_attributes(source: End, target: End, info: dict[str, Any]) -> None:
    """Give a copy the owner, mode, times and extended attributes of its source, as far as both ends have them.

    Args:
        source: the source.
        target: the copy.
        info: what is known of the source.
    """
    is_link = info["type"] == "link"
    if source.keeps("xattrs", target) and not is_link:
        for name in source.ask_posix("listxattr"):
            value = source.ask_posix("getxattr", name=name)
            with _suppressed():
                target.ask_posix("setxattr", name=name, value=value)
    if source.keeps("attributes", target):
        found = source.ask_posix("lstat")
        with _suppressed():
            target.ask_posix("chown", uid=found.st_uid, gid=found.st_gid, follow_symlinks=False)
        if not is_link:
            target.ask_posix("chmod", mode=stat.S_IMODE(found.st_mode))
        times = found.st_atime_ns, found.st_mtime_ns
        target.ask_posix("utime", ns=times, follow_symlinks=False)
    elif target.mount.can.attributes and not is_link:
        target.ask_posix("chmod", mode=stat.S_IMODE(mode_of(info)))
        mtime = info.get("mtime")
        if isinstance(mtime, (int, float)):
            target.ask_posix("utime", ns=(int(mtime * 1e9),) * 2, follow_symlinks=False)


def _copy(source: End, target: End, write: Any) -> Content:
    digest, size = hashlib.blake2b(digest_size=32), 0
    for chunk in chunks(source):
        with target.named:
            write(chunk)
        digest.update(chunk)
        size += len(chunk)
    return Content(size, digest.digest())


@contextmanager
def _suppressed() -> Iterator[None]:
    """Owners and attributes that a filesystem does not take are left out, as mv(1) does it."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_KEPT:
            raise
