"""GET and HEAD: a file, or parts of it (RFC 9110, sections 9.3.1 and 14); of a collection, a page for people."""

from __future__ import annotations

import errno
import uuid
from collections.abc import Iterator
from typing import Any

from chuk_adapters.webdav.browser import page_of
from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.facts import Info, is_directory
from chuk_adapters.webdav.http.answer import Answer, Headers
from chuk_adapters.webdav.http.conditions import range_is_wanted
from chuk_adapters.webdav.http.dates import http_date
from chuk_adapters.webdav.http.entity_tags import entity_tag
from chuk_adapters.webdav.http.media_types import is_active, media_type
from chuk_adapters.webdav.http.ranges import Range, ranges_of
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_fsspec.contract.errors import os_error

PIECE = 1 << 20
"""Bytes that are read and sent at a time."""

_TRIES = 5


def get(door: Door, request: Request) -> Answer:
    """Answer a GET or HEAD. Refusal: 304, 404, 412, 416; 503 for a file that others replace all the time."""
    info = door.tree.require(request.path)
    if is_directory(info):
        return page_of(door, request)
    if request.names_directory:
        raise Refusal(404, "a file's URL does not end in a slash")
    if request.method == "HEAD":
        door.require_conditions(request, info)
        return Answer(200, [*_headers(info, request.path), ("Content-Length", str(info["size"]))])
    file, info = _opened(door, request, info)
    try:
        return _content(door, request, file, info)
    except BaseException:
        file.close()
        raise


def _opened(door: Door, request: Request, info: Info) -> tuple[Any, Info]:
    """A file and what is known of the very content that it has: others may replace it at any time."""
    for _ in range(_TRIES):
        file = door.tree.fs.open(request.path, "rb")
        etag = getattr(file, "etag", None)  # that of what is open, where the file knows it
        if etag and etag == info.get("etag"):
            return file, info
        current = door.tree.find(request.path)
        if current is not None and entity_tag(current) == entity_tag(info) and current["size"] == info["size"]:
            return file, current
        file.close()
        info = door.tree.require(request.path)
    raise Refusal(503, "the file changes all the time", headers=[("Retry-After", "1")])


def _content(door: Door, request: Request, file: Any, info: Info) -> Answer:
    door.require_conditions(request, info)
    size: int = info["size"]
    headers = _headers(info, request.path)
    asked = request.environ.get("HTTP_RANGE")
    ranges = ranges_of(asked, size) if asked is not None and range_is_wanted(request.environ, info) else None
    if ranges is None:
        headers.append(("Content-Length", str(size)))
        return Answer(200, headers, _body(request, file, Range(0, size)))
    if len(ranges) == 1:
        (part,) = ranges
        headers += [("Content-Length", str(part.size)), ("Content-Range", part.header(size))]
        return Answer(206, headers, _body(request, file, part))
    return _multipart(file, ranges, size, headers)


def _headers(info: Info, path: str) -> Headers:
    kind = media_type(path)
    headers = [("Content-Type", kind), ("Accept-Ranges", "bytes"), ("X-Content-Type-Options", "nosniff")]
    if is_active(kind):
        headers.append(("Content-Security-Policy", "sandbox"))  # what one user stored must not act for another
    tag = entity_tag(info)
    if tag is not None:
        headers.append(("ETag", tag))
    if "mtime" in info:
        headers.append(("Last-Modified", http_date(int(info["mtime"]))))
    return headers


def _body(request: Request, file: Any, part: Range) -> Any:
    """The content of a range; the file is closed when it has been read, or when the server closes the body."""
    if part.size <= PIECE:
        with file:
            return (_exactly(file, part),)
    wrapper = request.environ.get("wsgi.file_wrapper")
    if wrapper is not None:
        file.seek(part.start)
        return wrapper(file, PIECE)  # it sends Content-Length bytes of the file, or breaks off
    return FileBody(file, [(b"", part)], b"")


def _multipart(file: Any, ranges: list[Range], size: int, headers: Headers) -> Answer:
    boundary = uuid.uuid4().hex
    kind = dict(headers)["Content-Type"]
    parts = [
        (
            f"\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: {part.header(size)}\r\n\r\n".encode(),
            part,
        )
        for part in ranges
    ]
    end = f"\r\n--{boundary}--\r\n".encode()
    length = sum(len(head) + part.size for head, part in parts) + len(end)
    kept = [header for header in headers if header[0] != "Content-Type"]
    kind = f"multipart/byteranges; boundary={boundary}"
    return Answer(206, [("Content-Type", kind), *kept, ("Content-Length", str(length))], FileBody(file, parts, end))


class FileBody:
    """Parts of a file as the body of a response, in constant memory."""

    def __init__(self, file: Any, parts: list[tuple[bytes, Range]], end: bytes) -> None:
        self._file = file
        self._pieces = self._read(parts, end)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the file; the server calls it in any case (PEP 3333)."""
        self._pieces.close()  # type: ignore[attr-defined]
        self._file.close()

    def _read(self, parts: list[tuple[bytes, Range]], end: bytes) -> Iterator[bytes]:
        for head, part in parts:
            if head:
                yield head
            for start in range(part.start, part.stop, PIECE):
                yield _exactly(self._file, Range(start, min(start + PIECE, part.stop)))
        if end:
            yield end


def _exactly(file: Any, part: Range) -> bytes:
    """The bytes of a range. EIO if the file has become shorter: the client must not take what it got for all."""
    if file.tell() != part.start:
        file.seek(part.start)
    data: bytes = file.read(part.size)
    while len(data) < part.size:
        more = file.read(part.size - len(data))
        if not more:
            raise os_error(errno.EIO, hint="the file became shorter while it was read")
        data += more
    return data
