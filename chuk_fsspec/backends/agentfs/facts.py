"""What an AgentFS database holds besides files."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Facts:
    """About one AgentFS database.

    Attributes:
        version: of the AgentFS specification, such as "0.4".
        chunk_size: bytes in a chunk of content; 0 in version 0.0, whose chunks have any size.
        kv_entries: entries of the key-value store.
        tool_calls: recorded tool calls.
        is_overlay: whether it holds what was changed over a base directory, and not the files of that.
        base: that directory, as AgentFS noted it; empty if it did not.
        whiteouts: paths of the base that were deleted.
    """

    version: str
    chunk_size: int
    kv_entries: int
    tool_calls: int
    is_overlay: bool
    base: str
    whiteouts: int


@dataclass(frozen=True)
class LeftOut:
    """An entry that is not shown because it is damaged.

    Attributes:
        path: where it would be.
        reason: what is wrong with it.
    """

    path: str
    reason: str
