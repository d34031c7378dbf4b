"""The objects of one bucket for threads without an event loop, by obstore's requests that block."""

from __future__ import annotations

import threading
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import S3Store

from chuk_fsspec.backends.s3.keys import NO_BYTES
from chuk_fsspec.backends.s3.keys_obstore import ObstoreKeys
from chuk_fsspec.backends.s3.obstore_requests import (
    HEAD,
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
from chuk_fsspec.remote.keys import Guard, Key, KeyTraits, Labels, Piece
from chuk_fsspec.remote.keys.elsewhere import Elsewhere, KeysElsewhere
from chuk_fsspec.remote.keys.keystore import KeyStore


class BlockingKeys(KeysElsewhere):
    """The objects of a bucket (``remote.keys.KeyStore``). What obstore has no request for is asked for in the loop."""

    def __init__(self, elsewhere: Elsewhere, bucket: str, traits: KeyTraits) -> None:
        super().__init__(elsewhere, bucket, traits)
        self._store: S3Store | None = None
        self._opening = threading.RLock()

    async def head(self, key: str, version: str = "") -> Key | None:
        """As ``KeyStore`` has it; so are all that follow."""
        if version or not is_plain(key):
            return await super().head(key, version)
        try:
            return key_of(key, obstore.get(self._opened(), key, options=HEAD))
        except FileNotFoundError:
            return None
        except exceptions.GenericError as error:
            if is_without_words(error):
                return await super().head(key)
            raise

    async def get(self, key: str, start: int = 0, stop: int | None = None, etag: str = "", version: str = "") -> Piece:
        """Bytes of an object."""
        if version or not is_plain(key):
            return await super().get(key, start, stop, etag, version)
        try:
            found = obstore.get(self._opened(), key, options=options_of(start, stop, etag))
        except exceptions.GenericError as error:
            if is_past_the_end(error):
                return NO_BYTES if is_empty(error) and not etag else await super().get(key, start, stop, etag)
            raise
        return piece_of(found, bytes(found.bytes()))

    async def put(self, key: str, data: bytes, labels: Labels, guard: Guard | None) -> Key:
        """Make or replace an object."""
        if not is_plain(key):
            return await super().put(key, data, labels, guard)
        made = obstore.put(self._opened(), key, data, **arguments_of(labels, guard))
        return Key(key, len(data), etag=etag_of(made))

    def _opened(self) -> S3Store:
        if self._store is None:
            with self._opening:
                if self._store is None:
                    self._store = self._ask(self._open)
        return self._store

    async def _open(self, keys: KeyStore) -> S3Store:
        assert isinstance(keys, ObstoreKeys)
        return await keys.open(self._credentials)

    def _credentials(self) -> Any:
        async def credentials(keys: KeyStore) -> Any:
            assert isinstance(keys, ObstoreKeys)
            return await keys.credentials()

        return self._ask(credentials)
