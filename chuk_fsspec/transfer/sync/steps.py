"""What there is to do, one entry after the other."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from enum import Enum

from chuk_fsspec.contract.attributes import Attributes


class Act(Enum):
    """What is done with an entry. The value is the letter that stands before it in a listing."""

    MAKE = "A"
    """There is nothing of its name."""
    REPLACE = "M"
    """There is something else."""
    ADJUST = "P"
    """There is the same, with other attributes."""
    REMOVE = "D"
    """It must not be there."""
    KEEP = " "
    """It is there as it should be."""


COPYING = frozenset((Act.MAKE, Act.REPLACE))
"""What gives a file content."""


@dataclass(frozen=True)
class Step:
    """What is done with one entry.

    Attributes:
        act: what.
        path: names with ``/`` between them, from the top.
        source: path in the filesystem that is copied from.
        target: path in the one that is copied to.
        found: the entry there is to copy; None for one that is removed.
        there: the entry in its place; None for nothing.
        makes_way: whether it is removed for another one.
    """

    act: Act
    path: str
    source: str
    target: str
    found: Attributes | None = None
    there: Attributes | None = None
    makes_way: bool = False

    @property
    def attributes(self) -> Attributes:
        """Of the entry that it is about."""
        attributes = self.found or self.there
        if attributes is None:
            raise ValueError(f"the step of {self.path} has neither found nor there")
        return attributes

    @property
    def is_file(self) -> bool:
        """Whether it is about a regular file."""
        return stat.S_ISREG(self.attributes.mode)

    @property
    def is_directory(self) -> bool:
        """Whether it is about a directory."""
        return self.attributes.is_directory

    def __str__(self) -> str:
        return f"{self.act.value} {self.path}{'/' if self.is_directory else ''}"
