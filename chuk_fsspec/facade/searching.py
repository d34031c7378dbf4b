"""Finding files by name, and lines by what they say."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, NamedTuple

from fsspec import AbstractFileSystem

from chuk_fsspec.contract.errors import not_found
from chuk_fsspec.contract.globbing import compile_pattern
from chuk_fsspec.contract.paths import join, split

LINE_MAX = 64 * 1024
"""Bytes of a line that are looked at and shown; a longer one is cut."""

_LOOKED_AT = 8192
"""A NUL in so many first bytes makes a file a binary one, which has no lines."""


class Match(NamedTuple):
    """A line that was found.

    Attributes:
        path: absolute path of its file.
        line_number: counted from 1.
        line: without its end.
    """

    path: str
    line_number: int
    line: str


def find(fs: AbstractFileSystem, pattern: str, start: str, *, recursive: bool) -> list[str]:
    """Files and directories below a directory, by name.

    Args:
        fs: where.
        pattern: of names, as a shell has it; one with a slash is of paths from ``start``, with ``**`` for any
            directories.
        start: absolute normal path of a directory; of a file, itself is looked at.
        recursive: look into directories.

    Returns:
        Absolute paths, in order.

    Raises:
        OSError: ENOENT.
        ValueError: for ``**`` within a component.
    """
    if not fs.exists(start):
        raise not_found(start)
    matches = _of_paths(pattern, start) if "/" in pattern else _of_names(pattern)
    below = fs.find(start, maxdepth=None if recursive else 1, withdirs=True)
    is_dir = fs.isdir(start)
    return [path for path in below if (path != start or not is_dir) and matches(path)]


def search(
    fs: AbstractFileSystem,
    start: str,
    pattern: str,
    *,
    recursive: bool,
    regex: bool,
    ignore_case: bool,
    limit: int,
) -> list[Match]:
    """Lines that hold a text, in the files below a directory; binary files are left out.

    Args:
        fs: where.
        start: absolute normal path of a directory, or of a file.
        pattern: the text, or a regular expression.
        recursive: look into directories.
        regex: take the pattern as a regular expression of Python's.
        ignore_case: take small and capital letters for the same.
        limit: most lines that are returned; the search ends with the last of them.

    Raises:
        OSError: ENOENT.
        ValueError: for an empty pattern, a wrong expression, and a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    expression = _expression(pattern, regex, ignore_case)
    if not fs.exists(start):
        raise not_found(start)
    infos: dict[str, Any] = fs.find(start, maxdepth=None if recursive else 1, detail=True)
    files = [path for path, info in infos.items() if info["type"] == "file"]
    return list(islice((match for path in files for match in _in_file(fs, path, expression)), limit))


def _expression(pattern: str, regex: bool, ignore_case: bool) -> re.Pattern[str]:
    if not pattern:
        raise ValueError("pattern is empty: every line would match")
    try:
        return re.compile(pattern if regex else re.escape(pattern), re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise ValueError(f"pattern {pattern!r} is no regular expression: {error}") from None


def _in_file(fs: AbstractFileSystem, path: str, expression: re.Pattern[str]) -> Iterator[Match]:
    try:
        file = fs.open(path, "rb")
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR):  # removed since it was listed
            return
        raise
    with file:
        if b"\0" in file.read(_LOOKED_AT):
            return
        file.seek(0)
        for number, line in enumerate(_lines(file), 1):
            text = line.decode("utf-8", "replace")
            if expression.search(text):
                yield Match(path, number, text)


def _lines(file: Any) -> Iterator[bytes]:
    """Lines without their ends, of which no more than LINE_MAX bytes are ever held."""
    while line := file.readline(LINE_MAX):
        rest = line
        while rest and not rest.endswith(b"\n") and len(rest) == LINE_MAX:
            rest = file.readline(LINE_MAX)
        yield line.rstrip(b"\r\n")


def _of_names(pattern: str) -> Callable[[str], bool]:
    return lambda path: fnmatchcase(split(path)[1], pattern)


def _of_paths(pattern: str, start: str) -> Callable[[str], bool]:
    expression = compile_pattern(join(start, pattern))
    return lambda path: expression.match(path) is not None
