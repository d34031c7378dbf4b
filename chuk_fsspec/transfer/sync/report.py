"""What a synchronisation did."""

from __future__ import annotations

from dataclasses import dataclass

from chuk_fsspec.contract.reports import Report, Tally


@dataclass(frozen=True)
class SyncReport(Report):
    """What was copied; a dry run says what would have been.

    Attributes:
        unchanged: files and links that were the same.
        adjusted: entries that only got other attributes.
        removed: entries that the source did not have, each directory counted once with all below it.
    """

    unchanged: int
    adjusted: int
    removed: int


@dataclass
class SyncTally(Tally):
    """A ``SyncReport`` in the making."""

    unchanged: int = 0
    adjusted: int = 0
    removed: int = 0
