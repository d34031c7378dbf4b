"""PROPFIND (RFC 4918, 9.1): the properties of a resource, or of a collection and what is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.files.facts import Info, is_directory
from chuk_adapters.webdav.http.addresses import href
from chuk_adapters.webdav.http.answer import Answer, document
from chuk_adapters.webdav.http.refusal import Refusal
from chuk_adapters.webdav.http.request import Request
from chuk_adapters.webdav.properties.live import LiveProperties
from chuk_adapters.webdav.properties.writing import DAV_PREFIX, empty_element, multistatus, propstat, response
from chuk_adapters.webdav.xml_bodies import dav, parse

Tell = Callable[[Sequence[Info]], Iterable[list[str]]]
"""From what is known of resources to the ``propstat`` elements of each, in pieces."""

_LOCKS = dav("lockdiscovery")

_AT_ONCE = 100
"""Resources that are told of at once: the pieces of a long listing would take more memory than its text."""


@dataclass(frozen=True)
class Question:
    """What a request wants to know of each resource.

    Attributes:
        kind: "allprop", "propname" or "prop".
        names: of properties, as ElementTree has them, for "prop".
    """

    kind: str = "allprop"
    names: list[str] = field(default_factory=list)

    @property
    def is_about_locks(self) -> bool:
        """Whether locks are a part of the answer."""
        return self.kind == "allprop" or _LOCKS in self.names


def propfind(door: Door, request: Request) -> Answer:
    """Answer a PROPFIND. Refusal: 400, 403 for a whole tree, 404, 412.

    RFC 4918 takes no ``Depth`` for infinity, but clients that leave it out, such as webdav4, want the resource alone.
    """
    depth = request.depth(default="0", allowed=("0", "1", "infinity"))
    info = {**door.tree.require(request.path), "name": request.path}
    if depth == "infinity" and is_directory(info):
        raise Refusal(403, "ask for one level at a time: Depth 0 or 1", precondition="propfind-finite-depth")
    door.require_conditions(request, info)
    question = question_of(request.xml())
    infos = [info]
    if depth == "1" and is_directory(info):
        infos += door.tree.children(request.path)
    locks = door.locks.covering_each(one["name"] for one in infos) if question.is_about_locks else {}
    live = LiveProperties(door.tree, locks, not door.is_readonly, request.href)
    tell = _teller(door, live, question, is_brief=_is_brief(request))
    blocks = (infos[start : start + _AT_ONCE] for start in range(0, len(infos), _AT_ONCE))
    return document(207, multistatus(chain.from_iterable(_responses(tell, request, block) for block in blocks)))


def question_of(body: bytes) -> Question:
    """What the body of a PROPFIND asks for; without one, ``allprop``. Refusal: 400."""
    if not body.strip():
        return Question()
    kind, names = "", []
    for child in parse(body, root="propfind"):
        name = child.tag.removeprefix(DAV_PREFIX)
        if name in ("allprop", "propname", "prop"):
            if kind:
                raise Refusal(400, "only one of allprop, propname and prop can be asked for")
            kind = name
            names = [one.tag for one in child] if name == "prop" else []
    if not kind:
        raise Refusal(400, "a propfind element has to hold allprop, propname or prop")
    return Question(kind, list(dict.fromkeys(names)))


def _responses(tell: Tell, request: Request, infos: Sequence[Info]) -> Iterator[str]:
    prefix = request.prefix
    urls = [href(one["name"], is_directory=is_directory(one), prefix=prefix) for one in infos]
    return map(response, urls, tell(infos))


def _teller(door: Door, live: LiveProperties, question: Question, *, is_brief: bool) -> Tell:
    if question.kind == "propname":
        return _names(door, live)
    if question.kind == "allprop":
        return _all(door, live)  # which has whatever ``include`` can name
    return _named(door, live, question.names, is_brief=is_brief)


def _names(door: Door, live: LiveProperties) -> Tell:
    def tell(infos: Sequence[Info]) -> Iterator[list[str]]:
        for info, *elements in _rows(live, live.names, infos):
            own = [name for name, element in zip(live.names, elements, strict=True) if element is not None]
            yield propstat([empty_element(name) for name in (*own, *door.dead.of(info))], 200)

    return tell


def _all(door: Door, live: LiveProperties) -> Tell:
    """All there are, the quota too: some clients ask for it in no other way."""

    def tell(infos: Sequence[Info]) -> Iterator[list[str]]:
        for info, *elements in _rows(live, live.names, infos):
            found = [element for element in elements if element is not None]
            yield propstat(found + list(door.dead.of(info).values()), 200)

    return tell


def _named(door: Door, live: LiveProperties, names: list[str], *, is_brief: bool) -> Tell:
    """Those that are asked for; ``Prefer: return=minimal`` leaves out what is missing (RFC 8144, 2.1)."""
    known = [name for name in names if live.has(name)]
    dead = [name for name in names if not name.startswith(DAV_PREFIX)]
    never = [empty_element(name) for name in names if name.startswith(DAV_PREFIX) and not live.has(name)]

    def tell(infos: Sequence[Info]) -> Iterator[list[str]]:
        for info, *elements in _rows(live, known, infos):
            found = [element for element in elements if element is not None]
            missing = never
            if len(found) < len(elements):
                rows = zip(known, elements, strict=True)
                missing = missing + [empty_element(name) for name, element in rows if element is None]
            if dead:
                kept = door.dead.of(info)
                found += [kept[name] for name in dead if name in kept]
                missing = missing + [empty_element(name) for name in dead if name not in kept]
            if is_brief or not missing:
                yield propstat(found, 200)
            elif found:
                yield propstat(found, 200) + propstat(missing, 404)
            else:
                yield propstat(missing, 404)

    return tell


def _rows(live: LiveProperties, names: Sequence[str], infos: Sequence[Info]) -> Iterator[tuple[Any, ...]]:
    """What is known of each resource, with the elements of its live properties of these names."""
    return zip(infos, *(live.of(infos, name) for name in names), strict=True)


def _is_brief(request: Request) -> bool:
    preferred = request.environ.get("HTTP_PREFER", "").lower()
    return "return=minimal" in preferred or request.environ.get("HTTP_BRIEF", "").strip().lower() == "t"
