"""Edits of a text: one piece of it replaced by another, line breaks kept as they are in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from chuk_adapters.mcp.failures import ToolError

_BREAK = re.compile(r"\r?\n")
_BLANK = " \t\n\r\f\v\ufeff\u00a0\u2028\u2029"


@dataclass(frozen=True)
class Edit:
    """One replacement.

    Attributes:
        old: the piece; where it is not found as it is, lines that differ in the space around them alone are taken.
        new: what takes its place.
        every: replace it wherever it stands; otherwise it must stand in one place alone.
    """

    old: str
    new: str
    every: bool = False


def edits_of(values: Iterable[Mapping[str, str]], *, every: bool = False) -> list[Edit]:
    """The edits of a tool's arguments. ToolError for one that says nothing to replace."""
    edits = [Edit(value["oldText"], value["newText"], every) for value in values]
    if any(not edit.old for edit in edits):
        raise ToolError("oldText must not be empty: name the text that newText takes the place of")
    return edits


def plain(text: str) -> str:
    """A text with line feeds alone between its lines."""
    return text.replace("\r\n", "\n")


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Carry out edits one after another.

    Args:
        text: of the file, its line breaks as they are there.
        edits: their line breaks match those of the file, whatever they are.

    Returns:
        The text afterwards. Lines that no edit touches keep their line breaks, and new ones get those that most of the
        file's lines have.

    Raises:
        ToolError: for an edit that fits nowhere, or in more places than one.
    """
    breaks = _BREAK.findall(text)
    line_break = "\r\n" if 2 * breaks.count("\r\n") > len(breaks) else "\n"
    for edit in edits:
        pieces, end = [], 0
        for span in _spans(plain(text), edit):
            start, stop = _in_file(text, span.start), _in_file(text, span.stop)
            pieces += [text[end:start], span.new.replace("\n", line_break)]
            end = stop
        text = "".join([*pieces, text[end:]])
    return text


@dataclass(frozen=True)
class _Span:
    """A piece of a text with line feeds, by its offsets, and what takes its place."""

    start: int
    stop: int
    new: str


def _spans(text: str, edit: Edit) -> list[_Span]:
    """Where an edit fits, from left to right."""
    old, new = plain(edit.old), plain(edit.new)
    found = [_Span(match.start(), match.end(), new) for match in re.finditer(re.escape(old), text)]
    found = found or _by_lines(text, old, new)
    if not found:
        raise ToolError(f"Could not find exact match for edit:\n{edit.old}")
    if len(found) > 1 and not edit.every:
        raise ToolError(
            f"Found {len(found)} matches for edit, so it is not clear which is meant; add lines around it to oldText, "
            f"or set replaceAll:\n{edit.old}"
        )
    return found


def _by_lines(text: str, old: str, new: str) -> list[_Span]:
    """Where the lines are those of the edit but for the space around them."""
    lines, wanted = text.split("\n"), old.split("\n")
    stripped, sought = [line.strip(_BLANK) for line in lines], [line.strip(_BLANK) for line in wanted]
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    spans = []
    first = 0
    while first + len(sought) <= len(lines):
        after = first + len(sought)
        if stripped[first:after] == sought:
            spans.append(_Span(starts[first], starts[after] - 1, _indented(_indent(lines[first]), wanted, new)))
            first = after
        else:
            first += 1
    return spans


def _indented(indent: str, old: list[str], new: str) -> str:
    """The new lines, indented as the file is and one to another as the edit says."""
    first, *others = new.split("\n")
    told = [indent + first.lstrip(_BLANK)]
    for number, line in enumerate(others, start=1):
        before = _indent(old[number]) if number < len(old) else ""
        own = _indent(line)
        deeper = " " * max(0, len(own) - len(before))
        told.append(indent + deeper + line.lstrip(_BLANK) if before and own else line)
    return "\n".join(told)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(_BLANK))]


def _in_file(text: str, offset: int) -> int:
    """An offset in ``plain(text)`` as one in the text."""
    place = 0
    for match in re.finditer("\r\n", text):
        if match.start() - place >= offset:
            break
        place += 1
    return offset + place
