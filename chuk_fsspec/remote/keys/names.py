"""Which key stands for which path."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import SPECIAL_NAMES, join

KEY_MAX = 1024
"""Bytes of a key, on S3 and on Google Cloud Storage."""


@dataclass(frozen=True)
class Names:
    """The keys of a tree.

    Attributes:
        top: absolute normal path of the tree's root.
        prefix: what all its keys begin with; empty, or with a ``/`` at its end.
    """

    top: str = "/"
    prefix: str = ""

    def key(self, path: str) -> str:
        """The key of a file.

        Raises:
            OSError: ENAMETOOLONG past 1024 bytes with the prefix; EINVAL for what is no UTF-8, which keys have to be.
        """
        name = self.prefix + path[len(self.top) :].lstrip("/")
        if not name.isascii() or len(name) > KEY_MAX:
            try:
                length = len(name.encode())
            except UnicodeEncodeError:
                raise os_error(errno.EINVAL, path, hint="names in a bucket are UTF-8") from None
            if length > KEY_MAX:
                raise os_error(errno.ENAMETOOLONG, path, hint=f"a key has at most {KEY_MAX} bytes")
        return name

    def directory(self, path: str) -> str:
        """The key of a directory's marker, which all keys in it begin with; that of the root may be empty."""
        return self.prefix if path == self.top else self.key(path) + "/"

    def path(self, key: str) -> str | None:
        """The path of a key, a marker's too; None for one that no path leads to, as ``a//b`` or ``a/../b``."""
        below = key[len(self.prefix) :].removesuffix("/")
        if "\0" in below or not SPECIAL_NAMES.isdisjoint(below.split("/")):
            return None
        return join(self.top, below)


def is_name(name: str) -> bool:
    """Whether a part of a key can be one of a path."""
    return name not in SPECIAL_NAMES and "\0" not in name


def prefix_of(prefix: str) -> str:
    """A prefix as keys have it: no slash before, one behind; empty for the whole bucket.

    Raises:
        ValueError: for ``..`` and the like, which no path has.
    """
    names = [name for name in prefix.split("/") if name]
    if not {".", ".."}.isdisjoint(names):
        raise ValueError(f"prefix={prefix!r} holds a name that no path can have")
    return "".join(f"{name}/" for name in names)
