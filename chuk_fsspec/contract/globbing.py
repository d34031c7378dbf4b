"""Patterns of paths by fsspec's rules, matched in steps that no pattern can multiply.

fsspec turns a pattern into a regular expression that tries each way of sharing a name between its stars: a pattern of
eight stars and a name of sixty letters take minutes. But where the first place that fits has been found for what stands
between two stars, no later one can do better. So nothing is tried twice here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.utils import stringify_path

from chuk_fsspec.contract.arguments import require_depth
from chuk_fsspec.contract.expansion import has_glob

_ANY_DIRECTORIES = "(?:[^/]+/)*?"
_NEVER = "(?!)"


@dataclass(frozen=True)
class Search:
    """Where a pattern can match, and what does.

    Attributes:
        root: the directory above the first wildcard.
        depth: how many levels below it can match; None for all.
        expression: matches the whole of a path.
        slash: what stands behind a directory: "/" where the pattern asks for directories; "/d/**" gives d too.
    """

    root: str
    depth: int | None
    expression: re.Pattern[str]
    slash: str

    @property
    def may_give_root(self) -> bool:
        """Whether the root itself can match, as it does for "/d/**"."""
        return bool(self.expression.match((self.root.rstrip("/") or "/") + self.slash))

    def choose(self, below: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the info dicts by path, of what ``find`` gave for the root and the depth, that match; in order."""
        matched = self.expression.match
        return {
            name: info
            for name, info in sorted(below.items())
            if matched(name + self.slash if info["type"] == "directory" else name)
        }


def search_of(pattern: str, *, only_directories: bool = False, maxdepth: int | None = None) -> Search:
    """What a pattern asks for.

    Args:
        pattern: a normal path with ``*``, ``?``, ``[…]`` and, as a whole component, ``**``.
        only_directories: it had a slash at its end.
        maxdepth: how many levels the first ``**`` may stand for, at least 1; None for all.

    Raises:
        ValueError: for ``**`` within a component, and a ``maxdepth`` below 1.
    """
    require_depth(maxdepth)
    expression = compile_pattern(pattern + "/" if only_directories else pattern)
    slash = "/" if only_directories or pattern.endswith("/**") else ""
    return Search(*_start(pattern, maxdepth), expression, slash)


def glob(fs: AbstractFileSystem, path: Any, maxdepth: int | None = None, **kwargs: Any) -> Any:
    """What matches a pattern: ``AbstractFileSystem.glob`` for the filesystems here.

    Args:
        fs: where.
        path: a pattern of ``*``, ``?``, ``[…]`` and, as a whole component, ``**``; with a slash at the end, of
            directories only.
        maxdepth: how many levels the first ``**`` may stand for, at least 1; None for all.
        kwargs: ``detail`` for a dict from path to info, ``withdirs=False`` to leave directories out; others are for
            ``find``.

    Returns:
        Paths in order, or the dict.

    Raises:
        ValueError: for ``**`` within a component, and a ``maxdepth`` below 1.
    """
    require_depth(maxdepth)
    detail, withdirs = kwargs.pop("detail", False), kwargs.pop("withdirs", True)
    pattern: str = fs._strip_protocol(path) or "/"
    if has_glob(pattern):
        search = search_of(pattern, only_directories=stringify_path(path).endswith("/"), maxdepth=maxdepth)
        found = search.choose(fs.find(search.root, maxdepth=search.depth, withdirs=withdirs, detail=True, **kwargs))
    else:
        found = {pattern: fs.info(pattern, **kwargs)} if fs.exists(pattern, **kwargs) else {}
    return found if detail else list(found)


def _start(pattern: str, maxdepth: int | None) -> tuple[str, int | None]:
    """The directory above the first wildcard, and how many levels below it can match; None for all."""
    wildcard = next(place for place, character in enumerate(pattern) if has_glob(character))
    root = pattern[: pattern.rindex("/", 0, wildcard) + 1]
    before, any_depth, _ = pattern[len(root) :].partition("**")
    if not any_depth:
        return root, before.count("/") + 1
    return root, None if maxdepth is None else before.count("/") + maxdepth


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression that takes at most as many steps as pattern and path have characters, multiplied.

    The rules are those of fsspec's ``glob``, and as in POSIX (XCU 2.13.3) a bracket never stands for a slash.

    Args:
        pattern: a normal path with wildcards; a slash at its end is part of it.

    Returns:
        What matches, by ``match``, the whole of a path.

    Raises:
        ValueError: for ``**`` within a component.
    """
    once = _Once()
    runs: list[list[str]] = [[]]
    for component in pattern.split("/"):
        if component == "**":
            runs.append([])
        elif "**" in component:
            raise ValueError(f"'**' can only be an entire path component, not part of {component!r}")
        else:
            runs[-1].append(_component(component, once))
    if len(runs) == 1:
        return re.compile("/".join(runs[0]) + r"\Z")
    first, *between, last = [[part + "/" for part in run] for run in runs]
    text = "".join(first)
    for run in filter(None, between):
        text += once(_ANY_DIRECTORIES + "".join(run))
    text += _ANY_DIRECTORIES + "".join(last)[:-1] if last else "(?s:.*)"
    return re.compile(text + r"\Z")


class _Once:
    """Makes a part of an expression atomic: what it matched first is what it matches (``(?>…)`` of Python 3.11)."""

    def __init__(self) -> None:
        self._numbers = count()

    def __call__(self, part: str) -> str:
        name = f"_{next(self._numbers)}"
        return f"(?=(?P<{name}>{part}))(?P={name})"


def _component(text: str, once: _Once) -> str:
    if text == "*":
        return "[^/]+"
    first, *others = _between_stars(text)
    if not others:
        return first
    return first + "".join([once(f"[^/]*?{piece}") for piece in others[:-1]]) + "[^/]*" + others[-1]


def _between_stars(text: str) -> list[str]:
    """What stands between the stars of a component, as expressions of fixed length."""
    pieces = [""]
    place = 0
    while place < len(text):
        character = text[place]
        end = _bracket_end(text, place) if character == "[" else -1
        if end > 0:
            pieces[-1] += _bracket(text[place + 1 : end])
            place = end
        elif character == "*":
            pieces.append("")
        else:
            pieces[-1] += "[^/]" if character == "?" else re.escape(character)
        place += 1
    return pieces


def _bracket_end(text: str, start: int) -> int:
    """Where the bracket that opens at ``start`` closes; -1 if it does not, and then stands for itself."""
    first = start + 2 if text.startswith("!", start + 1) else start + 1
    return text.find("]", first + 1)


def _bracket(inside: str) -> str:
    """One character of a set; ranges that end before they begin are empty."""
    negated = inside.startswith("!")
    characters = inside[1:] if negated else inside
    members = ""
    place = 0
    while place < len(characters):
        first, last = characters[place], characters[place]
        if characters.startswith("-", place + 1) and place + 2 < len(characters):
            last = characters[place + 2]
            place += 2
        if first <= last:
            members += f"{re.escape(first)}-{re.escape(last)}"
        place += 1
    if negated:
        return f"[^/{members}]"
    return f"(?!/)[{members}]" if members else _NEVER
