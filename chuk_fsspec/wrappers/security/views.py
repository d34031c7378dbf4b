"""The view of a filesystem on which rules about paths hold."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from typing import Any

from fsspec import AbstractFileSystem, get_filesystem_class
from fsspec.implementations.local import LocalFileSystem

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.posix import Posix
from chuk_fsspec.forwarding.surface import ForwardingFileSystem

_PROTOCOLS = ("protocol", "target_protocol")
_OPTIONS = ("options", "target_options")


def secured_view(fs: AbstractFileSystem) -> AbstractFileSystem:
    """The view of a filesystem that follows no links, so that a path that was checked is the path that is used.

    Args:
        fs: any filesystem. One that knows nothing of links is taken as it is.

    Raises:
        ValueError: for fsspec's own local filesystem, alone or anywhere below, which follows links by itself.
    """
    if any(issubclass(kind, LocalFileSystem) for kind in _kinds(fs)):
        raise ValueError(
            "fsspec's own local filesystem follows symbolic links by itself, past every rule; "
            "use chuklocal, as in chuksecure::chuklocal://"
        )
    posix = getattr(fs, "posix", None)
    if not isinstance(posix, Posix):
        return fs
    try:
        return posix.nofollow
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return fs
        raise


def _kinds(value: Any) -> Iterator[type[AbstractFileSystem]]:
    """The classes of a filesystem and of those that it is made of, as far as its arguments tell."""
    if isinstance(value, AbstractFileSystem):
        yield type(value)
        yield from _mounted_kinds(value)
        if not _is_leaf(type(value)):
            yield from _kinds([getattr(value, "fs", None), *value.storage_args, value.storage_options])
    elif isinstance(value, Mapping):
        named = [get_filesystem_class(value[key]) for key in _PROTOCOLS if isinstance(value.get(key), str)]
        yield from named
        for key, one in value.items():
            if not (key in _OPTIONS and any(map(_is_leaf, named))):
                yield from _kinds(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _kinds(one)


def _mounted_kinds(fs: AbstractFileSystem) -> Iterator[type[AbstractFileSystem]]:
    """fsspec's local filesystem, if a tree has it mounted, wherever its table came from."""
    list_mounts = getattr(fs, "list_mounts", None)
    for mount in list_mounts() if list_mounts is not None else ():
        if mount["protocol"] in LocalFileSystem.protocol:
            yield LocalFileSystem


def _is_leaf(kind: type[AbstractFileSystem]) -> bool:
    """Whether a class of ours stands on no other filesystem, whatever its arguments say."""
    return isinstance(getattr(kind, "capabilities", None), Capabilities) and not issubclass(kind, ForwardingFileSystem)
