"""WebDAV: any fsspec filesystem as a network drive (RFC 4918, classes 1 and 2)."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chuk_adapters.webdav.adapter import WebDAVAdapter
    from chuk_adapters.webdav.application import make_application
    from chuk_adapters.webdav.options import WebDAVOptions

_HOMES = {
    "WebDAVAdapter": "chuk_adapters.webdav.adapter",
    "WebDAVOptions": "chuk_adapters.webdav.options",
    "make_application": "chuk_adapters.webdav.application",
}

__all__ = ["WebDAVAdapter", "WebDAVOptions", "make_application"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
