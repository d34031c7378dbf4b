"""OPTIONS (RFC 4918, 10.1): what this door can do."""

from __future__ import annotations

from chuk_adapters.webdav.door import Door
from chuk_adapters.webdav.http.answer import Answer, empty
from chuk_adapters.webdav.http.methods import READING, WRITING
from chuk_adapters.webdav.http.request import Request


def allowed(door: Door) -> str:
    """The methods of a door, as ``Allow`` has them."""
    return ", ".join(READING if door.is_readonly else READING + WRITING)


def options(door: Door, request: Request) -> Answer:
    """Answer an OPTIONS, also for what does not exist: a client asks before it makes something."""
    return empty(
        200,
        [
            ("DAV", "1" if door.is_readonly else "1, 2"),
            ("Allow", allowed(door)),
            ("MS-Author-Via", "DAV"),
            ("Accept-Ranges", "bytes"),
        ],
    )
