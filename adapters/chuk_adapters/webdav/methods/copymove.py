"""COPY and MOVE (RFC 4918, 9.8 and 9.9)."""

from __future__ import annotations

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.copying import copy_directory, copy_file
from chuk_adapters.webdav.files.facts import Info, is_directory
from chuk_adapters.webdav.files.replacing import build, replace
from chuk_adapters.webdav.http.addresses import require_text
from chuk_adapters.webdav.http.answer import Answer, empty
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.locks.lock import is_below
from chuk_adapters.webdav.locks.table import Change
from chuk_adapters.webdav.methods.failing import failed_below


def copy(door: Door, request: Request) -> Answer:
    """Answer a COPY; 207 if something in a tree cannot be copied. Refusal: 400, 403, 404, 409, 412, 423, 502."""
    source, target = request.path, request.destination
    info, old = _ends(door, request)
    depth = request.depth(default="infinity", allowed=("0", "infinity"))
    with door.changing(request, Change(target, is_deep=True, is_entry=old is None)):
        try:
            _copy(door, request, info, old, is_deep=depth == "infinity")
        except OSError as error:
            return failed_below(error, source, request)
        door.locks.release_at(target, below_only=True)
    return empty(201 if old is None else 204)


def move(door: Door, request: Request) -> Answer:
    """Answer a MOVE; 207 if something in a tree cannot be moved. Refusal: as ``copy``."""
    source, target = request.path, request.destination
    info, old = _ends(door, request)
    request.depth(default="infinity", allowed=("infinity",) if is_directory(info) else ("0", "infinity"))
    changes = (Change(source, is_deep=True, is_entry=True), Change(target, is_deep=True, is_entry=old is None))
    with door.changing(request, *changes):
        try:
            _move(door, request, info, old)
        except OSError as error:
            return failed_below(error, source, request)
        door.locks.release_at(source)
        door.locks.release_at(target, below_only=True)
        door.dead.moved(source, target)
    return empty(201 if old is None else 204)


def _ends(door: Door, request: Request) -> tuple[Info, Info | None]:
    """What is moved or copied, and what is at its new place."""
    source, target, overwrites = request.path, request.destination, request.overwrites
    info = door.tree.require(source)
    door.require_conditions(request, info)
    if source == target:
        raise Refusal(403, "source and destination are the same")
    if is_below(target, source) or is_below(source, target):
        raise Refusal(403, "source and destination lie in one another")
    old = door.tree.find(target)
    if old is None:
        require_text(target)
        door.tree.require_parent(target)
    elif not overwrites:
        raise Refusal(412, "there is something at the destination, and Overwrite is F")
    return info, old


def _move(door: Door, request: Request, info: Info, old: Info | None) -> None:
    source, target = request.path, request.destination
    if old is None or not (is_directory(info) or is_directory(old)):
        door.tree.rename(source, target, may_replace=request.overwrites)
    else:
        replace(door.tree, source, target, was_directory=is_directory(old))


def _copy(door: Door, request: Request, info: Info, old: Info | None, *, is_deep: bool) -> None:
    tree, dead, may_replace = door.tree, door.dead, request.overwrites
    source, target = request.path, request.destination

    def make(path: str) -> None:
        if is_directory(info):
            copy_directory(tree, dead, source, path, is_deep=is_deep)
        else:
            copy_file(tree, dead, source, path, may_replace=may_replace)

    if is_directory(info) or (old is not None and is_directory(old)):
        build(tree, target, make, old=None if old is None else is_directory(old), may_replace=may_replace)
    else:
        make(target)
