"""How filesystems, names and numbers are shown to a person."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fsspec import AbstractFileSystem

LEVELS = 3
ENTRIES = 20
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def as_text(fs: AbstractFileSystem, path: str = "/") -> str:
    """The top of a filesystem as an indented tree, a few levels deep and a few entries wide; sizes in bytes."""
    return "\n".join([path, *_lines(fs, path, "", LEVELS)])


def as_html(fs: AbstractFileSystem) -> str:
    """The same for a notebook, under the filesystem's name."""
    return f"<strong>{escape(repr(fs))}</strong><pre>{escape(as_text(fs))}</pre>"


def printable(text: str) -> str:
    """Text that says nothing to a terminal: names of files may hold control characters, and bytes that are no text."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def amount(count: float) -> str:
    """A number of bytes for people.

    Args:
        count: bytes.
    """
    for unit in _UNITS[:-1]:
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} {_UNITS[-1]}"


def _lines(fs: AbstractFileSystem, path: str, indent: str, levels: int) -> Iterator[str]:
    infos = fs.ls(path, detail=True)
    for info in infos[:ENTRIES]:
        name = info["name"].rstrip("/").rpartition("/")[2]
        if info["type"] != "directory":
            yield f"{indent}    {name}  {info['size']}"
        elif levels == 1:
            yield f"{indent}    {name}/ ..."
        else:
            yield f"{indent}    {name}/"
            yield from _lines(fs, info["name"], indent + "    ", levels - 1)
    if len(infos) > ENTRIES:
        yield f"{indent}    ... and {len(infos) - ENTRIES} more"
