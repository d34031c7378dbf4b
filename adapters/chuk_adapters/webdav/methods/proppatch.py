"""PROPPATCH (RFC 4918, 9.2): properties are set and removed, all of them or none."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.facts import is_directory
from chuk_adapters.webdav.http.answer import Answer, document
from chuk_adapters.webdav.http.dates import seconds_of_any
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.locks.table import Change
from chuk_adapters.webdav.properties.writing import DAV_PREFIX, empty_element, multistatus, propstat, response
from chuk_adapters.webdav.xml_bodies import dav, parse, text_of

_TIMES = (dav("getlastmodified"), "{urn:schemas-microsoft-com:}Win32LastModifiedTime")
"""Properties by which clients set the time of the last change."""

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_PROTECTED = "<D:error><D:cannot-modify-protected-property/></D:error>"


@dataclass(frozen=True)
class Instruction:
    """One property that is set or removed.

    Attributes:
        name: as ElementTree has it.
        value: the element as XML; None to remove it.
        text: what the element holds as text.
    """

    name: str
    value: str | None
    text: str = ""


def proppatch(door: Door, request: Request) -> Answer:
    """Answer a PROPPATCH. Refusal: 400, 404, 412, 423, 507."""
    info = door.tree.require(request.path)
    request.depth(default="0", allowed=("0",))
    instructions = instructions_of(request.xml())
    door.require_conditions(request, info)
    refused = {one.name: status for one in instructions if (status := _refused(door, one)) is not None}
    with door.changing(request, Change(request.path)):
        if not refused:
            _apply(door, request.path, instructions)
    url = request.href(request.path, is_directory=is_directory(info))
    return document(207, multistatus([response(url, _outcome(instructions, refused))]))


def instructions_of(body: bytes) -> list[Instruction]:
    """What the body of a PROPPATCH asks for, in its order (RFC 4918, 14.19). Refusal: 400."""
    found: list[Instruction] = []
    update = parse(body, root="propertyupdate")
    for step in update:
        if step.tag not in (dav("set"), dav("remove")):
            raise Refusal(400, "a propertyupdate element holds set and remove")
        for properties in step.iterfind(dav("prop")):
            if step.tag == dav("remove"):
                found += [Instruction(one.tag, None) for one in properties]
            else:
                language = _language(update, step, properties)
                found += [_setting(one, language) for one in properties]
    if not found:
        raise Refusal(400, "no property is named")
    return found


def _setting(element: Element, language: str | None) -> Instruction:
    element.tail = None
    if language is not None:
        element.attrib.setdefault(_LANGUAGE, language)
    return Instruction(element.tag, text_of(element), element.text or "")


def _language(*above: Element) -> str | None:
    """The language that holds inside of elements, the innermost last: it is a part of a value (RFC 4918, 4.3)."""
    given = [one.attrib[_LANGUAGE] for one in above if _LANGUAGE in one.attrib]
    return given[-1] if given else None


def _refused(door: Door, one: Instruction) -> int | None:
    """With what status a property cannot be changed; None if it can."""
    if one.name in _TIMES:
        if one.value is None or not door.tree.can.attributes:
            return 403
        return None if seconds_of_any(one.text) is not None else 409
    return 403 if one.name.startswith(DAV_PREFIX) else None


def _apply(door: Door, path: str, instructions: list[Instruction]) -> None:
    before = door.dead.get(path)
    properties = dict(before)
    mtime: float | None = None
    for one in instructions:
        if one.name in _TIMES:
            mtime = seconds_of_any(one.text)
        if one.name.startswith(DAV_PREFIX):
            continue
        if one.value is None:
            properties.pop(one.name, None)
        else:
            properties[one.name] = one.value
    if properties != before:
        door.dead.put(path, properties)
    if mtime is not None:
        door.tree.set_mtime(path, mtime)


def _outcome(instructions: list[Instruction], refused: dict[str, int]) -> list[str]:
    """What is said of each property: if one is refused, the others failed because of it."""
    told: dict[int, list[str]] = {}
    for name in dict.fromkeys(one.name for one in instructions):
        status = refused.get(name, 424 if refused else 200)
        told.setdefault(status, []).append(empty_element(name))
    return [
        piece
        for status, names in told.items()
        for piece in propstat(names, status, _PROTECTED if status == 403 else "")
    ]
