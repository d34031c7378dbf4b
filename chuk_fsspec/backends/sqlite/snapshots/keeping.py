"""What is kept for snapshots before a content is changed: triggers do the rest (``snapshots.schema``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.snapshots import schema

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.session import Session

_KEEP_INODE = schema.KEEP_INODE.format(":ino")
_KEEP_CHUNK = schema.keep_chunk("chunk", "past_chunk", "data", ":chunk")
_IS_OWNED = "SELECT EXISTS (SELECT 1 FROM past_inode WHERE cid = ?)"
_REMEMBERED = 1 << 16


class Keeping:
    """For which snapshots something is kept, as far as writing has to know. Everything is called in a scope."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._generation = -1
        self._newest = 0
        self._kept: set[int] = set()

    @property
    def newest(self) -> int:
        """The number of the newest snapshot, 0 if there is none: what has a higher one is in no snapshot."""
        if self._generation != self._session.generation:
            row = self._session.run("SELECT value FROM setting WHERE name = ?", (schema.NEWEST,)).fetchone()
            self._newest = row[0] if row else 0
            self._generation = self._session.generation
            self._kept.clear()
        return self._newest

    def forget(self) -> None:
        """A snapshot was taken or removed."""
        self._generation = -1

    def before_content(self, ino: int) -> None:
        """The content of an inode is going to be changed, or let go of: snapshots that have it own it from now on."""
        if ino < self.newest and ino not in self._kept:
            self._session.run(_KEEP_INODE, {"ino": ino})
            if len(self._kept) >= _REMEMBERED:
                self._kept.clear()
            self._kept.add(ino)

    def before_blob(self, chunk: int) -> None:
        """A chunk is going to be changed behind the triggers' back, which incremental I/O does."""
        if chunk >> 28 < self.newest:
            self._session.run(_KEEP_CHUNK, {"chunk": chunk})

    def owns(self, cid: int) -> bool:
        """Whether a snapshot has a content, in a form that its file has no more."""
        return cid < self.newest and bool(self._session.run(_IS_OWNED, (cid,)).fetchone()[0])
