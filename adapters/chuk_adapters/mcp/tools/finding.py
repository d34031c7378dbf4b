"""Tools that find files by name, and lines by what they say."""

from __future__ import annotations

from collections.abc import Iterable

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.globs import Globs
from chuk_adapters.mcp.grep.finders import Pattern, finder_of
from chuk_adapters.mcp.grep.search import Search
from chuk_adapters.mcp.listing import Entry, below
from chuk_adapters.mcp.pages import LIMIT, OFFSET, PAGED, Page
from chuk_adapters.mcp.tool import TEXT, Arguments, Result, Schema, Tool

_PATTERNS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_EXCLUDE: Schema = {**_PATTERNS, "description": "Globs of files and directories to pass by, such as 'node_modules'"}


def grep_files(call: Call, arguments: Arguments) -> Result:
    """Lines that match, the files they are in, or how many there are in each."""
    start = call.path(arguments["path"])
    mode = arguments["outputMode"]
    pattern = Pattern(arguments["pattern"], arguments["regex"], arguments["ignoreCase"])
    page = Page(arguments["offset"], arguments.get("maxResults", call.limits.matches), call.limits.characters)
    include, exclude = (Globs(start, _listed(arguments.get(name, ()))) for name in ("include", "exclude"))
    with finder_of(pattern, call, call.limits.expression) as finder:
        context = arguments["contextLines"] if mode == "content" else 0
        search = Search(call, finder, include, exclude, context)
        show = {"content": search.show_lines, "files": search.show_files, "count": search.show_counts}
        show[mode](start, page)
    unread = f"[{search.unreadable} files could not be read and were passed by]" if search.unreadable else ""
    return page.result("grep_files", "No matches found", unread)


def glob_files(call: Call, arguments: Arguments) -> Result:
    """Paths that match a pattern, in order or newest first."""
    start = call.path(arguments["path"])
    pattern = arguments["pattern"]
    # A name alone is looked for right here, as a shell does; Globs would look for it at any depth.
    wanted = Globs(start, [pattern if "/" in pattern else f"./{pattern}"])
    exclude = Globs(start, _listed(arguments.get("exclude", ())))
    page = Page(arguments["offset"], arguments.get("maxResults", call.limits.entries), call.limits.characters)
    below_it = below(call, start, lambda entry: not exclude.match(entry.path))
    found: Iterable[Entry] = (entry for entry in below_it if wanted.match(entry.path))
    if arguments["sortBy"] == "modified":
        found = sorted(found, key=lambda entry: -entry.modified)
    for entry in found:
        if not page.add(entry.path):
            break
    return page.result("glob_files", "No matches found")


def _listed(patterns: str | Iterable[str]) -> list[str]:
    return [patterns] if isinstance(patterns, str) else list(patterns)


TOOLS = (
    Tool(
        name="grep_files",
        title="Search in Files",
        description=(
            "Find lines of text in a file, or in all files below a directory. The pattern is plain text unless regex "
            "is true (then a Python regular expression). outputMode 'content' gives path:line:text, 'files' only "
            "paths, 'count' the number of matching lines of each file. Binary files are passed by. Results are "
            "bounded; offset goes on where the last ones ended."
        ),
        properties={
            "path": TEXT,
            "pattern": {"type": "string", "minLength": 1},
            "regex": {"type": "boolean", "default": False, "description": "Take the pattern as a regular expression"},
            "ignoreCase": {"type": "boolean", "default": False},
            "include": {**_PATTERNS, "description": "Globs of the files to look at, such as '*.py' or 'src/**/*.ts'"},
            "exclude": _EXCLUDE,
            "contextLines": {"type": "integer", "minimum": 0, "maximum": 50, "default": 0},
            "outputMode": {"type": "string", "enum": ["content", "files", "count"], "default": "content"},
            "maxResults": LIMIT,
            "offset": OFFSET,
        },
        required=("path", "pattern"),
        run=grep_files,
        output=PAGED,
    ),
    Tool(
        name="glob_files",
        title="Find Files by Name",
        description=(
            "Find files and directories whose path from a directory matches a glob: '*.py' right in it, '**/*.py' at "
            "any depth; ?, [abc] and {a,b} work too. Returns full paths, in order or with the newest first."
        ),
        properties={
            "path": TEXT,
            "pattern": {"type": "string", "minLength": 1},
            "exclude": _EXCLUDE,
            "sortBy": {"type": "string", "enum": ["path", "modified"], "default": "path"},
            "maxResults": LIMIT,
            "offset": OFFSET,
        },
        required=("path", "pattern"),
        run=glob_files,
        output=PAGED,
    ),
)
