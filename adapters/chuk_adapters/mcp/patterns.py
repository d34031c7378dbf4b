"""Patterns of paths as the reference server takes them (minimatch, ``dot``), matched in steps they cannot multiply."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from chuk_adapters.mcp.failures import ToolError
from chuk_fsspec.contract.globbing import compile_pattern

_MOST_ALTERNATIVES = 1_000
_RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)\Z")
_SPECIAL = "*?[]!{},()"
_EXTENDED = re.compile(r"[+*!]\(")

Matches = Callable[[str], bool]
"""Whether a relative path, without a slash at either end, matches."""


def pattern(text: str) -> Matches:
    r"""What a pattern matches.

    Args:
        text: of relative paths: ``*``, ``?``, ``[…]``, ``{a,b}``, ``{1..3}``, ``@(a|b)``, ``?(a|b)`` and, as a whole
            component, ``**``; ``\`` takes the meaning from the character after it, and ``!`` at the beginning means
            all other paths. Names that begin with a dot are names like any other.

    Raises:
        ToolError: for a pattern of more than a thousand alternatives, and for ``+(…)``, ``*(…)`` and ``!(…)``.
    """
    wanted = text.lstrip("!")
    negated = (len(text) - len(wanted)) % 2 == 1
    if _EXTENDED.search(wanted):
        raise ToolError(f"Invalid pattern: {text}: +(…), *(…) and !(…) are not supported; use {{a,b}} or a leading !")
    alternatives = [compile_pattern(one) for one in _plain(wanted, text)]
    return lambda path: any(one.match(path) is not None for one in alternatives) is not negated


def any_of(texts: Iterable[str]) -> Matches:
    """What at least one of several patterns matches. ToolError, as ``pattern``."""
    all_matches = [pattern(text) for text in texts]
    return lambda path: any(matches(path) for matches in all_matches)


def _plain(wanted: str, text: str) -> Iterator[str]:
    """The patterns without braces that a pattern stands for, as ``compile_pattern`` takes them."""
    braced = re.sub(r"([@?])\(([^()]*)\)", _as_braces, wanted)
    for number, one in enumerate(_expanded(braced)):
        if number == _MOST_ALTERNATIVES:
            raise ToolError(f"Invalid pattern: {text}: it stands for more than {_MOST_ALTERNATIVES} patterns")
        yield "/".join(_component(part) for part in re.sub("/+", "/", _unescaped(one)).split("/"))


def _as_braces(match: re.Match[str]) -> str:
    options = match[2].split("|")
    if match[1] == "?":
        options.append("")
    return "{" + ",".join(options) + "}" if len(options) > 1 else options[0]


def _component(part: str) -> str:
    return part if part == "**" else re.sub(r"\*{2,}", "*", part)


def _unescaped(text: str) -> str:
    """Escapes as brackets, which mean the same to ``compile_pattern``."""
    return re.sub(r"\\(.)", lambda match: f"[{match[1]}]" if match[1] in "*?[" else match[1], text)


def _expanded(text: str) -> Iterator[str]:
    """All that braces stand for, one at a time, so that nobody has to hold what a short text can multiply to."""
    found = _first_braces(text)
    if found is None:
        yield text
        return
    start, end, options = found
    for option in options:
        for rest in _expanded(option + text[end:]):
            yield text[:start] + rest


def _first_braces(text: str) -> tuple[int, int, list[str]] | None:
    """Where the first braces are that stand for several texts, and those texts."""
    start = _find(text, "{", 0)
    while start >= 0:
        commas, end = _inside(text, start)
        if end < 0:
            return None
        inner = text[start + 1 : end]
        numbers = _RANGE.match(inner)
        if numbers:
            first, last = int(numbers[1]), int(numbers[2])
            if abs(last - first) > _MOST_ALTERNATIVES:
                last = first + _MOST_ALTERNATIVES
            step = 1 if first <= last else -1
            return start, end + 1, [str(number) for number in range(first, last + step, step)]
        if commas:
            edges = [start, *commas, end]
            return start, end + 1, [text[a + 1 : b] for a, b in pairwise(edges)]
        start = _find(text, "{", start + 1)
    return None


def _inside(text: str, start: int) -> tuple[list[int], int]:
    """The commas of the braces that open at ``start``, and where these close; -1 if they do not."""
    commas: list[int] = []
    depth, place = 0, start
    while place < len(text):
        character = text[place]
        if character == "\\":
            place += 1
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return commas, place
        elif character == "," and depth == 1:
            commas.append(place)
        place += 1
    return [], -1


def _find(text: str, character: str, start: int) -> int:
    place = text.find(character, start)
    while place > 0 and text[place - 1] == "\\":
        place = text.find(character, place + 1)
    return place
