"""The tool that finds files by name."""

from __future__ import annotations

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.listing import Entry, below
from chuk_adapters.mcp.pages import LIMIT, OFFSET, PAGED, Page
from chuk_adapters.mcp.patterns import any_of, pattern
from chuk_adapters.mcp.tool import TEXT, Arguments, Result, Tool


def search_files(call: Call, arguments: Arguments) -> Result:
    """The paths below a directory that match a pattern."""
    root = call.path(arguments["path"])
    matches, excluded = pattern(arguments["pattern"]), any_of(arguments["excludePatterns"])

    def relative(entry: Entry) -> str:
        return entry.path[len(root.rstrip("/")) + 1 :]

    kept = below(call, root, lambda entry: not excluded(relative(entry)) and _leads_somewhere(call, entry))
    page = Page(arguments["offset"], arguments.get("limit", call.limits.entries), call.limits.characters)
    for entry in kept:
        if matches(relative(entry)) and not page.add(entry.path):
            break
    return page.result("search_files", "No matches found")


def _leads_somewhere(call: Call, entry: Entry) -> bool:
    """Whether an entry is there for the client: a link is if it leads to something inside."""
    if entry.kind != "link":
        return True
    try:
        return bool(call.fs.exists(call.path(entry.path)))
    except (ToolError, OSError):
        call.check()
        return False


TOOLS = (
    Tool(
        name="search_files",
        title="Search Files",
        description="Recursively search for files and directories matching a pattern. The patterns should be "
        "glob-style patterns that match paths relative to the working directory. Use pattern like '*.ext' to "
        "match files in current directory, and '**/*.ext' to match files in all subdirectories. Returns "
        "full paths to all matching items. Great for finding files when you don't know their exact "
        "location. Only searches within allowed directories.",
        properties={
            "path": TEXT,
            "pattern": TEXT,
            "excludePatterns": {"default": [], "type": "array", "items": TEXT},
            "limit": LIMIT,
            "offset": OFFSET,
        },
        required=("path", "pattern"),
        run=search_files,
        output=PAGED,
    ),
)
