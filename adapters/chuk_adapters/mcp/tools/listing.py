"""Tools that list directories."""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

from mcp import types

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.collation import collation_key
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.listing import Entry, entries
from chuk_adapters.mcp.pages import LIMIT, OFFSET, PAGED, Page, room_in
from chuk_adapters.mcp.patterns import Matches, any_of
from chuk_adapters.mcp.tool import TEXT, Arguments, Result, Tool, object_of

_JSON, _JSON_LINES = 80, 5
"""Most characters of an entry of a tree besides its name, and its lines, which are indented by four at each level."""

_UNITS = ("B", "KB", "MB", "GB", "TB")
_EXCLUDED = {"default": [], "type": "array", "items": TEXT}


def list_directory(call: Call, arguments: Arguments) -> Result:
    """The entries of a directory."""
    page = _page(call, arguments)
    for entry in entries(call, call.path(arguments["path"])):
        if not page.add(f"{entry.mark} {entry.name}"):
            break
    return page.result("list_directory", "")


def list_directory_with_sizes(call: Call, arguments: Arguments) -> Result:
    """The entries of a directory, and how large the files are."""
    path = call.path(arguments["path"])
    found = [(entry, _size(call, entry)) for entry in entries(call, path)]
    if arguments["sortBy"] == "size":
        found.sort(key=lambda one: -one[1])
    else:
        found.sort(key=lambda one: collation_key(one[0].name))
    page = _page(call, arguments)
    for entry, size in found:
        if not page.add(_sized(entry, size)):
            break
    directories = sum(entry.is_directory for entry, _ in found)
    total = sum(size for entry, size in found if not entry.is_directory)
    summary = f"Total: {len(found) - directories} files, {directories} directories"
    return page.result("list_directory_with_sizes", "", f"\n{summary}\nCombined size: {_in_units(total)}")


def _page(call: Call, arguments: Arguments) -> Page:
    return Page(arguments["offset"], arguments.get("limit", call.limits.entries), call.limits.characters)


def _sized(entry: Entry, size: int) -> str:
    return f"{entry.mark} {entry.name:<30} {'' if entry.is_directory else _in_units(size).rjust(10)}"


def _size(call: Call, entry: Entry) -> int:
    """The size of a file, or of the one that a link leads to; nothing is known of what is outside."""
    if entry.kind != "link":
        return entry.size
    try:
        info = call.fs.info(call.path(entry.path))
    except (ToolError, OSError):
        call.check()
        return 0
    return int(info["size"] or 0)


def _in_units(size: int) -> str:
    """A number of bytes for people, in units of 1024."""
    if size < 1024:
        return f"{max(size, 0)} B"
    unit = min(int(math.log(size) / math.log(1024)), len(_UNITS) - 1)
    return f"{size / 1024**unit:.2f} {_UNITS[unit]}"


def directory_tree(call: Call, arguments: Arguments) -> Result:
    """All that is below a directory, as JSON; the upper levels first, if there is no room for all."""
    excluded = _excluded(arguments["excludePatterns"])
    most, depth = arguments.get("limit", call.limits.entries), arguments.get("maxDepth", call.limits.depth)
    root: dict[str, Any] = {"children": []}
    room = _Room(most, room_in(call.limits.characters))
    todo = deque([(root, call.path(arguments["path"]), "", 1)])
    while todo:
        directory, path, above, level = todo.popleft()
        if level > depth or room.is_full:
            directory["truncated"] = room.is_full = True
            continue
        for entry in entries(call, path):
            relative = f"{above}{entry.name}"
            if excluded(relative):
                continue
            if not room.takes(entry.name, level):
                directory["truncated"] = True
                break
            told: dict[str, Any] = {"name": entry.name, "type": "file"}
            if entry.is_directory:
                told = {"name": entry.name, "type": "directory", "children": []}
                todo.append((told, entry.path, f"{relative}/", level + 1))
            directory["children"].append(told)
    text = json.dumps(root["children"], indent=2, ensure_ascii=False)
    if not room.is_full:
        return Result(text)
    note = (
        "[More is left out, where a directory says that it is truncated: ask for that directory, or use "
        "excludePatterns, limit and maxDepth]"
    )
    blocks = (types.TextContent(type="text", text=text), types.TextContent(type="text", text=note))
    return Result(text, {"content": text, "truncated": True}, blocks)


@dataclass
class _Room:
    """How much of a tree can still be shown.

    Attributes:
        entries: so many more.
        characters: in so many characters of JSON.
        is_full: whether something was left out.
    """

    entries: int
    characters: int
    is_full: bool = False

    def takes(self, name: str, level: int) -> bool:
        """Take an entry at a level, if there is room for it and for nothing that was left out before."""
        self.entries -= 1
        self.characters -= len(name) + _JSON + 4 * _JSON_LINES * level
        self.is_full = self.is_full or self.entries < 0 or self.characters < 0
        return not self.is_full


def _excluded(patterns: list[str]) -> Matches:
    """What a tree leaves out: a name without a star wherever it stands, with all below it."""
    plain = [f"{before}{one}{after}" for one in patterns if "*" not in one for before, after in _AROUND]
    return any_of([*plain, *(one for one in patterns if "*" in one)])


_AROUND = (("", ""), ("**/", ""), ("**/", "/**"))

TOOLS = (
    Tool(
        name="list_directory",
        title="List Directory",
        description="Get a detailed listing of all files and directories in a specified path. Results clearly "
        "distinguish between files and directories with [FILE] and [DIR] prefixes. This tool is essential "
        "for understanding directory structure and finding specific files within a directory. Only works "
        "within allowed directories.",
        properties={"path": TEXT, "limit": LIMIT, "offset": OFFSET},
        required=("path",),
        run=list_directory,
        output=PAGED,
    ),
    Tool(
        name="list_directory_with_sizes",
        title="List Directory with Sizes",
        description="Get a detailed listing of all files and directories in a specified path, including sizes. "
        "Results clearly distinguish between files and directories with [FILE] and [DIR] prefixes. This "
        "tool is useful for understanding directory structure and finding specific files within a "
        "directory. Only works within allowed directories.",
        properties={
            "path": TEXT,
            "sortBy": {
                "default": "name",
                "description": "Sort entries by name or size",
                "type": "string",
                "enum": ["name", "size"],
            },
            "limit": LIMIT,
            "offset": OFFSET,
        },
        required=("path",),
        run=list_directory_with_sizes,
        output=PAGED,
    ),
    Tool(
        name="directory_tree",
        title="Directory Tree",
        description="Get a recursive tree view of files and directories as a JSON structure. Each entry includes "
        "'name', 'type' (file/directory), and 'children' for directories. Files have no children array, "
        "while directories always have a children array (which may be empty). The output is formatted "
        "with 2-space indentation for readability. Only works within allowed directories.",
        properties={
            "path": TEXT,
            "excludePatterns": _EXCLUDED,
            "limit": LIMIT,
            "maxDepth": {"type": "integer", "minimum": 1, "description": "How many levels to show"},
        },
        required=("path",),
        run=directory_tree,
        output=object_of({"content": TEXT, "truncated": {"type": "boolean"}}, required=("content",), closed=True),
    ),
)
