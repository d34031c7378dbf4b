"""How much may be stored: in a filesystem with quotas (``chuksecure``), and out of an archive."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

REASONS = {
    "max_file_size": "the file would be larger than allowed",
    "max_total_size": "the quota of bytes is used up",
    "max_files": "the quota of files and directories is used up",
    "max_path_depth": "the path has too many names",
}
"""Each limit in words, for whoever meets it."""


@dataclass(frozen=True)
class Limits:
    """How much may be stored; 0 is without limit. Sizes are in bytes of content, holes included.

    Attributes:
        max_file_size: of one file.
        max_total_size: of all files together.
        max_files: files, directories and links together.
        max_path_depth: names in a path.

    Raises:
        ValueError: for what is no number from 0 up, naming it.
    """

    max_file_size: int = 0
    max_total_size: int = 0
    max_files: int = 0
    max_path_depth: int = 0

    def __post_init__(self) -> None:
        for one in fields(self):
            require_number(getattr(self, one.name), one.name)

    @property
    def counts(self) -> bool:
        """Whether anything has to be counted."""
        return bool(self.max_total_size or self.max_files)

    @property
    def is_quota(self) -> bool:
        """Whether there is any limit of content."""
        return bool(self.max_file_size or self.counts)

    def exceeded(self, *, file_size: int = 0, total_size: int = 0, files: int = 0, path_depth: int = 0) -> str:
        """The name of a limit that these would exceed, the narrowest first; empty for none.

        Args:
            file_size: bytes of one file.
            total_size: bytes of all files together.
            files: files, directories and links together.
            path_depth: names in a path.
        """
        if 0 < self.max_path_depth < path_depth:
            return "max_path_depth"
        if 0 < self.max_file_size < file_size:
            return "max_file_size"
        if 0 < self.max_total_size < total_size:
            return "max_total_size"
        if 0 < self.max_files < files:
            return "max_files"
        return ""


def require_number(value: Any, name: str, least: int = 0) -> None:
    """ValueError for what is no whole number from ``least`` up."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name} is a number from {least} up, not {value!r}")
