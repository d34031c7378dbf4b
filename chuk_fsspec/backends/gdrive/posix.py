"""``fs.posix`` of a Drive: extended attributes, besides what every remote filesystem has."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.posix import RemotePosix

if TYPE_CHECKING:
    from chuk_fsspec.backends.gdrive.filesystem import GoogleDriveFileSystem


class DrivePosix(RemotePosix):
    """System calls by path."""

    def __init__(self, fs: GoogleDriveFileSystem) -> None:
        super().__init__(fs)
        self._drive = fs

    def setxattr(self, path: str, name: str, value: bytes, flags: int = 0) -> None:
        self._drive.note(path, name, value, flags)

    def getxattr(self, path: str, name: str) -> bytes:
        notes = self._drive.notes(path)
        if name not in notes:
            raise os_error(errno.ENODATA, path)
        return notes[name]

    def listxattr(self, path: str) -> list[str]:
        return list(self._drive.notes(path))

    def removexattr(self, path: str, name: str) -> None:
        self._drive.forget_note(path, name)
