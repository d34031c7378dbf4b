"""What tools answer that changed something, or say what they would change."""

from __future__ import annotations

from chuk_adapters.mcp.tool import Result, Schema, object_of

DRY_RUN: Schema = {"type": "boolean", "default": False, "description": "Only say what would be done"}

PARENTS: Schema = {"type": "boolean", "default": False, "description": "Make directories that are missing above it"}

CHANGED: Schema = object_of(
    {"content": {"type": "string"}, "etag": {"type": "string"}}, required=("content",), closed=True
)
"""The schema of what ``changed`` gives."""


def changed(text: str, etag: str | None = None) -> Result:
    """The result of a change.

    Args:
        text: what was done.
        etag: of the file as it is now; None where there is none.
    """
    return Result(text, {"content": text} if etag is None else {"content": text, "etag": etag})
