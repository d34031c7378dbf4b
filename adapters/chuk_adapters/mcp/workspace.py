"""What a server shows: a filesystem, the directories in it that are allowed, and limits."""

from __future__ import annotations

import posixpath
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from fsspec import AbstractFileSystem

from chuk_adapters.mcp.locks import Locks
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.paths import is_inside


@dataclass(frozen=True)
class Limits:
    """How much one call may take.

    Attributes:
        characters: of a result; what is longer is cut, and says how to get the rest.
        media_bytes: of a file that is sent as it is; longer ones are refused.
        seconds: until a call is given up.
        threads: calls that work at once; those that were given up are not counted, though their threads may hang.
        entries: of a listing, a tree or a search by name.
        depth: levels of a tree.
        matches: lines or files of a search by content.
        line: characters that a search shows of a line.
        file_size: bytes of a file that is read or changed as a whole.
        expression: seconds that a regular expression may take for a few megabytes of text.
    """

    characters: int = 100_000
    media_bytes: int = 8 * 1024 * 1024
    seconds: float = 120.0
    threads: int = 128
    entries: int = 1_000
    depth: int = 32
    matches: int = 200
    line: int = 500
    file_size: int = 64 * 1024 * 1024
    expression: float = 5.0


@dataclass(frozen=True)
class Record:
    """One call, for the audit trail.

    Attributes:
        tool: its name.
        arguments: as the client gave them.
        changes: whether it is one that may change files.
        error: the text of an answer that is an error; empty for another one.
        seconds: how long it took.
        client: name and version, as the client says.
    """

    tool: str
    arguments: dict[str, object]
    changes: bool
    error: str
    seconds: float
    client: str


class Audit(Protocol):
    """Keeps records. Every method may be called from any thread."""

    def check_ready(self) -> None:
        """Refuse a call that could not be recorded. OSError."""

    def add(self, record: Record) -> None:
        """Record a call that is over. OSError."""


@dataclass(frozen=True)
class Workspace:
    """What a server shows.

    Attributes:
        fs: the filesystem.
        allowed: absolute paths in it, without symbolic links: these directories may be used, with all below them.
        aliases: other absolute names of allowed directories, and which are meant: ``/tmp`` for ``/private/tmp``.
        home: the absolute path that ``~`` stands for.
        read_only: tools that change files are refused.
        trust_links: files with several names (hard links) may be read, though some may lie outside.
        limits: how much one call may take.
        audit: keeps a record of every call; None for none.
        snapshots: URL of the directory that keeps snapshots of filesystems that take none of themselves; empty for a
            temporary one.
        locks: of files that a call is changing, by path.
    """

    fs: AbstractFileSystem
    allowed: tuple[str, ...] = ("/",)
    aliases: dict[str, str] = field(default_factory=dict)
    home: str = "/"
    read_only: bool = False
    trust_links: bool = False
    limits: Limits = field(default_factory=Limits)
    audit: Audit | None = None
    snapshots: str = ""
    locks: Locks = field(default_factory=Locks)

    @cached_property
    def view(self) -> AbstractFileSystem:
        """The filesystem as tools use it: no symbolic link is followed, so that the path that was checked is used."""
        return self.fs.posix.nofollow if capabilities_of(self.fs).symlinks else self.fs

    def meant(self, path: str) -> str:
        """A normal absolute path by the real name of the allowed directory that it lies in."""
        for alias, directory in self.aliases.items():
            if is_inside(path, alias):
                return posixpath.normpath(f"{directory}/{path[len(alias) :]}")
        return path

    def allows(self, path: str) -> bool:
        """Whether a normal absolute path without symbolic links lies inside an allowed directory."""
        return any(is_inside(path, directory) for directory in self.allowed)

    @property
    def names(self) -> list[str]:
        """The allowed directories under all their names, in the order in which they were given."""
        return [
            name
            for directory in self.allowed
            for name in (*(alias for alias, meant in self.aliases.items() if meant == directory), directory)
        ]


def outermost(directories: Collection[str]) -> list[str]:
    """Those of some normal absolute paths that lie in no other of them."""
    return [one for one in directories if not any(is_inside(one, other) for other in directories if other != one)]
