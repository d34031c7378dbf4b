"""The objects of one bucket, the frequent requests of which are made by obstore, with less work of the processor.

What obstore has no request for is done as ever: listings, removals, copies, uploads in parts, markers of directories.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import S3Store

from chuk_fsspec.backends.s3 import errors
from chuk_fsspec.backends.s3.client import Client
from chuk_fsspec.backends.s3.keys import NO_BYTES, S3Keys
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
from chuk_fsspec.backends.s3.options import is_amazon
from chuk_fsspec.remote.keys import Guard, Key, KeyTraits, Labels, Piece

_CREDENTIALS_FOR = timedelta(minutes=6)
"""What obstore is told of credentials. It asks anew, and so botocore which renews them, five minutes before."""


class ObstoreKeys(S3Keys):
    """The objects of a bucket (``remote.keys.KeyStore``)."""

    def __init__(self, client: Client, bucket: str, traits: KeyTraits, *, anon: bool, seconds: float) -> None:
        """The objects of a bucket, whether it is there or not.

        Args:
            client: makes the other requests, and knows endpoint, region and credentials.
            bucket: its name.
            traits: how it is best used.
            anon: ask without credentials.
            seconds: for one attempt.
        """
        super().__init__(client, bucket, traits)
        self._anon = anon
        self._seconds = seconds
        self._store: S3Store | None = None

    async def head(self, key: str, version: str = "") -> Key | None:
        """As ``KeyStore`` has it; so are all that follow."""
        if version or not is_plain(key):
            return await super().head(key, version)
        try:
            return key_of(key, await obstore.get_async(await self._opened(), key, options=HEAD))
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
            found = await obstore.get_async(await self._opened(), key, options=options_of(start, stop, etag))
        except exceptions.GenericError as error:
            if is_past_the_end(error):
                return NO_BYTES if is_empty(error) and not etag else await self._past_the_end(key, etag)
            raise
        return piece_of(found, bytes(await found.bytes_async()))

    async def put(self, key: str, data: bytes, labels: Labels, guard: Guard | None) -> Key:
        """Make or replace an object."""
        if not is_plain(key):
            return await super().put(key, data, labels, guard)
        made = await obstore.put_async(await self._opened(), key, data, **arguments_of(labels, guard))
        return Key(key, len(data), etag=etag_of(made))

    async def _opened(self) -> S3Store:
        if self._store is None:
            self._store = await self.open(self.credentials)
        return self._store

    async def open(self, credentials: Callable[[], Any]) -> S3Store:
        """Obstore's side of the bucket.

        Args:
            credentials: gives those that are valid now, by a coroutine or at once.
        """
        client = await self._client.connect()
        options: dict[str, Any] = {"skip_signature": True} if self._anon else {"credential_provider": credentials}
        if is_amazon(client.meta.endpoint_url) and not self._anon:
            options["checksum_algorithm"] = "sha256"  # a bucket whose objects are locked takes none without
        return S3Store(
            self.bucket,
            endpoint=client.meta.endpoint_url,
            region=client.meta.region_name,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": client.meta.endpoint_url.startswith("http://"),
                "timeout": timedelta(seconds=self._seconds),
            },
            retry_config={"max_retries": 0},
            **options,
        )

    async def credentials(self) -> Any:
        """Those that botocore has, as obstore wants them."""
        found = await self._client.credentials()
        if found is None:
            raise PermissionError(errno.EACCES, errors.NO_CREDENTIALS)
        key, secret, token = found
        return {
            "access_key_id": key,
            "secret_access_key": secret,
            "token": token,
            "expires_at": datetime.now(timezone.utc) + _CREDENTIALS_FOR,
        }
