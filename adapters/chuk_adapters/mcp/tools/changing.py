"""Tools that append to, copy and remove files."""

from __future__ import annotations

import errno

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.conditions import IF_MATCH, conditions, etag_written, kept
from chuk_adapters.mcp.contents import file_info
from chuk_adapters.mcp.copying import copy_tree, count_of
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.outcomes import CHANGED, DRY_RUN, changed
from chuk_adapters.mcp.tool import TEXT, Arguments, Hints, Result, Tool
from chuk_adapters.mcp.writes import encoded, held, require_no_directory, require_parent, update
from chuk_fsspec.contract.capabilities import capabilities_of
from chuk_fsspec.contract.conditions import ANY
from chuk_fsspec.contract.errors import os_error
from chuk_fsspec.contract.paths import is_inside
from chuk_fsspec.facade.changing import remove


def append_file(call: Call, arguments: Arguments) -> Result:
    """Add text to the end of a file, or begin one."""
    path = call.path(arguments["path"])
    if_match, data = arguments.get("ifMatch"), encoded(arguments["content"])
    fs = call.fs
    require_no_directory(call, path)
    require_parent(call, path)
    if fs.exists(path):
        file_info(call, path)
    if fs.exists(path) and not capabilities_of(fs).append:
        etag = update(call, path, lambda old: old + data, if_match)
    else:
        with held(call, path), kept(path):
            with fs.open(path, "ab", **conditions(fs, path, if_match)) as file:
                file.write(data)
            etag = etag_written(fs, path, getattr(file, "etag", None))
    return changed(f"Successfully appended {len(data)} bytes to {path}", etag)


def copy_file(call: Call, arguments: Arguments) -> Result:
    """Copy a file, or a directory with all that it holds."""
    source, target = call.path(arguments["source"]), call.path(arguments["destination"])
    fs, overwrite = call.fs, arguments["overwrite"]
    info = fs.info(source)
    is_directory = info["type"] == "directory"
    if info["type"] not in ("file", "directory"):
        raise os_error(errno.EINVAL, source, hint="only regular files and directories can be copied")
    if not is_directory:
        file_info(call, source)
    if is_inside(target, source):
        raise os_error(errno.EINVAL, source, target, hint="it cannot be copied to itself or into itself")
    require_parent(call, target)
    with held(call, target):
        if fs.lexists(target) and (is_directory or fs.isdir(target) or not overwrite):
            raise ToolError(f"Destination already exists: {target}")
        if arguments["dryRun"]:
            what = str(count_of(call, source)) if is_directory else f"{info['size']} bytes"
            return changed(f"Would copy {source} to {target}: {what}")
        if is_directory:
            copied = copy_tree(call, source, target)
            return changed(f"Successfully copied {source} to {target}: {copied}")
        with kept(target):
            is_new = not overwrite and capabilities_of(fs).conditional_write
            copied_file = fs.cp_file(source, target, **({"if_none_match": ANY} if is_new else {}))
        etag = etag_written(fs, target, copied_file)
    return changed(f"Successfully copied {source} to {target}", etag)


def delete_file(call: Call, arguments: Arguments) -> Result:
    """Remove a file, a link, an empty directory, or with ``recursive`` one with all that it holds."""
    path = call.path(arguments["path"], follow=False)
    fs, if_match = call.fs, arguments.get("ifMatch")
    if any(is_inside(directory, path) for directory in call.workspace.allowed):
        raise os_error(errno.EBUSY, path, hint="an allowed directory stays; delete what is in it")
    info = fs.info(path)
    is_directory = info["type"] == "directory" and not info.get("islink")
    if is_directory and not arguments["recursive"] and fs.ls(path, detail=False):
        raise os_error(errno.ENOTEMPTY, path, hint="recursive=true deletes it with all that it holds")
    if is_directory and if_match is not None:
        raise os_error(errno.EISDIR, path, hint="a directory has no etag; leave ifMatch out")
    with held(call, path), kept(path):
        asked = conditions(fs, path, if_match, dry_run=arguments["dryRun"])
        if arguments["dryRun"]:
            what = f"{count_of(call, path)}" if is_directory else f"{info['size']} bytes"
            return changed(f"Would delete {path}: {what}")
        if is_directory:
            remove(fs, path, recursive=arguments["recursive"])
        else:
            fs.rm_file(path, **asked)
    return changed(f"Successfully deleted {path}")


TOOLS = (
    Tool(
        name="append_file",
        title="Append to File",
        description=(
            "Add text to the end of a file without reading it; a missing file is made. Nothing is put between what was "
            "there and the text: begin it with a newline if the file does not end with one."
        ),
        properties={"path": TEXT, "content": TEXT, "ifMatch": IF_MATCH},
        required=("path", "content"),
        run=append_file,
        hints=Hints(changes=True, destructive=False, idempotent=False),
        output=CHANGED,
    ),
    Tool(
        name="copy_file",
        title="Copy File",
        description=(
            "Copy a file, or a directory with all that it holds. Fails if the destination exists; overwrite=true "
            "replaces a file, never a directory. A directory is copied as a whole or not at all. dryRun=true only says "
            "what would be copied."
        ),
        properties={
            "source": TEXT,
            "destination": TEXT,
            "overwrite": {"type": "boolean", "default": False},
            "dryRun": DRY_RUN,
        },
        required=("source", "destination"),
        run=copy_file,
        hints=Hints(changes=True, destructive=True, idempotent=False),
        output=CHANGED,
    ),
    Tool(
        name="delete_file",
        title="Delete File",
        description=(
            "Delete a file, a symbolic link (not what it leads to) or an empty directory; with recursive=true a "
            "directory with all that it holds. This cannot be taken back, except to a snapshot. dryRun=true only says "
            "what would be deleted."
        ),
        properties={
            "path": TEXT,
            "recursive": {"type": "boolean", "default": False},
            "ifMatch": IF_MATCH,
            "dryRun": DRY_RUN,
        },
        required=("path",),
        run=delete_file,
        hints=Hints(changes=True, destructive=True, idempotent=False),
        output=CHANGED,
    ),
)
