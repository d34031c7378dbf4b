"""Tools that read text."""

from __future__ import annotations

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.contents import head, read_text, tail
from chuk_adapters.mcp.failures import ToolError, text_of
from chuk_adapters.mcp.tool import TEXT, Arguments, Result, Tool

_LINES = {
    "path": TEXT,
    "tail": {"description": "If provided, returns only the last N lines of the file", "type": "number"},
    "head": {"description": "If provided, returns only the first N lines of the file", "type": "number"},
}
_PATHS = {
    "minItems": 1,
    "type": "array",
    "items": TEXT,
    "description": "Array of file paths to read. Each path must be a string pointing to a valid file within allowed "
    "directories.",
}


def read_text_file(call: Call, arguments: Arguments) -> Result:
    """The text of a file, or its first or last lines."""
    path = call.path(arguments["path"])
    first, last = arguments.get("head"), arguments.get("tail")
    if first and last:
        raise ToolError("Cannot specify both head and tail parameters simultaneously")
    if last:
        return Result(tail(call, path, last))
    if first:
        return Result(head(call, path, first))
    text = read_text(call, path)
    cut = text.count("\n", 0, call.limits.characters) + 1 if len(text) > call.limits.characters else 0
    return Result(text, rest=f"read_lines with offset={cut} goes on from the line that is cut." if cut else "")


def read_multiple_files(call: Call, arguments: Arguments) -> Result:
    """The texts of several files; one that cannot be read is told in its place."""
    told: list[str] = []
    room = call.limits.characters
    for number, asked in enumerate(arguments["paths"]):
        if room <= 0:
            rest = len(arguments["paths"]) - number
            return Result("\n---\n".join(told), rest=f"Call it again for the last {rest} files.")
        told.append(_one_of_several(call, asked))
        call.progress(number + 1, len(arguments["paths"]), asked)
        room -= len(told[-1])
    return Result("\n---\n".join(told))


def _one_of_several(call: Call, asked: str) -> str:
    try:
        return f"{asked}:\n{read_text(call, call.path(asked))}\n"
    except ToolError as error:
        call.check()
        return f"{asked}: Error - {error}"
    except OSError as error:
        return f"{asked}: Error - {text_of(error)}"


_REST = "Use head or tail for fewer lines, or read_lines for any."

TOOLS = (
    Tool(
        name="read_file",
        title="Read File (Deprecated)",
        description="Read the complete contents of a file as text. DEPRECATED: Use read_text_file instead.",
        properties=_LINES,
        required=("path",),
        run=read_text_file,
        rest=_REST,
    ),
    Tool(
        name="read_text_file",
        title="Read Text File",
        description="Read the complete contents of a file from the file system as text. Handles various text "
        "encodings and provides detailed error messages if the file cannot be read. Use this tool when "
        "you need to examine the contents of a single file. Use the 'head' parameter to read only the "
        "first N lines of a file, or the 'tail' parameter to read only the last N lines of a file. "
        "Operates on the file as text regardless of extension. Only works within allowed directories.",
        properties=_LINES,
        required=("path",),
        run=read_text_file,
        rest=_REST,
    ),
    Tool(
        name="read_multiple_files",
        title="Read Multiple Files",
        description="Read the contents of multiple files simultaneously. This is more efficient than reading files "
        "one by one when you need to analyze or compare multiple files. Each file's content is returned "
        "with its path as a reference. Failed reads for individual files won't stop the entire operation. "
        "Only works within allowed directories.",
        properties={"paths": _PATHS},
        required=("paths",),
        run=read_multiple_files,
        rest="Ask for fewer files at once.",
    ),
)
