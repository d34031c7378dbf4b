"""Which file goes where in ``copy``, ``get`` and ``put``: asked of fsspec's own code, so that its rules hold."""

from __future__ import annotations

from typing import Any

from fsspec import AbstractFileSystem

Pairs = list[tuple[str, str]]


class _Planner:
    """Stands in for a filesystem in fsspec's ``copy``, ``get`` and ``put``, and notes what they would do."""

    def __init__(self, fs: AbstractFileSystem) -> None:
        self.expand_path = fs.expand_path
        self.isdir = fs.isdir
        self._strip_protocol = fs._strip_protocol
        self.pairs: Pairs = []

    def cp_file(self, path1: str, path2: str, **kwargs: Any) -> None:
        self.pairs.append((path1, path2))

    def get_file(self, rpath: str, lpath: str, **kwargs: Any) -> None:
        self.pairs.append((rpath, lpath))

    def put_file(self, lpath: str, rpath: str, **kwargs: Any) -> None:
        self.pairs.append((lpath, rpath))


def pairs_of(fs: AbstractFileSystem, operation: str, source: Any, target: Any, **options: Any) -> Pairs:
    """Plan a bulk operation.

    Args:
        fs: the filesystem that is asked, for what exists and what matches.
        operation: "copy", "get" or "put".
        source: as the operation takes it: a path, a pattern or a list; a slash at the end has its meaning.
        target: likewise.
        options: ``recursive`` and ``maxdepth``.

    Returns:
        Pairs of source and target, directories included, in the order in which to handle them.

    Raises:
        FileNotFoundError: if the source matches nothing.
        ValueError: for a ``maxdepth`` below 1.
    """
    planner = _Planner(fs)
    getattr(AbstractFileSystem, operation)(planner, source, target, **options)
    return planner.pairs
