"""Several removals in one request (cloud.google.com/storage/docs/batch)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from chuk_fsspec.backends.gcs.connection import API, Connection, quoted

BATCH = 100
"""Requests that a batch may hold."""
_STATUS = re.compile(rb"Content-ID:\s*<?response-(\d+)>?.*?HTTP/1\.1 (\d{3})", re.DOTALL | re.IGNORECASE)


async def remove_batch(connection: Connection, bucket: str, keys: Sequence[str]) -> Mapping[str, int]:
    """Remove objects; returns the HTTP status of each."""
    payer = urlencode(await connection.payer())
    query = f"?{payer}" if payer else ""
    boundary = secrets.token_hex(16)
    parts = [
        f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n"
        f"DELETE {API}/{quoted(bucket)}/o/{quoted(key)}{query} HTTP/1.1\r\n\r\n\r\n"
        for number, key in enumerate(keys)
    ]
    reply = await connection.request(
        "POST",
        "/batch/storage/v1",
        headers={"Content-Type": f"multipart/mixed; boundary={boundary}"},
        content="".join([*parts, f"--{boundary}--\r\n"]).encode(),
    )
    return {keys[int(number)]: int(status) for number, status in _STATUS.findall(reply.body)}
