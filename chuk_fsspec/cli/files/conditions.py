"""What ``find`` asks of files: each condition is a function from an entry to yes or no."""

from __future__ import annotations

import argparse
import re
import stat
import time
from collections.abc import Callable
from fnmatch import fnmatchcase

from chuk_fsspec.trees.walking import Found

Condition = Callable[[Found], bool]

_TYPES = {"f": stat.S_IFREG, "d": stat.S_IFDIR, "l": stat.S_IFLNK, "p": stat.S_IFIFO, "s": stat.S_IFSOCK}
_TYPES |= {"c": stat.S_IFCHR, "b": stat.S_IFBLK}
_NUMBER = re.compile(r"([+-]?)([0-9]+)([bcwkMG]?)")
_UNITS = {"": 512, "b": 512, "c": 1, "w": 2, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_DAY_NS = 86400 * 10**9
_MINUTE_NS = 60 * 10**9


def named(pattern: str, *, ignore_case: bool = False) -> Condition:
    """Whose name fits a pattern of the shell's."""
    if ignore_case:
        return lambda found: fnmatchcase(found.name.lower(), pattern.lower())
    return lambda found: fnmatchcase(found.name, pattern)


def of_types(text: str) -> Condition:
    """Which is of one of the types, letters with commas between them. ArgumentTypeError."""
    letters = text.split(",")
    if not all(letter in _TYPES for letter in letters):
        raise argparse.ArgumentTypeError(f"{text!r} is not of {', '.join(_TYPES)}")
    kinds = {_TYPES[letter] for letter in letters}
    return lambda found: stat.S_IFMT(found.attributes.mode) in kinds


def of_size(text: str) -> Condition:
    """Which has so many units, rounded up: N, +N for more or -N for less; of 512 bytes, or c, k, M, G.

    POSIX: XCU find, ``-size``; the other units are GNU's. ArgumentTypeError.
    """
    sign, number, unit = _signed(text)
    return lambda found: _compares(-(-found.attributes.size // _UNITS[unit]), sign, number)


def of_age(text: str, *, minutes: bool = False) -> Condition:
    """Which was changed so many whole days (or minutes) ago: N, +N for more or -N for less.

    POSIX: XCU find, ``-mtime``. A file whose time nobody knows does not fit. ArgumentTypeError.
    """
    sign, number, unit = _signed(text)
    if unit:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 7, +7 or -7")
    now, length = time.time_ns(), _MINUTE_NS if minutes else _DAY_NS

    def fits(found: Found) -> bool:
        changed = found.attributes.mtime_ns
        return changed is not None and _compares((now - changed) // length, sign, number)

    return fits


def newer_than(mtime_ns: int) -> Condition:
    """Which was changed later, in nanoseconds since 1970."""
    return lambda found: found.attributes.mtime_ns is not None and found.attributes.mtime_ns > mtime_ns


def _signed(text: str) -> tuple[str, int, str]:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number such as 10, +10, -10 or +10k")
    return match[1], int(match[2]), match[3]


def _compares(value: int, sign: str, number: int) -> bool:
    return value > number if sign == "+" else value < number if sign == "-" else value == number
