"""Tools that read a part of a file, or say what state it is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.conditions import etag_in
from chuk_adapters.mcp.contents import CHUNK, as_text, opened
from chuk_adapters.mcp.grep.blocks import blocks_of
from chuk_adapters.mcp.pages import PAGED, room_in
from chuk_adapters.mcp.tool import TEXT, Arguments, Result, Tool, object_of

_LINES = 2_000


def read_lines(call: Call, arguments: Arguments) -> Result:
    """Some lines of a text file."""
    path = call.path(arguments["path"])
    first, column = arguments["offset"], arguments["column"]
    with opened(call, path) as (file, info):
        as_text(file.read(CHUNK), path)
        file.seek(0)
        lines = _lines(call, file, first)
        shown, left, rest = _shown(lines, first, arguments["limit"], column, room_in(call.limits.characters))
    text = "\n".join(shown) if shown else f"[{path} ends before line {first}]"
    facts: dict[str, Any] = {"truncated": True} if rest else {}
    if left:
        facts["next_offset"] = left
    etag = etag_in(info)
    if etag is not None:
        facts["etag"] = etag
    text = f"{text}\n{rest}" if rest else text
    return Result(text, {"content": text, **facts})


def _lines(call: Call, file: Any, first: int) -> Iterator[str]:
    """The lines of a file from a number on."""
    number = 1
    for block in blocks_of(file):
        call.check()
        count = block.count(b"\n") + 1
        if number + count > first:
            for line in block.decode("utf-8", "replace").split("\n")[max(0, first - number) :]:
                yield line.removesuffix("\r")
        number += count


def _shown(lines: Iterator[str], first: int, limit: int, column: int, characters: int) -> tuple[list[str], int, str]:
    """Lines within the limits; the number of the first that is left out, 0 if none is; and how to get the rest."""
    shown: list[str] = []
    for number, line in enumerate(lines, first):
        if len(shown) == limit:
            return shown, number, f"[More is left out: read_lines with offset={number} goes on]"
        part = line[column - 1 :]
        if len(part) > characters:
            if shown:
                return shown, number, f"[More is left out: read_lines with offset={number} goes on]"
            rest = f"[The line goes on: read_lines with offset={number} limit=1 column={column + characters}]"
            return [part[:characters]], number, rest
        characters -= len(part) + 1
        shown.append(part)
    return shown, 0, ""


TOOLS = (
    Tool(
        name="read_lines",
        title="Read Lines",
        description=(
            "Read some lines of a text file, however large it is: limit lines from line offset on (the first line is "
            "1). Says with which offset to go on. Use it for what read_text_file or grep_files left out."
        ),
        properties={
            "path": TEXT,
            "offset": {"type": "integer", "minimum": 1, "default": 1, "description": "Number of the first line"},
            "limit": {"type": "integer", "minimum": 1, "default": _LINES, "description": "How many lines"},
            "column": {
                "type": "integer",
                "minimum": 1,
                "default": 1,
                "description": "First character of each line, for lines that are too long to be shown at once",
            },
        },
        required=("path",),
        run=read_lines,
        output=object_of({**PAGED["properties"], "etag": TEXT}, required=("content",), closed=True),
    ),
)
