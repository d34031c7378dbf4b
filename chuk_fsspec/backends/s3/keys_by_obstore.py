"""The objects of one bucket, the frequent requests of which are made by obstore, with less work of the processor.

What obstore has no request for is done as ever: removals, copies, uploads in parts, markers of directories; and so are
listings, for its own tell markers as files and no storage class, and fail where one key holds ``//``.
"""

from __future__ import annotations

from typing import Any

from obstore import exceptions

from chuk_fsspec.backends.s3.keys import NO_BYTES, past_the_end
from chuk_fsspec.backends.s3.obstore_requests import (
    arguments_of,
    etag_of,
    is_empty,
    is_past_the_end,
    is_plain,
    is_without_words,
    key_of,
    options_of,
    piece_of,
)
from chuk_fsspec.remote.keys import Guard, Key, KeyStore, Labels, Piece

_LARGE = 4 << 20
"""Bytes of a piece of a large object: threads of obstore keep the memory of several such, and gain little by them."""


class KeysByObstore:
    """The part of a ``KeyStore`` that obstore has requests for. A subclass makes them, and has all else."""

    _others: KeyStore
    """Asks for what obstore would not ask for as it is."""

    async def _looked(self, key: str) -> Any:
        """Obstore's reply to ``get`` without content."""
        raise NotImplementedError

    async def _got(self, key: str, options: Any) -> tuple[Any, bytes]:
        """Its reply to ``get``, and the bytes that it has brought."""
        raise NotImplementedError

    async def _put(self, key: str, data: bytes, arguments: Any) -> Any:
        """Obstore's reply to ``put``."""
        raise NotImplementedError

    async def head(self, key: str, version: str = "") -> Key | None:
        """As ``KeyStore`` has it; so are all that follow."""
        if version or not is_plain(key):
            return await self._others.head(key, version)
        try:
            return key_of(key, await self._looked(key))
        except FileNotFoundError:
            return None
        except exceptions.GenericError as error:
            if is_without_words(error):
                return await self._others.head(key)
            raise

    async def get(self, key: str, start: int = 0, stop: int | None = None, etag: str = "", version: str = "") -> Piece:
        """Bytes of an object."""
        goes_on = start > 0 and (stop is None or stop - start >= _LARGE)
        if version or goes_on or not is_plain(key):
            return await self._others.get(key, start, stop, etag, version)
        try:
            found, data = await self._got(key, options_of(start, stop, etag))
        except exceptions.GenericError as error:
            if is_past_the_end(error):
                return NO_BYTES if is_empty(error) and not etag else await past_the_end(self._others, key, etag)
            raise
        return piece_of(found, data)

    async def put(self, key: str, data: bytes, labels: Labels, guard: Guard | None) -> Key:
        """Make or replace an object."""
        if not is_plain(key):
            return await self._others.put(key, data, labels, guard)
        made = await self._put(key, data, arguments_of(labels, guard))
        return Key(key, len(data), etag=etag_of(made))

    async def head_whole(self, key: str, version: str = "") -> Key | None:
        """An object with all that a copy has to be told; obstore does not tell the storage class."""
        return await self._others.head_whole(key, version)
