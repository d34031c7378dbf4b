"""One normal form for paths: absolute, ``/``-separated, no ``.``, ``..`` or ``//``, no slash at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

from chuk_fsspec.contract.errors import os_error

NAME_MAX = 255
"""Longest name of one directory entry, in bytes of UTF-8."""
PATH_MAX = 4096
"""Longest path, in bytes of UTF-8."""

SPECIAL_NAMES = frozenset(("", ".", ".."))
"""What a path component may say without naming an entry."""

_ALWAYS_SHORT = NAME_MAX // 4
"""A string of this many characters or fewer fits NAME_MAX whatever its characters are."""


def encoded_length(text: str, path: str | None = None) -> int:
    """Length of a path or name in bytes; names that are not UTF-8 travel as surrogate escapes (PEP 383).

    Args:
        text: what is measured.
        path: the whole path, for the message.

    Returns:
        A number of bytes.

    Raises:
        OSError: EINVAL for any other half of a surrogate pair, which no bytes can stand for.
    """
    if text.isascii():
        return len(text)
    try:
        return len(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        raise os_error(errno.EINVAL, path or text, hint="half a surrogate pair is no character of a path") from None


def check_name(name: str, path: str | None = None) -> str:
    """Return a directory entry's name if it may be stored.

    Args:
        name: one path component.
        path: the whole path, for the message.

    Raises:
        OSError: EINVAL for an empty name, ``.``, ``..``, or one holding ``/`` or NUL; ENAMETOOLONG past 255 bytes.
    """
    if name in SPECIAL_NAMES or "/" in name or "\0" in name:
        raise os_error(errno.EINVAL, path or name, hint=f"{name!r} cannot be a file name")
    if (len(name) > _ALWAYS_SHORT or not name.isascii()) and encoded_length(name, path) > NAME_MAX:
        raise os_error(errno.ENAMETOOLONG, path or name, hint=f"a name may have {NAME_MAX} bytes")
    return name


def normalise(path: str) -> str:
    """Bring a path, absolute or relative to the root, into the normal form.

    ``..`` is resolved by text, before any symbolic link is looked at, so that every layer sees one and the same path.

    Args:
        path: a path without a protocol.

    Returns:
        The absolute path in normal form; ``/`` for the root.

    Raises:
        OSError: EINVAL for NUL, half a surrogate pair, or a ``..`` that climbs above the root; ENAMETOOLONG past 255
        bytes a name or 4096 in all.
    """
    if _is_plain(path):
        return path
    encoded_length(path)
    if "\0" in path:
        raise os_error(errno.EINVAL, path, hint="a path cannot hold a NUL character")
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not parts:
                raise os_error(errno.EINVAL, path, hint="'..' climbs above the root")
            parts.pop()
            continue
        if len(part) > _ALWAYS_SHORT and encoded_length(part) > NAME_MAX:
            raise os_error(errno.ENAMETOOLONG, path, hint=f"a name may have {NAME_MAX} bytes")
        parts.append(part)
    normal = "/" + "/".join(parts)
    if encoded_length(normal) > PATH_MAX:
        raise os_error(errno.ENAMETOOLONG, path, hint=f"a path may have {PATH_MAX} bytes")
    return normal


def _is_plain(path: str) -> bool:
    """Whether a short path is in normal form already: the common case, decided without splitting."""
    return (
        len(path) <= _ALWAYS_SHORT
        and path.isascii()
        and path.startswith("/")
        and "//" not in path
        and "/." not in path
        and "\0" not in path
        and (path == "/" or not path.endswith("/"))
    )


def strip_protocol(path: str | os.PathLike[str], protocols: Iterable[str]) -> str:
    """Remove ``proto://`` or ``proto::`` and normalise what is left (fsspec's ``_strip_protocol``; idempotent).

    Args:
        path: a URL, a chain of them, a path, or a path object.
        protocols: the protocol names to remove.

    Returns:
        The absolute path in normal form.

    Raises:
        OSError: as ``normalise``.
    """
    text = os.fspath(path)
    for protocol in protocols:
        if text.startswith(protocol):
            if text.startswith("://", len(protocol)):
                text = text[len(protocol) + 3 :]
                break
            if text.startswith("::", len(protocol)):
                text = _path_in_chain(text[len(protocol) + 2 :])
                break
    return normalise(text)


def _path_in_chain(rest: str) -> str:
    """The path of a chain (``proto::proto://path::...``) behind its first protocol, or what is no chain as it is."""
    protocols, mark, path = rest.partition("://")
    return path.partition("::")[0] if mark and "/" not in protocols else rest


def split(path: str) -> tuple[str, str]:
    """Split a normal path into its parent, a normal path, and its name; the root gives ``("/", "")``."""
    parent, _, name = path.rpartition("/")
    return parent or "/", name


def join(directory: str, name: str) -> str:
    """Join a normal directory path and a name."""
    return f"/{name}" if directory == "/" else f"{directory}/{name}"


def is_inside(path: str, directory: str) -> bool:
    """Whether a normal path is a directory itself or lies below it."""
    return directory in ("/", path) or path.startswith(directory + "/")
