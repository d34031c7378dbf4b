"""What can be chosen about a WebDAV door."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class WebDAVOptions:
    """Options of one door; the defaults are the safe ones.

    Attributes:
        readonly: refuse every change with 403, and offer no locks (``DAV: 1``).
        browser: answer a browser that asks for a collection with a page of links; without, with 403.
    """

    readonly: bool = False
    browser: bool = True
