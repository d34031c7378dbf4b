"""The buckets of a project, as a ``KeyService``."""

from __future__ import annotations

import errno

from chuk_fsspec.backends.gcs.connection import API, Connection, quoted
from chuk_fsspec.backends.gcs.errors import ServiceError
from chuk_fsspec.backends.gcs.keys import GcsKeys
from chuk_fsspec.backends.gcs.resources import bucket_of
from chuk_fsspec.contract.buckets import Bucket
from chuk_fsspec.contract.errors import os_error


class GcsService:
    """Google Cloud Storage."""

    def __init__(self, connection: Connection, part_size: int) -> None:
        """The buckets at the end of a connection.

        Args:
            connection: the way to the service.
            part_size: as for ``GcsKeys``.
        """
        self._connection = connection
        self._part_size = part_size

    def keys(self, bucket: str) -> GcsKeys:
        """The objects of a bucket."""
        return GcsKeys(self._connection, bucket, self._part_size)

    async def bucket(self, name: str) -> Bucket | None:
        """A bucket; None if there is none."""
        reply = await self._connection.request("GET", f"{API}/{quoted(name)}", taken=(404,))
        return None if reply.status == 404 else bucket_of(reply.json())

    async def buckets(self) -> list[Bucket]:
        """All buckets of the project."""
        query = {"project": await self._connection.project()}
        found: list[Bucket] = []
        while True:
            page = (await self._connection.request("GET", API, query=query)).json()
            found += [bucket_of(one) for one in page.get("items", ())]
            if not page.get("nextPageToken"):
                return found
            query["pageToken"] = page["nextPageToken"]

    async def make_bucket(self, name: str, location: str = "") -> None:
        """Make a bucket in the project."""
        where = location or self._connection.options.location
        content = {"name": name, **({"location": where} if where else {})}
        query = {"project": await self._connection.project()}
        await self._connection.request("POST", API, query=query, content=content)

    async def remove_bucket(self, name: str) -> None:
        """Remove an empty bucket."""
        try:
            await self._connection.request("DELETE", f"{API}/{quoted(name)}")
        except ServiceError as error:
            if error.status == 409:
                raise os_error(errno.ENOTEMPTY, f"/{name}") from error
            raise

    async def close(self) -> None:
        """Let go of connections."""
        await self._connection.close()
