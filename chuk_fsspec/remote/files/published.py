"""What the files that are written have in common: they are published whole when they are closed, or not at all."""

from __future__ import annotations

from typing import Any

from chuk_fsspec.contract.unpublished import UnpublishedFile


class PublishedFile(UnpublishedFile):
    """A file that ends by one of two coroutines."""

    def __init__(self, fs: Any, path: str, mode: str, *, autocommit: bool) -> None:
        super().__init__(fs, path, mode, autocommit=autocommit)
        self._is_over = False

    async def _publish(self) -> str | None:
        """Put what was written in its place; returns its etag."""
        raise NotImplementedError

    async def _drop(self) -> None:
        """Let go of what was written. After ``_publish`` there is nothing left of it."""
        raise NotImplementedError

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Nobody sees anything before the file is closed."""
        self._require_open()

    def require_condition(self) -> None:
        """Before a transaction publishes its first file: PreconditionFailed if this one could not be."""
        if self.condition is not None and not self._is_over:
            self.fs._wait(self.fs._require_condition(self.path, self.condition))

    def commit(self) -> None:
        """Publish what was written. EEXIST for ``x`` if somebody was faster; PreconditionFailed."""
        if self._is_over:
            return
        try:
            self.etag = self.fs._wait(self._publish())
        finally:
            self.discard()

    def discard(self) -> None:
        """Drop what was written; what is there stays."""
        if not self._is_over:
            self.fs._wait(self.give_up())

    async def give_up(self) -> None:
        """The same, for a file that nobody has got."""
        self._is_over = True
        await self._drop()

    def close(self) -> None:
        """Publish, or wait for the end of a transaction. If that fails the file is closed, and the error is raised."""
        if self.closed:
            return
        try:
            if self.autocommit:
                self.commit()
        finally:
            super().close()

    def _require_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")
