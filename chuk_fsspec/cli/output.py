"""What the command line says: results on standard output, one line for each problem on standard error.

With ``--json`` both are JSON Lines: one object on each line, ASCII only.
"""

from __future__ import annotations

import errno
import json
import os
import re
import select
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from chuk_fsspec.contract.display import printable

__all__ = [
    "PROGRAM",
    "CommandError",
    "OutputError",
    "complain",
    "complain_of",
    "describe",
    "is_json",
    "printable",
    "problem_of",
    "reader_is_gone",
    "say",
    "say_json",
    "speaking_json",
]

PROGRAM = "chuk-fsspec"

_ARGUMENT = re.compile(r"(?<![\w-])([a-z][a-z_]*)=(True|False|…|(?=[\s,;:.)]|$))")
"""An argument of the library in its messages: ``database=``, ``anon=True``."""

_ERRNOS = {FileNotFoundError: errno.ENOENT, PermissionError: errno.EACCES, FileExistsError: errno.EEXIST}
"""What is meant by errors of filesystems that only name the path."""

_JSON = ContextVar("json", default=False)


class CommandError(Exception):
    """What is wrong with the request and what to do about it, in one line."""


class OutputError(OSError):
    """Standard output takes nothing: it is closed, or its disk is full."""


@contextmanager
def speaking_json(arguments: Sequence[str]) -> Iterator[None]:
    """Speak JSON in this block, if a command line asks for it.

    Args:
        arguments: of the command line; what stands after ``--`` is for somebody else.
    """
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    token = _JSON.set("--json" in own)
    try:
        yield
    finally:
        _JSON.reset(token)


def is_json() -> bool:
    """Whether results and problems are JSON."""
    return _JSON.get()


def say(line: str) -> None:
    """Write a line of the result, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say_json(value: Mapping[str, Any]) -> None:
    """Write one object of the result, for programs."""
    say(json.dumps(value))


def complain(problem: str, **more: Any) -> None:
    """Write one line about a problem.

    Args:
        problem: what is the matter.
        more: what programs want to know besides; people are told nothing of it.
    """
    text = " ".join(problem.split())
    sys.stderr.write(f"{json.dumps({'error': text, **more})}\n" if is_json() else f"{PROGRAM}: {text}\n")
    sys.stderr.flush()


def problem_of(line: str) -> str:
    """The problem that a line on standard error is about; nothing if it is none of ours."""
    if line.startswith('{"error": '):
        return str(json.loads(line)["error"])
    plain = f"{PROGRAM}: "
    return line.removeprefix(plain) if line.startswith(plain) else ""


def complain_of(error: BaseException, problem: str = "") -> None:
    """Write one line about an exception: with ``--json``, also the name of its errno, and the path.

    Args:
        error: what was raised.
        problem: other words for it.
    """
    more: dict[str, Any] = {}
    if isinstance(error, OSError):
        if error.errno:
            more["errno"] = errno.errorcode.get(error.errno, str(error.errno))
        if error.filename:
            more["path"] = str(error.filename)
    complain(problem or describe(error), **more)


def describe(error: BaseException) -> str:
    """An exception in the words of a person: for an ``OSError`` the path and what is the matter, without numbers."""
    if isinstance(error, OSError) and error.strerror:
        problem = _for_a_shell(error.strerror)
        return f"{printable(str(error.filename))}: {problem}" if error.filename else problem
    if isinstance(error, CommandError):
        return str(error)
    text = str(error) or type(error).__name__
    code = next((code for kind, code in _ERRNOS.items() if isinstance(error, kind)), 0)
    return f"{printable(text)}: {os.strerror(code)}" if code and " " not in text else _for_a_shell(text)


def _for_a_shell(text: str) -> str:
    """A message of the library, in which what is an argument in a program is an option."""
    return _ARGUMENT.sub(lambda found: f"--option {found[1]}={(found[2] or '…').lower()}", text)


def reader_is_gone() -> bool:
    """Whether whoever read standard output has seen enough, and closed the pipe."""
    try:
        poll = select.poll()
        poll.register(sys.stdout.fileno(), select.POLLERR)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll on this system; no descriptor, or a closed one
        return False
