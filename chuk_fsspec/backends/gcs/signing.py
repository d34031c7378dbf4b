"""URLs that anybody can use for a while (cloud.google.com/storage/docs/access-control/signed-urls)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from chuk_fsspec.backends.gcs.connection import Connection
from chuk_fsspec.contract.errors import not_supported


async def signed_url(connection: Connection, bucket: str, key: str, expiration: int, method: str) -> str:
    """Sign a URL with the key of a service account.

    Args:
        connection: whose credentials are used.
        bucket: of the object.
        key: of the object.
        expiration: seconds, at most a week.
        method: GET or PUT.

    Raises:
        OSError: ENOTSUP for credentials that cannot sign.
    """
    fs = await connection.signed_in()
    return await asyncio.to_thread(_sign, fs, connection.options.endpoint_url, (bucket, key), expiration, method)


def _sign(fs: Any, endpoint: str, name: tuple[str, str], expiration: int, method: str) -> str:
    from google.auth.credentials import Signing
    from google.cloud import storage

    held = fs.credentials.credentials
    if not isinstance(held, Signing):
        raise not_supported("these credentials cannot sign; use those of a service account", "/".join(("", *name)))
    client = storage.Client(credentials=held, project=fs.project)
    try:
        url = (
            client.bucket(name[0])
            .blob(name[1])
            .generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=expiration),
                method=method,
                **({"api_access_endpoint": endpoint} if endpoint else {}),
            )
        )
    finally:
        client.close()
    return str(url)
