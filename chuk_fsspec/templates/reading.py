"""Templates by their place: a template file, or a template directory."""

from __future__ import annotations

import os
from typing import Any

from chuk_fsspec.templates import checks
from chuk_fsspec.templates.documents import is_document, read_document
from chuk_fsspec.templates.parsing import parse
from chuk_fsspec.templates.sources import Source, open_beside, open_source
from chuk_fsspec.templates.template import DEFAULT_LIMITS, Limits, Template
from chuk_fsspec.templates.trees import find_manifest, read_tree


def read_template(location: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> tuple[Template, Source]:
    """Read a template file (YAML, JSON or TOML) or a template directory.

    Args:
        location: a path of this machine, or an fsspec URL.
        limits: how much it may hold.

    Returns:
        The template, and the directory that its ``content_from`` counts from: the one that it lies in, or is.

    Raises:
        OSError: of reading.
        ValueError: for what is no template, naming line and column, or the entry.
        ImportError: for YAML without PyYAML.
    """
    if is_document(os.fspath(location)):
        source, name = open_beside(location)
        return _read_file(source, name, limits), source
    source = open_source(location)
    return read_tree(source, limits), source


def list_templates(
    location: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS
) -> dict[str, tuple[Template, Source]]:
    """The templates in a directory: its template files, and its directories that have a manifest.

    Args:
        location: a directory of this machine, or an fsspec URL of one.
        limits: how much each may hold.

    Returns:
        From name in the directory to the template and the directory that its ``content_from`` counts from, in order.

    Raises:
        OSError: of reading.
        ValueError: for what is no template.
    """
    source = open_source(location)
    found: dict[str, tuple[Template, Source]] = {}
    for name, info in source.entries(recursive=False):
        if info["type"] == "file" and is_document(name):
            found[name] = _read_file(source, name, limits), source
        elif info["type"] == "directory":
            below = source.below(name)
            if find_manifest(path for path, _ in below.entries(recursive=False)):
                found[name] = read_tree(below, limits), below
    return found


def read_values(location: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> dict[str, Any]:
    """Read the values of variables from a YAML, JSON or TOML file: one dict from name to text or a number.

    Args:
        location: a path of this machine, or an fsspec URL.
        limits: how much it may hold.

    Raises:
        OSError: of reading.
        ValueError: for a file that cannot be understood, naming line and column.
    """
    source, name = open_beside(location)
    data = read_document(source.read(name, name, limits.document_bytes), name, limits)
    return dict(checks.mapping(data, name))


def _read_file(source: Source, name: str, limits: Limits) -> Template:
    data = source.read(name, name, limits.document_bytes)
    return parse(read_document(data, name, limits), name)
