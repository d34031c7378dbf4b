"""Searching the files below a directory, and showing what was found."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.contents import opened
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.globs import Globs
from chuk_adapters.mcp.grep.finders import ExpressionError, Finder
from chuk_adapters.mcp.grep.lines import Line, lines_of
from chuk_adapters.mcp.listing import below
from chuk_adapters.mcp.pages import Page, clipped


@dataclass
class Search:
    """One search.

    Attributes:
        call: what it is for.
        finder: what finds the lines.
        include: which files below a directory are looked at; all if there are no globs.
        exclude: what is passed by, with all below it.
        context: how many lines around a match are shown.
        files: how many were looked at.
        unreadable: how many could not be read.
    """

    call: Call
    finder: Finder
    include: Globs
    exclude: Globs
    context: int = 0
    files: int = 0
    unreadable: int = 0

    def show_lines(self, start: str, page: Page) -> None:
        """Put the lines that match on a page, as ``path:number:text``; those around them have ``-`` for ``:``."""
        for path, lines in self._found(start):
            last = -1
            for group in _grouped(lines):
                rows = [f"{path}{_sign(one)}{one.number}{_sign(one)}{self._text(one)}" for one in group]
                is_apart = self.context and page.items and group[0].number != last + 1
                if not page.add("\n".join(["--", *rows] if is_apart else rows)):
                    return
                last = group[-1].number

    def show_files(self, start: str, page: Page) -> None:
        """Put the paths of files with a match on a page."""
        for path, lines in self._found(start):
            if next(lines, None) is not None and not page.add(path):
                return

    def show_counts(self, start: str, page: Page) -> None:
        """Put the paths of files with a match on a page, and how many lines match."""
        for path, lines in self._found(start):
            count = sum(line.is_match for line in lines)
            if count and not page.add(f"{path}:{count}"):
                return

    def _found(self, start: str) -> Iterator[tuple[str, Iterator[Line]]]:
        for path in self._paths(start):
            with closing(self._in_file(path)) as lines:
                yield path, lines
            self.files += 1
            self.call.progress(self.files, None, f"{self.files} files searched")

    def _paths(self, start: str) -> Iterator[str]:
        if self.call.fs.info(start)["type"] != "directory":
            yield start
            return
        for entry in below(self.call, start, lambda entry: not self.exclude.match(entry.path)):
            if entry.kind == "file" and (not self.include or self.include.match(entry.path)):
                yield entry.path

    def _in_file(self, path: str) -> Generator[Line, None, None]:
        try:
            with opened(self.call, path) as (file, _):
                yield from lines_of(file, path, self.finder, self.context)
        except ExpressionError:
            raise
        except ToolError:
            self.call.check()
            self.unreadable += 1

    def _text(self, line: Line) -> str:
        return clipped(line.text, self.call.limits.line)


def _sign(line: Line) -> str:
    return ":" if line.is_match else "-"


def _grouped(lines: Iterator[Line]) -> Iterator[list[Line]]:
    """Lines in groups: a match with what stands before and after it, up to the next match."""
    group: list[Line] = []
    for line in lines:
        is_next = line.is_match and any(one.is_match for one in group)
        if group and (is_next or line.number != group[-1].number + 1):
            yield group
            group = []
        group.append(line)
    if group:
        yield group
