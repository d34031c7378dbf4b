"""Programs that tests start, talk to and end."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_WAIT = 30
"""Seconds that a program has to end when it is told to."""


def python(code: str, *arguments: object) -> list[str]:
    """The command of another Python, which runs a piece of code with arguments."""
    return [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program, and the line that it says once it can be used; it is terminated with the block.

    Args:
        command: and its arguments.
        options: further ones of ``subprocess.Popen``.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline().rstrip("\n")
            assert line, f"it said nothing: {command}"
            yield process, line
            process.terminate()
            process.wait(_WAIT)
        finally:
            process.kill()
