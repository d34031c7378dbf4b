"""The keys that a tree is made of, and how requests for them are made."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from chuk_fsspec.contract.errors import not_found, os_error
from chuk_fsspec.remote.calling import Calls
from chuk_fsspec.remote.keys.keystore import Key, KeyStore, Page
from chuk_fsspec.remote.keys.names import Names


@dataclass(frozen=True)
class Space:
    """A part of a bucket's keys.

    Attributes:
        keys: the objects of the bucket.
        calls: makes requests.
        names: which keys stand for which paths.
        keeps_posix: modes, owners, times and symbolic links are kept in the objects' metadata.
        version: of the one object that is read; empty for the latest of each.
    """

    keys: KeyStore
    calls: Calls
    names: Names
    keeps_posix: bool = False
    version: str = ""

    async def head(self, path: str, key: str) -> Key | None:
        """The object of a key; None if there is none."""
        return await self.calls(path, lambda: self.keys.head(key, self.version))

    async def head_whole(self, path: str, key: str) -> Key | None:
        """The same with all that a copy of it has to be told."""
        return await self.calls(path, lambda: self.keys.head_whole(key, self.version))

    async def page(
        self, path: str, prefix: str, *, deep: bool, rest: str = "", limit: int = 1000, names_only: bool = False
    ) -> Page:
        """A page of keys that begin with a prefix."""
        return await self.calls(
            path, lambda: self.keys.page(prefix, deep=deep, rest=rest, limit=limit, names_only=names_only)
        )

    async def has_directory(self, path: str) -> bool:
        """Whether there is a key that makes a path a directory."""
        if path == self.names.top:
            return True
        return bool((await self.page(path, self.names.directory(path), deep=True, limit=1, names_only=True)).keys)

    async def why_no_file(self, path: str) -> OSError:
        """EISDIR or ENOENT for a path whose key has no object."""
        if self.version:
            return no_version(path, self.version)
        return os_error(errno.EISDIR, path) if await self.has_directory(path) else not_found(path)

    async def why_no_directory(self, path: str) -> OSError:
        """ENOTDIR or ENOENT for a path that no key makes a directory."""
        key = self.names.key(path)
        return not_found(path) if await self.head(path, key) is None else os_error(errno.ENOTDIR, path)


def no_version(path: str, version: str) -> OSError:
    """ENOENT for a version that is not kept, or is a removal."""
    return os_error(errno.ENOENT, path, hint=f"no content is kept as its version {version}")
