"""Copying a whole directory to another mount, in such a way that it can be gone on with."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.mounted import content
from chuk_fsspec.mounted.ends import End, fingerprint

Transfer = Callable[[End, End], None]
Entry = tuple[str, tuple[Any, ...]]


class TreeCopy:
    """A directory on its way.

    Args:
        source: the directory.
        arriving: where its copy is made.
        resumed: some of it may be there already.

    Attributes:
        done: how many entries have arrived.
        total: how many there are.
    """

    def __init__(self, source: End, arriving: End, *, resumed: bool) -> None:
        self._source = source
        self._arriving = arriving
        self._resumed = resumed
        self._entries = look(source)
        self._linked: dict[tuple[Any, ...], End] = {}
        self.total = len(self._entries)
        self.done = 0

    def meets(self, name: str) -> bool:
        """Whether an entry of this name is anywhere in the source."""
        return any(rest.rpartition("/")[2] == name for rest in self._entries)

    def run(self, transfer: Transfer) -> None:
        """Copy what has not arrived yet.

        Args:
            transfer: copies one entry that is no directory, checked and with its attributes.

        Raises:
            OSError: ENOTSUP, before anything is copied, for what the target cannot hold; EBUSY if the source changed.
        """
        self._require_room()
        self._tidy_up()
        directories = [rest for rest, (kind, _) in self._entries.items() if kind == "directory"]
        self._make_directories(directories)
        for rest, (kind, _) in self._entries.items():
            if kind != "directory" and not self._has_arrived(rest, kind):
                self._bring(rest, transfer)
            self.done += 1
        for rest in reversed(directories):
            self._keep_attributes(rest)
        if look(self._source) != self._entries:
            raise os_error(errno.EBUSY, self._source.path, hint="it changed while it was copied")

    def _tidy_up(self) -> None:
        """Remove what an earlier attempt has brought and the source no longer has, or has as something else."""
        if not self._resumed or not self._arriving.can_stage:
            return
        for rest, (kind, _) in look(self._arriving).items():
            if self._entries.get(rest, ("", ()))[0] != kind:
                with suppress(FileNotFoundError):  # it was in a directory that is gone already
                    self._arriving.below(rest).ask("rm", recursive=True)

    def _require_room(self) -> None:
        for rest, (kind, _) in self._entries.items():
            needed = {"link": "symlinks", "other": "special_files"}.get(kind)
            if needed and not self._source.keeps(needed, self._arriving):
                raise os_error(errno.ENOTSUP, self._source.below(rest).path, hint=f"the target keeps no {needed}")

    def _make_directories(self, directories: list[str]) -> None:
        for rest in directories:
            made = self._arriving.below(rest)
            if made.can_stage:
                with suppress(FileExistsError):
                    made.ask_posix("mkdir", mode=stat.S_IRWXU)
            else:
                with suppress(NotImplementedError):
                    made.ask("makedirs", exist_ok=True)

    def _has_arrived(self, rest: str, kind: str) -> bool:
        """Whether a file is there already from an earlier attempt, byte by byte."""
        arrived, source = self._arriving.below(rest), self._source.below(rest)
        if not self._resumed or kind != "file" or not _is_same_file(source, arrived):
            return False
        content.keep_attributes(source, arrived, source.info())
        return True

    def _bring(self, rest: str, transfer: Transfer) -> None:
        """Copy one entry, or link it to the copy of another name of the same file."""
        source, arriving = self._source.below(rest), self._arriving.below(rest)
        info = source.info()
        file = (info.get("ino"),) if info.get("nlink", 1) > 1 and source.keeps("hardlinks", arriving) else ()
        if file and file in self._linked:
            if arriving.exists():
                arriving.ask("rm_file")
            self._linked[file].link_to(arriving)
            return
        transfer(source, arriving)
        if file:
            self._linked[file] = arriving

    def _keep_attributes(self, rest: str) -> None:
        source = self._source.below(rest)
        content.keep_attributes(source, self._arriving.below(rest), source.info())


def look(top: End) -> dict[str, Entry]:
    """Everything below a directory by its path from there, parents first, and what tells whether it changes."""
    names, length = top.mount.names, len(top.path)
    entries: dict[str, Entry] = {"": ("directory", ())}
    for name, info in top.ask("find", withdirs=True, detail=True).items():
        rest = names.outward(name)[length + 1 :]
        if rest:
            entries[rest] = info["type"], fingerprint(info) if info["type"] != "directory" else ()
    return dict(sorted(entries.items()))


def is_part_of(source: End, target: End) -> bool:
    """Whether everything in a directory is in another one too, byte by byte."""
    there = look(target)
    for rest, (kind, _) in look(source).items():
        if there.get(rest, ("", ()))[0] != kind:
            return False
        one, other = source.below(rest), target.below(rest)
        if kind == "file" and not _is_same_file(one, other):
            return False
        if kind == "link" and one.ask_posix("readlink") != other.ask_posix("readlink"):
            return False
    return True


def _is_same_file(one: End, other: End) -> bool:
    if other.kind() != "file" or one.info().get("size") != other.info().get("size"):
        return False
    return content.read_back(one) == content.read_back(other)
