"""XML that clients send. One with a document type, which is where entities come from, is refused."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder, tostring
from xml.parsers import expat

from chuk_adapters.webdav.http.refusal import Refusal

DEEPEST = 64
"""Levels of elements in one another: clients send five, and code that walks them goes down by recursion."""

_DAV = "DAV:"


def dav(name: str) -> str:
    """The name of an element of WebDAV, as ElementTree has it."""
    return f"{{{_DAV}}}{name}"


def parse(body: bytes, *, root: str) -> Element:
    """Read the body of a request.

    Args:
        body: XML in any encoding that says what it is.
        root: the name of the ``DAV:`` element that it has to be.

    Raises:
        Refusal: 400 for what is no XML, is another element, has a document type or is nested too deeply.
    """
    element = _Reader().read(body)
    if element.tag != dav(root):
        raise Refusal(400, f"the body has to be a DAV: {root} element")
    return element


def text_of(element: Element) -> str:
    """An element as XML that stands for itself, with its namespaces."""
    return tostring(element, encoding="unicode")


class _Reader:
    """expat with handlers that make elements, and refuse what no client needs."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = 0
        parser = self._parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data

    def read(self, body: bytes) -> Element:
        try:
            self._parser.Parse(body, True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise Refusal(400, f"the body is no XML: {error}") from None
        return self._builder.close()

    def _doctype(self, *_: Any) -> None:
        raise Refusal(400, "XML with a document type is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Refusal(400, f"XML may have {DEEPEST} levels")
        self._builder.start(_clark(name), {_clark(key): value for key, value in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_clark(name))


def _clark(name: str) -> str:
    """``uri}name`` as ``{uri}name``; expat leaves the brace out."""
    return "{" + name if "}" in name else name
