"""A directory in the base for what is on its way, and for what is replaced or removed until all has gone well."""

from __future__ import annotations

import secrets
from contextlib import suppress

from chuk_fsspec.wrappers.staging.base import Base


class Aside:
    """A hidden directory, made when it is first needed.

    Attributes:
        path: where it is; empty if it was not needed.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._count = 0
        self.path = ""

    def place(self) -> str:
        """A free path in it."""
        if not self.path:
            path = f"/.chukstage-{secrets.token_hex(8)}"
            self._base.mkdir(path)
            self.path = path
        self._count += 1
        return f"{self.path}/{self._count}"

    def remove(self) -> None:
        """Remove it with all it holds."""
        if self.path:
            with suppress(FileNotFoundError):  # where directories are only known by their files, there is none any more
                self._base.remove_tree(self.path)
            self.path = ""

    def remove_if_empty(self) -> None:
        """Remove it, unless something could not be put back from it."""
        if self.path and not self._base.names(self.path):
            self.remove()
