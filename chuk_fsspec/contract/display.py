"""How a filesystem shows itself to a person."""

from __future__ import annotations

from html import escape

from fsspec import AbstractFileSystem

LEVELS = 3
ENTRIES = 20


def as_text(fs: AbstractFileSystem) -> str:
    """The top of a filesystem as an indented tree, a few levels deep and a few entries wide."""
    drawing: str = fs.tree("/", recursion_limit=LEVELS, max_display=ENTRIES, display_size=True)
    return drawing


def as_html(fs: AbstractFileSystem) -> str:
    """The same for a notebook, under the filesystem's name."""
    return f"<strong>{escape(repr(fs))}</strong><pre>{escape(as_text(fs))}</pre>"
