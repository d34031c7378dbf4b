"""Content on its way from a stage into its base, a piece at a time."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import IO

from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.wrappers.staging.aside import Aside
from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.content import with_base
from chuk_fsspec.wrappers.staging.nodes import open_handle
from chuk_fsspec.wrappers.staging.overlay import Overlay, Pread
from chuk_fsspec.wrappers.staging.record import Record

_STEP = 1024 * 1024

Pieces = Callable[[], Iterator[bytes]]


class Writer:
    """Writes files of a stage into its base.

    Args:
        overlay: the stage.
        aside: places for what nobody may see yet; None where nobody can before all is done, and all is undone.
    """

    def __init__(self, overlay: Overlay, aside: Aside | None) -> None:
        self._overlay = overlay
        self._base: Base = overlay.base
        self._aside = aside

    def write_new(self, path: str, node: Node) -> str | None:
        """Make a file that is not there; returns its etag, where that is known. EEXIST, ENOSPC."""
        with closing(open_handle(self._overlay, self._overlay.nodes, node, os.O_RDONLY)) as source:
            if self._aside is None:
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
                with closing(self._open(path, flags, stat.S_IMODE(node.mode))) as target:
                    _copy(source.pread, target, 0, node.size)
                    target.truncate(node.size)
                return None
            mode = "xb" if self._base.capabilities.exclusive_create else "wb"
            return self._publish(path, lambda: _pieces(source.pread, node.size), mode)

    def shows_whole(self, record: Record | None) -> bool:
        """Whether ``write_over`` replaces a file in one step; where it has several names, all keep it."""
        has_names = record is not None and record.seen.nlink > 1 and self._base.capabilities.random_write
        return self._aside is not None and self._base.capabilities.atomic_write and not has_names

    def write_over(self, path: str, node: Node, record: Record | None, etag: str | None) -> str | None:
        """Give a file of the base the content that it has in the stage.

        Args:
            path: where it is in the base by now.
            node: the file in the stage.
            record: what is known of it; None if another file has taken its name.
            etag: what it has to have in the base; None if there is no telling.

        Returns:
            Its new etag, where that is known.

        Raises:
            OSError: ENOSPC.
            PreconditionFailed: if somebody else has changed it.
        """
        gaps = record.own.gaps(0, record.limit) if record is not None else []
        below = self._base.open(path) if gaps else None
        with closing(self._overlay.nodes.open(node, os.O_RDONLY)) as above:

            def pread(size: int, offset: int) -> bytes:
                data = above.pread(size, offset)
                inside = [(max(start, offset), stop) for start, stop in gaps if stop > offset]
                return with_base(data, offset, inside, below, path) if below is not None else data

            if self._base.capabilities.random_write and not self.shows_whole(record):
                self._patch(path, pread, node, record)
                return None
            if self._aside is None or below is None or not self._base.capabilities.random_write:
                return self._publish(path, lambda: _pieces(pread, node.size), "wb", etag)
            draft = self._aside.place(path)
            self._base.copy(path, draft)
            self._patch(draft, pread, node, record)
            written = self._base.copy(draft, path, etag)
            self._base.remove(draft)
            return written

    def _patch(self, path: str, pread: Pread, node: Node, record: Record | None) -> None:
        """Write what differs, in place."""
        limit = record.limit if record is not None else 0
        with closing(self._open(path, os.O_WRONLY)) as target:
            target.truncate(limit)
            target.truncate(node.size)
            for start, stop in record.own.spans if record is not None else ():
                _copy(pread, target, start, stop, over_hole=False)
            _copy(pread, target, limit, node.size)

    def write_back(self, kept: str, path: str, etag: str | None) -> str | None:
        """Give a file of the base the content of another one, under all its names; returns its etag, where it is known.

        Args:
            kept: the other one.
            path: of the file.
            etag: what it has to have; None if there is no telling.

        Raises:
            PreconditionFailed: if somebody else has changed it.
        """
        info = self._base.info(kept)
        size = 0 if info is None else int(info["size"])
        pread = self._base.open(kept)
        if etag is not None or not self._base.capabilities.random_write:
            return self._publish(path, lambda: _pieces(pread, size), "wb", etag)
        with closing(self._open(path, os.O_WRONLY | os.O_TRUNC)) as target:
            _copy(pread, target, 0, size)
            target.truncate(size)
        return None

    def _open(self, path: str, flags: int, mode: int = 0o666) -> Handle:
        handle: Handle = self._base.real.posix.open_handle(path, flags, mode)
        return handle

    def _publish(self, path: str, pieces: Pieces, mode: str, etag: str | None = None) -> str | None:
        if self._base.capabilities.atomic_write:
            return self._base.publish(path, pieces, mode, etag)
        # It may be emptied when it is opened, while some of the content is still to be read from it.
        with tempfile.TemporaryFile() as spool:
            spool.writelines(pieces())
            return self._base.publish(path, lambda: _read_again(spool), mode, etag)


def _pieces(pread: Pread, size: int) -> Iterator[bytes]:
    for offset in range(0, size, _STEP):
        yield pread(min(_STEP, size - offset), offset)


def _copy(pread: Pread, target: Handle, start: int, stop: int, *, over_hole: bool = True) -> None:
    """Copy a range; what is all zeros is left out where there is a hole."""
    for offset in range(start, stop, _STEP):
        data = pread(min(_STEP, stop - offset), offset)
        if not over_hole or data.count(0) < len(data):
            target.pwrite(data, offset)


def _read_again(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    return iter(lambda: spool.read(_STEP), b"")
