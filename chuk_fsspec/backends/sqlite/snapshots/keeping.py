"""What is kept for snapshots before something is changed, where that is not left to triggers (``snapshots.schema``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chuk_fsspec.backends.sqlite.inode import Row, SqliteInode
from chuk_fsspec.backends.sqlite.snapshots import schema
from chuk_fsspec.engine.inode import Inode

if TYPE_CHECKING:
    from chuk_fsspec.backends.sqlite.numbers import Numbers
    from chuk_fsspec.backends.sqlite.session import Session

_KEEP_INODE = "UPDATE inode SET past = ?, version = version WHERE ino = ?"
_KEEP_CHUNK = schema.keep_chunk("chunk", "past_chunk", "data", ":chunk")
_IS_OWNED = "SELECT EXISTS (SELECT 1 FROM past_inode WHERE cid = ?)"


class Keeping:
    """For which snapshots something is kept, as far as writing has to know. Everything is called in a scope."""

    def __init__(self, session: Session, numbers: Numbers) -> None:
        self._session = session
        self._numbers = numbers
        self._generation = -1
        self._newest = 0

    @property
    def newest(self) -> int:
        """The number of the newest snapshot, 0 if there is none: what has a higher one is in no snapshot."""
        if self._generation != self._session.generation:
            row = self._session.run("SELECT value FROM setting WHERE name = ?", (schema.NEWEST,)).fetchone()
            self._newest = row[0] if row else 0
            self._generation = self._session.generation
        return self._newest

    def forget(self) -> None:
        """A snapshot was taken or removed."""
        self._generation = -1

    def before_row(self, inode: Row) -> None:
        """The row of an inode is going to be written, with its ``past``: a trigger keeps there what it was."""
        newest = self.newest
        if inode.ino < newest and inode.past >> 28 < newest:
            inode.past = (newest << 28) + self._numbers.take() - newest

    def before_content(self, inode: Inode) -> None:
        """The content of an inode is going to be changed, or let go of: snapshots that have it own it from now on."""
        assert isinstance(inode, SqliteInode)
        before = inode.past
        self.before_row(inode)
        if inode.past != before:
            self._session.run(_KEEP_INODE, (inode.past, inode.ino))

    def before_blob(self, chunk: int) -> None:
        """A chunk is going to be changed behind the triggers' back, which incremental I/O does."""
        if chunk >> 28 < self.newest:
            self._session.run(_KEEP_CHUNK, {"chunk": chunk})

    def owns(self, cid: int) -> bool:
        """Whether a snapshot has a content, in a form that its file has no more."""
        return cid < self.newest and bool(self._session.run(_IS_OWNED, (cid,)).fetchone()[0])
