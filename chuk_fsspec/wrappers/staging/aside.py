"""Hidden directories in the base: for what is on its way, and what is replaced or removed until all has gone well."""

from __future__ import annotations

import errno
import secrets
from collections.abc import Iterator
from contextlib import suppress

from chuk_fsspec.contract.paths import join, split
from chuk_fsspec.wrappers.staging.base import Base

_NOT_HERE = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))
"""A directory that takes nothing: one of a read-only mount, or of a rule."""


class Aside:
    """Made when they are first needed: as far up as can be, for whole directories are taken aside as well.

    Removed, they leave no trace in the times of the directories in which they were.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._count = 0
        self._name = f".chukstage-{secrets.token_hex(8)}"
        self._made: dict[str, tuple[int, int] | None] = {}
        self._refused: dict[str, OSError] = {}

    def place(self, path: str) -> str:
        """A free path for what comes from another one, or goes there."""
        return next(self.places(path))

    def places(self, path: str) -> Iterator[str]:
        """Free paths, of which not all may be on the disk that a path is on; each is made ready when it is asked for.

        Raises:
            OSError: if there is none.
        """
        has_some = False
        for above in _above(path):
            if self._is_made(above):
                has_some = True
                self._count += 1
                yield f"{self._in(above)}/{self._count}"
        if not has_some:
            raise self._refused[split(path)[0]]

    def remove(self) -> None:
        """Remove them with all they hold."""
        for above, times in self._made.items():
            with suppress(FileNotFoundError):  # where directories are only known by their files, there is none any more
                self._base.remove_tree(self._in(above))
            if times is not None:
                self._base.stamp(above, times)
        self._made = {}

    def kept(self) -> str:
        """Where those are that hold something, with commas between; the others are removed."""
        full = [above for above in self._made if self._base.names(self._in(above))]
        self._made = {above: times for above, times in self._made.items() if above not in full}
        self.remove()
        return ", ".join(map(self._in, full))

    def _in(self, above: str) -> str:
        return join(above, self._name)

    def _is_made(self, above: str) -> bool:
        """Whether there is one in a directory, which is tried once."""
        if above not in self._made and above not in self._refused:
            times = self._base.times(above)
            try:
                self._base.mkdir(self._in(above))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                self._refused[above] = error
            else:
                self._made[above] = times
        return above in self._made


def _above(path: str) -> Iterator[str]:
    """The directories above a path, from the root down."""
    above, name = split(path)
    if name:
        if above != "/":
            yield from _above(above)
        yield above
