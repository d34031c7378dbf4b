"""What the command line says: results on standard output, one line for each problem on standard error."""

from __future__ import annotations

import sys

from chuk_fsspec.contract.display import printable

__all__ = ["PROGRAM", "CommandError", "complain", "describe", "printable", "say"]

PROGRAM = "chuk-fsspec"


class CommandError(Exception):
    """What is wrong with the request and what to do about it, in one line."""


def say(line: str) -> None:
    """Write a line of the result, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def complain(problem: str) -> None:
    """Write one line about a problem."""
    sys.stderr.write(f"{PROGRAM}: {' '.join(problem.split())}\n")
    sys.stderr.flush()


def describe(error: BaseException) -> str:
    """An exception in the words of a person: for an ``OSError`` the path and what is the matter, without numbers."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__
