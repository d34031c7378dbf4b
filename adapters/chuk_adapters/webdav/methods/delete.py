"""DELETE (RFC 4918, 9.6)."""

from __future__ import annotations

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.facts import is_directory
from chuk_adapters.webdav.http.answer import Answer, empty
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.locks.table import Change
from chuk_adapters.webdav.methods.failing import failed_below


def delete(door: Door, request: Request) -> Answer:
    """Answer a DELETE; 207 if something below could not be removed. Refusal: 400, 403, 404, 412, 415, 423."""
    request.refuse_body()
    path = request.path
    info = door.tree.require(path)
    is_collection = is_directory(info)
    request.depth(default="infinity", allowed=("infinity",) if is_collection else ("0", "infinity"))
    if path == "/":
        raise Refusal(403, "the root cannot be removed")
    door.require_conditions(request, info)
    condition = None if is_collection else door.condition_of(request, info)
    with door.changing(request, Change(path, is_deep=True, is_entry=True)):
        try:
            door.tree.remove(path, is_directory=is_collection, condition=condition)
        except OSError as error:
            return failed_below(error, path, request)
        door.locks.release_at(path)
        door.dead.removed(path)
    return empty(204)
