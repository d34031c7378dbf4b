"""Buckets and objects for threads without an event loop, asked for by way of a loop in another thread."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from chuk_fsspec.contract.buckets import Bucket
from chuk_fsspec.contract.versions import FileVersion
from chuk_fsspec.remote.keys.keystore import Guard, Key, KeyStore, KeyTraits, KeyUpload, Labels, Page, Piece, Source
from chuk_fsspec.remote.keys.service import KeyService

Result = TypeVar("Result")


class Elsewhere:
    """The way to the service of the loop. It does not keep the filesystem alive."""

    def __init__(self, reach: Callable[[Callable[[KeyService], Awaitable[Any]]], Any], seconds: float) -> None:
        """A way.

        Args:
            reach: a method of the filesystem that awaits what it is given, with the service, in the loop.
            seconds: for one request.
        """
        self._reach = weakref.WeakMethod(reach)
        self._seconds = seconds

    def __call__(self, ask: Callable[[KeyService], Awaitable[Result]]) -> Result:
        """Have a request made in the loop, and wait for it."""
        reach = self._reach()
        if reach is None:
            raise RuntimeError("the filesystem of this store is gone")
        result: Result = reach(lambda service: asyncio.wait_for(ask(service), self._seconds))
        return result


class KeysElsewhere:
    """The objects of a bucket (``KeyStore``), all of whose requests are made in the loop."""

    def __init__(self, elsewhere: Elsewhere, bucket: str, traits: KeyTraits) -> None:
        """The objects of a bucket, whether it is there or not.

        Args:
            elsewhere: the way to them.
            bucket: its name.
            traits: how it is best used.
        """
        self._elsewhere = elsewhere
        self.bucket = bucket
        self.traits = traits

    def _ask(self, ask: Callable[[KeyStore], Awaitable[Result]]) -> Result:
        return self._elsewhere(lambda service: ask(service.keys(self.bucket)))

    async def head(self, key: str, version: str = "") -> Key | None:
        """As ``KeyStore`` has it; so are all that follow."""
        return self._ask(lambda keys: keys.head(key, version))

    async def head_whole(self, key: str, version: str = "") -> Key | None:
        """An object with all that a copy has to be told."""
        return self._ask(lambda keys: keys.head_whole(key, version))

    async def versions(self, key: str) -> list[FileVersion]:
        """All versions of an object."""
        return self._ask(lambda keys: keys.versions(key))

    async def get(self, key: str, start: int = 0, stop: int | None = None, etag: str = "", version: str = "") -> Piece:
        """Bytes of an object."""
        return self._ask(lambda keys: keys.get(key, start, stop, etag, version))

    async def put(self, key: str, data: bytes, labels: Labels, guard: Guard | None) -> Key:
        """Make or replace an object."""
        return self._ask(lambda keys: keys.put(key, data, labels, guard))

    async def begin(self, key: str, labels: Labels, guard: Guard | None) -> KeyUpload:
        """Uploads are for coroutines in the loop itself."""
        raise AssertionError("an upload waits for an event loop")

    async def sweep(self, key: str, seconds: float, keep: KeyUpload | None) -> None:
        """Likewise."""
        raise AssertionError("an upload waits for an event loop")

    async def page(
        self, prefix: str, *, deep: bool, rest: str = "", limit: int = 1000, names_only: bool = False
    ) -> Page:
        """List keys."""
        return self._ask(lambda keys: keys.page(prefix, deep=deep, rest=rest, limit=limit, names_only=names_only))

    async def copy(self, source: Source, key: str, labels: Labels | None, guard: Guard | None) -> Key:
        """Copy an object."""
        return self._ask(lambda keys: keys.copy(source, key, labels, guard))

    async def delete(self, key: str, guard: Guard | None, version: str = "") -> None:
        """Remove an object, or a version of it."""
        self._ask(lambda keys: keys.delete(key, guard, version))

    async def delete_many(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Remove objects."""
        return self._ask(lambda there: there.delete_many(keys))

    async def sign(self, key: str, expiration: int, method: str) -> str:
        """A URL that needs no credentials."""
        return self._ask(lambda keys: keys.sign(key, expiration, method))


class ServiceElsewhere:
    """Buckets (``KeyService``), all of whose requests are made in the loop."""

    def __init__(self, elsewhere: Elsewhere, keys: Callable[[str], KeyStore]) -> None:
        """Buckets.

        Args:
            elsewhere: the way to them.
            keys: gives the objects of a bucket by its name.
        """
        self._elsewhere = elsewhere
        self._keys = keys

    def keys(self, bucket: str) -> KeyStore:
        """As ``KeyService`` has it; so are all that follow."""
        return self._keys(bucket)

    async def bucket(self, name: str) -> Bucket | None:
        """A bucket; None if there is none."""
        return self._elsewhere(lambda service: service.bucket(name))

    async def buckets(self) -> list[Bucket]:
        """All buckets that the user may see."""
        return self._elsewhere(lambda service: service.buckets())

    async def make_bucket(self, name: str, location: str = "") -> None:
        """Make a bucket."""
        self._elsewhere(lambda service: service.make_bucket(name, location))

    async def remove_bucket(self, name: str) -> None:
        """Remove an empty bucket."""
        self._elsewhere(lambda service: service.remove_bucket(name))

    async def close(self) -> None:
        """The connections are the loop's."""
