"""The objects of one bucket, as a ``KeyStore``."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from chuk_fsspec.backends.gcs.batching import BATCH, remove_batch
from chuk_fsspec.backends.gcs.connection import API, UPLOADS, Connection, Reply, quoted
from chuk_fsspec.backends.gcs.errors import PRECONDITION, ServiceError, errno_of
from chuk_fsspec.backends.gcs.resources import (
    FIELDS,
    FIELDS_OF_NEW,
    METADATA,
    at_generation,
    content_type_of,
    generation_of,
    guarded,
    key_of,
    new_key_of,
    properties_of,
    version_of,
)
from chuk_fsspec.backends.gcs.signing import signed_url
from chuk_fsspec.backends.gcs.transcoding import as_stored
from chuk_fsspec.backends.gcs.uploading import ResumableUpload
from chuk_fsspec.contract.versions import FileVersion
from chuk_fsspec.remote.calling import UnfinishedError
from chuk_fsspec.remote.keys import Guard, Key, KeyTraits, KeyUpload, Labels, Page, Piece, Source

_SIZE = re.compile(r"bytes .*/(\d+)")
_PAST_THE_END = 416
_ANY_SIZE = 1 << 62


class GcsKeys:
    """Objects by the JSON API; what they hold by the XML API, whose replies tell metadata along with it."""

    def __init__(self, connection: Connection, bucket: str, part_size: int) -> None:
        """The objects of a bucket.

        Args:
            connection: the way to the service.
            bucket: its name.
            part_size: bytes of the parts of uploads and streams.
        """
        self._connection = connection
        self._objects = f"{API}/{quoted(bucket)}/o"
        self._uploads = f"{UPLOADS}/{quoted(bucket)}/o"
        self._contents = f"/{quoted(bucket)}/"
        self._rewrites: dict[tuple[Source, str, Guard | None, str], str] = {}
        self.bucket = bucket
        self.traits = KeyTraits(
            part_size=part_size,
            parts_max=_ANY_SIZE // part_size,
            parallel_parts=1,
            largest_put=part_size,
            largest_copy=_ANY_SIZE,
            delete_batch=BATCH,
        )

    async def head(self, key: str, version: str = "") -> Key | None:
        """An object with its labels; None if there is none."""
        query = at_generation(version)
        reply = await self._connection.request("GET", self._url(key), query=query, taken=(404,))
        return None if reply.status == 404 else key_of(reply.json())

    async def head_whole(self, key: str, version: str = "") -> Key | None:
        """The same: nothing is left out there."""
        return await self.head(key, version)

    async def versions(self, key: str) -> list[FileVersion]:
        """All generations of an object that are kept. Those of keys that only begin with it come after them."""
        found: list[FileVersion] = []
        query = {"prefix": key, "versions": "true", "fields": f"nextPageToken,items({FIELDS},timeDeleted)"}
        while True:
            reply = (await self._connection.request("GET", self._objects, query=query)).json()
            items = reply.get("items", ())
            found += [version_of(one) for one in items if one["name"] == key]
            if "nextPageToken" not in reply or any(one["name"] != key for one in items):
                return sorted(found, key=lambda one: int(one.version_id), reverse=True)
            query["pageToken"] = reply["nextPageToken"]

    async def get(self, key: str, start: int = 0, stop: int | None = None, etag: str = "", version: str = "") -> Piece:
        """Bytes of an object, by one request; past its end by two."""
        headers: dict[str, str] = {}
        if etag:
            headers["x-goog-if-generation-match"] = generation_of(etag)
        if stop is not None and stop <= start:
            return await self._nothing_of(key, etag, version)
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
        reply = await self._connection.request(
            "GET",
            self._contents + quote(key, safe="/"),
            query=at_generation(version),
            headers=headers,
            taken=(_PAST_THE_END,),
            stored=True,
        )
        reply = as_stored(reply, start, stop)
        return await self._nothing_of(key, etag, version) if reply.status == _PAST_THE_END else _piece_of(reply)

    async def put(self, key: str, data: bytes, labels: Labels, guard: Guard | None) -> Key:
        """Make or replace an object in one request: the content alone, or metadata before it."""
        if labels.metadata or labels.headers:
            kind, content_type, content = "multipart", *_with_properties(labels, data)
        else:
            kind, content_type, content = "media", content_type_of(labels), data
        reply = await self._connection.request(
            "POST",
            f"{self._uploads}?uploadType={kind}&name={quoted(key)}&fields={FIELDS_OF_NEW}",
            query=guarded(guard),
            headers={"Content-Type": content_type},
            content=content,
        )
        return new_key_of(key, reply.json())

    async def begin(self, key: str, labels: Labels, guard: Guard | None) -> KeyUpload:
        """Begin to send an object in parts."""
        properties = properties_of(labels)
        reply = await self._connection.request(
            "POST",
            self._uploads,
            query={"uploadType": "resumable", **guarded(guard)},
            headers={"X-Upload-Content-Type": properties["contentType"]},
            content={**properties, "name": key},
        )
        return ResumableUpload(self._connection, reply.headers["Location"], guard)

    async def sweep(self, key: str, seconds: float, keep: KeyUpload | None) -> None:
        """Uploads whose reply was lost can be seen by nobody, take no space, and end after a week."""

    async def page(
        self, prefix: str, *, deep: bool, rest: str = "", limit: int = 1000, names_only: bool = False
    ) -> Page:
        """List keys, with their labels where they are wanted."""
        fields = "name" if names_only else FIELDS
        query = {
            "prefix": prefix,
            "maxResults": str(limit),
            "pageToken": rest,
            "delimiter": "" if deep else "/",
            "fields": f"nextPageToken,prefixes,items({fields})",
        }
        reply = await self._connection.request("GET", self._objects, query={k: v for k, v in query.items() if v})
        found = reply.json()
        items = found.get("items", ())
        keys = [Key(one["name"]) for one in items] if names_only else [key_of(one) for one in items]
        return Page(keys, found.get("prefixes", ()), found.get("nextPageToken", ""))

    async def copy(self, source: Source, key: str, labels: Labels | None, guard: Guard | None) -> Key:
        """Copy an object, whatever its size. From one place of Google's to another that takes several requests."""
        if labels is not None and not source.version and (source.bucket, source.key) == (self.bucket, key):
            return await self._relabel(source, labels)
        query = guarded(guard)
        if source.etag:
            query["ifSourceGenerationMatch"] = generation_of(source.etag)
        if source.version:
            query["sourceGeneration"] = source.version
        url = f"{API}/{quoted(source.bucket)}/o/{quoted(source.key)}/rewriteTo/b/{quoted(self.bucket)}/o/{quoted(key)}"
        content = None if labels is None else properties_of(labels)
        this = source, key, guard, json.dumps(content)
        if this in self._rewrites:
            query["rewriteToken"] = self._rewrites[this]
        found = (await self._connection.request("POST", url, query=query, content=content)).json()
        if not found["done"]:
            self._rewrites[this] = found["rewriteToken"]
            raise UnfinishedError
        self._rewrites.pop(this, None)
        return key_of(found["resource"])

    async def delete(self, key: str, guard: Guard | None, version: str = "") -> None:
        """Remove an object."""
        taken = (404,) if guard is None else ()
        query = {**guarded(guard), **at_generation(version)}
        await self._connection.request("DELETE", self._url(key), query=query, taken=taken)

    async def delete_many(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Remove objects; returns what was not removed, with the errno."""
        found = await remove_batch(self._connection, self.bucket, keys)
        statuses = {key: found.get(key, 503) for key in keys}
        return {key: errno_of(status) for key, status in statuses.items() if status >= 300 and status != 404}

    async def sign(self, key: str, expiration: int, method: str) -> str:
        """A URL for so many seconds."""
        return await signed_url(self._connection, self.bucket, key, expiration, method)

    def _url(self, key: str) -> str:
        return f"{self._objects}/{quoted(key)}"

    async def _nothing_of(self, key: str, etag: str, version: str = "") -> Piece:
        """No bytes of an object that is there."""
        found = await self.head(key, version)
        if found is None:
            raise ServiceError(404, "notFound")
        if etag and found.etag != etag:
            raise ServiceError(PRECONDITION, "conditionNotMet")
        assert found.labels is not None
        return Piece(b"", found.etag, found.size, found.labels.metadata)

    async def _relabel(self, source: Source, labels: Labels) -> Key:
        """Other labels for the same content, which keeps its generation. What is no longer named is taken away."""
        found = await self.head(source.key)
        if found is None or found.labels is None:
            raise ServiceError(404, "notFound")
        gone: dict[str, Any] = dict.fromkeys(found.labels.headers)
        changed = properties_of(labels)
        changed["metadata"] = {**dict.fromkeys(found.labels.metadata), **changed["metadata"]}
        query = {"ifMetagenerationMatch": found.details["metageneration"]}
        query["ifGenerationMatch"] = generation_of(source.etag or found.etag)
        reply = await self._connection.request("PATCH", self._url(source.key), query=query, content={**gone, **changed})
        return key_of(reply.json())


def _with_properties(labels: Labels, data: bytes) -> tuple[str, bytes]:
    """Media type and content of a request that has an object's properties before its content."""
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n"
        f"{json.dumps(properties_of(labels))}\r\n"
        f"--{boundary}\r\nContent-Type: application/octet-stream\r\n\r\n"
    )
    content = b"".join((head.encode(), data, f"\r\n--{boundary}--\r\n".encode()))
    return f"multipart/related; boundary={boundary}", content


def _piece_of(reply: Reply) -> Piece:
    size = _SIZE.fullmatch(reply.headers.get("Content-Range", ""))
    metadata = {
        name[len(METADATA) :].lower(): value
        for name, value in reply.headers.items()
        if name[: len(METADATA)].lower() == METADATA
    }
    return Piece(
        reply.body,
        etag=reply.headers["x-goog-generation"],
        size=int(size[1]) if size else len(reply.body),
        metadata=metadata,
    )
