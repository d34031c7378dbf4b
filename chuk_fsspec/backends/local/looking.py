"""What a directory of the host answers without changing anything: what is there, and what it holds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from chuk_fsspec.backends.local.beneath import Beneath
from chuk_fsspec.backends.local.content import read_all, read_range
from chuk_fsspec.backends.local.inode import require_file
from chuk_fsspec.backends.local.listing import InfoDict, Listing
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.status import Status
from chuk_fsspec.contract.arguments import require_depth
from chuk_fsspec.contract.errors import leads_nowhere
from chuk_fsspec.contract.surface import LeafSurface


class LookingFileSystem(LeafSurface):
    """The part of ``LocalFileSystem`` that looks and reads; ``LocalFileSystem.stand_on`` sets its attributes."""

    protocol: str | tuple[str, ...] = "chuklocal"
    beneath: Beneath
    _listing: Listing

    # ---- looking

    def info(self, path: str, **kwargs: Any) -> InfoDict:
        """What is known of a path (``contract.Info``); a link's own attributes with its target's type and size."""
        return self._listing.info(self._strip_protocol(path))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """A directory's entries in name order, or the one entry that ``path`` is. FileNotFoundError."""
        normal = self._strip_protocol(path)
        try:
            return self._listing.children(normal) if detail else self._listing.names(normal)
        except NotADirectoryError:
            info = self._listing.info(normal)
            return [info] if detail else [normal]

    def find(
        self, path: str, maxdepth: int | None = None, withdirs: bool = False, detail: bool = False, **kwargs: Any
    ) -> Any:
        """All files below a path, in order; links are listed and not followed.

        Args:
            path: where to start; a file gives itself, a missing path nothing.
            maxdepth: levels to go down, at least 1; None for all.
            withdirs: list directories too, the start included.
            detail: return a dict from path to info instead of a list of paths.

        Raises:
            ValueError: for a ``maxdepth`` below 1.
        """
        require_depth(maxdepth)
        normal = self._strip_protocol(path)
        found: list[str] = []
        with suppress(FileNotFoundError, NotADirectoryError):
            if self._status(normal).is_directory:
                directories, found = self._listing.below(normal, maxdepth)
                if withdirs:
                    found += [normal, *directories]
            else:
                found = [normal]
        found.sort()
        return dict(self._described(found)) if detail else found

    def _described(self, paths: list[str]) -> Iterator[tuple[str, InfoDict]]:
        """Each path with its info, without those that are gone by now."""
        for path in paths:
            with suppress(FileNotFoundError, NotADirectoryError):
                yield path, self._listing.info(path)

    def exists(self, path: str, **kwargs: Any) -> bool:
        """Whether a path leads to something; a link to nothing does not."""
        return self._target(path) is not None

    def lexists(self, path: str, **kwargs: Any) -> bool:
        """Whether there is an entry of this path, be it a link to nothing."""
        return self.beneath.inode_or_none(self._strip_protocol(path), follow=False) is not None

    def isfile(self, path: str) -> bool:
        """Whether a path leads to a regular file."""
        target = self._target(path)
        return target is not None and target.is_file

    def isdir(self, path: str) -> bool:
        """Whether a path leads to a directory."""
        target = self._target(path)
        return target is not None and target.is_directory

    def created(self, path: str) -> datetime:
        """When a file was made, in UTC."""
        return datetime.fromtimestamp(self._status(self._strip_protocol(path)).btime_ns / 1e9, tz=timezone.utc)

    def modified(self, path: str) -> datetime:
        """When a file's content last changed, in UTC."""
        return datetime.fromtimestamp(self._status(self._strip_protocol(path)).mtime_ns / 1e9, tz=timezone.utc)

    def ukey(self, path: str) -> str:
        """A string that stands for this content of this file."""
        return f"{self.fsid}-{self._status(self._strip_protocol(path)).etag}"

    def checksum(self, path: str) -> int:
        """A number that changes with the content; reading a file leaves it alone."""
        status = self._status(self._strip_protocol(path))
        return status.ino << 128 | status.size << 64 | status.mtime_ns & 0xFFFF_FFFF_FFFF_FFFF

    # ---- reading

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **kwargs: Any) -> bytes:
        """A file's bytes, or those from ``start`` to ``end``, which count as in a slice. IsADirectoryError."""
        normal = self._strip_protocol(path)
        inode = self.beneath.inode(normal)
        with named(normal):
            size = require_file(inode).st_size
            opened = inode.open(os.O_RDONLY)
            if start is None and end is None:
                return read_all(opened.number)
            start, end, _ = slice(start, end).indices(size)
            return read_range(opened.number, end - start, start) if end > start else b""

    # ---- steps

    def _status(self, path: str) -> Status:
        """What a normal path leads to. ENOENT, ENOTDIR, ELOOP; LinkInTheWay."""
        inode = self.beneath.inode(path)
        with named(path):
            return inode.status()

    def _target(self, path: str) -> Status | None:
        """As ``_status``; None for what leads nowhere, or cannot be a path at all."""
        try:
            return self._status(self._strip_protocol(path))
        except OSError as error:
            if leads_nowhere(error):
                return None
            raise
