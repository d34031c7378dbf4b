"""A transaction of a stage: that of the upper filesystem, with the files that wait for its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chuk_fsspec.contract.operations import FSSPEC
from chuk_fsspec.contract.transaction import EndingTransaction

if TYPE_CHECKING:
    from chuk_fsspec.wrappers.staging.filesystem import StageFileSystem


class StageTransaction(EndingTransaction):
    """``with fs.transaction``: all of it or nothing, in the stage. The base has no part in it."""

    fs: StageFileSystem | None

    def __init__(self, fs: StageFileSystem, **kwargs: Any) -> None:
        super().__init__(fs, **kwargs)
        self._fs = fs
        self._scopes: list[tuple[Any, Callable[[], None]]] = []

    def start(self) -> None:
        """Begin above."""
        let_go = self._fs.overlay.take_turn()
        try:
            below = self._fs._forward(FSSPEC["transaction"])
            below.start()
        except BaseException:
            let_go()
            raise
        self._fs.overlay.book.begin()
        self._scopes.append((below, let_go))
        super().start()

    def complete(self, commit: bool = True) -> None:
        """Publish and keep, or undo. An error while publishing undoes everything and is raised."""
        fs = self.fs = self._fs
        below, let_go = self._scopes.pop()
        kept = False
        try:
            try:
                super().complete(commit=commit)
                kept = commit
            finally:
                below.complete(commit=kept)
        finally:
            fs.overlay.ended(kept=kept)
            let_go()
