"""Properties as XML, written as text: trees of objects take ten times as long for long listings.

What is written of a resource is a list of pieces, which are joined once.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from chuk_adapters.webdav.http.statuses import status_line
from chuk_adapters.webdav.locks.lock import Lock

DAV_PREFIX = "{DAV:}"

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML can hold, in whatever way it is written."""


def text(value: str) -> str:
    """A text as the content of an element."""
    if value.isprintable() and "&" not in value and "<" not in value and ">" not in value:
        return value  # most names and etags
    return escape(_NO_XML.sub("\ufffd", value))


def empty_element(name: str) -> str:
    """An element without content, by its name as ElementTree has it."""
    if name.startswith(DAV_PREFIX):
        return f"<D:{name[len(DAV_PREFIX) :]}/>"
    namespace, brace, local = name[1:].rpartition("}")
    return f"<X:{local} xmlns:X={quoteattr(namespace)}/>" if brace else f"<{name}/>"


def propstat(elements: Iterable[str], status: int, reason: str = "") -> list[str]:
    """Properties that have a status in common."""
    told = f"</D:prop><D:status>HTTP/1.1 {status_line(status)}</D:status>{reason}</D:propstat>"
    return ["<D:propstat><D:prop>", *elements, told]


def response(href: str, inside: Iterable[str]) -> str:
    """What a 207 says of one resource."""
    return "".join(("<D:response><D:href>", text(href), "</D:href>", *inside, "</D:response>\n"))


def multistatus(responses: Iterable[str]) -> Iterator[str]:
    """What a 207 says (RFC 4918, section 13), in pieces."""
    yield '<D:multistatus xmlns:D="DAV:">'
    yield from responses
    yield "</D:multistatus>"


def status_element(status: int) -> str:
    """The status of a resource as a whole."""
    return f"<D:status>HTTP/1.1 {status_line(status)}</D:status>"


def active_lock(lock: Lock, href: str) -> str:
    """One lock, as ``lockdiscovery`` has it (RFC 4918, 15.8); ``href`` is that of its root."""
    scope = "exclusive" if lock.is_exclusive else "shared"
    seconds = max(round(lock.expires - time.time()), 0)
    return (
        f"<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/></D:lockscope>"
        f"<D:depth>{'infinity' if lock.is_deep else '0'}</D:depth>{lock.owner}<D:timeout>Second-{seconds}</D:timeout>"
        f"<D:locktoken><D:href>{lock.token}</D:href></D:locktoken>"
        f"<D:lockroot><D:href>{escape(href)}</D:href></D:lockroot></D:activelock>"
    )
