"""What exactly is to be made below a target, with nothing left to substitute or to look up in the template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stream:
    """Content that is copied when it is written, from a file that is not read before.

    Attributes:
        open: opens the file to read its bytes.
        size: bytes, as it was listed.
    """

    open: Callable[[], Any]
    size: int


@dataclass(frozen=True)
class PlannedDirectory:
    """A directory; ``path`` is in the normal form and counts from the target."""

    path: str
    mode: int | None
    where: str


@dataclass(frozen=True)
class PlannedFile:
    """A file with all of its content."""

    path: str
    content: bytes | Stream
    mode: int | None
    where: str

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.content.size if isinstance(self.content, Stream) else len(self.content)


@dataclass(frozen=True)
class PlannedLink:
    """A symbolic link whose relative target stays below the target directory."""

    path: str
    target: str
    where: str


@dataclass(frozen=True)
class Plan:
    """What is to be made.

    Attributes:
        directories: each before those in it; what files and links need is among them.
        files: in the order of the template.
        links: in the order of the template.
    """

    directories: tuple[PlannedDirectory, ...] = ()
    files: tuple[PlannedFile, ...] = ()
    links: tuple[PlannedLink, ...] = ()

    @property
    def entries(self) -> tuple[PlannedFile | PlannedLink, ...]:
        """Files, then links."""
        return (*self.files, *self.links)

    @property
    def size(self) -> int:
        """Bytes of all contents."""
        return sum(file.size for file in self.files)
