"""What a transfer did, and what it could not take along."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

LEFT_OUT_MAX = 1000
"""Entries that are named in a report; all are counted."""


@dataclass(frozen=True)
class LeftOut:
    """An entry that was not copied.

    Attributes:
        path: of the entry, from the top of the tree that was copied.
        reason: why.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class Report:
    """What was copied.

    Attributes:
        files: regular files, each counted once however many names it has.
        directories: without the top one.
        symlinks: symbolic links.
        special_files: FIFOs, sockets and device nodes.
        hard_links: further names of files.
        bytes: of content, each file counted once; holes count where they had to be filled with zeros.
        left_out: entries that were not copied; the first 1000.
        left_out_count: how many there are.
    """

    files: int
    directories: int
    symlinks: int
    special_files: int
    hard_links: int
    bytes: int
    left_out: tuple[LeftOut, ...]
    left_out_count: int


@dataclass
class Tally:
    """A report in the making."""

    files: int = 0
    directories: int = 0
    symlinks: int = 0
    special_files: int = 0
    hard_links: int = 0
    bytes: int = 0
    left_out_count: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, path: str, reason: str) -> None:
        """Note an entry that is not copied."""
        self.left_out_count += 1
        if len(self.left_out) < LEFT_OUT_MAX:
            self.left_out.append(LeftOut(path, reason))

    def figures(self) -> dict[str, Any]:
        """The fields of a ``Report``, and what a kind of tally has besides."""
        return {**vars(self), "left_out": tuple(self.left_out)}
