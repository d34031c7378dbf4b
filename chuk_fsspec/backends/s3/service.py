"""The buckets of S3."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import ClientError

from chuk_fsspec.backends.s3.client import Client
from chuk_fsspec.backends.s3.errors import code_of
from chuk_fsspec.contract.buckets import Bucket
from chuk_fsspec.remote.keys import KeyStore

_NOWHERE = ("", "us-east-1", "aws-global")
"""Regions that are not named when a bucket is made: the first one of S3 refuses its own name."""


class S3Service:
    """The buckets that one client reaches (``remote.keys.KeyService``)."""

    def __init__(self, client: Client, keys: Callable[[str], KeyStore]) -> None:
        """Buckets.

        Args:
            client: makes the requests.
            keys: gives the objects of a bucket by its name.
        """
        self._client = client
        self._keys = keys

    def keys(self, bucket: str) -> KeyStore:
        """As ``KeyService`` has it; so are all that follow."""
        return self._keys(bucket)

    async def bucket(self, name: str) -> Bucket | None:
        """A bucket. One that may not be looked at is there all the same."""
        try:
            reply = await self._client("head_bucket", Bucket=name)
        except ClientError as error:
            told = await self._client.explained(error, name)
            if code_of(told) in ("404", "NoSuchBucket", "InvalidBucketName"):
                return None
            if code_of(told) in ("301", "403", "AccessDenied"):
                return Bucket(name)
            raise told from None
        return Bucket(name, location=reply.get("BucketRegion", ""))

    async def buckets(self) -> list[Bucket]:
        """All buckets of the account."""
        found: list[Bucket] = []
        rest: dict[str, str] = {}
        while True:
            reply = await self._client("list_buckets", **rest)
            for bucket in reply.get("Buckets", ()):
                created = bucket.get("CreationDate")
                found.append(Bucket(bucket["Name"], created=created.timestamp() if created else None))
            if not reply.get("ContinuationToken"):
                return found
            rest = {"ContinuationToken": reply["ContinuationToken"]}

    async def make_bucket(self, name: str, location: str = "") -> None:
        """Make a bucket, in a region or in that of the client."""
        client = await self._client.connect()
        region = location or client.meta.region_name or ""
        placing = {} if region in _NOWHERE else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        await self._client("create_bucket", Bucket=name, **placing)

    async def remove_bucket(self, name: str) -> None:
        """Remove an empty bucket."""
        await self._client("delete_bucket", Bucket=name)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()
