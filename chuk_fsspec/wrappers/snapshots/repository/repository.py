"""A repository: blobs, directories made of blobs, and the snapshots that name a directory each."""

from __future__ import annotations

import errno
import json
import secrets
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import SPECIAL_NAMES
from chuk_fsspec.wrappers.snapshots.entry import Entry, decode
from chuk_fsspec.wrappers.snapshots.repository.index import Index
from chuk_fsspec.wrappers.snapshots.repository.reading import BlobReader
from chuk_fsspec.wrappers.snapshots.repository.snapshots import Records
from chuk_fsspec.wrappers.snapshots.repository.storage import Storage
from chuk_fsspec.wrappers.snapshots.repository.writing import BlobWriter

MARK = "chuksnap.json"
"""The file that makes a directory a repository."""

_FORMAT = 1
_TREES = 256
"""Directories that are kept in memory, for whoever looks a path up comes back for the next."""


class Repository:
    """Where snapshots are kept. Nothing is written before the first one is taken."""

    def __init__(self, url: str, options: dict[str, Any] | None = None) -> None:
        """Find a repository.

        Args:
            url: any fsspec URL of a directory, which may be missing.
            options: storage options.
        """
        self.storage = Storage(url, options)
        self.records = Records(self.storage)
        self.index = Index(self.storage)
        self._reader = BlobReader(self.storage, self.index)
        self._trees: OrderedDict[str, list[Entry]] = OrderedDict()
        self._lock = threading.RLock()

    def identity(self) -> str:
        """What no other repository has; made with the repository.

        Raises:
            OSError: EINVAL for a directory that holds something else, or a repository of a later version.
        """
        with suppress(FileNotFoundError):
            return self._read_mark()
        mark = {"format": _FORMAT, "id": secrets.token_hex(16), "what": "snapshots of chuk-fsspec"}
        with suppress(FileExistsError):  # somebody else may be faster
            self.storage.write(MARK, json.dumps(mark).encode(), exclusive=True)
        return self._read_mark()

    def is_there(self) -> bool:
        """Whether the directory is a repository, or an empty one that can become one."""
        try:
            self._read_mark()
        except FileNotFoundError:
            return self.storage.is_empty()
        return True

    def _read_mark(self) -> str:
        data = self.storage.read(MARK)
        try:
            mark = json.loads(data)
            if mark["format"] != _FORMAT:
                raise os_error(errno.EINVAL, MARK, hint=f"the store has format {mark['format']}, this is {_FORMAT}")
            return str(mark["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise os_error(errno.EINVAL, MARK, hint="the store is no repository of snapshots") from error

    def writer(self) -> BlobWriter:
        """What takes new blobs."""
        self.index.refresh()
        return BlobWriter(self.storage, self.index)

    def read(self, blob: str) -> bytes:
        """The content of a blob. EIO."""
        if not self.index.packs:
            self.index.refresh()
        return self._reader.read(blob)

    def tree(self, blob: str) -> list[Entry]:
        """The entries of a stored directory. EIO."""
        with self._lock:
            known = self._trees.get(blob)
            if known is not None:
                self._trees.move_to_end(blob)
                return known
        entries = decode(self.read(blob))
        if any("/" in entry.name or entry.name in SPECIAL_NAMES for entry in entries):
            # Nobody but a forger names an entry so, to have it restored somewhere else.
            raise os_error(errno.EIO, hint="the store of snapshots holds a directory with a name that cannot be")
        with self._lock:
            self._trees[blob] = entries
            while len(self._trees) > _TREES:
                self._trees.popitem(last=False)
        return entries
