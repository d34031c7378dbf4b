"""What a directory of the host answers without changing anything: what is there, and what it holds."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.backends.local.beneath import Beneath
from chuk_fsspec.backends.local.content import read_all, read_range
from chuk_fsspec.backends.local.inode import require_file
from chuk_fsspec.backends.local.listing import InfoDict, Listing
from chuk_fsspec.backends.local.names import named
from chuk_fsspec.backends.local.status import Status
from chuk_fsspec.contract import globbing
from chuk_fsspec.contract.errors import LinkInTheWay, omit_unless_link
from chuk_fsspec.contract.paths import split, strip_protocol

_LEADS_NOWHERE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EINVAL, errno.ENAMETOOLONG))


class LookingFileSystem(AbstractFileSystem):
    """The part of ``LocalFileSystem`` that looks and reads; ``LocalFileSystem.stand_on`` sets its attributes."""

    protocol: str | tuple[str, ...] = "chuklocal"
    root_marker = "/"
    beneath: Beneath
    _listing: Listing

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        if isinstance(path, list):
            return [cls._strip_protocol(one) for one in path]
        return strip_protocol(path, (cls.protocol,) if isinstance(cls.protocol, str) else cls.protocol)

    @classmethod
    def _parent(cls, path: str) -> str:
        parent: str = split(cls._strip_protocol(path))[0]
        return parent

    # ---- looking

    def info(self, path: str, **kwargs: Any) -> InfoDict:
        """What is known of a path (``contract.Info``); a link's own attributes with its target's type and size."""
        return self._listing.info(self._strip_protocol(path))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """A directory's entries in name order, or the one entry that ``path`` is. FileNotFoundError."""
        normal = self._strip_protocol(path)
        if not self._status(normal).is_directory:
            return [self._listing.info(normal)] if detail else [normal]
        return self._listing.children(normal) if detail else self._listing.names(normal)

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
        if maxdepth is not None and maxdepth < 1:
            raise ValueError(f"maxdepth must be at least 1, not {maxdepth}")
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

    def walk(
        self, path: str, maxdepth: int | None = None, topdown: bool = True, on_error: Any = "omit", **kwargs: Any
    ) -> Iterator[Any]:
        """Directory, names of its directories and names of all else, from a path down, as ``os.walk``.

        Args:
            path: where to start.
            maxdepth: levels to go down, at least 1; None for all.
            topdown: a directory before what it holds, or after.
            on_error: "omit" what cannot be listed, unless a link is in the way; "raise"; or a function to call with the
                error.
            kwargs: ``detail=True`` for dicts from name to info instead of names.
        """
        if on_error == "omit":
            on_error = omit_unless_link
        walked: Iterator[Any] = super().walk(path, maxdepth, topdown, on_error, **kwargs)
        return walked

    def glob(self, path: str, maxdepth: int | None = None, **kwargs: Any) -> Any:
        """What matches a pattern, by fsspec's rules (``contract.globbing``)."""
        return globbing.glob(self, path, maxdepth, **kwargs)

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

    def cat_ranges(
        self,
        paths: list[str],
        starts: Any,
        ends: Any,
        max_gap: int | None = None,
        on_error: str = "return",
        **kwargs: Any,
    ) -> list[Any]:
        """Ranges of files; there is nothing to merge here, so ``max_gap`` changes no result."""
        ranges: list[Any] = super().cat_ranges(paths, starts, ends, on_error=on_error, **kwargs)
        return ranges

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
            if error.errno in _LEADS_NOWHERE and not isinstance(error, LinkInTheWay):
                return None
            raise
