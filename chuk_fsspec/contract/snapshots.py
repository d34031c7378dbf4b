"""Snapshots that a filesystem takes of itself, on ``fs.snapshots`` where it declares ``snapshots``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.capabilities import capabilities_of

NAME_MAX = 255
"""Bytes of a snapshot's name, which is a file name: no ``/``, no NUL, not ``.`` or ``..``."""


@dataclass(frozen=True)
class Snapshot:
    """A filesystem as it was at one moment.

    Attributes:
        name: the only one of this name.
        description: what a person wrote about it; may be empty.
        created_ns: when it was taken, in nanoseconds since 1970.
    """

    name: str
    description: str
    created_ns: int


class Snapshots(Protocol):
    """Taking, reading and bringing back points in time. Each is complete and unchanging, whoever writes meanwhile."""

    def create(self, name: str, description: str = "") -> Snapshot:
        """Take a snapshot, in a time that does not depend on how many files there are.

        Raises:
            OSError: EEXIST if the name is taken, EINVAL and ENAMETOOLONG for what is no name, EROFS, EBUSY while a
                transaction stays open.
        """

    def taken(self) -> list[Snapshot]:
        """All snapshots, oldest first."""

    def restore(self, name: str) -> None:
        """Make the filesystem what it was: names, contents, modes, owners, links, extended attributes and times.

        What was made later is gone. The snapshots stay, later ones too. Open files go on, as after a removal.

        Raises:
            OSError: ENOENT for an unknown name, EROFS, EBUSY while a transaction stays open, ENOSPC.
        """

    def delete(self, name: str) -> None:
        """Forget a snapshot and free the space that only it needs. ENOENT, EROFS."""

    def at(self, name: str) -> AbstractFileSystem:
        """The filesystem as it was, only to be read; once the snapshot is deleted it answers ESTALE. ENOENT."""


def snapshots_of(fs: AbstractFileSystem) -> Snapshots | None:
    """The snapshots that a filesystem takes of itself; None if it takes none.

    Args:
        fs: any fsspec filesystem.
    """
    return fs.snapshots if capabilities_of(fs).snapshots else None
