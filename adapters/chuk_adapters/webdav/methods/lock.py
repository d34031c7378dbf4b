"""LOCK and UNLOCK (RFC 4918, 9.10 and 9.11)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.facts import is_directory
from chuk_adapters.webdav.http.addresses import require_text
from chuk_adapters.webdav.http.answer import Answer, document, empty
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.locks.lock import Lock
from chuk_adapters.webdav.locks.table import Change
from chuk_adapters.webdav.properties.live import lock_discovery
from chuk_adapters.webdav.xml_bodies import dav, parse, text_of
from chuk_fsspec.contract.conditions import ANY, Condition

LONGEST_OWNER = 4096
"""Characters that say whom to ask about a lock."""


@dataclass(frozen=True)
class LockInfo:
    """What a client wants.

    Attributes:
        is_exclusive: or shared.
        owner: the element that says whom to ask; empty for none.
    """

    is_exclusive: bool
    owner: str


def lock(door: Door, request: Request) -> Answer:
    """Answer a LOCK: a new one, or more time for one. Refusal: 400, 409, 412, 423."""
    depth = request.depth(default="infinity", allowed=("0", "infinity"))
    body = request.xml()
    info = door.tree.find(request.path)
    door.require_conditions(request, info)
    if not body.strip():
        return _refreshed(door, request)
    wanted = lock_info_of(body)
    if info is None:
        require_text(request.path)
        door.tree.require_parent(request.path)
        # Nothing is made unless it may be: in a locked collection, by its holder only.
        with door.changing(request, Change(request.path, is_entry=True)):
            pass
    granted = door.locks.grant(
        request.path,
        is_collection=info is not None and is_directory(info),
        is_deep=depth == "infinity",
        is_exclusive=wanted.is_exclusive,
        owner=wanted.owner,
        user=request.user,
        timeout=_timeout(request),
    )
    if info is None:
        try:
            _make_empty(door, request.path)
        except BaseException:
            door.locks.release(granted)
            raise
    headers = [("Lock-Token", f"<{granted.token}>")]
    return document(201 if info is None else 200, _discovered(granted, request), headers)


def unlock(door: Door, request: Request) -> Answer:
    """Answer an UNLOCK. Refusal: 400, 403 for the lock of somebody else, 409."""
    request.refuse_body()
    token = request.environ.get("HTTP_LOCK_TOKEN", "").strip()
    if not token:
        raise Refusal(400, "Lock-Token is missing")
    door.require_conditions(request, door.tree.find(request.path))
    found = door.locks.get(token.strip("<>"), request.path)  # some clients leave the brackets out
    _require_holder(found, request)
    door.locks.release(found)
    return empty(204)


def lock_info_of(body: bytes) -> LockInfo:
    """What the body of a LOCK asks for (RFC 4918, 14.11). Refusal: 400."""
    element = parse(body, root="lockinfo")
    scopes = _names_in(element.find(dav("lockscope")))
    kinds = _names_in(element.find(dav("locktype")))
    if kinds != [dav("write")] or scopes not in ([dav("exclusive")], [dav("shared")]):
        raise Refusal(400, "a lock has the type write, and the scope exclusive or shared")
    owner = element.find(dav("owner"))
    if owner is None:
        return LockInfo(scopes == [dav("exclusive")], "")
    owner.tail = None
    text = text_of(owner)
    if len(text) > LONGEST_OWNER:
        raise Refusal(400, f"the owner of a lock may have {LONGEST_OWNER} characters")
    return LockInfo(scopes == [dav("exclusive")], text)


def _refreshed(door: Door, request: Request) -> Answer:
    """More time for the lock that the ``If`` header names (RFC 4918, 9.10.2)."""
    tokens = request.tokens
    if len(tokens) != 1:
        raise Refusal(400, "to refresh a lock, name its token, and no other, in the If header")
    (token,) = tokens
    try:
        found = door.locks.get(token, request.path)
    except Refusal as refusal:
        raise Refusal(412, refusal.message, precondition=refusal.precondition) from None
    _require_holder(found, request)
    return document(200, _discovered(door.locks.refresh(found, _timeout(request)), request))


def _require_holder(found: Lock, request: Request) -> None:
    if found.user != request.user:
        raise Refusal(403, "it is the lock of somebody else")


def _timeout(request: Request) -> str:
    return str(request.environ.get("HTTP_TIMEOUT", ""))


def _discovered(granted: Lock, request: Request) -> list[str]:
    return ['<D:prop xmlns:D="DAV:">', lock_discovery([granted], request.href), "</D:prop>"]


def _make_empty(door: Door, path: str) -> None:
    """An empty file, unless somebody was faster (RFC 4918, 9.10.4). OSError."""
    with suppress(FileExistsError):
        door.tree.fs.pipe_file(path, b"", **door.tree.conditions(Condition(if_none_match=ANY)))


def _names_in(element: Element | None) -> list[str]:
    return [] if element is None else [child.tag for child in element]
