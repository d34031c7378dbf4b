"""The objects of one bucket for an event loop, by obstore's coroutines."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import obstore
from obstore.store import S3Store

from chuk_fsspec.backends.s3 import errors
from chuk_fsspec.backends.s3.client import Client
from chuk_fsspec.backends.s3.keys import S3Keys
from chuk_fsspec.backends.s3.keys_by_obstore import KeysByObstore
from chuk_fsspec.backends.s3.obstore_requests import HEAD
from chuk_fsspec.backends.s3.options import is_amazon
from chuk_fsspec.remote.keys import KeyTraits

_CREDENTIALS_FOR = timedelta(minutes=6)
"""What obstore is told of credentials. It asks anew, and so botocore which renews them, five minutes before."""


class ObstoreKeys(KeysByObstore, S3Keys):
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
        self._others = S3Keys(client, bucket, traits)
        self._anon = anon
        self._seconds = seconds
        self._store: S3Store | None = None

    async def _looked(self, key: str) -> Any:
        return await obstore.get_async(await self._opened(), key, options=HEAD)

    async def _got(self, key: str, options: Any) -> tuple[Any, bytes]:
        found = await obstore.get_async(await self._opened(), key, options=options)
        return found, bytes(await found.bytes_async())

    async def _put(self, key: str, data: bytes, arguments: Any) -> Any:
        return await obstore.put_async(await self._opened(), key, data, **arguments)

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
