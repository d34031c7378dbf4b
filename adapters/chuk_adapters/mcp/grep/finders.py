"""Which lines of a block of text hold what is looked for."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol

from chuk_adapters.mcp.call import Call
from chuk_adapters.mcp.failures import ToolError
from chuk_adapters.mcp.grep import worker

PATTERN_MAX = 4096
"""Characters of a pattern."""
_START = 10.0
"""Seconds that the process of an expression has to begin, and to read the expression."""


@dataclass(frozen=True)
class Pattern:
    """What is looked for in each line.

    Attributes:
        text: as it stands, or a regular expression of Python's.
        regex: which of the two.
        ignore_case: take small and capital letters for the same.
    """

    text: str
    regex: bool = False
    ignore_case: bool = False

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("pattern is empty: every line would match")
        if len(self.text) > PATTERN_MAX:
            raise ValueError(f"pattern has {len(self.text)} characters, and may have {PATTERN_MAX}")
        if "\n" in self.text:
            raise ValueError("pattern holds a line end: lines are looked at one by one, so it would match nothing")


class ExpressionError(ToolError):
    """A regular expression that takes too long."""


class Finder(Protocol):
    """Looks at blocks of text."""

    def find(self, block: bytes, path: str) -> list[int]:
        """The numbers of the lines that match, from 0; ``path`` is where the block comes from, for messages."""


@contextmanager
def finder_of(pattern: Pattern, call: Call, seconds: float) -> Iterator[Finder]:
    """What finds a pattern, for a block of code.

    Args:
        pattern: what to look for.
        call: ends it when it is cancelled.
        seconds: how long a regular expression may take for one block of text.

    Raises:
        ValueError: for what is no regular expression.
        ExpressionError: in the block, for one that takes too long.
    """
    if not pattern.regex:
        yield _Literal(pattern)
        return
    command = [sys.executable, "-I", "-S", worker.__file__]
    # What it says when it is killed, or has no memory left, is for nobody.
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **streams) as process:  # type: ignore[call-overload]
        try:
            yield _Expression(pattern, call, seconds, process)
        finally:
            process.kill()


class _Literal:
    def __init__(self, pattern: Pattern) -> None:
        self._ignores_case = pattern.ignore_case
        self._text = pattern.text.casefold() if pattern.ignore_case else pattern.text
        self._bytes = self._text.encode("utf-8", "replace")

    def find(self, block: bytes, path: str) -> list[int]:
        if not self._ignores_case:
            if self._bytes not in block:
                return []
            return [number for number, line in enumerate(block.split(b"\n")) if self._bytes in line]
        text = block.decode("utf-8", "replace").casefold()
        return (
            [number for number, line in enumerate(text.split("\n")) if self._text in line] if self._text in text else []
        )


class _Expression:
    """A regular expression, run by ``worker``."""

    def __init__(self, pattern: Pattern, call: Call, seconds: float, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._input: IO[bytes] = process.stdin
        self._output: IO[bytes] = process.stdout
        self._process = process
        self._call = call
        self._seconds = seconds
        question = {"pattern": pattern.text, "ignore_case": pattern.ignore_case}
        wrong = self._ask(json.dumps(question).encode() + b"\n", _START)
        if wrong:
            raise ValueError(
                f"pattern {pattern.text!r} is no regular expression: {wrong}; leave regex out for the text"
            )

    def find(self, block: bytes, path: str) -> list[int]:
        numbers: list[int] = self._ask(struct.pack("!I", len(block)) + block, self._seconds, path)
        return numbers

    def _ask(self, question: bytes, seconds: float, path: str = "") -> Any:
        with self._call.stopped_by(self._process.kill, seconds):
            try:
                self._input.write(question)
                self._input.flush()
                answer = self._output.readline()
            except BrokenPipeError:
                answer = b""
        if answer:
            return json.loads(answer)
        self._call.check()
        raise ExpressionError(
            f"ETIMEDOUT: the expression needs more than {seconds:g} seconds or too much memory"
            f"{path and f', search {path!r}'} (make it simpler, or leave regex out to search for the text itself)"
        )
