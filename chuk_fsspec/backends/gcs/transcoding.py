"""Content that the service has changed on its way (cloud.google.com/storage/docs/transcoding).

It is asked for as it is stored, in the words of somebody who takes compressed content. Then the service may compress
what is stored plainly; and it unpacks what is stored compressed twice. It looks at no range when it does either.
"""

from __future__ import annotations

import gzip

from chuk_fsspec.backends.gcs.connection import Reply

_GZIP = "gzip"


def as_stored(reply: Reply, start: int, stop: int | None) -> Reply:
    """A reply to a request for bytes, as it is when nothing was changed on its way.

    Args:
        reply: to the request.
        start: the first byte that was asked for.
        stop: the byte before which they end; None for the end of the object.
    """
    if reply.status != 200:
        return reply
    headers = {name.lower(): value for name, value in reply.headers.items()}
    body = reply.body
    if headers.get("content-encoding") == _GZIP and headers.get("x-goog-stored-content-encoding", _GZIP) != _GZIP:
        body = gzip.decompress(body)
    if start == 0 and stop is None:
        return Reply(200, reply.headers, body)
    if start >= len(body):
        return Reply(416, reply.headers, b"")
    end = len(body) if stop is None else min(stop, len(body))
    told = {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(body)}"}
    return Reply(206, told, body[start:end])
