"""Uploads that survive the process that began them.

What has arrived waits beside the target, in a file whose name holds the upload's id. Nothing else is kept anywhere, so
any process that sees the files can go on, and the size of that file is the whole truth.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import threading
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.conditions import condition_of, etag_at
from chuk_fsspec.contract.errors import not_supported, os_error
from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.contract.posix import Buffer, Handle
from chuk_fsspec.forwarding.publishing.leftovers import upload_name
from chuk_fsspec.forwarding.publishing.places import PRIVATE, DeclaredPlace
from chuk_fsspec.wrappers.streaming.digests import Digest
from chuk_fsspec.wrappers.streaming.writing import StreamResult, result_of

_ID = re.compile("[0-9a-f]{32}")
_NEW_FILE = 0o644
_HASH_BYTES = 1024 * 1024

_busy: set[tuple[Any, str]] = set()
_busy_lock = threading.RLock()


class Uploads:
    """The uploads of a filesystem. Paths are in the normal form."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self._fs = fs
        self._place = DeclaredPlace(fs)

    def start(self, path: str) -> str:
        """Begin an upload; what nobody resumed for a week is removed from the directory. ENOTSUP, EISDIR, ENOENT."""
        can = capabilities_of(self._fs)
        if not (can.random_write and can.rename and can.replace):
            raise not_supported("resumable uploads need random_write, rename and replace", path)
        target = self._place.resolve(path)
        directory, name = split(target)
        self._place.sweep(directory)
        token = secrets.token_hex(16)
        # A file that is replaced may be private; a new one is as readable now as it will be.
        mode = PRIVATE if self._fs.exists(target) else _NEW_FILE
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
        self._fs.posix.open_handle(join(directory, upload_name(name, token)), flags, mode).close()
        return token

    def status(self, path: str, token: str) -> int:
        """Bytes that have arrived. ENOENT."""
        part, _ = self.find(path, token)
        return int(self._fs.info(part)["size"])

    def abort(self, path: str, token: str) -> None:
        """Remove what has arrived. ENOENT."""
        part, _ = self.find(path, token)
        self._fs.rm_file(part)

    def find(self, path: str, token: str) -> tuple[str, str]:
        """Where an upload waits, and its target. ENOENT if it does not exist or is for another path."""
        if _ID.fullmatch(token):
            target = self._place.resolve(path)
            directory, name = split(target)
            part = join(directory, upload_name(name, token))
            if self._fs.exists(part):
                return part, target
        raise os_error(errno.ENOENT, path, hint="no such upload for this path; start_upload() begins one")

    def writer(self, path: str, token: str, mode: str, digest: Digest, conditions: Mapping[str, str]) -> UploadWriter:
        """What goes on with an upload."""
        return UploadWriter(self._fs, self, self._place, path, token, mode, digest, conditions)


class UploadWriter:
    """Adds to what has arrived, and gives it its name in the end."""

    _handle: Handle | None = None
    _is_claimed = False
    _part = ""
    _target = ""

    def __init__(
        self,
        fs: AbstractFileSystem,
        uploads: Uploads,
        place: DeclaredPlace,
        path: str,
        token: str,
        mode: str,
        digest: Digest,
        conditions: Mapping[str, str],
    ) -> None:
        self.position = 0
        self._condition = condition_of(**conditions)
        self._fs, self._uploads, self._place = fs, uploads, place
        self._path, self._token, self._mode, self._digest = path, token, mode, digest

    def begin(self) -> None:
        """Open what has arrived. ENOENT; EBUSY if another stream of this process is at it."""
        self._part, self._target = self._uploads.find(self._path, self._token)
        if self._condition is not None:  # what could not be published in the end need not be sent
            self._condition.require(self._path, etag_at(self._fs, self._target))
        self._claim()
        self._handle = self._fs.posix.open_handle(self._part, os.O_RDWR)
        size = self._handle.stat().st_size
        while self._digest.is_wanted and self.position < size:
            data = self._handle.pread(min(_HASH_BYTES, size - self.position), self.position)
            self._digest.update(data)
            self.position += len(data)
        self.position = size

    @property
    def _key(self) -> tuple[Any, str]:
        return self._fs, self._part

    def _claim(self) -> None:
        with _busy_lock:
            if self._key in _busy:
                raise os_error(errno.EBUSY, self._path, hint="another stream is writing to this upload")
            _busy.add(self._key)
            self._is_claimed = True

    def write(self, piece: Buffer) -> None:
        """Add to the end."""
        assert self._handle is not None
        self._handle.pwrite(piece, self.position)
        self._digest.update(piece)
        self.position += len(piece)

    def finish(self) -> StreamResult:
        """Publish. EIO if the checksum is not the expected one: then the upload stays, to be aborted."""
        assert self._handle is not None
        self._digest.verify(self._path)
        self._handle.fsync()
        self._close()
        self._place.swap(self._part, self._target, self._mode == "xb", self._condition)
        return result_of(self._fs, self._path, self.position, self._digest)

    def abandon(self) -> None:
        """Let go; what has arrived stays."""
        self._close()

    def _close(self) -> None:
        handle, self._handle = self._handle, None
        try:
            if handle is not None:
                handle.close()
        finally:
            with _busy_lock:
                if self._is_claimed:
                    _busy.discard(self._key)
                    self._is_claimed = False
