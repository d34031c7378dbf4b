"""The objects of one bucket, by requests of botocore."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import ClientError

from chuk_fsspec.backends.s3.client import Client
from chuk_fsspec.backends.s3.errors import BrokenReply, code_of, errno_of
from chuk_fsspec.backends.s3.replies import (
    etag_of,
    key_of,
    parameters_of_guard,
    parameters_of_labels,
    parameters_of_source,
    parameters_of_version,
    range_of,
    version_of,
    whole_size,
)
from chuk_fsspec.backends.s3.uploads import S3Upload
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.versions import FileVersion
from chuk_fsspec.remote.keys import Guard, Key, KeyStore, KeyTraits, KeyUpload, Labels, Page, Piece, Source

_MISSING = ("404", "NoSuchKey", "NoSuchVersion")

_REMOVED = ("405", "MethodNotAllowed")
"""Codes for a version that is the removal of an object."""

_ONE_BY_ONE = ("405", "501", "InvalidRequest", "MethodNotAllowed", "MissingContentMD5", "NotImplemented")
"""Codes of services that remove no objects together, or want the digest of before botocore 1.36 with that."""

NO_BYTES = Piece(b"", "", 0)
"""Of an empty object, whose refusal of a range says that it is one, and nothing else."""

_SWEEP_MARGIN = 2.0
"""Seconds by which the times of a service, which are whole seconds, may be wrong."""


class S3Keys:
    """The objects of a bucket (``remote.keys.KeyStore``)."""

    def __init__(self, client: Client, bucket: str, traits: KeyTraits) -> None:
        """The objects of a bucket, whether it is there or not.

        Args:
            client: makes the requests.
            bucket: its name.
            traits: how it is best used.
        """
        self._client = client
        self._bucket = bucket
        self._traits = traits

    @property
    def bucket(self) -> str:
        """Its name."""
        return self._bucket

    @property
    def traits(self) -> KeyTraits:
        """How it is best used."""
        return self._traits

    async def head(self, key: str, version: str = "") -> Key | None:
        """As ``KeyStore`` has it; so are all that follow."""
        try:
            reply = await self._client("head_object", Bucket=self._bucket, Key=key, **parameters_of_version(version))
        except ClientError as error:
            if code_of(error) in _MISSING or (version and code_of(error) in _REMOVED):
                return None
            raise await self._client.explained(error, self._bucket) from None
        return key_of(key, reply, has_labels=True)

    async def head_whole(self, key: str, version: str = "") -> Key | None:
        """An object with all that a copy has to be told."""
        return await self.head(key, version)

    async def versions(self, key: str) -> list[FileVersion]:
        """All versions of an object. Those of keys that only begin with it come after them."""
        found: list[FileVersion] = []
        rest: dict[str, str] = {}
        while True:
            reply = await self._client("list_object_versions", Bucket=self._bucket, Prefix=key, **rest)
            kept = [version_of(one, is_removal=False) for one in reply.get("Versions", ()) if one["Key"] == key]
            gone = [version_of(one, is_removal=True) for one in reply.get("DeleteMarkers", ()) if one["Key"] == key]
            found += [*kept, *gone]
            if not reply.get("IsTruncated") or reply.get("NextKeyMarker", key) != key:
                # The two come apart, and are put in one order by the times that they have.
                return sorted(found, key=lambda one: (not one.is_latest, -(one.mtime or 0.0)))
            rest = {"KeyMarker": reply["NextKeyMarker"], "VersionIdMarker": reply.get("NextVersionIdMarker", "")}

    async def get(self, key: str, start: int = 0, stop: int | None = None, etag: str = "", version: str = "") -> Piece:
        """Bytes of an object."""
        wanted: dict[str, Any] = {"IfMatch": f'"{etag}"'} if etag else {}
        wanted |= parameters_of_version(version)
        try:
            reply = await self._client("get_object", Bucket=self._bucket, Key=key, **wanted, **range_of(start, stop))
        except ClientError as error:
            if code_of(error) in ("InvalidRange", "416"):
                is_empty = error.response["Error"].get("ActualObjectSize") == "0"
                return NO_BYTES if is_empty and not etag else await past_the_end(self, key, etag, version)
            if version and code_of(error) in _REMOVED:
                raise os_error(errno.ENOENT, key) from error
            raise
        async with reply["Body"] as body:
            data: bytes = await body.read()
        if len(data) != reply["ContentLength"]:
            raise BrokenReply(f"{len(data)} bytes of {reply['ContentLength']}")
        return Piece(data, etag_of(reply), whole_size(reply), reply.get("Metadata", {}))

    async def put(self, key: str, data: bytes, labels: Labels, guard: Guard | None) -> Key:
        """Make or replace an object."""
        reply = await self._client(
            "put_object",
            Bucket=self._bucket,
            Key=key,
            Body=data,
            **parameters_of_labels(labels),
            **parameters_of_guard(guard),
        )
        return Key(key, len(data), etag=etag_of(reply))

    async def begin(self, key: str, labels: Labels, guard: Guard | None) -> KeyUpload:
        """Begin to send an object in parts; S3 looks at the guard when it is finished."""
        reply = await self._client(
            "create_multipart_upload", Bucket=self._bucket, Key=key, **parameters_of_labels(labels)
        )
        return S3Upload(self._client, self._bucket, key, reply["UploadId"])

    async def sweep(self, key: str, seconds: float, keep: KeyUpload | None) -> None:
        """Abort what calls of ``begin`` whose replies were lost have begun. The service's own clock decides."""
        reply = await self._client("list_multipart_uploads", Bucket=self._bucket, Prefix=key)
        now = parsedate_to_datetime(reply["ResponseMetadata"]["HTTPHeaders"]["date"])
        kept = keep.number if isinstance(keep, S3Upload) else ""
        for found in reply.get("Uploads", ()):
            age = (now - found["Initiated"]).total_seconds()
            if found["Key"] == key and found["UploadId"] != kept and age <= seconds + _SWEEP_MARGIN:
                lost = S3Upload(self._client, self._bucket, key, found["UploadId"])
                if not await lost.has_parts():
                    await lost.abort()

    async def page(
        self, prefix: str, *, deep: bool, rest: str = "", limit: int = 1000, names_only: bool = False
    ) -> Page:
        """List keys."""
        parameters: dict[str, Any] = {} if deep else {"Delimiter": "/"}
        if rest:
            parameters["ContinuationToken"] = rest
        reply = await self._client("list_objects_v2", Bucket=self._bucket, Prefix=prefix, MaxKeys=limit, **parameters)
        return Page(
            [key_of(found["Key"], found) for found in reply.get("Contents", ())],
            [found["Prefix"] for found in reply.get("CommonPrefixes", ())],
            reply.get("NextContinuationToken", "") if reply.get("IsTruncated") else "",
        )

    async def copy(self, source: Source, key: str, labels: Labels | None, guard: Guard | None) -> Key:
        """Copy an object, to be kept as it was: a copy that is told nothing is kept at the price of the first class."""
        parameters: dict[str, Any] = {"StorageClass": source.storage_class} if source.storage_class else {}
        if labels is not None:
            parameters |= {"MetadataDirective": "REPLACE", **parameters_of_labels(labels)}
        reply = await self._client(
            "copy_object",
            Bucket=self._bucket,
            Key=key,
            **parameters_of_source(source),
            **parameters,
            **parameters_of_guard(guard),
        )
        return key_of(key, reply["CopyObjectResult"])

    async def delete(self, key: str, guard: Guard | None, version: str = "") -> None:
        """Remove an object."""
        asked = {**parameters_of_guard(guard), **parameters_of_version(version)}
        await self._client("delete_object", Bucket=self._bucket, Key=key, **asked)

    async def delete_many(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Remove objects. Keys that no XML can hold are removed one by one."""
        odd = [key for key in keys if any(character < " " for character in key)]
        await asyncio.gather(*(self.delete(key, None) for key in odd))
        plain = [key for key in keys if key not in odd]
        if not plain:
            return {}
        wanted = {"Objects": [{"Key": key} for key in plain], "Quiet": True}
        try:
            reply = await self._client("delete_objects", Bucket=self._bucket, Delete=wanted)
        except ClientError as error:
            if code_of(error) in _ONE_BY_ONE:
                return await self._delete_each(plain)
            raise
        return {error["Key"]: errno_of(error.get("Code", "")) for error in reply.get("Errors", ())}

    async def _delete_each(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Remove objects by a request for each; returns what was not removed, with the errno."""

        async def delete(key: str) -> int:
            try:
                await self.delete(key, None)
            except ClientError as error:
                return errno_of(code_of(error))
            return 0

        codes = await asyncio.gather(*(delete(key) for key in keys))
        return {key: code for key, code in zip(keys, codes, strict=True) if code}

    async def sign(self, key: str, expiration: int, method: str) -> str:
        """A URL that needs no credentials."""
        operation = {"GET": "get_object", "PUT": "put_object"}.get(method.upper())
        if operation is None:
            raise ValueError(f"method is GET or PUT, and not {method!r}")
        client = await self._client.connect()
        wanted = {"Bucket": self._bucket, "Key": key}
        url: str = await client.generate_presigned_url(operation, Params=wanted, ExpiresIn=expiration)
        return url


async def past_the_end(keys: KeyStore, key: str, etag: str, version: str = "") -> Piece:
    """No bytes, of an object that has none where they were asked for."""
    found = await keys.head(key, version)
    if found is None or (etag and found.etag != etag):
        return await keys.get(key, etag=etag, version=version)
    return Piece(b"", found.etag, found.size, {} if found.labels is None else found.labels.metadata)
