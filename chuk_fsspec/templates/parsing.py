"""From plain values, as a dict or a document has them, to a ``Template``."""

from __future__ import annotations

import base64
import binascii
import codecs
import difflib
import re
from collections.abc import Mapping
from typing import Any

from chuk_fsspec.mounted.reading import check_keys
from chuk_fsspec.templates import checks
from chuk_fsspec.templates.template import DirectoryEntry, FileEntry, LinkEntry, Template, Variable

KEYS = ("name", "description", "variables", "directories", "files", "links")
"""What a template may have."""

BASE64 = "base64"
"""The encoding of content that is no text, in documents that hold only text."""

_DIRECTORY_KEYS = ("path", "mode")
_FILE_KEYS = ("path", "content", "content_from", "mode", "encoding", "verbatim")
_LINK_KEYS = ("path", "target")
_VARIABLE_KEYS = ("name", "description", "default", "required")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def parse(data: Any, where: str = "template") -> Template:
    """Read a template.

    Args:
        data: a dict with ``directories`` (paths, or dicts of ``path`` and ``mode``), ``files`` (dicts of ``path``,
            ``content`` or ``content_from``, ``mode``, ``encoding``, ``verbatim``), ``links`` (dicts of ``path`` and
            ``target``), ``variables``, ``name`` and ``description``, all of them optional; or a ``Template``.
        where: what it is called in messages.

    Raises:
        ValueError: for unknown keys, naming the nearest right one, and for values of the wrong kind, naming the entry.
    """
    if isinstance(data, Template):
        return data
    check_keys(checks.mapping(data, where), KEYS, where)
    return Template(
        name=checks.text(data.get("name", ""), "name"),
        description=checks.text(data.get("description", ""), "description"),
        variables=variables_of(data.get("variables"), "variables"),
        directories=tuple([_directory(value, at) for value, at in _listed(data, "directories")]),
        files=tuple([_file(value, at) for value, at in _listed(data, "files")]),
        links=tuple([_link(value, at) for value, at in _listed(data, "links")]),
    )


def variables_of(value: Any, where: str) -> tuple[Variable, ...]:
    """Read the variables that a template declares.

    Args:
        value: a dict from name to default value, or to a dict of ``default``, ``description`` and ``required``; or a
            list of names and of such dicts with a ``name``. One without a default has to be given, unless it is not
            ``required``: then it is empty.
        where: what it is called in messages.

    Raises:
        ValueError: naming the variable.
    """
    if isinstance(value, Mapping):
        found = [_variable(name, one, f"{where}.{name}") for name, one in value.items()]
    else:
        found = [_listed_variable(one, f"{where}[{at}]") for at, one in enumerate(checks.sequence(value, where))]
    names: set[str] = set()
    for variable in found:
        if variable.name in names:
            raise ValueError(f"{where}: {variable.name} is declared twice")
        names.add(variable.name)
    return tuple(found)


def check_name(name: Any, where: str) -> str:
    """A variable's name: letters, digits, ``_``, ``-`` and ``.``, a letter or ``_`` first. ValueError."""
    if not _NAME.fullmatch(checks.text(name, where)):
        raise ValueError(f"{where}: a variable's name has letters, digits, '_', '-' and '.', and begins with a letter")
    return str(name)


def is_name(text: str) -> bool:
    """Whether a text can be a variable's name."""
    return _NAME.fullmatch(text) is not None


def _listed(data: Mapping[Any, Any], key: str) -> list[tuple[Any, str]]:
    return [(value, f"{key}[{at}]") for at, value in enumerate(checks.sequence(data.get(key), key))]


def _directory(value: Any, where: str) -> DirectoryEntry:
    if isinstance(value, str):
        return DirectoryEntry(checks.some_text(value, where), None, where)
    if not isinstance(value, Mapping):
        raise ValueError(f"{where}: a path or a dict is needed, not {type(value).__name__}")
    check_keys(value, _DIRECTORY_KEYS, where)
    path = checks.some_text(value.get("path"), f"{where}.path")
    return DirectoryEntry(path, checks.permissions(value.get("mode"), f"{where}.mode"), where)


def _file(value: Any, where: str) -> FileEntry:
    check_keys(checks.mapping(value, where), _FILE_KEYS, where)
    content, content_from = value.get("content"), value.get("content_from")
    if content is not None and content_from is not None:
        raise ValueError(f"{where}: give content or content_from, not both")
    encoding = checks.text(value.get("encoding", ""), f"{where}.encoding")
    if content_from is not None:
        checks.some_text(content_from, f"{where}.content_from")
        _check_encoding(encoding, where)
    else:
        content = _content("" if content is None else content, encoding, where)
    return FileEntry(
        path=checks.some_text(value.get("path"), f"{where}.path"),
        content=content,
        content_from=content_from,
        mode=checks.permissions(value.get("mode"), f"{where}.mode"),
        encoding=encoding,
        verbatim=checks.boolean(value.get("verbatim", False), f"{where}.verbatim"),
        where=where,
    )


def _content(value: Any, encoding: str, where: str) -> str | bytes:
    if isinstance(value, (bytes, bytearray, memoryview)):
        if encoding:
            raise ValueError(f"{where}.encoding: bytes have none; leave it out")
        return bytes(value)
    text = checks.text(value, f"{where}.content")
    if encoding != BASE64:
        _check_encoding(encoding, where)
        return text
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{where}.content: is not base64") from None


def _check_encoding(encoding: str, where: str) -> None:
    """Refuse what is no encoding of text. ValueError."""
    if not encoding:
        return
    try:
        known = codecs.lookup(encoding)._is_text_encoding  # noqa: SLF001 - what str.encode itself asks
    except (LookupError, ValueError):
        known = False
    if not known:
        raise ValueError(f"{where}.encoding: {encoding!r} is no encoding of text; utf-8 and latin-1 are some")


def _link(value: Any, where: str) -> LinkEntry:
    check_keys(checks.mapping(value, where), _LINK_KEYS, where)
    path = checks.some_text(value.get("path"), f"{where}.path")
    return LinkEntry(path, checks.some_text(value.get("target"), f"{where}.target"), where)


def _listed_variable(value: Any, where: str) -> Variable:
    if isinstance(value, str):
        return Variable(check_name(value, where))
    found = dict(checks.mapping(value, where))
    return _variable(found.pop("name", None), found, where)


def _variable(name: Any, value: Any, where: str) -> Variable:
    check_name(name, where)
    if value is None:
        return Variable(name)
    if not isinstance(value, Mapping):
        return Variable(name, default=checks.scalar(value, where))
    check_keys(value, _VARIABLE_KEYS[1:], where)
    description = checks.text(value.get("description", ""), f"{where}.description")
    default = value.get("default")
    required = checks.boolean(value.get("required", default is None), f"{where}.required")
    if required and default is not None:
        raise ValueError(f"{where}: a variable with a default is never missing; leave out default or required")
    if default is not None:
        return Variable(name, description, checks.scalar(default, f"{where}.default"))
    return Variable(name, description, None if required else "")


def nearest(name: str, known: list[str]) -> str:
    """A hint that names the nearest known word; empty if none is near."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
