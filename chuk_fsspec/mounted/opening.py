"""Opening files of a tree."""

from __future__ import annotations

import errno
import os
from typing import Any

from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.operations import FSSPEC, POSIX
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.forwarding.files import ForwardingStream
from chuk_fsspec.forwarding.surface import OPEN_ASYNC
from chuk_fsspec.mounted.access import Access, call
from chuk_fsspec.mounted.looking import Looking
from chuk_fsspec.mounted.opened import MountedFile, MountedHandle
from chuk_fsspec.mounted.table import Mount

_O_TMPFILE = getattr(os, "O_TMPFILE", 0)


class Opening:
    """Files and handles, each known to its mount for as long as it is open."""

    def __init__(self, access: Access, looking: Looking) -> None:
        self._access = access
        self._looking = looking

    def open(self, path: str, mode: str = "rb", **options: Any) -> MountedFile:
        """A binary file."""
        options["mode"] = mode

        def attempt(real: str) -> MountedFile:
            mount, inner = self._access.place(FSSPEC["open"], real, options)
            file = MountedFile(call(mount, FSSPEC["open"], (inner,), (real,), **options), path, mode, mount.names)
            file.let_go = self._access.tree.note_user(mount, file)
            return file

        return self._access.through(attempt, path)

    def open_handle(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> Handle:
        """open(2) on a regular file, or with O_TMPFILE on a directory."""
        options = {"flags": flags, "mode": mode}

        def attempt(real: str) -> Handle:
            point = self._access.tree.table.point(real)
            if point is not None and flags & _O_TMPFILE != _O_TMPFILE:
                exclusive = flags & os.O_CREAT and flags & os.O_EXCL
                raise os_error(errno.EEXIST if exclusive else errno.EISDIR, real)
            mount, inner = self._access.place(POSIX["open_handle"], real, options)
            return self._handle(mount, call(mount, POSIX["open_handle"], (inner,), (real,), **options))

        return self._access.through(attempt, path)

    async def open_async(self, path: str, mode: str = "rb", **options: Any) -> ForwardingStream:
        """A file for asynchronous reading or writing, where the filesystem there is asynchronous. ENOTSUP."""
        mount, inner = self._access.place(FSSPEC["open"], path, {"mode": mode})
        if not mount.fs.async_impl:
            raise not_supported("open_async: the filesystem there is not asynchronous", path)
        stream = await call(mount, OPEN_ASYNC, (inner,), (path,), mode=mode, **options)
        return ForwardingStream(stream, path, mode)

    def _handle(self, mount: Mount, handle: Handle) -> MountedHandle:
        opened = MountedHandle(handle, lambda found: self._looking.renumbered(found, mount.number))
        opened.let_go = self._access.tree.note_user(mount, opened)
        return opened
