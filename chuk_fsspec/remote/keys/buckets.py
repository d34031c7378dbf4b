"""``fs.buckets`` of a filesystem that stands on a ``KeyService``."""

from __future__ import annotations

import errno
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from chuk_fsspec.contract.buckets import Bucket, StoredObject
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.remote.calling import Calls
from chuk_fsspec.remote.keys.copying import copy_file
from chuk_fsspec.remote.keys.keystore import Page
from chuk_fsspec.remote.keys.names import Names
from chuk_fsspec.remote.keys.removing import remove_keys
from chuk_fsspec.remote.keys.service import KeyService
from chuk_fsspec.remote.keys.space import Space
from chuk_fsspec.remote.together import together

Result = TypeVar("Result")


class Reached(Protocol):
    """A service, and what makes the requests for it, in one event loop."""

    @property
    def service(self) -> KeyService:
        """The service."""

    @property
    def calls(self) -> Calls:
        """What makes its requests."""


class Reaching(Protocol):
    """A filesystem that has buckets."""

    def reach(self) -> Reached:
        """The service, in the running event loop."""

    def wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have a coroutine run by the filesystem's event loop."""


@dataclass(frozen=True)
class KeyNames(Names):
    """Keys that are their own paths: there is none without one."""

    def key(self, path: str) -> str:
        """The path."""
        return path

    def directory(self, path: str) -> str:
        """The path."""
        return path

    def path(self, key: str) -> str | None:
        """The key."""
        return key


class KeyBuckets:
    """The buckets of a service, as ``contract.buckets.Buckets`` has them."""

    def __init__(self, fs: Reaching) -> None:
        """The buckets that a filesystem reaches."""
        self._fs = fs

    def list(self) -> list[Bucket]:
        """All buckets that the account sees, in the order of their names."""

        async def found() -> list[Bucket]:
            reached = self._fs.reach()
            return await reached.calls("/", reached.service.buckets)

        return sorted(self._fs.wait(found()), key=lambda bucket: bucket.name)

    def create(self, name: str, location: str = "") -> Bucket:
        """Make a bucket. EEXIST, EINVAL."""

        async def make() -> None:
            reached = self._fs.reach()
            await reached.calls(name, lambda: reached.service.make_bucket(name, location), repeatable=False)

        self._fs.wait(make())
        return self.info(name)

    def info(self, name: str) -> Bucket:
        """All that is known of a bucket. ENOENT."""

        async def look() -> Bucket | None:
            reached = self._fs.reach()
            return await reached.calls(name, lambda: reached.service.bucket(name))

        found = self._fs.wait(look())
        if found is None:
            raise os_error(errno.ENOENT, name, hint="there is no such bucket")
        return found

    def delete(self, name: str) -> None:
        """Remove an empty bucket. ENOENT, ENOTEMPTY."""

        async def remove() -> None:
            reached = self._fs.reach()
            await reached.calls(name, lambda: reached.service.remove_bucket(name), repeatable=False)

        self._fs.wait(remove())

    def objects(self, name: str, prefix: str = "") -> Iterator[StoredObject]:
        """The objects whose keys begin with a prefix. ENOENT for the bucket."""

        async def page(rest: str) -> Page:
            return await self._space(name).page(name, prefix, deep=True, rest=rest)

        rest = ""
        while True:
            found = self._fs.wait(page(rest))
            for key in found.keys:
                yield StoredObject(key.name, key.size, key.mtime, key.etag)
            rest = found.rest
            if not rest:
                return

    def remove(self, name: str, keys: Sequence[str]) -> None:
        """Remove objects, as many at once as the service takes."""

        async def remove() -> None:
            await remove_keys(self._space(name), name, keys)

        self._fs.wait(remove())

    def copy(self, source: str, target: str, keys: Sequence[tuple[str, str]]) -> None:
        """Copy objects inside the service, several at once."""

        async def copy_one(old: str, new: str) -> OSError | None:
            try:
                await copy_file(self._space(source), old, self._space(target), new, None)
            except OSError as error:
                return error
            return None

        async def copy_all() -> list[OSError | None]:
            return await together(copy_one(old, new) for old, new in keys)

        for error in self._fs.wait(copy_all()):
            if error is not None:
                raise error

    def _space(self, name: str) -> Space:
        """The objects of a bucket, by their keys; for the running event loop."""
        reached = self._fs.reach()
        return Space(reached.service.keys(name), reached.calls, KeyNames())
