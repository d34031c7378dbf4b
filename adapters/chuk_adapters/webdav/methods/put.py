"""PUT (RFC 4918, 9.7): a file appears whole, when all of it has arrived, or its old content stays."""

from __future__ import annotations

from collections.abc import Iterator

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.facts import Info, is_directory
from chuk_adapters.webdav.http.addresses import require_text
from chuk_adapters.webdav.http.answer import Answer, Headers, empty
from chuk_adapters.webdav.http.dates import seconds_of_any
from chuk_adapters.webdav.http.entity_tags import entity_tag
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.locks.table import Change
from chuk_fsspec.contract.conditions import Condition

PIECE = 1 << 20
"""Bytes that are received and written at a time; a body that is no longer is written by one call."""


def put(door: Door, request: Request) -> Answer:
    """Answer a PUT. Refusal: 400, 405, 409, 412, 415, 423."""
    path = request.path
    info = door.tree.find(path)
    _require_plain(request, info)
    if info is None:
        require_text(path)
        door.tree.require_parent(path)
    door.require_conditions(request, info)
    change = Change(path, is_entry=info is None)
    with door.changing(request, change):
        mtime = _mtime_of(request)
        etag = _write(door, request, door.condition_of(request, info))
        headers = _applied(door, path, mtime)
    if etag and not headers:
        headers = [("ETag", f'"{etag}"')]
    else:
        headers += _current_tag(door, path)
    return empty(201 if info is None else 204, headers)


def body_of(request: Request) -> Iterator[bytes]:
    """The body of a request in pieces. Refusal: 400 if it ends before the length that was announced."""
    length = request.length
    announced = request.environ.get("HTTP_X_EXPECTED_ENTITY_LENGTH", "") if length is None else ""
    expected = int(announced) if announced.isascii() and announced.isdigit() else length
    total = 0
    while length is None or total < length:
        try:
            data = request.read(PIECE if length is None else min(PIECE, length - total))
        except (OSError, ValueError, EOFError) as error:
            raise Refusal(400, "the body broke off, and nothing was changed") from error
        if not data:
            break
        total += len(data)
        yield data
    if expected is not None and total != expected:
        raise Refusal(400, f"the body has {total} bytes of {expected}, and nothing was changed")


def _require_plain(request: Request, info: Info | None) -> None:
    if request.names_directory or (info is not None and is_directory(info)):
        raise Refusal(405, "a collection cannot be written", headers=[("Allow", "OPTIONS, PROPFIND, DELETE")])
    if "HTTP_CONTENT_RANGE" in request.environ:
        raise Refusal(400, "a part of a file cannot be written (RFC 9110, 14.5)")
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() not in ("", "identity"):
        raise Refusal(415, "the content cannot be encoded: send it as it is")


def _write(door: Door, request: Request, condition: Condition | None) -> str | None:
    """Write the body to the path; the new etag, where the filesystem tells it."""
    fs, path, options = door.tree.fs, request.path, door.tree.conditions(condition)
    length = request.length
    if length is not None and length <= PIECE:
        etag: str | None = fs.pipe_file(path, b"".join(body_of(request)), **options)
        return etag
    with fs.open(path, "wb", **options) as file:
        for piece in body_of(request):
            file.write(piece)
    return getattr(file, "etag", None)


def _mtime_of(request: Request) -> float | None:
    """The time that the client wants the file to have (ownCloud's header, which rclone and others send)."""
    header = request.environ.get("HTTP_X_OC_MTIME")
    if header is None:
        return None
    seconds = seconds_of_any(header)
    if seconds is None:
        raise Refusal(400, "X-OC-Mtime is a number of seconds since 1970")
    return seconds


def _applied(door: Door, path: str, mtime: float | None) -> Headers:
    if mtime is None or not door.tree.set_mtime(path, mtime):
        return []
    return [("X-OC-MTime", "accepted")]


def _current_tag(door: Door, path: str) -> Headers:
    info = door.tree.find(path)
    tag = None if info is None else entity_tag(info)
    return [] if tag is None else [("ETag", tag)]
