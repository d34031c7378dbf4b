"""Lists and patterns of paths, taken apart by fsspec's rules.

A name with ``*`` in it that exists is that name; it is a pattern only where nothing of that name exists.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import other_paths, stringify_path

from chuk_fsspec.contract.errors import LinkInTheWay
from chuk_fsspec.contract.paths import join

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_GLOB_CHARACTERS = frozenset("*?[")


def is_one(path: Any) -> bool:
    """Whether an argument of fsspec is one path and not a list of them."""
    return isinstance(path, (str, os.PathLike))


def listed(path: Paths) -> list[str | os.PathLike[str]]:
    """One path, or several, as a list."""
    return [path] if isinstance(path, (str, os.PathLike)) else list(path)


def has_glob(path: str) -> bool:
    """Whether a path may be a pattern."""
    return not _GLOB_CHARACTERS.isdisjoint(path)


def matches(fs: AbstractFileSystem, path: Paths) -> list[str]:
    """What a path, a pattern or a list of them stands for, in the order given; directories are not looked into.

    Raises:
        FileNotFoundError: for a pattern without a match.
    """
    found: list[str] = []
    for one in listed(path):
        normal = fs._strip_protocol(one)
        found += fs.expand_path(normal) if has_glob(normal) and not fs.lexists(normal) else [normal]
    return found


def move_pairs(fs: AbstractFileSystem, path1: Paths, path2: Paths) -> list[tuple[str, str]]:
    """Which path goes where in ``mv(path1, path2)``, by fsspec's copying rules.

    A target that ends in ``/`` or is a directory takes the source inside. A path moved onto itself is no pair.

    Args:
        fs: where.
        path1: one path, a pattern, or a list of them.
        path2: one path, or as many as there are sources.

    Returns:
        Pairs of normal paths.

    Raises:
        OSError: ENOENT for a pattern without a match, and for a missing path moved onto itself.
        ValueError: for two lists of different length.
    """
    if is_one(path1):
        source = fs._strip_protocol(path1)
        if not has_glob(source) or fs.lexists(source):
            return _one_pair(fs, source, path2)
    flat = not is_one(path1)
    if flat and not is_one(path2):
        sources, targets = listed(path1), listed(path2)
    else:
        sources = fs.expand_path(path1)
        targets = other_paths(sources, fs._strip_protocol(path2), exists=len(sources) == 1, flatten=flat)
    strip = fs._strip_protocol
    return [(strip(source), strip(target)) for source, target in zip(sources, targets, strict=True)]


def _one_pair(fs: AbstractFileSystem, source: str, path2: Any) -> list[tuple[str, str]]:
    target = fs._strip_protocol(path2)
    if source == target:
        fs.info(source)
        return []
    if stringify_path(path2).endswith("/") or takes_inside(fs, target):
        target = join(target, source.rpartition("/")[2])
    return [(source, target)]


def takes_inside(fs: AbstractFileSystem, target: str) -> bool:
    """Whether what is moved to a normal path goes into it: it is a directory, or a link to one that is followed."""
    try:
        return bool(fs.isdir(target))
    except LinkInTheWay as link:
        if link.filename == target:
            return False
        raise
