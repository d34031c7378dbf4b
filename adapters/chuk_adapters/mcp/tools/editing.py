"""The tool that edits text."""

from __future__ import annotations

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.conditions import IF_MATCH, conditions, etag_of, kept
from chuk_adapters.mcp.contents import file_info
from chuk_adapters.mcp.diffs import fenced, unified
from chuk_adapters.mcp.edits import edited, edits_of, plain
from chuk_adapters.mcp.failures import ToolError, spoken
from chuk_adapters.mcp.outcomes import CHANGED, changed
from chuk_adapters.mcp.tool import TEXT, Arguments, Hints, Result, Tool, object_of
from chuk_adapters.mcp.writes import encoded, update


def edit_file(call: Call, arguments: Arguments) -> Result:
    """Replace pieces of a text, and show what changed."""
    path = call.path(arguments["path"])
    edits = edits_of(arguments["edits"], every=arguments["replaceAll"])
    diff = ""

    def change(old: bytes) -> bytes:
        nonlocal diff
        before = _text(old, path)
        after = edited(before, edits)
        diff = fenced(unified(plain(before), plain(after), path), "diff")
        return encoded(after)

    if_match = arguments.get("ifMatch")
    if arguments["dryRun"]:
        file_info(call, path)
        with spoken("open", path), kept(path):
            conditions(call.fs, path, if_match, dry_run=True)
            etag = etag_of(call.fs, path)
            change(call.fs.cat_file(path))
    else:
        etag = update(call, path, change, if_match)
    return changed(diff, etag)


def _text(data: bytes, path: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ToolError(f"Not UTF-8 text, so it cannot be edited: {path} (byte {error.start})") from None


_EDIT = object_of(
    {
        "oldText": {"type": "string", "description": "Text to search for - must match exactly"},
        "newText": {"type": "string", "description": "Text to replace with"},
    },
    nested=True,
)

TOOLS = (
    Tool(
        name="edit_file",
        title="Edit File",
        description="Make line-based edits to a text file. Each edit replaces exact line sequences with new content. "
        "Returns a git-style diff showing the changes made. Only works within allowed directories.",
        properties={
            "path": TEXT,
            "edits": {"type": "array", "items": _EDIT},
            "dryRun": {
                "default": False,
                "description": "Preview changes using git-style diff format",
                "type": "boolean",
            },
            "replaceAll": {
                "default": False,
                "description": "Replace oldText wherever it stands; otherwise it must stand in one place alone",
                "type": "boolean",
            },
            "ifMatch": IF_MATCH,
        },
        required=("path", "edits"),
        run=edit_file,
        hints=Hints(changes=True, destructive=True, idempotent=False),
        output=CHANGED,
    ),
)
