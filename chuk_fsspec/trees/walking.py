"""All that is below a directory of any filesystem, one entry after the other, whatever cannot be listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.attributes import Attributes, attributes_of
from chuk_fsspec.contract.links import without_links
from chuk_fsspec.contract.paths import SPECIAL_NAMES
from chuk_fsspec.forwarding.publishing.leftovers import is_temporary


def below(directory: str, path: str) -> str:
    """A path in a directory of any filesystem; the directory itself for an empty one."""
    return f"{directory.rstrip('/')}/{path}" if path else directory


def listed(fs: AbstractFileSystem, directory: str) -> list[tuple[str, dict[str, Any]]]:
    """Names and infos of what is in a directory, in the order of their bytes, without what is only being written."""
    found: dict[str, dict[str, Any]] = {}
    for info in fs.ls(directory, detail=True):
        place = info["name"].rstrip("/")
        name = place.rpartition("/")[2]
        if name in SPECIAL_NAMES or is_temporary(name) or place.strip("/") == directory.strip("/"):
            continue
        # An object store may have an object and a directory of one name; the directory holds more.
        if name not in found or info["type"] == "directory":
            found[name] = info
    return sorted(found.items(), key=lambda item: item[0].encode("utf-8", "surrogateescape"))


def matches_any(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path from the top of a tree fits a pattern, by its name or, where the pattern has a ``/``, as a whole.

    Args:
        path: names with ``/`` between them.
        patterns: as the shell has them; ``*`` means a ``/``, too.
    """
    name = path.rpartition("/")[2]
    return any(fnmatchcase(path if "/" in pattern else name, pattern.strip("/")) for pattern in patterns)


@dataclass(frozen=True)
class Found:
    """One entry of a tree.

    Attributes:
        path: names with ``/`` between them, from the top of the tree; empty for the top itself.
        place: the filesystem's own path.
        info: as the filesystem tells it.
        attributes: what that says.
        depth: how many names the path has.
    """

    path: str
    place: str
    info: dict[str, Any]
    attributes: Attributes
    depth: int

    @property
    def name(self) -> str:
        """The last name of the filesystem's own path."""
        return self.place.rstrip("/").rpartition("/")[2]


def walk(
    fs: AbstractFileSystem,
    top: str,
    *,
    depth: int | None = None,
    on_error: Callable[[OSError], None] | None = None,
) -> Iterator[Found]:
    """The top, and all entries below it: a directory before what it holds, names in the order of their bytes.

    No link is followed. Only one directory of each level is held in memory.

    Args:
        fs: any filesystem.
        top: path of a file or directory in it.
        depth: levels below the top to go down; None for all.
        on_error: told of a directory that cannot be listed, which is passed over; None raises.

    Raises:
        OSError: ENOENT for the top; LinkInTheWay for one that is below a link.
    """
    view = without_links(fs)
    info = view.info(top)
    found = Found("", top, info, attributes_of(info), 0)
    yield found
    pending = [_entries(view, found, depth, on_error)]
    while pending:
        below = next(pending[-1], None)
        if below is None:
            pending.pop()
            continue
        yield below
        pending.append(_entries(view, below, depth, on_error))


def _entries(
    fs: AbstractFileSystem, above: Found, depth: int | None, on_error: Callable[[OSError], None] | None
) -> Iterator[Found]:
    if not above.attributes.is_directory or (depth is not None and above.depth >= depth):
        return
    try:
        below = listed(fs, above.place)
    except OSError as error:
        if on_error is None:
            raise
        on_error(error)
        return
    for name, info in below:
        path = f"{above.path}/{name}" if above.path else name
        yield Found(path, info["name"].rstrip("/"), info, attributes_of(info), above.depth + 1)
