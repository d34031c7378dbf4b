"""Tools that write, make and move."""

from __future__ import annotations

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.conditions import IF_MATCH, conditions, etag_of, etag_written, kept
from chuk_adapters.mcp.failures import ToolError, spoken
from chuk_adapters.mcp.outcomes import CHANGED, DRY_RUN, PARENTS, changed
from chuk_adapters.mcp.tool import TEXT, Arguments, Hints, Result, Tool
from chuk_adapters.mcp.writes import (
    encoded,
    held,
    make_parents,
    move_new,
    require_no_directory,
    require_parent,
)


def write_file(call: Call, arguments: Arguments) -> Result:
    """Write a whole file."""
    path = call.path(arguments["path"])
    data = encoded(arguments["content"])
    fs, if_match = call.fs, arguments.get("ifMatch")
    require_no_directory(call, path)
    if not arguments["createParents"]:
        require_parent(call, path)
    with held(call, path), spoken("open", path), kept(path):
        asked = conditions(fs, path, if_match, dry_run=arguments["dryRun"])
        if arguments["dryRun"]:
            was = f"replace {path}: {fs.info(path)['size']} bytes by" if fs.exists(path) else f"create {path} with"
            return changed(f"Would {was} {len(data)} bytes", etag_of(fs, path))
        if arguments["createParents"]:
            make_parents(call, path)
        written = fs.pipe_file(path, data, **asked)
        etag = etag_written(fs, path, written)
    return changed(f"Successfully wrote to {arguments['path']}", etag)


def create_directory(call: Call, arguments: Arguments) -> Result:
    """Make a directory and those above it."""
    path = call.path(arguments["path"])
    with spoken("mkdir", path):
        call.fs.makedirs(path, exist_ok=True)
    return Result(f"Successfully created directory {arguments['path']}")


def move_file(call: Call, arguments: Arguments) -> Result:
    """Move a file, a directory or a link to a name that nothing has."""
    source = call.path(arguments["source"], follow=False)
    target = call.path(arguments["destination"], follow=False)
    with held(call, source, target), spoken("rename", source, target), kept(source):
        asked = conditions(call.fs, source, arguments.get("ifMatch"), dry_run=arguments["dryRun"])
        if arguments["dryRun"]:
            kind = call.fs.info(source)["type"]
            if call.fs.lexists(target):
                raise ToolError(f"Destination already exists: {target}")
            return changed(f"Would move {kind} {source} to {target}", etag_of(call.fs, source))
        if arguments["createParents"]:
            make_parents(call, target)
        try:
            move_new(call, source, target, **asked)
        except FileExistsError:
            raise ToolError(f"Destination already exists: {target}") from None
    return changed(f"Successfully moved {arguments['source']} to {arguments['destination']}")


TOOLS = (
    Tool(
        name="write_file",
        title="Write File",
        description="Create a new file or completely overwrite an existing file with new content. Use with caution as "
        "it will overwrite existing files without warning. Handles text content with proper encoding. "
        "Only works within allowed directories.",
        properties={
            "path": TEXT,
            "content": TEXT,
            "ifMatch": IF_MATCH,
            "createParents": PARENTS,
            "dryRun": DRY_RUN,
        },
        required=("path", "content"),
        run=write_file,
        hints=Hints(changes=True, destructive=True, idempotent=True),
        output=CHANGED,
    ),
    Tool(
        name="create_directory",
        title="Create Directory",
        description="Create a new directory or ensure a directory exists. Can create multiple nested directories in "
        "one operation. If the directory already exists, this operation will succeed silently. Perfect "
        "for setting up directory structures for projects or ensuring required paths exist. Only works "
        "within allowed directories.",
        properties={"path": TEXT},
        required=("path",),
        run=create_directory,
        hints=Hints(changes=True, destructive=False, idempotent=True),
    ),
    Tool(
        name="move_file",
        title="Move File",
        description="Move or rename files and directories. Can move files between directories and rename them in a "
        "single operation. If the destination exists, the operation will fail. Works across different "
        "directories and can be used for simple renaming within the same directory. Both source and "
        "destination must be within allowed directories.",
        properties={
            "source": TEXT,
            "destination": TEXT,
            "ifMatch": IF_MATCH,
            "createParents": PARENTS,
            "dryRun": DRY_RUN,
        },
        required=("source", "destination"),
        run=move_file,
        hints=Hints(changes=True, destructive=True, idempotent=False),
        output=CHANGED,
    ),
)
