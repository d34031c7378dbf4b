"""How one directory is made like another."""

from __future__ import annotations

from dataclasses import dataclass

from chuk_fsspec.trees.walking import matches_any


@dataclass(frozen=True)
class SyncOptions:
    """What is compared, and what is done.

    Attributes:
        delete: remove what the source does not have.
        checksum: compare the contents of files of one size, instead of their times.
        owners: compare owners too; they are kept in any case where that is allowed.
        exclude: patterns of what is neither copied nor removed: of a name, or, with a ``/`` in it, of a path from the
            top.
        dry_run: change nothing.
        workers: files that are copied at the same time; 0 for 16 between asynchronous filesystems and 1 elsewhere.
    """

    delete: bool = False
    checksum: bool = False
    owners: bool = False
    exclude: tuple[str, ...] = ()
    dry_run: bool = False
    workers: int = 0

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise ValueError(f"workers must be 0 or more, not {self.workers}")

    def leaves_out(self, path: str) -> bool:
        """Whether a pattern excludes a path from the top."""
        return matches_any(path, self.exclude)
