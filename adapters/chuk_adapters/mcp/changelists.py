"""Lists of what differs, for tools that show, commit or take back changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.pages import OFFSET, PAGED, Page, room_in
from chuk_adapters.mcp.tool import Arguments, Result, Schema, object_of
from chuk_fsspec.contract.changes import Changes

ARGUMENTS: dict[str, Schema] = {
    "path": {"type": "string", "description": "Only this file, or what is below this directory"},
    "text": {"type": "boolean", "default": False, "description": "Also compare contents line by line (unified diff)"},
    "offset": OFFSET,
}

LISTED: Schema = object_of(
    {**PAGED["properties"], "summary": {"type": "string"}}, required=("content", "summary"), closed=True
)


def listed(
    call: Call,
    tool: str,
    changes: Changes,
    arguments: Arguments,
    text_of: Callable[[str], str] = lambda path: "",
    notes: tuple[str, ...] = (),
) -> Result:
    """Changes as the result of a tool: A added, D removed, M modified, R renamed, P other properties.

    Args:
        call: for whom.
        tool: its name.
        changes: all of them.
        arguments: ``path``, ``text`` and ``offset``, each of them optional.
        text_of: how the content of one changed file differs, by its path.
        notes: lines that follow.
    """
    if "path" in arguments:
        changes = changes.below([call.path(arguments["path"], follow=False)])
    page = Page(arguments.get("offset", 0), call.limits.entries, call.limits.characters)
    for change in changes:
        item = str(change)
        if arguments.get("text") and change.has_content and change.facts.type == "file" and not page.skips:
            call.check()
            item = _cut(f"{item}\n{text_of(change.path)}".rstrip("\n"), change.path, call.limits.characters // 4)
        if not page.add(item):
            break
    shown = page.result(tool, "Nothing changed", changes.summary() if changes else "", *notes)
    facts: dict[str, Any] = {**(shown.structured or {}), "summary": changes.summary()}
    return Result(shown.text, facts)


def _cut(text: str, path: str, most: int) -> str:
    most = room_in(most)
    return text if len(text) <= most else f"{text[:most]}\n[{len(text) - most} more characters of {path} are left out]"
