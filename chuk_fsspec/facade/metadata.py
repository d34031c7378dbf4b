"""What users note about a file, kept in its extended attributes: one attribute of the class ``user`` for each key.

So other programs see it too. A text is kept as it is; anything else, and a text that would be taken for it, is JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.errors import not_supported

_CLASS = "user."


def read_metadata(fs: AbstractFileSystem, path: str) -> dict[str, Any]:
    """What is noted about a path; nothing where the filesystem has no extended attributes.

    Args:
        fs: where.
        path: absolute normal path.

    Raises:
        OSError: ENOENT.
    """
    if not capabilities_of(fs).xattrs:
        return {}
    names = [name for name in fs.posix.listxattr(path) if name.startswith(_CLASS)]
    return {name[len(_CLASS) :]: _value_of(fs.posix.getxattr(path, name)) for name in names}


def write_metadata(fs: AbstractFileSystem, path: str, metadata: Mapping[str, Any]) -> None:
    """Note something about a path; other keys stay, and a value of None removes its key.

    Args:
        fs: where.
        path: absolute normal path.
        metadata: keys, and values that JSON can hold.

    Raises:
        OSError: ENOTSUP where the filesystem has no extended attributes; ENOENT, E2BIG, ERANGE, EROFS.
        TypeError: for a value that JSON cannot hold; nothing is noted then.
    """
    check_metadata(fs, path, metadata)
    known = set(fs.posix.listxattr(path)) if metadata else set()
    for name, value in _encoded(metadata).items():
        if value is not None:
            fs.posix.setxattr(path, name, value)
        elif name in known:
            fs.posix.removexattr(path, name)


def check_metadata(fs: AbstractFileSystem, path: str, metadata: Mapping[str, Any]) -> None:
    """Fail as ``write_metadata`` would that has nothing to say about the path itself; nothing to note never fails.

    Raises:
        OSError: ENOTSUP.
        TypeError: for a value that JSON cannot hold.
    """
    if metadata and not capabilities_of(fs).xattrs:
        raise not_supported("metadata: this filesystem has no extended attributes", path)
    _encoded(metadata)


def _encoded(metadata: Mapping[str, Any]) -> dict[str, bytes | None]:
    """Attributes by name; None for those to be removed."""
    return {_CLASS + key: None if value is None else _bytes_of(key, value) for key, value in metadata.items()}


def _bytes_of(key: str, value: Any) -> bytes:
    if isinstance(value, str) and _value_of(value.encode("utf-8", "surrogateescape")) == value:
        return value.encode("utf-8", "surrogateescape")
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except TypeError as error:
        raise TypeError(f"metadata[{key!r}]: {error}") from None


def _value_of(value: bytes) -> Any:
    text = value.decode("utf-8", "surrogateescape")
    try:
        return json.loads(text)
    except ValueError:
        return text
