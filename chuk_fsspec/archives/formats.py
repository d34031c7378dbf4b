"""The formats, known by the end of a file's name or by how the content begins."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from chuk_fsspec.archives.refusal import refused
from chuk_fsspec.archives.tar.headers import is_header


@dataclass(frozen=True)
class Format:
    """One format, and what has a place in it.

    Attributes:
        name: what users call it.
        suffixes: ends of file names.
        container: ``tar``, ``zip`` or ``json``.
        compression: of the whole stream: ``gzip``, ``zstd`` or nothing.
        links: symbolic links.
        hard_links: further names of files.
        attributes: permission bits and times.
        xattrs: extended attributes.
        special: FIFOs and device nodes.
        any_name: names that are not UTF-8.
    """

    name: str
    suffixes: tuple[str, ...]
    container: str
    compression: str = ""
    links: bool = True
    hard_links: bool = True
    attributes: bool = True
    xattrs: bool = True
    special: bool = True
    any_name: bool = True


TAR = Format("tar", (".tar",), "tar")
TAR_GZ = Format("tar.gz", (".tar.gz", ".tgz"), "tar", "gzip")
TAR_ZST = Format("tar.zst", (".tar.zst", ".tzst"), "tar", "zstd")
ZIP = Format("zip", (".zip",), "zip", hard_links=False, xattrs=False, special=False, any_name=False)
JSON = Format(
    "json",
    (".json",),
    "json",
    links=False,
    hard_links=False,
    attributes=False,
    xattrs=False,
    special=False,
    any_name=False,
)
FORMATS = {known.name: known for known in (TAR, TAR_GZ, TAR_ZST, ZIP, JSON)}

SNIFFED = 512
"""Bytes of the beginning that ``format_of_content`` wants."""

_OTHERS = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"7z\xbc\xaf\x27\x1c": "7-Zip", b"Rar!": "RAR"}


def format_named(name: str) -> Format:
    """A format by its name. ValueError, with those that there are."""
    if name not in FORMATS:
        raise ValueError(f"format {name!r} is not one of {', '.join(FORMATS)}")
    return FORMATS[name]


def format_of_name(file_name: str) -> Format:
    """The format of an archive that is to be written. ValueError, with what to write."""
    lowered = file_name.lower()
    for known in FORMATS.values():
        if lowered.endswith(known.suffixes):
            return known
    suffixes = ", ".join(suffix for known in FORMATS.values() for suffix in known.suffixes)
    raise ValueError(f"the name of the archive tells no format: end it with one of {suffixes}, or give the format")


def format_of_content(start: bytes) -> Format:
    """The format of an archive that begins so. ArchiveRefused for everything unknown."""
    if start.startswith(b"\x1f\x8b"):
        return TAR_GZ
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return TAR_ZST
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return ZIP
    if start.lstrip(b" \t\r\n").startswith(b"{"):
        return JSON
    other = next((name for magic, name in _OTHERS.items() if start.startswith(magic)), "")
    if other:
        raise refused("format", f"{other} archives are not read: unpack it to tar or zip", code=errno.ENOTSUP)
    if len(start) < SNIFFED or not is_header(start):
        raise refused("format", "it is no tar, zip or JSON archive")
    return TAR
