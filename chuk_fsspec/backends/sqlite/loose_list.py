"""The list of contents that are kept although no file has them, and when they go."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.inode import Stored

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.contents import FileContents
    from chuk_fsspec.backends.sqlite.loose import Loose

_REMEMBERED = 256
"""Contents that are dropped once more if their dropping may have been undone."""


class LooseList:
    """The table ``loose``, and who reads what is in it. Everything is called within a change, unless it says otherwise.

    Attributes:
        unpinned: numbers of contents that a reader has let go of.
        unused: numbers of contents to be dropped, if no file has them. Both are filled by any thread at any time, and
            looked at when the next change ends.
    """

    def __init__(self, store: FileContents) -> None:
        self.unpinned: deque[int] = deque()
        self.unused: deque[int] = deque()
        self._store = store
        self._pins: dict[int, int] = {}
        self._dropped: deque[int] = deque(maxlen=_REMEMBERED)

    def new(self) -> int:
        """The number of a new content, which is going to be written."""
        cid = self._store.numbers.take()
        self._add(cid)
        return cid

    def _add(self, cid: int) -> None:
        self._store.session.run("INSERT INTO loose VALUES (?)", (cid,))

    def __contains__(self, cid: int) -> bool:
        """Whether a content is kept although no file has it, within any scope."""
        return self._store.session.run("SELECT 1 FROM loose WHERE cid = ?", (cid,)).fetchone() is not None

    def give(self, content: Loose) -> Stored:
        """A file takes it. ESTALE if it is there no more."""
        content.require()
        self._store.session.run("DELETE FROM loose WHERE cid = ?", (content.stored.cid,))
        return content.stored

    def receive(self, cid: int) -> None:
        """Its file has it no more: it is dropped, or kept for snapshots and for those who read it."""
        if self._store.keeping.owns(cid):
            return
        if cid in self._pins:
            self._add(cid)
        else:
            self._store.chunks.drop(cid)

    def pin(self, cid: int) -> None:
        """Somebody begins to read it; in any scope, or none."""
        self._pins[cid] = self._pins.get(cid, 0) + 1

    def drop(self, cid: int) -> None:
        """Drop a content if neither a file nor a reader has it."""
        run = self._store.session.run
        if cid not in self._pins and run("DELETE FROM loose WHERE cid = ?", (cid,)).rowcount:
            self._store.chunks.drop(cid)
            self._dropped.append(cid)

    def drop_unused(self) -> None:
        """Drop the contents that readers and writers have let go of, if no file has them."""
        while self.unpinned:
            cid = self.unpinned.popleft()
            self._pins[cid] -= 1
            if not self._pins[cid]:
                del self._pins[cid]
                self.unused.append(cid)
        while self.unused:
            self.drop(self.unused.popleft())

    def undone(self) -> None:
        """What was dropped last may be there again."""
        self.unused.extend(self._dropped)
        self._dropped.clear()
