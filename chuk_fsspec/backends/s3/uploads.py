"""Objects that are sent in parts (Amazon S3 User Guide, "Multipart upload")."""

from __future__ import annotations

from botocore.exceptions import ClientError

from chuk_fsspec.backends.s3.client import Client
from chuk_fsspec.backends.s3.errors import code_of
from chuk_fsspec.backends.s3.replies import etag_of, parameters_of_guard, parameters_of_source
from chuk_fsspec.remote.keys import Guard, Key, Source

_GONE = ("NoSuchUpload", "404")
"""Codes for an upload that is finished or aborted."""


class S3Upload:
    """An upload (``remote.keys.KeyUpload``).

    Attributes:
        number: the service's name for it.
    """

    def __init__(self, client: Client, bucket: str, key: str, number: str) -> None:
        """Go on with an upload that has begun."""
        self._client = client
        self._place = {"Bucket": bucket, "Key": key, "UploadId": number}
        self._etags: dict[int, str] = {}
        self.number = number

    async def send(self, number: int, data: bytes) -> None:
        """As ``KeyUpload`` has it; so are all that follow. S3 counts parts from 1."""
        reply = await self._client("upload_part", PartNumber=number + 1, Body=data, **self._place)
        self._etags[number] = etag_of(reply)

    async def send_copy(self, number: int, source: Source, start: int, stop: int) -> None:
        """Have the service copy a part."""
        reply = await self._client(
            "upload_part_copy",
            PartNumber=number + 1,
            CopySourceRange=f"bytes={start}-{stop - 1}",
            **parameters_of_source(source),
            **self._place,
        )
        self._etags[number] = etag_of(reply["CopyPartResult"])

    async def has_parts(self) -> bool:
        """Whether any part has come, from whoever sends it."""
        try:
            return bool((await self._client("list_parts", MaxParts=1, **self._place)).get("Parts"))
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
            return False

    async def finish(self, guard: Guard | None) -> Key:
        """Put the object in its place."""
        parts = [{"PartNumber": number + 1, "ETag": f'"{etag}"'} for number, etag in sorted(self._etags.items())]
        reply = await self._client(
            "complete_multipart_upload",
            MultipartUpload={"Parts": parts},
            **self._place,
            **parameters_of_guard(guard),
        )
        return Key(str(self._place["Key"]), etag=etag_of(reply))

    async def abort(self) -> None:
        """Leave nothing behind."""
        try:
            await self._client("abort_multipart_upload", **self._place)
        except ClientError as error:
            if code_of(error) not in _GONE:
                raise
