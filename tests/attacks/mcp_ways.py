"""Every way to look at a path, and every way to change something, through the tools and resources of an MCP server.

Each takes a client and a path, and returns what came back. What is an error for the client is raised.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from chuk_adapters.mcp.uris import uri_of
from tests.attacks.api_ways import NEW, SOURCE, TAKEN
from tests.attacks.canaries import CONTENT
from tests.mcp.mcp_clients import Talker, text_of

Way = Callable[[Talker, str], Any]

_TEXT = NEW.decode()


class RefusedError(Exception):
    """What a tool says of a call that failed."""


def used(talker: Talker, tool: str, **arguments: Any) -> Any:
    """All that a client sees of the answer of a tool."""
    result = talker.result(tool, **arguments)
    if result.is_error:
        raise RefusedError(text_of(result))
    blocks = [block.model_dump(mode="json") for block in result.content]
    return blocks, result.structured_content, [_decoded(block) for block in blocks]


def _decoded(block: dict[str, Any]) -> bytes:
    """The content of a file that is sent as it is."""
    holder = block.get("resource", block)
    return base64.b64decode(holder.get("blob") or holder.get("data") or "")


def _on(tool: str, **arguments: Any) -> Way:
    return lambda talker, path: used(talker, tool, path=path, **arguments)


def _resource(talker: Talker, path: str) -> Any:
    contents = talker.portal.call(talker.client.read_resource, uri_of(f"/{path.lstrip('/')}")).contents
    blocks = [one.model_dump(mode="json") for one in contents]
    return blocks, [_decoded(block) for block in blocks]


def _taken(talker: Talker) -> Any:
    tree = used(talker, "directory_tree", path="/w")
    return tree, used(talker, "grep_files", path=TAKEN, pattern=".", regex=True)


def _copied(talker: Talker, path: str) -> Any:
    return used(talker, "copy_file", source=path, destination=TAKEN), _taken(talker)


def _moved(talker: Talker, path: str) -> Any:
    return used(talker, "move_file", source=path, destination=TAKEN), _taken(talker)


_EDITS = [{"oldText": CONTENT[-100:].decode(), "newText": _TEXT}]
"""The end of every canary; it tells nothing."""

READS: dict[str, Way] = {
    "read_text_file": _on("read_text_file"),
    "read_text_file head": _on("read_text_file", head=5),
    "read_text_file tail": _on("read_text_file", tail=5),
    "read_media_file": _on("read_media_file"),
    "read_multiple_files": lambda talker, path: used(talker, "read_multiple_files", paths=[path, f"{path}/file"]),
    "read_lines": _on("read_lines"),
    "resource": _resource,
    "list_directory": _on("list_directory"),
    "list_directory_with_sizes": _on("list_directory_with_sizes"),
    "directory_tree": _on("directory_tree"),
    "get_file_info": _on("get_file_info"),
    "search_files": _on("search_files", pattern="**"),
    "search_files above": _on("search_files", pattern="../**"),
    "grep_files": _on("grep_files", pattern=".", regex=True),
    "grep_files count": _on("grep_files", pattern="c", outputMode="count"),
    "glob_files": _on("glob_files", pattern="**"),
    "glob_files above": _on("glob_files", pattern="../*"),
    "edit_file dry": _on("edit_file", edits=_EDITS, replaceAll=True, dryRun=True),
    "delete_file dry": _on("delete_file", recursive=True, dryRun=True),
    "copy_file dry": lambda talker, path: used(talker, "copy_file", source=path, destination=TAKEN, dryRun=True),
    "copy_file out": _copied,
}

WRITES: dict[str, Way] = {
    "write_file": _on("write_file", content=_TEXT),
    "write_file parents": lambda talker, path: used(
        talker, "write_file", path=f"{path}/attacker/file", content=_TEXT, createParents=True
    ),
    "edit_file": _on("edit_file", edits=_EDITS, replaceAll=True),
    "append_file": _on("append_file", content=_TEXT),
    "create_directory": _on("create_directory"),
    "create_directory inside": lambda talker, path: used(talker, "create_directory", path=f"{path}/attacker"),
    "copy_file in": lambda talker, path: used(talker, "copy_file", source=SOURCE, destination=path, overwrite=True),
    "copy_file tree": lambda talker, path: used(talker, "copy_file", source="/w/dir", destination=f"{path}/attacker"),
    "move_file in": lambda talker, path: used(talker, "move_file", source=SOURCE, destination=path),
    "move_file inside": lambda talker, path: used(talker, "move_file", source=SOURCE, destination=f"{path}/attacker"),
    "move_file out": _moved,
    "delete_file": _on("delete_file"),
    "delete_file all": _on("delete_file", recursive=True),
}

CORE = frozenset(
    (
        *("read_text_file", "read_media_file", "resource", "list_directory", "directory_tree", "grep_files"),
        *("get_file_info", "copy_file out", "write_file", "append_file", "create_directory inside", "copy_file in"),
        *("move_file inside", "move_file out", "delete_file all"),
    )
)
"""As ``api_ways.CORE``."""
