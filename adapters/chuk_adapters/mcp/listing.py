"""Entries of directories."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.failures import ToolError, spoken
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import join


@dataclass(frozen=True)
class Entry:
    """One entry of a directory.

    Attributes:
        name: in the directory.
        path: absolute.
        kind: "file", "directory", "link" or "other"; links are not followed.
        size: of a file, in bytes.
        modified: when its content changed last, in seconds since 1970; 0 where nobody knows.
    """

    name: str
    path: str
    kind: str
    size: int
    modified: float = 0.0

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory itself."""
        return self.kind == "directory"

    @property
    def mark(self) -> str:
        """What a listing shows before its name."""
        return "[DIR]" if self.is_directory else "[FILE]"


def entries(call: Call, path: str) -> list[Entry]:
    """The entries of a directory, in the order of their names' bytes.

    Args:
        call: on whose behalf.
        path: as ``Call.path`` returned it.

    Raises:
        ToolError: for anything but a directory.
    """
    call.check()
    with spoken("scandir", path):
        if call.fs.info(path)["type"] != "directory":
            raise os_error(errno.ENOTDIR, path)
        found: list[dict[str, Any]] = call.fs.ls(path, detail=True)
    named = [(posixpath.basename(info["name"]), info) for info in found]
    made = [
        Entry(name, join(path, name), info["type"], info["size"] or 0, float(info.get("mtime") or 0))
        for name, info in named
    ]
    return sorted(made, key=lambda entry: entry.name.encode("utf-8", "surrogatepass"))


def below(call: Call, path: str, keep: Callable[[Entry], bool]) -> Iterator[Entry]:
    """All that is below a directory, each directory before what is in it; what cannot be listed is left out.

    Args:
        call: on whose behalf.
        path: as ``Call.path`` returned it.
        keep: whether an entry is told; the others are left out with all below them.

    Raises:
        ToolError: for anything but a directory.
    """
    todo = [iter(entries(call, path))]
    while todo:
        entry = next(todo[-1], None)
        if entry is None:
            todo.pop()
            continue
        if not keep(entry):
            continue
        yield entry
        if entry.is_directory:
            try:
                todo.append(iter(entries(call, entry.path)))
            except ToolError:
                call.check()
