"""What all open handles of one file share, where the filesystem can only replace whole files.

Reading alone fetches ranges. The first change brings the whole content into a spool file, which from then on is the
file for every handle, until the last one is closed. ``flush`` uploads it. Content that cannot be uploaded stays.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.vfs.backend import Names
from chuk_fsspec.vfs.node import PathNode
from chuk_fsspec.vfs.spool import Spool
from chuk_fsspec.vfs.volume import Volume


class Content:
    """The content of one file that is open, or waits to be written back.

    Its lock is taken after claims on paths, never before. It is held while content goes up or down, which makes those
    who change the same file wait, and nobody else.

    Attributes:
        node: the file.
        spool: the whole content, once that was needed.
        dirty: the filesystem has not got all of it yet.
        users: how many handles are open, and operations under way that need the content to stay.
    """

    def __init__(self, volume: Volume, node: PathNode) -> None:
        self.node = node
        self.spool: Spool | None = None
        self.dirty = False
        self.users = 0
        self._backend = volume.backend
        self._table = volume.table
        self._spools = volume.spools
        self._lock = threading.RLock()

    def write(self, data: Buffer, offset: int | None) -> None:
        """Write all of ``data`` at ``offset``, or at the end if that is None. ENOSPC, EFBIG; errors of the download."""
        with self._change() as spool:
            spool.pwrite(data, spool.size if offset is None else offset)

    def truncate(self, size: int) -> None:
        """Cut, or grow with zeros. EINVAL, EFBIG; errors of the download, which size 0 does without."""
        if size < 0:
            raise os_error(errno.EINVAL, hint="a size cannot be negative")
        with self._change(empty=size == 0) as spool:
            spool.truncate(size)

    def flush(self) -> None:
        """Bring changes to the filesystem, at the path that the file has by now.

        Raises:
            OSError: the upload failed. The content is still here, to be read, and to be uploaded by the next ``flush``;
                the message names the spool file, which outlives this process.
        """
        if self._is_unwritten:
            with self._table.using(self.node) as names, self._lock:
                if self._is_unwritten:
                    self._upload(names)

    def fetch(self, names: Names, *, empty: bool = False) -> None:
        """Bring the content here, so that it needs the filesystem no more. The caller has a claim on the path.

        Args:
            names: the path.
            empty: start without content, since all of it is about to be thrown away.
        """
        with self._lock:
            if self.spool is None:
                self.spool = spool = self._download(names, empty=empty)
                self.node.size = spool.size

    # ---- steps

    @property
    def _is_unwritten(self) -> bool:
        return self.dirty and not self.node.gone

    @contextmanager
    def _change(self, *, empty: bool = False) -> Iterator[Spool]:
        if self.spool is None:
            with self._table.using(self.node) as names:
                self.fetch(names, empty=empty)
        with self._lock:
            assert self.spool is not None
            try:
                yield self.spool
            finally:
                # Also after an error: part of a write may have been done.
                self.dirty = True
                self._table.edited(self.node, self.spool.size)

    def _download(self, names: Names, *, empty: bool) -> Spool:
        node = self.node
        path = self._spools.new_path()
        try:
            known_empty = node.sized and node.size == 0 and self._table.is_fresh(node)
            if not empty and not known_empty:
                self._backend.download(names, path)
                self._require_whole(names, os.stat(path).st_size)
            return Spool(path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(path)
            raise

    def _require_whole(self, names: Names, size: int) -> None:
        """Check that a download is all of the file; the node's size may be old. EIO."""
        node = self.node
        if not node.sized or size == node.size:
            return
        attributes = self._backend.attributes(names)
        if attributes.sized and attributes.size != size:
            hint = f"the filesystem sent {size} of {attributes.size} bytes"
            raise os_error(errno.EIO, self._backend.path(names), hint=hint)
        self._table.stored(node, attributes)

    def _upload(self, names: Names) -> None:
        spool, node = self.spool, self.node
        assert spool is not None
        beside = self._backend.may_replace and not node.keeps_mode
        try:
            attributes = self._backend.upload(spool.path, spool.size, names, beside=beside)
        except OSError as error:
            hint = f"changes could not be written back and are kept in {spool.path} ({error})"
            raise os_error(error.errno or errno.EIO, self._backend.path(names), hint=hint) from error
        self.dirty = False
        if attributes is None:
            self._table.sent(node, spool.size)
        else:
            self._table.stored(node, attributes)
        self._hand_over_times(names)

    def _hand_over_times(self, names: Names) -> None:
        """Set times that were waiting for the upload, which would have changed them again."""
        node = self.node
        if self._backend.capabilities.attributes and "mtime_ns" in node.overrides:
            self._backend.set_times(names, node.atime_ns, node.mtime_ns)
            self._table.handed_over(node)
