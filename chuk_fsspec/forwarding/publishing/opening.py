"""Which way a filesystem of others can publish a file in one step."""

from __future__ import annotations

import errno
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.forwarding.publishing.files import (
    CopyForReading,
    DeferredFile,
    GatheredFile,
    JoiningFile,
    ReplacingFile,
    UploadedFile,
)
from chuk_fsspec.forwarding.publishing.places import DeclaredPlace, HostPlace


def open_whole(fs: AbstractFileSystem, path: str, mode: str, **options: Any) -> Any:
    """Open a file for writing so that it appears on close, whole and in one step, or never if it is discarded.

    In this order: filesystems that declare ``atomic_write`` do it themselves. fsspec's local filesystem, and those that
    declare ``rename`` and ``replace``, write under a temporary name in the same directory and rename. fsspec's memory
    filesystem gets the whole content at once. One without a file to write to (asynchronous ones may have none) gets the
    whole file from this machine's disk. Any other is asked as fsspec's transactions ask, with ``autocommit=False``,
    which is a multipart upload on object stores; it is as good as those transactions are.

    Args:
        fs: any filesystem.
        path: as that filesystem writes its paths.
        mode: "wb", or "xb" to refuse a file that exists.
        options: of ``open``, for filesystems that are asked to open the file.

    Returns:
        A file with ``write``, ``close`` and ``discard``.

    Raises:
        OSError: EISDIR, EEXIST for "xb", EINVAL for a special file, ELOOP.
        ValueError: for another mode.
    """
    if mode not in ("wb", "xb"):
        raise ValueError(f"mode {mode!r} is not 'wb' or 'xb'")
    exclusive = mode == "xb"
    can = capabilities_of(fs)
    if can.atomic_write:
        return fs.open(path, mode, **options)
    if fs._intrans:  # noqa: SLF001 - fsspec has no public name for it
        return JoiningFile(fs, path, exclusive)
    if isinstance(fs, DirFileSystem):
        return open_whole(fs.fs, fs._join(path), mode, **options)  # noqa: SLF001 - the same
    if isinstance(fs, LocalFileSystem):
        return ReplacingFile(HostPlace(fs), path, exclusive)
    if isinstance(fs, MemoryFileSystem):
        return GatheredFile(fs, path, exclusive)
    # fsspec's own takes what is written and forgets it.
    if type(fs)._open is AbstractFileSystem._open:  # noqa: SLF001 - what subclasses override
        return UploadedFile(fs, path, exclusive)
    try:
        if can.rename and can.replace:
            return ReplacingFile(DeclaredPlace(fs), path, exclusive)
        return DeferredFile(fs, path, mode, options)
    except NotImplementedError:  # files can be read, but not written piece by piece
        return UploadedFile(fs, path, exclusive)


def is_whole(fs: AbstractFileSystem) -> bool:
    """Whether ``open_whole`` can promise what it says; otherwise that hangs on the filesystem's own transactions."""
    if isinstance(fs, DirFileSystem):
        return is_whole(fs.fs)
    can = capabilities_of(fs)
    renames = can.rename and can.replace
    return can.atomic_write or renames or fs.async_impl or isinstance(fs, (LocalFileSystem, MemoryFileSystem))


def open_steady(fs: AbstractFileSystem, path: str, **options: Any) -> Any:
    """Open a file for reading, for one reader alone.

    fsspec's memory filesystem gives every reader the same file object, with one position; here each has a copy.

    Args:
        fs: any filesystem.
        path: as that filesystem writes its paths.
        options: of ``open``.
    """
    if isinstance(fs, DirFileSystem):
        return open_steady(fs.fs, fs._join(path), **options)  # noqa: SLF001 - fsspec has no public name for it
    if isinstance(fs, MemoryFileSystem):
        if fs.isdir(path):
            raise os_error(errno.EISDIR, path)
        return CopyForReading(fs.cat_file(path))
    return fs.open(path, "rb", **options)


def reads_anew(fs: AbstractFileSystem) -> bool:
    """Whether an open file asks for each range anew, and so may mix contents when the file is replaced."""
    if isinstance(fs, DirFileSystem):
        return reads_anew(fs.fs)
    return not (capabilities_of(fs).atomic_write or isinstance(fs, (LocalFileSystem, MemoryFileSystem)))
