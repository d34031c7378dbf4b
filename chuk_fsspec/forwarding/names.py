"""Paths of other people's filesystems: some begin with a slash, some must not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import Capabilities
from chuk_fsspec.contract.operations import Operation, Returns


@dataclass(frozen=True)
class PathForm:
    """How a filesystem writes its paths.

    Attributes:
        prefix: what stands before the first name: ``/`` or nothing.
        is_ours: paths, and names in results, are in the normal form already.
    """

    prefix: str
    is_ours: bool

    def inward(self, path: Any) -> Any:
        """A normal path, or a list of them, as the filesystem wants it."""
        if self.is_ours or path is None:
            return path
        if isinstance(path, list):
            return [self.inward(one) for one in path]
        return self.prefix + path[1:]

    def outward(self, operation: Operation, result: Any) -> Any:
        """A result with its names in the normal form."""
        if self.is_ours or operation.returns is not Returns.PATHS or operation.posix:
            return result
        return _renamed(result)


def form_of(fs: AbstractFileSystem) -> PathForm:
    """How a filesystem writes its paths: those that declare capabilities use the normal form."""
    is_ours = isinstance(getattr(fs, "capabilities", None), Capabilities)
    return PathForm(prefix="/" if is_ours or fs.root_marker == "/" else "", is_ours=is_ours)


def _renamed(result: Any) -> Any:
    """Names, info dicts, lists of either, and dicts from path to info, with each name in the normal form."""
    if isinstance(result, str):
        return "/" + result.strip("/")
    if isinstance(result, list):
        return [_renamed(one) for one in result]
    if "name" in result and "type" in result:
        return {**result, "name": _renamed(result["name"])}
    return {_renamed(path): _renamed(info) if info else info for path, info in result.items()}
