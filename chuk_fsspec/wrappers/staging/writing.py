"""Content on its way from a stage into its base, a piece at a time."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import IO

from chuk_fsspec.contract.nodes import Node
from chuk_fsspec.contract.posix import Handle
from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.content import with_base
from chuk_fsspec.wrappers.staging.nodes import open_handle
from chuk_fsspec.wrappers.staging.overlay import Overlay, Pread
from chuk_fsspec.wrappers.staging.record import Record

_STEP = 1024 * 1024


class Writer:
    """Writes files of a stage into its base.

    Args:
        overlay: the stage.
        in_place: whether the base undoes what is written in place, so that only what differs has to be written.
    """

    def __init__(self, overlay: Overlay, *, in_place: bool) -> None:
        self._overlay = overlay
        self._base: Base = overlay.base
        self._in_place = in_place

    def write_new(self, path: str, node: Node) -> None:
        """Make a file that is not there. EEXIST, ENOSPC."""
        with closing(open_handle(self._overlay, self._overlay.nodes, node, os.O_RDONLY)) as source:
            if self._base.capabilities.random_write:
                flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
                with closing(self._open(path, flags, stat.S_IMODE(node.mode))) as target:
                    _copy(source.pread, target, 0, node.size)
                    target.truncate(node.size)
            else:
                self._publish(path, _pieces(source.pread, node.size), "xb" if self._is_exclusive else "wb")

    def write_over(self, path: str, node: Node, record: Record | None) -> None:
        """Give a file of the base the content that it has in the stage. ENOSPC.

        Args:
            path: where it is in the base by now.
            node: the file in the stage.
            record: what is known of it; None if another file has taken its name.
        """
        gaps = record.own.gaps(0, record.limit) if record is not None else []
        below = self._base.open(path) if gaps else None
        has_names = record is not None and record.seen.nlink > 1
        with closing(self._overlay.nodes.open(node, os.O_RDONLY)) as above:

            def pread(size: int, offset: int) -> bytes:
                data = above.pread(size, offset)
                inside = [(max(start, offset), stop) for start, stop in gaps if stop > offset]
                return with_base(data, offset, inside, below, path) if below is not None else data

            if not (self._base.capabilities.random_write and (self._in_place or has_names)):
                self._publish(path, _pieces(pread, node.size), "wb")
                return
            with closing(self._open(path, os.O_WRONLY)) as target:
                limit = record.limit if record is not None else 0
                target.truncate(limit)
                target.truncate(node.size)
                for start, stop in record.own.spans if record is not None else ():
                    _copy(pread, target, start, stop, over_hole=False)
                _copy(pread, target, limit, node.size)

    def write_back(self, kept: str, path: str) -> None:
        """Give a file of the base the content of another one, under all its names."""
        info = self._base.info(kept)
        size = 0 if info is None else int(info["size"])
        pread = self._base.open(kept)
        if not self._base.capabilities.random_write:
            self._publish(path, _pieces(pread, size), "wb")
            return
        with closing(self._open(path, os.O_WRONLY | os.O_TRUNC)) as target:
            _copy(pread, target, 0, size)
            target.truncate(size)

    @property
    def _is_exclusive(self) -> bool:
        return self._base.capabilities.exclusive_create

    def _open(self, path: str, flags: int, mode: int = 0o666) -> Handle:
        handle: Handle = self._base.real.posix.open_handle(path, flags, mode)
        return handle

    def _publish(self, path: str, pieces: Iterator[bytes], mode: str) -> None:
        """Write a whole file, which appears when it is closed."""
        with ExitStack() as stack:
            if not self._base.capabilities.atomic_write:
                # It may be emptied when it is opened, while some of the content is still to be read from it.
                pieces = _spooled(pieces, stack.enter_context(tempfile.TemporaryFile()))
            target = stack.enter_context(self._base.real.open(self._base.path(path), mode))
            for piece in pieces:
                target.write(piece)


def _pieces(pread: Pread, size: int) -> Iterator[bytes]:
    for offset in range(0, size, _STEP):
        yield pread(min(_STEP, size - offset), offset)


def _copy(pread: Pread, target: Handle, start: int, stop: int, *, over_hole: bool = True) -> None:
    """Copy a range; what is all zeros is left out where there is a hole."""
    for offset in range(start, stop, _STEP):
        data = pread(min(_STEP, stop - offset), offset)
        if not over_hole or data.count(0) < len(data):
            target.pwrite(data, offset)


def _spooled(pieces: Iterator[bytes], spool: IO[bytes]) -> Iterator[bytes]:
    """The same pieces, after the last one was read."""
    for piece in pieces:
        spool.write(piece)
    spool.seek(0)
    return iter(lambda: spool.read(_STEP), b"")
