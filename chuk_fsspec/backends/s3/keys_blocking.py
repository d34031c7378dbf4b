"""The objects of one bucket for threads without an event loop, by obstore's requests that block."""

from __future__ import annotations

import threading
from typing import Any

import obstore
from obstore.store import S3Store

from chuk_fsspec.backends.s3.keys_by_obstore import KeysByObstore
from chuk_fsspec.backends.s3.keys_obstore import ObstoreKeys
from chuk_fsspec.backends.s3.obstore_requests import HEAD
from chuk_fsspec.remote.blocking import interruptibly
from chuk_fsspec.remote.keys import KeyTraits
from chuk_fsspec.remote.keys.elsewhere import Elsewhere, KeysElsewhere
from chuk_fsspec.remote.keys.keystore import KeyStore


class BlockingKeys(KeysByObstore, KeysElsewhere):
    """The objects of a bucket (``remote.keys.KeyStore``). What obstore has no request for is asked for in the loop."""

    def __init__(self, elsewhere: Elsewhere, bucket: str, traits: KeyTraits) -> None:
        super().__init__(elsewhere, bucket, traits)
        self._others = KeysElsewhere(elsewhere, bucket, traits)
        self._store: S3Store | None = None
        self._opening = threading.RLock()

    async def _looked(self, key: str) -> Any:
        store = self._opened()
        return interruptibly(lambda: obstore.get(store, key, options=HEAD))

    async def _got(self, key: str, options: Any) -> tuple[Any, bytes]:
        store = self._opened()

        def get() -> tuple[Any, bytes]:
            found = obstore.get(store, key, options=options)
            return found, bytes(found.bytes())

        return interruptibly(get)

    async def _put(self, key: str, data: bytes, arguments: Any) -> Any:
        store = self._opened()
        return interruptibly(lambda: obstore.put(store, key, data, **arguments))

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
