"""What a commit has put into its base, told from what somebody else may have put there since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from chuk_fsspec.wrappers.staging.base import Base
from chuk_fsspec.wrappers.staging.record import Seen


class Traces:
    """The etags of files that were written, moved or given attributes, by path.

    Args:
        base: the filesystem below.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._etags: dict[str, str] = {}

    def note(self, path: str, etag: str | None) -> None:
        """A file was put there, with this etag if it is known."""
        if etag is not None:
            self._etags[path] = etag

    def etag(self, path: str) -> str | None:
        """That of the file that was put there, where it is known."""
        return self._etags.get(path)

    @contextmanager
    def stamping(self, path: str, size: int, mtime_ns: int | None) -> Iterator[None]:
        """A block that gives attributes to the file that was put there. Some etags tell times, and are others then.

        Args:
            path: of the file.
            size: its size.
            mtime_ns: the time that it has after the block.
        """
        etag = self._etags.get(path)
        before = self._base.look(path) if etag is not None and self._base.guards else None
        yield
        if before is None or before.etag != etag:
            return
        after = self._base.look(path)
        if after is not None and (after.ino, after.facts.size, after.facts.mtime_ns) == (before.ino, size, mtime_ns):
            self.note(path, after.etag)

    def look(self, path: str) -> Seen | None:
        """What was put there; as something that is not there any more if somebody has changed it since."""
        now = self._base.look(path)
        etag = self._etags.get(path)
        if now is None or etag is None or now.etag == etag:
            return now
        return replace(now, identity=f"etag {etag}")
