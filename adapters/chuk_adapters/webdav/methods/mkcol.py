"""MKCOL (RFC 4918, 9.3): a new, empty collection."""

from __future__ import annotations

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.http.addresses import require_text
from chuk_adapters.webdav.http.answer import Answer, empty
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.locks.table import Change


def mkcol(door: Door, request: Request) -> Answer:
    """Answer a MKCOL. Refusal: 405, 409, 412, 415, 423."""
    request.refuse_body()
    require_text(request.path)
    info = door.tree.find(request.path)
    door.require_conditions(request, info)
    if info is not None:
        raise Refusal(405, "there is something here already", headers=[("Allow", "OPTIONS, PROPFIND, DELETE")])
    door.tree.require_parent(request.path)
    with door.changing(request, Change(request.path, is_entry=True)):
        try:
            door.tree.fs.mkdir(request.path, create_parents=False)
        except FileExistsError:
            raise Refusal(405, "there is something here already") from None
    return empty(201)
