"""Contents that somebody reads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.errors import stale
from chuk_fsspec.backends.sqlite.inode import Stored
from chuk_fsspec.contract.posix import Buffer
from chuk_fsspec.engine.inode import Inode

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.contents import FileContents


class Pin:
    """A file's content as long as somebody reads it (``engine.store.Readable``)."""

    def __init__(self, store: FileContents, inode: Inode, stored: Stored) -> None:
        assert stored.cid is not None
        self._store, self._inode, self._last, self._cid = store, inode, stored, stored.cid
        self._process = os.getpid()
        store.loose.pin(stored.cid)

    def _content(self) -> Stored:
        current = self._inode.content
        if type(current) is Stored and current.cid == self._cid:
            self._last = current
        return self._last

    def __len__(self) -> int:
        return self._content().size

    def read(self, size: int, offset: int) -> list[Buffer]:
        """Up to ``size`` bytes from ``offset``, in pieces."""
        store = self._store
        with store.reading:
            content = self._content()
            if self._inode.content is not content and not (self._cid in store.loose or store.keeping.owns(self._cid)):
                raise stale()
            return store.read_stored(content, size, offset)

    def __del__(self) -> None:
        if self._process == os.getpid():
            self._store.loose.unpinned.append(self._cid)
