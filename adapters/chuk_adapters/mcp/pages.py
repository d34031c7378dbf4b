"""Results of which no more is shown at once than a model can read."""

from __future__ import annotations

from typing import Any

from chuk_adapters.mcp.tool import Result, Schema, object_of
from chuk_fsspec.contract.display import printable

OFFSET: Schema = {"type": "integer", "minimum": 0, "default": 0, "description": "How many results to skip"}

_MARGIN = 500
"""Characters of a result that are kept for what it says of itself."""

LIMIT: Schema = {"type": "integer", "minimum": 1, "description": "Most results to return"}

PAGED: Schema = object_of(
    {"content": {"type": "string"}, "truncated": {"type": "boolean"}, "next_offset": {"type": "integer"}},
    required=("content",),
    closed=True,
)
"""The schema of what ``Page.result`` gives: the last two are there if something was left out."""


class Page:
    """Items in their order, of which some are skipped, some are shown, and the rest is left out."""

    def __init__(self, offset: int, limit: int, characters: int) -> None:
        """Begin a page.

        Args:
            offset: how many items are skipped, 0 or more.
            limit: how many are shown at most, at least 1.
            characters: of the whole result at most, besides the first item.
        """
        self._offset, self._limit, self._characters = offset, limit, room_in(characters)
        self._seen = 0
        self.is_full = False
        self.items: list[str] = []

    @property
    def skips(self) -> bool:
        """Whether the next item is one of those that are skipped."""
        return self._seen < self._offset

    def add(self, item: str) -> bool:
        """Take an item; False if there is no room for it, and then for none after it."""
        if not self.skips:
            left = self._characters - len(item) - 1
            self.is_full = len(self.items) >= self._limit or (left < 0 and bool(self.items))
            if self.is_full:
                return False
            self._characters = left
            self.items.append(item)
        self._seen += 1
        return True

    def result(self, tool: str, nothing: str, *notes: str) -> Result:
        """The page as the result of a tool, with how to get the rest.

        Args:
            tool: its name.
            nothing: what to say if there is no item.
            notes: lines that follow; empty ones are left out.
        """
        text = "\n".join(self.items)
        facts: dict[str, Any] = {}
        if not self.items:
            text = nothing if not self._seen else f"{nothing} from offset {self._offset} on"
        if self.is_full:
            text += f"\n[More is left out: {tool} with offset={self._seen} goes on]"
            facts = {"truncated": True, "next_offset": self._seen}
        text = "\n".join(filter(None, (text, *notes)))
        return Result(text, {"content": text, **facts})


def room_in(characters: int) -> int:
    """How many characters of a result there are for what was asked for, when so many are allowed in all."""
    return max(1, characters - _MARGIN)


def clipped(line: str, limit: int) -> str:
    """A line that a model can read: its first characters, and how many more there are."""
    shown = line if line.isprintable() else "\t".join(map(printable, line.split("\t")))
    return shown if len(shown) <= limit else f"{shown[:limit]}… [{len(shown) - limit} more characters]"
