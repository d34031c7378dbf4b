"""Template directories: a tree of files, in which names and texts hold variables, and a manifest that declares them."""

from __future__ import annotations

import dataclasses
import errno
import stat
from collections.abc import Iterable, Mapping
from typing import Any

from chuk_fsspec.templates import checks
from chuk_fsspec.templates.documents import ENDINGS, read_document
from chuk_fsspec.templates.parsing import parse
from chuk_fsspec.templates.planning import text_or_bytes
from chuk_fsspec.templates.sources import Source
from chuk_fsspec.templates.template import DirectoryEntry, FileEntry, Limits, LinkEntry, Template
from chuk_fsspec.trees.walking import matches_any

MANIFESTS = tuple(f"template{ending}" for ending in ENDINGS)
"""What the manifest of a template directory may be called. It is not part of the tree."""

_VERBATIM = "verbatim"
_PERMISSIONS = 0o777


def read_tree(source: Source, limits: Limits) -> Template:
    """Read a template directory.

    Every file below it becomes one of the template, texts with their variables to be substituted, everything else byte
    for byte; empty directories, permission bits and symbolic links that stay inside are kept. The manifest, a template
    file of the name ``template``, may add what a template file has, and ``verbatim``: patterns of files in which
    nothing is substituted, matched against the name, or against the whole path if they hold a slash.

    Args:
        source: the directory.
        limits: how much it may hold.

    Raises:
        OSError: of reading; EINVAL for two manifests and for what is neither file, directory nor link; EFBIG.
        ValueError: for a manifest that is none.
    """
    listed = []
    for entry in source.entries():
        listed.append(entry)
        if len(listed) > limits.entries:
            raise checks.too_large(source.shown, "entries", limits.entries)
    manifest = find_manifest([path for path, _ in listed])
    base, verbatim = _manifest(source, manifest, limits)
    room = limits.total_bytes
    directories, files, links = list(base.directories), list(base.files), list(base.links)
    taken = {entry.path.strip("/") for entry in directories}
    for path, info in listed:
        if path == manifest or (info["type"] == "directory" and path in taken):
            continue
        if info["type"] == "directory":
            directories.append(DirectoryEntry(path, permissions_of(info), path))
        elif info["type"] == "link":
            links.append(LinkEntry(path, link_of(info, path), path))
        elif info["type"] == "file":
            data = source.read(path, path, room)
            room -= len(data)
            files.append(_file(path, info, data, verbatim=matches_any(path, verbatim)))
        else:
            raise checks.refused(errno.EINVAL, path, path, "is neither file, directory nor link")
    return dataclasses.replace(base, directories=tuple(directories), files=tuple(files), links=tuple(links))


def find_manifest(paths: Iterable[str]) -> str:
    """The manifest among the entries of a template directory, empty without one. EINVAL for two."""
    found = [path for path in paths if path in MANIFESTS]
    if len(found) > 1:
        raise checks.refused(errno.EINVAL, found[1], found[0], "a template directory has one manifest")
    return found[0] if found else ""


def permissions_of(info: Mapping[str, Any]) -> int | None:
    """The permission bits that are kept of what was listed; None where the filesystem tells none."""
    mode = info.get("mode")
    return stat.S_IMODE(mode) & _PERMISSIONS if isinstance(mode, int) else None


def link_of(info: Mapping[str, Any], path: str) -> str:
    """What a link that was listed holds.

    Raises:
        OSError: EINVAL for an absolute one: it leads out of the directory, or would lead elsewhere after copying.
    """
    destination = str(info.get("destination", ""))
    if destination.startswith("/"):
        raise checks.refused(errno.EINVAL, path, path, "the link is absolute; make it relative, or leave links out")
    return destination


def _manifest(source: Source, name: str, limits: Limits) -> tuple[Template, list[str]]:
    if not name:
        return Template(), []
    data = read_document(source.read(name, name, limits.document_bytes), name, limits)
    known = dict(checks.mapping({} if data is None else data, name))
    listed = checks.sequence(known.pop(_VERBATIM, None), f"{name}: {_VERBATIM}")
    patterns = [checks.some_text(one, f"{name}: {_VERBATIM}[{at}]") for at, one in enumerate(listed)]
    return parse(known, name), patterns


def _file(path: str, info: Mapping[str, Any], data: bytes, *, verbatim: bool) -> FileEntry:
    content = data if verbatim else text_or_bytes(data, "utf-8", path, must=False)
    return FileEntry(path, content, None, permissions_of(info), "", verbatim, path)
