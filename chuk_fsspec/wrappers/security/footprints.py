"""What lies at some paths, measured so that the difference of two measurements is what a change did to the books."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chuk_fsspec.contract.paths import split
from chuk_fsspec.wrappers.security.ledger import Usage

Info = Mapping[str, Any]


@dataclass
class Item:
    """One file, directory or link.

    Attributes:
        size: bytes that count.
        names: how many names it has.
        seen: under how many of them it was met.
        ino: its number, where the filesystem tells.
    """

    size: int
    names: int
    seen: int
    ino: int | None


@dataclass
class Footprint:
    """Files, directories and links; one with several names once."""

    items: dict[object, Item] = field(default_factory=dict)

    def add(self, info: Info) -> None:
        """Take in an info dict."""
        is_file = info["type"] == "file" and not info.get("islink")
        names = 1 if info["type"] == "directory" else info.get("nlink") or 1
        ino = info.get("ino")
        # Numbers alone may be the same in two filesystems that are mounted in one tree.
        key: object = (ino, info.get("created")) if names > 1 and ino is not None else info["name"]
        item = self.items.get(key)
        if item is None:
            self.items[key] = Item((info.get("size") or 0) if is_file else 0, names, 1, ino)
        else:
            item.seen += 1

    @property
    def usage(self) -> Usage:
        """What they take."""
        return Usage(sum(item.size for item in self.items.values()), len(self.items))

    def became(self, after: Footprint) -> tuple[Usage, list[Item]]:
        """What a change did that led from here to ``after``.

        Returns:
            The difference, and what has lost its last name. What has other names is still there.
        """
        still_here = {item.ino for item in after.items.values()}
        gone = [
            item
            for key, item in self.items.items()
            if (key not in after.items if item.ino is None else item.ino not in still_here)
        ]
        elsewhere = [item for item in gone if item.names > item.seen]
        kept = Usage(sum(item.size for item in elsewhere), len(elsewhere))
        return after.usage - self.usage + kept, [item for item in gone if item.names <= item.seen]


class Surveyor:
    """Looks at the filesystem below.

    Args:
        info: gives the info dict of a path, links not followed; ENOENT, ENOTDIR.
        find: gives all info dicts below a directory, itself included.
        lexists: tells whether there is anything, where that costs less than finding no info.
    """

    def __init__(
        self,
        info: Callable[[str], Info],
        find: Callable[[str], Iterable[Info]],
        lexists: Callable[[str], bool] | None,
    ) -> None:
        self._info = info
        self._find = find
        self._lexists = lexists

    def look(self, path: str) -> Info | None:
        """What is at a path, if anything."""
        if self._lexists is not None and not self._lexists(path):
            return None
        try:
            return self._info(path)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def missing_parents(self, path: str) -> list[str]:
        """The directories above a path that are not there, the lowest first."""
        missing: list[str] = []
        parent = split(path)[0]
        while parent != "/" and not self._is_there(parent):
            missing.append(parent)
            parent = split(parent)[0]
        return missing

    def _is_there(self, path: str) -> bool:
        return self.look(path) is not None if self._lexists is None else self._lexists(path)

    def below(self, path: str) -> list[Info]:
        """What is at a path and below it; the root is not counted."""
        info = self.look(path)
        if info is None or info["type"] != "directory":
            return [] if info is None else [info]
        return [one for one in self._find(path) if one["name"] != "/"]
