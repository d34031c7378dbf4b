"""Transactions that undo everything: files are published at the end, and rm, mv, cp and mkdir are undone on failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.transaction import EndingTransaction

if TYPE_CHECKING:
    from chuk_fsspec.engine.filesystem import InodeFileSystem


class UndoTransaction(EndingTransaction):
    """``with fs.transaction``: all of it or nothing, for the thread that started it.

    Files written inside appear when the block ends well, as fsspec promises, or earlier when an ``rm``, ``mv``, ``cp``
    or ``mkdir`` of the same block comes after them, so that the order of operations holds. Everything is undone if the
    block or the publishing fails. Other threads may see what a running transaction has removed, moved or made.
    """

    fs: InodeFileSystem | None

    def __init__(self, fs: InodeFileSystem, **kwargs: Any) -> None:
        super().__init__(fs, **kwargs)
        self._fs = fs  # fsspec forgets it at the end of a block, of an inner one too

    def start(self) -> None:
        """Begin the undo scope."""
        super().start()
        self._fs.store.begin()

    def complete(self, commit: bool = True) -> None:
        """Publish and keep, or undo. An error while publishing undoes everything and is raised."""
        fs = self.fs = self._fs
        kept = False
        try:
            super().complete(commit=commit)
            kept = commit
        finally:
            with fs.inodes.lock:
                fs.inodes.forget_paths()
                if kept:
                    fs.store.commit()
                else:
                    fs.store.rollback()
            fs.inodes.announce_all()
