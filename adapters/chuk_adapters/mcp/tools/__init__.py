"""The tools, one module for each kind."""

from __future__ import annotations

from chuk_adapters.mcp.tool import Tool
from chuk_adapters.mcp.tools import (
    changing,
    describing,
    editing,
    finding,
    lines,
    listing,
    media,
    mounting,
    reading,
    searching,
    snapshots,
    stages,
    writing,
)

_REFERENCE_ORDER = (
    *("read_file", "read_text_file", "read_media_file", "read_multiple_files", "write_file", "edit_file"),
    *("create_directory", "list_directory", "list_directory_with_sizes", "directory_tree", "move_file"),
    *("search_files", "get_file_info", "list_allowed_directories"),
)
_BY_NAME = {
    tool.name: tool
    for module in (reading, media, writing, editing, listing, searching, describing)
    for tool in module.TOOLS
}

REFERENCE: tuple[Tool, ...] = tuple(_BY_NAME[name] for name in _REFERENCE_ORDER)
"""The tools of the reference filesystem server, in its order."""

MORE: tuple[Tool, ...] = tuple(
    tool for module in (finding, lines, changing, snapshots, stages, mounting) for tool in module.TOOLS
)
"""Tools that the reference server does not have, in the same style."""

TOOLS: tuple[Tool, ...] = (*REFERENCE, *MORE)
"""All tools, in the order in which they are listed."""
