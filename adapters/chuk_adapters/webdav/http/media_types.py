"""The media type of a file, by the end of its name."""

from __future__ import annotations

import mimetypes

OCTETS = "application/octet-stream"

_KNOWN = mimetypes.MimeTypes()  # without the tables of this machine: every server says the same
_BY_ENDING = {
    ".md": "text/markdown",
    ".toml": "application/toml",
    ".webp": "image/webp",
    ".xhtml": "application/xhtml+xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}

_ENCODED = frozenset((".gz", ".bz2", ".xz", ".br", ".z", ".zst"))
"""Endings that say how a file is packed: what is sent is the packed file itself."""

_ACTIVE = frozenset(("text/html", "text/xml", "application/xml", "application/xhtml+xml", "image/svg+xml"))
"""Types in which a browser runs scripts."""


def media_type(name: str) -> str:
    """The type of a file's content.

    Args:
        name: the file's name, or a path that ends in it.
    """
    dot = name.rfind(".")
    if dot < 0:
        return OCTETS
    ending = name[dot:].lower()
    known = _BY_ENDING.get(ending)
    if known is None:
        known = _guess(ending)
        if len(_BY_ENDING) < 1000:  # endings are named by clients
            _BY_ENDING[ending] = known
    return known


def is_active(kind: str) -> bool:
    """Whether a browser that shows it would run what it says, with the rights of who is logged in."""
    return kind in _ACTIVE


def _guess(ending: str) -> str:
    if ending in _ENCODED:
        return "application/gzip" if ending == ".gz" else OCTETS
    return _KNOWN.guess_type("name" + ending, strict=False)[0] or OCTETS
