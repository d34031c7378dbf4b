"""How ``grep`` writes what it has found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from chuk_fsspec.cli.files.grep_lines import Line, Search, search
from chuk_fsspec.cli.files.reading import Blocks
from chuk_fsspec.cli.files.styling import MATCH, colored, shown
from chuk_fsspec.cli.output import say, say_json


class Shown(Enum):
    """What of a file is written."""

    LINES = auto()
    NAMES = auto()
    COUNTS = auto()
    NOTHING = auto()


@dataclass
class Writer:
    """Writes the lines of one file after the other.

    Attributes:
        what: what of a file is written.
        names: whether lines begin with the name of the file.
        numbers: whether they have their numbers.
        contexts: whether lines around them are wanted, so that groups are told apart.
        color: whether what fits is in a colour.
        as_json: whether programs read it.
    """

    what: Shown
    names: bool
    numbers: bool
    contexts: bool
    color: bool
    as_json: bool
    _wrote: bool = False

    def write(self, text: str, blocks: Blocks, asked: Search) -> int:
        """Search a file.

        Args:
            text: how it is called.
            blocks: its content.
            asked: what is looked for.

        Returns:
            How many of its lines were found.
        """
        lines = search(blocks, asked)
        if self.what is Shown.LINES:
            return self._write_lines(text, lines, asked)
        count = sum(line.fits for line in lines)
        if self.what is Shown.COUNTS and self.as_json:
            say_json({"path": text, "count": count})
        elif self.what is Shown.COUNTS:
            say(f"{shown(text)}:{count}" if self.names else str(count))
        elif self.what is Shown.NAMES and count and self.as_json:
            say_json({"path": text})
        elif self.what is Shown.NAMES and count:
            say(shown(text))
        return count

    def _write_lines(self, text: str, lines: Iterator[Line], asked: Search) -> int:
        count, last = 0, -1
        for line in lines:
            count += line.fits
            if line.binary:
                self._write_binary(text)
            elif self.as_json:
                say_json({"path": text, "line": line.number, "text": line.text, "match": line.fits})
            else:
                if self.contexts and self._wrote and line.number != last + 1:
                    sys.stdout.write("--\n")
                self._write_line(text, line, asked)
            self._wrote, last = True, line.number
        sys.stdout.flush()
        return count

    def _write_binary(self, text: str) -> None:
        if self.as_json:
            say_json({"path": text, "binary": True, "match": True})
        else:
            say(f"{shown(text)}: binary file matches")

    def _write_line(self, text: str, line: Line, asked: Search) -> None:
        mark = ":" if line.fits else "-"
        start = f"{shown(text)}{mark}" if self.names else ""
        number = f"{line.number}{mark}" if self.numbers else ""
        content = shown(line.text)
        if self.color and line.fits:
            content = asked.expression.sub(lambda match: colored(match[0], MATCH) if match[0] else "", content)
        sys.stdout.write(f"{start}{number}{content}\n")
