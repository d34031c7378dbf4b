"""Requests that the client library has no short word for: ranges of bytes, and uploads in parts.

Everything here blocks, and is made in a worker thread. (Drive API: "Download files", "Upload file data".)
"""

from __future__ import annotations

import io
import json
import mimetypes
import re
import selectors
import socket
from dataclasses import dataclass
from typing import Any

import httplib2
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseUpload

_MIME = "application/octet-stream"
_UNSATISFIABLE = 416
_MORE = 308
_CANCELLED = 499


@dataclass(frozen=True)
class Part:
    """What came of a request for bytes.

    Attributes:
        data: the bytes.
        size: of the whole file.
    """

    data: bytes
    size: int


@dataclass
class Session:
    """An upload in parts.

    Attributes:
        address: where its parts go.
        sent: bytes that the service is known to have.
        is_sure: no attempt to send anything has failed since.
    """

    address: str
    sent: int = 0
    is_sure: bool = True


def quoted(text: str) -> str:
    """A text between the quotes of a query (Drive API: "Search query terms and operators")."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def media(content: bytes | None, mime: str, *, in_parts: bool = False) -> dict[str, Any]:
    """Content as an argument of ``insert`` and ``update``; none for None."""
    if content is None:
        return {}
    return {"media_body": MediaIoBaseUpload(io.BytesIO(content), mime, resumable=in_parts)}


def mime_of(title: str) -> str:
    """The media type of a new file, by its name: browsers show what they know the type of."""
    kind, packed = mimetypes.guess_type(title)
    return _MIME if kind is None or packed else kind


def drop_what_nobody_asked_for(http: httplib2.Http) -> None:
    """Close connections on which something has come since the last reply: it would be taken for the next one."""
    for connection in http.connections.values():
        if connection.sock is not None and _has_something(connection.sock):
            connection.close()


def _has_something(connected: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(connected, selectors.EVENT_READ)
        return bool(selector.select(0))


def read(request: Any, http: httplib2.Http, start: int, stop: int | None) -> Part:
    """Bytes of a file from ``start`` to before ``stop``; none behind its end."""
    request.headers["range"] = f"bytes={start}-{'' if stop is None else stop - 1}"
    request.headers["accept-encoding"] = "identity"  # what is compressed on its way comes whole, whatever the range
    replies: list[httplib2.Response] = []
    request.add_response_callback(replies.append)
    try:
        data: bytes = request.execute(http=http)
    except HttpError as error:
        if int(error.resp.status) == _UNSATISFIABLE:
            return Part(b"", 0)
        raise
    match = re.fullmatch(r"bytes \d+-\d+/(\d+)", replies[-1].get("content-range", ""))
    if match is None:  # the whole file, as a server may answer
        return Part(data[start:stop], len(data))
    return Part(data, int(match.group(1)))


def begin(request: Any, http: httplib2.Http, if_match: str) -> str:
    """The address of an upload in parts."""
    headers = {
        **request.headers,
        "X-Upload-Content-Type": request.resumable.mimetype(),
        "content-length": str(request.body_size),
    }
    if if_match:
        headers["If-Match"] = if_match
    reply, content = http.request(request.uri, method=request.method, body=request.body, headers=headers)
    if int(reply.status) != 200 or "location" not in reply:
        raise HttpError(reply, content, uri=request.uri)
    return str(reply["location"])


def send(http: httplib2.Http, session: Session, data: bytes, stop: int, *, is_last: bool) -> dict[str, Any]:
    """Send what the service does not have of a part.

    Args:
        http: a connection of this thread.
        session: the upload.
        data: the part.
        stop: bytes of the whole upload up to its end.
        is_last: whether that is all of them.

    Returns:
        What the service tells of the file after the last part; nothing after any other.
    """
    total = str(stop) if is_last else "*"
    begin = stop - len(data)
    if not session.is_sure:
        received, told = _put(http, session, b"", f"bytes */{total}")
        if told or (received >= stop and not is_last):
            session.is_sure = True
            return told
        data, begin = data[received - begin :], received
    session.is_sure = False
    where = f"{begin}-{stop - 1}" if data else "*"
    received, told = _put(http, session, data, f"bytes {where}/{total}")
    if received < stop and not told:
        raise ConnectionError("the service has taken a piece of the part")
    session.is_sure = True
    return told


def _put(http: httplib2.Http, session: Session, data: bytes, content_range: str) -> tuple[int, dict[str, Any]]:
    """How many bytes the service has, and what it tells of the file when it has them all."""
    headers = {"Content-Range": content_range, "content-length": str(len(data))}
    reply, content = http.request(session.address, "PUT", body=data, headers=headers)
    if int(reply.status) == _MORE:
        received = re.fullmatch(r"bytes=0-(\d+)", reply.get("range", ""))
        return int(received.group(1)) + 1 if received else 0, {}
    if int(reply.status) not in (200, 201):
        raise HttpError(reply, content, uri=session.address)
    return 0, json.loads(content)


def cancel(http: httplib2.Http, session: Session) -> None:
    """Have the service forget an upload. One that it does not know is none."""
    reply, content = http.request(session.address, "DELETE", headers={"content-length": "0"})
    if int(reply.status) not in (200, 204, 404, 410, _CANCELLED):
        raise HttpError(reply, content, uri=session.address)
